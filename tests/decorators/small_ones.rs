//! Limit, SecurityHeaders and RequestId.

use std::time::Duration;

use qibu::testing::{TestClient, TestConn};
use qibu::{
    AccessLog, Handler, HandlerExt, Http, Plan, Request, RequestId, Response, SecurityHeaders, StatusCode,
    TrustedProxies, limit,
};

// ---- Limit ----

#[test]
fn a_longer_body_is_413_whether_its_length_is_announced_or_not() {
    let client = TestClient::new(limit(|request: &mut Request| request.text().map(str::to_owned), 4));
    assert_eq!(client.post("/").body("four").send().text(), "four");
    assert_eq!(client.post("/").body("fives").send().status(), 413);
    let mut conn = TestConn::open(Http::new(limit(|_: &mut Request| "", 4))).unwrap();
    conn.send(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfives\r\n0\r\n\r\n");
    assert!(conn.recv().starts_with(b"HTTP/1.1 413 "));
}

#[test]
fn of_two_limits_the_smaller_counts() {
    let status = |outer: u64, inner: u64| {
        let client = TestClient::new(limit(limit(|_: &mut Request| "", inner), outer));
        [4, 6].map(|length| client.post("/").body("x".repeat(length)).send().status())
    };
    assert_eq!(status(5, 10), [200, 413]);
    assert_eq!(status(10, 5), [200, 413]);
}

// ---- SecurityHeaders ----

#[test]
fn every_answer_has_them_even_a_late_one_and_a_refusal() {
    struct Three;
    impl Handler for Three {
        fn handle(&self, request: &mut Request) -> Response {
            let (reply, pending) = request.later();
            std::thread::spawn(move || reply.send("late"));
            pending
        }
        fn plan(&self, request: &mut Request) -> Plan {
            match request.path() {
                "/refused" => Plan::refuse(Response::new(StatusCode::FORBIDDEN)),
                _ => Plan::pool(),
            }
        }
    }
    let client = TestClient::new(Three.with(SecurityHeaders::new()));
    for (path, status) in [("/", 200), ("/refused", 403)] {
        let answer = client.get(path).send();
        assert_eq!(answer.status(), status);
        let csp = answer.header("content-security-policy").unwrap();
        assert!(csp.contains("default-src 'self'") && csp.contains("frame-ancestors 'none'"), "{csp}");
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "strict-origin-when-cross-origin"),
            ("cross-origin-opener-policy", "same-origin"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{path} {name}");
        }
        assert!(answer.header("permissions-policy").is_some());
    }
}

#[test]
fn what_the_handler_says_itself_stands() {
    let page = |_: &mut Request| Response::html("").with_header("x-frame-options", "SAMEORIGIN");
    let answer = TestClient::new(page.with(SecurityHeaders::new())).get("/").send();
    assert_eq!(answer.header("x-frame-options"), Some("SAMEORIGIN"));
}

#[test]
fn hsts_is_sent_when_asked_and_only_on_secure_connections() {
    let answer = |headers: SecurityHeaders, proto: &str| {
        let handler = (|_: &mut Request| "").with(headers).with(TrustedProxies::new(["127.0.0.1"]).unwrap());
        let answer = TestClient::new(handler).get("/").header("X-Forwarded-Proto", proto).send();
        answer.header("strict-transport-security").map(str::to_owned)
    };
    let hsts = || SecurityHeaders::new().hsts(Duration::from_secs(3600));
    assert_eq!(answer(hsts(), "https").as_deref(), Some("max-age=3600"));
    assert_eq!(answer(hsts(), "http"), None);
    assert_eq!(answer(SecurityHeaders::new(), "https"), None);
}

#[test]
fn a_field_that_http_does_not_allow_is_an_error_that_names_it() {
    for (name, value) in [("", "x"), ("a b", "x"), ("x-a", "x\r\nset-cookie: a=b")] {
        let error = SecurityHeaders::new().set(name, value).unwrap_err().to_string();
        assert!(error.contains("SecurityHeaders") && error.contains(&format!("{name:?}")), "{error}");
    }
}

// ---- RequestId ----

fn id_of(request: &mut Request) -> String {
    RequestId::of(request).unwrap_or("none").to_owned()
}

#[test]
fn every_request_has_another_id_and_one_only() {
    let client = TestClient::new(id_of.with(AccessLog::new()).with(RequestId::new()));
    let mut ids = std::collections::HashSet::new();
    for _ in 0..1000 {
        let answer = client.get("/").send();
        assert_eq!(answer.header("x-request-id"), Some(answer.text()));
        assert!(ids.insert(answer.text().to_owned()));
    }
}

#[test]
fn an_id_that_the_client_brings_counts_only_where_that_was_asked_for() {
    let bring = |ids: RequestId, id: &str| {
        TestClient::new(id_of.with(ids))
            .get("/")
            .header("X-Request-Id", id)
            .send()
            .header("x-request-id")
            .unwrap()
            .to_owned()
    };
    assert_eq!(bring(RequestId::new().keep_incoming(), "a-1_2.B"), "a-1_2.B");
    assert_ne!(bring(RequestId::new(), "a-1_2.B"), "a-1_2.B");
    for bad in ["", "a b", "a\tb", "<script>", "\u{e9}", "$(reboot)", "a,b", "%0d%0aX: y", &"a".repeat(65)] {
        assert_eq!(bring(RequestId::new().keep_incoming(), bad).len(), 32, "{bad}");
    }
    assert_eq!(bring(RequestId::new().keep_incoming(), &"a".repeat(64)), "a".repeat(64));
}
