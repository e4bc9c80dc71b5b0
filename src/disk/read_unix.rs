//! Reading at a place, without moving a cursor that other threads may share.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

pub(crate) fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    file.read_at(buffer, offset)
}
