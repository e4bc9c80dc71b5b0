//! What the compiler says to somebody who writes a handler and makes a common mistake.
//!
//! Each program in tests/ui/ has one, and says in lines that begin with `//~` what must be among the words of the compiler.
//! They are few words of ours, so that another version of the compiler may say the rest in its own way.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

#[test]
fn mistakes_are_explained_by_the_compiler() {
    let programs = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ui");
    let (mut faults, mut count) = (Vec::new(), 0);
    for program in fs::read_dir(programs).unwrap().map(|entry| entry.unwrap().path()) {
        let text = fs::read_to_string(&program).unwrap();
        let said = compile(&program);
        let expected: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("//~ ")).collect();
        assert!(!expected.is_empty(), "{} expects nothing", program.display());
        let missing: Vec<_> = expected.into_iter().filter(|words| !said.contains(words)).collect();
        if !missing.is_empty() {
            faults.push(format!("{}: {missing:?} is not in\n{said}", program.display()));
        }
        count += 1;
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(count >= 6, "only {count} programs were found");
}

/// What the compiler says about a program, which must be an error.
fn compile(program: &Path) -> String {
    let (ours, out) = (library(), tempfile::tempdir().unwrap());
    let output = Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()))
        .args(["--edition", "2024", "--crate-type", "bin", "--emit", "metadata", "--color", "never"])
        .arg("-L")
        .arg(format!("dependency={}", ours.parent().unwrap().display()))
        .arg("--extern")
        .arg(format!("qibu={}", ours.display()))
        .arg("-o")
        .arg(out.path().join("program"))
        .arg(program)
        .output()
        .expect("cargo runs tests where there is a compiler");
    assert!(!output.status.success(), "{} compiles", program.display());
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The library as cargo has just built it for this test: the newest beside it.
fn library() -> PathBuf {
    let test = env::current_exe().unwrap();
    let built = fs::read_dir(test.parent().unwrap()).unwrap().map(|entry| entry.unwrap().path());
    let is_ours = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy();
        name.starts_with("libqibu-") && name.ends_with(".rlib")
    };
    let age = |path: &PathBuf| fs::metadata(path).unwrap().modified().unwrap();
    built.filter(is_ours).max_by_key(age).expect("the library is built before its tests")
}
