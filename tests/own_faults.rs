//! What goes wrong in the application itself: its client must be able to tell, and the log says so, once and truly.

use std::fs::File;
use std::io;
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, Once, PoisonError};
use std::thread;
use std::time::Duration;

use qibu::testing::{TestClient, TestConn};
use qibu::{
    Body, BodySender, Closed, Connection, Error, Handler, HandlerExt, Http, Next, Request, Response, Result, Session,
    StatusCode, Timeout, sse,
};

// ---- a producer that panics ----

/// A body whose first sender is in the hands of a thread of that name, which panics. The other is given to `keep`.
fn half(name: &str, keep: impl FnOnce(BodySender)) -> Body {
    let (sender, body) = Body::channel(100);
    keep(sender.clone());
    let producer = thread::Builder::new().name(name.to_owned()).spawn(move || {
        sender.send("half").unwrap();
        panic!("this panic is part of the test");
    });
    assert!(producer.unwrap().join().is_err());
    body
}

/// All that a client gets, and whether the connection is closed then.
fn conversation(handler: impl Handler, target: &str) -> (String, bool) {
    let mut conn = TestConn::open(Http::new(handler)).unwrap();
    let answer = conn.send(get(target).as_bytes()).recv();
    (String::from_utf8(answer).unwrap(), conn.is_closed())
}

fn get(target: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n")
}

/// A download that breaks off must not look complete (RFC 9112 section 8).
#[test]
fn a_producer_that_panics_breaks_its_body_off() {
    begin();
    let (answer, is_closed) = conversation(|_: &mut Request| Response::text(half("first", drop)), "/");
    assert!(!answer.ends_with("0\r\n\r\n") && is_closed, "{answer}");
    assert_eq!(Log::lines_of_all("a body is broken off: the thread `first`, which made it, has panicked").len(), 1);
}

#[test]
fn of_several_senders_any_that_is_dropped_by_a_panic_breaks_the_body_off() {
    let kept = std::sync::Arc::new(Mutex::new(None));
    let keeper = kept.clone();
    let handler =
        move |_: &mut Request| Response::text(half("second", |sender| *keeper.lock().unwrap() = Some(sender)));
    let mut conn = TestConn::open(Http::new(handler)).unwrap();
    let answer = conn.send(get("/").as_bytes()).recv();
    assert!(!answer.ends_with(b"0\r\n\r\n") && conn.is_closed());
    assert_eq!(kept.lock().unwrap().take().unwrap().send("the rest"), Err(Closed));
}

/// Nobody can take the end of such a stream for that of its news.
#[test]
fn a_stream_without_an_end_ends_as_ever() {
    let handler = |_: &mut Request| {
        let (sender, response) = sse::channel(100);
        let producer = thread::spawn(move || {
            sender.send("news").unwrap();
            panic!("this panic is part of the test");
        });
        assert!(producer.join().is_err());
        response
    };
    let (answer, is_closed) = conversation(handler, "/");
    assert!(answer.contains("data: news") && answer.ends_with("0\r\n\r\n") && !is_closed, "{answer}");
}

// ---- a reply that is dropped ----

const DROPPED: &str = "a Reply was dropped unsent";

#[test]
fn a_reply_that_is_dropped_is_named_only_where_its_client_gets_the_500() {
    begin();
    let other_answer = |request: &mut Request| -> Result {
        let (_reply, _pending) = request.later();
        Err(Error::new(StatusCode::SERVICE_UNAVAILABLE, "the queue is full"))
    };
    assert!(conversation(other_answer, "/").0.starts_with("HTTP/1.1 503 "));

    let (sender, replies) = std::sync::mpsc::channel();
    let waits = move |request: &mut Request| {
        let (reply, pending) = request.later();
        sender.send(reply).unwrap();
        pending
    };
    let second = Duration::from_secs(1);
    let mut late = TestConn::open(Http::new(waits.with(Timeout::new(second)))).unwrap();
    assert!(late.send(get("/").as_bytes()).advance(second).recv().starts_with(b"HTTP/1.1 503 "));
    drop(replies.recv().unwrap());
    assert_eq!(late.recv(), b"");
    assert_eq!(Log::lines(DROPPED), [""; 0]);

    let dropped = |request: &mut Request| request.later().1;
    assert!(conversation(dropped, "/").0.starts_with("HTTP/1.1 500 "));
    assert_eq!(Log::lines(DROPPED), ["ERROR a Reply was dropped unsent; 127.0.0.1:50000 gets 500"]);
}

#[test]
fn the_500_for_a_reply_that_is_dropped_has_the_page_of_every_other() {
    let answer = TestClient::new(|request: &mut Request| request.later().1).get("/").send();
    assert_eq!((answer.status(), answer.text()), (500, "500 Internal Server Error\n"));
}

// ---- a handler that fails ----

#[derive(Debug)]
struct Outer(io::Error);

impl std::fmt::Display for Outer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the orders cannot be read")
    }
}

impl std::error::Error for Outer {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

#[test]
fn a_handler_that_fails_is_named_with_its_request_and_all_causes() {
    begin();
    let fails = |_: &mut Request| -> Result<&'static str> { Err(Outer(io::Error::other("the disk is gone")))? };
    assert_eq!(TestClient::new(fails).get("/orders?page=2").send().status(), 500);
    let line = "ERROR the handler of GET /orders?page=2 failed: the orders cannot be read: the disk is gone";
    assert_eq!(Log::lines("/orders"), [line]);

    let nested = |_: &mut Request| Some((StatusCode::OK, Err::<(), _>(Error::from(Outer(io::Error::other("gone"))))));
    TestClient::new(nested).get("/nested").send();
    let line = "ERROR the handler of GET /nested failed: the orders cannot be read: gone";
    assert_eq!(Log::lines("/nested"), [line]);
}

// ---- bodies and sessions ----

#[test]
fn a_file_that_is_shorter_than_its_body_is_an_error_of_the_application() {
    begin();
    let handler = |_: &mut Request| -> Result {
        let file = File::open(concat!(env!("CARGO_MANIFEST_DIR"), "/LICENSE-MIT"))?;
        Ok(Response::bytes("text/plain", Body::file(file, 0..1_000_000)))
    };
    assert!(conversation(handler, "/").1);
    assert_eq!(
        Log::lines("shorter"),
        ["WARN an answer for 127.0.0.1:50000 is broken off: its file is shorter than was promised"]
    );
}

#[test]
fn a_session_that_fails_is_named_with_its_reason() {
    struct Fails;
    impl Session for Fails {
        fn handle_client_request(&mut self, new_socket: &mut Connection, _: SocketAddr) -> io::Result<Next> {
            match new_socket.recv().as_slice() {
                b"" => Ok(Next::Wait),
                b"own" => Err(io::Error::other("a reason of its own")),
                _ => Err(io::ErrorKind::ConnectionReset.into()),
            }
        }
    }
    begin();
    for said in [b"own".as_slice(), b"peer"] {
        let mut conn = TestConn::open(|| Fails).unwrap();
        assert!(conn.send(said).is_closed());
    }
    assert_eq!(Log::lines("session"), ["WARN the session of 127.0.0.1:50000 failed: a reason of its own"]);
}

// ---- the log ----

/// What was logged, and by which thread: most of what happens here does on the thread of its test.
struct Log;

static LINES: Mutex<Vec<(thread::ThreadId, String)>> = Mutex::new(Vec::new());

/// From now on, lines are kept.
fn begin() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        log::set_logger(&Log).unwrap();
        log::set_max_level(log::LevelFilter::Warn);
    });
}

fn lines() -> MutexGuard<'static, Vec<(thread::ThreadId, String)>> {
    LINES.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Log {
    fn lines_of_all(about: &str) -> Vec<String> {
        lines().iter().filter(|(_, line)| line.contains(about)).map(|(_, line)| line.clone()).collect()
    }

    fn lines(about: &str) -> Vec<String> {
        let own =
            |(thread, line): &&(thread::ThreadId, String)| (*thread == thread::current().id()) && line.contains(about);
        lines().iter().filter(own).map(|(_, line)| line.clone()).collect()
    }
}

impl log::Log for Log {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        lines().push((thread::current().id(), format!("{} {}", record.level(), record.args())));
    }

    fn flush(&self) {}
}
