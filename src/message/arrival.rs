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

/// A moment of one loop, as a number that grows. No two loops have the same, not even of two servers: each counts within spans
/// of its own.
type Moment = u64;

/// How many moments a loop numbers before it takes a new span.
const SPAN: Moment = 1 << 20;

/// When a request came, and when it was taken up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Arrival {
    /// It had begun to be sent by then.
    since: Moment,
    /// It was taken up then, or later; so what is found out for it was found out after that.
    taken_up: Moment,
}

/// For which request something was last found out. All loops look without a lock, since it is one number.
#[derive(Debug)]
pub(crate) struct FoundFor(AtomicU64);

/// Counts the moments of one loop.
#[derive(Debug)]
pub(crate) struct Arrivals {
    /// When the system last said who has input.
    batch: Cell<Moment>,
    /// When what stands first in the input of the client whose turn it is had begun to be sent.
    first: Cell<Moment>,
    /// The same of what follows it there.
    rest: Cell<Moment>,
    /// The last moment that has a number.
    now: Cell<Moment>,
}

impl Arrival {
    /// Whether what was found out for that request is fresh for this one. Nothing that was not safe (RFC 9110 section 9.2.1)
    /// was handled on their loop between the two.
    pub(crate) fn may_use(self, other: Self) -> bool {
        self.may_use_of(other.taken_up)
    }

    /// Of two spans it is not known which came first.
    fn may_use_of(self, moment: Moment) -> bool {
        self.since / SPAN == moment / SPAN && self.since <= moment
    }
}

impl FoundFor {
    pub(crate) fn new(arrival: Arrival) -> Self {
        Self(AtomicU64::new(arrival.taken_up))
    }

    /// Whether it is fresh for this request, too.
    pub(crate) fn serves(&self, arrival: Arrival) -> bool {
        arrival.may_use_of(self.0.load(Ordering::Relaxed))
    }

    /// It was found out again.
    pub(crate) fn set(&self, arrival: Arrival) {
        self.0.store(arrival.taken_up, Ordering::Relaxed);
    }
}

impl Arrivals {
    pub(crate) fn new() -> Self {
        let batch = Self::new_span();
        let first = batch + 1;
        Self { batch: Cell::new(batch), first: Cell::new(first), rest: Cell::new(first), now: Cell::new(first) }
    }

    /// The first moment of a span that nobody has.
    fn new_span() -> Moment {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        NEXT.fetch_add(SPAN, Ordering::Relaxed)
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
        Arrival { since: self.first.get(), taken_up: self.now.get() }
    }

    fn next(&self) -> Moment {
        let next = self.now.get() + 1;
        self.now.set(if next.is_multiple_of(SPAN) { Self::new_span() } else { next });
        self.now.get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where a span ends, something may be found out once more than needed, but nothing is used that is too old.
    #[test]
    fn nothing_old_is_used_when_a_span_ends() {
        let (loop_a, loop_b) = (Arrivals::new(), Arrivals::new());
        (4..SPAN).for_each(|_| loop_a.begin());
        let moment = |arrivals: &Arrivals| {
            arrivals.begin();
            arrivals.current()
        };
        let of_a: Vec<_> = (0..8).map(|_| moment(&loop_a)).collect();
        let spans: Vec<_> = of_a.iter().map(|arrival| arrival.since / SPAN).collect();
        assert!(spans.first() != spans.last(), "{spans:?}");
        let of_b = moment(&loop_b);
        for (at, arrival) in of_a.iter().enumerate() {
            let useful = of_a.iter().map(|other| arrival.may_use(*other) && FoundFor::new(*other).serves(*arrival));
            let first = useful.enumerate().find_map(|(at, is_useful)| is_useful.then_some(at));
            assert_eq!(first, Some(at), "what was found for itself, and nothing before it");
            assert!(!arrival.may_use(of_b) && !of_b.may_use(*arrival), "another loop's moments are no moments here");
        }
    }
}
