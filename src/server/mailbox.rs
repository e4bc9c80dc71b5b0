//! What other threads have for a loop: notes for its clients, new clients, orders.
//!
//! Any number of letters cost one wake-up; how that is kept safe stands in [`letters`](super::letters).
//!
//! Pattern: Mailbox.

use std::time::Instant;

use mio::Waker;

use super::letters::{Letters, Wake};
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
    /// No new client will come from another loop.
    DoorClosed,
    /// Drop everything.
    Abort,
}

/// A loop's mailbox; other threads write, the loop reads.
pub(crate) struct LoopMailbox {
    letters: Letters<Letter, Waker>,
}

impl LoopMailbox {
    pub(crate) fn new(waker: Waker) -> Self {
        Self { letters: Letters::new(waker) }
    }

    /// Puts a letter in and wakes the loop if nobody has.
    pub(crate) fn put(&self, letter: Letter) {
        self.letters.put(letter);
    }

    /// Takes all letters out.
    pub(crate) fn take(&self) -> Vec<Letter> {
        self.letters.take()
    }
}

impl Wake for Waker {
    /// Where it fails, the letter lies there until the next event.
    fn wake(&self) {
        if let Err(error) = Self::wake(self) {
            log::error!("an event loop could not be woken: {error}");
        }
    }
}

impl Mailbox for LoopMailbox {
    fn post(&self, to: ClientKey, note: Note) {
        self.put(Letter::Note(to, note));
    }
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
