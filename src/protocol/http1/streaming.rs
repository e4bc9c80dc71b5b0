//! An answer whose body is sent as it is made: by a producer on another thread, or by a reader that workers read.
//!
//! Both are asked for more when the client has taken enough, and not before: that is the back-pressure.
//!
//! ```text
//!   Ready ── submit ──► Reading ── note ──► Arrived ──► Ready …
//!     └── the pool is full ──► Refused ── after a moment ──┘
//! ```
//!
//! Pattern: State ([`Pump`]).

use std::io;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::HeaderMap;

use super::HttpSettings;
use super::encode::{self, Length};
use super::exchange::Exchange;
use crate::connection::{Connection, Job, Waits, due};
use crate::message::{Address, BodyReceiver, ExchangeId, Note, Piece, PieceRead, ReaderBody, Received};

/// An answer on its way.
pub(super) struct Streaming {
    pub(super) exchange: Exchange,
    pub(super) length: Length,
    source: Source,
    /// When the stream last moved on.
    since: Instant,
}

/// Where the body comes from.
pub(super) enum Source {
    Channel(BodyReceiver),
    Reader(Pump),
}

/// A reader, and the workers that read it.
pub(super) enum Pump {
    Ready(ReaderBody),
    /// A worker has it.
    Reading,
    /// The worker pool would not take the job; it is asked again then.
    Refused {
        job: Job,
        again: Instant,
    },
    Arrived(Piece),
}

/// What has become of an answer.
pub(super) enum Sent {
    /// There is more, now or later.
    Some,
    All,
    /// It cannot be completed, and the client can tell.
    BrokenOff,
}

/// How long a full worker pool is left alone.
const RETRY: Duration = Duration::from_millis(50);

impl Streaming {
    pub(super) fn new(exchange: Exchange, length: Length, source: Source, now: Instant) -> Self {
        Self { exchange, length, source, since: now }
    }

    /// The client has taken all that was sent.
    pub(super) fn has_moved(&mut self, now: Instant) {
        self.since = now;
    }

    /// Takes a note, if it is for this stream.
    pub(super) fn hear(&mut self, note: Note) {
        match (&mut self.source, note) {
            (Source::Reader(pump), Note::Piece { exchange, piece }) if exchange == self.exchange.id => {
                *pump = Pump::Arrived(piece);
            }
            _ => {} // news of a channel: it is asked anyway
        }
    }

    /// When something must have been sent, or the pool is asked again.
    pub(super) fn deadline(&self, settings: &HttpSettings) -> Instant {
        match &self.source {
            Source::Reader(Pump::Refused { again, .. }) => *again,
            Source::Channel(BodyReceiver { keep_alive: Some(keep_alive), .. }) => due(self.since, keep_alive.interval),
            Source::Channel(_) | Source::Reader(_) => due(self.since, settings.handler_timeout),
        }
    }

    /// Says that a body without an end goes on, though nothing has happened. No other body has anything to say: it has
    /// stood still for too long, unless it was only time to ask the pool again.
    pub(super) fn on_deadline(&mut self, new_socket: &mut Connection, settings: &HttpSettings) -> io::Result<()> {
        let now = new_socket.now();
        if let Source::Channel(BodyReceiver { keep_alive: Some(keep_alive), .. }) = &self.source {
            self.put(new_socket, keep_alive.heartbeat.clone());
            self.since = now;
        } else if now >= due(self.since, settings.handler_timeout) {
            log::error!("a stream for {} stood still for too long (handler_timeout)", new_socket.peer_addr());
            return Err(io::ErrorKind::TimedOut.into());
        }
        Ok(())
    }

    /// The server is shutting down, and nobody can wait for the end of what has none.
    pub(super) fn end_if_endless(&self) {
        if let Source::Channel(receiver @ BodyReceiver { keep_alive: Some(_), .. }) = &self.source {
            receiver.end();
        }
    }

    /// Sends on what there is, while the client takes it. Fails where only a reset tells the client that it is not all.
    pub(super) fn send(&mut self, new_socket: &mut Connection) -> io::Result<Sent> {
        let address = new_socket.own_address();
        while !new_socket.is_full() {
            match self.source.receive(new_socket, &address, self.exchange.id) {
                Received::Bytes(bytes) => {
                    self.since = new_socket.now();
                    self.put(new_socket, bytes);
                }
                Received::Nothing => return Ok(Sent::Some),
                Received::End(trailers) => {
                    if self.length == Length::Chunked {
                        new_socket.output.put_with(|out| encode::last_chunk(out, &trailers));
                    }
                    return Ok(Sent::All);
                }
                // RFC 9112 §8: without its last chunk the client knows the body for incomplete; without chunks, only a
                // reset tells it.
                Received::Aborted if self.length == Length::Chunked => return Ok(Sent::BrokenOff),
                Received::Aborted => {
                    return Err(io::Error::new(io::ErrorKind::ConnectionAborted, "the producer of the body gave up"));
                }
            }
        }
        Ok(Sent::Some)
    }

    fn put(&self, new_socket: &mut Connection, bytes: Bytes) {
        if self.length != Length::Chunked {
            return new_socket.send_bytes(bytes);
        }
        // RFC 9112 §7.1: a chunk without bytes would be the last.
        if bytes.is_empty() {
            return;
        }
        new_socket.output.put_with(|out| encode::chunk_size(out, bytes.len()));
        new_socket.send_bytes(bytes);
        new_socket.send(b"\r\n");
    }
}

impl Source {
    fn receive(&mut self, new_socket: &Connection, address: &Address, exchange: ExchangeId) -> Received {
        match self {
            Self::Channel(receiver) => receiver.receive(address, exchange),
            Self::Reader(pump) => pump.receive(new_socket, address, exchange),
        }
    }
}

impl Pump {
    /// What a worker has read; if nothing is there and nothing on its way, a worker is sent for more.
    fn receive(&mut self, new_socket: &Connection, address: &Address, exchange: ExchangeId) -> Received {
        match std::mem::replace(self, Self::Reading) {
            Self::Arrived(Piece { outcome: Ok(PieceRead::Bytes(bytes, rest)) }) => {
                *self = Self::Ready(rest);
                return Received::Bytes(bytes);
            }
            Self::Arrived(Piece { outcome: Ok(PieceRead::End) }) => return Received::End(HeaderMap::new()),
            Self::Arrived(Piece { outcome: Err(error) }) => {
                log::error!("an answer for {} is broken off: {error}", new_socket.peer_addr());
                return Received::Aborted;
            }
            Self::Ready(reader) => {
                let address = address.clone();
                self.submit(
                    new_socket,
                    Box::new(move || address.post(Note::Piece { exchange, piece: reader.read_piece() })),
                );
            }
            Self::Refused { job, again } if again <= new_socket.now() => self.submit(new_socket, job),
            waiting @ (Self::Refused { .. } | Self::Reading) => *self = waiting,
        }
        Received::Nothing
    }

    fn submit(&mut self, new_socket: &Connection, job: Job) {
        if let Err(job) = new_socket.submit(job, Waits::ForNobody) {
            log::warn!("an answer for {} waits: the worker queue is full (worker_queue)", new_socket.peer_addr());
            *self = Self::Refused { job, again: new_socket.now() + RETRY };
        }
    }
}
