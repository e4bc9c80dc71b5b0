//! The same messages for many clients.
//!
//! Pattern: Observer.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use super::{Message, Sender, frame};

/// Sends each message to all who have joined: its frame is made once and shared. Clones are the same broadcast.
///
/// Whoever has gone leaves by itself; so does a client that is too slow, which is closed with 1013.
#[derive(Clone, Default)]
pub struct Broadcast {
    members: Arc<Mutex<Vec<Sender>>>,
}

impl Broadcast {
    /// Nobody has joined yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a client.
    pub fn join(&self, member: &Sender) {
        self.with_members(|members| {
            if members.len() == members.capacity() {
                members.retain(|member| !member.is_closed()); // so often that they cannot pile up, and no more often
            }
            members.push(member.clone());
        });
    }

    /// Removes a client that stays connected.
    pub fn leave(&self, member: &Sender) {
        self.with_members(|members| members.retain(|other| other != member));
    }

    /// Sends a message to all, without waiting for any.
    pub fn send(&self, message: impl Into<Message>) {
        let frame = frame::of(&message.into());
        self.with_members(|members| members.retain(|member| member.send_frame(frame.clone()).is_ok()));
    }

    /// How many are there.
    pub fn len(&self) -> usize {
        self.with_members(|members| members.iter().filter(|member| !member.is_closed()).count())
    }

    /// Whether nobody is there.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn with_members<T>(&self, run: impl FnOnce(&mut Vec<Sender>) -> T) -> T {
        run(&mut self.members.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl fmt::Debug for Broadcast {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Broadcast").field("members", &self.len()).finish()
    }
}
