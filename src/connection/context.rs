//! What the clients of one loop share: its clock, its count of arrivals, its mailbox, its counters, the worker pool.
//!
//! Pattern: Strategy ([`Workers`]: threads, or at once in a test).

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use http::StatusCode;

use super::sent_lately::SentLately;
use crate::message::{Arrivals, Mailbox, Request};

/// The length of a `Date` (IMF-fixdate, RFC 9110 section 5.6.7), in bytes.
pub const DATE_BYTES: usize = 29;

/// One per loop, shared by its clients.
pub(crate) struct Context {
    pub(crate) clock: Clock,
    pub(crate) arrivals: Arrivals,
    pub(crate) mailbox: Arc<dyn Mailbox>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) workers: Arc<dyn Workers>,
    /// The memory of an earlier request.
    pub(crate) spare_request: Cell<Option<Box<Request>>>,
    pub(crate) sent_lately: SentLately,
}

impl Context {
    pub(crate) fn new(
        clock: Clock,
        mailbox: Arc<dyn Mailbox>,
        counters: Arc<Counters>,
        workers: Arc<dyn Workers>,
    ) -> Self {
        let (arrivals, spare_request, sent_lately) = (Arrivals::new(), Cell::default(), SentLately::new());
        Self { clock, arrivals, mailbox, counters, workers, spare_request, sent_lately }
    }

    /// The system has just said who is ready: what follows happens at this time.
    pub(crate) fn begin_batch(&self, now: Instant, wall: impl FnOnce() -> SystemTime) {
        self.clock.advance(now, wall);
        self.arrivals.begin_batch();
    }
}

/// Work for a thread that may block.
pub(crate) type Job = Box<dyn FnOnce() + Send>;

/// Whom a job may wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Waits {
    ForNobody,
    /// It reads what the client has still to send: a loop that did it itself would wait for ever.
    ForTheClient,
}

/// Takes jobs that would hold up a loop.
pub(crate) trait Workers: Send + Sync {
    /// Takes the job, or gives it back if too many wait already.
    fn submit(&self, job: Job, waits: Waits) -> Result<(), Job>;
}

/// The time as the loop last read it: once for a batch of events, not once per client.
#[derive(Debug)]
pub(crate) struct Clock {
    now: Cell<Instant>,
    date: Cell<[u8; DATE_BYTES]>,
    /// When the date has to be formatted again.
    next_second: Cell<Instant>,
}

impl Clock {
    pub(crate) fn new(now: Instant, wall: SystemTime) -> Self {
        let clock = Self { now: Cell::new(now), date: Cell::new([b' '; DATE_BYTES]), next_second: Cell::new(now) };
        clock.format(wall);
        clock
    }

    pub(crate) fn now(&self) -> Instant {
        self.now.get()
    }

    pub(crate) fn date(&self) -> [u8; DATE_BYTES] {
        self.date.get()
    }

    /// Moves on; `wall` is asked only when a second has passed.
    pub(crate) fn advance(&self, now: Instant, wall: impl FnOnce() -> SystemTime) {
        self.now.set(now);
        if now >= self.next_second.get() {
            self.format(wall());
        }
    }

    fn format(&self, wall: SystemTime) {
        let wall = wall.max(SystemTime::UNIX_EPOCH); // a clock that was never set
        let text = httpdate::fmt_http_date(wall);
        if let Ok(date) = text.as_bytes().try_into() {
            self.date.set(date);
        }
        let past_second = wall.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.subsec_nanos());
        self.next_second.set(self.now() + Duration::from_nanos(1_000_000_000 - u64::from(past_second)));
    }
}

/// What one loop has done. Only the loop writes, so a plain load and store count right; anyone may read.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    accepted: AtomicU64,
    received_bytes: AtomicU64,
    sent_bytes: AtomicU64,
    /// By status class: index 1 counts 1xx.
    answers: [AtomicU64; 6],
}

impl Counters {
    pub(crate) fn count_client(&self) {
        add(&self.accepted, 1);
    }

    pub(crate) fn count_received(&self, bytes: u64) {
        add(&self.received_bytes, bytes);
    }

    pub(crate) fn count_sent(&self, bytes: u64) {
        add(&self.sent_bytes, bytes);
    }

    pub(crate) fn count_answer(&self, status: StatusCode) {
        let class = usize::from(status.as_u16() / 100);
        if let Some(counter) = self.answers.get(class) {
            add(counter, 1);
        }
    }

    /// Adds these figures to `stats`.
    pub(crate) fn add_to(&self, stats: &mut Stats) {
        stats.accepted += self.accepted.load(Ordering::Relaxed);
        stats.received_bytes += self.received_bytes.load(Ordering::Relaxed);
        stats.sent_bytes += self.sent_bytes.load(Ordering::Relaxed);
        for (sum, counter) in stats.answers.iter_mut().zip(&self.answers) {
            *sum += counter.load(Ordering::Relaxed);
        }
    }
}

fn add(counter: &AtomicU64, count: u64) {
    counter.store(counter.load(Ordering::Relaxed).wrapping_add(count), Ordering::Relaxed);
}

/// What a server has done since it started, summed over its loops.
///
/// The loops count without waiting for each other, so figures that were read together may be a moment apart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Clients that are connected now.
    pub connections: u64,
    /// Clients that were ever accepted.
    pub accepted: u64,
    /// Bytes received from clients.
    pub received_bytes: u64,
    /// Bytes sent to clients.
    pub sent_bytes: u64,
    /// Final answers by status class: `answers[2]` counts 2xx.
    pub answers: [u64; 6],
}

impl Stats {
    /// Requests that were answered, whatever the answer.
    pub fn requests(&self) -> u64 {
        self.answers[2..].iter().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_date_is_formatted_once_a_second() {
        let (start, wall) = (Instant::now(), SystemTime::UNIX_EPOCH + Duration::from_millis(784_111_777_250));
        let clock = Clock::new(start, wall);
        assert_eq!(&clock.date(), b"Sun, 06 Nov 1994 08:49:37 GMT");
        clock.advance(start + Duration::from_millis(749), || panic!("the second is not over"));
        clock.advance(start + Duration::from_millis(750), || wall + Duration::from_millis(750));
        assert_eq!(&clock.date(), b"Sun, 06 Nov 1994 08:49:38 GMT");
    }
}
