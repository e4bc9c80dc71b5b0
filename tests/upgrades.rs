//! Leaving HTTP for another session (RFC 9110 section 7.8): who may, and that no byte is lost on the way.

use std::io;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::mpsc;

use qibu::testing::TestConn;
use qibu::{Connection, Handler, HandlerExt, Http, Next, Request, Response, Session, StatusCode, blocking};

/// Says hello, and then each byte again, doubled.
struct Double;

impl Double {
    fn open(new_socket: &mut Connection) -> Self {
        new_socket.send(b"<hello>");
        Self
    }
}

impl Session for Double {
    fn handle_client_request(&mut self, new_socket: &mut Connection, _: SocketAddr) -> io::Result<Next> {
        for byte in new_socket.recv() {
            new_socket.send(&[byte, byte]);
        }
        Ok(if new_socket.is_eof() { Next::Close } else { Next::Wait })
    }

    fn on_shutdown(&mut self, new_socket: &mut Connection) -> io::Result<Next> {
        new_socket.send(b"<bye>");
        Ok(Next::Close)
    }
}

fn double(request: &mut Request) -> Response {
    Response::upgrade(request, "double", Double::open).with_header("x-mine", "1")
}

const ASK: &str = "GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: h2c, DOUBLE\r\n\r\n";

fn client(handler: impl Handler) -> TestConn {
    TestConn::open(Http::new(handler)).unwrap()
}

fn text(client: &mut TestConn) -> String {
    String::from_utf8(client.recv()).unwrap()
}

/// Head and what follows it.
fn split(answer: &str) -> (&str, &str) {
    answer.split_once("\r\n\r\n").expect("there is a head")
}

#[test]
fn the_new_session_begins_where_the_request_ends_however_the_bytes_are_cut() {
    let input = format!("{ASK}abc");
    let mut cuts: Vec<Vec<&[u8]>> =
        (0..=input.len()).map(|at| vec![&input.as_bytes()[..at], &input.as_bytes()[at..]]).collect();
    cuts.push(input.as_bytes().chunks(1).collect());
    for pieces in cuts {
        let mut client = client(double);
        for piece in &pieces {
            client.send(piece);
        }
        let answer = text(&mut client);
        let (head, rest) = split(&answer);
        assert_eq!(
            head,
            "HTTP/1.1 101 Switching Protocols\r\ndate: Sun, 06 Nov 1994 08:49:37 GMT\r\nupgrade: double\r\nx-mine: 1\r\n\
             connection: upgrade",
            "{} pieces, the first of {} bytes",
            pieces.len(),
            pieces[0].len()
        );
        assert_eq!(rest, "<hello>aabbcc");
        assert_eq!(text(client.send(b"d")), "dd");
        client.finish();
        assert!(client.is_closed());
    }
}

#[test]
fn answers_to_earlier_requests_come_first() {
    let mut client = client(|request: &mut Request| match request.path() {
        "/" => double(request),
        _ => Response::text("first"),
    });
    client.send(format!("GET /first HTTP/1.1\r\nHost: a\r\n\r\n{ASK}x").as_bytes());
    let answers = text(&mut client);
    let (first, second) = answers.split_once("\r\n\r\nfirst").expect("the first answer");
    assert!(first.starts_with("HTTP/1.1 200 "), "{answers}");
    assert!(second.starts_with("HTTP/1.1 101 ") && second.ends_with("\r\n\r\n<hello>xx"), "{answers}");
}

#[test]
fn who_did_not_ask_properly_is_told_what_to_upgrade_to() {
    for (request, why) in [
        ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", "no Upgrade at all"),
        ("GET / HTTP/1.1\r\nHost: a\r\nUpgrade: double\r\n\r\n", "Connection does not name it"),
        ("GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: triple\r\n\r\n", "another protocol"),
        ("GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: doubles\r\n\r\n", "a longer name"),
        ("GET / HTTP/1.0\r\nHost: a\r\nConnection: upgrade, keep-alive\r\nUpgrade: double\r\n\r\n", "HTTP/1.0"),
        ("HEAD / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: double\r\n\r\n", "HEAD"),
        ("POST / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: double\r\n\r\n", "POST"),
        ("GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: double\r\nContent-Length: 1\r\n\r\nx", "a body"),
        (
            "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: double\r\nTransfer-Encoding: chunked\r\n\r\n\
             0\r\n\r\n",
            "an empty body in chunks",
        ),
    ] {
        let mut client = client(double);
        let answer = text(client.send(request.as_bytes()));
        assert!(answer.starts_with("HTTP/1.1 426 Upgrade Required\r\n"), "{why}: {answer}");
        assert!(split(&answer).0.contains("\r\nupgrade: double"), "{why}: {answer}");
        let again = text(client.send(ASK.as_bytes()));
        assert!(again.starts_with("HTTP/1.1 101 "), "{why}: the connection is still HTTP: {again}");
    }
}

/// RFC 9112 §9.6: after the answer to it the connection ends, so there is nothing to switch.
#[test]
fn who_says_close_as_well_gets_an_answer_and_the_end() {
    for connection in ["close, upgrade", "Upgrade, Close", "upgrade\r\nConnection: close"] {
        let mut client = client(double);
        let request = format!("GET / HTTP/1.1\r\nHost: a\r\nConnection: {connection}\r\nUpgrade: double\r\n\r\nx");
        let answer = text(client.send(request.as_bytes()));
        assert!(answer.starts_with("HTTP/1.1 426 ") && answer.contains("connection: close\r\n"), "{answer}");
        assert!(client.is_closed() && !answer.contains("<hello>"), "{answer}");
    }
}

/// RFC 9110 §7.8: a 100 would have to come before the 101. There is no body to wait for, so nobody says that in earnest.
#[test]
fn who_expects_a_100_before_it_is_not_upgraded() {
    let mut client = client(double);
    let answer = text(client.send(ASK.replace("Host: a", "Host: a\r\nExpect: 100-continue").as_bytes()));
    assert!(answer.starts_with("HTTP/1.1 426 ") && !client.is_closed(), "{answer}");
}

#[test]
fn the_answer_may_come_from_a_worker_or_from_another_thread() {
    let mut from_worker = client(blocking(double));
    assert!(text(from_worker.send(format!("{ASK}x").as_bytes())).ends_with("<hello>xx"));

    let (later, replies) = mpsc::channel();
    let mut waiting = client(move |request: &mut Request| {
        let answer = double(request);
        let (reply, pending) = request.later();
        later.send((reply, answer)).expect("the test holds the receiver");
        pending
    });
    assert_eq!(text(waiting.send(format!("{ASK}x").as_bytes())), "");
    let (reply, answer) = replies.recv().unwrap();
    reply.send(answer);
    assert!(text(&mut waiting).ends_with("<hello>xx"));
}

#[test]
fn an_upgrade_belongs_to_its_own_request() {
    let kept: Mutex<Option<Response>> = Mutex::default();
    let mut client = client(move |request: &mut Request| {
        kept.lock().unwrap().replace(double(request)).unwrap_or_else(|| Response::text("kept"))
    });
    assert!(text(client.send(ASK.as_bytes())).starts_with("HTTP/1.1 200 "));
    assert!(text(client.send(ASK.as_bytes())).starts_with("HTTP/1.1 500 "));
}

#[test]
fn a_decorator_can_refuse_what_the_handler_would_upgrade() {
    let refuse = |request: &mut Request, next: &dyn Handler| {
        next.handle(request).map(|response| response.with_status(StatusCode::FORBIDDEN))
    };
    let mut client = client(double.with(refuse));
    let answer = text(client.send(ASK.as_bytes()));
    assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
    assert!(answer.contains("\r\ncontent-length: 0\r\n") && answer.ends_with("\r\n\r\n"), "{answer}");
    assert!(text(client.send(ASK.as_bytes())).starts_with("HTTP/1.1 403 "), "the connection is still HTTP");
}

#[test]
fn a_panic_where_the_session_is_made_costs_this_client_alone() {
    let handler = |request: &mut Request| Response::upgrade(request, "double", |_| -> Double { panic!("on purpose") });
    let mut client = client(handler);
    client.send(ASK.as_bytes());
    assert!(client.is_closed());
}

#[test]
fn the_new_session_is_told_of_a_shutdown() {
    let mut client = client(double);
    client.send(ASK.as_bytes()).recv();
    client.shut_down();
    assert_eq!(text(&mut client), "<bye>");
    assert!(client.is_closed());
}

/// It would never hear of it, and the server would wait for it until its grace is over.
#[test]
fn nothing_is_upgraded_while_the_server_shuts_down() {
    let (later, replies) = mpsc::channel();
    let mut client = client(move |request: &mut Request| {
        let answer = double(request);
        let (reply, pending) = request.later();
        later.send((reply, answer)).expect("the test holds the receiver");
        pending
    });
    client.send(ASK.as_bytes()).shut_down();
    let (reply, answer) = replies.recv().unwrap();
    reply.send(answer);
    let answer = text(&mut client);
    assert!(answer.starts_with("HTTP/1.1 503 ") && answer.contains("\r\nconnection: close\r\n"), "{answer}");
    assert!(client.is_closed());
}
