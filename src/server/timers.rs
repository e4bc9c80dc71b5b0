//! The deadlines of a loop's clients, cheaply.
//!
//! A client has at most one entry that counts. Moving its deadline later, which every request does, costs nothing: the
//! entry stays where it is, and when it comes up the loop asks the client again and sets a new one. The entry belongs to
//! the slot, not to the client, so it serves the slot's next client as well and none has to be taken out.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Instant;

/// One per loop.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    heap: BinaryHeap<Reverse<(Instant, usize)>>,
    /// By slot: when its entry comes up. Other entries of the slot do not count.
    armed: Vec<Option<Instant>>,
}

impl Timers {
    /// Makes sure that `slot` comes up at `deadline` or before.
    pub(crate) fn arm(&mut self, slot: usize, deadline: Instant) {
        if self.armed.len() <= slot {
            self.armed.resize(slot + 1, None);
        }
        if self.armed[slot].is_none_or(|armed| deadline < armed) {
            self.armed[slot] = Some(deadline);
            self.heap.push(Reverse((deadline, slot)));
        }
    }

    /// When the next entry comes up.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.heap.peek().map(|Reverse((deadline, _))| *deadline)
    }

    /// The next slot whose entry has come up; it has none from then on.
    pub(crate) fn expire(&mut self, now: Instant) -> Option<usize> {
        while self.next().is_some_and(|deadline| deadline <= now) {
            let Reverse((deadline, slot)) = self.heap.pop()?;
            if self.armed[slot] == Some(deadline) {
                self.armed[slot] = None;
                return Some(slot);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_later_deadline_costs_no_entry() {
        let (mut timers, start) = (Timers::default(), Instant::now());
        for seconds in 1..1000 {
            timers.arm(7, start + Duration::from_secs(seconds));
        }
        assert_eq!(timers.heap.len(), 1);
        assert_eq!(timers.expire(start + Duration::from_secs(1)), Some(7));
        assert_eq!(timers.expire(start + Duration::from_secs(5000)), None);
    }

    #[test]
    fn an_earlier_deadline_comes_up_once() {
        let (mut timers, start) = (Timers::default(), Instant::now());
        timers.arm(3, start + Duration::from_secs(9));
        timers.arm(3, start + Duration::from_secs(2));
        assert_eq!(timers.expire(start + Duration::from_secs(2)), Some(3));
        assert_eq!(timers.expire(start + Duration::from_secs(10)), None, "the old entry does not count");
    }

    #[test]
    fn slots_come_up_in_order() {
        let (mut timers, start) = (Timers::default(), Instant::now());
        for (slot, seconds) in [(0, 5), (1, 3), (2, 4)] {
            timers.arm(slot, start + Duration::from_secs(seconds));
        }
        let order: Vec<_> = std::iter::from_fn(|| timers.expire(start + Duration::from_secs(9))).collect();
        assert_eq!(order, [1, 2, 0]);
    }
}
