//! Tests without sockets: a client of any handler or protocol, over memory, with a clock that is turned by hand.
//!
//! What runs is what serves: the same turns, connections and sessions as on an event loop, only that the transport is
//! memory. So HEAD, framing, keep-alive, deadlines and back-pressure are tested along.
//!
//! * [`TestClient`] sends requests to a handler and reads its answers.
//! * [`TestConn`] is one connection to a protocol: any bytes, cut anywhere, and time passes when you say so.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;

use crate::WebServer;
use crate::connection::transport::{Memory, Wire};
use crate::connection::{Clock, Connection, Context, Counters, Job, Workers};
use crate::handler::Handler;
use crate::message::{ClientKey, Mailbox, Note};
use crate::protocol::{Http, Protocol};
use crate::server::client::{Buffers, Cause, Client, Pace, Readiness, Turn};

/// How long an answer from another thread is waited for, in real time.
const PATIENCE: Duration = Duration::from_secs(20);

/// What the wall clock shows when a test begins: Sun, 06 Nov 1994 08:49:37 GMT.
const WALL: Duration = Duration::from_secs(784_111_777);

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
    client: Option<Client>,
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

    fn connect(protocol: &dyn Protocol) -> io::Result<Self> {
        let (started, mail, wire) = (Instant::now(), Arc::new(TestMailbox::default()), Wire::new());
        let context = Rc::new(Context {
            clock: Clock::new(started, SystemTime::UNIX_EPOCH + WALL),
            mailbox: mail.clone(),
            counters: Arc::new(Counters::default()),
            workers: Arc::new(AtOnce),
        });
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
        self.wire().to_server.extend(bytes);
        self.turn(Cause::Ready(Readiness { readable: true, ..Readiness::default() }));
        self.read_mail();
        self
    }

    /// Takes all bytes that the server has sent.
    pub fn recv(&mut self) -> Vec<u8> {
        self.read_mail();
        std::mem::take(&mut self.wire().to_peer)
    }

    /// Finishes sending (a half-close); answers can still be received.
    pub fn finish(&mut self) -> &mut Self {
        self.wire().peer_has_finished = true;
        self.turn(Cause::Ready(Readiness { readable: true, read_closed: true, ..Readiness::default() }));
        self
    }

    /// Takes only `bytes` more until the next call of this; by default there is no limit.
    pub fn take_at_most(&mut self, bytes: usize) -> &mut Self {
        self.wire().window = bytes;
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
        self.client.is_none() || self.wire().server_has_finished
    }

    /// When the server will do something if nothing happens; `None` if never.
    pub fn deadline(&self) -> Option<Duration> {
        let deadline = self.client.as_ref()?.deadline()?;
        Some(deadline.saturating_duration_since(self.context.clock.now()))
    }

    /// Waits for a note from another thread. Gives up after 20 seconds of real time.
    fn wait_for_mail(&mut self) -> bool {
        let is_there = self.mail.wait();
        self.read_mail();
        is_there
    }

    fn read_mail(&mut self) {
        for note in self.mail.take() {
            self.turn(Cause::Note(note));
        }
    }

    fn turn(&mut self, cause: Cause) {
        let Some(client) = &mut self.client else { return };
        let mut turn = WebServer::handle_client_request(client, cause, &mut self.buffers);
        while turn == Turn::Unfinished {
            turn = WebServer::handle_client_request(client, Cause::Again, &mut self.buffers);
        }
        if turn == Turn::Finished {
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
        let waited = self.news.wait_timeout_while(notes, PATIENCE, |notes| notes.is_empty());
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }
}

impl Mailbox for TestMailbox {
    fn post(&self, _: ClientKey, note: Note) {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner).push(note);
        self.news.notify_all();
    }
}

/// A worker pool without threads: the job is done before `submit` returns.
struct AtOnce;

impl Workers for AtOnce {
    fn submit(&self, job: Job) -> Result<(), Job> {
        job();
        Ok(())
    }
}

/// Sends requests to a handler, each on a connection of its own.
///
/// ```
/// use qibu::{Request, testing::TestClient};
///
/// let client = TestClient::new(|request: &mut Request| format!("you want {}", request.path()));
/// let answer = client.get("/news").header("Accept", "text/plain").send();
/// assert_eq!(answer.status(), 200);
/// assert_eq!(answer.header("content-type"), Some("text/plain; charset=utf-8"));
/// assert_eq!(answer.text(), "you want /news");
/// ```
pub struct TestClient {
    http: Http,
}

impl TestClient {
    /// A client of this handler.
    pub fn new(handler: impl Handler) -> Self {
        Self { http: Http::new(handler) }
    }

    /// A client of this protocol, with settings of your own.
    pub fn with_http(http: Http) -> Self {
        Self { http }
    }

    /// A GET request.
    pub fn get(&self, target: &str) -> TestRequest<'_> {
        self.request("GET", target)
    }

    /// A POST request.
    pub fn post(&self, target: &str) -> TestRequest<'_> {
        self.request("POST", target)
    }

    /// A request with any method.
    pub fn request(&self, method: &str, target: &str) -> TestRequest<'_> {
        TestRequest { client: self, method: method.into(), target: target.into(), fields: Vec::new(), body: None }
    }
}

impl fmt::Debug for TestClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestClient").finish_non_exhaustive()
    }
}

/// A request that [`TestClient`] makes.
#[derive(Debug)]
#[must_use = "it is not sent yet"]
pub struct TestRequest<'a> {
    client: &'a TestClient,
    method: String,
    target: String,
    fields: Vec<(String, String)>,
    body: Option<Bytes>,
}

impl TestRequest<'_> {
    /// Adds a field. `Host: localhost` is sent unless a Host is given.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.fields.push((name.into(), value.into()));
        self
    }

    /// Adds a body, sent with its Content-Length.
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = Some(body.into());
        self
    }

    /// Sends it and waits for the whole answer.
    ///
    /// # Panics
    ///
    /// If no complete HTTP answer comes: the test has failed.
    pub fn send(self) -> TestResponse {
        let mut conn = TestConn::connect(&self.client.http).expect("HTTP opens every connection");
        conn.send(&self.to_bytes());
        let wants_body = self.method != "HEAD";
        let mut received = conn.recv();
        loop {
            match TestResponse::parse(&received, wants_body, conn.is_closed()) {
                Some(response) => return response,
                None if conn.wait_for_mail() => received.extend(conn.recv()),
                None => panic!(
                    "no complete answer to {} {}: {:?}",
                    self.method,
                    self.target,
                    String::from_utf8_lossy(&received)
                ),
            }
        }
    }

    fn to_bytes(&self) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.target);
        if !self.fields.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
            head += "Host: localhost\r\n";
        }
        for (name, value) in &self.fields {
            head += &format!("{name}: {value}\r\n");
        }
        if let Some(body) = &self.body {
            head += &format!("Content-Length: {}\r\n", body.len());
        }
        [head.as_bytes(), b"\r\n", self.body.as_deref().unwrap_or_default()].concat()
    }
}

/// An answer that [`TestClient`] got.
#[derive(Debug)]
pub struct TestResponse {
    status: u16,
    fields: Vec<(String, String)>,
    body: Vec<u8>,
}

impl TestResponse {
    /// The status code.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The first field of that name, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| &**value)
    }

    /// The body, decoded from its chunks.
    pub fn bytes(&self) -> &[u8] {
        &self.body
    }

    /// The body as text.
    ///
    /// # Panics
    ///
    /// If it is not UTF-8.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("the body is UTF-8 text")
    }

    /// The first final response in `bytes`; `None` while it is incomplete.
    fn parse(bytes: &[u8], wants_body: bool, is_closed: bool) -> Option<Self> {
        let head_end = find(bytes, b"\r\n\r\n")?;
        let (head, rest) = (std::str::from_utf8(&bytes[..head_end]).ok()?, &bytes[head_end + 4..]);
        let mut lines = head.split("\r\n");
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        if (100..200).contains(&status) {
            return Self::parse(rest, wants_body, is_closed);
        }
        let fields =
            lines.filter_map(|line| line.split_once(':')).map(|(name, value)| (name.into(), value.trim().into()));
        let mut response = Self { status, fields: fields.collect(), body: Vec::new() };
        if wants_body && !matches!(status, 204 | 304) {
            response.body = response.read_body(rest, is_closed)?;
        }
        Some(response)
    }

    fn read_body(&self, rest: &[u8], is_closed: bool) -> Option<Vec<u8>> {
        if self.header("transfer-encoding").is_some() {
            return unchunk(rest);
        }
        match self.header("content-length") {
            Some(length) => rest.get(..length.parse().ok()?).map(<[u8]>::to_vec),
            None => is_closed.then(|| rest.to_vec()),
        }
    }
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

/// What well-formed chunks hold; `None` while the last one is missing.
fn unchunk(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let line_end = find(rest, b"\r\n")?;
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..line_end]).ok()?, 16).ok()?;
        rest = &rest[line_end + 2..];
        if size == 0 {
            return (rest.starts_with(b"\r\n") || find(rest, b"\r\n\r\n").is_some()).then_some(body);
        }
        body.extend_from_slice(rest.get(..size)?);
        rest = rest.get(size + 2..)?;
    }
}
