//! The planted bugs still fit the source, and the tests that are to find them are there. `plants/run` plants them.

use std::fs;
use std::path::{Path, PathBuf};

/// A stretch of a file that a patch changes, as it must be found there.
struct Hunk {
    file: PathBuf,
    before: Vec<String>,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Name and text of each patch.
fn plants() -> Vec<(String, String)> {
    let folder = root().join("tests/simulation/plants");
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let patches = paths.filter(|path| path.extension().is_some_and(|extension| extension == "patch"));
    patches.map(|path| (path.file_stem().unwrap().to_str().unwrap().to_owned(), read(&path))).collect()
}

fn hunks(patch: &str) -> Vec<Hunk> {
    let (mut hunks, mut file) = (Vec::<Hunk>::new(), None);
    for line in patch.lines() {
        if let Some(path) = line.strip_prefix("--- a/") {
            file = Some(PathBuf::from(path));
        } else if line.starts_with("@@ ") {
            hunks.push(Hunk { file: file.clone().expect("a file stands above its changes"), before: Vec::new() });
        } else if let (Some(hunk), Some(kept)) = (hunks.last_mut(), line.strip_prefix([' ', '-'])) {
            hunk.before.push(kept.to_owned());
        }
    }
    hunks
}

#[test]
fn every_plant_fits_the_source_in_one_place() {
    let plants = plants();
    assert!(plants.len() >= 15, "{} plants", plants.len());
    for (name, patch) in plants {
        let hunks = hunks(&patch);
        assert!(!hunks.is_empty(), "{name} changes nothing");
        for Hunk { file, before } in hunks {
            let source = read(&file);
            let lines: Vec<_> = source.lines().collect();
            let places = lines.windows(before.len()).filter(|lines| **lines == before).count();
            assert_eq!(places, 1, "{name} fits {places} places of {}: {before:#?}", file.display());
        }
    }
}

#[test]
fn every_plant_names_a_test_that_is_there_and_stands_in_the_readme() {
    let readme = read(Path::new("tests/simulation/README.md"));
    for (name, patch) in plants() {
        let found_by = patch.lines().find_map(|line| line.strip_prefix("Found by: ")).unwrap_or_default();
        let mut words = found_by.split(' ').skip_while(|word| *word != "--test").skip(1);
        let target = words.next().unwrap_or_else(|| panic!("{name} names no test"));
        let files = [format!("tests/{target}.rs"), format!("tests/{target}/main.rs")];
        let file = files.iter().find(|file| root().join(file).exists());
        let source = read(Path::new(file.unwrap_or_else(|| panic!("{name}: there is no tests/{target}"))));
        for test in words.filter(|word| !word.starts_with('-')) {
            assert!(source.contains(&format!("fn {test}(")), "{name}: there is no {test} in tests/{target}");
        }
        assert!(readme.contains(&format!("`{name}`")), "{name} does not stand in the README");
    }
}
