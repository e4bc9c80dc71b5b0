//! A body that is read from an `io::Read` while the client takes it.
//!
//! Reading may block, so it is never done on an event loop: when the client has taken what was read so far, the session
//! gives the [`ReaderBody`] to a worker, which reads one piece and sends both back in a note. Between two pieces a slow
//! client holds no thread, and at most one piece is in memory.
//!
//! Pattern: Iterator (pulled by the consumer).

use std::fmt;
use std::io::{self, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::{Buf, Bytes};

/// How much is read at once, in bytes.
const PIECE_BYTES: usize = 64 * 1024;

/// What is left of a body that is read.
pub(crate) struct ReaderBody {
    reader: Box<dyn Read + Send>,
    /// How many bytes must still come; `None` where only the end of the reader tells.
    left: Option<u64>,
}

/// What a worker has read of a [`Body::reader`](super::Body::reader).
pub struct Piece {
    pub(crate) outcome: io::Result<PieceRead>,
}

/// One read.
pub(crate) enum PieceRead {
    Bytes(Bytes, ReaderBody),
    End,
}

impl ReaderBody {
    pub(crate) fn new(reader: Box<dyn Read + Send>, len: Option<u64>) -> Self {
        Self { reader, left: len }
    }

    pub(crate) fn len(&self) -> Option<u64> {
        self.left
    }

    /// The same with bytes behind it.
    pub(crate) fn append(self, tail: Bytes) -> Self {
        let (most, left) = (self.left.unwrap_or(u64::MAX), self.left.map(|left| left + tail.len() as u64));
        Self { reader: Box::new(self.reader.take(most).chain(tail.reader())), left }
    }

    /// Reads the next piece, which may block. A reader that panics has failed.
    pub(crate) fn read_piece(mut self) -> Piece {
        let read = catch_unwind(AssertUnwindSafe(|| self.fill()));
        let outcome = read.unwrap_or_else(|_| Err(io::Error::other("the reader of a body panicked")));
        let outcome =
            outcome.map(|bytes| if bytes.is_empty() { PieceRead::End } else { PieceRead::Bytes(bytes, self) });
        Piece { outcome }
    }

    /// What one read gives goes out as it is: a reader that has something now may have the next only in a while. Empty at
    /// the end.
    fn fill(&mut self) -> io::Result<Bytes> {
        let mut piece = vec![0; self.at_most(PIECE_BYTES)];
        let count = loop {
            match self.read(&mut piece) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read?,
            }
        };
        piece.truncate(count);
        Ok(piece.into())
    }

    fn at_most(&self, bytes: usize) -> usize {
        self.left.map_or(bytes, |left| usize::try_from(left).unwrap_or(usize::MAX).min(bytes))
    }
}

/// The promised length is kept: more is not read, and fewer is an error.
impl Read for ReaderBody {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = self.at_most(buffer.len());
        if most == 0 {
            return Ok(0);
        }
        match (self.reader.read(&mut buffer[..most])?, &mut self.left) {
            (0, Some(left)) => {
                let text = format!("the reader of a body ended {left} bytes early");
                Err(io::Error::new(io::ErrorKind::UnexpectedEof, text))
            }
            (count, Some(left)) => {
                *left -= count as u64;
                Ok(count)
            }
            (count, None) => Ok(count),
        }
    }
}

impl fmt::Debug for ReaderBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReaderBody").field("left", &self.left).finish_non_exhaustive()
    }
}

impl fmt::Debug for Piece {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.outcome {
            Ok(PieceRead::Bytes(bytes, _)) => write!(f, "{} bytes", bytes.len()),
            Ok(PieceRead::End) => f.write_str("the end"),
            Err(error) => write!(f, "{error}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(mut body: ReaderBody) -> io::Result<Vec<usize>> {
        let mut pieces = Vec::new();
        loop {
            match body.read_piece().outcome? {
                PieceRead::Bytes(bytes, rest) => {
                    pieces.push(bytes.len());
                    body = rest;
                }
                PieceRead::End => return Ok(pieces),
            }
        }
    }

    fn body(bytes: usize, len: Option<u64>) -> ReaderBody {
        ReaderBody::new(Box::new(io::repeat(b'x').take(bytes as u64)), len)
    }

    #[test]
    fn a_reader_comes_in_pieces_of_bounded_size() {
        assert_eq!(read_all(body(PIECE_BYTES * 2 + 5, None)).unwrap(), [PIECE_BYTES, PIECE_BYTES, 5]);
        assert_eq!(read_all(body(0, None)).unwrap(), Vec::<usize>::new());
    }

    #[test]
    fn a_promised_length_is_kept_or_the_body_fails() {
        assert_eq!(read_all(body(10, Some(10))).unwrap(), [10]);
        assert_eq!(read_all(body(10, Some(7))).unwrap(), [7], "more is not sent");
        assert_eq!(read_all(body(10, Some(11))).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }

    #[test]
    fn a_reader_that_panics_has_failed() {
        struct Panics;
        impl Read for Panics {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                panic!("on purpose")
            }
        }
        assert!(read_all(ReaderBody::new(Box::new(Panics), None)).is_err());
    }
}
