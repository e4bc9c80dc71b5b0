//! Cross-origin requests, as browsers make them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use qibu::testing::{TestClient, TestResponse};
use qibu::{Cors, Handler, HandlerExt, Method, Plan, Request, Response, StatusCode};

const APP: &str = "https://app.example";

fn preflight(cors: Cors, origin: &str, method: &str) -> TestResponse {
    let client = TestClient::new((|_: &mut Request| "handled").with(cors));
    client.request("OPTIONS", "/").header("Origin", origin).header("Access-Control-Request-Method", method).send()
}

fn simple(cors: Cors, origin: Option<&str>) -> TestResponse {
    let client =
        TestClient::new((|_: &mut Request| Response::text("handled").with_header("vary", "cookie")).with(cors));
    match origin {
        Some(origin) => client.get("/").header("Origin", origin).send(),
        None => client.get("/").send(),
    }
}

fn allowed(answer: &TestResponse) -> Option<&str> {
    answer.header("access-control-allow-origin")
}

#[test]
fn a_preflight_is_answered_with_what_is_allowed() {
    let cors =
        Cors::new([APP]).unwrap().methods([Method::GET, Method::DELETE]).headers(["Content-Type", "x-a"]).unwrap();
    let answer = preflight(cors.max_age(Duration::from_secs(600)), APP, "DELETE");
    assert_eq!((answer.status(), answer.text()), (204, ""));
    assert_eq!(allowed(&answer), Some(APP));
    assert_eq!(answer.header("access-control-allow-methods"), Some("GET, DELETE"));
    assert_eq!(answer.header("access-control-allow-headers"), Some("content-type, x-a"));
    assert_eq!(answer.header("access-control-max-age"), Some("600"));
    assert_eq!(answer.header("access-control-allow-credentials"), None);
    assert_eq!(answer.header("vary"), Some("origin"));
}

#[test]
fn a_preflight_never_reaches_the_handler_nor_its_plan() {
    struct Counts(Arc<AtomicU32>);
    impl Handler for Counts {
        fn handle(&self, _: &mut Request) -> Response {
            self.0.fetch_add(1, Ordering::Relaxed);
            Response::new(StatusCode::OK)
        }
        fn plan(&self, _: &mut Request) -> Plan {
            self.0.fetch_add(1, Ordering::Relaxed);
            Plan::inline()
        }
    }
    let calls = Arc::new(AtomicU32::new(0));
    let client = TestClient::new(Counts(calls.clone()).with(Cors::any()));
    client.request("OPTIONS", "/").header("Origin", APP).header("Access-Control-Request-Method", "GET").send();
    assert_eq!(calls.load(Ordering::Relaxed), 0);
    client.request("OPTIONS", "/").send();
    assert_eq!(calls.load(Ordering::Relaxed), 2, "a plain OPTIONS is the handler's");
}

#[test]
fn other_origins_are_answered_and_allowed_nothing() {
    let others = [
        "https://evil.example",
        "null",
        "http://app.example",
        "https://app.example:444",
        "https://app.example.evil",
        "https://app.example/",
        "HTTPS://APP.EXAMPLE",
        "",
    ];
    for origin in others {
        let answer = simple(Cors::new([APP]).unwrap(), Some(origin));
        assert_eq!((answer.status(), allowed(&answer)), (200, None), "{origin}");
        let refused = preflight(Cors::new([APP]).unwrap(), origin, "GET");
        assert_eq!((refused.status(), allowed(&refused)), (403, None), "{origin}");
    }
}

#[test]
fn the_answer_depends_on_the_origin_and_says_so_even_to_those_without() {
    for origin in [None, Some(APP), Some("https://evil.example")] {
        let client = TestClient::new((|_: &mut Request| "").with(Cors::new([APP]).unwrap()));
        let request = client.get("/");
        let answer = origin.into_iter().fold(request, |request, origin| request.header("Origin", origin)).send();
        assert_eq!(answer.header("vary"), Some("origin"), "{origin:?}");
    }
    assert_eq!(simple(Cors::any(), Some(APP)).header("vary"), Some("cookie"), "* is * for everyone");
}

#[test]
fn any_is_a_star_and_never_beside_credentials() {
    let answer = simple(Cors::any(), Some(APP));
    assert_eq!((allowed(&answer), answer.header("access-control-allow-credentials")), (Some("*"), None));
    assert!(Cors::any().credentials().unwrap_err().to_string().contains("credentials"));
    let answer = simple(Cors::new([APP]).unwrap().credentials().unwrap(), Some(APP));
    assert_eq!((allowed(&answer), answer.header("access-control-allow-credentials")), (Some(APP), Some("true")));
}

#[test]
fn a_page_may_read_the_fields_that_are_exposed() {
    let answer = simple(Cors::new([APP]).unwrap().expose(["x-total", "etag"]).unwrap(), Some(APP));
    assert_eq!(answer.header("access-control-expose-headers"), Some("x-total, etag"));
}

#[test]
fn what_is_no_origin_or_field_name_is_an_error_that_names_it() {
    for wrong in
        ["", "*", "null", "app.example", "https://", "https://a/", "https://a/b", "https://u@a", "https://A", "a\r\nb"]
    {
        let error = Cors::new([wrong]).unwrap_err().to_string();
        assert!(error.contains(&format!("{wrong:?}")), "{error}");
    }
    assert!(Cors::new(["http://localhost:5173", "https://[::1]:8443"]).is_ok());
    assert!(Cors::any().headers(["a b"]).unwrap_err().to_string().contains("\"a b\""));
    assert!(Cors::any().expose(["a\r\nb"]).is_err());
}
