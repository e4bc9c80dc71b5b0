//! Systems that do not tell what they have in memory: everybody waits for the disk.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::ops::Range;

use super::Patience;

/// Fills `bytes` from the start of the file. Fails with `UnexpectedEof` if it is shorter.
pub(crate) fn read(file: &mut File, bytes: &mut [u8], _: Patience) -> io::Result<()> {
    file.rewind()?; // it may have been looked at
    file.read_exact(bytes)
}

/// All, for what we know.
pub(crate) fn warm_length(_: &File, _: Range<u64>) -> u64 {
    u64::MAX
}

pub(crate) fn warm(_: &File, _: Range<u64>) {}

#[allow(dead_code, reason = "Windows does not ask")]
pub(crate) fn is_remote(_: &File) -> bool {
    false
}
