//! The rules that neither Cargo nor the compiler checks, each as a test.
//! `.ci/run` runs them at the root of the workspace. Delete this file to drop them.

use std::path::Path;
use std::process::Command;
use std::{env, fs, io};

const QUESTIONS: &str = "docs/open-questions.md";
const PAGES: [&str; 4] = [
    "README.md",
    "crates/README.md",
    "docs/why-empty.md",
    QUESTIONS,
];

/// `.ci/run` skips this test once there is a crate.
#[test]
fn readme_commands_make_crates_that_pass() {
    let readme = read("README.md");
    let starting_with = |start| readme.lines().filter(move |line| line.starts_with(start));
    let mut commands: Vec<&str> = starting_with("cargo new ").collect();
    assert!(
        !commands.is_empty(),
        "README.md: no line makes a crate. Add a `cargo new …`."
    );
    commands.push(starting_with(".ci/").next().unwrap_or(".ci/run"));

    let clone = Path::new("target/tidy-clone");
    if clone.exists() {
        expect(fs::remove_dir_all(clone), "target/tidy-clone");
    }
    for file in ["Cargo.toml", "crates/README.md", ".ci/run"] {
        let copy = clone.join(file);
        let folder = fs::create_dir_all(copy.with_file_name(""));
        expect(folder.and_then(|()| fs::copy(file, copy)), file);
    }
    let mut shell = Command::new("sh");
    shell.args(["-ex", "-c", &commands.join("\n")]);
    shell.current_dir(clone).envs([
        ("CARGO_TARGET_DIR", "target"),
        // A clone is a Git repository, in which Cargo makes no other.
        ("CARGO_CARGO_NEW_VCS", "none"),
        // Every warning is printed, and starts its line.
        ("CARGO_TERM_QUIET", "false"),
        ("CARGO_TERM_COLOR", "never"),
    ]);
    let (succeeds, output) = run(&mut shell);
    let warns = output.lines().any(|line| line.starts_with("warning"));
    assert!(
        succeeds && !warns,
        "README.md, Cargo.toml: in a new clone, this fails or warns. Fix what it names:\n{output}"
    );
    assert!(
        read("Cargo.toml") == read("target/tidy-clone/Cargo.toml"),
        "Cargo.toml: `cargo new` changes it. Restore `members = [\"crates/*\"]`."
    );
}

#[test]
fn crates_have_all_shared_settings_and_lints() {
    let workspace = read("Cargo.toml");
    let mut faults = Vec::new();
    for folder in members() {
        let file = format!("{folder}Cargo.toml");
        let manifest = read(&file);
        let own_keys = keys(&manifest, "[package]");
        for key in keys(&workspace, "[workspace.package]") {
            // One of `license` and `license-file` is enough.
            let is_same =
                |own: &&str| own.trim_end_matches("-file") == key.trim_end_matches("-file");
            if !own_keys.iter().any(is_same) {
                faults.push(format!(
                    "{file}: lacks `{key}`. Add `{key}.workspace = true` or a value."
                ));
            }
        }
        if has_table(&workspace, "workspace.lints") && !has_table(&manifest, "lints") {
            faults.push(format!(
                "{file}: lacks `[lints]`. Add it with `workspace = true` or lints."
            ));
        }
    }
    report(faults);
}

#[test]
fn no_crate_is_a_git_repository_by_accident() {
    let mut faults = Vec::new();
    for folder in members() {
        // The root may be a repository, and so may what lies elsewhere.
        let is_inside = !folder.is_empty() && Path::new(&folder).is_relative();
        let is_link = Path::new(folder.trim_end_matches('/')).is_symlink();
        // In a submodule, `.git` is a file.
        let repository = format!("{folder}.git");
        if is_inside && !is_link && Path::new(&repository).is_dir() {
            faults.push(format!(
                "{repository}: `cargo new` makes it where it sees no repository above. \
                 Run `git init` at the root, and move {repository} out of the workspace."
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
            for link in plain_links(line)
                .iter()
                .filter(|link| !resolves(page, link))
            {
                faults.push(format!(
                    "{page}:{number}: `{link}` leads nowhere. Correct it."
                ));
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
        let mut fault = |fault: &str| faults.push(format!("{QUESTIONS}: Q{number}: {fault}"));

        // After a wrong number, either count may go on.
        if number == previous + 1 {
            expected = number;
        }
        let form = format!("## Q{expected}. ");
        if !text.starts_with(&form) {
            fault(&format!(
                "`{form}…` belongs here. Correct it, or restore what is gone."
            ));
        }
        previous = number;
        expected += 1;

        match (field(&text, "Status"), field(&text, "Answer")) {
            ("open", "") => {}
            ("answered", answer) if !answer.is_empty() => {}
            _ => fault("needs `- **Status:** open`, or `answered` and an `- **Answer:** …`."),
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
    let manifest: Vec<String> = read("Cargo.toml").lines().map(without_spaces).collect();
    let mut faults = Vec::new();
    for (number, text) in questions() {
        let is_open = field(&text, "Status") == "open";
        for quote in field(&text, "Until then").split('`').skip(1).step_by(2) {
            if is_open && is_setting(quote) && !manifest.contains(&without_spaces(quote)) {
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

fn expect<T>(result: io::Result<T>, name: &str) -> T {
    result.unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn read(file: &str) -> String {
    expect(fs::read_to_string(file), file)
}

/// Whether the command succeeds, and what it prints.
fn run(command: &mut Command) -> (bool, String) {
    let output = expect(command.output(), &format!("{command:?}"));
    let printed = [output.stdout, output.stderr].concat();
    (
        output.status.success(),
        String::from_utf8_lossy(&printed).into(),
    )
}

/// The folder of each workspace member, such as `crates/first/`.
fn members() -> Vec<String> {
    let mut cargo = Command::new("cargo");
    let (succeeds, metadata) = run(cargo.args(["metadata", "--no-deps", "--format-version=1"]));
    assert!(succeeds, "{metadata}");
    let root = format!("{}/", expect(env::current_dir(), ".").display());
    let manifests = metadata.split("\"manifest_path\":\"").skip(1);
    manifests
        .map(|rest| before(rest, "Cargo.toml\"").replace("\\\\", "\\"))
        .map(|folder| folder.strip_prefix(&root).unwrap_or(&folder).to_string())
        .collect()
}

/// The keys below a header, without `.workspace` at their end.
fn keys<'a>(manifest: &'a str, header: &str) -> Vec<&'a str> {
    let lines = manifest.lines().map(str::trim);
    let below = lines.skip_while(|line| !line.starts_with(header)).skip(1);
    below
        .take_while(|line| !line.starts_with('['))
        .filter_map(|line| line.split_once('='))
        .map(|(key, _)| key.trim().trim_end_matches(".workspace"))
        .collect()
}

/// Finds `[name]`, `[name.more]` and `name.more = …`.
fn has_table(manifest: &str, name: &str) -> bool {
    let mut lines = manifest.lines().map(|line| line.trim_start_matches('['));
    lines.any(|line| line.starts_with(name))
}

/// Knows `edition = "2024"`, but not `--jobs=2` or `a >= b`.
fn is_setting(quote: &str) -> bool {
    let (key, value) = quote.split_once('=').unwrap_or_default();
    let is_in_key = |c: char| c.is_alphanumeric() || "-_. ".contains(c);
    key.starts_with(char::is_alphabetic) && key.chars().all(is_in_key) && !value.starts_with('=')
}

fn without_spaces(setting: &str) -> String {
    before(setting, "#").replace([' ', '\t'], "")
}

/// The number and text of each section whose heading starts with `Q` and a number.
fn questions() -> Vec<(usize, String)> {
    let page = format!("\n{}", read_outside_code(QUESTIONS));
    let mut questions = Vec::new();
    for section in page.split("\n#").skip(1) {
        let title = section.trim_start_matches(['#', ' ']);
        let after_q = title.strip_prefix('Q').unwrap_or_default();
        let digits = after_q.split(|c: char| !c.is_ascii_digit()).next();
        if let Ok(number) = digits.unwrap_or_default().parse() {
            questions.push((number, format!("#{section}")));
        }
    }
    questions
}

/// What stands behind `- **name:**`.
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
    let mut fence = "";
    for line in read(page).lines() {
        let after = line.trim_start().trim_start_matches(['`', '~']);
        let marker = line.trim_start().strip_suffix(after).unwrap_or_default();
        if fence.is_empty() && marker.len() >= 3 {
            fence = marker;
        } else if fence.is_empty() {
            text += line;
        } else if marker == fence {
            fence = "";
        }
        text += "\n";
    }
    text
}

/// The inline links that are a path, an anchor or both, and nothing else.
fn plain_links(line: &str) -> Vec<String> {
    // Indented this far, a line can be code.
    if line.starts_with("    ") || line.starts_with('\t') {
        return Vec::new();
    }
    let is_plain = |c: char| c.is_alphanumeric() || "-_./#".contains(c);
    // Every second part is between backticks.
    let text: String = line.split('`').step_by(2).collect();
    text.split("](")
        .skip(1)
        .filter_map(|rest| rest.split_once(')'))
        .map(|(link, _)| link.to_string())
        .filter(|link| !link.is_empty() && link.chars().all(is_plain))
        .collect()
}

fn resolves(page: &str, link: &str) -> bool {
    let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
    // Above the root, a host has pages of its own, such as issues.
    let above_root = "../".repeat(page.split('/').count());
    if path.starts_with('/') || path.starts_with(&above_root) {
        return true;
    }
    let target = match path {
        "" => page.to_string(),
        _ => Path::new(page).with_file_name(path).display().to_string(),
    };
    let has_anchors = target.ends_with(".md") && !anchor.is_empty();
    Path::new(&target).exists() && (!has_anchors || has_anchor(&target, anchor))
}

/// Whether a heading makes the anchor, or an `id` or `name` in HTML does.
fn has_anchor(page: &str, anchor: &str) -> bool {
    let text = read_outside_code(page);
    let is_in_html = text.contains(&format!("=\"{anchor}\""));
    let is_line_number = anchor.chars().all(|c| c.is_numeric() || "L-".contains(c));
    let mut slugs = Vec::new();
    for line in text.lines() {
        let is_heading = line.starts_with('#');
        // Headings that are underlined, in HTML or with a link are not read.
        let is_underline = line.len() > 1 && line.trim_matches(['=', '-']).is_empty();
        if is_underline || line.starts_with("<h") || is_heading && line.contains("](") {
            return true;
        }
        if is_heading {
            let title = line
                .trim_matches(['#', ' '])
                .to_lowercase()
                .replace(' ', "-");
            slugs.push(title.replace(|c: char| !c.is_alphanumeric() && !"-_".contains(c), ""));
        }
    }
    // The third heading `Usage` has the anchor `usage-2`.
    let (base, number) = anchor.rsplit_once('-').unwrap_or_default();
    let count = slugs.iter().filter(|slug| *slug == base).count();
    let is_repeated = number
        .parse()
        .is_ok_and(|number| (1..count).contains(&number));
    is_in_html || is_line_number || is_repeated || slugs.contains(&anchor.to_lowercase())
}

fn before<'a>(text: &'a str, mark: &str) -> &'a str {
    text.split(mark).next().unwrap_or_default()
}
