//! docs/patterns.md and the `Pattern:` lines of src/ say the same: each pattern of the page has exactly those files, each line
//! names patterns of the page, and it is the last of its module doc.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

const TOP: &str = env!("CARGO_MANIFEST_DIR");

/// The ones to know a server by.
const TEN: [&str; 10] = [
    "Reactor",
    "Acceptor",
    "Strategy",
    "State",
    "Decorator",
    "Composite",
    "Adapter",
    "Facade",
    "Builder",
    "Factory Method",
];

/// By pattern, the files that play it.
type Places = BTreeMap<String, BTreeSet<String>>;

#[test]
fn the_page_and_the_source_name_the_same_files() {
    let page = fs::read_to_string(Path::new(TOP).join("docs/patterns.md")).unwrap();
    let complaints = complaints(&page, &source());
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn what_is_wrong_is_found() {
    let sections = |text: &str| TEN.map(|name| format!("## {name}\n**Without it** …\n{text}")).join("\n");
    let row = "| `src/a.rs` | it |\n";
    let line = format!("//! One.\n//!\n//! Pattern: {}.\n", TEN.join(", "));
    let file = |text: &str| vec![("src/a.rs".to_owned(), text.to_owned())];
    let says = |page: &str, text: &str| complaints(page, &file(text)).join("\n");

    assert_eq!(says(&sections(row), &line), "");
    let with_notes = line.replace("State,", "State ([`A`], which is\n//! not long), ");
    assert_eq!(says(&sections(row), &with_notes), "", "a note says what it likes, over several lines");
    for (page, text, complaint) in [
        (sections(row).replace("## Facade", "## Front"), line.clone(), "the page lacks Facade"),
        (sections(row).replace("**Without it**", ""), line.clone(), "Reactor: what would be worse without it?"),
        (
            sections(row),
            line.replace("State, ", ""),
            "State: src/a.rs is on the page, and its module doc does not say so",
        ),
        (sections(""), line.clone(), "State: src/a.rs says so, and is not on the page"),
        (sections(row), line.replace("Facade", "Front"), "src/a.rs: the page has no pattern Front"),
        (sections(row), line.replace("Facade", "Facade of all"), "src/a.rs: the page has no pattern Facade of all"),
        (
            sections(row),
            line.clone() + "//! More.\n",
            "src/a.rs: the line `Pattern:` is not the last of the module doc",
        ),
        (sections(row), line.replace(".\n//!\n//! P", ".\n//! P"), "src/a.rs: an empty line stands before `Pattern:`"),
        (
            sections(row),
            line.clone() + "fn a() {} //! Pattern: State.\n",
            "src/a.rs: `Pattern:` stands in a module doc",
        ),
        (sections("| `src/b.rs` | it |"), line.clone(), "there is no src/b.rs"),
        (sections("| `src/a.rs` | `A::went` |"), line.clone(), "src/a.rs: there is no went"),
        (sections(row) + "\n## State\n", line.clone(), "the page has State twice"),
    ] {
        let said = says(&page, &text);
        assert!(said.lines().any(|said| said == complaint), "no complaint {complaint:?}, but\n{said}");
    }
}

/// What the page and the files disagree in; empty is good.
fn complaints(page: &str, source: &[(String, String)]) -> Vec<String> {
    let mut complaints = Vec::new();
    let on_page = places_on_page(page, &mut complaints);
    let mut in_source = Places::new();
    for (file, text) in source {
        match patterns_of(text) {
            Ok(names) => names.into_iter().for_each(|name| in_source.entry(name).or_default().extend([file.clone()])),
            Err(why) => complaints.push(format!("{file}: {why}")),
        }
    }
    complaints.extend(names_that_are_gone(page, source));
    for (name, files) in &in_source {
        match on_page.get(name) {
            None => complaints.extend(files.iter().map(|file| format!("{file}: the page has no pattern {name}"))),
            Some(listed) => complaints
                .extend(files.difference(listed).map(|file| format!("{name}: {file} says so, and is not on the page"))),
        }
    }
    for (name, listed) in &on_page {
        let files = in_source.get(name).cloned().unwrap_or_default();
        let missing = listed.difference(&files);
        complaints
            .extend(missing.map(|file| format!("{name}: {file} is on the page, and its module doc does not say so")));
    }
    complaints
}

/// The sections of the page, each with the files of its table.
fn places_on_page(page: &str, complaints: &mut Vec<String>) -> Places {
    let mut places = Places::new();
    for section in
        page.split("\n## ").map(|section| section.trim_start_matches("## ")).filter(|text| !text.starts_with("# "))
    {
        let (name, text) = section.split_once('\n').unwrap_or((section, ""));
        let files = text.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
        if places.insert(name.to_owned(), files.map(str::to_owned).collect()).is_some() {
            complaints.push(format!("the page has {name} twice"));
        }
        if TEN.contains(&name) && !text.contains("**Without it**") {
            complaints.push(format!("{name}: what would be worse without it?"));
        }
    }
    let missing = TEN.iter().filter(|name| !places.contains_key(**name));
    complaints.extend(missing.map(|name| format!("the page lacks {name}")));
    places
}

/// What the tables say plays a pattern has to be in that file: `Type::function` by both its words.
fn names_that_are_gone(page: &str, source: &[(String, String)]) -> Vec<String> {
    let mut gone = Vec::new();
    for row in page.lines().filter_map(|line| line.strip_prefix("| `")) {
        let (file, what) = row.split_once("` | ").unwrap_or((row, ""));
        let Some((_, text)) = source.iter().find(|(path, _)| path == file) else {
            gone.push(format!("there is no {file}"));
            continue;
        };
        let names = what.split('`').skip(1).step_by(2);
        for word in names.flat_map(|name| name.split(|letter: char| !letter.is_alphanumeric() && letter != '_')) {
            if !text.contains(word) {
                gone.push(format!("{file}: there is no {word}"));
            }
        }
    }
    gone
}

/// What the last line of a module doc names; without such a line, nothing.
fn patterns_of(text: &str) -> Result<Vec<String>, &'static str> {
    let doc: Vec<_> = text.lines().map_while(|line| line.strip_prefix("//!")).map(str::trim).collect();
    let Some(begin) = doc.iter().position(|line| line.starts_with("Pattern:")) else {
        let is_elsewhere = text.contains("! Pattern:");
        return if is_elsewhere { Err("`Pattern:` stands in a module doc") } else { Ok(Vec::new()) };
    };
    if text.matches("! Pattern:").count() > 1 {
        return Err("`Pattern:` stands in a module doc");
    }
    if begin > 0 && !doc[begin - 1].is_empty() {
        return Err("an empty line stands before `Pattern:`");
    }
    let line = doc[begin..].join(" ");
    let without_notes = without_notes(line.trim_start_matches("Pattern:"));
    let Some(names) = without_notes.trim().strip_suffix('.').filter(|names| !names.contains('.')) else {
        return Err("the line `Pattern:` is not the last of the module doc");
    };
    Ok(names.split(',').map(|name| name.trim().to_owned()).collect())
}

/// Leaves out what stands in parentheses, with those in them.
fn without_notes(text: &str) -> String {
    let mut depth = 0_usize;
    let mut kept = String::new();
    for character in text.chars() {
        match character {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ if depth == 0 => kept.push(character),
            _ => {}
        }
    }
    kept
}

/// The files of src/ by their path from the top.
fn source() -> Vec<(String, String)> {
    let mut files = Vec::new();
    let mut folders = vec![Path::new(TOP).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(TOP).unwrap().display().to_string().replace('\\', "/");
                files.push((name, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    files
}
