//! A handler that panics has answered 500, and the decorators around it treat that as they do any answer.

use qibu::testing::{TestClient, TestConn, TestResponse};
use qibu::{
    Cors, Handler, HandlerExt, Http, Middleware, Plan, Refusal, Request, RequestId, Response, Router, SecurityHeaders,
    blocking, streaming,
};

fn broken(_: &mut Request) -> &'static str {
    panic!("this panic is part of the test")
}

/// Panics while it plans.
struct Unplanned;

impl Handler for Unplanned {
    fn handle(&self, _: &mut Request) -> Response {
        unreachable!("it has no plan")
    }

    fn plan(&self, request: &mut Request) -> Plan {
        broken(request);
        Plan::inline()
    }
}

/// A decorator that panics, before or behind what it stands around.
enum Clumsy {
    Before,
    Behind,
    InItsPlan,
    InItsChange,
}

impl Middleware for Clumsy {
    fn handle(&self, request: &mut Request, next: &dyn Handler) -> Response {
        if let Self::Before = self {
            broken(request);
        }
        let answer = next.handle(request);
        match self {
            Self::InItsChange => answer.map(|_| panic!("this panic is part of the test")),
            _ => Response::text(broken(request)),
        }
    }

    fn plan(&self, request: &mut Request, next: &dyn Handler) -> Plan {
        if let Self::InItsPlan = self {
            broken(request);
        }
        next.plan(request)
    }
}

/// Adds its letter to the answers that pass it.
fn mark(name: &'static str) -> impl Middleware {
    move |request: &mut Request, next: &dyn Handler| {
        next.handle(request).map(move |answer| {
            let before = answer.headers().get("x-seen").map_or("", |value| value.to_str().unwrap()).to_owned();
            answer.with_header("x-seen", before + name)
        })
    }
}

fn ask(handler: impl Handler) -> TestResponse {
    TestClient::new(handler).post("/a").header("origin", "https://page.example").body("x").send()
}

#[test]
fn the_500_has_the_fields_of_every_decorator() {
    let handlers: [Box<dyn Handler>; 6] = [
        broken.boxed(),
        blocking(broken).boxed(),
        streaming(broken).boxed(),
        Unplanned.boxed(),
        blocking(Unplanned).boxed(),
        Router::new().post("/a", broken).boxed(),
    ];
    for handler in handlers {
        let app = handler.with(mark("a")).with(Cors::any()).with(SecurityHeaders::new()).with(RequestId::new());
        let answer = ask(app.with(mark("b")));
        assert_eq!((answer.status(), answer.text()), (500, "500 Internal Server Error\n"));
        assert_eq!(answer.header("x-seen"), Some("ab"));
        for name in ["access-control-allow-origin", "x-content-type-options", "x-request-id"] {
            assert!(answer.header(name).is_some(), "{name}");
        }
    }
}

#[test]
fn of_a_decorator_that_panics_those_outside_of_it_see_a_500() {
    let hello = |_: &mut Request| "hello";
    for clumsy in [Clumsy::Before, Clumsy::Behind, Clumsy::InItsPlan, Clumsy::InItsChange] {
        let answer = ask(hello.with(mark("a")).with(clumsy).with(mark("b")).with(mark("c")));
        assert_eq!((answer.status(), answer.header("x-seen")), (500, Some("bc")));
    }
    let refused = ask(Unplanned.with(mark("a")).with(Clumsy::Behind).with(mark("b")));
    assert_eq!((refused.status(), refused.header("x-seen")), (500, Some("b")));
}

#[test]
fn a_decorator_around_a_router_finds_the_request_as_it_was() {
    let app = Router::new().mount("/a", Router::new().post("/{what}", broken)).with(
        |request: &mut Request, next: &dyn Handler| {
            let answer = next.handle(request);
            let seen = format!("{} {:?}", request.path(), request.route());
            answer.map(|answer| answer.with_header("x-seen", seen))
        },
    );
    let answer = TestClient::new(app).post("/a/b").send();
    assert_eq!((answer.status(), answer.header("x-seen")), (500, Some(r#"/a/b Some("/a/{what}")"#)));
}

#[test]
fn of_a_change_to_a_late_answer_that_panics_the_later_ones_see_a_500() {
    let late = |request: &mut Request| {
        let (reply, pending) = request.later();
        reply.send("hello");
        pending
    };
    let answer = ask(late.with(mark("a")).with(Clumsy::InItsChange).with(mark("b")));
    assert_eq!((answer.status(), answer.header("x-seen")), (500, Some("b")));
}

#[test]
fn who_panics_when_told_of_a_refusal_leaves_a_500_to_those_outside() {
    struct Broken;
    impl Middleware for Broken {
        fn handle(&self, request: &mut Request, next: &dyn Handler) -> Response {
            next.handle(request)
        }
        fn refused(&self, _: &mut Refusal<'_>, _: Response) -> Response {
            panic!("this panic is part of the test")
        }
    }
    let app = Router::new().route("POST /{what}", (|_: &mut Request| "").with(Broken)).with(SecurityHeaders::new());
    let mut client = TestConn::open(Http::new(app)).unwrap();
    let answer = client.send(b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n").recv();
    let answer = String::from_utf8(answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 500 ") && answer.contains("x-content-type-options: nosniff"), "{answer}");
}
