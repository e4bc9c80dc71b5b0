//! Moves bytes between a socket and a [`Connection`](super::Connection); knows nothing of what they mean.
//!
//! `WouldBlock` is news here, not an error ([`Pull::Blocked`], [`Push::Blocked`]), and `Interrupted` is retried: nobody
//! above ever sees either. [`Plain`] is TCP and unix sockets, [`Memory`] is for tests. TLS will be one more.
//!
//! Pattern: Strategy ([`Transport`]).

#[cfg(target_os = "linux")]
#[path = "linux.rs"]
mod system;
#[cfg(not(target_os = "linux"))]
#[path = "portable.rs"]
mod system;

mod memory;
#[cfg(all(test, target_os = "linux"))]
#[path = "portable.rs"]
mod portable_tested_here;
#[cfg(unix)]
mod unix;

use std::io::{self, IoSlice};
use std::net::Shutdown;
use std::time::Duration;

use mio::event::Source;

pub(crate) use memory::{End, Memory, Wire};
pub use memory::{Fault, Operation};

use super::input::Input;
use super::output::{Front, More, Output, SLICES_PER_WRITE};
use crate::disk;
use crate::message::FileSlice;

/// What one read brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pull {
    /// So many bytes, and there may be more. 0: progress without bytes (a TLS handshake record).
    Bytes(usize),
    /// So many bytes, and for now there are no more.
    Drained(usize),
    /// Nothing now.
    Blocked,
    /// The peer has finished.
    End,
}

impl Pull {
    /// How many bytes have come.
    pub(crate) fn bytes(self) -> usize {
        match self {
            Self::Bytes(count) | Self::Drained(count) => count,
            Self::Blocked | Self::End => 0,
        }
    }
}

/// How far sending came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Push {
    /// The output is empty.
    Drained,
    /// The peer must read first.
    Blocked,
    /// The socket would take more, but it is another client's turn.
    Unfinished,
    /// The next bytes are of a file and lie on the disk: who may wait must read them first.
    Cold,
}

/// One step of it.
enum Step {
    Nothing,
    Sent(usize),
    Cold,
}

/// One client's way to the network. It may be handed to another loop before it is used.
pub(crate) trait Transport: Send {
    /// What an event loop waits on; `None` where there is no socket.
    fn source(&mut self) -> Option<&mut dyn Source>;
    /// One read into `input`, until at most `most` bytes are in it, of which there are fewer now.
    fn pull(&mut self, input: &mut Input, most: usize) -> io::Result<Pull>;
    /// Sends from the front of `output`.
    fn push(&mut self, output: &mut Output) -> io::Result<Push>;
    /// Says to the peer that nothing more will come (a half-close); reading goes on.
    fn finish(&mut self) -> io::Result<Push>;
    /// Lets the end of the socket be a reset, so that the peer cannot take what it has for complete.
    fn abort(&mut self);
}

/// After so many bytes in one turn, the other clients go first: on loopback a client can read as fast as we send.
pub(crate) const SEND_PER_TURN_BYTES: u64 = 2 * 1024 * 1024;

/// So much of a file is asked for at once, whether it is in the system's memory. The question costs little beside the sending;
/// but what a slow client takes much later may have been forgotten again.
const ASK_BYTES: u64 = 2 * SEND_PER_TURN_BYTES;

/// A Linux stream socket that gave less than we had room for is empty (epoll(7), question 9), which saves the read
/// that would say so. Elsewhere only `WouldBlock` may say so.
const SHORT_READ_MEANS_DRAINED: bool = cfg!(target_os = "linux");

/// How much of a file is read at once where it goes through our memory, in bytes.
const PIECE_BYTES: u64 = 64 * 1024;

/// The start of a stretch of a file, at most `most` bytes; nothing at the end of the file.
fn read_piece(slice: &FileSlice, most: u64) -> io::Result<Vec<u8>> {
    let count = slice.length.min(most).min(PIECE_BYTES);
    let mut piece = vec![0; usize::try_from(count).unwrap_or_default()];
    let read = disk::read_at(&slice.file, &mut piece, slice.offset)?;
    piece.truncate(read);
    Ok(piece)
}

/// How much of what comes next of a file can be sent without waiting for the disk.
fn warm_length(slice: &FileSlice) -> u64 {
    disk::warm_length(&slice.file, slice.offset..slice.offset + slice.length.min(ASK_BYTES))
}

/// A socket as it is, without encryption.
pub(crate) struct Plain<S> {
    socket: S,
}

/// What [`Plain`] needs of a socket.
pub(crate) trait Socket: Source + system::Descriptor + Send {
    fn shutdown(&self, how: Shutdown) -> io::Result<()>;
    /// Makes closing a reset, where this kind of socket knows one.
    fn reset_on_close(&self);
}

impl Socket for mio::net::TcpStream {
    fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        Self::shutdown(self, how)
    }

    fn reset_on_close(&self) {
        // It can only fail on a socket that is reset already.
        let _ = socket2::SockRef::from(self).set_linger(Some(Duration::ZERO));
    }
}

impl<S: Socket> Plain<S> {
    pub(crate) fn new(socket: S) -> Self {
        Self { socket }
    }

    /// One write or sendfile from the front.
    fn push_once(&self, output: &mut Output) -> io::Result<Step> {
        let sent = match output.front() {
            Front::Nothing => return Ok(Step::Nothing),
            Front::Bytes(bytes) => system::send(&self.socket, &[IoSlice::new(bytes)], More::Nothing)?,
            Front::Pieces { more } => {
                let mut slices = [IoSlice::new(&[]); SLICES_PER_WRITE];
                let count = output.slices(&mut slices);
                system::send(&self.socket, &slices[..count], more)?
            }
            Front::File { slice, warm } => {
                if *warm == 0 {
                    *warm = warm_length(slice);
                }
                if *warm == 0 {
                    return Ok(Step::Cold);
                }
                match system::send_file(&self.socket, slice, SEND_PER_TURN_BYTES.min(*warm))? {
                    // The length was promised in the head: the connection is all that can be given up.
                    0 => {
                        return Err(io::Error::new(
                            io::ErrorKind::UnexpectedEof,
                            "its file is shorter than was promised",
                        ));
                    }
                    sent => sent,
                }
            }
        };
        output.advance(sent);
        Ok(Step::Sent(sent))
    }
}

impl<S: Socket> Transport for Plain<S> {
    fn source(&mut self) -> Option<&mut dyn Source> {
        Some(&mut self.socket)
    }

    fn pull(&mut self, input: &mut Input, most: usize) -> io::Result<Pull> {
        let spare = input.spare(most);
        let room = spare.len();
        debug_assert!(room > 0, "a read of nothing looks like the end");
        loop {
            match system::recv(&self.socket, spare) {
                Ok(0) => return Ok(Pull::End),
                Ok(count) => {
                    input.filled(count);
                    let is_drained = SHORT_READ_MEANS_DRAINED && count < room;
                    return Ok(if is_drained { Pull::Drained(count) } else { Pull::Bytes(count) });
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(Pull::Blocked),
                Err(error) => return Err(error),
            }
        }
    }

    fn push(&mut self, output: &mut Output) -> io::Result<Push> {
        let mut budget = SEND_PER_TURN_BYTES;
        loop {
            match self.push_once(output) {
                Ok(Step::Nothing) => return Ok(Push::Drained),
                Ok(Step::Cold) => return Ok(Push::Cold),
                Ok(Step::Sent(sent)) => {
                    budget = budget.saturating_sub(sent as u64);
                    if output.is_empty() {
                        return Ok(Push::Drained);
                    } else if budget == 0 {
                        return Ok(Push::Unfinished);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(Push::Blocked),
                Err(error) => return Err(error),
            }
        }
    }

    fn finish(&mut self) -> io::Result<Push> {
        self.socket.shutdown(Shutdown::Write)?;
        Ok(Push::Drained)
    }

    fn abort(&mut self) {
        self.socket.reset_on_close();
    }
}
