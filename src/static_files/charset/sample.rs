//! Pieces of a text: all of it if it is small, else stretches from all over it, cut where no character is cut.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

/// Up to so many bytes, a text is looked at whole; of a larger one, so many are read.
const SAMPLE_BYTES: usize = 256 * 1024;

/// A large text is looked at in pieces of so many bytes.
const PIECE_BYTES: usize = 4 * 1024;

/// In all charsets that a file may have, no byte below this is part of a character of several bytes.
const FIRST_TRAIL_BYTE: u8 = b'0';

/// The bytes that are looked at, of a file of that length. Fails with `UnexpectedEof` if it has become shorter.
pub(super) fn read(file: &mut File, length: u64) -> io::Result<Vec<u8>> {
    let size = usize::try_from(length).unwrap_or(usize::MAX).min(SAMPLE_BYTES);
    let mut sample = vec![0; size];
    if size as u64 == length {
        file.rewind()?;
        file.read_exact(&mut sample)?;
        return Ok(sample);
    }
    let last = (SAMPLE_BYTES / PIECE_BYTES - 1) as u64;
    for (index, piece) in (0..).zip(sample.chunks_exact_mut(PIECE_BYTES)) {
        // From the first byte to the last, in even steps; the step is what overflows last.
        let place = (length - PIECE_BYTES as u64) / last * index;
        file.seek(SeekFrom::Start(if index == last { length - PIECE_BYTES as u64 } else { place }))?;
        file.read_exact(piece)?;
    }
    Ok(sample)
}

/// The pieces in what was read of a file of that length. They begin and end with whole characters; but the first one, which
/// must be there, may end within one, if there is no place where it can be cut.
pub(super) fn pieces(sample: &[u8], length: u64) -> Vec<&[u8]> {
    if sample.len() as u64 == length {
        return vec![sample];
    }
    let (first, rest) = sample.split_at(PIECE_BYTES);
    let (middle, last) = rest.split_at(rest.len() - PIECE_BYTES);
    let middle = middle.chunks(PIECE_BYTES).filter_map(from_boundary).filter_map(to_boundary);
    std::iter::once(to_boundary(first).unwrap_or(first)).chain(middle).chain(from_boundary(last)).collect()
}

/// The pieces of a text in memory.
pub(super) fn of_bytes(bytes: &[u8]) -> Vec<&[u8]> {
    vec![&bytes[..bytes.len().min(SAMPLE_BYTES)]]
}

/// What begins with the first byte that ASCII does not have.
pub(super) fn from_non_ascii(piece: &[u8]) -> Option<&[u8]> {
    piece.iter().position(|byte| !byte.is_ascii()).map(|place| &piece[place..])
}

/// The start of a piece, at most so long; `None` where it cannot be cut.
pub(super) fn excerpt(piece: &[u8], most: usize) -> Option<&[u8]> {
    if piece.len() <= most { Some(piece) } else { to_boundary(&piece[..most]) }
}

/// What stands behind the first byte that is a character for certain; `None` where there is none.
fn from_boundary(piece: &[u8]) -> Option<&[u8]> {
    Some(&piece[piece.iter().position(|byte| *byte < FIRST_TRAIL_BYTE)? + 1..])
}

/// All up to the last byte that is a character for certain.
fn to_boundary(piece: &[u8]) -> Option<&[u8]> {
    Some(&piece[..=piece.iter().rposition(|byte| *byte < FIRST_TRAIL_BYTE)?])
}
