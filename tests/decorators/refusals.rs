//! What is refused while it is planned passes through the decorators around it; of what the server refuses by itself they are
//! told.

use qibu::testing::{TestClient, TestConn};
use qibu::{
    Handler, HandlerExt, Http, Metrics, Middleware, Plan, Refusal, Request, RequestId, Response, Router,
    SecurityHeaders, StatusCode, blocking, limit, streaming,
};

/// Takes no body at all.
struct NoBodies;

impl Handler for NoBodies {
    fn handle(&self, _: &mut Request) -> Response {
        Response::text("handled")
    }

    fn plan(&self, request: &mut Request) -> Plan {
        match request.header("content-length") {
            Some(_) => Plan::refuse(Response::status_page(StatusCode::IM_A_TEAPOT)),
            None => Plan::inline(),
        }
    }
}

fn mark(name: &'static str) -> impl Middleware {
    move |request: &mut Request, next: &dyn Handler| {
        next.handle(request).map(move |response| {
            let before = response.headers().get("x-seen").map_or("", |value| value.to_str().unwrap()).to_owned();
            response.with_header("x-seen", before + name)
        })
    }
}

/// Refuses in its own plan.
struct Closed;

impl Middleware for Closed {
    fn handle(&self, _: &mut Request, _: &dyn Handler) -> Response {
        unreachable!("its plan refuses everything")
    }

    fn plan(&self, _: &mut Request, _: &dyn Handler) -> Plan {
        Plan::refuse(Response::status_page(StatusCode::FORBIDDEN))
    }
}

#[test]
fn every_decorator_sees_a_refusal_once_from_the_inside_out() {
    let client = TestClient::new(NoBodies.with(mark("a")).with(mark("b")).with(mark("c")));
    let refused = client.post("/").body("x").send();
    assert_eq!((refused.status(), refused.header("x-seen")), (418, Some("abc")));
    let handled = client.get("/").send();
    assert_eq!((handled.text(), handled.header("x-seen")), ("handled", Some("abc")));
}

#[test]
fn a_decorator_does_not_see_what_it_refuses_itself() {
    let refused = TestClient::new(NoBodies.with(mark("a")).with(Closed).with(mark("c"))).get("/").send();
    assert_eq!((refused.status(), refused.header("x-seen")), (403, Some("c")));
}

#[test]
fn a_handler_that_forwards_plans_between_decorators_changes_nothing() {
    let client = TestClient::new(blocking(NoBodies.with(mark("a"))).with(mark("b")));
    let refused = client.post("/").body("x").send();
    assert_eq!((refused.status(), refused.header("x-seen")), (418, Some("ab")));
}

#[test]
fn a_decorator_may_answer_instead_of_the_refusal() {
    let soft = |request: &mut Request, next: &dyn Handler| match next.handle(request) {
        answer if answer.status() == 418 => Response::text("coffee"),
        answer => answer,
    };
    assert_eq!(TestClient::new(NoBodies.with(soft)).post("/").body("x").send().text(), "coffee");
}

/// Adds its name to what the server refuses.
struct Told(&'static str);

impl Middleware for Told {
    fn handle(&self, request: &mut Request, next: &dyn Handler) -> Response {
        next.handle(request)
    }

    fn refused(&self, refusal: &mut Refusal<'_>, answer: Response) -> Response {
        assert!(!refusal.reason().to_string().is_empty());
        let before = answer.headers().get("x-told").map_or("", |value| value.to_str().unwrap()).to_owned();
        answer.with_header("x-told", format!("{before}{}", self.0))
    }
}

fn answer_of(handler: impl Handler, request: &str) -> String {
    let mut client = TestConn::open(Http::new(handler)).unwrap();
    let answer = client.send(request.as_bytes()).recv();
    assert!(client.is_closed(), "what follows cannot be trusted");
    String::from_utf8(answer).unwrap()
}

const NO_HTTP: &str = "GET / HTTP/1.1\r\nHost : a\r\n\r\n";
const TOO_LONG: &str = "POST /a/b HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n";

#[test]
fn every_decorator_is_told_of_what_the_server_refuses_from_the_inside_out() {
    for request in [NO_HTTP, TOO_LONG] {
        let inner = |_: &mut Request| "hello";
        for handler in [
            inner.with(Told("a")).with(mark("x")).with(Told("b")).boxed(),
            limit(blocking(streaming(inner.with(Told("a")))), 5).with(Told("b")).boxed(),
            std::sync::Arc::new(inner.with(Told("a"))).with(Told("b")).boxed(),
        ] {
            let answer = answer_of(handler, request);
            assert!(answer.contains("x-told: ab\r\n") && !answer.contains("x-seen"), "{answer}");
        }
    }
}

#[test]
fn a_router_tells_the_route_that_would_have_answered() {
    let site = || {
        let inner = Router::new().route("POST /b", (|_: &mut Request| "b").with(Told("b"))).get("/c", |_| "c");
        Router::new()
            .mount("/a", inner.with(Told("a")))
            .route("/c", (|_: &mut Request| "c").with(Told("c")))
            .with(Told("d"))
    };
    assert!(answer_of(site(), TOO_LONG).contains("x-told: bad\r\n"));
    assert!(answer_of(site(), NO_HTTP).contains("x-told: d\r\n"), "where it leads nobody knows");
}

#[test]
fn what_watches_or_adds_to_every_answer_does_so_for_refusals() {
    let metrics = Metrics::new();
    let page = TestClient::new(metrics.page());
    let app = Router::new().post("/a/{what}", |_| "hello");
    let app = std::sync::Arc::new(app.with(metrics).with(SecurityHeaders::new()).with(RequestId::new()));
    for request in [NO_HTTP, TOO_LONG] {
        assert!(answer_of(app.clone(), request).contains("x-content-type-options: nosniff\r\n"));
    }
    assert!(answer_of(app, TOO_LONG).contains("x-request-id: "));
    let text = page.get("/").send().text().to_owned();
    assert!(text.contains(r#"{method="other",route="",status="400"} 1"#), "{text}");
    assert!(text.contains(r#"{method="POST",route="/a/{what}",status="413"} 2"#), "{text}");
}

#[test]
fn who_panics_when_told_costs_its_own_connection_a_500() {
    struct Broken;
    impl Middleware for Broken {
        fn handle(&self, request: &mut Request, next: &dyn Handler) -> Response {
            next.handle(request)
        }
        fn refused(&self, _: &mut Refusal<'_>, _: Response) -> Response {
            panic!("it was not prepared for that")
        }
    }
    assert!(answer_of((|_: &mut Request| "").with(Broken), NO_HTTP).starts_with("HTTP/1.1 500 "));
}
