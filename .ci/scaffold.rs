//! What this workspace promises: each promise is a test that bears its name.
//! `.ci/run` builds and runs this file, at the root and with Cargo as a new user has it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

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
    let commands = lines("README.md".as_ref(), true);
    for (number, command) in &commands {
        let program = command.split(' ').next().unwrap_or_default();
        let is_known = ["", "#", "git", "cd", "cargo"].contains(&program);
        if !is_known && run(".".as_ref(), &format!("test -x {command}")).is_err() {
            panic!(
                "README.md:{number}: `{command}` is neither Git, cd, Cargo nor an executable file: \
                 correct it, make it executable, or take it out of the shell block"
            );
        }
    }
    if !commands.iter().any(|(_, command)| command == ".ci/run") {
        panic!("README.md: no shell block shows the test command: add `.ci/run`");
    }
}

#[test]
fn new_crates_inherit_every_setting_pass_every_check_and_change_no_other_file() {
    let workspace = copy_without_crates("readme");
    let manifest = read(&workspace.join("Cargo.toml"));
    for (number, command) in lines("README.md".as_ref(), true) {
        if command.starts_with("cargo ") {
            run(&workspace, &command).unwrap_or_else(|said| {
                let remedy = "correct it or Cargo.toml, or move it to a `text` block";
                panic!("README.md:{number}: `{command}` fails or warns: {remedy}:\n{said}")
            });
        }
    }
    let new_crates = crate_folders(&workspace);
    if new_crates.is_empty() {
        panic!("README.md: no shell block makes a crate: add a `cargo new` line");
    }
    let shared_settings = settings(&manifest);
    for folder in &new_crates {
        let own = settings(&read(&folder.join("Cargo.toml")));
        for setting in shared_settings.lines() {
            let shared = setting.strip_prefix("workspace.package.");
            let Some((key, _)) = shared.and_then(|shared| shared.split_once('=')) else {
                continue;
            };
            if !own.contains(&format!("\npackage.{key}.workspace=true\n")) {
                panic!(
                    "Cargo.toml: `cargo new` as in README.md does not pass on `{key}`: mend either"
                );
            }
        }
        if !own.contains(INHERITED_LINTS) {
            panic!("Cargo.toml: `cargo new` passes on no lints: restore [workspace.lints]");
        }
    }
    // The one other file that `cargo new` may write to.
    if read(&workspace.join("Cargo.toml")) != manifest {
        panic!("Cargo.toml: `cargo new` changes it: restore `crates/*` among the members");
    }
    // Taken from the script, so that these crates pass just what it asks of every crate.
    let script = read(".ci/run".as_ref());
    for tool in ["cargo fmt", "cargo clippy", "cargo test", "cargo doc"] {
        let Some(check) = script.lines().find(|line| line.starts_with(tool)) else {
            panic!(".ci/run: no line begins with `{tool}`: restore it");
        };
        if let Err(said) = run(&workspace, check) {
            panic!("Cargo.toml: mend what keeps a new crate from `{check}`:\n{said}");
        }
    }
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
    for (lint, level) in [
        ("unsafe_code", "error"),
        ("clippy::dbg_macro", ""),
        ("clippy::todo", ""),
    ] {
        let marks = [
            format!("\"code\":\"{lint}\""),
            format!("\"level\":\"{level}"),
        ];
        if !said.lines().any(|l| marks.iter().all(|m| l.contains(m))) {
            panic!("Cargo.toml: a new crate escapes the lint `{lint}`: restore it and its level");
        }
    }
}

#[test]
fn every_folder_in_crates_is_a_crate_that_inherits_the_lints() {
    let mut problems = String::new();
    for folder in crate_folders(".".as_ref()) {
        let problem = if !folder.join("Cargo.toml").exists() {
            "has no Cargo.toml, so Cargo stops: move the folder elsewhere, or make it a crate"
        } else if folder.join(".git").exists() {
            "is a Git repository: delete its .git, and run `git init` at the root if need be"
        } else if !settings(&read(&folder.join("Cargo.toml"))).contains(INHERITED_LINTS) {
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
            let target = match path.strip_prefix('/') {
                Some(from_root) => from_root.into(),
                None if path.is_empty() => page.clone(),
                None => page.with_file_name(path),
            };
            let problem = if !fs::canonicalize(&target).is_ok_and(|t| t.starts_with(&root)) {
                "leads to no file of this tree: correct or remove it, or restore the file"
            } else if !anchor.is_empty() && is_page(&target) && !has_anchor(&target, anchor) {
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
    if questions.is_empty() {
        panic!("{QUESTIONS}: no heading begins `## Q1. `: restore the first question");
    }
    for (index, (number, question)) in questions.iter().enumerate() {
        let heading = format!("## Q{}. ", index + 1);
        let form = [
            (heading.as_str(), "…"),
            ("", "a blank line"),
            ("- **Status:** ", "…"),
            ("- **Until then:** ", "…"),
            ("- **Lands in:** ", "…"),
            ("", "a blank line"),
            ("", "a sentence on why it is open"),
        ];
        let is_answer = |line: &&str| line.starts_with("- **Answer:**");
        let numbered = question.lines().zip(*number..);
        let mut others = numbered.filter(|(line, _)| !is_answer(line));
        let end = number + question.lines().count();
        for (start, rest) in form {
            let (line, number) = others.next().unwrap_or(("", end));
            let text = line.strip_prefix(start).map(str::trim);
            if text.map(str::is_empty) != Some(rest == "a blank line") {
                panic!(
                    "{QUESTIONS}:{number}: `{line}` is where {start}{rest} belongs: correct \
                     or insert it, each field on one line"
                );
            }
        }
        let answers: Vec<_> = question.lines().filter(is_answer).collect();
        let problem = match (field(question, "Status"), &answers[..]) {
            ("open", []) => continue,
            ("answered", [answer]) if has_date(answer) => continue,
            ("open", _) => "an open question has no answer: remove it, or make it `answered`",
            ("answered", _) => {
                "it needs one line `- **Answer:** …` with a date (YYYY-MM-DD) and by whom"
            }
            _ => "the status is neither `open` nor `answered`: correct it",
        };
        panic!("{QUESTIONS}:{number}: Q{}: {problem}", index + 1);
    }
}

#[test]
fn what_an_open_question_says_of_the_tree_holds() {
    let manifest = read("Cargo.toml".as_ref());
    for (number, question) in questions() {
        if field(&question, "Status") != "open" {
            continue;
        }
        let parts: Vec<_> = field(&question, "Until then").split('`').collect();
        // Every second part is in code marks; the one before it may deny it.
        for pair in parts.chunks_exact(2) {
            let (before, code) = (pair[0].split_whitespace().next_back(), pair[1]);
            let is_denied = before.is_some_and(|word| word.eq_ignore_ascii_case("no"));
            let start = code.trim_end_matches(']');
            let is_in_manifest = manifest.lines().any(|line| line.starts_with(start));
            let is_there = is_in_manifest || Path::new(code).exists();
            let is_claim = is_denied || code.contains(" = ");
            if is_claim && is_there == is_denied {
                let verb = if is_denied { "has" } else { "lacks" };
                panic!(
                    "{QUESTIONS}:{number}: against this open question, Cargo.toml or the tree \
                     {verb} `{code}`: undo that, correct the field, or answer the question"
                );
            }
        }
    }
}

/// What the command prints, or as an error all that it says if it fails or warns.
fn run(folder: &Path, command: &str) -> Result<String, String> {
    let mut words = command.split_whitespace();
    let mut process = Command::new(words.next().unwrap_or_default());
    process.args(words).current_dir(folder);
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
    let content = fs::read(file);
    let content = content.unwrap_or_else(|e| panic!("{}: restore it: {e}", file.display()));
    String::from_utf8_lossy(&content).into()
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let named = |path: PathBuf| {
        path.strip_prefix(".")
            .map(Path::to_path_buf)
            .unwrap_or(path)
    };
    entries.map(|entry| named(entry.path())).collect()
}

fn crate_folders(workspace: &Path) -> Vec<PathBuf> {
    let mut folders = entries(&workspace.join("crates"));
    folders.retain(|path| path.is_dir());
    folders
}

fn copy_without_crates(name: &str) -> PathBuf {
    let copy = env::temp_dir().join(name);
    fs::create_dir_all(copy.join("crates")).unwrap();
    fs::write(copy.join("Cargo.toml"), manifest_without_crates()).unwrap();
    for file in entries("crates".as_ref()) {
        if file.is_file() {
            fs::copy(&file, copy.join(&file)).unwrap();
        }
    }
    copy
}

/// The manifest, where there are crates without the parts that can name one.
fn manifest_without_crates() -> String {
    let manifest = read("Cargo.toml".as_ref());
    if crate_folders(".".as_ref()).is_empty() {
        return manifest;
    }
    let mut tables: Vec<_> = manifest.split("\n[").collect();
    tables.retain(|table| !table.starts_with("profile") && !table.starts_with("patch"));
    let kept = tables.join("\n[");
    match kept.split_once("\ndefault-members") {
        Some((before, after)) => before.to_owned() + after.split_once(']').unwrap_or_default().1,
        None => kept,
    }
}

const INHERITED_LINTS: &str = "\nlints.workspace=true\n";

/// A manifest as lines `table.key=value`, without spaces and comments.
fn settings(manifest: &str) -> String {
    let mut table = String::new();
    let mut settings = String::from("\n");
    for line in manifest.lines() {
        let line = line.split('#').next().unwrap_or_default();
        let line = line.replace([' ', '\t', '}'], "").replace("={", ".");
        if line.starts_with('[') {
            table = line.replace('[', "").replace(']', ".");
        } else if !line.is_empty() {
            settings += &format!("{table}{line}\n");
        }
    }
    settings
}

/// The numbered lines of a page that are in its shell blocks, or else those in no block.
fn lines(page: &Path, in_shell: bool) -> Vec<(usize, String)> {
    let mut lines = Vec::new();
    // What ends the block that is open, if one is, and whether it is a shell block.
    let (mut fence, mut is_shell) = (String::new(), false);
    for (line, number) in read(page).lines().zip(1..) {
        let text = line.trim_start_matches([' ', '>', '-', '*']);
        let language = text.trim_start_matches(['`', '~']);
        let marks = &text[..text.len() - language.len()];
        if fence.is_empty() && marks.len() >= 3 && !language.contains('`') {
            fence = marks.to_owned();
            is_shell = ["sh", "bash", "shell", "console"].contains(&language.trim());
        } else if !fence.is_empty() && marks.starts_with(&fence) && language.trim().is_empty() {
            fence.clear();
        } else if fence.is_empty() != in_shell && (is_shell || !in_shell) {
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
        // Cargo leaves these files in a target folder and in what it vendors.
        let tags = ["CACHEDIR.TAG", ".cargo-checksum.json"];
        let is_foreign = path.ends_with(".git") || tags.iter().any(|tag| path.join(tag).exists());
        if is_foreign || path.is_symlink() {
            continue;
        } else if is_page(&path) {
            pages.push(path);
        } else {
            pages.extend(markdown_pages(&path));
        }
    }
    pages
}

fn relative_links(page: &Path) -> Vec<(usize, String)> {
    let mut links = Vec::new();
    for (number, line) in lines(page, false) {
        // Every second part is in code marks, where nothing is a link.
        let text: String = line.trim_start().split('`').step_by(2).collect();
        let is_definition = text.starts_with('[') && !text.starts_with("[^");
        for start in ["](", "href=\"", "src=\"", "]: "] {
            for rest in text.split(start).skip(1) {
                let link = match rest.strip_prefix('<') {
                    Some(rest) => rest.split('>').next(),
                    None => rest.split([')', '"', ' ']).next(),
                };
                let link = link.unwrap_or_default().replace("%20", " ");
                // A colon in front, as in `https:` or `crate::Name`, leads elsewhere.
                let is_elsewhere = link.split('/').next().is_some_and(|l| l.contains(':'));
                if !is_elsewhere && (is_definition || start != "]: ") {
                    links.push((number, link));
                }
            }
        }
    }
    links
}

/// Whether the page has the heading, by the name that Git hosts give it, or the HTML anchor.
fn has_anchor(page: &Path, anchor: &str) -> bool {
    let mut names = Vec::new();
    for (_, line) in lines(page, false) {
        if line.contains(&format!("id=\"{anchor}\"")) {
            return true;
        }
        if line.trim_start_matches('#').starts_with(' ') && line.starts_with('#') {
            let title = line.trim_matches('#').trim().to_lowercase();
            let dropped = |c: char| !c.is_alphanumeric() && c != '-' && c != '_';
            let name = title.replace(' ', "-").replace(dropped, "");
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
