//! The rules of this workspace, as tests that `.ci/run` runs at the root.
//! Delete this file to drop them.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};
use std::{env, fs};

const QUESTIONS: &str = "docs/open-questions.md";
const PAGES: [&str; 4] = [
    "README.md",
    "crates/README.md",
    "docs/why-empty.md",
    QUESTIONS,
];

/// Adds crates to a copy and checks them. `.ci/run` skips this once there is a crate.
#[test]
fn a_new_crate_passes() {
    // `cargo new` edits the first Cargo.toml that it finds in the folders above. Should the copy
    // lose its own while this runs, there must be none to find.
    let temporary = env::temp_dir().canonicalize().expect("TMPDIR");
    for folder in temporary.ancestors() {
        assert!(
            !folder.join("Cargo.toml").exists(),
            "TMPDIR: {} is in a Cargo project, {}. Set TMPDIR to a folder outside of any.",
            temporary.display(),
            folder.display()
        );
    }
    let time = SystemTime::now().duration_since(UNIX_EPOCH).expect("clock");
    let name = format!("new-crate-{}", time.as_nanos());
    let copy = temporary.join(&name);
    // Programs may not run in the temporary folder.
    let target = env::current_dir().expect("root").join("target").join(&name);
    // This fails if the folder exists, so what is removed below was made here.
    fs::create_dir(&copy).expect("TMPDIR");
    fs::create_dir(&target).expect("target");
    for file in [
        ".cargo/config.toml",
        ".ci/run",
        "Cargo.toml",
        "crates/README.md",
        "rust-toolchain.toml",
    ] {
        if Path::new(file).exists() {
            let path = copy.join(file);
            fs::create_dir_all(path.parent().expect(file)).expect(file);
            fs::copy(file, path).expect(file);
        }
    }
    let mut output = String::new();
    for line in [
        "cargo new --vcs none --lib crates/my-library",
        "cargo new --vcs none crates/my-program",
        "sh .ci/run",
    ] {
        let mut words = line.split(' ');
        let mut command = Command::new(words.next().expect(line));
        command.args(words).current_dir(&copy);
        command.env("CARGO_TARGET_DIR", &target);
        // No colour code before a warning.
        command.env("CARGO_TERM_COLOR", "never");
        let (succeeds, text) = run(&mut command);
        output += &text;
        if !succeeds {
            break;
        }
    }
    let is_of_manifest = |line: &str| line.contains("Cargo.toml: ") || line.contains("resolver");
    let warns = output
        .lines()
        .any(|line| line.starts_with("warning: ") && is_of_manifest(line));
    // The empty workspace passes with other words, and would if it left the crates out.
    let passes = output.contains("All checks passed.") && !warns;
    assert!(
        passes,
        "Cargo.toml: a new crate does not pass. Change Cargo.toml, or add a crate. Output:\n{output}"
    );
    fs::remove_dir_all(&copy).expect("TMPDIR");
    fs::remove_dir_all(&target).expect("target");
}

#[test]
fn crates_have_all_shared_settings_and_lints() {
    let mut faults = Vec::new();
    let workspace = read("Cargo.toml");
    let shared_keys = keys(&workspace, "[workspace.package]");
    let shares_lints = workspace.contains("\n[workspace.lints");
    for folder in members() {
        let file = folder.join("Cargo.toml");
        let manifest = read(&file);
        let file = file.display();
        let own_keys = keys(&manifest, "[package]");
        for key in &shared_keys {
            // `license-file` can stand in for `license`.
            let name = key.trim_end_matches("-file");
            if !own_keys.iter().any(|own| own.starts_with(name)) {
                faults.push(format!(
                    "{file}: lacks `{key}`. Add `{key}.workspace = true` or your own value."
                ));
            }
        }
        // `[lints]`, `[lints.rust]` or `lints.workspace = true`.
        let is_lints = |line: &str| line.trim_start_matches('[').starts_with("lints");
        if shares_lints && !manifest.lines().any(is_lints) {
            faults.push(format!(
                "{file}: lacks `[lints]`. Add it, with `workspace = true` or your own lints."
            ));
        }
    }
    report(faults);
}

#[test]
fn no_crate_is_a_git_repository_by_accident() {
    let mut faults = Vec::new();
    for folder in members() {
        let repository = folder.join(".git");
        // The root, or a crate elsewhere, may be a repository.
        let is_inside = folder.is_relative() && folder != Path::new("");
        // In a submodule, `.git` is a file.
        if is_inside && !folder.is_symlink() && repository.is_dir() {
            let name = repository.display();
            faults.push(format!(
                "{name}: this crate is a repository of its own, perhaps made by `cargo new`. \
                 Run `git init` at the root, and move {name} out of the workspace."
            ));
        }
    }
    report(faults);
}

#[test]
fn links_in_the_pages_resolve() {
    let mut faults = Vec::new();
    for page in PAGES {
        for (number, line) in (1..).zip(read_outside_code(page).lines()) {
            for link in plain_links(line) {
                if !resolves(page, &link) {
                    faults.push(format!("{page}:{number}: `{link}` leads nowhere. Fix it."));
                }
            }
        }
    }
    report(faults);
}

#[test]
fn questions_keep_their_form() {
    let mut faults = Vec::new();
    let (mut previous, mut expected) = (0, 1);
    for (number, text) in questions() {
        let mut fault = |what: &str| faults.push(format!("{QUESTIONS}: Q{number}: {what}"));

        // One wrong number is one fault: after Q1, Q2, Q4, accept Q4 or Q5.
        if number == previous + 1 {
            expected = number;
        }
        let start = format!("## Q{expected}. ");
        if !text.starts_with(&start) {
            fault(&format!(
                "must start with `{start}`. Renumber it, or restore what is missing."
            ));
        }
        previous = number;
        expected += 1;

        match (field(&text, "Status"), field(&text, "Answer")) {
            ("open", "") => {}
            ("answered", answer) if !answer.is_empty() => {}
            _ => fault(
                "needs `- **Status:** open` and no answer, or `answered` and `- **Answer:** …`.",
            ),
        }
        for name in ["Until then", "Lands in"] {
            if field(&text, name).is_empty() {
                fault(&format!("lacks `- **{name}:** …`. Add it."));
            }
        }
    }
    report(faults);
}

#[test]
fn settings_quoted_by_open_questions_are_in_the_manifest() {
    let mut faults = Vec::new();
    let manifest: Vec<String> = read("Cargo.toml").lines().map(without_spaces).collect();
    for (number, text) in questions() {
        let is_open = field(&text, "Status") == "open";
        for quote in field(&text, "Until then").split('`').skip(1).step_by(2) {
            // Not `a >= b` or `RUST_LOG=debug`.
            let key = before(quote, "=").trim();
            let is_key = |c: char| c.is_lowercase() || "-_".contains(c);
            let is_setting = quote.contains('=') && key.chars().all(is_key);
            if is_open && is_setting && !manifest.contains(&without_spaces(quote)) {
                faults.push(format!(
                    "Cargo.toml: lacks `{quote}`, which Q{number} in {QUESTIONS} quotes. \
                     Restore it, answer Q{number} or reword its *Until then*."
                ));
            }
        }
    }
    report(faults);
}

fn report(faults: Vec<String>) {
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

fn read(file: impl AsRef<Path>) -> String {
    let file = file.as_ref();
    fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// Whether the command succeeds, and what it prints.
fn run(command: &mut Command) -> (bool, String) {
    let output = command.output().expect("cannot start sh or cargo");
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    (output.status.success(), text)
}

/// The folder of each workspace member, such as `crates/first`.
fn members() -> Vec<PathBuf> {
    let mut cargo = Command::new("cargo");
    let (succeeds, metadata) = run(cargo.args(["metadata", "--no-deps", "--format-version=1"]));
    assert!(succeeds, "{metadata}");
    let root = env::current_dir().expect("current folder");
    let mut folders = Vec::new();
    for rest in metadata.split("\"manifest_path\":\"").skip(1) {
        let path = before(rest, "Cargo.toml\"").replace("\\\\", "\\");
        let folder = Path::new(&path);
        folders.push(folder.strip_prefix(&root).unwrap_or(folder).to_owned());
    }
    folders
}

/// The keys in a table of a manifest, without `.workspace`.
fn keys<'a>(manifest: &'a str, table: &str) -> Vec<&'a str> {
    let lines = manifest.lines().skip_while(|line| !line.starts_with(table));
    let settings = lines.skip(1).take_while(|line| !line.starts_with('['));
    let keys = settings
        .filter_map(|line| line.split_once('='))
        .map(|(key, _)| key.trim());
    // Neither a comment nor a line of a value.
    let keys = keys.filter(|key| !key.contains(['#', '"', ' ']));
    keys.map(|key| key.trim_end_matches(".workspace")).collect()
}

fn without_spaces(setting: &str) -> String {
    before(setting, "#").replace([' ', '\t'], "")
}

/// The number and text of each section whose heading starts with `Q` and a number.
fn questions() -> Vec<(usize, String)> {
    let mut questions = Vec::new();
    let page = format!("\n{}", read_outside_code(QUESTIONS));
    for section in page.split("\n#").skip(1) {
        let title = section.trim_start_matches(['#', ' ']);
        let digits = title.chars().skip(1).take_while(char::is_ascii_digit);
        let number = digits.collect::<String>().parse();
        if let (true, Ok(number)) = (title.starts_with('Q'), number) {
            questions.push((number, format!("#{section}")));
        }
    }
    questions
}

/// The text after `- **name:**`.
fn field<'a>(question: &'a str, name: &str) -> &'a str {
    let start = format!("\n- **{name}:**");
    let (_, rest) = question.split_once(&start).unwrap_or_default();
    before(before(rest, "\n- "), "\n\n").trim()
}

/// A page with empty lines in place of its fenced code blocks.
fn read_outside_code(page: &str) -> String {
    let mut text = String::new();
    // A page may be deleted.
    if !Path::new(page).exists() {
        return text;
    }
    let mut is_code = false;
    for line in read(page).lines() {
        if line.trim_start().starts_with("```") {
            is_code = !is_code;
        } else if !is_code {
            text += line;
        }
        text += "\n";
    }
    text
}

/// The inline links that are just a path, an anchor or both.
fn plain_links(line: &str) -> Vec<String> {
    let mut links = Vec::new();
    // Drop what is between backticks.
    let text: String = line.split('`').step_by(2).collect();
    for rest in text.split("](").skip(1) {
        let link = before(rest, ")");
        let is_plain = link
            .chars()
            .all(|c| c.is_alphanumeric() || "-_./#".contains(c));
        // Indented this far, a line can be code.
        if is_plain && !link.is_empty() && !line.starts_with("    ") && !line.starts_with('\t') {
            links.push(link.to_string());
        }
    }
    links
}

fn resolves(page: &str, link: &str) -> bool {
    let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
    // Above the root, a host has pages of its own, such as issues.
    let is_above = path.matches("../").count() > page.matches('/').count();
    if is_above || path.starts_with('/') {
        return true;
    }
    let target = match path {
        "" => page.to_string(),
        _ => Path::new(page).with_file_name(path).display().to_string(),
    };
    // Not `#L10`, which is a line.
    let is_checked = anchor.starts_with(|c: char| !c.is_uppercase()) && target.ends_with(".md");
    Path::new(&target).exists() && (!is_checked || has_anchor(&target, anchor))
}

/// Whether a heading makes the anchor, or an `id` or `name` in HTML does.
fn has_anchor(page: &str, anchor: &str) -> bool {
    let text = read_outside_code(page);
    let mut slugs = Vec::new();
    for line in text.lines() {
        let is_heading = line.starts_with('#');
        // Underlined, HTML and linked headings are not read: accept any anchor.
        let is_underline = !line.is_empty() && line.trim_matches(['=', '-']).is_empty();
        if is_underline || line.contains("</h") || (is_heading && line.contains("](")) {
            return true;
        }
        if is_heading {
            let title = line.trim_matches(['#', ' ']).to_lowercase();
            let is_dropped = |c: char| !c.is_alphanumeric() && !"-_".contains(c);
            slugs.push(title.replace(' ', "-").replace(is_dropped, ""));
        }
    }
    // Hosts number repeated headings: `usage`, `usage-1`, `usage-2`.
    let (base, number) = anchor.rsplit_once('-').unwrap_or_default();
    let count = slugs.iter().filter(|slug| *slug == base).count();
    let is_repeated = (1..count).any(|repeat| number == repeat.to_string());
    is_repeated || slugs.contains(&anchor.into()) || text.contains(&format!("=\"{anchor}\""))
}

fn before<'a>(text: &'a str, mark: &str) -> &'a str {
    text.split(mark).next().unwrap_or_default()
}
