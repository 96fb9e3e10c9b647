//! The rules of this workspace, as tests that `.ci/run` runs at the root.
//! Delete this file to drop them.

use std::path::Path;
use std::process::Command;
use std::{env, fs};

/// Once there is a crate, `.ci/run` skips these.
mod while_empty {
    use super::*;
    use std::time::UNIX_EPOCH;

    const ADD_CRATES: &str = "
        cargo new --vcs none --lib crates/my-library
        cargo new --vcs none crates/my-program
        sh .ci/run";

    #[test]
    fn a_new_crate_passes() {
        // Should the copy lose its Cargo.toml, `cargo new` would edit one in a folder above.
        let temporary = env::temp_dir().canonicalize().expect("TMPDIR");
        for folder in temporary.ancestors() {
            let manifest = folder.join("Cargo.toml");
            assert!(
                !manifest.exists(),
                "{manifest:?}: is above TMPDIR. Set TMPDIR elsewhere."
            );
        }

        let name = format!("new-crate-{}", UNIX_EPOCH.elapsed().unwrap().as_nanos());
        let copy = temporary.join(&name);
        // Programs may not be allowed to run in the temporary folder.
        let target = env::current_dir().unwrap().join("target").join(&name);
        // This fails if one exists: what is removed at the end was made here.
        fs::create_dir(&copy).expect("TMPDIR");
        fs::create_dir(&target).expect("target");
        for file in [
            ".cargo/config.toml",
            ".ci/run",
            "Cargo.toml",
            "crates/README.md",
            "rust-toolchain.toml",
        ] {
            let copied = copy.join(file);
            fs::create_dir_all(copied.parent().unwrap()).expect(file);
            if Path::new(file).exists() {
                fs::copy(file, copied).expect(file);
            }
        }

        let mut shell = Command::new("sh");
        shell.args(["-e", "-c", ADD_CRATES]).current_dir(&copy);
        let (succeeds, output) = run(shell.env("CARGO_TARGET_DIR", &target));
        // If the crates are not members, `.ci/run` passes with other words.
        let passes = succeeds && output.contains("All checks passed.");
        // Cargo only warns of an unused key or a missing resolver.
        let manifest = format!("{}/Cargo.toml: ", copy.display());
        let warns = output.contains(&manifest) || output.contains("`resolver");
        assert!(
            passes && !warns,
            "Cargo.toml: a new crate fails or warns. Change that file, or add a crate.\n{output}"
        );
        fs::remove_dir_all(&copy).expect("TMPDIR");
        fs::remove_dir_all(&target).expect("target");
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
                // What stands between backticks is no link.
                let text: String = line.split('`').step_by(2).collect();
                for rest in text.split("](").skip(1) {
                    let link = before(rest, ")");
                    if !link.starts_with("https:") && !resolves(page, link) {
                        faults.push(format!("{page}: `{link}` leads nowhere. Correct the link."));
                    }
                }
            }
        }
        report(faults);
    }

    fn resolves(page: &str, link: &str) -> bool {
        let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
        let mut file = Path::new(page).to_owned();
        if !path.is_empty() {
            file.set_file_name(path);
        }
        if anchor.is_empty() {
            return file.exists();
        }
        let text = read(file);
        let mut headings = text.lines().filter(|line| line.starts_with('#'));
        headings.any(|heading| anchor_of(heading) == anchor)
    }

    fn anchor_of(heading: &str) -> String {
        let title = heading.trim_start_matches(['#', ' ']).to_lowercase();
        let is_dropped = |c: char| !c.is_alphanumeric() && c != '-' && c != '_';
        title.replace(' ', "-").replace(is_dropped, "")
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
        // Cargo ignores `lints.workspace = true` below `[package]`, but not above it.
        let is_lints = |line: &str| line.starts_with("[lints]") || line.starts_with("[lints.");
        let has_lints = manifest.starts_with("lints.") || manifest.lines().any(is_lints);
        if workspace.contains("\n[workspace.lints") && !has_lints {
            missing.push("[lints]");
        }
        if !missing.is_empty() {
            let missing = missing.join(", ");
            faults.push(format!(
                "{file}: lacks {missing}. Add each, with `workspace = true` or its own value, or \
                 list the folder in `exclude` in the root Cargo.toml."
            ));
        }
    }
    report(faults);
}

#[test]
fn questions_are_complete() {
    let mut faults = Vec::new();
    let mut fault = |what: String| faults.push(format!("docs/open-questions.md: {what}"));
    let mut numbers = Vec::new();
    let mut is_answered = false;
    // Each section starts with the rest of its heading, such as ` Answered` or `# Q1. `.
    for section in read("docs/open-questions.md").split("\n##") {
        if section.starts_with(' ') {
            is_answered = section.starts_with(" Answered");
        }
        let title = section.strip_prefix("# Q").unwrap_or_default();
        let digits: String = title.chars().take_while(char::is_ascii_digit).collect();
        let Ok(number) = digits.parse() else {
            let is_template = section.starts_with("# QN");
            if has_field(section, "For now") && !is_template {
                let heading = before(section, "\n");
                fault(format!("Start `##{heading}` with `### Q` and a number."));
            }
            continue;
        };
        numbers.push(number);
        for name in ["For now", "Goes in"] {
            if !has_field(section, name) {
                fault(format!("Q{number} lacks `- **{name}:** …`. Add it."));
            }
        }
        if is_answered && !has_field(section, "Answer") {
            fault(format!("Q{number} lacks `- **Answer:** …`. Add it."));
        }
        if !is_answered && has_field(section, "Answer") {
            fault(format!("Q{number} is answered. Move it below *Answered*."));
        }
    }
    for number in 1..=numbers.len() {
        if !numbers.contains(&number) {
            fault(format!("Q{number} is missing. Restore it or renumber."));
        }
    }
    report(faults);
}

fn report(faults: Vec<String>) {
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// The text of a file. A page may be deleted.
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

/// The keys in a table of a manifest, without `.workspace`.
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
