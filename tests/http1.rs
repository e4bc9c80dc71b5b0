//! HTTP/1.0 and 1.1 as a session: RFC 9112 (messages, connections) and RFC 9110 (their meaning), over memory.
//!
//! Most cases are tables. `for_every_split` says each input whole, cut in two everywhere, byte by byte, and all of that
//! once more with a further request behind it, which must be answered next, or never where the connection has ended.

#[path = "common/http1_support.rs"]
mod support;

use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use qibu::testing::TestConn;
use qibu::{
    Body, BodySender, Closed, HandlerExt, HeaderName, HeaderValue, IntoResponse, Reply, Request, Response, Router,
    StatusCode, TrustedProxies, TrySendError,
};

use support::{Answer, Server, find, read_answers, show};

// ---- handlers ----

/// Method, target and body, as text.
fn echo(request: &mut Request) -> String {
    let (method, target) = (request.method().clone(), request.target().to_owned());
    let body = request.text().unwrap_or("(no text)");
    format!("{method} {target} {body}")
}

fn echo_server() -> Server {
    Server::new(echo)
}

/// Answers `/later` when the test sends the reply; all else at once.
fn later_server() -> (Server, Receiver<Reply>) {
    let (replies, receiver) = mpsc::channel();
    let server = Server::new(move |request: &mut Request| {
        if request.path() != "/later" {
            return echo(request).into_response();
        }
        let (reply, pending) = request.later();
        replies.send(reply).expect("the test holds the receiver");
        pending
    });
    (server, receiver)
}

/// Answers `/stream` with a body that the test feeds; all else at once.
fn stream_server(capacity: usize) -> (Server, Receiver<BodySender>) {
    let (senders, receiver) = mpsc::channel();
    let server = Server::new(move |request: &mut Request| {
        if request.path() != "/stream" {
            return echo(request).into_response();
        }
        let (sender, body) = Body::channel(capacity);
        senders.send(sender).expect("the test holds the receiver");
        Response::text(body)
    });
    (server, receiver)
}

/// Answers with a stream that is complete before the handler returns.
fn ready_stream(_: &mut Request) -> Response {
    let (sender, body) = Body::channel(1024);
    sender.try_send("seven").expect("there is room");
    sender.try_send(" steps").expect("there is room");
    Response::text(body)
}

fn get(target: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n")
}

fn text_of(answers: &[Answer]) -> Vec<&str> {
    answers.iter().map(Answer::text).collect()
}

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// The statuses of all that was received until now.
fn statuses(conn: &mut TestConn) -> Vec<u16> {
    let received = conn.recv();
    read_answers(&received, conn.is_closed(), &[]).iter().map(|answer| answer.status).collect()
}

// ---- connections: keep-alive and close (RFC 9112 §9.3, §9.6) ----

#[test]
fn a_connection_persists_as_version_and_connection_field_say() {
    let keep_alive = Some("keep-alive");
    for (version, fields, goes_on, says) in [
        ("1.1", "", true, None),
        ("1.1", "Connection: keep-alive\r\n", true, None),
        ("1.1", "Connection: close\r\n", false, Some("close")),
        ("1.1", "CONNECTION:\tClOsE \r\n", false, Some("close")),
        ("1.1", "Connection: foo, close\r\n", false, Some("close")),
        ("1.1", "Connection: close, foo\r\n", false, Some("close")),
        ("1.1", "Connection: , ,close ,,\r\n", false, Some("close")),
        ("1.1", "Connection: keep-alive, close\r\n", false, Some("close")),
        ("1.1", "Connection: close\r\nConnection: keep-alive\r\n", false, Some("close")),
        ("1.1", "Connection: keep-alive\r\nConnection: close\r\n", false, Some("close")),
        ("1.1", "Connection: closed\r\n", true, None),
        ("1.1", "Connection: x-close\r\nX-Connection: close\r\n", true, None),
        ("1.1", "Connection:\r\n", true, None),
        ("1.0", "", false, Some("close")),
        ("1.0", "Connection: foo\r\n", false, Some("close")),
        ("1.0", "Connection: close\r\n", false, Some("close")),
        ("1.0", "Connection: keep-alive\r\n", true, keep_alive),
        ("1.0", "Connection: Keep-Alive\r\n", true, keep_alive),
        ("1.0", "Connection: foo,keep-alive\r\n", true, keep_alive),
        ("1.0", "Connection: keep-alive, close\r\n", false, Some("close")),
        ("1.0", "Connection: close\r\nConnection: keep-alive\r\n", false, Some("close")),
    ] {
        let (answer, is_closed) = echo_server().one_answer(format!("GET / HTTP/{version}\r\nHost: a\r\n{fields}\r\n"));
        let case = format!("{version} {fields:?}");
        assert_eq!((answer.status, answer.text()), (200, "GET / "), "{case}");
        assert_eq!(is_closed, !goes_on, "{case}");
        assert_eq!(answer.field("connection"), says, "{case}");
    }
}

/// The answer of a handler that sets `Connection` to this, and whether the connection has ended.
fn handler_says(connection: &'static str) -> (Answer, bool) {
    Server::new(move |_: &mut Request| Response::text("bye").with_header("connection", connection)).one_answer(get("/"))
}

#[test]
fn a_handler_can_end_the_connection_with_connection_close() {
    let (answer, is_closed) = handler_says("close");
    assert_eq!((answer.text(), answer.field("connection"), is_closed), ("bye", Some("close"), true));
    assert!(!handler_says("closed").1);
}

#[test]
fn a_handler_can_say_close_in_any_case_and_in_a_list() {
    // RFC 9110 §7.6.1: Connection is a list of case-insensitive options.
    for value in ["Close", "CLOSE", "foo, close", "close,foo"] {
        let (answer, is_closed) = handler_says(value);
        assert_eq!((answer.field("connection"), is_closed), (Some("close"), true), "{value}");
    }
}

#[test]
fn empty_lines_before_a_request_are_skipped() {
    // RFC 9112 §2.2
    let (answer, is_closed) = echo_server().one_answer(format!("\r\n\r\n{}", get("/")));
    assert_eq!((answer.text(), is_closed), ("GET / ", false));
    let input = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\n";
    let conversation = echo_server().for_every_split(input, &[]);
    assert_eq!(text_of(&conversation.answers), ["POST / ab", "GET /b "]);
}

#[test]
fn an_empty_line_behind_a_body_does_not_begin_a_request() {
    // RFC 9112 §2.2: old clients send one. It must not be answered with 408 or 400.
    let server =
        echo_server().with(|settings| (settings.head_timeout, settings.idle_timeout) = (seconds(10), seconds(60)));
    let input = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab\r\n";
    let mut conn = server.connect();
    assert_eq!(statuses(conn.send(input)), [200]);
    assert_eq!(statuses(conn.advance(seconds(11))), [0; 0], "408 for nothing");
    assert!(!conn.is_closed());

    let mut conn = server.connect();
    assert_eq!(statuses(conn.send(input).finish()), [200], "and no 400 for nothing");
    assert!(conn.is_closed());
}

// ---- pipelining (RFC 9112 §9.3.2) ----

#[test]
fn pipelined_requests_are_answered_in_order() {
    let input = [get("/1"), get("/2"), "POST /3 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc".into(), get("/4")];
    let conversation = echo_server().for_every_split(input.concat().as_bytes(), &[]);
    assert_eq!(text_of(&conversation.answers), ["GET /1 ", "GET /2 ", "POST /3 abc", "GET /4 "]);
}

#[test]
fn a_request_knows_nothing_of_the_one_before_it() {
    let see = |request: &mut Request| {
        let body = request.text().map(str::to_owned);
        let seen = format!(
            "{request:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {}",
            (request.query_string(), request.route(), request.mount_path(), request.path()),
            request.extensions().get::<&str>(),
            body,
            request.trailers(),
            request.param::<String>("id").ok(),
            request.header("x-old"),
            request.header("x-left"),
            request.client_addr(),
            request.is_secure(),
        );
        request.extensions_mut().insert("left");
        request.headers_mut().insert("x-left", HeaderValue::from_static("left"));
        seen
    };
    let inner = Router::new().route("/users/{id}", see);
    let server = Server::new(
        Router::new()
            .mount("/inner", inner)
            .not_found(see)
            .with(TrustedProxies::new(["0.0.0.0/0"]).expect("it is a network")),
    );
    let rich = "POST /inner/users/7?a=b HTTP/1.1\r\nHost: b\r\nX-Old: 1\r\nX-Forwarded-For: 192.0.2.9\r\n\
                X-Forwarded-Proto: https\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nold\r\n0\r\nX-Old: 2\r\n\r\n";
    let both = server.for_every_split([rich, &get("/plain")].concat().as_bytes(), &[]);
    let alone = server.for_every_split(get("/plain").as_bytes(), &[]);
    assert!(both.answers[0].text().contains("192.0.2.9 true"), "{}", both.answers[0].text());
    assert_eq!(both.answers[1].text(), alone.answers[0].text());
}

#[test]
fn pipelined_answers_of_all_kinds_stay_in_order() {
    let file = Arc::new({
        let mut file = tempfile::tempfile().unwrap();
        std::io::Write::write_all(&mut file, b"0123456789").unwrap();
        file
    });
    let server = Server::new(move |request: &mut Request| match request.path() {
        "/later" => {
            let (reply, pending) = request.later();
            thread::spawn(move || reply.send("later")).join().expect("it only sends");
            pending
        }
        "/file" => Response::text(Body::file(file.clone(), 2..6)),
        "/stream" => ready_stream(request),
        "/large" => Response::text("x".repeat(100_000)),
        "/none" => Response::new(StatusCode::NO_CONTENT),
        _ => echo(request).into_response(),
    });
    let paths = ["/1", "/later", "/file", "/2", "/stream", "/large", "/none", "/later", "/later", "/stream", "/3"];
    let input: String = paths.iter().map(|path| get(path)).collect();
    let conversation = server.for_every_split(input.as_bytes(), &[]);
    let large = "x".repeat(100_000);
    let stream = "seven steps";
    let expected = ["GET /1 ", "later", "2345", "GET /2 ", stream, &large, "", "later", "later", stream, "GET /3 "];
    assert_eq!(text_of(&conversation.answers), expected);
}

#[test]
fn nothing_behind_a_later_answer_is_answered_or_even_asked_before_it() {
    let (server, replies) = later_server();
    let mut conn = server.connect();
    conn.send([get("/1"), get("/later"), get("/2")].concat().as_bytes());
    let received = conn.recv();
    assert_eq!(text_of(&read_answers(&received, false, &[])), ["GET /1 "]);
    assert_eq!(server.seen(), ["GET /1", "GET /later"]);
    conn.send(get("/3").as_bytes());
    assert!(conn.recv().is_empty());
    replies.recv().unwrap().send("at last");
    let received = conn.recv();
    assert_eq!(text_of(&read_answers(&received, false, &[])), ["at last", "GET /2 ", "GET /3 "]);
}

#[test]
fn pipelined_head_answers_have_no_bodies() {
    let input = "HEAD /1 HTTP/1.1\r\nHost: a\r\n\r\n".to_owned() + &get("/2") + "HEAD /3 HTTP/1.1\r\nHost: a\r\n\r\n";
    let conversation = echo_server().for_every_split(input.as_bytes(), &[0, 2]);
    assert_eq!(text_of(&conversation.answers), ["", "GET /2 ", ""]);
    assert_eq!(conversation.answers[2].field("content-length"), Some("8"));
}

#[test]
fn what_follows_a_request_that_closes_is_never_answered() {
    let close = "GET /2 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let input = [get("/1"), close.into(), get("/3"), get("/4")].concat();
    let conversation = echo_server().for_every_split(input.as_bytes(), &[]);
    assert_eq!(text_of(&conversation.answers), ["GET /1 ", "GET /2 "]);
    assert_eq!(conversation.seen, ["GET /1", "GET /2"]);
    assert!(conversation.is_closed);
}

/// How long the server waits for the end of a client that has sent this and was answered; `None`: it has closed.
fn lingers_after(input: &str) -> Option<Duration> {
    let mut conn = echo_server().connect();
    conn.send(input.as_bytes());
    assert!(conn.recv().starts_with(b"HTTP/1.1 ") && conn.is_closed(), "{input}");
    conn.deadline()
}

#[test]
fn who_has_said_that_it_sends_no_more_is_not_waited_for() {
    // RFC 9112 §9.6: a client that sends the close option sends no request behind it.
    let close = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    assert_eq!(lingers_after(close), None);
    let moment = Some(Duration::from_secs(2));
    assert_eq!(lingers_after(&format!("{close}{}", get("/"))), moment, "it has sent more all the same");
    let body = close.replace("GET", "POST").replace("\r\n\r\n", "\r\nContent-Length: 2\r\n\r\nhi");
    assert_eq!(lingers_after(&body), moment, "behind a body, old clients send an empty line");
    assert_eq!(lingers_after("GET /\r\n\r\n"), moment, "what was refused may go on");
}

#[test]
fn one_send_lets_the_server_do_all_it_can() {
    // What TestConn::send promises: also where the note that is read leads to a request that posts the next one.
    let server = Server::new(|request: &mut Request| {
        let (reply, pending) = request.later();
        reply.send(echo(request));
        pending
    });
    let mut conn = server.connect();
    conn.send([get("/1"), get("/2"), get("/3"), get("/4")].concat().as_bytes());
    let received = conn.recv();
    assert_eq!(text_of(&read_answers(&received, false, &[])), ["GET /1 ", "GET /2 ", "GET /3 ", "GET /4 "]);
}

#[test]
fn a_connection_brings_so_many_requests_and_no_more() {
    let server = echo_server().with(|settings| settings.requests_per_connection = 3);
    let conversation = server.for_every_split((get("/1") + &get("/2") + &get("/3") + &get("/4")).as_bytes(), &[]);
    let says: Vec<_> = conversation.answers.iter().map(|answer| answer.field("connection")).collect();
    assert_eq!(says, [None, None, Some("close")]);
    assert!(conversation.is_closed);
}

#[test]
fn so_many_answers_wait_for_the_client_and_no_more() {
    let server = echo_server().with(|settings| settings.pipeline_depth = 3);
    let mut conn = server.connect();
    conn.take_at_most(0).send(get("/x").repeat(10).as_bytes());
    assert_eq!(server.seen().len(), 3);
    conn.take_at_most(1);
    assert_eq!(server.seen().len(), 3);
    conn.take_at_most(usize::MAX);
    assert_eq!(statuses(&mut conn), [200; 10]);
}

// ---- HEAD (RFC 9110 §9.3.2) ----

#[test]
fn head_is_get_without_the_body() {
    let handlers: [fn(&mut Request) -> Response; 4] = [
        |_| Response::html("<p>hello").with_header("etag", "\"1\""),
        |_| Response::status_page(StatusCode::NOT_FOUND),
        |_| Response::new(StatusCode::OK),
        ready_stream,
    ];
    for handler in handlers {
        for version in ["1.1", "1.0"] {
            let ask = |method: &str| {
                let fields = "Host: a\r\nConnection: close\r\n\r\n";
                let input = format!("{method} / HTTP/{version}\r\n{fields}");
                let heads: &[usize] = if method == "HEAD" { &[0] } else { &[] };
                Server::new(handler).for_every_split(input.as_bytes(), heads).answers.remove(0)
            };
            let (head, get) = (ask("HEAD"), ask("GET"));
            assert_eq!((head.status, &head.fields), (get.status, &get.fields));
            assert_eq!(head.body, b"");
        }
    }
}

#[test]
fn refused_head_requests_get_no_body_either() {
    let server = echo_server().with(|settings| (settings.head_limit, settings.body_limit) = (256, 3));
    for (input, status) in [
        ("HEAD / HTTP/1.1\r\n\r\n".to_owned(), 400),
        ("HEAD / HTTP/1.1\r\nHost : a\r\n\r\n".to_owned(), 400),
        (format!("HEAD / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "x".repeat(256)), 431),
        ("HEAD / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nabcd".to_owned(), 413),
        ("HEAD / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n".to_owned(), 400),
    ] {
        let conversation = server.for_every_split(input.as_bytes(), &[0]);
        assert_eq!(conversation.answers.len(), 1, "{input}");
        assert_eq!(conversation.answers[0].status, status, "{input}");
        assert!(conversation.is_closed, "{input}");
    }
}

#[test]
fn the_producer_of_a_stream_for_head_is_told_to_stop() {
    let (server, senders) = stream_server(1024);
    let mut conn = server.connect();
    conn.send(b"HEAD /stream HTTP/1.1\r\nHost: a\r\n\r\n");
    let sender = senders.recv().unwrap();
    assert_eq!(sender.send("into the void"), Err(Closed));
    let answers = read_answers(&conn.recv(), false, &[0]);
    assert_eq!(answers[0].field("transfer-encoding"), Some("chunked"));
    assert_eq!(statuses(conn.send(get("/2").as_bytes())), [200], "the connection goes on");
}

// ---- request bodies (RFC 9112 §6, §7.1) ----

#[test]
fn a_body_ends_where_its_framing_says() {
    for (fields_and_body, body) in [
        ("\r\n", ""),
        ("Content-Length: 0\r\n\r\n", ""),
        ("Content-Length: 5\r\n\r\nhello", "hello"),
        ("content-length:\t 005 \r\n\r\nhello", "hello"),
        ("Content-Length: 22\r\n\r\nGET /smuggled HTTP/1.1", "GET /smuggled HTTP/1.1"),
        ("Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", ""),
        ("Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n", "hello!"),
        ("TRANSFER-ENCODING: ChUnKeD\r\n\r\n00a\r\n0123456789\r\n00\r\n\r\n", "0123456789"),
        ("Transfer-Encoding: chunked\r\n\r\nA\r\n0123456789\r\n0\r\n\r\n", "0123456789"),
        ("Transfer-Encoding: chunked\r\n\r\n5;a=b;c=\"d e\"\r\nhello\r\n0;x\r\n\r\n", "hello"),
        ("Transfer-Encoding: chunked\r\n\r\n5\r\n0\r\n\r\n\r\n0\r\n\r\n", "0\r\n\r\n"),
        ("Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nX-Sum: 1\r\n\r\n", "x"),
    ] {
        for method in ["POST", "GET", "DELETE", "BREW"] {
            let input = format!("{method} / HTTP/1.1\r\nHost: a\r\n{fields_and_body}");
            let (answer, is_closed) = echo_server().one_answer(&input);
            assert_eq!((answer.status, answer.text()), (200, &*format!("{method} / {body}")), "{input}");
            assert!(!is_closed, "{input}");
        }
    }
}

#[test]
fn http_1_0_knows_content_length() {
    let (answer, is_closed) = echo_server().one_answer("POST / HTTP/1.0\r\nContent-Length: 5\r\n\r\nhello");
    assert_eq!((answer.text(), is_closed), ("POST / hello", true));
}

#[test]
fn a_large_body_arrives_whole() {
    let server = Server::new(|request: &mut Request| request.bytes().unwrap().clone());
    let body: Vec<u8> = (0..300_000_u32).map(|at| (at % 251) as u8).collect();
    let with_length = format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n", body.len()).into_bytes();
    let with_length = [with_length, body.clone()].concat();
    let mut chunked = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    for chunk in body.chunks(7001) {
        chunked.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        chunked.extend_from_slice(chunk);
        chunked.extend_from_slice(b"\r\n");
    }
    chunked.extend_from_slice(b"0\r\n\r\n");
    for input in [with_length, chunked] {
        for size in [1000, 65_536, input.len()] {
            let pieces: Vec<&[u8]> = input.chunks(size).collect();
            let conversation = server.converse(&pieces, &[]);
            assert!(conversation.answers[0].body == body, "in pieces of {size}");
        }
    }
}

#[test]
fn trailers_are_kept_apart_from_the_header_fields() {
    // RFC 9110 §6.5.1
    let server = Server::new(|request: &mut Request| {
        let trailers: Vec<_> = request.trailers().iter().map(|(name, value)| format!("{name}={value:?}")).collect();
        let header_fields: Vec<_> = request.headers().keys().map(|name| name.as_str().to_owned()).collect();
        let host = request.header("host").map(str::to_owned);
        format!("{} | {} | {host:?} {:?}", trailers.join(" "), header_fields.join(" "), request.header("x-sum"))
    });
    let head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n";
    for (trailers, expected) in [
        ("X-Sum: 1\r\n", "x-sum=\"1\""),
        ("X-Sum:  1 \r\nX-More: 2\r\nx-more: 3\r\n", "x-sum=\"1\" x-more=\"2\" x-more=\"3\""),
        // What frames or routes a message is never taken from a trailer.
        ("Host: evil\r\nContent-Length: 9\r\nTransfer-Encoding: gzip\r\n", ""),
        ("", ""),
    ] {
        let (answer, _) = server.one_answer(format!("{head}1\r\nx\r\n0\r\n{trailers}\r\n"));
        let text = format!("{expected} | host transfer-encoding trailer | Some(\"a\") None");
        assert_eq!(answer.text(), text, "{trailers:?}");
    }
}

#[test]
fn malformed_chunks_end_the_connection() {
    // RFC 9112 §7.1
    let head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    for body in [
        "\r\n",
        "x\r\n",
        "-1\r\n",
        "+5\r\nhello\r\n0\r\n\r\n",
        "0x5\r\nhello\r\n0\r\n\r\n",
        " 5\r\nhello\r\n0\r\n\r\n",
        "5 \r\nhello\r\n0\r\n\r\n",
        "5\nhello\r\n0\r\n\r\n",
        "5\rhello\r\n0\r\n\r\n",
        "5\r\nhello0\r\n\r\n",
        "5\r\nhello\n0\r\n\r\n",
        "5\r\nhello!\r\n0\r\n\r\n",
        "5\rXhello\r\n0\r\n\r\n",
        "5\r\nhelloX\n0\r\n\r\n",
        "5\r\nhello\rX0\r\n\r\n",
        "10000000000000005\r\nhello\r\n0\r\n\r\n",
        "5;a\nb\r\nhello\r\n0\r\n\r\n",
        "0\r\nX : y\r\n\r\n",
        "0\r\nno colon\r\n\r\n",
        "0\r\nX: a\r\n folded\r\n\r\n",
        "0\r\nX: a\nY: b\r\n\r\n",
        "0\r\nX: a\0\r\n\r\n",
    ] {
        echo_server().refuses(format!("{head}{body}"), 400);
    }
    let long = "e".repeat(17 * 1024);
    echo_server().refuses(format!("{head}1;{long}\r\nx\r\n0\r\n\r\n"), 400);
    echo_server().refuses(format!("{head}0\r\nX: {long}\r\n\r\n"), 400);
}

#[test]
fn a_body_over_the_limit_is_413_and_the_limit_itself_is_not() {
    // RFC 9110 §15.5.14
    let server = echo_server().with(|settings| settings.body_limit = 5);
    let head = "POST / HTTP/1.1\r\nHost: a\r\n";
    for body in [
        "Content-Length: 5\r\n\r\nhello",
        "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n3;ext=long\r\nhel\r\n2\r\nlo\r\n0\r\nX-Trailer: y\r\n\r\n",
    ] {
        let (answer, is_closed) = server.one_answer(format!("{head}{body}"));
        assert_eq!((answer.text(), is_closed), ("POST / hello", false), "{body}");
    }
    for body in [
        "Content-Length: 6\r\n\r\n", // said before the body comes
        "Content-Length: 6\r\n\r\nhello!",
        "Content-Length: 18446744073709551615\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n6\r\nhello!", // said in the middle of it
        "Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n3\r\nlo!",
        "Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nhello!",
    ] {
        server.refuses(format!("{head}{body}"), 413);
    }
}

#[test]
fn a_body_over_the_limit_is_not_kept_until_it_ends() {
    let server = echo_server().with(|settings| settings.body_limit = 100_000);
    let mut conn = server.connect();
    conn.send(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\n");
    let sent = (1..).find(|_| conn.send(&[b'x'; 1000]).is_closed()).unwrap();
    assert_eq!(sent, 101, "closed at the first byte over the limit");
    assert_eq!(statuses(&mut conn), [413]);
}

// ---- Expect: 100-continue (RFC 9110 §10.1.1) ----

const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

#[test]
fn a_client_that_waits_is_told_to_continue() {
    for framing in ["Content-Length: 5", "Transfer-Encoding: chunked"] {
        for expect in ["100-continue", "100-Continue", " 100-CONTINUE\t"] {
            let head = format!("POST / HTTP/1.1\r\nHost: a\r\nExpect: {expect}\r\n{framing}\r\n\r\n");
            let body = if framing.starts_with('C') { "hello" } else { "5\r\nhello\r\n0\r\n\r\n" };
            for pieces in [vec![head.as_bytes()], head.as_bytes().chunks(1).collect()] {
                let mut conn = echo_server().connect();
                for piece in pieces {
                    assert!(conn.recv().is_empty(), "not before the head is complete");
                    conn.send(piece);
                }
                assert_eq!(conn.recv(), CONTINUE, "{head}");
                for byte in body.as_bytes().chunks(1) {
                    assert!(conn.recv().is_empty(), "and not twice");
                    conn.send(byte);
                }
                let received = conn.recv();
                assert!(received.starts_with(b"HTTP/1.1 200 "), "{}", show(&received));
                assert_eq!(text_of(&read_answers(&received, false, &[])), ["POST / hello"]);
            }
            // And the whole of it is split-proof: a 100 is left out of what is compared.
            assert_eq!(echo_server().one_answer(head + body).0.text(), "POST / hello");
        }
    }
}

#[test]
fn a_client_that_does_not_wait_is_not_told_to_continue() {
    for (head, body) in [
        ("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n", "h"),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n", ""),
        ("POST / HTTP/1.0\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n", ""),
    ] {
        let mut conn = echo_server().connect();
        conn.send([head, body].concat().as_bytes());
        assert!(conn.recv().is_empty(), "{head}{body}");
        conn.send(&b"hello"[body.len()..]);
        assert_eq!(statuses(&mut conn), [200], "{head}{body}");
    }
}

#[test]
fn there_is_nothing_to_continue_with_without_a_body() {
    let mut conn = echo_server().connect();
    conn.send(b"GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n");
    let received = conn.recv();
    assert!(received.starts_with(b"HTTP/1.1 200 "), "{}", show(&received));
}

#[test]
fn a_final_answer_takes_the_place_of_continue() {
    let server = echo_server().with(|settings| settings.body_limit = 4);
    let mut conn = server.connect();
    conn.send(b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
    let received = conn.recv();
    assert!(received.starts_with(b"HTTP/1.1 413 "), "{}", show(&received));
    assert!(conn.is_closed());
}

#[test]
fn an_unknown_expectation_is_417() {
    let head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n";
    for expect in ["Expect: 200-ok", "Expect: 100-continue, more", "Expect: 100", "Expect: 100-continue=x"] {
        echo_server().refuses(format!("{head}{expect}\r\n\r\nhello"), 417);
    }
    let (answer, _) = echo_server().one_answer("POST / HTTP/1.0\r\nExpect: 200-ok\r\nContent-Length: 5\r\n\r\nhello");
    assert_eq!(answer.text(), "POST / hello", "HTTP/1.0 knows nothing of it");
}

// ---- answers: status, length, fields (RFC 9110 §6.4, §8.6; RFC 9112 §6) ----

#[test]
fn some_statuses_have_no_body_whatever_the_handler_says() {
    for status in [StatusCode::NO_CONTENT, StatusCode::NOT_MODIFIED] {
        let bodies: [fn() -> Body; 3] = [|| "text".into(), || Body::channel(10).1, Body::empty];
        for body in bodies {
            let server = Server::new(move |_: &mut Request| Response::new(status).with_body(body()));
            let (answer, is_closed) = server.one_answer(get("/"));
            assert_eq!((answer.status, is_closed), (status.as_u16(), false));
            assert_eq!(answer.field("transfer-encoding"), None, "{status}");
            assert_eq!(answer.field("content-length"), None, "{status}");
        }
    }
}

#[test]
fn reset_content_has_an_empty_body() {
    // RFC 9110 §15.3.6: a server MUST NOT generate content in a 205 response.
    let server = Server::new(|_: &mut Request| (StatusCode::RESET_CONTENT, "text"));
    let (answer, is_closed) = server.one_answer(get("/"));
    assert_eq!((answer.status, answer.text(), is_closed), (205, "", false));
    assert_eq!(answer.field("content-length"), Some("0"));
}

#[test]
fn an_informational_status_is_no_answer() {
    for status in [StatusCode::CONTINUE, StatusCode::SWITCHING_PROTOCOLS, StatusCode::EARLY_HINTS] {
        let server = Server::new(move |_: &mut Request| Response::new(status));
        assert_eq!(server.one_answer(get("/")).0.status, 500);
    }
}

#[test]
fn a_body_of_no_bytes_has_the_length_0() {
    let (answer, _) = Server::new(|_: &mut Request| Response::new(StatusCode::OK)).one_answer(get("/"));
    assert_eq!(answer.field("content-length"), Some("0"));
}

#[test]
fn the_fields_that_frame_are_the_servers_own() {
    let fields = [("content-length", "3"), ("transfer-encoding", "gzip"), ("date", "yesterday"), ("connection", "x-y")];
    let server = Server::new(move |request: &mut Request| {
        let response = if request.path() == "/stream" { ready_stream(request) } else { Response::text("hello") };
        fields.into_iter().fold(response, |response, (name, value)| response.with_header(name, value))
    });
    let (answer, is_closed) = server.one_answer(get("/"));
    assert_eq!((answer.text(), is_closed), ("hello", false));
    assert_eq!(answer.field("content-length"), Some("5"));
    assert_eq!(answer.field("transfer-encoding"), None);
    assert_eq!(answer.field("date"), Some("Sun, 06 Nov 1994 08:49:37 GMT"));
    assert_eq!(answer.field("connection"), None);
    let (answer, _) = server.one_answer(get("/stream"));
    assert_eq!((answer.text(), answer.field("content-length")), ("seven steps", None));
    assert_eq!(answer.field("transfer-encoding"), Some("chunked"));
}

#[test]
fn the_date_moves_with_the_clock() {
    // RFC 9110 §6.6.1
    let mut conn = echo_server().connect();
    for (wait, expected) in [(0, "08:49:37"), (23, "08:50:00"), (0, "08:50:00")] {
        conn.advance(seconds(wait)).send(get("/").as_bytes());
        let answers = read_answers(&conn.recv(), false, &[]);
        assert_eq!(answers[0].field("date"), Some(&*format!("Sun, 06 Nov 1994 {expected} GMT")));
    }
}

#[test]
fn a_field_that_http_does_not_allow_becomes_a_500() {
    for (name, value) in [
        ("x-a", "b\r\nset-cookie: evil"),
        ("x-a", "b\nc"),
        ("x-a", "b\rc"),
        ("x-a", "b\0c"),
        ("x a", "b"),
        ("x-a: b\r\nx-c", "d"),
        ("", "b"),
    ] {
        let server = Server::new(move |_: &mut Request| Response::text("ok").with_header(name, value));
        let (answer, _) = server.one_answer(get("/"));
        assert_eq!(answer.status, 500, "{name:?}: {value:?}");
        assert!(!answer.fields.iter().any(|(name, _)| name == "set-cookie" || name.starts_with("x")));
    }
    let server = Server::new(|_: &mut Request| Response::redirect("/a\r\nset-cookie: evil"));
    assert_eq!(server.one_answer(get("/")).0.status, 500);
}

#[test]
fn fields_of_the_same_name_all_go_out() {
    let server = Server::new(|_: &mut Request| {
        let mut response = Response::text("ok");
        for cookie in ["a=1", "b=2"] {
            response.headers_mut().append("set-cookie", HeaderValue::from_static(cookie));
        }
        response
    });
    let answer = server.one_answer(get("/")).0;
    let cookies: Vec<_> = answer.fields.iter().filter(|(name, _)| name == "set-cookie").collect();
    assert_eq!(cookies.iter().map(|(_, value)| &**value).collect::<Vec<_>>(), ["a=1", "b=2"]);
}

// ---- streams (RFC 9112 §7.1, §6.3 rule 8) ----

#[test]
fn a_stream_is_chunked_for_http_1_1() {
    let (answer, is_closed) = Server::new(ready_stream).one_answer(get("/"));
    assert_eq!((answer.text(), is_closed), ("seven steps", false));
    assert_eq!(answer.field("transfer-encoding"), Some("chunked"));
    let (answer, is_closed) = Server::new(|_: &mut Request| Response::text(Body::channel(1).1)).one_answer(get("/"));
    assert_eq!((answer.text(), is_closed), ("", false), "a stream of nothing is a whole body");
    let (answer, is_closed) =
        Server::new(ready_stream).one_answer("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    assert_eq!((answer.text(), answer.field("connection"), is_closed), ("seven steps", Some("close"), true));
    assert_eq!(answer.field("transfer-encoding"), Some("chunked"), "its end must be known all the same");
}

#[test]
fn a_stream_lasts_until_close_for_http_1_0() {
    for keep_alive in ["", "Connection: keep-alive\r\n"] {
        let (answer, is_closed) = Server::new(ready_stream).one_answer(format!("GET / HTTP/1.0\r\n{keep_alive}\r\n"));
        assert_eq!((answer.text(), is_closed), ("seven steps", true));
        assert_eq!(answer.field("transfer-encoding"), None, "RFC 9112 §6.1: never to an HTTP/1.0 client");
        assert_eq!((answer.field("content-length"), answer.field("connection")), (None, Some("close")));
    }
}

#[test]
fn a_stream_goes_out_as_it_comes() {
    let (server, senders) = stream_server(1024);
    let mut conn = server.connect();
    conn.send((get("/stream") + &get("/2")).as_bytes());
    let head = conn.recv();
    assert!(head.ends_with(b"\r\n\r\n") && head.starts_with(b"HTTP/1.1 200 "), "{}", show(&head));
    let sender = senders.recv().unwrap();
    sender.send("0123456789abcdef").unwrap();
    assert_eq!(conn.recv(), b"10\r\n0123456789abcdef\r\n");
    sender.send("").unwrap();
    assert_eq!(conn.recv(), b"", "an empty piece is no last chunk");
    let other = sender.clone();
    drop(sender);
    assert_eq!(conn.recv(), b"", "another producer is left");
    let other = thread::spawn(move || other.send("!").map(|()| other)).join().unwrap().unwrap();
    assert_eq!(conn.recv(), b"1\r\n!\r\n");
    drop(other);
    let end = conn.recv();
    assert!(end.starts_with(b"0\r\n\r\nHTTP/1.1 200 "), "{}", show(&end));
}

#[test]
fn trailers_follow_a_chunked_body() {
    // RFC 9112 §7.1.2
    let server = Server::new(|_: &mut Request| {
        let (sender, body) = Body::channel(1024);
        sender.try_send("body").unwrap();
        sender.add_trailer(HeaderName::from_static("x-sum"), HeaderValue::from_static("42"));
        sender.add_trailer(HeaderName::from_static("x-sum"), HeaderValue::from_static("43"));
        Response::text(body)
    });
    let (answer, _) = server.one_answer(get("/"));
    let trailers: Vec<_> = answer.trailers.iter().map(|(name, value)| (&**name, &**value)).collect();
    assert_eq!((answer.text(), trailers), ("body", vec![("x-sum", "42"), ("x-sum", "43")]));
    assert_eq!(answer.field("x-sum"), None);
    let (answer, _) = server.one_answer("GET / HTTP/1.0\r\n\r\n");
    assert_eq!(answer.text(), "body", "HTTP/1.0 has no trailers");
}

#[test]
fn trailers_cannot_frame_or_route() {
    // RFC 9110 §6.5.1: framing, routing, authentication … must not be sent as trailers.
    for name in ["content-length", "transfer-encoding", "connection", "host", "date"] {
        let server = Server::new(move |_: &mut Request| {
            let (sender, body) = Body::channel(1024);
            sender.try_send("body").unwrap();
            sender.add_trailer(HeaderName::from_static(name), HeaderValue::from_static("1"));
            Response::text(body)
        });
        let (answer, _) = server.one_answer(get("/"));
        assert_eq!((answer.text(), &answer.trailers[..]), ("body", &[][..]), "{name}");
    }
}

#[test]
fn an_aborted_stream_ends_without_its_last_chunk() {
    // RFC 9112 §8
    for version in ["1.1", "1.0"] {
        let (server, senders) = stream_server(1024);
        let mut conn = server.connect();
        conn.send(format!("GET /stream HTTP/{version}\r\nHost: a\r\n\r\n").as_bytes());
        let (sender, head) = (senders.recv().unwrap(), conn.recv());
        sender.send("half").unwrap();
        let half: &[u8] = if version == "1.1" { b"4\r\nhalf\r\n" } else { b"half" };
        assert_eq!(conn.recv(), half, "{}", show(&head));
        let other = sender.clone();
        sender.abort();
        assert_eq!(conn.recv(), b"");
        assert!(conn.is_closed());
        assert_eq!(other.send("more"), Err(Closed));
        assert!(conn.send(get("/2").as_bytes()).recv().is_empty());
    }
}

#[test]
fn an_abort_does_not_take_earlier_answers_along() {
    // RFC 9112 §9.3.2: the answer to the first request is complete; what befalls the second is not its matter.
    let server = Server::new(|request: &mut Request| {
        if request.path() != "/abort" {
            return echo(request).into_response();
        }
        let (sender, body) = Body::channel(1024);
        sender.abort();
        Response::text(body)
    });
    for pieces in [vec![get("/1"), get("/abort")], vec![get("/1") + &get("/abort")]] {
        let mut conn = server.connect();
        for piece in &pieces {
            conn.send(piece.as_bytes());
        }
        let received = conn.recv();
        assert!(find(&received, "GET /1 ").is_some(), "sent in {} pieces: {}", pieces.len(), show(&received));
        assert!(!received.ends_with(b"0\r\n\r\n"));
        assert!(conn.is_closed());
    }
}

#[test]
fn a_producer_notices_that_its_client_has_gone() {
    let (server, senders) = stream_server(1024);
    let mut conn = server.connect();
    conn.send(get("/stream").as_bytes());
    let sender = senders.recv().unwrap();
    assert!(!sender.is_closed());
    drop(conn);
    assert!(sender.is_closed());
    assert_eq!(sender.send("x"), Err(Closed));
    assert_eq!(sender.try_send("x"), Err(TrySendError::Closed));
}

// ---- back-pressure ----

#[test]
fn a_producer_is_as_fast_as_its_client() {
    const CAPACITY: usize = 16 * 1024;
    const PIECE: usize = 1000;
    let (server, senders) = stream_server(CAPACITY);
    let mut conn = server.connect();
    conn.take_at_most(0).send(get("/stream").as_bytes());
    let sender = senders.recv().unwrap();

    // As much as it takes while the client takes nothing; `recv` lets the server do what it can.
    let fill = |conn: &mut TestConn| {
        let mut taken = 0;
        while sender.try_send(vec![b'x'; PIECE]).is_ok()
            || (conn.recv().is_empty() && sender.try_send(vec![b'x'; PIECE]).is_ok())
        {
            taken += PIECE;
            assert!(taken < 1024 * 1024, "nothing holds the producer back");
        }
        taken
    };
    let first = fill(&mut conn);
    assert!(first >= CAPACITY, "{first} bytes fill {CAPACITY}");
    assert!(first <= 100 * 1024, "{first} bytes wait in memory");
    assert!(matches!(sender.try_send("more"), Err(TrySendError::Full(bytes)) if bytes == "more"));

    // The client takes some, and so much more is taken of the producer; all of it arrives.
    conn.take_at_most(usize::MAX);
    let mut received = conn.recv();
    assert!(received.len() > first, "all that waited has come");
    conn.take_at_most(0);
    let second = fill(&mut conn);
    assert!((CAPACITY..=100 * 1024).contains(&second), "{second}");
    drop(sender);
    conn.take_at_most(usize::MAX);
    received.extend(conn.recv());
    let answers = read_answers(&received, false, &[]);
    assert_eq!(answers[0].body.len(), first + second);
}

#[test]
fn a_producer_on_a_thread_waits_for_room() {
    let (server, senders) = stream_server(10_000);
    let mut conn = server.connect();
    conn.send(get("/stream").as_bytes());
    let sender = senders.recv().unwrap();
    let producer = thread::spawn(move || (0..1000).try_for_each(|_| sender.send(vec![b'x'; 1000])));
    let (mut received, began) = (Vec::new(), Instant::now());
    while !received.ends_with(b"\r\n0\r\n\r\n") {
        received.extend(conn.recv());
        assert!(began.elapsed() < seconds(20), "it stands still after {} bytes", received.len());
        thread::yield_now();
    }
    assert_eq!(producer.join().unwrap(), Ok(()));
    assert_eq!(read_answers(&received, false, &[])[0].body.len(), 1_000_000);
}

#[test]
fn requests_are_not_handled_while_their_answers_pile_up() {
    const COUNT: usize = 5000;
    let server = Server::new(|request: &mut Request| format!("{:1000}", request.path()));
    let server = server.with(|settings| settings.pipeline_depth = u32::MAX); // bytes are what counts here
    let mut conn = server.connect();
    conn.take_at_most(0);
    let requests: String = (0..COUNT).map(|number| get(&format!("/{number}"))).collect();
    conn.send(requests.as_bytes());
    let handled = server.seen().len();
    assert!((1..=100).contains(&handled), "{handled} answers of 1 KB wait for a client that reads nothing");
    conn.take_at_most(100_000);
    let handled = server.seen().len();
    assert!((100..=200).contains(&handled), "{handled} after a tenth of a megabyte was read");
    let mut received = conn.recv();
    assert_eq!(received.len(), 100_000);

    conn.take_at_most(usize::MAX);
    received.extend(conn.recv());
    let answers = read_answers(&received, false, &[]);
    assert_eq!(answers.len(), COUNT);
    for (number, answer) in answers.iter().enumerate() {
        assert_eq!(answer.text().trim_end(), format!("/{number}"));
    }
}

#[test]
fn an_answer_arrives_whole_however_small_the_sips() {
    let server = Server::new(|_: &mut Request| "0123456789".repeat(2000));
    let mut conn = server.connect();
    conn.take_at_most(0).send((get("/1") + &get("/2")).as_bytes());
    let mut received = Vec::new();
    for sip in [1, 10, 137, 1000, 7, 5000, 10_000, 20_000, 50_000] {
        conn.take_at_most(sip);
        received.extend(conn.recv());
    }
    let answers = read_answers(&received, false, &[]);
    assert_eq!(answers.len(), 2);
    assert!(answers.iter().all(|answer| answer.text() == "0123456789".repeat(2000)));
}

// ---- half-close (RFC 9112 §9.6) ----

#[test]
fn a_client_that_has_finished_sending_gets_its_answers() {
    let mut conn = echo_server().connect();
    conn.send((get("/1") + &get("/2")).as_bytes()).finish();
    assert_eq!(statuses(&mut conn), [200, 200]);
    assert!(conn.is_closed());

    let (server, replies) = later_server();
    let mut conn = server.connect();
    conn.send((get("/later") + &get("/2")).as_bytes()).finish();
    assert!(!conn.is_closed(), "an answer is to come");
    replies.recv().unwrap().send("at last");
    assert_eq!(statuses(&mut conn), [200, 200]);
    assert!(conn.is_closed());

    let (server, senders) = stream_server(100);
    let mut conn = server.connect();
    conn.send(get("/stream").as_bytes()).finish();
    let sender = senders.recv().unwrap();
    sender.send("late").unwrap();
    drop(sender);
    let received = conn.recv();
    assert_eq!(text_of(&read_answers(&received, true, &[])), ["late"]);
    assert!(conn.is_closed());
}

#[test]
fn a_client_that_finishes_between_requests_is_closed_without_a_word() {
    let mut conn = echo_server().connect();
    assert_eq!(conn.finish().recv(), b"");
    assert!(conn.is_closed());
    let mut conn = echo_server().connect();
    assert_eq!(statuses(conn.send(get("/").as_bytes())), [200]);
    assert_eq!(conn.finish().recv(), b"");
    assert!(conn.is_closed());
}

#[test]
fn a_request_that_was_cut_off_is_400_and_never_handled() {
    // RFC 9112 §8
    let request = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello";
    let chunked = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX: y\r\n\r\n";
    for input in [request, chunked] {
        for end in 1..input.len() {
            let server = echo_server();
            let mut conn = server.connect();
            conn.send(&input.as_bytes()[..end]).finish();
            assert_eq!(statuses(&mut conn), [400], "{}", &input[..end]);
            assert!(conn.is_closed());
            assert_eq!(server.seen(), [""; 0]);
        }
    }
}

// ---- deadlines ----

fn timed(handler: impl qibu::Handler) -> Server {
    Server::new(handler).with(|settings| {
        settings.head_timeout = seconds(10);
        (settings.body_timeout, settings.min_body_rate) = (seconds(30), 0);
        settings.idle_timeout = seconds(60);
        settings.handler_timeout = seconds(300);
    })
}

#[test]
fn an_idle_connection_is_closed_without_a_word() {
    let mut conn = timed(echo).connect();
    assert_eq!(conn.deadline(), Some(seconds(60)));
    conn.advance(seconds(59)).send(get("/").as_bytes());
    assert_eq!(statuses(&mut conn), [200]);
    assert_eq!(conn.deadline(), Some(seconds(60)), "the time begins anew after each answer");
    conn.take_at_most(0).send(get("/").as_bytes()).advance(seconds(4)).take_at_most(usize::MAX);
    assert_eq!(statuses(&mut conn), [200]);
    assert_eq!(conn.deadline(), Some(seconds(60)), "and only when the client has taken it");
    assert!(!conn.advance(Duration::from_millis(59_999)).is_closed());
    assert!(conn.advance(Duration::from_millis(1)).is_closed());
    assert_eq!(conn.recv(), b"");
}

#[test]
fn a_head_that_does_not_come_in_time_is_408_however_it_trickles() {
    // RFC 9110 §15.5.9
    let mut conn = timed(echo).connect();
    conn.send(get("/").as_bytes()).advance(seconds(50)).send(b"GET / ");
    assert_eq!(conn.deadline(), Some(seconds(10)), "from the first byte on");
    for _ in 0..9 {
        conn.advance(seconds(1)).send(b"x");
    }
    assert_eq!(conn.deadline(), Some(seconds(1)), "a byte buys no time");
    assert_eq!(statuses(&mut conn), [200]);
    conn.advance(seconds(1));
    let answers = read_answers(&conn.recv(), true, &[]);
    assert_eq!((answers[0].status, answers[0].field("connection")), (408, Some("close")));
    assert!(conn.is_closed());
    assert_eq!(conn.send(b" HTTP/1.1\r\nHost: a\r\n\r\n").recv(), b"");
}

#[test]
fn a_body_that_stops_coming_is_408() {
    for (framing, piece) in [("Content-Length: 100", "x"), ("Transfer-Encoding: chunked", "1\r\nx\r\n")] {
        let server = timed(echo);
        let mut conn = server.connect();
        conn.send(format!("POST / HTTP/1.1\r\nHost: a\r\n{framing}\r\n\r\n").as_bytes());
        for _ in 0..5 {
            assert_eq!(conn.deadline(), Some(seconds(30)));
            conn.advance(seconds(29)).send(piece.as_bytes());
            assert_eq!(conn.recv(), b"", "each piece buys time");
        }
        conn.advance(seconds(30));
        assert_eq!(statuses(&mut conn), [408]);
        assert!(conn.is_closed());
        assert_eq!(server.seen(), [""; 0]);
    }
}

#[test]
fn an_answer_that_does_not_come_is_503_and_too_late_afterwards() {
    let (server, replies) = later_server();
    let server = server.with(|settings| settings.handler_timeout = seconds(300));
    let mut conn = server.connect();
    conn.send((get("/later") + &get("/2")).as_bytes());
    assert_eq!(conn.deadline(), Some(seconds(300)));
    conn.advance(seconds(299));
    assert_eq!(conn.recv(), b"");
    conn.advance(seconds(1));
    let received = conn.recv();
    let answers = read_answers(&received, true, &[]);
    assert_eq!((answers.len(), answers[0].status, answers[0].field("connection")), (1, 503, Some("close")));
    assert!(conn.is_closed());
    replies.recv().unwrap().send("too late");
    assert_eq!(conn.recv(), b"");
}

#[test]
fn a_stream_that_stands_still_is_broken_off() {
    let (server, senders) = stream_server(100);
    let server = server.with(|settings| settings.handler_timeout = seconds(300));
    let mut conn = server.connect();
    conn.send(get("/stream").as_bytes());
    let sender = senders.recv().unwrap();
    for _ in 0..3 {
        conn.advance(seconds(299));
        sender.send("x").unwrap();
        conn.recv();
        assert_eq!(conn.deadline(), Some(seconds(300)), "each piece buys time");
    }
    conn.advance(seconds(300));
    assert_eq!(conn.recv(), b"", "no last chunk");
    assert!(conn.is_closed());
    assert_eq!(sender.send("x"), Err(Closed));
}

#[test]
fn a_client_that_reads_nothing_or_too_slowly_is_dropped() {
    // At least 240 bytes a second after the first five seconds, and never nothing for a minute.
    let reads = |first: usize, each_second: usize| {
        let (server, senders) = stream_server(1024 * 1024);
        let mut conn = server.connect();
        // What was read of an earlier answer does not count.
        let post = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 500000\r\n\r\n".to_owned();
        conn.send((post + &"x".repeat(500_000)).as_bytes());
        assert_eq!(statuses(&mut conn), [200]);
        conn.take_at_most(0).send(get("/stream").as_bytes());
        senders.recv().unwrap().send(vec![b'x'; 1024 * 1024]).unwrap();
        conn.recv();
        conn.take_at_most(first);
        (0..200).find(|_| conn.advance(seconds(1)).take_at_most(each_second).is_closed())
    };
    assert_eq!(reads(0, 0), Some(4), "closed when the fifth second is over");
    assert!(reads(0, 100).is_some_and(|second| second < 20));
    assert_eq!(reads(0, 300), None);
    assert_eq!(reads(500_000, 1), None, "a good beginning counts");
    assert_eq!(reads(500_000, 0), Some(59), "but not for ever");
}

#[test]
fn a_body_that_comes_too_slowly_is_408() {
    // At least 240 bytes a second after the first five seconds.
    let sends = |each_second: usize| {
        let mut conn = echo_server().connect();
        conn.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n");
        let ended = (0..100).find(|_| conn.advance(seconds(1)).send(&vec![b'x'; each_second]).is_closed());
        (ended, statuses(&mut conn))
    };
    assert_eq!(sends(300), (None, vec![]));
    let (ended, said) = sends(100);
    assert!(ended.is_some_and(|second| second < 20), "{ended:?}");
    assert_eq!(said, [408]);
}

#[test]
fn a_body_that_began_fast_may_not_be_slow_for_ever() {
    // A fast start earns body_timeout at most: else a body of 2 MiB would earn two hours.
    let mut conn = echo_server().connect();
    conn.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2000000\r\n\r\n");
    conn.send(&vec![b'x'; 1_999_000]);
    let ended = (0..100).find(|_| conn.advance(seconds(1)).send(b"x").is_closed());
    assert!(ended.is_some_and(|second| second <= 31), "{ended:?}");
    assert_eq!(statuses(&mut conn), [408]);
}

#[test]
fn every_wait_has_a_deadline() {
    let (server, _replies) = later_server();
    let (streams, _senders) = stream_server(1);
    let post = "POST / HTTP/1.1\r\nHost: a\r\n";
    for (server, input) in [
        (&server, String::new()),
        (&server, "G".into()),
        (&server, get("/1")),
        (&server, get("/1") + "G"),
        (&server, format!("{post}Content-Length: 1\r\n\r\n")),
        (&server, format!("{post}Transfer-Encoding: chunked\r\n\r\n0\r\n")),
        (&server, get("/later")),
        (&server, get("/later") + &get("/2")),
        (&streams, get("/stream")),
        (&server, "GET / HTTP/1.0\r\n\r\n".into()), // closing: the peer's end is awaited
    ] {
        let mut conn = server.connect();
        conn.send(input.as_bytes());
        assert!(conn.deadline().is_some_and(|deadline| deadline > Duration::ZERO), "{input}");
        conn.take_at_most(0).send(get("/2").as_bytes());
        assert!(conn.deadline().is_some_and(|deadline| deadline > Duration::ZERO), "{input}, unread");
    }
}

// ---- shutting down ----

#[test]
fn an_idle_connection_ends_at_once_when_the_server_does() {
    let mut conn = echo_server().connect();
    assert_eq!(conn.shut_down().recv(), b"");
    assert!(conn.is_closed());
    let mut conn = echo_server().connect();
    conn.send(get("/").as_bytes()).shut_down();
    assert_eq!(statuses(&mut conn), [200]);
    assert!(conn.is_closed());
}

#[test]
fn what_has_begun_is_finished_and_says_close() {
    let (server, replies) = later_server();
    let mut conn = server.connect();
    conn.send(get("/later").as_bytes()).shut_down();
    assert!(!conn.is_closed());
    replies.recv().unwrap().send("at last");
    let answers = read_answers(&conn.recv(), true, &[]);
    assert_eq!((answers[0].text(), answers[0].field("connection")), ("at last", Some("close")));
    assert!(conn.is_closed());

    for version in ["1.1", "1.0"] {
        let input =
            format!("POST / HTTP/{version}\r\nHost: a\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\nhello");
        for cut in 1..input.len() {
            let mut conn = echo_server().connect();
            conn.send(&input.as_bytes()[..cut]).shut_down();
            assert!(!conn.is_closed(), "cut at {cut}");
            conn.send(&input.as_bytes()[cut..]);
            let answers = read_answers(&conn.recv(), true, &[]);
            assert_eq!((answers[0].text(), answers[0].field("connection")), ("POST / hello", Some("close")));
            assert!(conn.is_closed());
        }
    }
}

#[test]
fn a_stream_is_finished_before_the_server_is() {
    let (server, senders) = stream_server(100);
    let mut conn = server.connect();
    conn.send(get("/stream").as_bytes()).shut_down();
    let sender = senders.recv().unwrap();
    sender.send("the end").unwrap();
    assert!(!conn.is_closed());
    drop(sender);
    let received = conn.recv();
    assert_eq!(text_of(&read_answers(&received, true, &[])), ["the end"]);
    assert!(conn.is_closed());
}

#[test]
fn a_request_that_was_already_sent_is_answered() {
    let (server, replies) = later_server();
    let mut conn = server.connect();
    conn.send((get("/later") + &get("/2")).as_bytes()).shut_down();
    replies.recv().unwrap().send("at last");
    let received = conn.recv();
    let answers = read_answers(&received, true, &[]);
    assert_eq!(answers[0].field("connection"), Some("close"));
    assert_eq!(answers.len(), 1, "nothing may follow an answer that says close (RFC 9112 §9.6)");
    assert!(conn.is_closed());
}

// ---- framing that is refused (RFC 9112 §6.1, §6.3) ----

#[test]
fn what_could_be_read_in_two_ways_is_refused() {
    let smuggled = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";
    let (bad_request, not_implemented) = (400, 501);
    for (fields, status) in [
        // §6.3 rule 3: Transfer-Encoding beside Content-Length
        ("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", bad_request),
        ("Transfer-Encoding: chunked\r\nContent-Length: 0\r\n", bad_request),
        ("Transfer-Encoding: identity\r\nContent-Length: 5\r\n", bad_request),
        // §6.3 rule 5: Content-Length that is not one number
        ("Content-Length: 5\r\nContent-Length: 6\r\n", bad_request),
        ("Content-Length: 5\r\nContent-Length: 5\r\n", bad_request),
        ("Content-Length: 5, 6\r\n", bad_request),
        ("Content-Length: 5, 5\r\n", bad_request),
        ("Content-Length:\r\n", bad_request),
        ("Content-Length: -1\r\n", bad_request),
        ("Content-Length: +5\r\n", bad_request),
        ("Content-Length: 0x5\r\n", bad_request),
        ("Content-Length: 5 5\r\n", bad_request),
        ("Content-Length: 5a\r\n", bad_request),
        ("Content-Length: 5.0\r\n", bad_request),
        ("Content-Length: \"5\"\r\n", bad_request),
        ("Content-Length: 18446744073709551616\r\n", bad_request),
        ("Content-Length: 99999999999999999999999999\r\n", bad_request),
        // §6.3 rule 4: chunked is not the last coding, or not once
        ("Transfer-Encoding: gzip\r\n", bad_request),
        ("Transfer-Encoding: identity\r\n", bad_request),
        ("Transfer-Encoding: chunked, gzip\r\n", bad_request),
        ("Transfer-Encoding: chunked, chunked\r\n", bad_request),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", bad_request),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", bad_request),
        ("Transfer-Encoding: xchunked\r\n", bad_request),
        ("Transfer-Encoding: chunkedx\r\n", bad_request),
        ("Transfer-Encoding: \"chunked\"\r\n", bad_request),
        ("Transfer-Encoding: chunked;q=1\r\n", bad_request),
        ("Transfer-Encoding: chun ked\r\n", bad_request),
        ("Transfer-Encoding:\r\n", bad_request),
        // §6.1: codings that we do not know
        ("Transfer-Encoding: gzip, chunked\r\n", not_implemented),
        ("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", not_implemented),
        // The field name is not quite Transfer-Encoding (§5.1, §5.2)
        ("Transfer-Encoding : chunked\r\n", bad_request),
        ("Transfer-Encoding\t: chunked\r\n", bad_request),
        (" Transfer-Encoding: chunked\r\n", bad_request),
        ("X: y\r\n Transfer-Encoding: chunked\r\n", bad_request),
        ("Transfer-Encoding:\r\n chunked\r\n", bad_request),
        ("Transfer-Encoding: \x0bchunked\r\n", bad_request),
        ("X: y\rTransfer-Encoding: chunked\r\n", bad_request),
        ("X: y\nTransfer-Encoding: chunked\r\n", bad_request),
    ] {
        let head = format!("POST / HTTP/1.1\r\nHost: a\r\n{fields}\r\n");
        echo_server().refuses(format!("{head}5\r\nhello\r\n0\r\n\r\n{smuggled}"), status);
        echo_server().refuses(head, status);
    }
}

#[test]
fn a_transfer_coding_in_http_1_0_is_refused() {
    // RFC 9112 §6.1
    let input = "POST / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    echo_server().refuses(input, 400);
}

// ---- Host (RFC 9112 §3.2, §3.2.2) ----

/// Path, query and Host, as the handler sees them.
fn target_server() -> Server {
    Server::new(|request: &mut Request| {
        format!("{} {:?} {:?} {}", request.path(), request.query_string(), request.header("host"), request.target())
    })
}

#[test]
fn a_host_that_is_missing_doubled_or_malformed_is_400() {
    for fields in [
        "",
        "X-Host: a\r\n",
        "Host: a\r\nHost: a\r\n",
        "Host: a\r\nhOST: b\r\n",
        "Host: a b\r\n",
        "Host: a/b\r\n",
        "Host: user@a\r\n",
        "Host: a:b\r\n",
        "Host: a:80:80\r\n",
        "Host: http://a\r\n",
        "Host: a?b\r\n",
        "Host: a#b\r\n",
        "Host: a\\b\r\n",
        "Host: \"a\"\r\n",
        "Host: <a>\r\n",
        "Host: [::1\r\n",
        "Host: ::1\r\n",
        "Host: [::1]x\r\n",
        "Host: [x]\r\n",
        "Host: [::1]:x\r\n",
        "Host: \u{e4}\r\n",
    ] {
        echo_server().refuses(format!("GET / HTTP/1.1\r\n{fields}\r\n"), 400);
    }
    for host in ["Host: a b\r\n", "Host: a\r\nHost: b\r\n"] {
        echo_server().refuses(format!("GET / HTTP/1.0\r\n{host}\r\n"), 400);
    }
}

#[test]
fn a_host_that_only_looks_like_a_uri_host_is_400() {
    // RFC 3986 §2.1 and §3.2.2: %XX is two hexadecimal digits, and brackets hold an address.
    // RFC 9110 §4.2.1: a port needs a host.
    for host in ["[]", "[.]", "[%%%]", "[1]", "%zz", "a%2", "a%", ":80", ":"] {
        echo_server().refuses(format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n"), 400);
    }
}

#[test]
fn hosts_of_all_forms_are_taken() {
    for host in ["a", "A.example", "a.example:8080", "127.0.0.1", "[::1]", "[::1]:80", "a_b-c~", "%41", "a:", "x,y", ""]
    {
        let (answer, _) = target_server().one_answer(format!("GET / HTTP/1.1\r\nHost:  {host} \r\n\r\n"));
        assert_eq!(answer.text(), format!("/ None Some({host:?}) /"));
    }
    let (answer, _) = target_server().one_answer("GET / HTTP/1.0\r\n\r\n");
    assert_eq!(answer.text(), "/ None None /");
}

// ---- request targets (RFC 9112 §3.2) ----

#[test]
fn targets_of_all_forms_are_understood() {
    for (request_line, expected) in [
        ("GET /", r#"/ None Some("a") /"#),
        ("GET //", r#"// None Some("a") //"#),
        ("GET /a%20b/c;d", r#"/a%20b/c;d None Some("a") /a%20b/c;d"#),
        ("GET /a?", r#"/a Some("") Some("a") /a?"#),
        ("GET /a?b=c?d&e=/f", r#"/a Some("b=c?d&e=/f") Some("a") /a?b=c?d&e=/f"#),
        ("GET /http://b/", r#"/http://b/ None Some("a") /http://b/"#),
        ("OPTIONS *", r#"* None Some("a") *"#),
        ("OPTIONS /a", r#"/a None Some("a") /a"#),
        // §3.2.2: the authority of the target takes the place of Host.
        ("GET http://b/", r#"/ None Some("b") /"#),
        ("GET http://b:81/c?d", r#"/c Some("d") Some("b:81") /c?d"#),
        ("GET HTTP://b/c", r#"/c None Some("b") /c"#),
        ("GET http://[::1]:81/c", r#"/c None Some("[::1]:81") /c"#),
        // RFC 9110 §4.2.3: an empty path means "/".
        ("GET http://b", r#"/ None Some("b") /"#),
        ("GET http://b?", r#"/ Some("") Some("b") /?"#),
        ("GET http://b?c=d", r#"/ Some("c=d") Some("b") /?c=d"#),
        ("GET http://b?c=/d", r#"/ Some("c=/d") Some("b") /?c=/d"#),
    ] {
        let (answer, is_closed) = target_server().one_answer(format!("{request_line} HTTP/1.1\r\nHost: a\r\n\r\n"));
        assert_eq!((answer.status, answer.text()), (200, expected), "{request_line}");
        assert!(!is_closed);
    }
}

#[test]
fn an_absolute_target_overrules_host_but_does_not_replace_it() {
    let (answer, _) = target_server().one_answer("GET http://b/ HTTP/1.0\r\nHost: a\r\n\r\n");
    assert_eq!(answer.text(), "/ None Some(\"b\") /");
    echo_server().refuses("GET http://b/ HTTP/1.1\r\n\r\n", 400); // §3.2: Host is required all the same
}

#[test]
fn an_absolute_target_names_the_host_where_no_host_field_does() {
    // RFC 9112 §3.2.2: the server MUST use the host information of the request-target. HTTP/1.0 may leave Host out.
    let (answer, _) = target_server().one_answer("GET http://b/ HTTP/1.0\r\n\r\n");
    assert_eq!(answer.text(), "/ None Some(\"b\") /");
}

#[test]
fn targets_of_no_form_are_400() {
    for request_line in [
        "GET",
        "GET *",
        "POST *",
        "OPTIONS **",
        "OPTIONS *?a",
        "GET a",
        "GET a/b",
        "GET a.example:80",
        "GET ?a",
        "GET http://",
        "GET http:///a",
        "GET http://?a",
        "GET http:/a",
        "GET http://user@b/",
        "GET http://b:x/",
        "GET ftp://b/",
        "GET /a#b",
        "GET http://b/#c",
        "GET /a b",
        "GET  /",
        "GET\t/",
        " GET /",
        "G\u{e4}T /",
        "GET(x) /",
        "\0GET /",
        "GET /\0",
        "GET /\x7f",
        "GET /\x1b",
    ] {
        echo_server().refuses(format!("{request_line} HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
    }
}

#[test]
fn connect_is_for_proxies() {
    // RFC 9110 §9.3.6
    for target in ["a.example:443", "/", "*"] {
        echo_server().refuses(format!("CONNECT {target} HTTP/1.1\r\nHost: a.example:443\r\n\r\n"), 501);
    }
}

#[test]
fn methods_are_case_sensitive_and_any_token() {
    // RFC 9110 §9.1
    for method in ["get", "PATCH", "X-!#$%&'*+-.^_`|~9"] {
        let (answer, _) = echo_server().one_answer(format!("{method} / HTTP/1.1\r\nHost: a\r\n\r\n"));
        assert_eq!(answer.text(), format!("{method} / "));
    }
}

// ---- versions (RFC 9112 §2.3, RFC 9110 §2.5) ----

#[test]
fn other_major_versions_are_505() {
    for version in ["HTTP/2.0", "HTTP/3.0", "HTTP/0.9", "HTTP/9.9"] {
        let whole = echo_server().converse(&[format!("GET / {version}\r\nHost: a\r\n\r\n").as_bytes()], &[]);
        assert_eq!((whole.answers[0].status, whole.is_closed), (505, true));
    }
}

#[test]
fn other_major_versions_are_505_wherever_their_line_is_cut() {
    for version in ["HTTP/2.0", "HTTP/3.0", "HTTP/0.9", "HTTP/9.9"] {
        echo_server().refuses(format!("GET / {version}\r\nHost: a\r\n\r\n"), 505);
    }
    echo_server().refuses("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505);
}

#[test]
fn a_higher_minor_version_is_treated_as_http_1_1() {
    // RFC 9110 §2.5: SHOULD process the message as if it was in the highest minor version that we know.
    let (answer, is_closed) = echo_server().one_answer("GET / HTTP/1.2\r\nHost: a\r\n\r\n");
    assert_eq!((answer.status, answer.text(), is_closed), (200, "GET / ", false));
}

#[test]
fn what_is_no_version_is_400() {
    for version in [
        "http/1.1",
        "HTTP/1",
        "HTTP/1.",
        "HTTP/11.1",
        "HTTP/1.1x",
        "HTTP/1.11",
        "HTP/1.1",
        "HTTP1.1",
        "HTTP/1,1",
        "HTTP/a.b",
        "HTTP/ 1.1",
        "HTTP/1.1 ",
    ] {
        echo_server().refuses(format!("GET / {version}\r\nHost: a\r\n\r\n"), 400);
    }
    echo_server().refuses("GET /\r\nHost: a\r\n\r\n", 400);
    echo_server().refuses("GET / \r\nHost: a\r\n\r\n", 400);
}

// ---- lines and limits (RFC 9112 §2.2, §3, §5) ----

#[test]
fn odd_lines_are_400() {
    for head in [
        "GET / HTTP/1.1\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n\n",
        "GET / HTTP/1.1\nHost: a\n\n",
        "GET / HTTP/1.1\rHost: a\r\r\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX: y\rz\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX: y\r\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX: y\0z\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX: y\x7f\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX\0: y\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n folded\r\n\r\n", // §5.2
        "GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n\tfolded\r\n\r\n",
        "GET / HTTP/1.1\r\n Host: a\r\n\r\n", // §2.2
        "GET / HTTP/1.1\r\n\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX : y\r\n\r\n", // §5.1
        "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX y\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n: y\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX Y: z\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX(: z\r\n\r\n",
        "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", // a bare LF before the line that is skipped
        "\x16\x03\x01\x02\x00\x01\x00\x01\x7c\x03\x03\r\n\r\n", // a TLS client
    ] {
        echo_server().refuses(head, 400);
    }
}

#[test]
fn values_come_without_the_white_space_around_them() {
    // RFC 9112 §5.1
    let server = Server::new(|request: &mut Request| {
        let values: Vec<_> = request.header_values("X-A").map(|value| value.escape_ascii().to_string()).collect();
        values.join("|")
    });
    let fields = b"x-a:b\r\nX-A: \t c d\t e \t\r\nX-a:\r\nx-A: caf\xe9 \xf0\r\n".as_slice();
    let input = [b"GET / HTTP/1.1\r\nHost: a\r\n", fields, b"\r\n"].concat();
    assert_eq!(server.one_answer(input).0.text(), "b|c d\\t e||caf\\xe9 \\xf0");
}

#[test]
fn a_target_over_the_limit_is_414_and_other_heads_431() {
    // RFC 9112 §3, RFC 9110 §5.4
    let server = echo_server().with(|settings| settings.head_limit = 300);
    let filled = |prefix: &str, suffix: &str, length: usize| {
        format!("{prefix}{}{suffix}", "x".repeat(length - prefix.len() - suffix.len()))
    };
    let end = " HTTP/1.1\r\nHost: a\r\n\r\n";
    for length in [299, 300] {
        assert_eq!(server.one_answer(filled("GET /", end, length)).0.status, 200);
        assert_eq!(server.one_answer(filled("GET / HTTP/1.1\r\nHost: a\r\nX: ", "\r\n\r\n", length)).0.status, 200);
    }
    for length in [301, 400, 1000] {
        server.refuses(filled("GET / HTTP/1.1\r\nHost: a\r\nX: ", "\r\n\r\n", length), 431);
    }
    for length in [400, 1000] {
        server.refuses(filled("GET /", end, length), 414);
    }
    // Said as soon as it is certain, though the head has no end.
    for (head, status) in [("GET /".to_owned(), 414), ("GET / HTTP/1.1\r\nX: ".to_owned(), 431)] {
        let head = head.clone() + &"x".repeat(300 - head.len());
        for pieces in [vec![head.as_bytes()], head.as_bytes().chunks(1).collect()] {
            let conversation = server.converse(&pieces, &[]);
            assert_eq!((conversation.answers[0].status, conversation.is_closed), (status, true), "{head}");
        }
        assert_eq!(server.converse(&[&head.as_bytes()[..299]], &[]).answers, []);
    }
}

#[test]
fn too_many_fields_are_431() {
    let server = echo_server().with(|settings| settings.field_limit = 10);
    let head = |fields: usize| format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "X: y\r\n".repeat(fields - 1));
    assert_eq!(server.one_answer(head(10)).0.status, 200);
    server.refuses(head(11), 431);
    echo_server().refuses(head(300), 431);
    // More than can be kept, whatever the setting.
    echo_server().with(|settings| settings.field_limit = 1000).refuses(head(300), 431);
}

#[test]
fn a_request_line_of_8000_bytes_is_supported() {
    // RFC 9112 §3
    let target = format!("/{}", "x".repeat(7999));
    let (answer, _) = echo_server().one_answer(get(&target));
    assert_eq!(answer.text(), format!("GET {target} "));
}

#[test]
fn a_head_is_answered_whatever_limit_is_set() {
    // HttpSettings are public: a limit over what a connection can keep must not lead to silence.
    let server = echo_server().with(|settings| settings.head_limit = 1024 * 1024);
    let head = format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "x".repeat(100 * 1024));
    let conversation = server.converse(&[head.as_bytes()], &[]);
    let statuses: Vec<u16> = conversation.answers.iter().map(|answer| answer.status).collect();
    assert!([[200], [431]].iter().any(|possible| statuses == possible), "{statuses:?}");
}

// ---- what a handler can do wrong ----

#[test]
fn a_pending_answer_of_another_request_is_never_half_an_answer() {
    // A handler that returns the `pending` of an earlier request: the client must get something complete.
    let kept = Mutex::new(None);
    let server = Server::new(move |request: &mut Request| {
        let (reply, pending) = request.later();
        drop(reply);
        kept.lock().unwrap().replace(pending).unwrap_or_else(|| Response::text("first"))
    });
    let mut conn = server.connect();
    conn.send((get("/1") + &get("/2")).as_bytes());
    let received = conn.recv();
    let answers = read_answers(&received, conn.is_closed(), &[]);
    assert_eq!((answers.len(), answers[0].text(), answers[1].status), (2, "first", 500));
}
