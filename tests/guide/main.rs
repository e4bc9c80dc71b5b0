//! docs/guide is true: what it quotes stands in the source, its links lead somewhere, both languages say the same.
//!
//! What its pages type into a terminal is typed by tests/guide/run, whose header has the forms of all fences.

mod budget;
mod course;
mod course_refuses;
mod page;
mod rules;
mod rules_refuse;
mod run_refuses;
#[cfg(feature = "markdown")]
mod served;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use page::{Fence, Page};
use rules::Files;

const TOP: &str = env!("CARGO_MANIFEST_DIR");

#[test]
fn fences_have_known_forms() {
    none(guide().1.iter().flat_map(rules::fences_have_known_forms));
}

#[test]
fn excerpts_stand_in_the_source() {
    let source = |file: &str| fs::read_to_string(Path::new(TOP).join(file)).ok();
    none(guide().1.iter().flat_map(|page| rules::excerpts_stand_in_the_source(page, &source)));
}

#[test]
fn links_lead_somewhere() {
    let (files, pages) = guide();
    none(rules::links_lead_somewhere(&pages, &files));
}

#[test]
fn both_languages_say_the_same() {
    let (_, pages) = guide();
    none(rules::both_languages_have_the_same_pages(&pages));
    none(rules::translations_have_the_same_fences(&pages));
}

#[test]
fn the_chapters_are_those_of_the_course_and_whole() {
    let (_, pages) = guide();
    none(rules::folders_are_those_of_the_course(&pages));
    none(pages.iter().flat_map(|page| rules::chapters_are_whole(page, &pages)));
    none(course::every_part_is_there(&pages));
    none(course::the_landing_page_leads_to_all(&pages));
}

#[test]
fn the_words_of_the_glossary_are_those_of_the_chapters() {
    none(course::glossaries_are_of_the_chapters(&guide().1));
}

#[test]
fn from_chapter_1_to_a_handler_takes_less_than_an_hour() {
    let (tables, complaints) = budget::within_the_hour(&guide().0);
    println!("{tables}"); // shown when it fails, or with --nocapture
    none(complaints);
}

#[test]
fn drawings_are_harmless_and_whole() {
    let (files, _) = guide();
    let drawings = files.iter().filter(|(path, _)| path.ends_with(".svg"));
    none(drawings.flat_map(|(path, svg)| rules::a_drawing_is_harmless_and_whole(path, svg)));
}

#[test]
fn python_compiles() {
    let (_, pages) = guide();
    let fences = pages.iter().flat_map(|page| page.fences.iter().map(move |fence| (page, fence)));
    // An excerpt need not compile by itself: its file does, below.
    let is_whole = |fence: &Fence| fence.language() == "python" && fence.value("file").is_none();
    let python: Vec<_> = fences.filter(|(_, fence)| is_whole(fence)).collect();
    match compile(&python) {
        None => println!("SKIPPED: python3 is not installed"),
        Some(complaints) => none(complaints),
    }
}

#[test]
fn every_python_program_is_run_by_a_page() {
    let (files, pages) = guide();
    let typed: String = pages.iter().flat_map(|page| &page.fences).flat_map(|fence| &fence.content).cloned().collect();
    let is_run = |path: &str| {
        let name = path.trim_start_matches("py/").trim_end_matches(".py");
        let is_imported = || files.values().any(|text| text.contains(&format!("\nfrom {name} import")));
        typed.contains(&format!("python3 docs/guide/{path}")) || is_imported()
    };
    let idle = files.keys().filter(|path| path.ends_with(".py") && !is_run(path));
    none(idle.map(|path| format!("docs/guide/{path}: no page runs it, so nobody knows whether it does what it says")));
}

/// Compiles each fence, and answers with what Python says; nothing, where there is no Python.
fn compile(fences: &[(&Page, &Fence)]) -> Option<Vec<String>> {
    Command::new("python3").arg("--version").stdout(Stdio::null()).status().ok()?;
    let folder = tempfile::tempdir().unwrap();
    let mut complaints = Vec::new();
    for (number, (page, fence)) in fences.iter().enumerate() {
        let file = folder.path().join(format!("{number}.py"));
        fs::write(&file, fence.content.join("\n") + "\n").unwrap();
        let ended = Command::new("python3").args(["-m", "py_compile"]).arg(&file).output().unwrap();
        if !ended.status.success() {
            complaints.push(format!("{}: {}", page.at(fence.line), String::from_utf8_lossy(&ended.stderr)));
        }
    }
    Some(complaints)
}

/// All files of docs/guide, and the pages among them.
fn guide() -> (Files, Vec<Page>) {
    let mut files = Files::new();
    collect(&Path::new(TOP).join("docs/guide"), "", &mut files);
    match rules::pages(&files) {
        Ok(pages) => (files, pages),
        Err(complaints) => panic!("{}", complaints.join("\n")),
    }
}

fn collect(folder: &Path, prefix: &str, files: &mut Files) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        let name = format!("{prefix}{}", path.file_name().unwrap().to_str().unwrap());
        if path.is_dir() {
            collect(&path, &format!("{name}/"), files);
        } else {
            files.insert(name, String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned());
        }
    }
}

/// A test's verdict: all complaints at once.
fn none(complaints: impl IntoIterator<Item = String>) {
    let complaints: Vec<_> = complaints.into_iter().collect();
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}
