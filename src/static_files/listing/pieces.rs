//! A listing as a stream of bytes, written as it is read.
//!
//! Head and foot are small and written at once, since the entity tag depends on them. The rows are written in groups, each
//! when the one before has been taken: a hundred thousand rows need no more room than a hundred. They are coded on the way,
//! for those who take it (RFC 9110 section 8.4).
//!
//! Pattern: Iterator (pulled by the client).

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Read};
use std::{iter, mem};

use super::{Form, Frame, Listing};
use crate::coding::{self, Coded, Coding, Encoder};
use crate::message::Body;

/// How many rows are written at once.
pub(super) const ROWS_PER_PIECE: usize = 100;

/// The rest of a listing.
pub(super) struct Pieces {
    listing: Listing,
    form: &'static dyn Form,
    foot: String,
    next: Next,
    piece: io::Cursor<String>,
}

/// What is written when the current piece has been read.
enum Next {
    /// The rows from this number on, or the foot where there are none.
    Rows(usize),
    Nothing,
}

impl Pieces {
    pub(super) fn new(listing: Listing, form: &'static dyn Form) -> Self {
        let Frame { head, foot } = form.frame(&listing);
        Self { listing, form, foot, next: Next::Rows(0), piece: io::Cursor::new(head) }
    }

    /// Another one if any byte of the answer is another one. The rows follow from the entries, in a way that only another
    /// version of this program has another way of doing, and so do the coded bytes.
    pub(super) fn tag(&self, coding: Option<Coding>) -> String {
        let mut hasher = DefaultHasher::new();
        coding.hash(&mut hasher);
        (env!("CARGO_PKG_VERSION"), self.form.media_type(), self.piece.get_ref(), &self.foot).hash(&mut hasher);
        self.listing.hash(&mut hasher);
        format!("\"{:016x}\"", hasher.finish())
    }

    /// A small listing leaves in one write with its head, and says how long it is; a large one is read as it is taken. It is
    /// coded if it gains by that: see the coding beside it.
    pub(super) fn into_body(mut self, coding: Option<Coding>) -> (Body, Option<Coding>) {
        let is_short = self.listing.entries.len() <= ROWS_PER_PIECE;
        let is_large = self.piece.get_ref().len() + self.foot.len() > coding::AT_ONCE_BYTES;
        let encoder = coding.filter(|_| !is_short || is_large).and_then(|coding| Encoder::new(coding).ok());
        if let Some(encoder) = encoder {
            return (Body::reader(Coded::new(encoder, self, coding::Pieces::Joined), None), coding);
        }
        if !is_short {
            return (Body::reader(self, None), None);
        }
        let mut all = mem::take(self.piece.get_mut());
        all.extend(iter::from_fn(|| self.write_next()));
        let gaining = coding.filter(|_| all.len() as u64 >= coding::MIN_BYTES);
        match gaining.and_then(|coding| coding::compress(coding, all.as_bytes()).ok().flatten()) {
            Some(coded) => (coded.into(), gaining),
            None => (all.into(), None),
        }
    }

    fn write_next(&mut self) -> Option<String> {
        match self.next {
            Next::Rows(start) if start < self.listing.entries.len() => {
                let end = (start + ROWS_PER_PIECE).min(self.listing.entries.len());
                self.next = Next::Rows(end);
                Some(self.form.rows(&self.listing, start..end))
            }
            Next::Rows(_) => {
                self.next = Next::Nothing;
                Some(mem::take(&mut self.foot))
            }
            Next::Nothing => None,
        }
    }
}

impl Read for Pieces {
    /// Fills the buffer while there is something to fill it with.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.piece.read(&mut buffer[filled..])? {
                0 => match self.write_next() {
                    Some(piece) => self.piece = io::Cursor::new(piece),
                    None => break,
                },
                count => filled += count,
            }
        }
        Ok(filled)
    }
}
