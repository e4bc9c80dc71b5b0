//! This system tells of every client at once.

use socket2::Socket;

pub(super) fn defer_accept(_: &Socket) {}
