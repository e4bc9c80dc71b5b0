//! What the tests over real sockets share: a server on a free port, a client that knows just enough HTTP, a gate for
//! handlers, and waits that have a limit.
//!
//! Nothing here sleeps and hopes. A test waits for an event (bytes, an end, a gate), or polls a condition with
//! [`eventually`]; every wait gives up after [`PATIENCE`], so that a broken server fails a test and does not hang it.

#![allow(dead_code, reason = "each test file is a crate of its own and uses some of it")]

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::net::{SocketAddr, TcpStream};
use std::ops::Deref;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use qibu::{Builder, Handler, Protocol, Running, WebServer};

/// How long anything may take before a test fails. Generous: machines are busy, and only a failing test waits so long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A server on one loop and a port of its own; the tests change what they are about.
pub(crate) fn local() -> Builder {
    WebServer::builder().addr("127.0.0.1:0").loops(1)
}

/// Runs it in the background.
pub(crate) fn serve(builder: Builder, handler: impl Handler) -> Server {
    Server { running: builder.build(handler).unwrap().spawn().unwrap() }
}

/// The same with a protocol in place of HTTP.
pub(crate) fn serve_protocol(builder: Builder, protocol: impl Protocol) -> Server {
    Server { running: builder.build_protocol(protocol).unwrap().spawn().unwrap() }
}

/// A running server. Its end is graceful, unless the test has failed: then nobody waits for it.
pub(crate) struct Server {
    running: Running,
}

impl Server {
    pub(crate) fn connect(&self) -> Client<TcpStream> {
        Client::connect(self.local_addr())
    }

    /// Waits until so many clients are connected.
    pub(crate) fn until_connected(&self, count: u64) {
        eventually(&format!("{count} clients are connected"), || self.handle().stats().connections == count);
    }
}

impl Deref for Server {
    type Target = Running;

    fn deref(&self) -> &Running {
        &self.running
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if thread::panicking() {
            self.handle().abort();
        }
    }
}

/// Waits for a server's end.
pub(crate) fn end_of(running: Running) -> io::Result<()> {
    let (tell, told) = mpsc::channel();
    thread::spawn(move || tell.send(running.join()));
    told.recv_timeout(PATIENCE).expect("the server ends")
}

/// Polls until `condition` holds.
#[track_caller]
pub(crate) fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < PATIENCE, "waited in vain until {what}");
        thread::sleep(Duration::from_millis(2));
    }
}

/// A request without a body, on a connection that stays.
pub(crate) fn get(target: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: test\r\n\r\n")
}

/// The far end of a connection: sends bytes, reads answers. Reads ahead no further than its buffer.
pub(crate) struct Client<S> {
    stream: BufReader<S>,
}

impl Client<TcpStream> {
    pub(crate) fn connect(address: SocketAddr) -> Self {
        Self::over(TcpStream::connect_timeout(&address, PATIENCE).unwrap())
    }

    pub(crate) fn over(stream: TcpStream) -> Self {
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        Self::with_buffer(64 * 1024, stream)
    }

    /// A client whose system takes about `bytes` before it has read any.
    pub(crate) fn with_small_window(address: SocketAddr, bytes: usize) -> Self {
        let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
        socket.set_recv_buffer_size(bytes).unwrap();
        socket.connect(&address.into()).unwrap();
        Self::over(socket.into())
    }

    /// Finishes sending; answers can still be read.
    pub(crate) fn finish(&self) {
        self.socket().shutdown(std::net::Shutdown::Write).unwrap();
    }

    /// The same socket for another thread.
    pub(crate) fn socket(&self) -> TcpStream {
        self.stream.get_ref().try_clone().unwrap()
    }

    /// Leaves without a good-bye: the peer gets a reset.
    pub(crate) fn vanish(self) {
        socket2::SockRef::from(self.stream.get_ref()).set_linger(Some(Duration::ZERO)).unwrap();
    }
}

impl<S: Read + Write> Client<S> {
    pub(crate) fn with_buffer(bytes: usize, stream: S) -> Self {
        Self { stream: BufReader::with_capacity(bytes, stream) }
    }

    #[track_caller]
    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        self.try_send(bytes).unwrap();
        self
    }

    pub(crate) fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.stream.get_mut().write_all(bytes.as_ref())
    }

    /// Waits for the next byte; false at the end, with or without a reset.
    #[track_caller]
    pub(crate) fn has_more(&mut self) -> bool {
        match self.stream.fill_buf() {
            Ok(bytes) => !bytes.is_empty(),
            Err(error) if is_end(&error) => false,
            Err(error) => panic!("{error}"),
        }
    }

    /// Asks for a target and reads the answer.
    #[track_caller]
    pub(crate) fn get(&mut self, target: &str) -> Answer {
        self.send(get(target)).answer()
    }

    /// The next whole answer.
    #[track_caller]
    pub(crate) fn answer(&mut self) -> Answer {
        self.try_answer().unwrap().expect("an answer, not the end")
    }

    /// The next whole answer; `None` where the connection has ended before its first byte.
    pub(crate) fn try_answer(&mut self) -> io::Result<Option<Answer>> {
        let Some(head) = self.try_head()? else { return Ok(None) };
        let mut body = Vec::new();
        self.body(&head, |piece| body.extend_from_slice(piece))?;
        Ok(Some(Answer { head, body }))
    }

    #[track_caller]
    pub(crate) fn head(&mut self) -> Head {
        self.try_head().unwrap().expect("an answer, not the end")
    }

    fn try_head(&mut self) -> io::Result<Option<Head>> {
        let Some(first) = self.line()? else { return Ok(None) };
        let status =
            first.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_else(|| panic!("{first:?}"));
        let mut fields = Vec::new();
        loop {
            let line = self.line()?.ok_or(io::ErrorKind::UnexpectedEof)?;
            match line.split_once(": ") {
                Some((name, value)) => fields.push((name.to_owned(), value.to_owned())),
                None => return Ok(Some(Head { status, fields })),
            }
        }
    }

    /// Reads the body that belongs to `head`, piece by piece. Fails with `UnexpectedEof` where it is not whole.
    pub(crate) fn body(&mut self, head: &Head, mut take: impl FnMut(&[u8])) -> io::Result<()> {
        if let Some(length) = head.field("content-length") {
            return self.exactly(length.parse().unwrap(), &mut take);
        }
        if head.field("transfer-encoding").is_none() {
            return Ok(()); // 204, 304
        }
        loop {
            let size = self.line()?.ok_or(io::ErrorKind::UnexpectedEof)?;
            let size = u64::from_str_radix(&size, 16).unwrap_or_else(|_| panic!("a chunk of size {size:?}"));
            self.exactly(size, &mut take)?;
            assert_eq!(self.line()?.ok_or(io::ErrorKind::UnexpectedEof)?, "", "the end of a chunk of {size} bytes");
            if size == 0 {
                return Ok(());
            }
        }
    }

    fn exactly(&mut self, mut left: u64, take: &mut impl FnMut(&[u8])) -> io::Result<()> {
        while left > 0 {
            let there = self.stream.fill_buf()?;
            if there.is_empty() {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let count = there.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            take(&there[..count]);
            self.stream.consume(count);
            left -= count as u64;
        }
        Ok(())
    }

    /// A line without its end; `None` at the end of the connection.
    pub(crate) fn line(&mut self) -> io::Result<Option<String>> {
        let mut line = String::new();
        self.stream.read_line(&mut line)?;
        match line.strip_suffix('\n') {
            Some(whole) => Ok(Some(whole.trim_end_matches('\r').to_owned())),
            None if line.is_empty() => Ok(None),
            None => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }

    /// Waits until all of `bytes` is filled.
    #[track_caller]
    pub(crate) fn read_exact(&mut self, bytes: &mut [u8]) {
        self.stream.read_exact(bytes).unwrap();
    }

    /// All that still comes, up to the end. Fails where there is no end, or a reset in its place.
    pub(crate) fn rest(&mut self) -> io::Result<Vec<u8>> {
        let mut rest = Vec::new();
        self.stream.read_to_end(&mut rest)?;
        Ok(rest)
    }

    /// Nothing comes any more but the end.
    #[track_caller]
    pub(crate) fn assert_end(&mut self) {
        let rest = self.rest().unwrap();
        assert!(rest.is_empty(), "nothing was expected but the end: {:?}", String::from_utf8_lossy(&rest));
    }
}

/// Whether this is how a connection ends that was cut, and not how a wait ends that was in vain.
pub(crate) fn is_end(error: &io::Error) -> bool {
    !matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}

/// Sends the same to everyone.
#[track_caller]
pub(crate) fn send_to_all(clients: &mut [Client<TcpStream>], bytes: impl AsRef<[u8]>) {
    for client in clients {
        client.send(&bytes);
    }
}

#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) status: u16,
    fields: Vec<(String, String)>,
}

impl Head {
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(known, _)| known == name).map(|(_, value)| &**value)
    }
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) head: Head,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn status(&self) -> u16 {
        self.head.status
    }

    #[track_caller]
    pub(crate) fn text(&self) -> &str {
        assert_eq!(self.status(), 200, "{self:?}");
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn number(&self) -> u64 {
        self.text().parse().unwrap()
    }
}

/// A gate in a handler: who comes to it waits until the test opens it, for good.
#[derive(Clone, Default)]
pub(crate) struct Gate {
    shared: Arc<(Mutex<GateState>, Condvar)>,
}

#[derive(Default)]
struct GateState {
    arrived: usize,
    is_open: bool,
}

impl Gate {
    /// For the handler. A gate that is never opened gives way in the end, so that a failed test can end, too.
    pub(crate) fn pass(&self) {
        let mut state = self.lock();
        state.arrived += 1;
        self.shared.1.notify_all();
        drop(self.shared.1.wait_timeout_while(state, 2 * PATIENCE, |state| !state.is_open));
    }

    /// For the test: waits until so many have come.
    #[track_caller]
    pub(crate) fn until_arrived(&self, count: usize) {
        let waited = self.shared.1.wait_timeout_while(self.lock(), PATIENCE, |state| state.arrived < count);
        assert!(!waited.unwrap().1.timed_out(), "waited in vain until {count} came to the gate");
    }

    /// How many have come.
    pub(crate) fn arrived(&self) -> usize {
        self.lock().arrived
    }

    pub(crate) fn open(&self) {
        self.lock().is_open = true;
        self.shared.1.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, GateState> {
        self.shared.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A file of any size with little on the disk: zeros, but for a mark at the start of each mebibyte that says where it is.
pub(crate) struct MarkedFile {
    pub(crate) file: Arc<File>,
    pub(crate) length: u64,
}

const MARK_EVERY: u64 = 1024 * 1024;
static ZEROS: [u8; 64 * 1024] = [0; 64 * 1024];

impl MarkedFile {
    pub(crate) fn new(length: u64) -> Self {
        let mut file = tempfile::tempfile().unwrap();
        file.set_len(length).unwrap();
        for at in (0..length).step_by(MARK_EVERY as usize) {
            file.seek(SeekFrom::Start(at)).unwrap();
            file.write_all(&mark(at)).unwrap();
        }
        Self { file: Arc::new(file), length }
    }
}

/// The same bytes, from memory: piece by piece.
pub(crate) fn marked_piece(at: u64, length: usize) -> Vec<u8> {
    assert!(at.is_multiple_of(MARK_EVERY) && length as u64 <= MARK_EVERY, "one piece, one mark");
    let mut piece = vec![0; length];
    piece[..8].copy_from_slice(&mark(at));
    piece
}

fn mark(at: u64) -> [u8; 8] {
    (at | 1 << 63).to_be_bytes()
}

/// Looks at the bytes of a [`MarkedFile`] as they arrive.
#[derive(Default)]
pub(crate) struct MarkCheck {
    pub(crate) at: u64,
}

impl MarkCheck {
    pub(crate) fn take(&mut self, mut piece: &[u8]) {
        while !piece.is_empty() {
            let in_block = (self.at % MARK_EVERY) as usize;
            let expected = mark(self.at - in_block as u64);
            let count = match in_block {
                0..8 => piece.len().min(8 - in_block),
                _ => piece.len().min(MARK_EVERY as usize - in_block).min(ZEROS.len()),
            };
            let is_right = match in_block {
                0..8 => piece[..count] == expected[in_block..in_block + count],
                _ => piece[..count] == ZEROS[..count],
            };
            assert!(is_right, "wrong bytes behind byte {}", self.at);
            self.at += count as u64;
            piece = &piece[count..];
        }
    }
}
