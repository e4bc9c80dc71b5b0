//! Who wants to know what becomes of a request.
//!
//! ```text
//!   decorator ── watch ──► Watchers ◄── the same ── Fate ── tell, or drop ◄── the session
//!                             │
//!                             └──► each witness, once
//! ```
//!
//! A handler's answer is not what became of its request: it may come too late, or for a client that has gone, or be replaced on
//! its way, and a handler that panics has none. So who watches says so to the request, before the handler is called, and is
//! told by the session, which knows. The two may be on different threads.
//!
//! Pattern: Observer.

use std::fmt;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use http::StatusCode;

/// What became of a request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sent {
    /// What the client was answered; 499 where it went before.
    pub(crate) status: StatusCode,
    /// How much of the body was given to the system, with its chunks' sizes where it had any.
    pub(crate) body_bytes: u64,
}

/// Is told what became of a request, on an event loop as a rule.
pub(crate) type Witness = Box<dyn FnOnce(Sent) + Send>;

/// Those who want to know, as the request has them. Nothing is allocated where nobody does.
#[derive(Default)]
pub(crate) struct Watchers {
    shared: Option<Arc<Shared>>,
}

/// What becomes of one request, as the session has it: to be told once. Dropped untold, the client has gone.
pub(crate) struct Fate {
    /// `None` once told.
    shared: Option<Arc<Shared>>,
}

type Shared = Mutex<Stage>;

enum Stage {
    Open(Vec<Witness>),
    Known(Sent),
}

impl Watchers {
    /// Who comes too late to wait is told at once.
    pub(crate) fn add(&mut self, witness: Witness) {
        let sent = match &mut *lock(self.shared()) {
            Stage::Open(witnesses) => return witnesses.push(witness),
            Stage::Known(sent) => *sent,
        };
        tell(witness, sent);
    }

    /// The same once more, for who keeps the request no longer but will know what becomes of it.
    pub(crate) fn share(&mut self) -> Self {
        Self { shared: Some(self.shared().clone()) }
    }

    /// The session's side. Who watches from now on may do so only through another share.
    pub(crate) fn take_fate(&mut self) -> Option<Fate> {
        self.shared.take().map(|shared| Fate { shared: Some(shared) })
    }

    fn shared(&mut self) -> &Arc<Shared> {
        self.shared.get_or_insert_with(|| Arc::new(Mutex::new(Stage::Open(Vec::new()))))
    }
}

impl Fate {
    /// Tells all who watch.
    pub(crate) fn tell(mut self, sent: Sent) {
        self.end(sent);
    }

    fn end(&mut self, sent: Sent) {
        let Some(shared) = self.shared.take() else { return };
        if let Stage::Open(witnesses) = mem::replace(&mut *lock(&shared), Stage::Known(sent)) {
            witnesses.into_iter().for_each(|witness| tell(witness, sent));
        }
    }
}

/// nginx's number for it, which programs that read logs know: the client has closed the connection before it was answered.
pub(crate) fn client_has_gone() -> StatusCode {
    StatusCode::from_u16(499).expect("it has three digits")
}

impl Drop for Fate {
    fn drop(&mut self) {
        self.end(Sent { status: client_has_gone(), body_bytes: 0 });
    }
}

/// The witness may be the application's: its panic must not end the loop.
fn tell(witness: Witness, sent: Sent) {
    if catch_unwind(AssertUnwindSafe(|| witness(sent))).is_err() {
        log::error!("who was told what became of a request panicked");
    }
}

/// Nobody panics while it is held.
fn lock(shared: &Shared) -> std::sync::MutexGuard<'_, Stage> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Watchers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watchers").finish_non_exhaustive()
    }
}
