//! Handlers that read the body of a request while it arrives.

mod common;

use std::io::{self, BufRead, Read};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use common::{Gate, local, serve};
use qibu::testing::{TestClient, TestConn};
use qibu::{Handler, Http, Plan, ProtocolError, Request, Response, Result, streaming};

/// More than is collected before the handler begins.
const LARGE: usize = 1_000_000;

fn count(request: &mut Request) -> Result<String> {
    let bytes = io::copy(request.body(), &mut io::sink())?;
    Ok(format!("{bytes} bytes, {} trailers", request.trailers().len()))
}

/// A streaming handler with a limit of 2 MB.
struct Large<H>(H);

impl<H: Handler> Handler for Large<H> {
    fn handle(&self, request: &mut Request) -> Response {
        self.0.handle(request)
    }

    fn plan(&self, request: &mut Request) -> Plan {
        self.0.plan(request).body_limit(2_000_000)
    }
}

fn post(length: usize) -> String {
    format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n")
}

const CHUNKED: &[u8] = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";

/// So many bytes in chunks of 1000.
fn chunks(length: usize) -> Vec<u8> {
    let chunk = [b"3e8\r\n", [b'x'; 1000].as_slice(), b"\r\n"].concat();
    chunk.repeat(length / 1000)
}

/// Receives until an answer has ended in these words. Other threads post to the connection; each call looks again.
#[track_caller]
fn until(conn: &mut TestConn, end: &str) -> String {
    let mut text = String::new();
    for _ in 0..20_000 {
        text += &String::from_utf8(conn.recv()).unwrap();
        if text.ends_with(end) {
            return text;
        }
        std::thread::sleep(Duration::from_millis(1)); // it is looked again, up to 20 seconds
    }
    panic!("no {end:?} in {text:?}");
}

/// What the handler tells, and all that is received meanwhile. The connection moves only while it is looked at.
#[track_caller]
fn until_told(conn: &mut TestConn, told: &Receiver<io::Result<u64>>) -> (io::Result<u64>, String) {
    let mut text = String::new();
    for _ in 0..20_000 {
        text += &String::from_utf8(conn.recv()).unwrap();
        if let Ok(read) = told.recv_timeout(Duration::from_millis(1)) {
            text += &String::from_utf8(conn.recv()).unwrap();
            return (read, text);
        }
    }
    panic!("the handler does not end; received: {text:?}");
}

/// A handler that passes a gate, reads, and tells how that ended.
fn telling(gate: Gate) -> (Receiver<io::Result<u64>>, impl Handler) {
    let (tell, told) = mpsc::channel();
    let handler = move |request: &mut Request| {
        gate.pass();
        let read = io::copy(request.body(), &mut io::sink());
        let text = format!("{read:?}");
        tell.send(read).unwrap();
        text
    };
    (told, Large(streaming(handler)))
}

fn open_gate() -> Gate {
    let gate = Gate::default();
    gate.open();
    gate
}

#[test]
fn a_body_of_any_size_arrives_whole() {
    let client = TestClient::new(Large(streaming(count)));
    for length in [0, 1, 1000, 262_143, 262_144, 262_145, LARGE, 2_000_000] {
        let answer = client.post("/").body(vec![b'x'; length]).send();
        assert_eq!(answer.text(), format!("{length} bytes, 0 trailers"));
    }
    assert_eq!(client.get("/").send().text(), "0 bytes, 0 trailers");
}

#[test]
fn a_body_means_the_same_however_it_is_cut() {
    let whole = [CHUNKED, &chunks(600_000), b"0\r\nA: b\r\nC: d\r\n\r\n"].concat();
    for cut in [1, 7, 4096, 70_000, whole.len()] {
        let mut conn = TestConn::open(Http::new(Large(streaming(count)))).unwrap();
        let step = if cut < 100 { whole.len() - 2000 } else { cut };
        let (first, rest) = whole.split_at(step.min(whole.len()));
        conn.send(first);
        for piece in rest.chunks(cut) {
            conn.send(piece);
        }
        until(&mut conn, "600000 bytes, 2 trailers");
    }
}

#[test]
fn what_follows_an_upload_is_the_next_request() {
    let mut conn = TestConn::open(Http::new(Large(streaming(count)))).unwrap();
    let next = b"GET /next HTTP/1.1\r\nHost: a\r\n\r\n";
    conn.send(&[post(LARGE).as_bytes(), &vec![b'x'; LARGE], next].concat());
    let text = until(&mut conn, "0 bytes, 0 trailers");
    if text.matches("HTTP/1.1 200 OK").count() < 2 {
        until(&mut conn, "\r\n\r\n0 bytes, 0 trailers");
    }
    assert!(!conn.is_closed());
}

#[test]
fn the_handler_begins_before_the_body_has_ended() {
    let (first, begun) = mpsc::channel();
    let handler = move |request: &mut Request| -> Result<String> {
        let length = request.body().fill_buf()?.len();
        first.send(length).unwrap();
        count(request)
    };
    let mut conn = TestConn::open(Http::new(Large(streaming(handler)))).unwrap();
    conn.send(post(LARGE).as_bytes()).send(&vec![b'x'; 300_000]);
    assert!(begun.recv().unwrap() >= 262_144);
    assert_eq!(conn.recv(), b"");
    conn.send(&vec![b'x'; LARGE - 300_000]);
    until(&mut conn, "1000000 bytes, 0 trailers");
}

#[test]
fn what_fills_a_read_is_not_held_back_for_what_does_not_come() {
    let (tell, told) = mpsc::channel();
    let handler = move |request: &mut Request| -> Result<&'static str> {
        loop {
            let piece = request.body().fill_buf()?.len();
            request.body().consume(piece);
            tell.send(piece).unwrap();
            if piece == 0 {
                return Ok("all of it");
            }
        }
    };
    let mut conn = TestConn::open(Http::new(Large(streaming(handler)))).unwrap();
    conn.send(post(LARGE).as_bytes()).send(&vec![b'x'; 300_000]);
    let mut seen = 0;
    while seen < 300_000 {
        seen += told.recv().unwrap();
    }
    let full_read = 64 * 1024;
    conn.send(&vec![b'x'; full_read]);
    assert!(conn.deadline().unwrap() <= Duration::from_millis(1), "it is held back for a moment");
    conn.advance(Duration::from_millis(1));
    assert_eq!(told.recv_timeout(Duration::from_secs(10)), Ok(full_read));
    assert!(conn.deadline().unwrap() > Duration::from_secs(1), "and then the client has its usual time");
    conn.send(&vec![b'x'; LARGE - 300_000 - full_read]);
    until(&mut conn, "all of it");
}

#[test]
fn a_client_that_sends_little_holds_no_worker() {
    let server = serve(local().workers(1).worker_queue(0), streaming(count));
    let mut slow: Vec<_> = (0..10).map(|_| server.connect()).collect();
    for client in &mut slow {
        client.send(post(100_000)).send("some");
    }
    assert_eq!(server.connect().get("/").text(), "0 bytes, 0 trailers");
}

#[test]
fn bytes_and_text_collect_what_arrives() {
    let client = TestClient::new(Large(streaming(|request: &mut Request| -> Result<String> {
        let mut first = [0; 5];
        request.body().read_exact(&mut first)?;
        Ok(format!("{} and {}", String::from_utf8_lossy(&first), request.text()?.len()))
    })));
    let answer = client.post("/").body("seven steps".repeat(50_000)).send();
    assert_eq!(answer.text(), format!("seven and {}", 550_000 - 5));
    assert_eq!(client.post("/").body("seven steps").send().text(), "seven and 11", "in memory it stays whole");
}

#[test]
fn a_client_that_breaks_off_is_an_error_for_the_handler() {
    let gate = open_gate();
    let (told, handler) = telling(gate.clone());
    let mut conn = TestConn::open(Http::new(handler)).unwrap();
    conn.send(post(LARGE).as_bytes()).send(&vec![b'x'; 300_000]);
    gate.until_arrived(1); // a handler that has not begun never does
    conn.finish();
    let (read, text) = until_told(&mut conn, &told);
    assert_eq!(read.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    assert!(text.starts_with("HTTP/1.1 400 "), "{text}");

    let gate = open_gate();
    let (told, handler) = telling(gate.clone());
    let mut conn = TestConn::open(Http::new(handler)).unwrap();
    conn.send(post(LARGE).as_bytes()).send(&vec![b'x'; 300_000]);
    gate.until_arrived(1);
    drop(conn);
    assert_eq!(told.recv().unwrap().unwrap_err().kind(), io::ErrorKind::ConnectionAborted);
}

#[test]
fn what_is_no_body_is_refused_and_the_handler_knows_why() {
    for (bad, status, reason) in [
        (&b"xyz\r\n"[..], "400", ProtocolError::MalformedChunk),
        (&chunks(2_000_000), "413", ProtocolError::BodyTooLarge { limit: 2_000_000 }),
    ] {
        let gate = open_gate();
        let (told, handler) = telling(gate.clone());
        let mut conn = TestConn::open(Http::new(handler)).unwrap();
        conn.send(CHUNKED).send(&chunks(300_000));
        gate.until_arrived(1);
        conn.send(bad);
        let (read, text) = until_told(&mut conn, &told);
        let error = read.unwrap_err();
        let cause = error.get_ref().and_then(|cause| cause.downcast_ref::<ProtocolError>());
        assert_eq!(cause, Some(&reason));
        assert!(text.starts_with(&format!("HTTP/1.1 {status} ")) && conn.is_closed(), "{text}");
        assert_eq!(text.matches("HTTP/1.1").count(), 1, "the handler's own answer comes too late");
    }
}

#[test]
fn a_length_over_the_limit_is_refused_before_it_is_sent() {
    let mut conn = TestConn::open(Http::new(Large(streaming(count)))).unwrap();
    conn.send(post(2_000_001).as_bytes());
    assert!(String::from_utf8(conn.recv()).unwrap().starts_with("HTTP/1.1 413 "));
}

#[test]
fn an_early_answer_ends_the_connection_unless_the_rest_is_there() {
    let hasty = || Large(streaming(|_: &mut Request| "enough"));
    let mut conn = TestConn::open(Http::new(hasty())).unwrap();
    conn.send(post(LARGE).as_bytes()).send(&vec![b'x'; 300_000]);
    let text = until(&mut conn, "enough");
    assert!(text.contains("connection: close\r\n") && conn.is_closed());
}

/// Waits until the handler has taken what there is, and the loop has heard of it: from then on it waits for the client.
#[track_caller]
fn until_empty(conn: &mut TestConn) {
    for _ in 0..20_000 {
        conn.recv();
        if conn.deadline().is_some_and(|left| left <= Duration::from_secs(30)) {
            return;
        }
        std::thread::sleep(Duration::from_millis(1)); // it is looked again, up to 20 seconds
    }
    panic!("the handler does not read");
}

#[test]
fn a_slow_body_is_timed_out_but_not_while_the_handler_has_enough_to_read() {
    let gate = open_gate();
    let (told, handler) = telling(gate.clone());
    let mut conn = TestConn::open(Http::new(handler)).unwrap();
    conn.send(post(LARGE).as_bytes()).send(&vec![b'x'; 300_000]);
    gate.until_arrived(1);
    until_empty(&mut conn);
    conn.advance(Duration::from_secs(30));
    let (read, text) = until_told(&mut conn, &told);
    assert!(read.is_err() && text.starts_with("HTTP/1.1 408 "), "{text}");

    let gate = Gate::default();
    let (told, handler) = telling(gate.clone());
    let mut conn = TestConn::open(Http::new(handler)).unwrap();
    conn.send(post(LARGE).as_bytes()).send(&vec![b'x'; 900_000]);
    gate.until_arrived(1);
    conn.advance(Duration::from_secs(200));
    assert_eq!(conn.recv(), b"", "it is the handler that takes its time");
    gate.open();
    conn.send(&vec![b'x'; 100_000]);
    until(&mut conn, "Ok(1000000)");
    assert_eq!(told.recv().unwrap().unwrap(), 1_000_000);
}

#[test]
fn a_client_is_not_blamed_for_a_handler_that_reads_slowly_time_and_again() {
    const PIECE: usize = 600_000; // more than waits for the handler
    let gates: Vec<_> = (0..3).map(|_| Gate::default()).collect();
    let inside = gates.clone();
    let handler = move |request: &mut Request| -> Result<String> {
        let mut read = 0;
        for gate in &inside {
            gate.pass();
            read += io::copy(&mut request.body().take(PIECE as u64), &mut io::sink())?;
        }
        Ok(format!("{read} bytes"))
    };
    let mut conn = TestConn::open(Http::new(Large(streaming(handler)))).unwrap();
    conn.send(post(3 * PIECE).as_bytes()).send(&vec![b'x'; 3 * PIECE]);
    for gate in &gates {
        while gate.arrived() == 0 {
            conn.recv(); // the connection moves only while it is looked at
            std::thread::yield_now();
        }
        conn.advance(Duration::from_secs(100)); // more than body_timeout
        assert_eq!(conn.recv(), b"", "it is the handler that takes its time");
        gate.open();
    }
    until(&mut conn, "1800000 bytes");
}

#[test]
fn a_handler_that_never_reads_is_given_up() {
    let gate = Gate::default();
    let (_told, handler) = telling(gate.clone());
    let mut conn = TestConn::open(Http::new(handler)).unwrap();
    conn.send(post(LARGE).as_bytes()).send(&vec![b'x'; LARGE - 1]);
    gate.until_arrived(1);
    conn.advance(Duration::from_secs(300));
    assert!(until(&mut conn, "\n").starts_with("HTTP/1.1 503 "));
    assert!(conn.is_closed());
    gate.open();
}

#[test]
fn a_fast_client_is_slowed_down_to_the_pace_of_the_handler() {
    const HUGE: usize = 64 << 20;
    let gate = Gate::default();
    let inside = gate.clone();
    struct Unlimited<H>(H);
    impl<H: Handler> Handler for Unlimited<H> {
        fn handle(&self, request: &mut Request) -> Response {
            self.0.handle(request)
        }
        fn plan(&self, request: &mut Request) -> Plan {
            self.0.plan(request).body_limit(u64::MAX)
        }
    }
    let server = serve(
        local(),
        Unlimited(streaming(move |request: &mut Request| {
            if request.path() == "/" {
                inside.pass();
            }
            count(request)
        })),
    );
    let mut client = server.connect();
    client.send(post(HUGE));
    let mut socket = client.socket();
    let sender = std::thread::spawn(move || io::copy(&mut io::repeat(b'x').take(HUGE as u64), &mut socket));
    gate.until_arrived(1);
    assert_eq!(server.connect().get("/other").status(), 200, "the others are served meanwhile");
    let taken = server.handle().stats().received_bytes;
    assert!(taken < 1 << 20, "{taken} bytes were read that nobody wants yet");
    gate.open();
    assert_eq!(sender.join().unwrap().unwrap(), HUGE as u64);
    assert_eq!(client.answer().text(), format!("{HUGE} bytes, 0 trailers"));
}

#[test]
fn an_upload_is_finished_when_the_server_shuts_down() {
    let mut conn = TestConn::open(Http::new(Large(streaming(count)))).unwrap();
    conn.send(post(LARGE).as_bytes()).send(&vec![b'x'; 300_000]).shut_down().send(&vec![b'x'; LARGE - 300_000]);
    assert!(until(&mut conn, "1000000 bytes, 0 trailers").contains("connection: close\r\n"));
}

#[test]
fn an_expectation_is_met_before_the_body_is_read() {
    let mut conn = TestConn::open(Http::new(Large(streaming(count)))).unwrap();
    let head = post(LARGE).replace("\r\n\r\n", "\r\nExpect: 100-continue\r\n\r\n");
    assert_eq!(conn.send(head.as_bytes()).recv(), b"HTTP/1.1 100 Continue\r\n\r\n");
    conn.send(&vec![b'x'; LARGE]);
    until(&mut conn, "1000000 bytes, 0 trailers");
}
