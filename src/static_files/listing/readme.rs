//! The README of a folder, shown below its list.
//!
//! It is opened by the same resolver as everything else: a README that is a link out of the folder is not there. Markdown
//! is rendered ([`super::markdown`]); anything else is shown as the text that it is.

use std::ffi::{OsStr, OsString};
use std::io::Read;

use maud::{Markup, html};

use super::super::beneath::Kind;
use super::super::charset;
use super::super::resolve::{Found, Root, Target};
use super::{markdown, names::Shown};

/// What is longer is cut here. It bounds what one answer holds in memory.
const MOST_BYTES: u64 = 256 * 1024;

/// A README, ready to be put into the page.
#[derive(Debug)]
pub(super) struct Readme {
    /// The name of the file, to be read.
    pub(super) name: String,
    pub(super) content: Markup,
    pub(super) end: End,
}

/// Whether all of it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Reached,
    /// It was too long.
    CutOff,
}

/// Of several, the one to be shown.
#[derive(Debug, Default)]
pub(super) struct Choice {
    best: Option<(Rank, OsString)>,
}

/// How a README is written; the least is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    Markdown,
    Text,
}

/// Whether this is the name of a README, in any case, and of which kind.
pub(super) fn rank(name: &[u8]) -> Option<Rank> {
    let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
    if is("README.md") || is("README.markdown") {
        Some(Rank::Markdown)
    } else {
        (is("README") || is("README.txt")).then_some(Rank::Text)
    }
}

impl Choice {
    pub(super) fn consider(&mut self, name: &OsStr, kind: Kind) {
        let Some(rank) = rank(name.as_encoded_bytes()).filter(|_| kind == Kind::File) else { return };
        if self.best.as_ref().is_none_or(|(best, known)| (rank, name) < (*best, known)) {
            self.best = Some((rank, name.to_owned()));
        }
    }

    /// Reads it. One that cannot be read is not worth an error: the list is there all the same.
    pub(super) fn open(self, root: &Root, target: &Target) -> Option<Readme> {
        let (rank, name) = self.best?;
        let Ok(Found::File(file, _)) = root.find(&target.child(&name)) else { return None };
        let mut bytes = Vec::new();
        file.take(MOST_BYTES + 1).read_to_end(&mut bytes).ok()?;
        let end = if bytes.len() as u64 > MOST_BYTES { End::CutOff } else { End::Reached };
        bytes.truncate(MOST_BYTES as usize);
        let text = charset::decode(&bytes);
        let content = match rank {
            Rank::Markdown => markdown::render(&text),
            Rank::Text => html! { pre dir="auto" { (text) } },
        };
        Some(Readme { name: Shown(name.as_encoded_bytes()).to_string(), content, end })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markdown_is_shown_rather_than_text() {
        let mut choice = Choice::default();
        for name in ["a.md", "readme.TXT", "README", "ReadMe.md", "README.md", "README.md.bak", "README.rs"] {
            choice.consider(OsStr::new(name), Kind::File);
        }
        choice.consider(OsStr::new("README.markdown"), Kind::Folder);
        assert_eq!(choice.best, Some((Rank::Markdown, "README.md".into())));
    }
}
