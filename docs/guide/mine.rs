//! A handler of your own: the exercise of chapter 10 of the course (docs/guide).
//!
//! Type:  cp docs/guide/mine.rs examples/
//! and then:  cargo run --example mine

use std::sync::atomic::{AtomicU64, Ordering};

use qibu::{Handler, HandlerExt, Request, Response, Router, WebServer};

/// How many answers there were. One for all clients: threads share it, hence the atomic.
static COUNT: AtomicU64 = AtomicU64::new(0);

/// 1. A handler: what it returns is the page. Let it say something of yours.
fn home(_request: &mut Request) -> String {
    "Hello!\n".to_owned()
}

/// 2. A decorator: every answer shall have a field `x-count` with its number.
fn counted(request: &mut Request, next: &dyn Handler) -> Response {
    let number = COUNT.fetch_add(1, Ordering::Relaxed) + 1;
    next.handle(request) // put the number into this answer, as `sign` does
}

fn main() -> std::io::Result<()> {
    let address = std::env::var("ADDRESS").unwrap_or("127.0.0.1:8090".to_owned());
    let app = Router::new().get("/", home);
    let server = WebServer::new(address, app.with(counted))?;
    println!("Listening on {}. Ctrl-C stops.", server.local_addr());
    server.start()
}
