//! What the source may not do, so that no feature opens files in a way of its own.

use std::fs;
use std::path::Path;

/// Words that touch the disk.
const WORDS: [&str; 12] = [
    "File::open",
    "File::create",
    "OpenOptions",
    "fs::read",
    "fs::metadata",
    "fs::symlink_metadata",
    "read_dir(",
    "canonicalize",
    "openat",
    "statat",
    ".exists()",
    ".is_dir()",
];

/// Who may: the two ways in. `settings` of the program are read elsewhere, from paths that no client chooses.
const OPENERS: [(&str, &str); 2] =
    [("beneath/", "opens beneath the root"), ("single.rs", "`Response::file`: the path is the program's own")];

/// Functions that look at a path that the user gave, once, before anything is served.
const AT_THE_START: [(&str, &str); 2] = [("mod.rs", "fn open_path("), ("resolve.rs", "fn hide_file(")];

#[test]
fn only_the_resolver_opens_files() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/static_files");
    let (mut faults, mut seen) = (Vec::new(), 0);
    for (name, text) in files(&folder, "") {
        seen += 1;
        let code = text.split("#[cfg(test)]").next().unwrap();
        let code: Vec<&str> = code.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
        let may_open = OPENERS.iter().any(|(opener, _)| name.starts_with(opener));
        let lines = code.iter().enumerate().filter(|(_, line)| WORDS.iter().any(|word| line.contains(word)));
        for (at, line) in lines {
            let function = function_around(&code, at);
            let is_at_the_start = AT_THE_START.iter().any(|(file, named)| name == *file && function.contains(named));
            // `Metadata::is_dir` of what is open already asks no system.
            let is_of_open_file = line.contains("metadata.is_dir()") || line.contains("metadata.is_file()");
            if !may_open && !is_at_the_start && !is_of_open_file {
                faults.push(format!("src/static_files/{name}: {}", line.trim()));
            }
        }
    }
    assert!(seen > 20, "only {seen} files: is this the source?");
    assert!(faults.is_empty(), "\n{}\nopen it through Root::find\n", faults.join("\n"));
}

/// The line that begins the function in which this one stands.
fn function_around<'a>(code: &[&'a str], at: usize) -> &'a str {
    code[..=at].iter().rev().find(|line| line.contains(" fn ")).unwrap_or(&"")
}

fn files(folder: &Path, prefix: &str) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let (path, name) = {
            let entry = entry.unwrap();
            (entry.path(), entry.file_name().into_string().unwrap())
        };
        let name = format!("{prefix}{name}");
        if path.is_dir() {
            all.extend(files(&path, &format!("{name}/")));
        } else if name.ends_with(".rs") && !name.ends_with("tests.rs") {
            all.push((name, fs::read_to_string(path).unwrap()));
        }
    }
    all
}
