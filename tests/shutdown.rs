//! The end of a server with one of everything open: each is brought to an end of its own kind, and nobody is forgotten.
//! (tests/lifecycle.rs has the ends of single requests, and of the doors.)

mod common;

use std::net::TcpStream;
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use common::{Client, Gate, MarkCheck, MarkedFile, PATIENCE, end_of, eventually, get, local};
use qibu::ws::{self, WebSocket};
use qibu::{
    Body, BodySender, Handler, IntoResponse, Plan, Reply, Request, Response, Running, StatusCode, WebServer, sse,
};

/// Too large for what the system and the small window of a client hold.
const DOWNLOAD_BYTES: u64 = 64 << 20;

/// A handler of each kind; what the test has to do for an answer comes over channels.
struct Site {
    inline: Gate,
    pool: Gate,
    download: MarkedFile,
    replies: mpsc::SyncSender<Reply>,
    streams: mpsc::SyncSender<BodySender>,
    events: mpsc::SyncSender<sse::EventSender>,
    sockets: mpsc::SyncSender<ws::Sender>,
    said: Arc<Mutex<Vec<u16>>>,
}

/// The test's side of them.
struct Strings {
    inline: Gate,
    pool: Gate,
    replies: mpsc::Receiver<Reply>,
    streams: mpsc::Receiver<BodySender>,
    events: mpsc::Receiver<sse::EventSender>,
    sockets: mpsc::Receiver<ws::Sender>,
    /// With which codes WebSockets were closed.
    said: Arc<Mutex<Vec<u16>>>,
}

impl Site {
    fn new() -> (Self, Strings) {
        let (inline, pool, said) = (Gate::default(), Gate::default(), Arc::default());
        let (reply, replies) = mpsc::sync_channel(100);
        let (stream, streams) = mpsc::sync_channel(100);
        let (event, events) = mpsc::sync_channel(100);
        let (socket, sockets) = mpsc::sync_channel(100);
        let site = Self {
            inline: inline.clone(),
            pool: pool.clone(),
            download: MarkedFile::new(DOWNLOAD_BYTES),
            replies: reply,
            streams: stream,
            events: event,
            sockets: socket,
            said: Arc::clone(&said),
        };
        (site, Strings { inline, pool, replies, streams, events, sockets, said })
    }
}

impl Handler for Site {
    fn handle(&self, request: &mut Request) -> Response {
        let held = "the test holds the receiver";
        match request.path() {
            "/inline" => {
                self.inline.pass();
                "inline".into_response()
            }
            "/pool" => {
                self.pool.pass();
                "pool".into_response()
            }
            "/later" => {
                let (reply, pending) = request.later();
                self.replies.send(reply).expect(held);
                pending
            }
            "/stream" => {
                let (sender, body) = Body::channel(1024);
                self.streams.send(sender).expect(held);
                Response::text(body)
            }
            "/events" => {
                let (sender, response) = sse::channel(1024);
                self.events.send(sender).expect(held);
                response
            }
            "/socket" => {
                let guest = Guest { senders: self.sockets.clone(), said: self.said.clone() };
                WebSocket::new().upgrade(request, guest)
            }
            "/download" => Response::text(Body::file(self.download.file.clone(), 0..DOWNLOAD_BYTES)),
            "/upload" => format!("{} bytes", request.bytes().map_or(0, |body| body.len())).into_response(),
            _ => StatusCode::NO_CONTENT.into_response(),
        }
    }

    fn plan(&self, request: &mut Request) -> Plan {
        if request.path() == "/pool" { Plan::pool() } else { Plan::inline() }
    }
}

/// One client of the WebSocket.
struct Guest {
    senders: mpsc::SyncSender<ws::Sender>,
    said: Arc<Mutex<Vec<u16>>>,
}

impl ws::Handler for Guest {
    fn on_open(&mut self, peer: &ws::Sender) {
        self.senders.send(peer.clone()).expect("the test holds the receiver");
    }

    fn on_message(&mut self, _: &ws::Sender, _: ws::Message) {}

    fn on_close(&mut self, code: u16) {
        self.said.lock().unwrap().push(code);
    }
}

fn run(loops: usize) -> (Running, Strings) {
    let (site, strings) = Site::new();
    (local().loops(loops).build(site).unwrap().spawn().unwrap(), strings)
}

fn open_socket(server: &Running) -> Client<TcpStream> {
    let mut client = Client::connect(server.local_addr());
    client.send(
        "GET /socket HTTP/1.1\r\nHost: test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    );
    assert_eq!(client.head().status, 101);
    client
}

/// A client that has sent this, which is not a whole request, or has an answer that is not whole.
fn begin(server: &Running, bytes: impl AsRef<[u8]>) -> Client<TcpStream> {
    let mut client = Client::connect(server.local_addr());
    client.send(bytes);
    client
}

const HALF_HEAD: &str = "GET /half HTTP/1.1\r\nHo";
const HALF_UPLOAD: &str = "POST /upload HTTP/1.1\r\nHost: test\r\nContent-Length: 10\r\n\r\nhalf-";

/// The frame that a shutdown sends, and a client's answer to it, masked with zeros.
const GOING_AWAY: &[u8] = b"\x88\x1d\x03\xe9the server is shutting down";
const GOODBYE: &[u8] = b"\x88\x82\0\0\0\0\x03\xe9";

/// The server says goodbye first, and closes when the client has said so, too.
#[track_caller]
fn assert_is_told(socket: &mut Client<TcpStream>) {
    assert!(socket.has_more(), "not a word");
    socket.send(GOODBYE);
    assert_eq!(socket.rest().unwrap(), GOING_AWAY);
}

#[test]
fn one_of_everything_comes_to_its_own_end() {
    let (server, strings) = run(1);
    let mut fresh = Client::connect(server.local_addr());
    let mut idle = Client::connect(server.local_addr());
    assert_eq!(idle.get("/").status(), 204);
    eventually("the silent one is there too", || server.handle().stats().accepted == 2);
    let mut pool = begin(&server, get("/pool"));
    strings.pool.until_arrived(1);
    let mut later = begin(&server, get("/later"));
    let reply = strings.replies.recv_timeout(PATIENCE).unwrap();
    let mut stream = begin(&server, get("/stream"));
    let sender = strings.streams.recv_timeout(PATIENCE).unwrap();
    let mut events = begin(&server, get("/events"));
    let news = strings.events.recv_timeout(PATIENCE).unwrap();
    let mut socket = open_socket(&server);
    let mut download = Client::with_small_window(server.local_addr(), 16 * 1024);
    download.send(get("/download"));
    let download_head = download.head();
    let mut upload = begin(&server, HALF_UPLOAD);
    let mut half_head = begin(&server, HALF_HEAD);
    let mut inline = begin(&server, get("/inline")); // holds the loop until its gate opens
    strings.inline.until_arrived(1);

    server.handle().shutdown();
    strings.inline.open();
    assert_eq!(inline.answer().text(), "inline");
    inline.assert_end();

    // Who waits for nothing has its end at once.
    fresh.assert_end();
    idle.assert_end();
    let head = events.head();
    events.body(&head, |_| {}).expect("an event stream ends whole, so that its client comes back");
    events.assert_end();
    assert!(news.is_closed());
    assert!(news.send("too late").is_err());
    assert_is_told(&mut socket);
    assert_eq!(*strings.said.lock().unwrap(), [1001]);
    assert!(TcpStream::connect(server.local_addr()).is_err(), "nobody new is let in");

    // Who waits for an answer has it.
    strings.pool.open();
    let answer = pool.answer();
    assert_eq!((answer.text(), answer.head.field("connection")), ("pool", Some("close")));
    pool.assert_end();
    reply.send("later");
    assert_eq!(later.answer().text(), "later");
    later.assert_end();
    sender.send("to its end").unwrap();
    drop(sender);
    assert_eq!(stream.answer().text(), "to its end");
    stream.assert_end();
    upload.send("done!");
    assert_eq!(upload.answer().text(), "10 bytes");
    upload.assert_end();
    half_head.send("st: test\r\n\r\n");
    assert_eq!(half_head.answer().status(), 204);
    half_head.assert_end();
    let mut check = MarkCheck::default();
    download.body(&download_head, |piece| check.take(piece)).unwrap();
    assert_eq!(check.at, DOWNLOAD_BYTES);
    download.assert_end();
    end_of(server).unwrap();
}

#[test]
fn streams_and_sockets_of_all_loops_are_told() {
    let (server, strings) = run(4);
    let mut streams: Vec<_> = (0..20).map(|_| begin(&server, get("/events"))).collect();
    let news: Vec<_> = (0..20).map(|_| strings.events.recv_timeout(PATIENCE).unwrap()).collect();
    let mut sockets: Vec<_> = (0..20).map(|_| open_socket(&server)).collect();
    server.handle().shutdown();
    for stream in &mut streams {
        let head = stream.head();
        stream.body(&head, |_| {}).unwrap();
        stream.assert_end();
    }
    assert!(news.iter().all(sse::EventSender::is_closed));
    for socket in &mut sockets {
        assert_is_told(socket);
    }
    end_of(server).unwrap();
    assert_eq!(*strings.said.lock().unwrap(), [1001; 20]);
}

/// Nobody does what is waited for; when the grace is over, nobody is waited for any more.
#[test]
fn the_grace_is_the_longest_that_anybody_can_hold_up_the_end() {
    let (server, strings) = run(1);
    let later = begin(&server, get("/later"));
    let reply = strings.replies.recv_timeout(PATIENCE).unwrap();
    let stream = begin(&server, get("/stream"));
    let sender = strings.streams.recv_timeout(PATIENCE).unwrap();
    let mut slow_stream = Client::with_small_window(server.local_addr(), 16 * 1024);
    slow_stream.send(get("/stream"));
    let slow_sender = strings.streams.recv_timeout(PATIENCE).unwrap();
    let mut deaf = Client::with_small_window(server.local_addr(), 16 * 1024);
    deaf.send(get("/events"));
    let news = strings.events.recv_timeout(PATIENCE).unwrap();
    let socket = open_socket(&server);
    let client = strings.sockets.recv_timeout(PATIENCE).unwrap();
    let mut download = Client::with_small_window(server.local_addr(), 16 * 1024);
    download.send(get("/download"));
    download.head();
    let upload = begin(&server, HALF_UPLOAD);
    let half_head = begin(&server, HALF_HEAD);
    let pool = begin(&server, get("/pool"));
    strings.pool.until_arrived(1);
    server_has(&server, 9);
    fill(|piece| slow_sender.try_send(piece).is_ok());
    fill(|piece| news.try_send(String::from_utf8(piece).unwrap()).is_ok());

    server.handle().shutdown_within(Duration::from_millis(300));
    end_of(server).unwrap();
    assert!(sender.is_closed() && slow_sender.is_closed() && news.is_closed() && client.is_closed());
    assert_eq!(*strings.said.lock().unwrap(), [1001]);
    reply.send("nobody hears it");
    strings.pool.open();
    drop((later, stream, slow_stream, deaf, socket, download, upload, half_head, pool));
}

fn server_has(server: &Running, clients: u64) {
    eventually("all have come in", || server.handle().stats().connections == clients);
}

/// Sends until the client's buffers, the system's and ours are full: nothing is taken any more for a while.
fn fill(mut send: impl FnMut(Vec<u8>) -> bool) {
    let mut refused = 0;
    while refused < 50 {
        if send(vec![b'x'; 100_000]) {
            refused = 0;
        } else {
            refused += 1;
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

#[test]
fn a_server_that_serves_nobody_ends_at_once() {
    let server = WebServer::new("127.0.0.1:0", |_: &mut Request| "hello").unwrap().spawn().unwrap();
    server.handle().shutdown();
    end_of(server).unwrap();
}

/// `handle.abort()` and then the drop of the `Running` is the way of everyone in a hurry.
#[test]
fn a_shutdown_behind_an_abort_does_not_take_it_back() {
    let (reply, replies) = mpsc::sync_channel(1);
    let gate = Gate::default();
    let door = gate.clone();
    let server = local().build(move |request: &mut Request| {
        if request.path() == "/gate" {
            door.pass();
            return "through".into_response();
        }
        let (promise, pending) = request.later();
        reply.send(promise).unwrap();
        pending
    });
    let server = server.unwrap().spawn().unwrap();
    let [mut waits, mut holds_the_loop] = [(); 2].map(|()| Client::connect(server.local_addr()));
    waits.send(get("/later"));
    let _promise = replies.recv_timeout(PATIENCE).unwrap();
    holds_the_loop.send(get("/gate"));
    gate.until_arrived(1);

    let handle = server.handle();
    handle.abort();
    handle.shutdown_within(Duration::from_secs(3600));
    gate.open();
    end_of(server).unwrap();
}
