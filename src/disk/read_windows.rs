//! Reading at a place. The cursor moves, but nothing here looks at it.

use std::fs::File;
use std::io;
use std::os::windows::fs::FileExt;

pub(crate) fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    file.seek_read(buffer, offset)
}
