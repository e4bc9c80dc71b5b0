//! A transport without a network: for tests, fuzzers and the simulator.
//!
//! A [`Wire`] is what two sockets and the system between them are: bytes on their way in both directions, and the edges
//! that the system would report. It can be as unkind as a real one, where a test asks for it: operations fall short,
//! block or fail. Whoever was told to wait is told when the wait is over, once, as `epoll` does it.
//!
//! Pattern: Strategy (a transport without a network).

use std::collections::VecDeque;
use std::fmt;
use std::io::{self, IoSlice};
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mio::event::Source;

use super::super::input::Input;
use super::super::output::{Front, Output, SLICES_PER_WRITE};
use super::{Pull, Push, SEND_PER_TURN_BYTES, Step, Transport, read_piece};

/// What the server tries on its end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// A read.
    Read,
    /// A write, or a piece of a file.
    Write,
}

/// What a system may do to an operation. Right programs bear all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing: it goes as far as it can.
    Nothing,
    /// It moves at most so many bytes (but one at least), and says nothing of whether there is more.
    Short(usize),
    /// It would block, though it need not; the system says so when it no longer does.
    WouldBlock,
    /// The connection is reset: this operation and all that follow fail.
    Reset,
    /// If it is a piece of a file, it lies on a disk and a worker has to read it first. Else nothing.
    Cold,
}

/// Decides what happens to each operation.
type Faults = Box<dyn FnMut(Operation) -> Fault + Send>;

/// Both directions of a wire, as the test at its far end sees them.
pub(crate) struct Wire {
    /// What the peer has sent and the server has not read.
    to_server: VecDeque<u8>,
    /// What the server has sent.
    to_peer: Vec<u8>,
    /// The lengths of the writes that made [`Self::to_peer`].
    writes: Vec<usize>,
    /// How many bytes more the peer's side takes before the server's writes block.
    window: usize,
    peer: End,
    server: End,
    edges: Edges,
    /// Whether the server's last write found the window shut.
    sending: Sending,
    faults: Option<Faults>,
    /// How often the server has read.
    reads: u64,
}

/// How far one side has closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum End {
    Open,
    /// It sends no more (a half-close).
    Finished,
    /// It is gone. A peer that is gone has reset the connection.
    Gone,
}

/// What the system would report next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Edges {
    pub(crate) readable: bool,
    pub(crate) writable: bool,
}

/// What an operation may do.
enum Allowed {
    /// Move so many bytes.
    AtMost(usize),
    /// The same, but no bytes of a file that no worker has read.
    UnlessCold,
    Nothing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sending {
    Free,
    Blocked,
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
            writes: Vec::new(),
            window: usize::MAX,
            peer: End::Open,
            server: End::Open,
            edges: Edges::default(),
            sending: Sending::Free,
            faults: None,
            reads: 0,
        }))
    }

    /// The peer sends. Nobody is there to read it once the server has gone, and the system answers with a reset.
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        if self.server == End::Gone {
            return self.reset();
        }
        self.to_server.extend(bytes);
        self.edges.readable = true;
    }

    /// The peer takes what has come; with it, the lengths of the writes.
    pub(crate) fn recv(&mut self) -> (Vec<u8>, Vec<usize>) {
        (mem::take(&mut self.to_peer), mem::take(&mut self.writes))
    }

    /// The peer takes `bytes` more, and nothing beyond.
    pub(crate) fn open_window(&mut self, bytes: usize) {
        self.window = bytes;
        if bytes > 0 && mem::replace(&mut self.sending, Sending::Free) == Sending::Blocked {
            self.edges.writable = true;
        }
    }

    /// The peer sends no more.
    pub(crate) fn finish(&mut self) {
        self.peer = self.peer.max(End::Finished);
        self.edges.readable = true;
    }

    /// The connection is torn down.
    pub(crate) fn reset(&mut self) {
        self.peer = End::Gone;
        self.edges = Edges { readable: true, writable: true };
    }

    pub(crate) fn fail_with(&mut self, faults: Option<Faults>) {
        self.faults = faults;
    }

    /// Takes what the system has to report.
    pub(crate) fn take_edges(&mut self) -> Edges {
        mem::take(&mut self.edges)
    }

    pub(crate) fn has_news(&self) -> bool {
        self.edges != Edges::default()
    }

    pub(crate) fn peer(&self) -> End {
        self.peer
    }

    pub(crate) fn server(&self) -> End {
        self.server
    }

    pub(crate) fn reads(&self) -> u64 {
        self.reads
    }

    /// The server drops its end. What it has not read makes the system send a reset, which can overtake the answer on its
    /// way (RFC 9112 section 9.6).
    fn hang_up(&mut self) {
        self.server = End::Gone;
        self.faults = None;
        if !self.to_server.is_empty() {
            self.reset();
        }
    }

    /// What the next operation may do.
    fn allow(&mut self, operation: Operation) -> io::Result<Allowed> {
        if self.peer == End::Gone {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        match self.faults.as_mut().map_or(Fault::Nothing, |faults| faults(operation)) {
            Fault::Nothing => Ok(Allowed::AtMost(usize::MAX)),
            Fault::Short(most) => Ok(Allowed::AtMost(most.max(1))),
            Fault::Cold => Ok(Allowed::UnlessCold),
            Fault::WouldBlock => {
                self.owe(operation);
                Ok(Allowed::Nothing)
            }
            Fault::Reset => {
                self.reset();
                Err(io::ErrorKind::ConnectionReset.into())
            }
        }
    }

    /// Whoever was told to wait is told when the wait is over.
    fn owe(&mut self, operation: Operation) {
        match operation {
            Operation::Read => self.edges.readable = true,
            Operation::Write => self.edges.writable = true,
        }
    }

    /// Takes pieces as one write would, up to `most` bytes; returns how many.
    fn take<'a>(&mut self, pieces: impl Iterator<Item = &'a [u8]>, most: usize) -> usize {
        let room = self.window.min(most);
        let mut taken = 0;
        for piece in pieces {
            let count = piece.len().min(room - taken);
            self.to_peer.extend_from_slice(&piece[..count]);
            taken += count;
        }
        if self.window != usize::MAX {
            self.window -= taken;
        }
        match taken {
            0 => self.sending = Sending::Blocked,
            _ => self.writes.push(taken),
        }
        taken
    }
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wire")
            .field("bytes_to_server", &self.to_server.len())
            .field("bytes_to_peer", &self.to_peer.len())
            .field("window", &self.window)
            .field("peer", &self.peer)
            .field("server", &self.server)
            .field("edges", &self.edges)
            .finish_non_exhaustive()
    }
}

impl Memory {
    pub(crate) fn new(wire: Arc<Mutex<Wire>>) -> Self {
        Self { wire }
    }

    fn wire(&self) -> MutexGuard<'_, Wire> {
        self.wire.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One write, or one piece of a file; nothing where it blocks.
    fn push_once(&self, output: &mut Output) -> io::Result<Step> {
        let mut wire = self.wire();
        let (most, is_cold) = match wire.allow(Operation::Write)? {
            Allowed::AtMost(most) => (most, false),
            Allowed::UnlessCold => (usize::MAX, true),
            Allowed::Nothing => return Ok(Step::Nothing),
        };
        let sent = match output.front() {
            Front::Nothing => 0,
            Front::Bytes(bytes) => wire.take([bytes].into_iter(), most),
            Front::Pieces { .. } => {
                let mut slices = [IoSlice::new(&[]); SLICES_PER_WRITE];
                let count = output.slices(&mut slices);
                wire.take(slices[..count].iter().map(|slice| &**slice), most)
            }
            Front::File { warm: 0, .. } if is_cold => return Ok(Step::Cold),
            Front::File { slice, warm } => {
                let piece = read_piece(slice, if *warm == 0 { u64::MAX } else { *warm })?;
                if piece.is_empty() {
                    return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "its file is shorter than was promised"));
                }
                wire.take([&*piece].into_iter(), most)
            }
        };
        output.advance(sent);
        Ok(if sent > 0 { Step::Sent(sent) } else { Step::Nothing })
    }
}

impl Transport for Memory {
    fn source(&mut self) -> Option<&mut dyn Source> {
        None
    }

    fn pull(&mut self, input: &mut Input, most: usize) -> io::Result<Pull> {
        let mut wire = self.wire();
        wire.reads += 1;
        let allowed = match wire.allow(Operation::Read)? {
            Allowed::AtMost(bytes) => bytes,
            Allowed::UnlessCold => usize::MAX,
            Allowed::Nothing => return Ok(Pull::Blocked),
        };
        let spare = input.spare(most);
        let room = spare.len();
        let count = room.min(wire.to_server.len()).min(allowed);
        for (place, byte) in spare.iter_mut().zip(wire.to_server.drain(..count)) {
            *place = byte;
        }
        input.filled(count);
        Ok(match count {
            // As of a socket: a read into no room gives nothing, and looks like the end.
            0 if wire.peer == End::Finished || room == 0 => Pull::End,
            0 => Pull::Blocked,
            _ if count < room.min(allowed) => Pull::Drained(count),
            _ => Pull::Bytes(count),
        })
    }

    fn push(&mut self, output: &mut Output) -> io::Result<Push> {
        let mut budget = SEND_PER_TURN_BYTES;
        while !output.is_empty() {
            let sent = match self.push_once(output)? {
                Step::Sent(sent) => sent,
                Step::Nothing => return Ok(Push::Blocked),
                Step::Cold => return Ok(Push::Cold),
            };
            budget = budget.saturating_sub(sent as u64);
            if budget == 0 && !output.is_empty() {
                return Ok(Push::Unfinished);
            }
        }
        Ok(Push::Drained)
    }

    fn finish(&mut self) -> io::Result<Push> {
        let mut wire = self.wire();
        wire.server = End::Finished;
        if wire.peer == End::Gone { Err(io::ErrorKind::NotConnected.into()) } else { Ok(Push::Drained) }
    }

    fn abort(&mut self) {
        self.wire().reset();
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        self.wire().hang_up();
    }
}
