//! From path to route: the only file that names matchit.
//!
//! matchit walks a radix tree: what many patterns begin with is compared once, whatever their number. It knows neither
//! methods nor percent-encoding, and gives the parameters' values as parts of the path. So patterns and paths are
//! [normalized](super::normal) before it sees them, and where a value lies is told in terms of the path as it was sent.
//!
//! Pattern: Adapter (of matchit).

use std::ops::Range;

use smallvec::SmallVec;

use super::RouteError;
use super::normal::Normal;
use super::written::normal_form;
use crate::message::Span;

/// Patterns, and the number of the route that each leads to.
#[derive(Debug, Clone, Default)]
pub(super) struct Tree {
    patterns: matchit::Router<Leaf>,
    /// Those that were written in another form than the normal one, which stands first.
    written: Vec<(String, String)>,
}

/// What stands at the end of a pattern.
#[derive(Debug, Clone, Copy)]
pub(super) struct Leaf {
    pub(super) route: usize,
    pub(super) end: End,
}

/// What of a path is left to its handler.
#[derive(Debug, Clone, Copy)]
pub(super) enum End {
    /// Nothing: the pattern is the whole path.
    Whole,
    /// Of a mount at `/files`: nothing either, the path is `/files`,
    Prefix,
    /// `/`,
    Slash,
    /// or more.
    Rest,
}

/// The places of parameters' values.
pub(super) type Values = SmallVec<[Span; 2]>;

impl Tree {
    pub(super) fn insert(&mut self, pattern: &str, leaf: Leaf) -> Result<(), RouteError> {
        let malformed = |reason| Err(RouteError::Malformed { pattern: pattern.to_owned(), reason });
        let form = normal_form(pattern);
        match self.patterns.insert(&form, leaf) {
            Ok(()) => {
                if form != pattern {
                    self.written.push((form, pattern.to_owned()));
                }
                Ok(())
            }
            Err(matchit::InsertError::Conflict { with }) => {
                let written = self.written.iter().find(|(form, _)| *form == with);
                let with = written.map_or(with, |(_, written)| written.clone());
                Err(RouteError::Conflict { pattern: pattern.to_owned(), with })
            }
            Err(matchit::InsertError::InvalidParamSegment) => {
                malformed("a segment can have one parameter, with a name and text on one side of it")
            }
            Err(matchit::InsertError::InvalidCatchAll) => {
                malformed("`{*name}` must be the last segment, and all of it")
            }
            Err(_) => malformed("a parameter is `{name}` or `{*name}`, and a brace is `{{` or `}}`"),
        }
    }

    /// Finds the leaf for a path that begins at `start` of the target.
    pub(super) fn find(&self, path: &str, start: u32) -> Option<(Leaf, Values)> {
        match Normal::of(path) {
            None => self.find_normal(path, |value| Span::from(value).moved_by(start)),
            Some(normal) => self.find_normal(normal.text(), |value| normal.sent(value).moved_by(start)),
        }
    }

    /// `place` tells where a stretch of the path was in the target.
    fn find_normal(&self, path: &str, place: impl Fn(Range<usize>) -> Span) -> Option<(Leaf, Values)> {
        let found = self.patterns.at(path).ok()?;
        if found.params.is_empty() {
            return Some((*found.value, Values::new()));
        }
        // Each value is a part of `path`, so where it lies is a matter of subtraction.
        let stretch = |value: &str| {
            let from = value.as_ptr() as usize - path.as_ptr() as usize;
            from..from + value.len()
        };
        Some((*found.value, found.params.iter().map(|(_, value)| place(stretch(value))).collect()))
    }
}
