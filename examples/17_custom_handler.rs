//! A handler with state, and two decorators around it: a closure that adds a field, and the access log.
//!
//! Type:  cargo run --example 17_custom_handler
//! and in a second terminal, some times:  curl -i http://127.0.0.1:8090/
//!
//! You will see the visits counted, `x-served-by` among the fields, and in the first terminal a line for each answer.
//! Ask for another path, and you will see the 404 that `?` makes of an `Error`.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};

use qibu::{AccessLog, Error, Handler, HandlerExt, IntoResponse, Request, Response, Result, StatusCode, WebServer};

mod support;

/// One object answers all clients on all threads: what changes is an atomic, or behind a lock.
struct Guestbook {
    title: String,
    visits: AtomicU64,
}

impl Guestbook {
    fn page(&self, path: &str) -> Result<String> {
        if path != "/" {
            return Err(Error::new(StatusCode::NOT_FOUND, "there is one page only, and it is /"));
        }
        let visit = self.visits.fetch_add(1, Ordering::Relaxed) + 1;
        Ok(format!("{}: you are visitor {visit}\n", self.title))
    }
}

impl Handler for Guestbook {
    fn handle(&self, request: &mut Request) -> Response {
        self.page(request.path()).into_response()
    }
}

/// A decorator: it stands before, after or in place of `next`.
fn served_by(request: &mut Request, next: &dyn Handler) -> Response {
    next.handle(request).map(|response| response.with_header("x-served-by", "qibu"))
}

fn main() -> io::Result<()> {
    support::start_log();
    let guestbook = Guestbook { title: "Guestbook".into(), visits: AtomicU64::new(0) };
    let server = WebServer::new(support::address(), guestbook.with(served_by).with(AccessLog::new()))?;
    support::begin(&server, self_test);
    server.start()
}

fn self_test(address: SocketAddr) -> io::Result<&'static str> {
    support::get(address, "/", "")?;
    let second = support::get(address, "/", "")?;
    support::expect(second.ends_with("you are visitor 2\n"), "the visits are counted", &second)?;
    support::expect(second.contains("\r\nx-served-by: qibu\r\n"), "the decorator added its field", &second)?;
    let wrong = support::get(address, "/attic", "")?;
    support::expect(wrong.starts_with("HTTP/1.1 404 "), "an Error becomes an answer", &wrong)?;
    let log = support::logged();
    support::expect(log.contains("127.0.0.1 GET /attic 404 36\n"), "the access log has a line for it", &log)?;
    Ok("17_custom_handler: state was kept, a decorator changed the answer, the access log has each line")
}
