//! What README.md says of the source stays true.

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

/// What stands between two marks, behind a heading.
fn part(heading: &str, begin: &str, end: &str) -> String {
    let readme = fs::read_to_string(Path::new(TOP).join("README.md")).unwrap();
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
