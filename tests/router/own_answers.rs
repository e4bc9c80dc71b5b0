//! What a router answers by itself: when, and who sees it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use qibu::testing::{TestClient, TestConn};
use qibu::{Handler, HandlerExt, Http, Plan, Request, Response, Router, Slashes, StaticFiles, StatusCode, blocking};

/// Nobody sends a body in vain: the answer does not wait for it, and what comes of it is not taken for the next request.
#[test]
fn what_the_router_answers_itself_does_not_wait_for_a_body() {
    let app =
        || Router::new().get("/a", |_| "a").post("/up", |request: &mut Request| request.text().map(str::to_owned));
    for (line, status) in [("POST /none", 404), ("PUT /a", 405), ("OPTIONS /a", 204)] {
        for framing in ["Content-Length: 5", "Transfer-Encoding: chunked", "Content-Length: 5\r\nExpect: 100-continue"]
        {
            let mut client = TestConn::open(Http::new(app())).unwrap();
            let answer = client.send(format!("{line} HTTP/1.1\r\nHost: a\r\n{framing}\r\n\r\n").as_bytes()).recv();
            let answer = String::from_utf8(answer).unwrap();
            assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{line}, {framing}: {answer}");
            assert!(answer.contains("connection: close\r\n") && client.is_closed(), "{line}, {framing}: {answer}");
        }
        let mut client = TestConn::open(Http::new(app())).unwrap();
        let next = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n";
        let answers =
            client.send(format!("{line} HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n{next}").as_bytes()).recv();
        assert!(answers.ends_with(b"\r\n\r\na") && !client.is_closed(), "{line}: there is no body to wait for");
    }
}

/// Counts what its decorator does while it is asked for a plan, and so on the event loop.
struct Watched<H> {
    inner: H,
    calls: Arc<AtomicUsize>,
    early: AtomicUsize,
}

impl<H: Handler> Handler for Watched<H> {
    fn handle(&self, request: &mut Request) -> Response {
        let early = self.early.load(Ordering::Relaxed).to_string();
        self.inner.handle(request).map(move |answer| answer.with_header("x-early", early))
    }

    fn plan(&self, request: &mut Request) -> Plan {
        let before = self.calls.load(Ordering::Relaxed);
        let plan = self.inner.plan(request);
        self.early.store(self.calls.load(Ordering::Relaxed) - before, Ordering::Relaxed);
        plan
    }
}

/// Behind a decorator that may block. Gives also how often that was called.
fn watched(inner: impl Handler) -> (impl Handler, Arc<AtomicUsize>) {
    let calls = Arc::new(AtomicUsize::new(0));
    let count = calls.clone();
    let slow = inner.with(move |request: &mut Request, next: &dyn Handler| {
        count.fetch_add(1, Ordering::Relaxed);
        next.handle(request)
    });
    (Watched { inner: blocking(slow), calls: calls.clone(), early: AtomicUsize::new(0) }, calls)
}

/// Nobody can have what stands around a router, in `blocking`, run on the loop by asking for a path that there is not.
#[test]
fn what_the_router_answers_itself_can_wait_for_the_pool_where_no_body_comes() {
    let app = Router::new().get("/a", |_| "a").get("/s/", |_| "s").slashes(Slashes::Redirect);
    let (watched, calls) = watched(app);
    let client = TestClient::new(Router::new().mount("/api", watched));
    for (method, path, status) in
        [("GET", "/a", 200), ("GET", "/nope", 404), ("DELETE", "/a", 405), ("OPTIONS", "/a", 204), ("GET", "/s", 308)]
    {
        let request = || client.request(method, &format!("/api{path}"));
        for request in [request(), request().header("Content-Length", "0")] {
            let answer = request.send();
            assert_eq!((answer.status(), answer.header("x-early")), (status, Some("0")), "{method} {path}");
        }
    }
    assert_eq!(calls.load(Ordering::Relaxed), 10, "once each");
    assert_eq!(client.post("/api/nope").body("x").send().status(), 404);
    assert_eq!(calls.load(Ordering::Relaxed), 11, "a body shall not be sent in vain");
}

/// RFC 9110 section 10.1.1: who sends no body has none to wait with.
#[test]
fn a_folder_refuses_no_body_that_does_not_come() {
    let client = TestClient::new(watched(StaticFiles::new("src")).0);
    let request = || client.request("DELETE", "/lib.rs").header("Expect", "100-continue");
    for request in [request(), request().header("Content-Length", "0")] {
        let answer = request.send();
        assert_eq!((answer.status(), answer.header("x-early")), (405, Some("0")));
    }
    let early = request().body("x").send();
    assert_eq!((early.status(), early.header("x-early")), (405, None), "it is refused before it is handled");
}

/// Who stands around the router sees the answer all the same, and may give another.
#[test]
fn decorators_see_what_the_router_answers_itself() {
    let app = Router::new().get("/a", |_| "a").with(|request: &mut Request, next: &dyn Handler| {
        next.handle(request).map(|answer| match answer.status() {
            StatusCode::NOT_FOUND => Response::text("lost").with_status(StatusCode::NOT_FOUND),
            _ => answer,
        })
    });
    let client = TestClient::new(app);
    assert_eq!(client.post("/none").body("x").send().text(), "lost");
    assert_eq!(client.post("/a").body("x").send().status(), 405);
}
