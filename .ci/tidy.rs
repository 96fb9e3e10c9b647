//! The rules of this workspace, as tests that `.ci/run` runs at the root.
//! Delete this file to drop them.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// Rules until there is a crate.
mod while_empty {
    use super::*;
    use std::time::UNIX_EPOCH;

    const ADD_CRATES: &str = "
        cargo new --vcs none --lib crates/my-library
        cargo new --vcs none crates/my-program
        sh .ci/run";

    #[test]
    fn a_new_crate_passes() {
        let temporary = env::temp_dir().canonicalize().expect("TMPDIR");
        // Anybody can leave settings for Cargo in /tmp.
        for name in [".cargo", "rust-toolchain", "rust-toolchain.toml"] {
            refuse(temporary.join(name));
        }
        // If the copy lost its Cargo.toml, `cargo new` would edit the next one above.
        for folder in temporary.ancestors() {
            refuse(folder.join("Cargo.toml"));
        }

        let name = format!("new-crate-{}", UNIX_EPOCH.elapsed().unwrap().as_nanos());
        let copy = temporary.join(&name);
        // Some systems run no programs in the temporary folder.
        let target = env::current_dir().unwrap().join("target").join(&name);
        // These fail if the folder exists, so only our own are removed.
        fs::create_dir(&copy).expect("TMPDIR");
        fs::create_dir(&target).expect("target");
        for file in [
            ".cargo/config.toml",
            ".ci/run",
            "Cargo.toml",
            "crates/README.md",
            "rust-toolchain.toml",
        ] {
            let destination = copy.join(file);
            fs::create_dir_all(destination.parent().unwrap()).expect(file);
            if Path::new(file).exists() {
                fs::copy(file, destination).expect(file);
            }
        }
        let mut shell = Command::new("sh");
        shell.args(["-e", "-c", ADD_CRATES]).current_dir(&copy);
        let (succeeds, output) = run(shell.env("CARGO_TARGET_DIR", &target));
        fs::remove_dir_all(&copy).expect("TMPDIR");
        fs::remove_dir_all(&target).expect("target");

        // If the crates are not members, `.ci/run` says that the workspace is empty.
        let passes = succeeds && output.contains("All checks passed.");
        // Cargo only warns of these mistakes. Other warnings may come from a user's settings.
        let warnings = ["unused manifest key", "unknown lint", "`resolver"];
        assert!(
            passes && !warnings.iter().any(|warning| output.contains(warning)),
            "Cargo.toml: a new crate fails or warns. Correct it, or add a crate of your own.\n{output}"
        );
    }

    #[test]
    fn links_in_the_pages_resolve() {
        let mut faults = Vec::new();
        for page in [
            "README.md",
            "crates/README.md",
            "docs/open-questions.md",
            "docs/why-empty.md",
        ] {
            for line in read(page).lines() {
                // Leave out what is between backticks.
                let text: String = line.split('`').step_by(2).collect();
                for rest in text.split("](").skip(1) {
                    let link = before(rest, ")");
                    // A web address has a colon.
                    if !link.contains(':') && !resolves(page, link) {
                        faults.push(format!("{page}: `{link}` leads nowhere. Correct it."));
                    }
                }
            }
        }
        report(faults);
    }
}

#[test]
fn crates_have_the_shared_settings_and_lints() {
    let mut faults = Vec::new();
    let workspace = read("Cargo.toml");
    let mut cargo = Command::new("cargo");
    let (succeeds, metadata) = run(cargo.args(["metadata", "--no-deps", "--format-version=1"]));
    assert!(succeeds, "{metadata}");
    for rest in metadata.split("\"manifest_path\":\"").skip(1) {
        // JSON has a backslash before a quote or a backslash.
        let file = before(rest, "\",\"")
            .replace("\\\"", "\"")
            .replace("\\\\", "\\");
        let manifest = read(&file);
        let own_keys = keys(&manifest, "[package]");
        let mut missing = keys(&workspace, "[workspace.package]");
        missing.retain(|key| !own_keys.contains(key));
        // Cargo ignores `lints.workspace = true` below `[package]`, but not as the first line.
        let is_table = |line: &str| line.starts_with("[lints]") || line.starts_with("[lints.");
        let has_lints = manifest.starts_with("lints.") || manifest.lines().any(is_table);
        if workspace.contains("\n[workspace.lints") && !has_lints {
            missing.push("[lints]");
        }
        if !missing.is_empty() {
            let missing = missing.join(", ");
            faults.push(format!(
                "{file}: lacks {missing}. Add each as `cargo new` does (`edition.workspace = true`), \
                 or leave the crate out with `members` or `exclude`."
            ));
        }
    }
    report(faults);
}

#[test]
fn questions_are_complete() {
    let mut faults = Vec::new();
    let mut fault = |what: String| faults.push(format!("docs/open-questions.md: {what}"));
    let page = read("docs/open-questions.md");
    let mut numbers: Vec<usize> = Vec::new();
    for group in page.split("\n## ") {
        let is_answered = group.starts_with("Answered");
        for question in group.split("\n### Q").skip(1) {
            let digits: String = question.chars().take_while(char::is_ascii_digit).collect();
            // The template, `### QN`, has no number.
            let Ok(number) = digits.parse() else { continue };
            numbers.push(number);
            for name in ["For now", "Goes in"] {
                if !has_field(question, name) {
                    fault(format!("Q{number} lacks `- **{name}:** …`. Add it."));
                }
            }
            if has_field(question, "Answer") != is_answered {
                fault(format!(
                    "Q{number} needs both or neither: an `Answer`, a place below *Answered*."
                ));
            }
        }
    }
    // Each question has this field, whatever its heading. So has the template: hence `1..count`.
    let count = page.matches("\n- **For now:**").count();
    for number in 1..count {
        if !numbers.contains(&number) {
            fault(format!(
                "No heading starts with `### Q{number}.`: number each once, from 1."
            ));
        }
    }
    report(faults);
}

fn refuse(file: PathBuf) {
    assert!(
        !file.exists(),
        "{file:?} affects TMPDIR. Set TMPDIR elsewhere."
    );
}

fn report(faults: Vec<String>) {
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// The text of a file. Users may delete a page.
fn read(file: impl AsRef<Path>) -> String {
    let file = file.as_ref();
    if !file.exists() {
        return String::new();
    }
    fs::read_to_string(file).unwrap_or_else(|error| panic!("{file:?}: {error}"))
}

/// Whether the command succeeds, and what it prints.
fn run(command: &mut Command) -> (bool, String) {
    let output = command.output().expect("sh or cargo");
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    (output.status.success(), text)
}

/// Whether the link leads to a file and, if it names one, a heading.
fn resolves(page: &str, link: &str) -> bool {
    let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
    let file = match path {
        "" => PathBuf::from(page),
        _ => Path::new(page).with_file_name(path),
    };
    let is_target = |line: &str| line.starts_with('#') && anchor_of(line) == anchor;
    file.exists() && (anchor.is_empty() || read(&file).lines().any(is_target))
}

fn anchor_of(heading: &str) -> String {
    let title = heading.trim_start_matches(['#', ' ']).to_lowercase();
    let is_dropped = |c: char| !c.is_alphanumeric() && c != '-' && c != '_';
    title.replace(' ', "-").replace(is_dropped, "")
}

/// The keys in a table of a manifest.
fn keys<'a>(manifest: &'a str, table: &str) -> Vec<&'a str> {
    let mut keys = Vec::new();
    let lines = manifest.lines().skip_while(|line| !line.starts_with(table));
    for line in lines.skip(1).take_while(|line| !line.starts_with('[')) {
        let key = before(line, "=").trim().trim_end_matches(".workspace");
        // Neither a comment nor a line of a longer value.
        if line.contains('=') && key.chars().all(|c| c.is_ascii_lowercase() || c == '-') {
            // `license-file` can stand in for `license`.
            keys.push(key.trim_end_matches("-file"));
        }
    }
    keys
}

/// Whether there is text after `- **name:**`.
fn has_field(question: &str, name: &str) -> bool {
    let start = format!("\n- **{name}:**");
    let (_, rest) = question.split_once(&start).unwrap_or_default();
    !before(before(rest, "\n- "), "\n\n").trim().is_empty()
}

fn before<'a>(text: &'a str, mark: &str) -> &'a str {
    text.split(mark).next().unwrap_or_default()
}
