//! Each limit: the right status, or a cut, and a log line that names the setting.
//!
//! `pipeline_depth` and `backlog` refuse nobody (the rest waits), so they have no line; `max_connections_per_address` has its
//! tests beside its code.

use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use qibu::{
    Body, Builder, Handler, HandlerExt, IntoResponse, Middleware, Plan, Reply, Request, Response, Router, StatusCode,
    blocking, ws,
};

use crate::common::{Client, Gate, MarkedFile, eventually, get, local, send_to_all};
use crate::support::{LOG, SOON, serve};

/// How the server shows that a limit is reached.
#[derive(Clone, Copy)]
enum Shown {
    Status(u16),
    /// The answer has begun, or there is nothing to answer: the connection ends.
    Cut,
}

struct Row {
    setting: &'static str,
    set: fn(Builder) -> Builder,
    /// What the client sends, and no more than that.
    sends: String,
    shown: Shown,
}

fn row(setting: &'static str, set: fn(Builder) -> Builder, sends: impl Into<String>, shown: Shown) -> Row {
    Row { setting, set, sends: sends.into(), shown }
}

/// Of a body that is announced as too long, nothing is sent: it must be refused before.
fn rows() -> Vec<Row> {
    let post = |framing: &str| format!("POST / HTTP/1.1\r\nHost: test\r\n{framing}");
    // So much that the handler has begun to read.
    let upload = |framing: &str| format!("POST /upload HTTP/1.1\r\nHost: test\r\n{framing}{}", "x".repeat(0x50000));
    let begun = "GET / HTTP/1.1\r\nHost: test\r\nName: ";
    let fields = |count| format!("GET / HTTP/1.1\r\nHost: test\r\n{}\r\n", "a: b\r\n".repeat(count));
    vec![
        row("head_limit", |b| b.head_limit(1000), begun.to_owned() + &"x".repeat(2000), Shown::Status(431)),
        row("head_limit", |b| b.head_limit(1000), format!("GET /{}", "x".repeat(2000)), Shown::Status(414)),
        row("field_limit", |b| b.field_limit(10), fields(10), Shown::Status(431)),
        row("body_limit", |b| b.body_limit(10), post("Content-Length: 11\r\n\r\n"), Shown::Status(413)),
        row(
            "body_limit",
            |b| b.body_limit(10),
            post("Transfer-Encoding: chunked\r\n\r\nb\r\nhello world\r\n"),
            Shown::Status(413),
        ),
        row(
            "body_limit",
            |b| b.body_limit(300_000),
            upload("Transfer-Encoding: chunked\r\n\r\n50000\r\n"),
            Shown::Status(413),
        ),
        row("body_timeout", |b| b.body_timeout(SOON), upload("Content-Length: 400000\r\n\r\n"), Shown::Status(408)),
        row("head_timeout", |b| b.head_timeout(SOON), begun, Shown::Status(408)),
        row("body_timeout", |b| b.body_timeout(SOON), post("Content-Length: 9\r\n\r\nhalf"), Shown::Status(408)),
        row("min_body_rate", |b| b.min_body_rate(1_000_000), post("Content-Length: 9\r\n\r\nhalf"), Shown::Status(408)),
        row("handler_timeout", |b| b.handler_timeout(SOON), get("/never"), Shown::Status(503)),
        row("handler_timeout", |b| b.handler_timeout(SOON), get("/stream"), Shown::Cut),
        row("write_timeout", |b| b.write_timeout(SOON), get("/file"), Shown::Cut),
        row("min_write_rate", |b| b.min_write_rate(u32::MAX), get("/file"), Shown::Cut),
    ]
}

/// `/upload` is read while it arrives, `/never` is put off for ever, `/stream` stands still, `/file` is too long for the system's buffers.
struct Site {
    file: MarkedFile,
    replies: Mutex<Vec<Reply>>,
    streams: Mutex<Vec<qibu::BodySender>>,
}

impl Site {
    fn new() -> Self {
        Self { file: MarkedFile::new(64 * 1024 * 1024), replies: Mutex::default(), streams: Mutex::default() }
    }
}

impl Handler for Site {
    fn handle(&self, request: &mut Request) -> Response {
        match request.path() {
            "/never" => {
                let (reply, pending) = request.later();
                self.replies.lock().unwrap().push(reply);
                pending
            }
            "/stream" => {
                let (sender, body) = Body::channel(1024);
                sender.try_send("beginning").unwrap();
                self.streams.lock().unwrap().push(sender);
                Response::text(body)
            }
            "/file" => Response::new(StatusCode::OK).with_body(Body::file(self.file.file.clone(), 0..self.file.length)),
            "/upload" => match request.bytes() {
                Ok(_) => Response::text("all of it"),
                Err(error) => error.into_response(),
            },
            _ => Response::text("hello"),
        }
    }

    fn plan(&self, request: &mut Request) -> Plan {
        if request.path() == "/upload" { Plan::stream() } else { Plan::inline() }
    }
}

fn own_address(client: &Client<std::net::TcpStream>) -> String {
    client.socket().local_addr().unwrap().to_string()
}

fn check(row: &Row) {
    let server = serve((row.set)(local()), Site::new());
    let mut client = Client::with_small_window(server.local_addr(), 4096);
    client.send(&row.sends);
    match row.shown {
        Shown::Status(status) => {
            assert_eq!(client.answer().status(), status, "{}", row.setting);
            client.assert_end();
        }
        Shown::Cut => {
            eventually("the answer has begun", || server.handle().stats().sent_bytes > 0);
            server.until_connected(0); // without reading a byte
            let head = client.head();
            assert!(client.body(&head, |_| ()).is_err(), "{}: a cut must not look like the end", row.setting);
        }
    }
    LOG.until_named(row.setting, &own_address(&client));
}

/// All at once, since two of them take their five seconds.
#[test]
fn each_of_14_limits_has_its_status_and_is_named_in_the_log() {
    thread::scope(|scope| {
        for row in rows() {
            scope.spawn(move || check(&row));
        }
    });
}

/// Before the first request, and between two.
#[test]
fn an_idle_timeout_is_named_in_the_log() {
    let server = serve(local().idle_timeout(SOON), |_: &mut Request| "hello");
    let (mut fresh, mut used) = (server.connect(), server.connect());
    used.get("/");
    for client in [&mut fresh, &mut used] {
        client.assert_end();
    }
    LOG.until_named("idle_timeout", &own_address(&used));
    LOG.until_named("idle_timeout", &own_address(&fresh));
}

#[test]
fn the_100_clients_over_max_connections_get_503_and_the_log_says_so_once_a_second() {
    let server = serve(local().max_connections(3), |_: &mut Request| "hello");
    let mut inside: Vec<_> = (0..3).map(|_| server.connect()).collect();
    inside.iter_mut().for_each(|client| assert_eq!(client.get("/").text(), "hello"));
    let started = std::time::Instant::now();
    let mut outside: Vec<_> = (0..100).map(|_| server.connect()).collect();
    for client in &mut outside {
        let answer = client.answer();
        assert_eq!((answer.status(), answer.head.field("retry-after")), (503, Some("1")));
        client.assert_end();
    }
    let addresses: Vec<_> = outside.iter().map(|client| format!("{} ", own_address(client))).collect();
    let is_one_of_them = |line: &str| {
        line.contains("(max_connections)") && addresses.iter().any(|address| line.contains(address.as_str()))
    };
    eventually("one of them is named", || !LOG.lines(is_one_of_them).is_empty());
    let (said, seconds) = (LOG.lines(is_one_of_them).len() as u64, started.elapsed().as_secs());
    assert!(said <= seconds + 1, "{said} lines in {seconds} seconds: a flood of clients is a flood of lines");
    inside.iter_mut().for_each(|client| assert_eq!(client.get("/").text(), "hello"));
}

#[test]
fn the_last_of_3_requests_per_connection_closes_it_and_the_log_says_why() {
    let server = serve(local().requests_per_connection(3), |_: &mut Request| "hello");
    let mut client = server.connect();
    client.send(get("/").repeat(10));
    let connection = [(); 3].map(|()| client.answer().head.field("connection").map(str::to_owned));
    assert_eq!(connection, [None, None, Some("close".to_owned())]);
    client.assert_end();
    LOG.until_named("requests_per_connection", &own_address(&client));
}

/// Runs on the pool, and waits there.
struct Pooled(Gate);

impl Handler for Pooled {
    fn handle(&self, _: &mut Request) -> Response {
        self.0.pass();
        Response::text("hello")
    }

    fn plan(&self, _: &mut Request) -> Plan {
        Plan::pool()
    }
}

#[test]
fn the_4th_job_for_1_worker_with_a_queue_of_2_gets_503_and_the_log_says_why() {
    let gate = Gate::default();
    let server = serve(local().workers(1).worker_queue(2), Pooled(gate.clone()));
    let mut waiting: Vec<_> = (0..3).map(|_| server.connect()).collect();
    send_to_all(&mut waiting[..1], get("/"));
    gate.until_arrived(1);
    send_to_all(&mut waiting[1..], get("/"));
    let bytes = 3 * get("/").len() as u64;
    eventually("all three are in", || server.handle().stats().received_bytes == bytes);
    let mut one_more = server.connect();
    let answer = one_more.get("/");
    assert_eq!((answer.status(), answer.head.field("retry-after")), (503, Some("1")));
    LOG.until_named("worker_queue", &own_address(&one_more));
    gate.open();
    waiting.iter_mut().for_each(|client| assert_eq!(client.answer().text(), "hello"));
    assert_eq!(one_more.get("/").text(), "hello", "on the same connection");
}

#[test]
fn a_handler_that_holds_its_loop_for_20_ms_is_named_in_the_log_with_its_route_and_the_loop() {
    let slow = Router::new().get("/{what}", |_| {
        thread::sleep(Duration::from_millis(20 + 16)); // this is what it does wrong; measured to a tick, of 16 ms at most
        "hello"
    });
    let server = serve(local().slow_handler_warning(Duration::from_millis(20)), slow);
    assert_eq!(server.connect().get("/holds-its-loop").text(), "hello");
    LOG.until_named("slow_handler_warning", "/holds-its-loop");
    let line = LOG.lines(|line| line.contains("(slow_handler_warning)") && line.contains("/holds-its-loop")).remove(0);
    assert!(line.contains("GET /holds-its-loop (route /{what}) held qibu loop 0 for "), "{line}");
}

#[test]
fn a_plan_that_holds_its_loop_for_20_ms_is_named_in_the_log_wherever_its_handler_would_have_run() {
    struct Slow;
    impl Handler for Slow {
        fn handle(&self, _: &mut Request) -> Response {
            Response::text("hello")
        }
        fn plan(&self, request: &mut Request) -> Plan {
            match request.path() {
                "/refused" => Plan::refuse(Response::text("hello")),
                _ => Plan::inline(),
            }
        }
    }
    // Neither a plan nor what is done about a refusal moves to the pool.
    let slow = |request: &mut Request, next: &dyn Handler| {
        thread::sleep(Duration::from_millis(20 + 16)); // this is what it does wrong
        next.handle(request)
    };
    struct SlowPlan;
    impl Middleware for SlowPlan {
        fn handle(&self, request: &mut Request, next: &dyn Handler) -> Response {
            next.handle(request)
        }
        fn plan(&self, request: &mut Request, next: &dyn Handler) -> Plan {
            if request.path() == "/planned" {
                thread::sleep(Duration::from_millis(20 + 16)); // and this
            }
            next.plan(request)
        }
    }
    let app = blocking(Slow.with(slow).with(SlowPlan));
    let server = serve(local().slow_handler_warning(Duration::from_millis(20)), app);
    for path in ["/refused", "/planned"] {
        assert_eq!(server.connect().get(path).text(), "hello");
        LOG.until_named("slow_handler_warning", path);
        let line = LOG.lines(|line| line.contains("(slow_handler_warning)") && line.contains(path)).remove(0);
        assert!(line.contains(&format!("the plan of GET {path} (route none) held qibu loop 0 for ")), "{line}");
    }
}

#[test]
fn a_next_that_has_refused_and_is_called_again_is_named_in_the_log() {
    let refusing = Router::new().post("/here", |_| "hello");
    let twice = |request: &mut Request, next: &dyn Handler| {
        next.handle(request);
        next.handle(request)
    };
    let server = serve(local(), refusing.with(twice));
    let request = "POST /nowhere-twice HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx";
    assert_eq!(server.connect().send(request).answer().status(), 500);
    let said = LOG.lines(|line| line.contains("called its next twice for POST /nowhere-twice "));
    assert_eq!(said.len(), 1, "{said:?}");
}

#[test]
fn a_websocket_handler_that_holds_its_loop_for_20_ms_is_named_in_the_log_with_the_loop() {
    let settings = ws::WebSocket::new().slow_handler_warning(Duration::from_millis(20));
    let slow = |peer: &ws::Sender, _: ws::Message| {
        thread::sleep(Duration::from_millis(20)); // this is what it does wrong
        peer.send("done").unwrap();
    };
    let server = serve(local(), move |request: &mut Request| settings.upgrade(request, slow));
    let mut client = server.connect();
    client.send(
        "GET / HTTP/1.1\r\nHost: test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    );
    assert_eq!(client.head().status, 101);
    client.send(b"\x81\x80\0\0\0\0"); // an empty text
    let mut answer = [0; 6];
    client.read_exact(&mut answer);
    assert_eq!(&answer, b"\x81\x04done");
    LOG.until_named("slow_handler_warning", &own_address(&client));
    let lines = LOG.lines(|line| line.contains("(slow_handler_warning)") && line.contains(&own_address(&client)));
    assert!(lines[0].contains("the WebSocket handler for") && lines[0].contains(" held qibu loop 0 for "), "{lines:?}");
}
