//! What is refused while it is planned passes through the decorators around it.

use qibu::testing::TestClient;
use qibu::{Handler, HandlerExt, Middleware, Plan, Request, Response, StatusCode, blocking};

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
