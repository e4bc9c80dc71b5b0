//! The Decorator pattern, written in three ways: as a closure, as a struct that is a `Middleware`, and as the textbook
//! has it, a struct that owns what it decorates.
//!
//! Type:  cargo run --example 18_decorator
//! and in a second terminal:  curl -i http://127.0.0.1:8090/
//!
//! You will see three fields, from the inside out, and the page in capitals. Ask with `-H 'x-maintenance: yes'` and the
//! page is not asked at all.
//!
//! Next: 19_router; for the decorators that come with qibu, 24_decorators_stacked.

use std::io;
use std::net::SocketAddr;

use qibu::{Handler, HandlerExt, Middleware, Plan, Request, Response, StatusCode, WebServer};

mod support;

/// 1. A closure, or a function: enough for what stands before or after the next handler. `map` changes the answer now,
///    or when it comes.
fn greet(request: &mut Request, next: &dyn Handler) -> Response {
    next.handle(request).map(|response| response.with_header("x-first", "a function"))
}

/// 2. A struct with settings. It may also say something to the plan: this one refuses before the body is read.
struct Maintenance {
    field: &'static str,
}

impl Middleware for Maintenance {
    fn handle(&self, request: &mut Request, next: &dyn Handler) -> Response {
        next.handle(request).map(|response| response.with_header("x-second", "a Middleware"))
    }

    fn plan(&self, request: &mut Request, next: &dyn Handler) -> Plan {
        match request.header(self.field) {
            Some(_) => Plan::refuse(Response::status_page(StatusCode::SERVICE_UNAVAILABLE)),
            None => next.plan(request),
        }
    }
}

/// 3. The textbook's: a handler around a handler. It must forward the plan itself, or what blocks would run on the loop.
struct Shout<H>(H);

impl<H: Handler> Handler for Shout<H> {
    fn handle(&self, request: &mut Request) -> Response {
        self.0.handle(request).map(|response| {
            let text = response.body().as_bytes().map(|body| String::from_utf8_lossy(body).to_uppercase());
            response.with_body(text.unwrap_or_default()).with_header("x-third", "a Handler")
        })
    }

    fn plan(&self, request: &mut Request) -> Plan {
        self.0.plan(request)
    }
}

fn main() -> io::Result<()> {
    let page = |_: &mut Request| "seven steps\n";
    let decorated = Shout(page.with(greet).with(Maintenance { field: "x-maintenance" }));
    let server = WebServer::new(support::address(), decorated)?;
    support::begin(&server, self_test);
    server.start()
}

fn self_test(address: SocketAddr) -> io::Result<&'static str> {
    let page = support::get(address, "/", "")?;
    support::expect(page.ends_with("SEVEN STEPS\n"), "the outermost has changed the body", &page)?;
    for field in ["x-first: a function", "x-second: a Middleware", "x-third: a Handler"] {
        support::expect(page.contains(field), format!("there is {field}"), &page)?;
    }
    let refused = support::get(address, "/", "X-Maintenance: yes\r\n")?;
    support::expect(refused.starts_with("HTTP/1.1 503 "), "a plan can refuse", &refused)?;
    support::expect(!refused.contains("x-first"), "what is inside was not asked", &refused)?;
    Ok("18_decorator: a function, a Middleware and a Handler around the same page, and a refusal")
}
