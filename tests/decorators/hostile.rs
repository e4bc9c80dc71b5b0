//! Whatever a client writes into the fields that decorators read: nothing panics, nobody is let in, nothing is believed,
//! and no field of the answer is the client's to write.

use std::time::Duration;

use qibu::testing::TestClient;
use qibu::{Compress, Cors, HandlerExt, RateLimit, Request, RequestId, SecurityHeaders, TrustedProxies};

/// What the fields' grammars are made of, so that random values get far into their parsers.
const WORDS: [&str; 40] = [
    "for",
    "proto",
    "host",
    "=",
    ";",
    ",",
    "\"",
    "\\",
    " ",
    "\t",
    "https",
    "10.0.0.1",
    "127.0.0.1",
    "203.0.113.9",
    "[",
    "]",
    ":",
    "2001:db8::1",
    "unknown",
    "_x",
    "Basic ",
    "YWxpY2U6eA==",
    "session=",
    "user=admin",
    "&",
    ".",
    "99999999999",
    "A",
    "%0d%0a",
    "%",
    "gzip",
    "br",
    "q=0",
    "q=",
    "*",
    "\u{e9}",
    "W/\"x\"",
    "https://app.example",
    "null",
    "no-transform",
];

const FIELDS: [&str; 12] = [
    "Forwarded",
    "X-Forwarded-For",
    "X-Forwarded-Proto",
    "X-Forwarded-Host",
    "Authorization",
    "Cookie",
    "X-Request-Id",
    "Origin",
    "Access-Control-Request-Method",
    "Accept-Encoding",
    "If-None-Match",
    "Cache-Control",
];

fn value(random: &mut fastrand::Rng) -> String {
    (0..random.usize(0..12)).map(|_| WORDS[random.usize(0..WORDS.len())]).collect()
}

/// The statuses of so many random requests, of which each is checked.
fn storm(client: &TestClient, method: &str, seed: u64) -> Vec<u16> {
    let mut random = fastrand::Rng::with_seed(seed);
    let ask = |_| {
        let mut request = client.request(method, "/");
        for _ in 0..random.usize(1..6) {
            request = request.header(FIELDS[random.usize(0..FIELDS.len())], &value(&mut random));
        }
        let answer = request.send();
        assert!([200, 204, 400, 401, 403, 429].contains(&answer.status()), "seed {seed}: {}", answer.status());
        if let Some(origin) = answer.header("access-control-allow-origin") {
            assert_eq!(origin, "https://app.example", "seed {seed}");
        }
        answer.status()
    };
    (0..500).map(ask).collect()
}

fn open() -> impl qibu::Handler {
    let page = |request: &mut Request| {
        let text = format!("{} {}\n", request.client_addr(), request.is_secure()).repeat(100);
        qibu::Response::text(text).with_header("etag", "\"x\"")
    };
    page.with(Compress::new())
        .with(SecurityHeaders::new())
        .with(Cors::new(["https://app.example"]).unwrap().credentials().unwrap())
        .with(RateLimit::new(1_000_000, Duration::from_secs(1)))
        .with(RequestId::new().keep_incoming())
}

#[test]
fn random_fields_do_no_harm_from_whoever_they_come() {
    for seed in 0..4 {
        for method in ["GET", "OPTIONS", "HEAD"] {
            let strangers = TestClient::new(open().with(TrustedProxies::new(["192.0.2.1"]).unwrap()));
            storm(&strangers, method, seed);
            let trusted = TestClient::new(open().with(TrustedProxies::new(["127.0.0.1", "10.0.0.0/8"]).unwrap()));
            storm(&trusted, method, seed);
            let standard = TrustedProxies::new(["127.0.0.1", "10.0.0.0/8"]).unwrap().forwarded();
            storm(&TestClient::new(open().with(standard)), method, seed);
        }
    }
}

#[test]
fn a_stranger_stays_who_it_is_whatever_it_writes() {
    let who = |request: &mut Request| format!("{} {}", request.client_addr(), request.is_secure());
    let client = TestClient::new(who.with(TrustedProxies::new(["192.0.2.1"]).unwrap()));
    let mut random = fastrand::Rng::with_seed(7);
    for _ in 0..2000 {
        let request =
            FIELDS[..4].iter().fold(client.get("/"), |request, name| request.header(name, &value(&mut random)));
        assert_eq!(request.send().text(), "127.0.0.1 false");
    }
}
