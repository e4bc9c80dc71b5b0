//! A body, read as the parser asks for it: heads of parts, and their contents as an `io::Read`.

use std::io::{self, Read};

use super::error::MultipartError;
use super::head::PartHead;
use super::parser::{Parser, Step};
use crate::message::Error;

/// How much of the body is looked at at once, in bytes.
const BUFFER_BYTES: usize = 64 * 1024;

pub(super) struct Stream<'a> {
    source: Box<dyn Read + 'a>,
    parser: Parser,
    /// What was read; the first `consumed` bytes are done with.
    buffer: Vec<u8>,
    consumed: usize,
    pub(super) limits: Limits,
    count: usize,
    total: u64,
    place: Place,
}

/// How much of what we take.
pub(super) struct Limits {
    /// Parts.
    pub(super) count: usize,
    /// Bytes of one part.
    pub(super) part: u64,
    /// Bytes of all.
    pub(super) total: u64,
}

enum Place {
    BetweenParts,
    InPart {
        name: String,
        /// How many bytes of it were taken.
        length: u64,
        /// How many bytes behind `consumed` are known to be its content.
        ready: usize,
    },
}

impl<'a> Stream<'a> {
    pub(super) fn new(source: impl Read + 'a, boundary: &str) -> Self {
        Self {
            source: Box::new(source),
            parser: Parser::new(boundary, 8 * 1024),
            buffer: Vec::new(),
            consumed: 0,
            limits: Limits { count: 100, part: u64::MAX, total: u64::MAX },
            count: 0,
            total: 0,
            place: Place::BetweenParts,
        }
    }

    /// A head must fit into the buffer.
    pub(super) fn set_head_limit(&mut self, bytes: usize) {
        self.parser.head_limit = bytes.min(BUFFER_BYTES / 2);
    }

    /// The head of the next part, past what is left of the one before; `None` behind the last.
    pub(super) fn next_head(&mut self) -> Result<Option<PartHead>, Error> {
        loop {
            while self.ready()? > 0 {
                self.take(usize::MAX)?;
            }
            match self.step()? {
                Step::Head(head, _) => {
                    self.count += 1;
                    if self.count > self.limits.count {
                        return Err(MultipartError::TooManyParts { limit: self.limits.count }.into_error());
                    }
                    self.place = Place::InPart { name: head.name.clone(), length: 0, ready: 0 };
                    return Ok(Some(head));
                }
                Step::End => return Ok(None),
                _ => {}
            }
        }
    }

    /// How many bytes of the part's content are there; 0 where it ends, and between parts.
    fn ready(&mut self) -> Result<usize, Error> {
        loop {
            match &mut self.place {
                Place::BetweenParts => return Ok(0),
                Place::InPart { ready: 0, .. } => {}
                Place::InPart { ready, .. } => return Ok(*ready),
            }
            match (self.step()?, &mut self.place) {
                (Step::Content(length), Place::InPart { ready, .. }) => *ready = length,
                (Step::PartEnd(_), place) => *place = Place::BetweenParts,
                _ => {}
            }
        }
    }

    /// Takes up to `most` of the bytes that are ready. Gives where they lie in the buffer.
    fn take(&mut self, most: usize) -> Result<std::ops::Range<usize>, Error> {
        let Place::InPart { name, length, ready } = &mut self.place else { return Ok(0..0) };
        let count = most.min(*ready);
        (*length, *ready) = (*length + count as u64, *ready - count);
        self.total += count as u64;
        if *length > self.limits.part {
            return Err(MultipartError::PartTooLarge { name: name.clone(), limit: self.limits.part }.into_error());
        }
        if self.total > self.limits.total {
            return Err(MultipartError::TotalTooLarge { limit: self.limits.total }.into_error());
        }
        let start = self.consumed;
        self.consumed += count;
        Ok(start..self.consumed)
    }

    /// What comes next. All of it is consumed but content, which is for the caller to take.
    fn step(&mut self) -> Result<Step, Error> {
        loop {
            let step = self.parser.step(&self.buffer[self.consumed..]).map_err(MultipartError::into_error)?;
            match step {
                Step::NeedsMore => self.read_more()?,
                Step::Head(_, length) | Step::PartEnd(length) | Step::Skip(length) => {
                    self.consumed += length;
                    return Ok(step);
                }
                Step::Content(_) | Step::End => return Ok(step),
            }
        }
    }

    fn read_more(&mut self) -> Result<(), Error> {
        self.buffer.drain(..self.consumed);
        self.consumed = 0;
        let there = self.buffer.len();
        // The parser never asks for more where it has half a buffer, so there is room.
        self.buffer.resize(BUFFER_BYTES, 0);
        let read = loop {
            match self.source.read(&mut self.buffer[there..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read,
            }
        };
        self.buffer.truncate(there + *read.as_ref().unwrap_or(&0));
        match read? {
            0 => Err(MultipartError::Truncated.into_error()),
            _ => Ok(()),
        }
    }
}

/// The content of the part that we are in.
impl Read for Stream<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if into.is_empty() || self.ready().map_err(Error::into_io)? == 0 {
            return Ok(0);
        }
        let taken = self.take(into.len()).map_err(Error::into_io)?;
        into[..taken.len()].copy_from_slice(&self.buffer[taken.clone()]);
        Ok(taken.len())
    }
}
