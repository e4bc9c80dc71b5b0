//! What README.md says of the source stays true, and README.zh-CN.md says the same in Chinese.

use std::fs;
use std::path::{Path, PathBuf};

const TOP: &str = env!("CARGO_MANIFEST_DIR");

#[test]
fn the_map_of_the_source_names_every_file_and_no_other() {
    let mut named = Vec::new();
    let mut folders: Vec<(usize, String)> = Vec::new();
    for line in part("## The map of src/", "```text", "```").lines().filter(|line| line.contains('─')) {
        let depth = line.chars().take_while(|character| "│├└─ ".contains(*character)).count();
        let name = line[line.find("─ ").unwrap() + "─ ".len()..].split_whitespace().next().unwrap();
        folders.retain(|(of, _)| *of < depth);
        let path = folders.iter().map(|(_, name)| &**name).chain([name]).collect::<String>();
        if name.ends_with('/') { folders.push((depth, name.to_owned())) } else { named.push(path) }
    }
    named.sort();
    let mut there = Vec::new();
    collect(&Path::new(TOP).join("src"), &mut there);
    let mut there: Vec<_> =
        there.iter().map(|path| path.strip_prefix(Path::new(TOP).join("src")).unwrap().display().to_string()).collect();
    there.retain(|path| !path.ends_with("/tests.rs"));
    there.sort();
    assert_eq!(named, there);
}

#[test]
fn the_class_is_quoted_as_it_is() {
    let class = fs::read_to_string(Path::new(TOP).join("src/server/mod.rs")).unwrap();
    let lines: Vec<_> = class.lines().map(str::trim).collect();
    for line in part("What is the same for all of them", "```rust", "```").lines().map(str::trim) {
        let is_ours = line.is_empty() || line.starts_with("//");
        assert!(is_ours || lines.contains(&line), "src/server/mod.rs has no line {line}");
    }
}

/// What is quoted of examples stands in them, and what is not is compiled here, below.
#[test]
fn the_code_that_is_shown_compiles() {
    for (heading, source) in [
        ("## Write a handler", "src/server/mod.rs"),
        ("A `Router` is one, too:", "tests/readme.rs"),
        ("What differs from server to server is yours", "examples/11_echo.rs"),
        ("Your own handlers are tested without sockets", "tests/readme.rs"),
    ] {
        let shown = part(heading, "```rust", "```");
        let text = fs::read_to_string(Path::new(TOP).join(source)).unwrap();
        let lines: Vec<_> = text.lines().map(|line| line.trim_start_matches("///").trim()).collect();
        // What begins an example is in none: it asks `support` for its address.
        for block in
            shown.trim().split("\n\n").filter(|block| source != "examples/11_echo.rs" || !block.contains("main"))
        {
            let block: Vec<_> = block.lines().map(str::trim).collect();
            assert!(lines.windows(block.len()).any(|lines| *lines == block), "{source} has no {block:#?}");
        }
    }
}

/// As README.md has it, between its words.
#[cfg(feature = "json")]
#[rustfmt::skip]
mod shown {
    use qibu::testing::TestClient;
    use qibu::{Html, Request, Response, Result, Router, StaticFiles, blocking};
    use serde::{Deserialize, Serialize};

    const PAGE: &str = "<h1>notes</h1>";

    #[derive(Serialize, Deserialize)]
    struct Note {
        text: String,
    }

    fn save(note: Note) -> Result<Note> {
        Ok(note)
    }

    fn build_report() -> &'static str {
        "all is well"
    }

    #[test]
    fn the_router_answers() {
let app = Router::new()
    .get("/", |_| Html(PAGE))
    .get("/users/{id}", |request| -> Result<String> { Ok(format!("user {}", request.param::<u64>("id")?)) })
    .post("/notes", |request| -> Result { Ok(Response::json(&save(request.json::<Note>()?)?)) })
    .route("GET /report", blocking(|_: &mut Request| build_report())) // on the worker pool
    .mount("/files", StaticFiles::new("files"));
        let client = TestClient::new(app);
        assert_eq!(client.get("/").send().text(), PAGE);
        assert_eq!(client.get("/users/7").send().text(), "user 7");
        assert_eq!(client.get("/users/seven").send().status(), 400);
        let note = client.post("/notes").header("Content-Type", "application/json").body(r#"{"text":"a"}"#).send();
        assert_eq!(note.text(), r#"{"text":"a"}"#);
        assert_eq!(client.get("/report").send().text(), "all is well");
        assert_eq!(client.get("/files/none").send().status(), 404);
    }

    #[test]
    fn a_handler_is_tested_without_sockets() {
let client = TestClient::new(|request: &mut Request| format!("you want {}", request.path()));
assert_eq!(client.get("/news").send().text(), "you want /news");
    }
}

/// Only the map of the source is not told twice.
#[test]
fn both_languages_have_the_same_code_and_the_same_rows() {
    let (english, chinese) = (read("README.md"), read("README.zh-CN.md"));
    let differ = differences(&english, &chinese);
    assert!(differ.is_empty(), "{}", differ.join("\n"));
    assert!(english.contains("](README.zh-CN.md)") && chinese.contains("](README.md)"), "each leads to the other");
    for readme in [english, chinese] {
        assert!(readme.contains("](docs/guide/)"), "both lead to the course");
    }
}

#[test]
fn a_translation_that_lags_behind_is_found() {
    let english = "```sh\nqibu\n```\n| a | b |\n|---|---|\n| [01](a.rs) | one |\n| `--x` | ex |\n```text\nmap\n```\n";
    let differs = |from: &str, to: &str| {
        assert!(english.contains(from));
        !differences(english, &english.replace(from, to)).is_empty()
    };
    assert!(differences(english, english).is_empty());
    assert!(!differs("| one |", "| eins |") && !differs("| a | b |", "| x | y |"), "words are translated");
    assert!(!differs("```text\nmap\n```\n", ""), "the map is told once");
    assert!(differs("qibu", "quibu"), "a command");
    assert!(differs("| [01](a.rs) | one |\n", ""), "an example's row");
    assert!(differs("`--x`", "`--y`"), "an option's row");
}

/// Where the blocks of code, or the rows that begin with code or a link, are not the same.
fn differences(english: &str, chinese: &str) -> Vec<String> {
    let (english, chinese) = (same_in_all_languages(english), same_in_all_languages(chinese));
    let only = |these: &[String], those: &[String], file: &str| {
        let missing = these.iter().filter(|one| !those.contains(one));
        missing.map(|one| format!("{file} lacks {one}")).collect::<Vec<_>>()
    };
    let mut differ = only(&english, &chinese, "README.zh-CN.md");
    differ.extend(only(&chinese, &english, "README.md"));
    if differ.is_empty() && english != chinese {
        differ.push("the order differs".to_owned());
    }
    differ
}

fn same_in_all_languages(readme: &str) -> Vec<String> {
    let mut parts = Vec::new();
    let mut lines = readme.lines();
    while let Some(line) = lines.next() {
        if line.starts_with("```") {
            let code: Vec<_> = lines.by_ref().take_while(|line| *line != "```").collect();
            if line != "```text" {
                parts.push(format!("{line}\n{}", code.join("\n")));
            }
        } else if line.starts_with("| `") || line.starts_with("| [") {
            parts.push(line.split(" | ").next().unwrap_or(line).to_owned());
        }
    }
    parts
}

fn read(name: &str) -> String {
    fs::read_to_string(Path::new(TOP).join(name)).unwrap()
}

/// What stands between two marks, behind a heading.
fn part(heading: &str, begin: &str, end: &str) -> String {
    let readme = read("README.md");
    let (_, rest) = readme.split_once(heading).expect(heading);
    let (_, rest) = rest.split_once(begin).expect(begin);
    rest.split_once(end).expect(end).0.to_owned()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { collect(&path, files) } else { files.push(path) }
    }
}
