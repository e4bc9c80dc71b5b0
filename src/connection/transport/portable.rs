//! The same with what every system has: `writev`, and files read piece by piece into memory.

use std::fs::File;
use std::io::{self, IoSlice, Read, Seek, SeekFrom, Write};

use super::super::output::More;
use crate::message::FileSlice;

pub(crate) trait Descriptor {}

impl<T> Descriptor for T {}

/// How much of a file is read at once, in bytes.
const PIECE_BYTES: u64 = 64 * 1024;

/// Writes the slices in one call. [`More`] is a hint that only Linux takes.
pub(super) fn send(socket: &mut impl Write, slices: &[IoSlice<'_>], _: More) -> io::Result<usize> {
    socket.write_vectored(slices)
}

/// Sends up to `most` bytes of the file; 0 at its end. What the socket does not take is read again next time. The
/// handle has one place in the file for all its clones, which is why a response opens the file anew.
pub(super) fn send_file(socket: &mut impl Write, slice: &FileSlice, most: u64) -> io::Result<usize> {
    let count = slice.length.min(most).min(PIECE_BYTES);
    let mut piece = Vec::with_capacity(usize::try_from(count).unwrap_or_default());
    let mut file: &File = &slice.file;
    file.seek(SeekFrom::Start(slice.offset))?;
    file.take(count).read_to_end(&mut piece)?;
    if piece.is_empty() { Ok(0) } else { socket.write(&piece) }
}
