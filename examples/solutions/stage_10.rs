//! 10: a decorator around the whole application: a 404 passes through it, too.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};

use qibu::{Handler, HandlerExt, Middleware, Request, Response, Router, WebServer};

/// One for all clients, and for all threads that serve them: hence the atomic.
#[derive(Default)]
struct Counted {
    answers: AtomicU64,
}

impl Middleware for Counted {
    fn handle(&self, request: &mut Request, next: &dyn Handler) -> Response {
        let number = self.answers.fetch_add(1, Ordering::Relaxed) + 1;
        next.handle(request).map(move |response| response.with_header("x-count", number.to_string()))
    }
}

pub(crate) fn run(address: &str) -> io::Result<()> {
    let app = Router::new().get("/", |_| "You are counted.\n");
    WebServer::new(address, app.with(Counted::default()))?.start()
}
