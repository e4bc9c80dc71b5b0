//! How long an answer may take: with a clock turned by hand where the answer is put off, on a real server for the pool.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::{Mutex, mpsc};
use std::time::Duration;

use qibu::testing::TestConn;
use qibu::{Handler, HandlerExt, Http, Plan, Request, Response, Timeout, WebServer, blocking};

use crate::Later;

const SECOND: Duration = Duration::from_secs(1);

fn ask(handler: impl Handler) -> TestConn {
    let mut conn = TestConn::open(Http::new(handler)).unwrap();
    assert_eq!(conn.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").recv(), b"");
    conn
}

#[test]
fn who_waits_too_long_gets_503_and_never_the_late_answer() {
    let later = Later::default();
    let mut conn = ask(later.clone().with(Timeout::new(5 * SECOND)));
    assert_eq!(conn.advance(4 * SECOND).recv(), b"");
    let answer = conn.advance(SECOND).recv();
    assert!(answer.starts_with(b"HTTP/1.1 503 "));
    later.0.lock().unwrap().pop().unwrap().send("too late");
    assert_eq!(conn.advance(SECOND).recv(), b"");
}

#[test]
fn who_is_in_time_is_not_disturbed() {
    let later = Later::default();
    let mut conn = ask(later.clone().with(Timeout::new(5 * SECOND)));
    conn.advance(4 * SECOND);
    later.0.lock().unwrap().pop().unwrap().send("in time");
    assert!(conn.wait_for_mail());
    let answer = conn.advance(2 * SECOND).recv();
    assert!(answer.starts_with(b"HTTP/1.1 200 ") && answer.ends_with(b"in time"));
}

#[test]
fn the_decorators_around_it_see_the_503() {
    let marked = Later::default().with(Timeout::new(SECOND)).with(|request: &mut Request, next: &dyn Handler| {
        next.handle(request).map(|response| {
            let status = response.status().as_u16().to_string();
            response.with_header("x-seen", status)
        })
    });
    let answer = ask(marked).advance(SECOND).recv();
    assert!(String::from_utf8(answer).unwrap().contains("\r\nx-seen: 503\r\n"));
}

#[test]
fn of_two_limits_the_shorter_counts() {
    let deadline = |outer: u32, inner: u32| {
        let handler = Later::default().with(Timeout::new(inner * SECOND)).with(Timeout::new(outer * SECOND));
        ask(handler).deadline()
    };
    assert_eq!(deadline(3, 7), Some(3 * SECOND));
    assert_eq!(deadline(7, 3), Some(3 * SECOND));
    assert_eq!(ask(Later::default()).deadline(), Some(300 * SECOND), "the setting, without any");
}

#[test]
fn what_else_was_planned_stays() {
    struct NoBody;
    impl Handler for NoBody {
        fn handle(&self, _: &mut Request) -> Response {
            Response::text("")
        }
        fn plan(&self, _: &mut Request) -> Plan {
            Plan::pool().body_limit(1)
        }
    }
    let mut conn = TestConn::open(Http::new(NoBody.with(Timeout::new(SECOND)))).unwrap();
    let answer = conn.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n").recv();
    assert!(answer.starts_with(b"HTTP/1.1 413 "));
}

#[test]
fn a_handler_on_the_pool_goes_on_and_its_client_does_not_wait() {
    let (release, released) = mpsc::channel::<()>();
    let (done, is_done) = mpsc::channel();
    let (released, done) = (Mutex::new(released), Mutex::new(done));
    let stuck = blocking(move |_: &mut Request| {
        released.lock().unwrap().recv().unwrap();
        done.lock().unwrap().send(()).unwrap();
        "too late"
    });
    let handler = stuck.with(Timeout::new(Duration::from_millis(20)));
    let server = WebServer::new("127.0.0.1:0", handler).unwrap().spawn().unwrap();
    let mut stream = TcpStream::connect(server.local_addr()).unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap(); // to the end: the connection is closed
    assert!(answer.starts_with("HTTP/1.1 503 ") && !answer.contains("too late"), "{answer}");
    release.send(()).unwrap();
    is_done.recv().unwrap();
}
