//! What a loop has to do without being told by the system: go on with those who were not done, and look at those whose
//! deadline has come.
//!
//! Nothing here waits or reads a clock, so simulations use it as it is.

use std::time::{Duration, Instant};

use super::timers::Timers;

/// One per loop.
#[derive(Debug, Default)]
pub(crate) struct Agenda {
    timers: Timers,
    /// The ready list: who goes on in the next batch.
    again: Vec<Again>,
    /// By slot: whether it is on the ready list, so that it is there once.
    is_listed: Vec<bool>,
}

/// Who goes on without an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Again {
    Listener(usize),
    /// The client in this slot.
    Client(usize),
}

impl Agenda {
    /// Puts it on the ready list, behind all who have news in the next batch.
    pub(crate) fn again(&mut self, who: Again) {
        if let Again::Client(slot) = who {
            if self.is_listed.len() <= slot {
                self.is_listed.resize(slot + 1, false);
            }
            if std::mem::replace(&mut self.is_listed[slot], true) {
                return;
            }
        }
        self.again.push(who);
    }

    /// Makes sure that the slot comes up at `deadline` or before.
    pub(crate) fn arm(&mut self, slot: usize, deadline: Instant) {
        self.timers.arm(slot, deadline);
    }

    /// How long a loop may sleep that has something else to do at `until`; `None` for as long as it likes. `now` is when its last
    /// batch began: a deadline is late by no more than what that batch took.
    pub(crate) fn patience(&self, until: Option<Instant>, now: Instant) -> Option<Duration> {
        if self.has_again() {
            return Some(Duration::ZERO);
        }
        let next = match (self.timers.next(), until) {
            (Some(deadline), Some(until)) => deadline.min(until),
            (deadline, until) => deadline.or(until)?,
        };
        Some(next.saturating_duration_since(now))
    }

    /// Whether the client in this slot is on the ready list.
    pub(crate) fn is_listed(&self, slot: usize) -> bool {
        self.is_listed.get(slot).is_some_and(|is_listed| *is_listed)
    }

    /// Whether anybody is on the ready list.
    pub(crate) fn has_again(&self) -> bool {
        !self.again.is_empty()
    }

    /// Takes the ready list.
    pub(crate) fn take_again(&mut self) -> impl Iterator<Item = Again> {
        for who in &self.again {
            if let Again::Client(slot) = who {
                self.is_listed[*slot] = false;
            }
        }
        self.again.drain(..)
    }

    /// The next slot whose deadline may have come.
    pub(crate) fn expire(&mut self, now: Instant) -> Option<usize> {
        self.timers.expire(now)
    }
}
