//! Each request has one line in the access log and one count in the metrics, and the line says what became of it: not what its
//! handler would have answered.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Mutex;
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::Duration;

use qibu::testing::{PeerId, TestClient, TestConn, TestLoop};
use qibu::{
    AccessLog, Handler, HandlerExt, Http, HttpSettings, LogFormat, Metrics, Middleware, Refusal, Request, Response,
    Running, StatusCode, Timeout, WebServer, blocking, streaming,
};

use crate::Later;

const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const SECOND: Duration = Duration::from_secs(1);

/// A handler with both around it, and what they say.
struct Watched {
    lines: Receiver<String>,
    metrics: Metrics,
}

impl Watched {
    fn around(handler: impl Handler) -> (Self, impl Handler) {
        let (sender, lines) = mpsc::channel();
        let metrics = Metrics::new();
        let log = AccessLog::new().to(move |line| sender.send(line.to_owned()).unwrap());
        // Who watches first is told first: what has a line is counted.
        (Self { lines, metrics: metrics.clone() }, handler.with(log).with(metrics))
    }

    /// Waits for the line, and compares its status and length.
    fn expect_line(&self, expected: &str) {
        let line = self.lines.recv_timeout(20 * SECOND).expect("a line");
        assert!(line.ends_with(expected), "{line:?}, not {expected:?}");
    }

    /// There was one request, and this was its status. Whoever could still write has been dropped.
    fn expect_no_more(self, status: u16) {
        assert_eq!(self.lines.iter().collect::<Vec<_>>(), [""; 0]);
        let page = TestClient::new(self.metrics.page()).get("/").send().text().to_owned();
        let counts: Vec<&str> = page.lines().filter(|line| line.starts_with("qibu_http_requests_total{")).collect();
        let [count] = counts[..] else { panic!("{counts:?}") };
        assert!(count.contains(&format!("status=\"{status}\"}} 1")), "{count}");
    }
}

/// A handler on the pool that waits for a word from the test, and a server with it.
struct Stuck {
    is_there: Receiver<()>,
    go_on: Sender<()>,
    server: Running,
}

impl Stuck {
    fn serve(limit: Duration) -> (Self, Watched) {
        let (go_on, word) = mpsc::channel::<()>();
        let (there, is_there) = mpsc::channel();
        let word = Mutex::new(word);
        let handler = blocking(move |_: &mut Request| {
            there.send(()).unwrap();
            word.lock().unwrap().recv().unwrap();
            "too late"
        });
        let (watched, handler) = Watched::around(handler);
        let server = WebServer::new("127.0.0.1:0", handler.with(Timeout::new(limit))).unwrap().spawn().unwrap();
        (Self { is_there, go_on, server }, watched)
    }

    fn ask(&self) -> TcpStream {
        let mut stream = TcpStream::connect(self.server.local_addr()).unwrap();
        stream.write_all(GET).unwrap();
        stream
    }
}

#[test]
fn a_handler_on_the_pool_that_is_too_late_has_a_line_with_503_before_it_ends() {
    let (stuck, watched) = Stuck::serve(Duration::from_millis(20));
    let mut answer = String::new();
    stuck.ask().read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    watched.expect_line(" GET / 503 24");
    stuck.go_on.send(()).unwrap();
    drop(stuck);
    watched.expect_no_more(503);
}

#[test]
fn a_client_that_leaves_a_handler_on_the_pool_has_a_line_with_499_before_it_ends() {
    let (stuck, watched) = Stuck::serve(300 * SECOND);
    let client = stuck.ask();
    stuck.is_there.recv_timeout(20 * SECOND).unwrap();
    socket2::SockRef::from(&client).set_linger(Some(Duration::ZERO)).unwrap();
    drop(client); // a reset
    watched.expect_line(" GET / 499 0");
    stuck.go_on.send(()).unwrap();
    drop(stuck);
    watched.expect_no_more(499);
}

#[test]
fn a_client_that_leaves_before_a_late_answer_has_a_line_with_499() {
    let later = Later::default();
    let (watched, handler) = Watched::around(later.clone());
    let mut client = TestConn::open(Http::new(handler)).unwrap();
    client.send(GET);
    drop(client);
    watched.expect_line(" GET / 499 0");
    later.0.lock().unwrap().pop().unwrap().send("too late");
    watched.expect_no_more(499);
}

#[test]
fn a_late_answer_that_does_not_come_in_time_is_a_503() {
    let (watched, handler) = Watched::around(Later::default());
    let mut client = TestConn::open(Http::new(handler.with(Timeout::new(SECOND)))).unwrap();
    assert!(client.send(GET).advance(SECOND).recv().starts_with(b"HTTP/1.1 503 "));
    drop(client);
    watched.expect_line(" GET / 503 24");
    watched.expect_no_more(503);
}

#[test]
fn a_handler_that_panics_is_a_500() {
    for is_on_the_pool in [false, true] {
        let broken = |_: &mut Request| -> Response { panic!("a bug") };
        let broken = if is_on_the_pool { blocking(broken).boxed() } else { broken.boxed() };
        let (watched, handler) = Watched::around(broken);
        let mut client = TestConn::open(Http::new(handler)).unwrap();
        assert!(client.send(GET).recv().starts_with(b"HTTP/1.1 500 "));
        drop(client);
        watched.expect_line(" GET / 500 26");
        watched.expect_no_more(500);
    }
}

#[test]
fn an_answer_that_cannot_be_sent_is_a_500() {
    let (watched, handler) = Watched::around(|_: &mut Request| Response::new(StatusCode::CONTINUE));
    let mut client = TestConn::open(Http::new(handler)).unwrap();
    assert!(client.send(GET).recv().starts_with(b"HTTP/1.1 500 "));
    drop(client);
    watched.expect_line(" GET / 500 26");
}

#[test]
fn an_answer_that_another_decorator_replaces_is_the_other() {
    let (watched, handler) = Watched::around(|_: &mut Request| "hello");
    let handler = handler.with(|request: &mut Request, next: &dyn Handler| {
        next.handle(request).map(|_| Response::text("tea").with_status(StatusCode::IM_A_TEAPOT))
    });
    let mut client = TestConn::open(Http::new(handler)).unwrap();
    assert!(client.send(GET).recv().starts_with(b"HTTP/1.1 418 "));
    drop(client);
    watched.expect_line(" GET / 418 3");
}

#[test]
fn an_upload_that_ends_early_is_a_400_whatever_its_handler_makes_of_it() {
    let (started, has_started) = mpsc::channel();
    let (watched, handler) = Watched::around(streaming(move |request: &mut Request| {
        started.send(()).unwrap();
        let _ = request.body().read_to_end(&mut Vec::new());
        "hello"
    }));
    let mut client = TestConn::open(Http::new(handler)).unwrap();
    client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n");
    for _ in 0..5 {
        client.send(&[b'x'; 60_000]);
    }
    has_started.recv_timeout(20 * SECOND).unwrap();
    assert!(client.finish().recv().starts_with(b"HTTP/1.1 400 "));
    drop(client);
    let line = watched.lines.recv_timeout(20 * SECOND).unwrap();
    assert!(line.contains(" POST / 400 "), "{line}");
    // The metrics count an answer when it is there, and the handler, who is told that no more comes, may have one first.
    assert_eq!(watched.lines.iter().collect::<Vec<_>>(), [""; 0]);
}

// ---- those that no worker has taken ----

/// A loop whose workers are all busy, and a request that waits for one. Its handler must never be called.
struct Queued {
    server: TestLoop,
    client: PeerId,
}

impl Queued {
    fn new(watched: impl Handler, text: &[u8]) -> Self {
        let mut settings = HttpSettings::default();
        settings.handler_timeout = 60 * SECOND;
        let mut server = TestLoop::new(Http::with_settings(watched, settings));
        let client = server.connect(([192, 0, 2, 1], 5000).into()).unwrap();
        server.send(client, text);
        while !server.is_quiet() {
            server.step();
        }
        assert_eq!(server.jobs_waiting(), 1);
        Self { server, client }
    }

    /// A worker is free at last.
    fn free(&mut self) {
        self.server.run_job(0);
        self.server.step();
    }
}

fn never(_: &mut Request) -> Response {
    panic!("nobody waits for it")
}

#[test]
fn a_request_that_no_worker_takes_in_time_is_refused_then_and_not_handled_later() {
    for (limit, setting) in [(SECOND, "Timeout"), (60 * SECOND, "handler_timeout")] {
        let (watched, handler) = Watched::around(blocking(never));
        let (sender, json) = mpsc::channel();
        let log = AccessLog::new().format(LogFormat::Json).to(move |line| sender.send(line.to_owned()).unwrap());
        let mut queued = Queued::new(handler.with(log).with(Timeout::new(limit)), GET);
        queued.server.advance(limit);
        queued.server.step();
        let answer = String::from_utf8(queued.server.recv(queued.client)).unwrap();
        assert!(answer.starts_with("HTTP/1.1 503 ") && answer.contains("retry-after: 1\r\n"), "{answer}");
        watched.expect_line(" GET / 503 24");
        let (line, reason) = (json.recv().unwrap(), format!("no worker was free for it in time ({setting})"));
        assert!(line.contains(&reason), "{line}");
        queued.free();
        assert_eq!(queued.server.recv(queued.client), b"");
        drop(queued);
        watched.expect_no_more(503);
    }
}

#[test]
fn a_request_whose_client_leaves_before_a_worker_takes_it_is_a_499_then_and_not_handled_later() {
    let (watched, handler) = Watched::around(blocking(never));
    let mut queued = Queued::new(handler, GET);
    queued.server.reset(queued.client);
    queued.server.step();
    watched.expect_line(" GET / 499 0");
    queued.free();
    drop(queued);
    watched.expect_no_more(499);
}

#[test]
fn an_upload_that_ends_early_before_a_worker_takes_it_is_a_400_and_not_handled_later() {
    let (watched, handler) = Watched::around(streaming(never));
    let mut upload = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n".to_vec();
    upload.resize(400_000, b'x');
    let mut queued = Queued::new(handler, &upload);
    queued.server.finish(queued.client);
    queued.server.step();
    assert!(queued.server.recv(queued.client).starts_with(b"HTTP/1.1 400 "));
    let line = watched.lines.recv_timeout(20 * SECOND).unwrap();
    assert!(line.contains(" POST / 400 "), "{line}");
    queued.free();
    drop(queued);
    watched.expect_no_more(400);
}

/// Who adds something to every answer does so for these.
#[test]
fn decorators_are_told_of_a_request_that_no_worker_takes() {
    struct Told;
    impl Middleware for Told {
        fn handle(&self, request: &mut Request, next: &dyn Handler) -> Response {
            next.handle(request)
        }
        fn refused(&self, refusal: &mut Refusal<'_>, answer: Response) -> Response {
            answer.with_header("x-told", refusal.request().unwrap().path())
        }
    }
    let mut queued = Queued::new(blocking(never).with(Told).with(Timeout::new(SECOND)), GET);
    queued.server.advance(SECOND);
    queued.server.step();
    let answer = String::from_utf8(queued.server.recv(queued.client)).unwrap();
    assert!(answer.contains("x-told: /\r\n"), "{answer}");
}
