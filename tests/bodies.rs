//! Bodies that are not simply bytes: several parts, and readers that workers read while the client takes them.

mod common;

use std::io::{self, Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use common::{Gate, get, local, serve};
use qibu::testing::{TestClient, TestConn, TestLoop};
use qibu::{Body, Closed, FileSlice, Http, Part, Request, Response, TrySendError, blocking};

/// Gives `x` so many times, and then fails in its way.
struct Source {
    left: usize,
    end: fn() -> io::Result<usize>,
}

impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = buffer.len().min(self.left);
        if count == 0 {
            return (self.end)();
        }
        buffer[..count].fill(b'x');
        self.left -= count;
        Ok(count)
    }
}

fn reader(left: usize, len: Option<u64>, end: fn() -> io::Result<usize>) -> impl Fn(&mut Request) -> Response {
    move |_: &mut Request| Response::text(Body::reader(Source { left, end }, len))
}

fn all(left: usize, len: Option<u64>) -> impl Fn(&mut Request) -> Response {
    reader(left, len, || Ok(0))
}

fn received(conn: &mut TestConn) -> String {
    String::from_utf8(conn.recv()).unwrap()
}

#[test]
fn parts_follow_each_other_whether_in_memory_or_in_a_file() {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(b"0123456789").unwrap();
    let file = Arc::new(file);
    let client = TestClient::new(move |_: &mut Request| {
        let slice = |range| Part::File(FileSlice::new(file.clone(), range));
        Response::text(Body::parts(vec![
            Part::Bytes("<".into()),
            slice(7..9),
            slice(3..3),
            Part::Bytes("|".into()),
            slice(0..4),
            Part::Bytes(vec![b'>'; 10_000].into()),
        ]))
    });
    let answer = client.get("/").send();
    assert_eq!(answer.header("content-length"), Some("10008"));
    assert_eq!(&answer.text()[..10], "<78|0123>>");
    assert_eq!(client.request("HEAD", "/").send().header("content-length"), Some("10008"));
}

#[test]
fn a_reader_of_known_length_has_a_content_length() {
    for length in [0, 1, 65_535, 65_536, 65_537, 1_000_000] {
        let client = TestClient::new(all(length, Some(length as u64)));
        let answer = client.get("/").send();
        assert_eq!(answer.header("content-length"), Some(&*length.to_string()));
        assert_eq!(answer.bytes().len(), length);
        let head = client.request("HEAD", "/").send();
        assert_eq!(head.header("content-length"), Some(&*length.to_string()));
    }
}

#[test]
fn a_reader_of_unknown_length_is_chunked_or_ends_with_the_connection() {
    let answer = TestClient::new(all(200_000, None)).get("/").send();
    assert_eq!((answer.header("transfer-encoding"), answer.bytes().len()), (Some("chunked"), 200_000));
    let mut old = TestConn::open(Http::new(all(200_000, None))).unwrap();
    let text = received(old.send(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
    assert!(text.ends_with("xxx") && text.contains("connection: close\r\n") && old.is_closed());
    assert_eq!(text.split_once("\r\n\r\n").unwrap().1.len(), 200_000);
}

#[test]
fn the_connection_goes_on_behind_a_reader() {
    let mut conn = TestConn::open(Http::new(all(70_000, Some(70_000)))).unwrap();
    let text = received(conn.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"));
    assert_eq!(text.matches("HTTP/1.1 200 OK").count(), 2);
    assert!(!conn.is_closed());
}

#[test]
fn a_reader_that_fails_never_looks_complete() {
    let failing: [fn() -> io::Result<usize>; 3] = [
        || Err(io::Error::other("the disk is on fire")),
        || panic!("on purpose"),
        || Err(io::ErrorKind::TimedOut.into()),
    ];
    for end in failing {
        let mut conn = TestConn::open(Http::new(reader(70_000, None, end))).unwrap();
        let text = received(conn.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
        assert!(text.contains("xxx") && !text.ends_with("0\r\n\r\n") && conn.is_closed());
        let mut conn = TestConn::open(Http::new(reader(70_000, Some(80_000), end))).unwrap();
        let text = received(conn.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
        assert!(text.contains("content-length: 80000") && conn.is_closed());
    }
    let mut early = TestConn::open(Http::new(all(5, Some(6)))).unwrap();
    assert!(received(early.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")).ends_with("xxxxx") && early.is_closed());
}

#[test]
fn an_interrupted_read_is_tried_again() {
    struct Interrupted(u32);
    impl Read for Interrupted {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.0 += 1;
            match self.0 {
                1 | 3 => Err(io::ErrorKind::Interrupted.into()),
                2 => b"abc".as_slice().read(buffer),
                _ => Ok(0),
            }
        }
    }
    let client = TestClient::new(|_: &mut Request| Response::text(Body::reader(Interrupted(0), None)));
    assert_eq!(client.get("/").send().text(), "abc");
}

#[test]
fn a_reader_is_read_no_faster_than_the_client_takes_it() {
    struct Counting(Arc<AtomicUsize>);
    impl Read for Counting {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.0.fetch_add(buffer.len(), Ordering::Relaxed);
            Ok(buffer.len())
        }
    }
    let read = Arc::new(AtomicUsize::new(0));
    let count = read.clone();
    let handler = move |_: &mut Request| Response::text(Body::reader(Counting(count.clone()), None));
    let mut conn = TestConn::open(Http::new(handler)).unwrap();
    conn.take_at_most(10).send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert!(read.load(Ordering::Relaxed) <= 128 * 1024, "two pieces at most");
    for _ in 0..10 {
        let before = read.load(Ordering::Relaxed);
        conn.take_at_most(64 * 1024).recv();
        assert!(read.load(Ordering::Relaxed) <= before + 128 * 1024);
    }
    assert!(read.load(Ordering::Relaxed) > 256 * 1024, "and it goes on while it is taken");
}

#[test]
fn a_full_worker_pool_delays_a_reader_but_loses_nothing() {
    let held = Arc::new(Gate::default());
    let inside = held.clone();
    let handler = move |request: &mut Request| match request.path() {
        "/hold" => {
            inside.pass();
            Response::text("held")
        }
        _ => Response::text(Body::reader(Source { left: 300_000, end: || Ok(0) }, None)),
    };
    let plan = Planned(blocking(handler.clone()), handler);
    let server = serve(local().workers(1).worker_queue(0), plan);
    let mut first = server.connect();
    first.send(get("/hold"));
    held.until_arrived(1);
    let mut second = server.connect();
    second.send(get("/"));
    let head = second.head();
    held.open();
    let mut length = 0;
    second.body(&head, |piece| length += piece.len()).unwrap();
    assert_eq!(length, 300_000);
    assert_eq!(first.answer().text(), "held");
}

/// Nearly as long as a stream may stand still.
const SILENCE: Duration = Duration::from_secs(299);

#[test]
fn a_client_is_not_blamed_for_a_slow_producer() {
    let (senders, sender) = mpsc::channel();
    let handler = move |_: &mut Request| {
        let (sender, body) = Body::channel(1024);
        senders.send(sender).unwrap();
        Response::text(body)
    };
    let mut conn = TestConn::open(Http::new(handler)).unwrap();
    conn.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").recv();
    let sender = sender.recv().unwrap();
    for _ in 0..10 {
        assert!(!conn.advance(SILENCE).is_closed(), "it has read all that there was");
        sender.send("x").unwrap();
        assert_eq!(received(&mut conn), "1\r\nx\r\n");
    }
    drop(sender);
    assert_eq!(received(&mut conn), "0\r\n\r\n");
}

#[test]
fn a_client_is_not_blamed_for_a_slow_reader() {
    let source = || Source { left: 300_000, end: || Ok(0) };
    let mut server = TestLoop::new(Http::new(move |_: &mut Request| Response::text(Body::reader(source(), None))));
    let client = server.connect("192.0.2.1:5000".parse().unwrap()).unwrap();
    server.send(client, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    let settle = |server: &mut TestLoop| {
        while !server.is_quiet() {
            server.step();
        }
    };
    settle(&mut server);
    while server.jobs_waiting() > 0 {
        server.advance(SILENCE);
        settle(&mut server);
        assert!(server.is_open(client), "it has read all that there was");
        server.run_job(0);
        settle(&mut server);
    }
    assert!(server.recv(client).ends_with(b"\r\n0\r\n\r\n"));
}

/// `/hold` on the pool, everything else on the loop.
struct Planned<A, B>(A, B);

impl<A: qibu::Handler, B: qibu::Handler> qibu::Handler for Planned<A, B> {
    fn handle(&self, request: &mut Request) -> Response {
        if request.path() == "/hold" { self.0.handle(request) } else { self.1.handle(request) }
    }

    fn plan(&self, request: &mut Request) -> qibu::Plan {
        if request.path() == "/hold" { self.0.plan(request) } else { self.1.plan(request) }
    }
}

#[test]
fn bytes_can_be_put_behind_any_body() {
    fn file() -> std::fs::File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"0123456789").unwrap();
        file
    }
    fn channel() -> Body {
        let (sender, body) = Body::channel(1024);
        thread::spawn(move || ["01234", "56789"].into_iter().for_each(|piece| sender.send(piece).unwrap()));
        body
    }
    type Make = fn() -> Body;
    let bodies: [(&str, Make, Option<&str>); 6] = [
        ("bytes", || "0123456789".into(), Some("15")),
        ("a file", || Body::file(file(), 0..10), Some("15")),
        ("parts", || Body::parts(vec![Part::Bytes("0123456789".into())]), Some("15")),
        ("a reader", || Body::reader(&b"0123456789"[..], None), None),
        ("a reader of known length", || Body::reader(&b"0123456789 more"[..], Some(10)), Some("15")),
        ("a stream", channel, None),
    ];
    for (name, body, length) in bodies {
        let client = TestClient::new(move |_: &mut Request| Response::text(body().append("<en").append("d>")));
        let answer = client.get("/").send();
        assert_eq!(answer.text(), "0123456789<end>", "{name}");
        assert_eq!(answer.header("content-length"), length, "{name}");
    }
}

#[test]
fn an_abort_wakes_those_who_wait_for_room() {
    // Whether somebody waits already cannot be seen, but in a hundred times somebody does.
    for _ in 0..100 {
        let (sender, body) = Body::channel(1);
        let (results, result) = mpsc::channel();
        for _ in 0..3 {
            let (sender, results) = (sender.clone(), results.clone());
            thread::spawn(move || {
                let failed = (0..).find_map(|_| sender.send("x").err());
                results.send(failed).unwrap();
            });
        }
        while sender.try_send("x") != Err(TrySendError::Full("x".into())) {}
        (0..10).for_each(|_| thread::yield_now());
        sender.abort();
        for _ in 0..3 {
            let failed = result.recv_timeout(Duration::from_secs(20)).expect("nobody waits for what cannot come");
            assert_eq!(failed, Some(Closed));
        }
        drop(body); // which would wake them, too
    }
}
