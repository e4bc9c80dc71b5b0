//! A listing as plain text: a name on each line, `/` behind a folder's.
//!
//! Pattern: Strategy (a [`Form`]).

use std::fmt::Write;
use std::ops::Range;

use super::names::Escaped;
use super::row::end_of;
use super::{Form, Frame, Listing};

pub(super) struct Plain;

impl Form for Plain {
    fn media_type(&self) -> &'static str {
        "text/plain; charset=utf-8"
    }

    fn frame(&self, _: &Listing) -> Frame {
        Frame::default()
    }

    fn rows(&self, listing: &Listing, range: Range<usize>) -> String {
        let mut lines = String::new();
        for entry in listing.entries.range(range) {
            let _ = writeln!(lines, "{}{}", Escaped(entry.name), end_of(entry.kind)); // a String takes everything
        }
        lines
    }
}
