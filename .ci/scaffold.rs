//! The promises of this workspace, each a test that bears its name; what serves them is below.
//! `.ci/run` builds and runs this file at the root, with a temporary folder of its own.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use std::{env, fs, thread};

const INHERITED_LINTS: &str = "\nlints.workspace=true\n";
const QUESTIONS: &str = "docs/open-questions.md";

#[test]
fn the_empty_workspace_loads_with_no_package_and_no_warning() {
    let workspace = copy_without_crates("empty");
    let said = outcome(&workspace, "cargo metadata --no-deps --format-version 1");
    if !said.starts_with(r#"{"packages":[],"#) {
        panic!(
            "Cargo.toml: without crates it must load with no package and no warning: mend what \
             Cargo names, or restore crates/README.md if that is `crates/*`:\n{said}"
        );
    }
    for command in ["cargo build", "cargo test"] {
        let said = outcome(&workspace, command);
        if !said.contains("the workspace has no members") {
            panic!("README.md: correct what it says of `{command}` without a crate:\n{said}");
        }
    }
}

#[test]
fn every_command_in_the_readme_exists() {
    readme_crates();
    let commands = readme_commands();
    for (number, command) in &commands {
        let is_tool = ["git ", "cd ", "cargo "]
            .iter()
            .any(|t| command.starts_with(t));
        if !is_tool && run(".".as_ref(), &format!("test -x {command}")).is_err() {
            panic!(
                "README.md:{number}: `{command}` is neither Git, cd, Cargo nor an executable file: \
                 correct it, make it executable, or take it out of the shell block"
            );
        }
    }
    for needed in ["cargo new ", ".ci/run"] {
        if !commands.iter().any(|c| c.1.starts_with(needed)) {
            panic!("README.md: no shell block shows `{needed}`: add it");
        }
    }
}

#[test]
fn new_crates_inherit_every_shared_setting_and_change_no_other_file() {
    let workspace = readme_crates();
    let shared = settings(".".as_ref());
    for folder in crate_folders(workspace) {
        let own = settings(&folder);
        let keys = shared
            .lines()
            .filter_map(|s| s.strip_prefix("workspace.package."));
        for (key, _) in keys.filter_map(|s| s.split_once('=')) {
            if !own.contains(&format!("\npackage.{key}.workspace=true\n")) {
                panic!("Cargo.toml: no new crate inherits `{key}`: take it out");
            }
        }
        if !own.contains(INHERITED_LINTS) {
            panic!("Cargo.toml: no new crate inherits lints: restore [workspace.lints]");
        }
    }
    for file in shared_files() {
        if fs::read(workspace.join(&file)).ok() != fs::read(&file).ok() {
            let name = file.display();
            panic!("{name}: `cargo new` changes it: restore `crates/*` among the members");
        }
    }
}

#[test]
fn new_crates_pass_every_check_with_no_edit_and_no_warning() {
    let workspace = readme_crates();
    let script = read(".ci/run".as_ref());
    thread::scope(|scope| {
        for tool in ["cargo doc", "cargo test", "cargo clippy", "cargo fmt"] {
            // Taken from the script, so that these crates pass just what it asks of every crate.
            let Some(check) = script.lines().find(|line| line.starts_with(tool)) else {
                panic!(".ci/run: no line begins with `{tool}`: restore it");
            };
            scope.spawn(move || {
                if let Err(said) = run(workspace, check) {
                    panic!("Cargo.toml: mend what keeps a new crate from `{check}`:\n{said}");
                }
            });
        }
    });
}

#[test]
fn unsafe_is_refused_and_leftover_dbg_and_todo_are_reported() {
    let workspace = copy_without_crates("lints");
    if let Err(said) = run(&workspace, "cargo new --lib crates/probe") {
        panic!("Cargo.toml: mend what `cargo new` names:\n{said}");
    }
    let code = "pub fn probe() {\n    unsafe {}\n    dbg!();\n    todo!();\n}\n";
    fs::write(workspace.join("crates/probe/src/lib.rs"), code).unwrap();
    let said = outcome(&workspace, "cargo clippy --message-format json");
    let expect = |lint: &str, level: &str| {
        let marks = [lint, level].map(|mark| format!(":\"{mark}\""));
        if !said.lines().any(|l| marks.iter().all(|m| l.contains(m))) {
            panic!("Cargo.toml: `{lint}` is no {level} in a crate: restore the lint:\n{said}");
        }
    };
    expect("unsafe_code", "error");
    expect("clippy::dbg_macro", "warning");
    expect("clippy::todo", "warning");
}

#[test]
fn every_folder_in_crates_is_a_crate_that_inherits_the_lints() {
    let mut problems = String::new();
    for folder in crate_folders(".".as_ref()) {
        let problem = if !folder.join("Cargo.toml").exists() {
            "has no Cargo.toml, so Cargo stops: move the folder elsewhere, or make it a crate"
        } else if folder.join(".git").exists() {
            "is a Git repository of its own: delete its .git, and use one repository at the root"
        } else if !settings(&folder).contains(INHERITED_LINTS) {
            "escapes the shared lints: add `[lints]` and `workspace = true` to its Cargo.toml"
        } else {
            continue;
        };
        problems += &format!("\n{} {problem}", folder.display());
    }
    assert!(problems.is_empty(), "{problems}");
}

#[test]
fn every_relative_link_and_heading_anchor_resolves() {
    let root = fs::canonicalize(".").unwrap();
    let mut problems = String::new();
    for page in markdown_pages(".".as_ref()) {
        for (number, link) in relative_links(&page) {
            let (path, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target = if path.is_empty() {
                &page
            } else {
                &page.with_file_name(path)
            };
            let problem = if !fs::canonicalize(target).is_ok_and(|t| t.starts_with(&root)) {
                "leads to no file of this tree: correct the path, or restore the file"
            } else if !anchor.is_empty() && is_page(target) && !has_anchor(target, anchor) {
                "names no heading of its page: correct what follows the `#`"
            } else {
                continue;
            };
            problems += &format!("\n{}:{number}: the link `{link}` {problem}", page.display());
        }
    }
    assert!(problems.is_empty(), "{problems}");
}

#[test]
fn the_open_questions_keep_their_form() {
    let questions = questions();
    assert!(
        !questions.is_empty(),
        "{QUESTIONS}: restore the first question, `## Q1. …`"
    );
    for (index, (number, question)) in questions.iter().enumerate() {
        let form = format!(
            "## Q{}. …\n\n- **Status:** …\n- **Until then:** …\n- **Lands in:** …\n\n…",
            index + 1
        );
        let is_answer = |line: &&str| line.starts_with("- **Answer:**");
        let numbered = question.lines().zip(*number..);
        let mut others = numbered.filter(|(line, _)| !is_answer(line));
        for due in form.lines() {
            let (line, number) = others.next().unwrap_or(("", *number));
            let text = line.strip_prefix(due.trim_end_matches('…'));
            if text.map(|text| text.trim().is_empty()) != Some(due.is_empty()) {
                let due = match due {
                    "" => "a blank line",
                    "…" => "why the question is open",
                    field => field,
                };
                panic!("{QUESTIONS}:{number}: write {due}, on one line, in place of `{line}`");
            }
        }
        let answers: Vec<_> = question.lines().filter(is_answer).collect();
        let is_settled = match field(question, "Status") {
            "open" => answers.is_empty(),
            "answered" => answers.len() == 1 && has_date(answers[0]),
            _ => false,
        };
        if !is_settled {
            panic!(
                "{QUESTIONS}:{number}: make the status `open` without an answer, or `answered` \
                 with one line `- **Answer:** …` that gives its date as YYYY-MM-DD and who decided"
            );
        }
    }
}

#[test]
fn what_an_open_question_says_of_the_tree_holds() {
    let manifest = read("Cargo.toml".as_ref());
    for (number, question) in questions() {
        let parts: Vec<_> = field(&question, "Until then").split('`').collect();
        // Every second part is in code marks; the one before it may deny it.
        for pair in parts.chunks_exact(2) {
            let (is_denied, code) = (pair[0].ends_with("no "), pair[1]);
            let start = code.trim_end_matches(']');
            let stands = Path::new(code).exists() || manifest.lines().any(|l| l.starts_with(start));
            let is_claim = is_denied || code.contains(" = ");
            if is_claim && stands == is_denied && field(&question, "Status") == "open" {
                let truth = if stands { "is in" } else { "is not in" };
                panic!(
                    "{QUESTIONS}:{number}: this open question says otherwise, but `{code}` {truth} \
                     Cargo.toml or the tree: undo that, or answer the question"
                );
            }
        }
    }
}

/// What the command prints, or as an error all that it says if it fails or warns. It runs as for
/// a new user, whatever is set here for Cargo.
fn run(folder: &Path, command: &str) -> Result<String, String> {
    let words: Vec<_> = command.split_whitespace().collect();
    let mut process = Command::new(words[0]);
    for (name, _) in env::vars_os() {
        if name.to_string_lossy().starts_with("CARGO_") {
            process.env_remove(name);
        }
    }
    process.args(&words[1..]).current_dir(folder);
    process.env("CARGO_HOME", env::temp_dir().join("cargo-home"));
    // One for each subcommand, so that none waits for another.
    let target = env::temp_dir().join("target").join(words[1]);
    process.env("CARGO_TARGET_DIR", target);
    // As in a clone, where the repository is there already.
    process.env("CARGO_CARGO_NEW_VCS", "none");
    // Nothing is built twice here.
    process.env("CARGO_INCREMENTAL", "0");
    process.env("RUSTFLAGS", "");
    process.env("RUSTDOCFLAGS", "-Dwarnings");
    let output = process.output().map_err(|error| error.to_string())?;
    let printed = String::from_utf8_lossy(&output.stdout);
    let said = String::from_utf8_lossy(&output.stderr);
    if output.status.success() && !said.lines().any(|l| l.starts_with("warning")) {
        Ok(printed.into())
    } else {
        Err(format!("{said}{printed}"))
    }
}

fn outcome(folder: &Path, command: &str) -> String {
    run(folder, command).unwrap_or_else(|said| said)
}

fn read(file: &Path) -> String {
    let name = file.display();
    fs::read_to_string(file).unwrap_or_else(|error| panic!("{name}: restore it: {error}"))
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let paths = entries.map(|entry| entry.path());
    paths
        .map(|path| path.strip_prefix(".").unwrap_or(&path).into())
        .collect()
}

fn crate_folders(workspace: &Path) -> Vec<PathBuf> {
    let mut folders = entries(&workspace.join("crates"));
    folders.retain(|path| path.is_dir());
    folders
}

/// What is left of the workspace without its crates.
fn shared_files() -> Vec<PathBuf> {
    let mut files = entries("crates".as_ref());
    files.retain(|path| path.is_file());
    files.push("Cargo.toml".into());
    files
}

fn copy_without_crates(name: &str) -> PathBuf {
    let copy = env::temp_dir().join(name);
    fs::create_dir_all(copy.join("crates")).unwrap();
    for file in shared_files() {
        fs::copy(&file, copy.join(&file)).unwrap();
    }
    copy
}

/// A workspace in which README.md's Cargo lines have run, made once.
fn readme_crates() -> &'static Path {
    static MADE: LazyLock<Result<PathBuf, String>> = LazyLock::new(|| {
        let workspace = copy_without_crates("readme");
        for (number, command) in readme_commands() {
            if command.starts_with("cargo ") {
                run(&workspace, &command).map_err(|said| {
                    let remedy = "correct it, or the Cargo.toml that it meets";
                    format!("README.md:{number}: `{command}` fails or warns: {remedy}:\n{said}")
                })?;
            }
        }
        Ok(workspace)
    });
    MADE.as_ref().unwrap_or_else(|problem| panic!("{problem}"))
}

fn readme_commands() -> Vec<(usize, String)> {
    let mut commands = lines("README.md".as_ref(), true);
    commands.retain(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    commands
}

/// The settings of a folder's manifest: lines `table.key=value` without spaces and comments.
fn settings(folder: &Path) -> String {
    let mut table = String::new();
    let mut settings = String::from("\n");
    for line in read(&folder.join("Cargo.toml")).lines() {
        let line = line
            .split('#')
            .next()
            .unwrap_or_default()
            .replace([' ', '\t'], "");
        if line.starts_with('[') {
            table = line.replace('[', "").replace(']', ".");
        } else if !line.is_empty() {
            let line = line.replace("={", ".").replace('}', "");
            settings += &format!("{table}{line}\n");
        }
    }
    settings
}

/// The numbered lines of a page that are in its shell blocks, or else those in no block.
fn lines(page: &Path, in_shell: bool) -> Vec<(usize, String)> {
    let mut lines = Vec::new();
    let (mut is_block, mut is_shell) = (false, false);
    for (line, number) in read(page).lines().zip(1..) {
        if let Some(language) = line.trim_start().strip_prefix("```") {
            is_block = !is_block;
            is_shell = is_block && ["sh", "bash", "shell", "console"].contains(&language.trim());
        } else if is_block == in_shell && is_shell == in_shell {
            lines.push((number, line.to_owned()));
        }
    }
    lines
}

fn is_page(file: &Path) -> bool {
    file.extension().is_some_and(|extension| extension == "md")
}

fn markdown_pages(folder: &Path) -> Vec<PathBuf> {
    let mut pages = Vec::new();
    for path in entries(folder) {
        // Cargo tags its target folder, whatever the name of that.
        let is_foreign = path.ends_with(".git") || path.join("CACHEDIR.TAG").exists();
        if is_page(&path) {
            pages.push(path);
        } else if path.is_dir() && !path.is_symlink() && !is_foreign {
            pages.extend(markdown_pages(&path));
        }
    }
    pages
}

fn relative_links(page: &Path) -> Vec<(usize, String)> {
    let mut links = Vec::new();
    for (number, line) in lines(page, false) {
        // Every second part is in code marks, where nothing is a link.
        let text: String = line.split('`').step_by(2).collect();
        let is_definition = text.starts_with('[') && !text.starts_with("[^");
        for start in ["](", "href=\"", "src=\"", "]: "] {
            for rest in text.split(start).skip(1) {
                let link = rest.split([')', '"', ' ']).next().unwrap_or_default();
                let is_elsewhere = link.contains("://") || link.starts_with("mailto:");
                if !is_elsewhere && (is_definition || start != "]: ") {
                    links.push((number, link.replace("%20", " ")));
                }
            }
        }
    }
    links
}

/// Whether the page has the heading, by the name that Git hosts give it.
fn has_anchor(page: &Path, anchor: &str) -> bool {
    let mut names = Vec::new();
    for (_, line) in lines(page, false) {
        if line.starts_with('#') {
            let name = line.trim_start_matches('#').trim().to_lowercase();
            let kept = |c: &char| c.is_alphanumeric() || [' ', '-', '_'].contains(c);
            let name = String::from_iter(name.chars().filter(kept)).replace(' ', "-");
            let repeats = names.iter().filter(|other| **other == name).count();
            let is_first = repeats == 0 && anchor == name;
            if is_first || repeats > 0 && anchor == format!("{name}-{repeats}") {
                return true;
            }
            names.push(name);
        }
    }
    false
}

/// Each question with the number of its first line. After the first, every heading is taken for
/// one, so that none out of form is missed.
fn questions() -> Vec<(usize, String)> {
    let mut questions: Vec<(usize, String)> = Vec::new();
    for (number, line) in lines(QUESTIONS.as_ref(), false) {
        if line.starts_with("## Q") || line.starts_with('#') && !questions.is_empty() {
            questions.push((number, String::new()));
        }
        if let Some((_, question)) = questions.last_mut() {
            *question += &format!("{line}\n");
        }
    }
    questions
}

fn field<'a>(question: &'a str, name: &str) -> &'a str {
    let start = format!("- **{name}:** ");
    let mut fields = question.lines().filter_map(|l| l.strip_prefix(&start));
    fields.next().unwrap_or_default()
}

fn has_date(text: &str) -> bool {
    let mut words = text.split(|c: char| !c.is_ascii_digit() && c != '-');
    words.any(|word| word.split('-').map(str::len).eq([4, 2, 2]))
}
