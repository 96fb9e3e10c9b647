//! The promises of this workspace that neither Cargo nor the compiler keeps.
//! Its argument is a file of what `cargo metadata --no-deps` prints.

use std::path::Path;
use std::{env, fs, process};

const RECORD: &str = "docs/open-questions.md";
const PAGES: [&str; 4] = ["README.md", "crates/README.md", "docs/why-empty.md", RECORD];

fn main() {
    let faults = crates_take_a_stand_on_shared_settings()
        + &PAGES.map(links_and_anchors_resolve).concat()
        + &questions_keep_their_form_and_quotes();
    eprint!("{faults}");
    process::exit(i32::from(!faults.is_empty()));
}

fn crates_take_a_stand_on_shared_settings() -> String {
    let mut faults = String::new();
    let metadata = read(env::args().nth(1).unwrap_or_default());
    let root = env::current_dir().unwrap_or_default().join("");
    let shared = settings(&read("Cargo.toml"));
    for rest in metadata.split("\"manifest_path\":\"").skip(1) {
        let manifest = before(rest, "\"").trim_start_matches(&*root.to_string_lossy());
        let own = settings(&read(manifest));
        let lacks = |start: &str| !own.contains(&format!("\n{start}"));
        for rest in shared.split("\nworkspace.package.").skip(1) {
            let key = before(rest, "=");
            // So `license-file` is a stand on `license`.
            if lacks(&format!("package.{key}")) {
                faults += &format!(
                    "{manifest}: lacks `{key}`: add `{key}.workspace = true` or its own\n"
                );
            }
        }
        if lacks("lints") && shared.contains("\nworkspace.lints.") {
            faults += &format!("{manifest}: lacks `[lints]`: add `workspace = true` or its own\n");
        }
        // The root has its own, and a submodule a file of this name.
        if manifest != "Cargo.toml" && Path::new(manifest).with_file_name(".git").is_dir() {
            faults += &format!("{manifest}: is a Git repository of its own: delete .git\n");
        }
    }
    faults
}

fn links_and_anchors_resolve(page: &str) -> String {
    let mut faults = String::new();
    let above_root = "../".repeat(page.split('/').count());
    let mut is_code = false;
    for (line, number) in read(page).lines().zip(1..) {
        is_code ^= line.trim_start().starts_with("```");
        // Every second part is in code marks, where nothing is a link.
        let text: String = line.split('`').step_by(2).collect();
        for rest in text.split("](").skip(1) {
            let link = before(rest, ")");
            let is_plain = !is_code && !link.contains([' ', ':', '?', '%', '<', '(']);
            let is_of_host = link.starts_with('/') || link.starts_with(&above_root);
            if is_plain && !is_of_host && !resolves(page, link) {
                faults +=
                    &format!("{page}:{number}: `{link}` leads to no file or heading: mend it\n");
            }
        }
    }
    faults
}

fn questions_keep_their_form_and_quotes() -> String {
    let mut faults = String::new();
    let manifest = settings(&read("Cargo.toml"));
    let (mut line, mut next) = (0, 1);
    for section in format!("\n{}", read(RECORD)).split("\n## ") {
        let name = before(before(section, "\n").trim(), ". ");
        let place = format!("{RECORD}:{line}: {name}");
        line += section.matches('\n').count() + 1;
        // `## Quality` and `## Q&A` are sections of their own.
        let is_own = |c: char| c.is_alphabetic() || c == '&';
        if !name.starts_with('Q') || name[1..].starts_with(is_own) {
            continue;
        }
        let mut report = |fault: &str| faults += &format!("{place}: {fault}\n");
        let number = name[1..].parse().ok();
        if number != Some(next) {
            report(&format!(
                "`## Q{next}. ` belongs here: questions stay on record, so restore or correct it"
            ));
        }
        next = number.unwrap_or(next) + 1;

        let field = |name: &str| {
            let start = format!("\n- **{name}:**");
            let (_, rest) = section.split_once(&start).unwrap_or_default();
            before(before(rest, "\n-"), "\n\n").trim()
        };
        let answer = field("Answer");
        let mut words = answer.split(|c: char| !c.is_ascii_digit() && c != '-');
        let is_dated = words.any(|word| word.split('-').map(str::len).eq([4, 2, 2]));
        match field("Status") {
            "open" if answer.is_empty() => {}
            "answered" if is_dated => {}
            _ => report(
                "needs *Status* `open` and no *Answer*, or `answered` and a dated one (YYYY-MM-DD)",
            ),
        }
        for name in ["Until then", "Lands in"] {
            if field(name).is_empty() {
                report(&format!("lacks `- **{name}:** …`: fill it in"));
            }
        }
        for quote in field("Until then").split('`').skip(1).step_by(2) {
            let is_held = manifest.contains(&format!(".{}", settings(quote).trim_start()));
            if field("Status") == "open" && quote.contains(" = ") && !is_held {
                report(&format!("Cargo.toml lacks `{quote}`: restore it or answer"));
            }
        }
    }
    faults
}

fn read(file: impl AsRef<Path>) -> String {
    fs::read_to_string(file).unwrap_or_default()
}

fn before<'a>(text: &'a str, mark: &str) -> &'a str {
    text.split(mark).next().unwrap_or_default()
}

/// A line `table.key=value` for each setting, without spaces and comments.
fn settings(manifest: &str) -> String {
    let mut table = String::new();
    let mut settings = String::new();
    for line in manifest.lines() {
        let line = before(line, "#").replace([' ', '\t'], "");
        if line.starts_with('[') {
            table = line.replace(['[', ']'], "") + ".";
        } else if line.contains('=') {
            settings += &format!("\n{table}{line}");
        }
    }
    settings
}

/// Whether the file is there, and a line of it reads as the anchor does or has it in quotes.
fn resolves(page: &str, link: &str) -> bool {
    let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
    let target = match path {
        "" => page.into(),
        _ => Path::new(page).with_file_name(path),
    };
    // What is no letter does not count at the ends, as hosts number a repeated heading.
    let slug = |text: &str| {
        let kept = |c: &char| c.is_alphanumeric() || " -_".contains(*c);
        let text: String = text.to_lowercase().chars().filter(kept).collect();
        let is_end = |c: char| !c.is_alphabetic();
        text.trim_matches(is_end).replace(' ', "-")
    };
    let is_named = |line| slug(line) == slug(anchor) || line.contains(&format!("\"{anchor}\""));
    let is_of_host = ["", "top"].contains(&anchor) || anchor.starts_with('L');
    target.exists() && (is_of_host || read(target).lines().any(is_named))
}
