//! `docs/security-cases.md` as a test: it has a row for each of the 37 cases, and each row names tests that exist or a reason.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

const DOCUMENT: &str = "docs/security-cases.md";

/// So many cases there are.
const CASES: usize = 37;

#[test]
fn each_case_has_a_test_or_a_reason() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let document = fs::read_to_string(top.join(DOCUMENT)).unwrap();
    let (mut numbers, mut faults) = (BTreeSet::new(), Vec::new());
    for line in document.lines() {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let Some(number) = cells[0].parse::<usize>().ok() else { continue };
        let [_, _, cause, ours] = cells[..] else { panic!("{DOCUMENT}: not four cells: {line}") };
        assert!(numbers.insert(number), "{number} stands there twice");
        assert!(!cause.is_empty());
        let tests: Vec<&str> = ours.split('`').skip(1).step_by(2).filter(|text| text.contains(".rs::")).collect();
        let has_reason = ours.contains("cannot happen: ");
        if tests.is_empty() && !has_reason {
            faults.push(format!("{number}: neither a test nor a reason"));
        }
        for test in tests {
            let (file, name) = test.split_once("::").unwrap();
            if !is_there(top, file, name) {
                faults.push(format!("{number}: there is no test {name} in {file}"));
            }
        }
    }
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
    assert_eq!(numbers, (1..=CASES).collect());
}

/// A function of that name, marked as a test in the lines before it.
fn is_there(top: &Path, file: &str, name: &str) -> bool {
    let Ok(text) = fs::read_to_string(top.join(file)) else { return false };
    let Some(at) = text.find(&format!("fn {name}()")) else { return false };
    text[..at].lines().rev().take(5).any(|line| line.trim() == "#[test]")
}
