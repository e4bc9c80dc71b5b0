//! What a client's socket is ready for, as the system says it in edges.

/// What the system last said about the socket. It says so once, when it changes; a read or a write that finds nothing left takes
/// it back.
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "they are facts of the system, each by itself")]
pub(crate) struct Readiness {
    pub(crate) readable: bool,
    pub(crate) writable: bool,
    /// The peer has finished: however little the next read brings, the end stands behind it.
    pub(crate) read_closed: bool,
    /// The connection is broken: nobody will read an answer.
    pub(crate) failed: bool,
}

impl Readiness {
    /// What the system says on top of what it has said. That the connection is broken is not kept: it is the end.
    pub(super) fn add(&mut self, now: Self) {
        self.readable |= now.readable;
        self.writable |= now.writable;
        self.read_closed |= now.read_closed;
    }
}
