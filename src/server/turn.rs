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
    /// There is more to do, and it may go on.
    Unfinished,
    /// There is more to do, but others go first.
    OthersFirst,
    /// The client can be dropped, which closes its socket.
    Finished,
}

#[cfg(test)]
mod tests {
    use crate::connection::transport::SEND_PER_TURN_BYTES;
    use crate::protocol::Http;
    use crate::static_files::StaticFiles;
    use crate::testing::TestLoop;

    #[test]
    fn a_large_file_leaves_in_several_turns_however_fast_its_client_reads() {
        const TURNS: usize = 4;
        let (folder, share) = (tempfile::tempdir().unwrap(), usize::try_from(SEND_PER_TURN_BYTES).unwrap());
        std::fs::write(folder.path().join("large"), vec![b'x'; TURNS * share]).unwrap();
        let mut server = TestLoop::new(Http::new(StaticFiles::new(folder.path())));
        let reader = server.connect(([192, 0, 2, 1], 5000).into()).unwrap();
        server.send(reader, b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
        let mut received = 0;
        for turn in 1..=TURNS {
            server.step();
            received += server.recv(reader).len();
            assert!(received < turn * share + share / 2, "{received} bytes in {turn} turns");
        }
        assert!(received > TURNS * share, "{received} bytes, less than the file and its head");
    }
}
