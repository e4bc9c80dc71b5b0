//! A connection as the stream that tungstenite wants, which never waits; and what of a client's message is there.
//!
//! tungstenite reads ahead and does not say where it stands. Here it gets each frame by itself, so that we know: whether a
//! message is on its way, since when, and how much of it has come.
//!
//! Pattern: Adapter (of a connection, to the stream that tungstenite wants).

use std::io::{self, Cursor, Read, Write};
use std::mem;
use std::time::Instant;

use tungstenite::protocol::frame::FrameHeader;
use tungstenite::protocol::frame::coding::{Data, OpCode};

use crate::connection::{Connection, too_slow_at};

/// How far a client's frames have been read.
#[derive(Debug)]
pub(super) struct Incoming {
    /// What is missing of the frame that has begun, in bytes.
    frame_left: u64,
    message: Message,
    /// When a message, or a frame of its own, began.
    since: Instant,
    /// How much of it has come, with what frames it.
    bytes: u64,
    reading: Reading,
}

/// Whether we look at what comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reading {
    Going,
    /// The client is behind with what it is sent, so nothing more is read from it.
    Paused {
        since: Instant,
    },
}

/// Whether the frames so far are whole messages (RFC 6455 section 5.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Message {
    Whole,
    Fragments,
}

impl Incoming {
    pub(super) fn new(now: Instant) -> Self {
        Self { frame_left: 0, message: Message::Whole, since: now, bytes: 0, reading: Reading::Going }
    }

    /// Whether no part of a message is held back.
    pub(super) fn is_at_rest(&self) -> bool {
        self.frame_left == 0 && self.message == Message::Whole
    }

    /// Nothing more is read for now.
    pub(super) fn pause(&mut self, now: Instant) {
        if self.reading == Reading::Going {
            self.reading = Reading::Paused { since: now };
        }
    }

    /// It goes on. We have not looked meanwhile: that is not the client's slowness.
    pub(super) fn resume(&mut self, now: Instant) {
        if let Reading::Paused { since } = mem::replace(&mut self.reading, Reading::Going) {
            self.since += now.saturating_duration_since(since);
        }
    }

    /// When a message that came so far would be too slow, if nothing more came.
    pub(super) fn too_slow_at(&self, bytes_per_second: u32) -> Option<Instant> {
        (self.bytes > 0).then(|| too_slow_at(self.since, self.bytes, bytes_per_second))?
    }

    /// All that has arrived was looked at. A part of a header still lies in the input.
    pub(super) fn take_stock(&mut self, new_socket: &Connection) {
        let waiting = new_socket.input().len() as u64;
        if self.is_at_rest() {
            if self.bytes == 0 {
                self.since = new_socket.now();
            }
            self.bytes = waiting;
        }
    }

    /// Looks at the header of the next frame, if it is there.
    fn begin_frame(&mut self, input: &[u8], now: Instant) {
        let mut cursor = Cursor::new(input);
        match FrameHeader::parse(&mut cursor) {
            Ok(Some((header, length))) => {
                if self.is_at_rest() && self.bytes == 0 {
                    self.since = now;
                }
                self.frame_left = length.saturating_add(cursor.position());
                self.message = match (header.opcode, header.is_final) {
                    (OpCode::Control(_), _) => self.message,
                    (OpCode::Data(Data::Continue | Data::Text | Data::Binary), false) => Message::Fragments,
                    (OpCode::Data(_), _) => Message::Whole,
                };
            }
            Ok(None) => {}
            Err(_) => self.frame_left = input.len() as u64, // let tungstenite see for itself
        }
    }
}

/// For one call of tungstenite.
pub(super) struct Duplex<'a> {
    pub(super) new_socket: &'a mut Connection,
    pub(super) incoming: &'a mut Incoming,
}

impl Read for Duplex<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Self { new_socket, incoming } = self;
        if incoming.frame_left == 0 {
            incoming.begin_frame(new_socket.input(), new_socket.now());
        }
        let left = usize::try_from(incoming.frame_left).unwrap_or(usize::MAX);
        let count = new_socket.input().len().min(left).min(buffer.len());
        if count == 0 && !new_socket.is_eof() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        buffer[..count].copy_from_slice(&new_socket.input()[..count]);
        new_socket.consume(count);
        incoming.frame_left -= count as u64;
        incoming.bytes += count as u64;
        Ok(count)
    }
}

impl Write for Duplex<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.new_socket.send(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
