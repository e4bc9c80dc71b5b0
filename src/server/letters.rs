//! Letters from any thread to one, and one wake-up for many of them.
//!
//! The order of the steps keeps that safe: a writer first puts its letter in and then wakes the reader unless somebody has;
//! the reader first forgets that it was woken and then takes all letters out. A letter can so be found without a wake-up
//! of its own, but never lie there without one. tests/loom.rs proves it of this very file.
//!
//! Pattern: Mailbox (what makes it safe).

use std::mem;

use super::sync::{AtomicBool, Mutex, Ordering, PoisonError};

/// Rouses the reader of a [`Letters`].
pub(crate) trait Wake {
    /// Called by the writer of a letter that lies there alone.
    fn wake(&self);
}

/// Letters of a kind `L`, and whoever wakes their reader.
pub(crate) struct Letters<L, W> {
    letters: Mutex<Vec<L>>,
    is_woken: AtomicBool,
    waker: W,
}

impl<L, W: Wake> Letters<L, W> {
    pub(crate) fn new(waker: W) -> Self {
        Self { letters: Mutex::new(Vec::new()), is_woken: AtomicBool::new(false), waker }
    }

    /// Puts a letter in and wakes the reader if nobody has.
    pub(crate) fn put(&self, letter: L) {
        self.letters.lock().unwrap_or_else(PoisonError::into_inner).push(letter);
        if !self.is_woken.swap(true, Ordering::AcqRel) {
            self.waker.wake();
        }
    }

    /// Takes all letters out.
    pub(crate) fn take(&self) -> Vec<L> {
        // A swap has its place among the swaps of the writers; a store would have to be argued for, and loom is not convinced.
        self.is_woken.swap(false, Ordering::AcqRel);
        mem::take(&mut *self.letters.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// How many lie there.
    pub(crate) fn count(&self) -> usize {
        self.letters.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    pub(crate) fn waker(&self) -> &W {
        &self.waker
    }
}
