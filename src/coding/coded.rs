//! The coded form of what is read, coded while it is read: nothing is held whole.
//!
//! Pattern: Decorator (of a reader).

use std::io::{self, Read};

use bytes::{Buf, Bytes};

use super::Encoder;

/// How much is coded at a time, in plain bytes.
const STEP_BYTES: usize = 64 * 1024;

/// Reads the coded form of what another reader reads.
pub(crate) struct Coded<R> {
    plain: R,
    /// `None` behind the end.
    encoder: Option<Encoder>,
    pieces: Pieces,
    /// Coded, but not taken yet.
    ready: Bytes,
}

impl<R: Read> Coded<R> {
    pub(crate) fn new(encoder: Encoder, plain: R, pieces: Pieces) -> Self {
        Self { plain, encoder: Some(encoder), pieces, ready: Bytes::new() }
    }

    /// Codes on until something is ready, or all is done.
    fn advance(&mut self) -> io::Result<()> {
        let mut step = vec![0; STEP_BYTES];
        while self.ready.is_empty() {
            let Some(mut encoder) = self.encoder.take() else { return Ok(()) };
            let coded = match self.plain.read(&mut step) {
                Ok(0) => {
                    self.ready = encoder.finish()?.into();
                    return Ok(());
                }
                Ok(count) if self.pieces == Pieces::Flushed => {
                    let mut coded = encoder.encode(&step[..count])?;
                    coded.extend(encoder.flush()?);
                    coded
                }
                Ok(count) => encoder.encode(&step[..count])?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => Vec::new(),
                Err(error) => return Err(error),
            };
            self.ready = coded.into();
            self.encoder = Some(encoder);
        }
        Ok(())
    }
}

impl<R: Read> Read for Coded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.advance()?;
        let count = self.ready.len().min(buffer.len());
        self.ready.copy_to_slice(&mut buffer[..count]);
        Ok(count)
    }
}

/// Whether each piece of a reader must be readable at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pieces {
    Flushed,
    Joined,
}
