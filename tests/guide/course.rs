//! The course is whole: every part in both languages, a landing page that leads to all of them, and a glossary whose words
//! are those of the chapters.

use std::collections::BTreeSet;

use crate::page::Page;
use crate::rules::{CHAPTERS, EXTRAS};

/// The landing page, and in each language the chapters, the glossary and the questions.
pub(crate) fn every_part_is_there(pages: &[Page]) -> Vec<String> {
    let parts = folders().map(|folder| format!("{folder}README.md")).chain(["README.md".to_owned()]);
    let missing = parts.filter(|part| !pages.iter().any(|page| page.path == *part));
    missing.map(|part| format!("docs/guide/{part} is missing")).collect()
}

/// The landing page has a link to every part, in both languages.
pub(crate) fn the_landing_page_leads_to_all(pages: &[Page]) -> Vec<String> {
    let Some(landing) = pages.iter().find(|page| page.path == "README.md") else { return Vec::new() };
    let missing = folders().filter(|folder| !landing.links.iter().any(|link| link.target == *folder));
    missing.map(|folder| format!("README.md: it has no link to {folder}")).collect()
}

/// `en/01-address-port-packet/`, and so on.
fn folders() -> impl Iterator<Item = String> {
    let of = |language| CHAPTERS.iter().chain(&EXTRAS).map(move |folder| format!("{language}/{folder}/"));
    of("en").chain(of("zh"))
}

/// What a glossary says of one word: `- **word** (翻译): what it is. [1](../01-address-port-packet/)`.
struct Entry {
    word: String,
    translation: String,
    /// The labels and targets of its links.
    links: Vec<(String, String)>,
}

impl Entry {
    /// Reads one, as it stands on the page; nothing, if a part is missing.
    fn read(text: &str) -> Option<Self> {
        let (word, rest) = text.strip_prefix("- **")?.split_once("**")?;
        let (translation, rest) = match rest.strip_prefix(" (") {
            Some(rest) => rest.split_once("): ")?,
            None => rest.strip_prefix('（')?.split_once("）：")?,
        };
        let links = rest.match_indices("](").filter_map(|(at, _)| {
            let label = &rest[rest[..at].rfind('[')? + 1..at];
            Some((label.to_owned(), rest[at + 2..].split(')').next()?.to_owned()))
        });
        Some(Self { word: word.to_owned(), translation: translation.to_owned(), links: links.collect() })
    }

    /// What is wrong with it, if anything: it leads to chapters by their numbers, and the first has the word.
    fn fault(&self, language: &str, pages: &[Page]) -> Option<String> {
        for (label, target) in &self.links {
            let is_chapter = |(number, chapter): (usize, &&str)| {
                *label == (number + 1).to_string() && *target == format!("../{chapter}/")
            };
            if !CHAPTERS.iter().enumerate().any(is_chapter) {
                return Some(format!("[{label}]({target}) is no chapter with its number"));
            }
        }
        let Some((_, target)) = self.links.first() else { return Some("it leads to no chapter".to_owned()) };
        let path = format!("{language}/{}README.md", target.trim_start_matches("../"));
        let chapter = pages.iter().find(|page| page.path == path).map(words).unwrap_or_default();
        (!chapter.contains(&self.word.to_lowercase())).then(|| format!("{path} does not use the word"))
    }
}

/// All that a page says, in small letters, as if on one line: a word may be broken where there is no space.
fn words(page: &Page) -> String {
    let code = page.fences.iter().flat_map(|fence| &fence.content).map(String::as_str);
    let lines: Vec<_> = page.prose.lines().chain(code).collect();
    let between = if page.path.starts_with("zh/") { "" } else { " " };
    lines.join(between).to_lowercase()
}

/// The entries of a language's glossary as they stand there, each with what it means to us.
fn entries(page: &Page) -> Vec<(String, Option<Entry>)> {
    let paragraphs = page.prose.replace("\n  ", " ");
    let found = paragraphs.lines().filter(|line| line.starts_with("- "));
    found.map(|text| (text.to_owned(), Entry::read(text))).collect()
}

/// Each entry has its form, leads to a chapter that uses the word, and stands in the other language's glossary as well.
pub(crate) fn glossaries_are_of_the_chapters(pages: &[Page]) -> Vec<String> {
    let mut complaints = Vec::new();
    let mut known: Vec<(&Page, BTreeSet<String>)> = Vec::new();
    for page in pages {
        let Some(language) = page.path.strip_suffix("/glossary/README.md") else { continue };
        let mut pairs = BTreeSet::new();
        for (text, entry) in entries(page) {
            let beginning: String = text.chars().take(40).collect();
            let fault = match &entry {
                None => Some("an entry is `- **word** (翻译): what it is. [1](../01-address-port-packet/)`".to_owned()),
                Some(entry) => entry.fault(language, pages),
            };
            complaints.extend(fault.map(|fault| format!("{}: {beginning}…: {fault}", page.path)));
            let Some(entry) = entry else { continue };
            let mut pair = [entry.word, entry.translation];
            pair.sort();
            if !pairs.insert(pair.join(" / ")) {
                complaints.push(format!("{}: {beginning}…: it is there twice", page.path));
            }
        }
        if pairs.is_empty() {
            complaints.push(format!("{}: it has no entries", page.path));
        }
        known.push((page, pairs));
    }
    if let [(one, these), (other, those)] = &known[..] {
        let differ = these.symmetric_difference(those);
        complaints.extend(differ.map(|pair| format!("{} and {}: only one has {pair}", one.path, other.path)));
    }
    complaints
}
