//! What compression on the fly may take: a file is compressed once at a time for each coding, and all that is compressed, or
//! was, lies within a budget of memory. Whoever gets no turn gets the file as it is: that needs no memory, and is always right.
//!
//! What was made counts until the last who holds it has let go of it, be that the cache or a client that reads slowly.

use std::collections::HashSet;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use super::resolve::Target;
use crate::coding::{Coding, compress};

/// The compressions of one folder.
#[derive(Debug)]
pub(super) struct Compressions {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    limit: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// What is being made.
    begun: HashSet<Name>,
    /// What is being made, and what was, takes so many bytes.
    bytes: usize,
}

type Name = (PathBuf, Coding);

/// How much there may be beside what the cache keeps, in bytes.
pub(super) const BUDGET_BYTES: usize = 32 * 1024 * 1024;

impl Compressions {
    /// So many bytes at most are held at a time. What an encoder needs for itself comes on top of that (some MiB), for each worker.
    pub(super) fn new(limit: usize) -> Self {
        Self { shared: Arc::new(Shared { limit, state: Mutex::default() }) }
    }

    /// `None` if this file is being compressed just so, or there is no room for one of that length.
    pub(super) fn begin(&self, target: &Target, coding: Coding, length: u64) -> Option<Turn> {
        let bytes = usize::try_from(length).ok()?.checked_mul(2)?; // before and after
        let mut state = self.shared.lock();
        let name = (target.path.clone(), coding);
        if state.bytes.saturating_add(bytes) > self.shared.limit || !state.begun.insert(name.clone()) {
            return None;
        }
        state.bytes += bytes;
        drop(state);
        let share = Share { shared: self.shared.clone(), bytes };
        Some(Turn { coding, begun: Begun { shared: self.shared.clone(), name }, share })
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Who has it compresses this file, and nobody else.
#[derive(Debug)]
pub(super) struct Turn {
    coding: Coding,
    begun: Begun,
    share: Share,
}

impl Turn {
    /// The bytes in the coding, or as they are where that saves nothing.
    pub(super) fn compress(self, plain: Vec<u8>) -> io::Result<(Option<Coding>, Bytes)> {
        let Self { coding, begun: _begun, mut share } = self;
        let (coding, bytes) = match compress(coding, &plain)? {
            Some(coded) => (Some(coding), coded),
            None => (None, plain),
        };
        let bytes = bytes.into_boxed_slice();
        share.shrink_to(bytes.len());
        Ok((coding, Bytes::from_owner(Made { bytes, _share: share })))
    }
}

/// A file that is being compressed.
#[derive(Debug)]
struct Begun {
    shared: Arc<Shared>,
    name: Name,
}

impl Drop for Begun {
    fn drop(&mut self) {
        self.shared.lock().begun.remove(&self.name);
    }
}

/// A part of the budget.
#[derive(Debug)]
struct Share {
    shared: Arc<Shared>,
    bytes: usize,
}

impl Share {
    fn shrink_to(&mut self, bytes: usize) {
        self.shared.lock().bytes -= self.bytes - bytes;
        self.bytes = bytes;
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.shared.lock().bytes -= self.bytes;
    }
}

/// An answer, with its part of the budget.
struct Made {
    bytes: Box<[u8]>,
    _share: Share,
}

impl AsRef<[u8]> for Made {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

#[cfg(all(test, feature = "compress"))]
mod tests;
