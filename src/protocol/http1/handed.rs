//! A request on its way to a worker thread: it lies in the pool's queue until one takes it.
//!
//! ```text
//!               a worker takes it
//!   in the queue ───────────────► handled; the answer comes as a note
//!        └──────────────────────► refused, and never handled
//!           nobody waits any more
//! ```
//!
//! The session and the job each have a share of the [`Parcel`]; whoever opens it first has what is in it. So a request that was
//! given up, or whose client has gone, costs its worker nothing, and has no effects behind its client's back. Its decorators
//! have not been called, so they get to know as they do of anything that the server refuses by itself.
//!
//! Pattern: State (of a [`Parcel`]: in the queue, or opened).

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use super::Shared;
use crate::handler::refused;
use crate::message::{Fate, Known, Reason, Refusal, Reply, Request, Response, client_has_gone};

/// What a job carries, so that it can be taken out again where the job is not wanted.
#[derive(Clone)]
pub(super) struct Parcel(Arc<Mutex<Option<Content>>>);

type Content = (Box<Request>, Reply);

impl Parcel {
    pub(super) fn new(request: Box<Request>, reply: Reply) -> Self {
        Self(Arc::new(Mutex::new(Some((request, reply)))))
    }

    /// For who is to handle it; `None` where it was taken back.
    pub(super) fn open(&self) -> Option<Content> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// For the session: nobody will be answered by the job. `None` where a worker has it.
    pub(super) fn take_back(&self) -> Option<Box<Request>> {
        let (request, reply) = self.open()?;
        reply.withdraw();
        Some(request)
    }
}

/// The session's side.
pub(super) struct Handed {
    parcel: Parcel,
    shared: Arc<Shared>,
    peer: SocketAddr,
    /// Who is to be told what becomes of the request.
    fate: Option<Fate>,
}

impl Handed {
    pub(super) fn new(parcel: Parcel, shared: Arc<Shared>, peer: SocketAddr, fate: Option<Fate>) -> Self {
        Self { parcel, shared, peer, fate }
    }

    pub(super) fn take_fate(&mut self) -> Option<Fate> {
        self.fate.take()
    }

    /// Answers the request with this, if no worker has taken it: none will. Else the answer comes back.
    pub(super) fn refuse(&mut self, reason: Reason, answer: Response) -> Result<Response, Response> {
        match self.parcel.take_back() {
            Some(request) => Ok(self.tell_of(request, reason, answer).with_fate(self.fate.take())),
            None => Err(answer),
        }
    }

    fn tell_of(&self, mut request: Box<Request>, reason: Reason, answer: Response) -> Response {
        let mut refusal = Refusal::new(self.peer, reason, Known::Request(&mut request));
        refused(&*self.shared.handler, &mut refusal, answer)
    }
}

impl Drop for Handed {
    /// The session is over. Where a worker has the request this says nothing; and who was told of a refusal is told of its fate
    /// when that is dropped.
    fn drop(&mut self) {
        if let Some(request) = self.parcel.take_back() {
            self.tell_of(request, Reason::Gone, Response::new(client_has_gone()));
        }
    }
}
