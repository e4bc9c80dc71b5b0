//! Cross-origin requests, as browsers make them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use qibu::testing::{TestClient, TestConn, TestResponse};
use qibu::{Cors, Handler, HandlerExt, Http, Method, Plan, Request, Response, StatusCode};

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
fn a_preflight_may_be_allowed_whatever_fields_it_asks_for() {
    let allowed = |cors: Cors, asked: &str| {
        let client = TestClient::new((|_: &mut Request| "handled").with(cors));
        let request = client.request("OPTIONS", "/").header("Origin", APP);
        let request = request.header("Access-Control-Request-Method", "GET");
        let answer = request.header("Access-Control-Request-Headers", asked).send();
        assert_eq!(answer.status(), 204);
        assert!(answer.headers("vary").any(|name| name == "access-control-request-headers"));
        answer.header("access-control-allow-headers").map(str::to_owned)
    };
    let any = || Cors::any().any_headers();
    // By name: `*` leaves out Authorization, and means nothing where there are credentials.
    assert_eq!(allowed(any(), "authorization,content-type, x-a").as_deref(), Some("authorization, content-type, x-a"));
    let with_credentials = Cors::new([APP]).unwrap().any_headers().credentials().unwrap();
    assert_eq!(allowed(with_credentials, "x-a").as_deref(), Some("x-a"));
    assert_eq!(allowed(any().headers(["x-a"]).unwrap(), "x-a,x-b").as_deref(), Some("x-a"), "the last word counts");
    for no_names in ["", "a b", "x-a,", "\u{e9}"] {
        assert_eq!(allowed(any(), no_names), None, "{no_names:?}");
    }
    let nothing_asked = preflight(any(), APP, "GET");
    assert_eq!((nothing_asked.status(), nothing_asked.header("access-control-allow-headers")), (204, None));
}

#[test]
fn a_page_may_read_what_the_server_refuses_by_itself() {
    let refusal = |cors: Cors, origin: &str| {
        let mut client = TestConn::open(Http::new((|_: &mut Request| "handled").with(cors))).unwrap();
        let request = format!("POST / HTTP/1.1\r\nHost: a\r\nOrigin: {origin}\r\nContent-Length: 99999999\r\n\r\n");
        let answer = String::from_utf8(client.send(request.as_bytes()).recv()).unwrap();
        assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
        answer
    };
    assert!(refusal(Cors::any(), APP).contains("\r\naccess-control-allow-origin: *\r\n"));
    let cors = || Cors::new([APP]).unwrap().credentials().unwrap();
    let answer = refusal(cors(), APP);
    for field in ["access-control-allow-origin: https://app.example", "access-control-allow-credentials: true"] {
        assert!(answer.contains(&format!("\r\n{field}\r\n")), "{answer}");
    }
    let other = refusal(cors(), "https://evil.example");
    assert!(!other.contains("access-control") && other.contains("\r\nvary: origin\r\n"), "{other}");
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
    let (shape, port) = ("as in https://app.example", "browsers leave out the port");
    for (wrong, cure) in [
        ("", shape),
        ("*", "Cors::any()"),
        ("https://*.example.com", "no wildcards"),
        ("https://app.example:*", "no wildcards"),
        ("null", shape),
        ("app.example", shape),
        ("https://", shape),
        ("https://a/", shape),
        ("https://a/b", shape),
        ("https://u@a", shape),
        ("https://A", shape),
        ("a\r\nb", shape),
        ("https://a:443", port),
        ("http://a:80", port),
        ("https://[::1]:443", port),
        ("https://a:", shape),
        ("https://a:0444", shape),
        ("https://a:+444", shape),
        ("https://a:65536", shape),
    ] {
        let error = Cors::new([wrong]).map(|_| wrong).unwrap_err().to_string();
        assert!(error.contains(&format!("{wrong:?}")) && error.contains(cure), "{error}");
    }
    for right in ["http://localhost:5173", "https://[::1]:8443", "http://a:443", "https://a:80", "https://[::1]"] {
        assert!(Cors::new([right]).is_ok(), "{right}");
    }
    assert!(Cors::any().headers(["a b"]).unwrap_err().to_string().contains("\"a b\""));
    assert!(Cors::any().expose(["a\r\nb"]).is_err());
}
