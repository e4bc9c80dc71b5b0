//! Which requests came together, so that what is found out for one of them, the state of a file say, is fresh for the others.
//!
//! ```text
//!   the system says who has input             one client's turn, and what its reads bring
//!   ─────────────┬───────────────────────────────────┬──────────────────────────────────────────►
//!          begin_batch                             begin
//!                 ├ the first request of each of those clients had begun to come by then
//!                                                     └ what was read had all been sent by then
//! ```
//!
//! An answer may show the state of any moment between its request's first byte and its own last one. So the batch's
//! first requests may share what was found out since the batch began, and what follows them in their connections what
//! was found out since it was read. A request that may have changed something ends both.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};

/// When a request came. Requests with equal arrivals had all begun to be sent when the first of them was handled, they
/// are safe (RFC 9110 section 9.2.1), and nothing that was not safe was handled between them on their loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Arrival {
    /// Which counter it is of: no two loops share one, not even of two servers.
    source: u64,
    number: u64,
}

/// Counts the arrivals of one loop.
#[derive(Debug)]
pub(crate) struct Arrivals {
    source: u64,
    /// The number of those of whom the system last said that they have input.
    batch: Cell<u64>,
    /// That of what stands first in the input of the client whose turn it is.
    current: Cell<u64>,
    /// How many there have been.
    count: Cell<u64>,
}

impl Arrivals {
    pub(crate) fn new() -> Self {
        static NEXT_SOURCE: AtomicU64 = AtomicU64::new(0);
        let source = NEXT_SOURCE.fetch_add(1, Ordering::Relaxed);
        Self { source, batch: Cell::new(0), current: Cell::new(0), count: Cell::new(1) }
    }

    /// The system has said who has input, a moment ago.
    pub(crate) fn begin_batch(&self) {
        self.batch.set(self.next());
        self.begin();
    }

    /// What comes from now on did not come together with what came before.
    pub(crate) fn begin(&self) {
        self.current.set(self.next());
    }

    /// Somebody has its turn because of input: the first byte of it was there when the batch began.
    pub(crate) fn join_batch(&self) {
        self.current.set(self.batch.get());
    }

    /// A read has brought more. What stood first in the input still does, if there was anything.
    pub(crate) fn read(&self) {
        if self.current.get() != self.batch.get() {
            self.begin();
        }
    }

    /// The first of the input was taken away: nobody knows whether the rest was there when the batch began, but it is now.
    pub(crate) fn consume(&self) {
        if self.current.get() == self.batch.get() {
            self.begin();
        }
    }

    pub(crate) fn current(&self) -> Arrival {
        Arrival { source: self.source, number: self.current.get() }
    }

    fn next(&self) -> u64 {
        let number = self.count.get();
        self.count.set(number + 1);
        number
    }
}
