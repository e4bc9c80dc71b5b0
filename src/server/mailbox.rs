//! What other threads have for a loop: notes for its clients, new clients, orders.
//!
//! Any number of letters cost one wake-up. The order of the steps keeps that safe: a writer first puts its letter in and
//! then wakes the loop unless somebody has; the loop first forgets that it was woken and then takes all letters out. A
//! letter can so be found without a wake-up of its own, but never lie there without one.

use std::io;
use std::mem;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use mio::Waker;

use super::listener::Accepted;
use crate::message::{ClientKey, Mailbox, Note};

/// One thing in a mailbox.
pub(crate) enum Letter {
    Note(ClientKey, Note),
    /// Another loop has accepted this client for us.
    Client(Accepted),
    /// Take no new clients, let the running answers finish until then.
    Shutdown {
        until: Instant,
    },
    /// Drop everything.
    Abort,
}

/// A loop's mailbox; other threads write, the loop reads.
pub(crate) struct LoopMailbox {
    letters: Mutex<Vec<Letter>>,
    is_woken: AtomicBool,
    waker: Waker,
}

impl LoopMailbox {
    pub(crate) fn new(waker: Waker) -> Self {
        Self { letters: Mutex::new(Vec::new()), is_woken: AtomicBool::new(false), waker }
    }

    /// Puts a letter in and wakes the loop if nobody has.
    pub(crate) fn put(&self, letter: Letter) {
        self.letters.lock().unwrap_or_else(PoisonError::into_inner).push(letter);
        if !self.is_woken.swap(true, Ordering::AcqRel)
            && let Err(error) = self.waker.wake()
        {
            log_failed_wake(&error);
        }
    }

    /// Takes all letters out.
    pub(crate) fn take(&self) -> Vec<Letter> {
        self.is_woken.store(false, Ordering::Release);
        mem::take(&mut *self.letters.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Mailbox for LoopMailbox {
    fn post(&self, to: ClientKey, note: Note) {
        self.put(Letter::Note(to, note));
    }
}

/// The letter lies there until the next event.
fn log_failed_wake(error: &io::Error) {
    log::error!("an event loop could not be woken: {error}");
}

#[cfg(test)]
mod tests {
    use mio::{Events, Poll, Token};
    use std::time::Duration;

    use super::*;

    #[test]
    fn many_letters_are_one_wake_up() {
        let (mut poll, mut events) = (Poll::new().unwrap(), Events::with_capacity(8));
        let mailbox = LoopMailbox::new(Waker::new(poll.registry(), Token(0)).unwrap());
        for _ in 0..100 {
            mailbox.put(Letter::Abort);
        }
        poll.poll(&mut events, Some(Duration::from_secs(5))).unwrap();
        assert_eq!(events.iter().count(), 1);
        assert_eq!(mailbox.take().len(), 100);

        poll.poll(&mut events, Some(Duration::ZERO)).unwrap();
        assert!(events.is_empty());
        mailbox.put(Letter::Abort);
        poll.poll(&mut events, Some(Duration::from_secs(5))).unwrap();
        assert_eq!(events.iter().count(), 1, "after a take, a letter wakes again");
    }
}
