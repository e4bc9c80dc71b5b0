//! Without the feature `compress`, only files that are compressed already are served so.

use std::io;

use super::Coding;

pub(crate) fn compress(_: Coding, _: &[u8]) -> io::Result<Option<Vec<u8>>> {
    Ok(None)
}

/// There is none.
pub(crate) enum Encoder {}

#[allow(clippy::needless_pass_by_ref_mut, reason = "the other Encoder needs it")]
impl Encoder {
    pub(crate) fn new(_: Coding) -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(crate) fn encode(&mut self, _: &[u8]) -> io::Result<Vec<u8>> {
        match *self {}
    }

    pub(crate) fn flush(&mut self) -> io::Result<Vec<u8>> {
        match *self {}
    }

    pub(crate) fn finish(self) -> io::Result<Vec<u8>> {
        match self {}
    }
}
