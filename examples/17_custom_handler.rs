//! A handler with state: a struct that is a `Handler`, and an object whose methods are handlers.
//!
//! Type:  cargo run --example 17_custom_handler
//! and in a second terminal, some times:  curl -i http://127.0.0.1:8090/
//!
//! You will see the visits counted, whoever comes. http://127.0.0.1:8090/book/ has the same counter, as what Python calls
//! bound methods. Ask for /attic, and you will see the 404 that `?` makes of an `Error`.
//!
//! Next: 18_decorator, for what shall stand around a handler.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use qibu::{Error, Handler, IntoResponse, Request, Response, Result, Router, StatusCode, WebServer, method};

mod support;

/// One object answers all clients on all threads: what changes is an atomic, or behind a lock.
struct Guestbook {
    title: String,
    visits: AtomicU64,
}

impl Guestbook {
    fn enter(&self, _: &mut Request) -> String {
        let visit = self.visits.fetch_add(1, Ordering::Relaxed) + 1;
        format!("{}: you are visitor {visit}\n", self.title)
    }

    fn count(&self, _: &mut Request) -> String {
        format!("{} until now\n", self.visits.load(Ordering::Relaxed))
    }

    fn page(&self, request: &mut Request) -> Result<String> {
        match request.path() {
            "/" => Ok(self.enter(request)),
            path => Err(Error::new(StatusCode::NOT_FOUND, format!("there is no {path}"))),
        }
    }
}

/// 1. The struct is the handler: one method for all requests.
impl Handler for Guestbook {
    fn handle(&self, request: &mut Request) -> Response {
        self.page(request).into_response()
    }
}

/// 2. Each method is a handler, and a router calls the right one. They share the object, so it is in an `Arc`.
fn site(guestbook: Arc<Guestbook>) -> Router {
    let book = Router::new()
        .get("/", method(&guestbook, Guestbook::enter))
        .get("/count", method(&guestbook, Guestbook::count));
    Router::new().mount("/book", book).not_found(guestbook)
}

fn main() -> io::Result<()> {
    let guestbook = Arc::new(Guestbook { title: "Guestbook".into(), visits: AtomicU64::new(0) });
    let server = WebServer::new(support::address(), site(guestbook))?;
    support::begin(&server, self_test);
    server.start()
}

fn self_test(address: SocketAddr) -> io::Result<&'static str> {
    support::get(address, "/", "")?;
    let second = support::get(address, "/book/", "")?;
    support::expect(second.ends_with("you are visitor 2\n"), "both ways lead to one object", &second)?;
    let count = support::get(address, "/book/count", "")?;
    support::expect(count.ends_with("2 until now\n"), "it has methods", &count)?;
    let wrong = support::get(address, "/attic", "")?;
    support::expect(wrong.starts_with("HTTP/1.1 404 "), "an Error becomes an answer", &wrong)?;
    support::expect(wrong.contains("there is no /attic"), "with its text", &wrong)?;
    Ok("17_custom_handler: one object kept its state, as a handler and by its methods")
}
