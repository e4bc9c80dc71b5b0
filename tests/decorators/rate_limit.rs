//! So many requests per client, and no more. The drip of tokens is tested beside the code, where time is an argument.

use std::time::Duration;

use qibu::testing::TestClient;
use qibu::{Handler, HandlerExt, Middleware, Plan, RateLimit, Request, Response, TrustedProxies};

const HOUR: Duration = Duration::from_secs(3600);

fn statuses(client: &TestClient, count: usize) -> Vec<u16> {
    (0..count).map(|_| client.post("/").body("x").send().status()).collect()
}

#[test]
fn each_request_counts_once_though_its_handler_is_asked_twice() {
    let client = TestClient::new((|_: &mut Request| "hello").with(RateLimit::new(3, HOUR)));
    assert_eq!(statuses(&client, 5), [200, 200, 200, 429, 429]);
}

#[test]
fn two_limits_count_for_themselves() {
    let client = TestClient::new((|_: &mut Request| "").with(RateLimit::new(3, HOUR)).with(RateLimit::new(5, HOUR)));
    assert_eq!(statuses(&client, 7), [200, 200, 200, 429, 429, 429, 429]);
}

/// A decorator of somebody who has not read that plans are to be forwarded.
struct Forgetful<H>(H);

impl<H: Handler> Handler for Forgetful<H> {
    fn handle(&self, request: &mut Request) -> Response {
        self.0.handle(request)
    }
}

#[test]
fn a_decorator_that_forwards_no_plan_does_not_lift_the_limit() {
    let client = TestClient::new(Forgetful((|_: &mut Request| "").with(RateLimit::new(2, HOUR))));
    assert_eq!(statuses(&client, 4), [200, 200, 429, 429]);
}

#[test]
fn what_the_inner_plan_refuses_counts_too() {
    struct Closed;
    impl Middleware for Closed {
        fn handle(&self, _: &mut Request, _: &dyn Handler) -> Response {
            unreachable!("its plan refuses everything")
        }
        fn plan(&self, _: &mut Request, _: &dyn Handler) -> Plan {
            Plan::refuse(Response::new(qibu::StatusCode::FORBIDDEN))
        }
    }
    let client = TestClient::new((|_: &mut Request| "").with(Closed).with(RateLimit::new(2, HOUR)));
    assert_eq!(statuses(&client, 3), [403, 403, 429]);
}

#[test]
fn clients_behind_a_proxy_are_told_apart() {
    let limited = (|_: &mut Request| "").with(RateLimit::new(1, HOUR));
    let client = TestClient::new(limited.with(TrustedProxies::new(["127.0.0.1"]).unwrap()));
    let status = |address: &str| client.get("/").header("X-Forwarded-For", address).send().status();
    assert_eq!([status("192.0.2.1"), status("192.0.2.2"), status("192.0.2.1")], [200, 200, 429]);
    assert_eq!([status("2001:db8::1"), status("2001:db8::2"), status("2001:db8:1::1")], [200, 429, 200]);
}

#[test]
fn a_refusal_says_when_to_come_back_in_whole_seconds_and_not_too_early() {
    let client = TestClient::new((|_: &mut Request| "").with(RateLimit::new(4, Duration::from_secs(10))));
    assert_eq!(statuses(&client, 4), [200; 4]);
    assert_eq!(client.get("/").send().header("retry-after"), Some("3"), "2.5 seconds, rounded up");
}
