//! The promises of this workspace that neither Cargo nor the compiler keeps.
//! `.ci/run` starts it at the root and gives it what `cargo metadata --no-deps` prints.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs, io};

const RECORD: &str = "docs/open-questions.md";
const PAGES: [&str; 4] = ["README.md", "crates/README.md", "docs/why-empty.md", RECORD];

fn main() -> ExitCode {
    let metadata = io::read_to_string(io::stdin()).expect("the output of `cargo metadata`");
    let problems = [
        every_crate_takes_a_stand_on_every_shared_setting(&metadata),
        every_relative_link_and_anchor_resolves(),
        the_open_questions_keep_their_form(),
        the_manifest_has_what_open_questions_quote(),
    ]
    .concat();
    for problem in &problems {
        eprintln!("{problem}");
    }
    ExitCode::from(u8::from(!problems.is_empty()))
}

fn every_crate_takes_a_stand_on_every_shared_setting(metadata: &str) -> Vec<String> {
    let root = env::current_dir().unwrap_or_default();
    let shared = settings(&read("Cargo.toml"));
    let mut problems = Vec::new();
    for rest in metadata.split("\"manifest_path\":\"").skip(1) {
        let path = rest.split('"').next().unwrap_or_default();
        let manifest = PathBuf::from(path.replace("\\\\", "\\"));
        let shown = manifest.strip_prefix(&root).unwrap_or(&manifest).display();
        let own = settings(&read(&manifest));
        let lacks = |start: &str| !own.lines().any(|setting| setting.starts_with(start));
        let keys = shared.split("workspace.package.").skip(1);
        for key in keys.filter_map(|rest| rest.split('=').next()) {
            // The start of a name is enough: `license-file` is a stand on `license`.
            if lacks(&format!("package.{key}")) {
                problems.push(format!(
                    "{shown}: leaves out `{key}`, which the workspace shares: add \
                     `{key}.workspace = true` under [package], or a value of its own"
                ));
            }
        }
        if shared.contains("workspace.lints.") && lacks("lints.") {
            problems.push(format!(
                "{shown}: escapes the shared lints: add `[lints]` and below it \
                 `workspace = true`, or levels of its own"
            ));
        }
        // The root's own is where it belongs, and a submodule has a file of this name.
        let git = manifest.with_file_name(".git");
        if git.is_dir() && git != root.join(".git") {
            problems.push(format!(
                "{shown}: is in a Git repository of its own: delete the .git beside it, and \
                 run `git init` at the root if that has none"
            ));
        }
    }
    problems
}

fn every_relative_link_and_anchor_resolves() -> Vec<String> {
    let mut problems = Vec::new();
    for page in PAGES {
        let above_the_root = "../".repeat(page.matches('/').count() + 1);
        for (number, line) in prose(page) {
            // Every second part is in code marks, where nothing is a link.
            let text: String = line.split('`').step_by(2).collect();
            let links = text.split("](").skip(1);
            for link in links.filter_map(|rest| rest.split(')').next()) {
                let is_plain = !link.contains([':', '?', '%', '<', '(', '{', ' ']);
                let is_of_host = link.starts_with('/') || link.starts_with(&above_the_root);
                if !is_plain || is_of_host {
                    continue;
                }
                let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
                let target = match path {
                    "" => page.into(),
                    _ => Path::new(page).with_file_name(path),
                };
                let problem = if !target.exists() {
                    "leads to no file: correct or remove it, or restore the file"
                } else if !has_anchor(&target, anchor) {
                    "names no heading of its page: correct what follows the `#`"
                } else {
                    continue;
                };
                problems.push(format!("{page}:{number}: the link `{link}` {problem}"));
            }
        }
    }
    problems
}

fn the_open_questions_keep_their_form() -> Vec<String> {
    let mut problems = Vec::new();
    let mut last = 0;
    for (place, lines) in questions() {
        let mut report = |problem: &str| problems.push(format!("{place}: {problem}"));
        let start = format!("## Q{}. ", last + 1);
        let title = lines[0].strip_prefix(&start).unwrap_or_default();
        if title.trim().is_empty() {
            report(&format!(
                "`{start}` and a title belong here: correct the heading; questions stay on \
                 record, so restore one that was taken away"
            ));
        }
        let mut numbers = lines[0]["## Q".len()..].split(|c: char| !c.is_ascii_digit());
        let number = numbers.next().and_then(|number| number.parse().ok());
        last = number.unwrap_or(last + 1);

        let answer = field(&lines, "Answer");
        match field(&lines, "Status").as_str() {
            "open" if answer.is_empty() => {}
            "open" => report("it is open but has an answer: remove that, or set `answered`"),
            "answered" if has_date(&answer) => {}
            "answered" => report(
                "it has no dated answer: add a line `- **Answer:** …` with what was decided, \
                 when (YYYY-MM-DD) and by whom",
            ),
            _ => report("its status is not `open` or `answered`: add or correct `- **Status:** …`"),
        }
        for name in ["Until then", "Lands in"] {
            if field(&lines, name).is_empty() {
                report(&format!(
                    "`- **{name}:** …` is missing or empty: fill it in"
                ));
            }
        }
    }
    problems
}

fn the_manifest_has_what_open_questions_quote() -> Vec<String> {
    let manifest = settings(&read("Cargo.toml"));
    let mut problems = Vec::new();
    for (place, lines) in questions() {
        let until_then = field(&lines, "Until then");
        for code in until_then.split('`').skip(1).step_by(2) {
            let is_claim = code.contains(" = ") && field(&lines, "Status") == "open";
            if is_claim && !manifest.contains(&format!(".{}", settings(code))) {
                problems.push(format!(
                    "{place}: Cargo.toml lacks `{code}`, which holds while this is open: \
                     restore it there, correct *Until then*, or answer the question"
                ));
            }
        }
    }
    problems
}

/// The text of a file, empty if there is none.
fn read(file: impl AsRef<Path>) -> String {
    String::from_utf8_lossy(&fs::read(file).unwrap_or_default()).into()
}

/// The settings of a manifest, a line each: `table.key=value` without spaces and comments.
fn settings(manifest: &str) -> String {
    let mut table = String::new();
    let mut settings = String::new();
    for line in manifest.lines() {
        let line = line.split('#').next().unwrap_or_default();
        let line = line.replace([' ', '\t', '}'], "").replace("={", ".");
        if line.starts_with('[') {
            table = line.replace('[', "").replace(']', ".");
        } else if line.contains('=') {
            settings += &format!("{table}{line}\n");
        }
    }
    settings
}

/// The numbered lines of a page that are in no code block.
fn prose(page: impl AsRef<Path>) -> Vec<(usize, String)> {
    let mut lines = Vec::new();
    let mut is_code = false;
    for (line, number) in read(page).lines().zip(1..) {
        let fence = line.trim_start().strip_prefix("```");
        if fence.is_some_and(|language| !language.contains("```")) {
            is_code = !is_code;
        } else if !is_code {
            lines.push((number, line.to_owned()));
        }
    }
    lines
}

/// Whether a line of the page reads as the anchor does, or sets it by hand. Any line: those
/// that are underlined are headings too.
fn has_anchor(page: &Path, anchor: &str) -> bool {
    let is_page = page.extension().is_some_and(|extension| extension == "md");
    let by_hand = [format!("=\"{anchor}\""), format!("{{#{anchor}}}")];
    // Hosts number a repeated heading, and keep the invisible part of some emoji.
    let anchor = anchor.replace(|c: char| !c.is_ascii() && !c.is_alphanumeric(), "");
    let unnumbered = anchor.trim_end_matches(|c: char| c.is_ascii_digit());
    !is_page
        || ["", "top"].contains(&anchor.as_str())
        || prose(page).iter().any(|(_, line)| {
            let title = line.trim_matches('#').trim().to_lowercase();
            let dropped = |c: char| !c.is_alphanumeric() && c != '-' && c != '_';
            let name = title.replace(' ', "-").replace(dropped, "");
            name == anchor
                || format!("{name}-") == unnumbered
                || by_hand.iter().any(|mark| line.contains(mark))
        })
}

/// The questions: where each stands, and its lines up to the next section.
fn questions() -> Vec<(String, Vec<String>)> {
    let mut sections: Vec<(String, Vec<String>)> = Vec::new();
    for (number, line) in prose(RECORD) {
        if line.starts_with("# ") || line.starts_with("## ") {
            let name = line.trim_matches('#').split('.').next().unwrap_or_default();
            sections.push((format!("{RECORD}:{number}:{name}"), Vec::new()));
        }
        if let Some((_, lines)) = sections.last_mut() {
            lines.push(line);
        }
    }
    // `## Quality` and `## Q&A` are sections of their own.
    let is_own = |c: char| c.is_alphabetic() || c == '&';
    sections.retain(|(_, lines)| {
        let after = lines[0].strip_prefix("## Q");
        after.is_some_and(|after| !after.starts_with(is_own))
    });
    sections
}

/// What a field says, the indented lines that it goes on in included; empty if there is none.
fn field(question: &[String], name: &str) -> String {
    let start = format!("- **{name}:**");
    let mut lines = question.iter().skip_while(|line| !line.starts_with(&start));
    let first = lines.next().map_or("", |line| &line[start.len()..]);
    let more = lines.take_while(|line| line.starts_with(char::is_whitespace));
    let text = more.fold(first.to_owned(), |text, line| text + line);
    text.trim().to_owned()
}

fn has_date(text: &str) -> bool {
    let mut words = text.split(|c: char| !c.is_ascii_digit() && c != '-');
    words.any(|word| word.split('-').map(str::len).eq([4, 2, 2]))
}
