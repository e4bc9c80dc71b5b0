//! A transport without a network: for tests, fuzzers and the simulator.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mio::event::Source;

use super::super::input::Input;
use super::super::output::{Front, Output, SLICES_PER_WRITE};
use super::{Pull, Push, Transport, read_piece};

/// Both directions of a wire, as the test at its far end sees them.
#[derive(Debug)]
pub(crate) struct Wire {
    /// What the peer has sent and the server has not read.
    pub(crate) to_server: VecDeque<u8>,
    /// What the server has sent.
    pub(crate) to_peer: Vec<u8>,
    /// How many bytes more the peer's side takes before the server's writes block.
    pub(crate) window: usize,
    /// The peer has finished sending.
    pub(crate) peer_has_finished: bool,
    /// The server has finished sending.
    pub(crate) server_has_finished: bool,
}

/// The server's end of a [`Wire`].
pub(crate) struct Memory {
    wire: Arc<Mutex<Wire>>,
}

impl Wire {
    pub(crate) fn new() -> Arc<Mutex<Self>> {
        Arc::new(Mutex::new(Self {
            to_server: VecDeque::new(),
            to_peer: Vec::new(),
            window: usize::MAX,
            peer_has_finished: false,
            server_has_finished: false,
        }))
    }

    fn take(&mut self, bytes: &[u8]) -> usize {
        let count = bytes.len().min(self.window);
        self.to_peer.extend_from_slice(&bytes[..count]);
        if self.window != usize::MAX {
            self.window -= count;
        }
        count
    }
}

impl Memory {
    pub(crate) fn new(wire: Arc<Mutex<Wire>>) -> Self {
        Self { wire }
    }

    fn wire(&self) -> MutexGuard<'_, Wire> {
        self.wire.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Transport for Memory {
    fn source(&mut self) -> Option<&mut dyn Source> {
        None
    }

    fn pull(&mut self, input: &mut Input) -> io::Result<Pull> {
        let mut wire = self.wire();
        let spare = input.spare();
        let count = spare.len().min(wire.to_server.len());
        for (place, byte) in spare.iter_mut().zip(wire.to_server.drain(..count)) {
            *place = byte;
        }
        input.filled(count);
        Ok(match count {
            0 if wire.peer_has_finished => Pull::End,
            0 => Pull::Blocked,
            _ => Pull::Bytes(count),
        })
    }

    fn push(&mut self, output: &mut Output) -> io::Result<Push> {
        let mut wire = self.wire();
        loop {
            let sent = match output.front() {
                Front::Nothing => return Ok(Push::Drained),
                Front::Bytes { .. } => {
                    let mut slices = [IoSlice::new(&[]); SLICES_PER_WRITE];
                    let count = output.slices(&mut slices);
                    slices[..count].iter().map(|slice| wire.take(slice)).sum()
                }
                Front::File(slice) => {
                    let piece = read_piece(slice, u64::MAX)?;
                    if piece.is_empty() {
                        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file became shorter"));
                    }
                    wire.take(&piece)
                }
            };
            if sent == 0 {
                return Ok(Push::Blocked);
            }
            output.advance(sent);
        }
    }

    fn finish(&mut self) -> io::Result<Push> {
        self.wire().server_has_finished = true;
        Ok(Push::Drained)
    }
}
