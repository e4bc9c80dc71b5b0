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
    use std::ops::ControlFlow;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

    use crate::connection::MOST_UNREAD_BYTES;
    use crate::connection::transport::SEND_PER_TURN_BYTES;
    use crate::handler::{Handler, Plan};
    use crate::message::{BodySink, Request, Response};
    use crate::protocol::Http;
    use crate::server::client::RECEIVE_PER_TURN_BYTES;
    use crate::static_files::StaticFiles;
    use crate::testing::{PeerId, TestLoop};

    /// Counts what comes. On `/pool` it answers on the worker pool, where it waits until the test lets it run.
    #[derive(Clone, Default)]
    struct Scale(Arc<AtomicUsize>);

    impl BodySink for Scale {
        fn take(&mut self, piece: &[u8]) -> ControlFlow<()> {
            self.0.fetch_add(piece.len(), Relaxed);
            ControlFlow::Continue(())
        }
    }

    impl Handler for Scale {
        fn handle(&self, _: &mut Request) -> Response {
            Response::text("")
        }

        fn plan(&self, request: &mut Request) -> Plan {
            let plan = if request.path() == "/pool" { Plan::pool() } else { Plan::inline() };
            plan.sink(self.clone()).body_limit(u64::MAX)
        }
    }

    impl Scale {
        fn received(&self) -> usize {
            self.0.load(Relaxed)
        }
    }

    fn serve(handler: impl Handler) -> (TestLoop, PeerId) {
        let mut server = TestLoop::new(Http::new(handler));
        let peer = server.connect(([192, 0, 2, 1], 5000).into()).unwrap();
        (server, peer)
    }

    fn post(path: &str, length: usize) -> String {
        format!("POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n")
    }

    #[test]
    fn a_large_body_comes_in_large_reads() {
        const LENGTH: usize = 7 * 2 * MOST_UNREAD_BYTES - 1; // the last read is short, which says that nothing is left
        let (scale, head) = (Scale::default(), post("/", LENGTH));
        let (mut server, sender) = serve(scale.clone());
        server.send(sender, head.as_bytes());
        server.step();
        server.send(sender, &vec![b'x'; LENGTH]);
        server.step();
        assert_eq!((scale.received(), server.longest_turn()), (LENGTH, 7));
    }

    #[test]
    fn a_large_body_comes_in_several_turns_however_fast_it_is_sent() {
        const TURNS: usize = 4;
        let (length, scale) = (TURNS * RECEIVE_PER_TURN_BYTES, Scale::default());
        let (mut server, sender) = serve(scale.clone());
        server.send(sender, post("/", length).as_bytes());
        server.send(sender, &vec![b'x'; length]);
        for turn in 1..=TURNS {
            server.step();
            let (most, received) = (turn * (RECEIVE_PER_TURN_BYTES + 2 * MOST_UNREAD_BYTES), scale.received());
            assert!(received <= most, "{received} bytes in {turn} turns");
        }
        server.step();
        assert_eq!(scale.received(), length);
    }

    #[test]
    fn what_follows_a_body_is_held_as_little_as_ever() {
        for length in (1..4 * MOST_UNREAD_BYTES).step_by(MOST_UNREAD_BYTES / 8) {
            let (head, scale) = (post("/pool", length), Scale::default());
            let (mut server, sender) = serve(scale.clone());
            server.send(sender, &[head.as_bytes(), &vec![b'x'; length + 4 * MOST_UNREAD_BYTES]].concat());
            while server.jobs_waiting() == 0 {
                server.step();
            }
            let memory = server.memory(sender);
            assert_eq!(scale.received(), length);
            assert!(memory <= MOST_UNREAD_BYTES, "{memory} bytes behind a body of {length}");
        }
    }

    #[test]
    fn a_large_file_leaves_in_several_turns_however_fast_its_client_reads() {
        const TURNS: usize = 4;
        let (folder, share) = (tempfile::tempdir().unwrap(), usize::try_from(SEND_PER_TURN_BYTES).unwrap());
        std::fs::write(folder.path().join("large"), vec![b'x'; TURNS * share]).unwrap();
        let (mut server, reader) = serve(StaticFiles::new(folder.path()));
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
