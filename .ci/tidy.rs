//! The rules of this workspace, as tests. `.ci/run` runs them at the root, with the
//! output of `cargo metadata` as their input. Delete this file to drop them.

use std::path::Path;
use std::{fs, io};

#[test]
fn crates_have_the_shared_settings_and_lints() {
    let mut faults = Vec::new();
    let workspace = read("Cargo.toml");
    let shared_keys = keys(&workspace, "[workspace.package]");
    let has_shared_lints = has_line(&workspace, "[workspace.lints");
    let metadata = io::read_to_string(io::stdin()).expect("the output of cargo metadata");
    for rest in metadata.split("\"manifest_path\":\"").skip(1) {
        // JSON has a backslash before a quote and before a backslash.
        let path = before(rest, "\",\"").replace("\\\"", "\"");
        let path = path.replace("\\\\", "\\");
        let manifest = read(&path);
        let own_keys = keys(&manifest, "[package]");
        for key in &shared_keys {
            // `license-file` can stand in for `license`.
            let is_set =
                |own: &&str| own.trim_end_matches("-file") == key.trim_end_matches("-file");
            if !own_keys.iter().any(is_set) {
                faults.push(format!(
                    "{path}: lacks `{key}`. Below `[package]`, write `{key}.workspace = true` or a value of its own."
                ));
            }
        }
        // `lints.workspace = true` works above the first table, which may be on the first line.
        let has_lints = has_line(&manifest, "[lints")
            || has_line(before(&format!("\n{manifest}"), "\n["), "lints");
        if has_shared_lints && !has_lints {
            faults.push(format!(
                "{path}: lacks the lints. Write a line `[lints]` and, below it, `workspace = true`."
            ));
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn questions_are_complete() {
    let path = "docs/open-questions.md";
    if !Path::new(path).exists() {
        return;
    }
    let mut faults = Vec::new();
    let mut fault = |subject: &str, what: &str| {
        faults.push(format!("{path}: `{subject}` {what}"));
    };
    let mut numbers = Vec::new();
    // Leave out the template's heading. If there is another, it is a copy that nobody filled in.
    let page = read(path).replacen("\n### QN. What is the question?", "", 1);
    for section in page.split("\n## ") {
        let is_answered = section.starts_with("Answered");
        for question in section.split("\n### ").skip(1) {
            let title = before(question, "\n").trim_end();
            match number(title) {
                Some(number) if numbers.contains(&number) => fault(
                    title,
                    "has the number of another. Delete one if it is a copy, or renumber the newer one.",
                ),
                Some(number) => numbers.push(number),
                None => fault(title, "needs the next free number, as in `### Q21. `."),
            }
            for name in ["For now", "Goes in"] {
                if !has_field(question, name) {
                    fault(title, &format!("lacks text after `- **{name}:**`."));
                }
            }
            match (is_answered, has_field(question, "Answer")) {
                (false, true) => fault(title, "has an answer. Move it below *Answered*."),
                (true, false) => fault(title, "has no `- **Answer:** …`. Move it up, or add one."),
                _ => {}
            }
        }
    }
    for line in page.lines().filter(|line| line.starts_with('#')) {
        let title = line.trim_start_matches('#').trim();
        if number(title).is_some() && !line.starts_with("### ") {
            fault(line, "has the wrong level. Begin it with `### `.");
        }
    }
    for number in 1..=numbers.len() {
        if !page.contains(&format!("# Q{number}. ")) {
            fault(
                &format!("Q{number}"),
                "is missing. Restore it: if it no longer matters, that is its answer. A new question takes the next free number.",
            );
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn before<'a>(text: &'a str, mark: &str) -> &'a str {
    text.split(mark).next().unwrap_or_default()
}

fn has_line(text: &str, start: &str) -> bool {
    text.lines().any(|line| line.starts_with(start))
}

/// The keys in a table of a manifest.
fn keys<'a>(manifest: &'a str, table: &str) -> Vec<&'a str> {
    let mut keys = Vec::new();
    let lines = manifest.lines().skip_while(|line| !line.starts_with(table));
    for line in lines.skip(1).take_while(|line| !line.starts_with('[')) {
        let key = before(line, "=").trim().trim_end_matches(".workspace");
        // Leave out comments, and the further lines of a long value.
        if line.contains('=') && key.chars().all(|c| c.is_ascii_lowercase() || c == '-') {
            keys.push(key);
        }
    }
    keys
}

/// The number in a title such as `Q17. Which licence?`.
fn number(title: &str) -> Option<usize> {
    let (number, _) = title.strip_prefix('Q')?.split_once(". ")?;
    number.parse().ok()
}

/// Whether a line has text after `- **name:**`.
fn has_field(question: &str, name: &str) -> bool {
    let start = format!("- **{name}:**");
    let mut fields = question
        .lines()
        .filter_map(|line| line.strip_prefix(&start));
    fields.any(|text| !text.trim().is_empty())
}
