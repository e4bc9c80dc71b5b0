//! Without the feature `compress`, only files that are compressed already are served so.

use std::io;

use super::Coding;

pub(crate) fn compress(_: Coding, _: &[u8]) -> io::Result<Option<Vec<u8>>> {
    Ok(None)
}
