//! Names and passwords: who gets in, who does not, and what guessing costs whom.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use data_encoding::BASE64;
use qibu::auth::BasicAuth;
use qibu::testing::{TestClient, TestConn, TestResponse};
use qibu::{BodySink, Handler, HandlerExt, Http, Plan, Request, Response, StatusCode, TrustedProxies, limit};

/// `name:hash` with bcrypt at its lowest cost.
fn line(name: &str, password: &str) -> String {
    format!("{name}:{}\n", bcrypt::hash(password, 4).unwrap())
}

fn alice() -> BasicAuth {
    BasicAuth::new(&line("alice", "seven steps")).unwrap()
}

fn hello(request: &mut Request) -> String {
    format!("hello, {}", BasicAuth::user(request).unwrap_or("nobody"))
}

fn basic(credentials: &str) -> String {
    format!("Basic {}", BASE64.encode(credentials.as_bytes()))
}

fn get(client: &TestClient, credentials: &str) -> TestResponse {
    client.get("/").header("Authorization", &basic(credentials)).send()
}

#[test]
fn who_knows_the_password_gets_in_the_first_time_and_again() {
    let client = TestClient::new(hello.with(alice()));
    for _ in 0..3 {
        assert_eq!(get(&client, "alice:seven steps").text(), "hello, alice");
    }
}

#[test]
fn the_others_are_all_told_the_same() {
    let client = TestClient::new(hello.with(alice().realm("a \"b\" \\").unwrap()));
    let nobody = client.get("/").send();
    assert_eq!(nobody.status(), 401);
    assert_eq!(nobody.header("www-authenticate"), Some(r#"Basic realm="a \"b\" \\", charset="UTF-8""#));
    for credentials in ["alice:six steps", "bob:seven steps", "alice:", ":seven steps", ":", "Alice:seven steps"] {
        let refused = get(&client, credentials);
        let same = |answer: &TestResponse| {
            (answer.status(), answer.header("www-authenticate").map(str::to_owned), answer.text().to_owned())
        };
        assert_eq!(same(&refused), same(&nobody), "{credentials}");
    }
}

#[test]
fn a_password_may_have_colons_and_any_letters() {
    let users = line("w\u{fc}rth", "p:\u{4e03}\u{6b65}:") + &line("bob", "");
    let client = TestClient::new(hello.with(BasicAuth::new(&users).unwrap()));
    assert_eq!(get(&client, "w\u{fc}rth:p:\u{4e03}\u{6b65}:").text(), "hello, w\u{fc}rth");
    assert_eq!(get(&client, "bob:").text(), "hello, bob");
}

#[test]
fn what_is_no_basic_credential_is_401_and_costs_nothing() {
    let right = BASE64.encode(b"alice:seven steps");
    let client = TestClient::new(hello.with(alice()));
    let fields = [
        "",
        "Basic",
        "Basic ",
        "Basic !",
        "Basic YWxpY2U",
        "Bearer abc",
        "Digest username=\"alice\"",
        "basic",
        "Basic ====",
        &format!("Basic{right}"),
        &format!("Basic {right} {right}"),
        &format!("Basic {right},"),
        &format!("Basic {}", BASE64.encode(b"no colon")),
        &format!("Basic {}", BASE64.encode(b"\xff\xfe:x")),
        &format!("Basic {}", BASE64.encode(b"alice:seven steps\0")),
        &format!("Basic {}", BASE64.encode(b"a\nb:x")),
        &format!("Basic {}", "A".repeat(20_000)),
    ];
    for field in fields {
        let refused = client.get("/").header("Authorization", field).send();
        assert_eq!(refused.status(), 401, "{field:.60}");
    }
    let doubled = client.get("/").header("Authorization", &format!("Basic {right}"));
    assert_eq!(doubled.header("Authorization", &basic("bob:x")).send().status(), 401, "which of the two?");
    let any_case = client.get("/").header("Authorization", &format!("bASIC   {right}")).send();
    assert_eq!(any_case.text(), "hello, alice", "and all those tries were none");
}

#[test]
fn without_credentials_the_body_is_not_read() {
    let mut conn = TestConn::open(Http::new(hello.with(alice()))).unwrap();
    conn.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\nExpect: 100-continue\r\n\r\n");
    let answer = String::from_utf8(conn.recv()).unwrap();
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
}

#[test]
fn an_address_has_ten_wrong_tries_and_the_right_password_costs_none() {
    let handler = hello.with(alice()).with(TrustedProxies::new(["127.0.0.1"]).unwrap());
    let client = TestClient::new(handler);
    let from = |address: &str, credentials: &str| {
        client.get("/").header("X-Forwarded-For", address).header("Authorization", &basic(credentials)).send()
    };
    for _ in 0..20 {
        assert_eq!(from("192.0.2.1", "alice:seven steps").status(), 200);
    }
    let statuses: Vec<u16> = (0..12).map(|number| from("192.0.2.2", &format!("alice:{number}")).status()).collect();
    assert_eq!(statuses[..10], [401; 10]);
    let refused = from("192.0.2.2", "bob:seven steps");
    assert_eq!(refused.status(), 429, "whatever name is tried");
    assert!(refused.header("retry-after").unwrap().parse::<u32>().unwrap() <= 6);
    assert_eq!(from("192.0.2.3", "alice:wrong").status(), 401, "other addresses have their own tries");
    assert_eq!(from("192.0.2.2", "alice:seven steps").status(), 200, "who got in before gets in still");
}

/// Refuses every body, and counts what reaches it.
struct NoBodies(Arc<AtomicU32>);

impl Handler for NoBodies {
    fn handle(&self, request: &mut Request) -> Response {
        self.0.fetch_add(1, Ordering::Relaxed);
        Response::text(hello(request))
    }

    fn plan(&self, request: &mut Request) -> Plan {
        match request.header("content-length") {
            Some(_) => Plan::refuse(Response::status_page(StatusCode::IM_A_TEAPOT)),
            None => Plan::inline(),
        }
    }
}

#[test]
fn what_the_handler_refuses_is_not_for_strangers_to_know_and_stays_refused() {
    let calls = Arc::new(AtomicU32::new(0));
    let client = TestClient::new(NoBodies(calls.clone()).with(alice()));
    let post =
        |credentials: &str| client.post("/").header("Authorization", &basic(credentials)).body("x").send().status();
    assert_eq!(post("alice:wrong"), 401);
    assert_eq!(post("alice:seven steps"), 418, "while it has to be verified");
    assert_eq!(post("alice:seven steps"), 418, "and when it is known");
    assert_eq!(calls.load(Ordering::Relaxed), 0);
}

/// Takes the body as it arrives.
struct Upload(Arc<AtomicU32>);

struct Taken(Arc<AtomicU32>);

impl BodySink for Taken {
    fn take(&mut self, piece: &[u8]) -> ControlFlow<()> {
        self.0.fetch_add(u32::try_from(piece.len()).unwrap(), Ordering::Relaxed);
        ControlFlow::Continue(())
    }
}

impl Handler for Upload {
    fn handle(&self, request: &mut Request) -> Response {
        let found = request.body().sink::<Taken>().map(|taken| taken.0.load(Ordering::Relaxed));
        Response::text(format!("{found:?}"))
    }

    fn plan(&self, _: &mut Request) -> Plan {
        Plan::inline().sink(Taken(self.0.clone())).body_limit(u64::MAX)
    }
}

#[test]
fn nothing_of_a_strangers_body_reaches_the_handler() {
    let taken = Arc::new(AtomicU32::new(0));
    let behind_another_door = Upload(taken.clone()).with(alice()).boxed();
    for upload in [Upload(taken.clone()).boxed(), behind_another_door] {
        let client = TestClient::new(upload.with(alice()));
        for (credentials, length, status, text) in [
            ("alice:wrong", 2_000_000, 401, "401 Unauthorized"),
            ("alice:wrong", 2, 401, "401 Unauthorized"),
            ("alice:seven steps", 2, 200, "Some(2)"),
            ("alice:seven steps", 2_000_000, 200, "Some(2000000)"),
        ] {
            taken.store(0, Ordering::Relaxed);
            let request = client.post("/").header("Authorization", &basic(credentials)).body(vec![b'x'; length]);
            let answer = request.send();
            assert_eq!((answer.status(), answer.text().trim_end()), (status, text), "{credentials}, {length} bytes");
            assert_eq!(taken.load(Ordering::Relaxed) > 0, status == 200);
        }
    }
}

#[test]
fn the_body_of_a_stranger_is_not_collected() {
    let mut conn = TestConn::open(Http::new(limit(hello, u64::MAX).with(alice()))).unwrap();
    let length = 100 * 1024 * 1024;
    let authorization = basic("alice:wrong");
    let head =
        format!("POST / HTTP/1.1\r\nHost: a\r\nAuthorization: {authorization}\r\nContent-Length: {length}\r\n\r\n");
    conn.send(head.as_bytes()).send(&vec![b'x'; 1024 * 1024]);
    let mut answer = conn.recv();
    if answer.is_empty() {
        assert!(conn.wait_for_mail(), "it is not waited for the other 99 MiB");
        answer = conn.recv();
    }
    let answer = String::from_utf8(answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
}

/// A decorator of somebody who has not read that plans are to be forwarded.
struct Forgetful<H>(H);

impl<H: Handler> Handler for Forgetful<H> {
    fn handle(&self, request: &mut Request) -> Response {
        self.0.handle(request)
    }
}

#[test]
fn a_decorator_that_forwards_no_plan_opens_no_door() {
    let client = TestClient::new(Forgetful(hello.with(alice())));
    assert_eq!(client.get("/").send().status(), 401);
    assert_eq!(get(&client, "alice:wrong").status(), 401);
    assert_eq!(get(&client, "alice:seven steps").text(), "hello, alice");
}

#[test]
fn two_doors_want_two_keys() {
    let inner = BasicAuth::new(&line("bob", "x")).unwrap();
    let client = TestClient::new(hello.with(inner).with(alice()));
    assert_eq!(get(&client, "alice:seven steps").status(), 401);
    assert_eq!(get(&client, "bob:x").status(), 401);
    let both = BasicAuth::new(&line("alice", "seven steps")).unwrap();
    let client = TestClient::new(hello.with(both).with(alice()));
    assert_eq!(get(&client, "alice:seven steps").status(), 200);
}

#[test]
fn the_limit_of_the_handler_counts_while_the_password_is_verified() {
    let client = TestClient::new(limit(hello, 4).with(alice()));
    let post =
        |body: &'static str| client.post("/").header("Authorization", &basic("alice:seven steps")).body(body).send();
    assert_eq!(post("fives").status(), 413);
    assert_eq!(post("four").status(), 200);
}

#[test]
fn a_wrong_file_is_an_error_that_names_file_and_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("users");
    std::fs::write(&path, line("alice", "x") + "bob:secret\n").unwrap();
    let error = BasicAuth::open(&path).unwrap_err().to_string();
    assert!(error.contains(path.to_str().unwrap()) && error.contains("line 2") && !error.contains("secret"), "{error}");
    let missing = BasicAuth::open(folder.path().join("none")).unwrap_err();
    assert_eq!(missing.kind(), std::io::ErrorKind::NotFound);
    assert!(alice().realm("a\r\nb").is_err() && alice().realm("\u{e9}").is_err());
    assert!(!format!("{:?}", alice()).contains("$2b$"));
}

#[test]
fn no_random_credentials_get_in() {
    let client = TestClient::new(hello.with(alice()));
    let mut random = fastrand::Rng::with_seed(11);
    let words = ["Basic ", "basic", " ", "YWxpY2U6", "c2V2ZW4=", "=", ":", "alice", "\t", ",", "/", "+", "A", "\u{e9}"];
    for _ in 0..2000 {
        let field: String = (0..random.usize(0..8)).map(|_| words[random.usize(0..words.len())]).collect();
        let status = client.get("/").header("Authorization", &field).send().status();
        assert!([401, 429].contains(&status), "{field}: {status}");
    }
}

/// RFC 9110 section 3.3: whoever comes behind a proxy may share a connection with anybody.
#[test]
fn who_was_let_in_is_asked_again_on_the_same_connection() {
    let mut conn = TestConn::open(Http::new(hello.with(alice()))).unwrap();
    let asked = |fields: &str| format!("GET / HTTP/1.1\r\nHost: a\r\n{fields}\r\n");
    conn.send(asked(&format!("Authorization: {}\r\n", basic("alice:seven steps"))).as_bytes());
    assert!(conn.recv().ends_with(b"hello, alice"));
    let answer = String::from_utf8(conn.send(asked("").as_bytes()).recv()).unwrap();
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
}
