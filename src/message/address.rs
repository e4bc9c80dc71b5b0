//! How another thread reaches a client: a note, dropped into the mailbox of the loop on which the client lives.
//!
//! A client never leaves its loop and is never locked. Whoever has something for it (a worker that finished, a chat
//! room) holds an [`Address`] and posts a [`Note`]; the loop wakes up and gives the note to the client's session.
//! An address outlives its client: a note for a client that has gone is dropped, never given to the next one in
//! the same slot, because the key carries a generation.
//!
//! Who has an address can still say something. So the addresses that an application gets are counted by the letters that say
//! that one is gone for good: such a letter lies behind all that were sent with it, and whoever has read it has missed none.
//!
//! Pattern: Mailbox (one per loop).

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use super::{IntoResponse, Piece, Response};
use http::StatusCode;

/// Which client of a loop: its slot in the table, and how many clients sat in that slot before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ClientKey {
    pub(crate) slot: u32,
    pub(crate) generation: u32,
}

/// Counts the requests of one connection, so that an answer to an earlier one is known as late.
pub(crate) type ExchangeId = u64;

/// What another thread may tell a session.
#[derive(Debug)]
#[non_exhaustive]
pub enum Note {
    /// The answer to a request that was put off with [`Request::later`](super::Request::later).
    Reply {
        /// Which request of the connection it answers, counted from 1.
        exchange: u64,
        /// The answer.
        response: Response,
    },
    /// The [`Reply`] was dropped unsent: nobody else will answer the request.
    ReplyDropped {
        /// Which request of the connection it should have answered, counted from 1.
        exchange: u64,
    },
    /// What a handler has returned that ran on the worker pool. It may be that the answer comes later still.
    Returned {
        /// Which request of the connection it handled, counted from 1.
        exchange: u64,
        /// What it returned.
        response: Response,
    },
    /// A [`BodySender`](super::BodySender) has something new for the answer that is being sent.
    Body {
        /// Which request of the connection the body answers, counted from 1.
        exchange: u64,
    },
    /// A worker has read more of a [`Body::reader`](super::Body::reader).
    Piece {
        /// Which request of the connection the body answers, counted from 1.
        exchange: u64,
        /// What it has read.
        piece: Piece,
    },
    /// The handler has taken what had arrived of the body: there is room for more.
    Room {
        /// Which request of the connection has the body, counted from 1.
        exchange: u64,
    },
    /// A worker has read the next bytes of a file that is being sent, so that the loop need not wait for the disk. It is for
    /// the loop, and comes to no session.
    Warm {
        /// How many.
        bytes: u64,
    },
    /// One of the [`Connection::address`](crate::Connection::address)es and all its clones were dropped. It is for the loop, and
    /// comes to no session.
    Dropped,
    /// Anything that a session of your own understands.
    Custom(Box<dyn Any + Send>),
}

/// A loop's side of an [`Address`]: takes notes from any thread.
pub(crate) trait Mailbox: Send + Sync {
    /// Keeps the note for the loop and wakes it if it may be asleep.
    fn post(&self, to: ClientKey, note: Note);
}

/// Where one client can be reached, from any thread and for as long as you like.
///
/// Get one from [`Connection::address`](crate::Connection::address). While you have one, the client's session may be told
/// something: if it waits when its peer has finished sending, it is kept.
#[derive(Clone)]
pub struct Address {
    mailbox: Arc<dyn Mailbox>,
    client: ClientKey,
}

impl Address {
    pub(crate) fn new(mailbox: Arc<dyn Mailbox>, client: ClientKey) -> Self {
        Self { mailbox, client }
    }

    /// The same for an application: when the last clone of it is dropped, the client gets a [`Note::Dropped`].
    pub(crate) fn with_lifeline(self) -> Self {
        let client = self.client;
        Self { mailbox: Arc::new(Lifeline { to: self }), client }
    }

    /// Another client of the same loop.
    pub(crate) fn set_client(&mut self, client: ClientKey) {
        self.client = client;
    }

    /// Sends anything to the client's session; it arrives as [`Note::Custom`]. Lost without a word if the client has gone.
    pub fn send(&self, message: impl Any + Send) {
        self.post(Note::Custom(Box::new(message)));
    }

    pub(crate) fn post(&self, note: Note) {
        self.mailbox.post(self.client, note);
    }
}

/// A mailbox that says when nobody has an address any more.
struct Lifeline {
    to: Address,
}

impl Mailbox for Lifeline {
    fn post(&self, to: ClientKey, note: Note) {
        self.to.mailbox.post(to, note);
    }
}

impl Drop for Lifeline {
    fn drop(&mut self) {
        self.to.post(Note::Dropped);
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Address").field("client", &self.client).finish_non_exhaustive()
    }
}

/// The right to answer one request, from any thread, whenever the answer is ready.
///
/// Made by [`Request::later`](super::Request::later). A reply that is dropped unsent answers 500, so that no client
/// waits for a thread that has died.
#[derive(Debug)]
#[must_use = "dropping a Reply answers 500"]
pub struct Reply {
    /// `None` once sent.
    to: Option<Address>,
    exchange: ExchangeId,
    sender: Sender,
}

/// On whose behalf a reply is sent.
#[derive(Debug, Clone, Copy)]
enum Sender {
    Application,
    WorkerPool,
}

impl Reply {
    pub(crate) fn new(to: Address, exchange: ExchangeId) -> Self {
        Self { to: Some(to), exchange, sender: Sender::Application }
    }

    /// For what a handler returns on the worker pool.
    pub(crate) fn of_worker(to: Address, exchange: ExchangeId) -> Self {
        Self { to: Some(to), exchange, sender: Sender::WorkerPool }
    }

    /// Sends the answer. It is dropped without a word if the client has gone.
    pub fn send(mut self, response: impl IntoResponse) {
        self.deliver(response.into_response());
    }

    /// Nobody shall be answered by it: somebody else does.
    pub(crate) fn withdraw(mut self) {
        self.to = None;
    }

    fn deliver(&mut self, response: Response) {
        let exchange = self.exchange;
        if let Some(to) = self.to.take() {
            to.post(match self.sender {
                Sender::Application => Note::Reply { exchange, response },
                Sender::WorkerPool => Note::Returned { exchange, response },
            });
        }
    }
}

impl Drop for Reply {
    fn drop(&mut self) {
        match self.sender {
            // Whether the client still waits for it, its session knows.
            Sender::Application => {
                if let Some(to) = self.to.take() {
                    to.post(Note::ReplyDropped { exchange: self.exchange });
                }
            }
            Sender::WorkerPool => self.deliver(Response::status_page(StatusCode::INTERNAL_SERVER_ERROR)),
        }
    }
}
