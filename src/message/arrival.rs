//! When requests came, so that what is found out for one of them, the state of a file say, serves others for which it is fresh.
//!
//! ```text
//!   the system says who has input             one client's turn, and what its reads bring
//!   ─────────────┬───────────────────────────────────┬──────────────────────────────────────────►
//!          begin_batch                              read
//!                 ├ the first request of each of those clients had begun to come by then
//!                                                     └ what was read had all been sent by then
//! ```
//!
//! An answer may show the state of any moment between its request's first byte and its own last one. So the batch's
//! first requests may use what was found out since the batch began, and what follows them in their connections what
//! was found out since it was read. What was found before a request that may have changed something serves nobody after it.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};

/// When a request came, and when it was taken up. Moments are numbers, which only grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Arrival {
    /// Which counter it is of: no two loops share one, not even of two servers.
    source: u64,
    /// It had begun to be sent by then.
    since: u64,
    /// It was taken up then, or later; so what is found out for it was found out after that.
    taken_up: u64,
}

/// Counts the moments of one loop.
#[derive(Debug)]
pub(crate) struct Arrivals {
    source: u64,
    /// When the system last said who has input.
    batch: Cell<u64>,
    /// When what stands first in the input of the client whose turn it is had begun to be sent.
    first: Cell<u64>,
    /// The same of what follows it there.
    rest: Cell<u64>,
    /// The last moment that has a number.
    now: Cell<u64>,
}

impl Arrival {
    /// Whether what was found out for that request is fresh for this one. Nothing that was not safe (RFC 9110 section 9.2.1)
    /// was handled on their loop between the two.
    pub(crate) fn may_use(self, other: Self) -> bool {
        self.source == other.source && self.since <= other.taken_up
    }
}

impl Arrivals {
    pub(crate) fn new() -> Self {
        static NEXT_SOURCE: AtomicU64 = AtomicU64::new(0);
        let source = NEXT_SOURCE.fetch_add(1, Ordering::Relaxed);
        Self { source, batch: Cell::new(0), first: Cell::new(1), rest: Cell::new(1), now: Cell::new(1) }
    }

    /// The system has said who has input, a moment ago.
    pub(crate) fn begin_batch(&self) {
        self.batch.set(self.next());
        self.begin();
    }

    /// What comes from now on did not come together with what came before.
    pub(crate) fn begin(&self) {
        self.rest.set(self.next());
        self.first.set(self.rest.get());
    }

    /// Somebody has its turn because of input: the first byte of it was there when the batch began.
    pub(crate) fn join_batch(&self) {
        self.begin();
        self.first.set(self.batch.get());
    }

    /// A read has brought more. What stood first in the input still does, if there was anything.
    pub(crate) fn read(&self) {
        self.rest.set(self.next());
        if self.first.get() != self.batch.get() {
            self.first.set(self.rest.get());
        }
    }

    /// The first of the input was taken away: nobody knows whether the rest was there when the batch began, but it was when it
    /// was read.
    pub(crate) fn consume(&self) {
        self.first.set(self.rest.get());
    }

    /// Of what stands first in the input, which is taken up now.
    pub(crate) fn current(&self) -> Arrival {
        Arrival { source: self.source, since: self.first.get(), taken_up: self.now.get() }
    }

    fn next(&self) -> u64 {
        self.now.set(self.now.get() + 1);
        self.now.get()
    }
}
