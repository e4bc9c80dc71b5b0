//! One connection to a protocol: what you send is served before the call returns.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use super::WALL;
use crate::WebServer;
use crate::connection::transport::{End, Memory, Wire};
use crate::connection::{Clock, Connection, Context, Counters, Job, Waits, Workers};
use crate::message::{ClientKey, Mailbox, Note};
use crate::protocol::Protocol;
use crate::server::client::{Buffers, Cause, Client, Turn};
use crate::server::clients::contain;
use crate::server::pace::Pace;
use crate::server::readiness::Readiness;

/// How long an answer from another thread is waited for, in real time.
const PATIENCE: Duration = Duration::from_secs(20);

/// One connection to a protocol.
///
/// ```
/// use std::time::Duration;
/// use qibu::{Http, Request, testing::TestConn};
///
/// let mut client = TestConn::open(Http::new(|_: &mut Request| "hello")).unwrap();
/// client.send(b"GET / HTTP/1.1\r\nHo").send(b"st: a\r\n\r\n");
/// assert!(client.recv().starts_with(b"HTTP/1.1 200 OK\r\ndate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"));
/// client.send(b"GET /slow").advance(Duration::from_secs(10));
/// assert!(client.recv().starts_with(b"HTTP/1.1 408 "));
/// ```
pub struct TestConn {
    /// `None` once the server has closed it.
    client: Option<Box<Client>>,
    wire: Arc<Mutex<Wire>>,
    context: Rc<Context>,
    mail: Arc<TestMailbox>,
    buffers: Buffers,
    started: Instant,
}

impl TestConn {
    /// Connects.
    pub fn open(protocol: impl Protocol) -> io::Result<Self> {
        Self::connect(&protocol)
    }

    pub(super) fn connect(protocol: &dyn Protocol) -> io::Result<Self> {
        let (started, mail, wire) = (Instant::now(), Arc::new(TestMailbox::default()), Wire::new());
        let clock = Clock::new(started, SystemTime::UNIX_EPOCH + WALL);
        let context = Rc::new(Context::new(clock, mail.clone(), Arc::new(Counters::default()), Arc::new(AtOnce)));
        let peer = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 50_000);
        let connection = Connection::new(peer, ClientKey { slot: 0, generation: 0 }, context.clone());
        let transport = Box::new(Memory::new(wire.clone()));
        let client = Client::open(transport, connection, protocol, Pace::default())?;
        let mut conn = Self { client: Some(client), wire, context, mail, buffers: Buffers::new(), started };
        conn.turn(Cause::Accepted);
        Ok(conn)
    }

    /// Sends bytes, and lets the server do all it can with them.
    pub fn send(&mut self, bytes: &[u8]) -> &mut Self {
        self.wire().send(bytes);
        self.turn(Cause::Ready(Readiness { readable: true, ..Readiness::default() }));
        self.read_mail();
        self
    }

    /// Takes all bytes that the server has sent.
    pub fn recv(&mut self) -> Vec<u8> {
        self.read_mail();
        self.wire().recv().0
    }

    /// Finishes sending (a half-close); answers can still be received.
    pub fn finish(&mut self) -> &mut Self {
        self.wire().finish();
        self.turn(Cause::Ready(Readiness { readable: true, read_closed: true, ..Readiness::default() }));
        self
    }

    /// Takes only `bytes` more until the next call of this; by default there is no limit.
    pub fn take_at_most(&mut self, bytes: usize) -> &mut Self {
        self.wire().open_window(bytes);
        self.turn(Cause::Ready(Readiness { writable: true, ..Readiness::default() }));
        self
    }

    /// Lets time pass; what is due then, happens.
    pub fn advance(&mut self, time: Duration) -> &mut Self {
        let now = self.context.clock.now() + time;
        let wall = SystemTime::UNIX_EPOCH + WALL + (now - self.started);
        self.context.clock.advance(now, || wall);
        self.turn(Cause::Deadline);
        self
    }

    /// Lets the server shut down.
    pub fn shut_down(&mut self) -> &mut Self {
        self.turn(Cause::Shutdown);
        self
    }

    /// Whether the server has closed the connection, or finished sending on it.
    pub fn is_closed(&self) -> bool {
        self.client.is_none() || self.wire().server() != End::Open
    }

    /// When the server will do something if nothing happens; `None` if never.
    pub fn deadline(&self) -> Option<Duration> {
        let deadline = self.client.as_ref()?.deadline()?;
        Some(deadline.saturating_duration_since(self.context.clock.now()))
    }

    /// Waits until another thread has something for this connection (a reply, more of a body), and lets the server take it
    /// up. `false` if nothing has come in 20 seconds of real time.
    pub fn wait_for_mail(&mut self) -> bool {
        let is_there = self.mail.wait();
        self.read_mail();
        is_there
    }

    /// Until none is left: what one note brings about may post the next.
    fn read_mail(&mut self) {
        let mut notes = self.mail.take();
        while !notes.is_empty() {
            notes.into_iter().for_each(|note| self.turn(Cause::Note(Box::new(note))));
            notes = self.mail.take();
        }
    }

    fn turn(&mut self, cause: Cause) {
        let Some(client) = &mut self.client else { return };
        self.context.arrivals.begin_batch();
        let buffers = &mut self.buffers;
        let turn = contain("a session", || {
            let mut turn = WebServer::handle_client_request(client, cause, buffers);
            while turn == Turn::OthersFirst {
                turn = WebServer::handle_client_request(client, Cause::Again, buffers);
            }
            turn
        });
        if matches!(turn, None | Some(Turn::Finished)) {
            self.client = None;
        }
    }

    fn wire(&self) -> MutexGuard<'_, Wire> {
        self.wire.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for TestConn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestConn").field("wire", &self.wire()).finish_non_exhaustive()
    }
}

/// Notes wait here until the test takes its turn.
#[derive(Default)]
struct TestMailbox {
    notes: Mutex<Vec<Note>>,
    news: Condvar,
}

impl TestMailbox {
    fn take(&self) -> Vec<Note> {
        std::mem::take(&mut *self.notes.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn wait(&self) -> bool {
        let notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        let is_nothing = |notes: &mut Vec<Note>| notes.iter().all(|note| matches!(note, Note::Dropped));
        let waited = self.news.wait_timeout_while(notes, PATIENCE, is_nothing);
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }
}

impl Mailbox for TestMailbox {
    fn post(&self, _: ClientKey, note: Note) {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner).push(note);
        self.news.notify_all();
    }
}

/// A worker pool without threads: the job is done before `submit` returns, unless it waits for what the test will send.
struct AtOnce;

impl Workers for AtOnce {
    fn submit(&self, job: Job, waits: Waits) -> Result<(), Job> {
        match waits {
            Waits::ForNobody => job(),
            Waits::ForTheClient => drop(std::thread::spawn(job)),
        }
        Ok(())
    }
}
