//! Which requests came together: what one read of a socket brought had all been sent before that read.
//!
//! So what is found out for one of them, the state of a file say, is fresh for the others. A request that may have
//! changed something ends that: what follows it, even in the same read, has an arrival of its own.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};

/// When a request came. Requests with equal arrivals had all been sent when the first of them was handled, they are
/// safe (RFC 9110 section 9.2.1), and nothing else was handled between them on their loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Arrival {
    /// Which counter it is of: no two loops share one, not even of two servers.
    source: u64,
    number: u64,
}

/// Counts the arrivals of one loop.
#[derive(Debug)]
pub(crate) struct Arrivals {
    latest: Cell<Arrival>,
}

impl Arrivals {
    pub(crate) fn new() -> Self {
        static NEXT_SOURCE: AtomicU64 = AtomicU64::new(0);
        let source = NEXT_SOURCE.fetch_add(1, Ordering::Relaxed);
        Self { latest: Cell::new(Arrival { source, number: 0 }) }
    }

    /// What comes from now on did not come together with what came before.
    pub(crate) fn begin(&self) {
        let Arrival { source, number } = self.latest.get();
        self.latest.set(Arrival { source, number: number + 1 });
    }

    pub(crate) fn latest(&self) -> Arrival {
        self.latest.get()
    }
}
