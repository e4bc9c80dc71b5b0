//! `docs/conformance.md` as a test: each row of its tables names a file, words that stand on one line of it, and tests that
//! exist.
//!
//! The words are what counts. The number before them says where that line stood when the table was last written, so that a
//! reader finds it at once; every change to the source moves some, which is no fault. They are written anew, from the
//! words, by `QIBU_BLESS=1 cargo test --test conformance the_table_is_true`.

use std::fs;
use std::path::Path;

const DOCUMENT: &str = "docs/conformance.md";

/// `| § | rule | path:line | words on that line | tests |`
struct Row<'a> {
    rule: &'a str,
    path: &'a str,
    line: usize,
    anchor: &'a str,
    tests: Vec<(&'a str, &'a str)>,
}

#[test]
fn the_table_is_true() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let document = read(root, DOCUMENT).expect("the document is part of the repository");
    let is_blessing = std::env::var_os("QIBU_BLESS").is_some();
    let (mut faults, mut lines, mut rows) = (Vec::new(), Vec::new(), 0);
    for (number, line) in document.lines().enumerate() {
        let mut line = line.to_owned();
        match Row::parse(&line) {
            None => {}
            Some(Err(fault)) => faults.push(format!("{DOCUMENT}:{}: {fault}", number + 1)),
            Some(Ok(row)) => {
                rows += 1;
                let (place, wrong) = (row.place(root), row.missing_tests(root));
                faults.extend(wrong.into_iter().map(|fault| format!("{DOCUMENT}:{}: {fault}", number + 1)));
                match place {
                    Err(fault) => faults.push(format!("{DOCUMENT}:{}: {fault}", number + 1)),
                    Ok(place) if place != row.line && is_blessing => {
                        let (old, new) = (format!("{}:{}", row.path, row.line), format!("{}:{place}", row.path));
                        line = line.replace(&format!("`{old}`"), &format!("`{new}`"));
                    }
                    Ok(_) => {}
                }
            }
        }
        lines.push(line);
    }
    if is_blessing {
        fs::write(root.join(DOCUMENT), lines.join("\n") + "\n").expect("the document can be written");
    }
    assert!(rows > 100, "only {rows} rows were found: is this the table?");
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

impl<'a> Row<'a> {
    /// `None` for what is no row of such a table.
    fn parse(line: &'a str) -> Option<Result<Self, String>> {
        let cells: Vec<&str> = line.strip_prefix('|')?.strip_suffix('|')?.split('|').map(str::trim).collect();
        let [section, rule, place, anchor, tests] = cells[..] else { return None };
        let is_heading = section == "§" || section.starts_with("--") || section.starts_with(":-");
        (!is_heading).then(|| Self::read(rule, place, anchor, tests))
    }

    fn read(rule: &'a str, place: &'a str, anchor: &'a str, tests: &'a str) -> Result<Self, String> {
        let (path, line) = code(place)?.rsplit_once(':').ok_or(format!("{place} is no path:line"))?;
        let line = line.parse().map_err(|_| format!("{place} has no line"))?;
        let anchor = code(anchor)?;
        let tests: Result<_, String> = tests
            .split(", ")
            .map(|test| code(test)?.split_once("::").ok_or(format!("{test} is no file::name")))
            .collect();
        Ok(Self { rule, path, line, anchor, tests: tests? })
    }

    /// The line in which the anchor stands.
    fn place(&self, root: &Path) -> Result<usize, String> {
        let text = read(root, self.path)?;
        let mut places = text.lines().enumerate().filter(|(_, line)| line.contains(self.anchor));
        let first = places.next().ok_or(format!("{:?} stands nowhere in {}", self.anchor, self.path))?;
        match places.next() {
            None => Ok(first.0 + 1),
            Some(second) => {
                let lines = (first.0 + 1, second.0 + 1);
                Err(format!("{:?} stands more than once in {}: {lines:?}", self.anchor, self.path))
            }
        }
    }

    fn missing_tests(&self, root: &Path) -> Vec<String> {
        let is_there = |file: &str, name: &str| {
            read(root, file)
                .is_ok_and(|text| text.contains(&format!("#[test]\nfn {name}()")) || is_indented(&text, name))
        };
        let missing = self.tests.iter().filter(|(file, name)| !is_there(file, name));
        missing.map(|(file, name)| format!("{}: there is no test {name} in {file}", self.rule)).collect()
    }
}

/// Tests beside the code stand in a module.
fn is_indented(text: &str, name: &str) -> bool {
    text.contains(&format!("    #[test]\n    fn {name}()"))
}

fn read(root: &Path, path: &str) -> Result<String, String> {
    fs::read_to_string(root.join(path)).map_err(|error| format!("{path}: {error}"))
}

/// The text between two backticks.
fn code(cell: &str) -> Result<&str, String> {
    cell.strip_prefix('`').and_then(|rest| rest.strip_suffix('`')).ok_or(format!("{cell:?} is not in backticks"))
}
