//! Why a client has its turn, and what that leads to.

use super::readiness::Readiness;
use crate::message::Note;

/// Why a client has its turn.
pub(crate) enum Cause {
    /// It was just accepted: its session may greet.
    Accepted,
    /// The socket has become readable or writable.
    Ready(Readiness),
    /// Its last turn ended before there was nothing left to do.
    Again,
    /// Boxed, because all the others are small and far more frequent.
    Note(Box<Note>),
    Deadline,
    Shutdown,
}

/// What a turn leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Nothing can be done before something happens.
    Waiting,
    /// There is more to do, but others go first.
    Unfinished,
    /// The client can be dropped, which closes its socket.
    Finished,
}
