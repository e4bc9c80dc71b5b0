//! Bodies that are taken piece by piece, on the loop, and not collected: `Plan::sink`.

mod common;

use std::ops::ControlFlow;

use common::{local, serve};
use qibu::testing::{TestClient, TestConn};
use qibu::{BodySink, Handler, Http, Plan, Request, Response, StatusCode};

/// Adds up what it is given, and has enough of it, or panics, where it is told to.
#[derive(Default)]
struct Sum {
    bytes: u64,
    total: u64,
    enough: Option<u64>,
    panics: bool,
}

impl BodySink for Sum {
    fn take(&mut self, piece: &[u8]) -> ControlFlow<()> {
        assert!(!piece.is_empty(), "a piece is never empty");
        assert!(!self.panics, "it is told to");
        assert!(self.enough.is_none_or(|enough| self.bytes < enough), "nothing comes after Break");
        self.bytes += piece.len() as u64;
        self.total += piece.iter().map(|byte| u64::from(*byte)).sum::<u64>();
        match self.enough {
            Some(enough) if self.bytes >= enough => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        }
    }
}

struct Adds;

impl Handler for Adds {
    fn handle(&self, request: &mut Request) -> Response {
        let trailers = request.trailers().len();
        assert_eq!(request.bytes().unwrap().len(), 0, "nothing of it is kept");
        let Some(sum) = request.body().sink::<Sum>() else { return Response::new(StatusCode::NO_CONTENT) };
        Response::text(format!("{} bytes, sum {}, {trailers} trailers", sum.bytes, sum.total))
    }

    fn plan(&self, request: &mut Request) -> Plan {
        let enough = request.query("enough").ok();
        let sum = Sum { enough, panics: request.path() == "/panic", ..Sum::default() };
        let plan = match request.path() {
            "/pool" => Plan::pool(),
            "/stream" => Plan::stream(),
            _ => Plan::inline(),
        };
        plan.sink(sum).body_limit(10_000_000)
    }
}

fn request(target: &str, length: usize) -> Vec<u8> {
    let head = format!("POST {target} HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n");
    [head.as_bytes(), &vec![1; length]].concat()
}

fn chunked(chunks: usize) -> Vec<u8> {
    let chunk = [b"3e8\r\n", [1; 1000].as_slice(), b"\r\n"].concat();
    let head = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    [head, chunk.repeat(chunks).as_slice(), b"0\r\nA: b\r\n\r\n"].concat()
}

fn open() -> TestConn {
    TestConn::open(Http::new(Adds)).unwrap()
}

fn received(conn: &mut TestConn) -> String {
    String::from_utf8(conn.recv()).unwrap()
}

#[test]
fn a_body_of_any_size_is_taken_whole() {
    let client = TestClient::new(Adds);
    for path in ["/", "/pool", "/stream"] {
        for length in [0, 1, 65_536, 1_000_000, 10_000_000] {
            let answer = client.post(path).body(vec![1; length]).send();
            assert_eq!(answer.text(), format!("{length} bytes, sum {length}, 0 trailers"), "{path}");
        }
    }
    assert_eq!(client.get("/").send().text(), "0 bytes, sum 0, 0 trailers");
}

#[test]
fn it_means_the_same_however_it_is_cut_and_the_next_request_follows() {
    let next = b"GET /next HTTP/1.1\r\nHost: a\r\n\r\n".as_slice();
    for (message, wanted) in
        [(request("/", 5000), "5000 bytes, sum 5000, 0 trailers"), (chunked(5), "5000 bytes, sum 5000, 1 trailers")]
    {
        let bytes = [&message, next].concat();
        for cut in [1, 7, 1000, bytes.len()] {
            let mut conn = open();
            bytes.chunks(cut).for_each(|piece| _ = conn.send(piece));
            let text = received(&mut conn);
            assert!(text.contains(wanted), "{text}");
            assert!(text.ends_with("0 bytes, sum 0, 0 trailers"), "{text}");
            assert!(!conn.is_closed());
        }
    }
}

#[test]
fn who_has_enough_answers_at_once_and_the_connection_ends() {
    let bytes = request("/?enough=100", 1_000_000);
    let mut conn = open();
    conn.send(&bytes[..1000]);
    let text = received(&mut conn);
    assert!(text.contains(" bytes, sum "), "{text}");
    assert!(text.contains("connection: close\r\n"), "the rest stands where a request should: {text}");
}

#[test]
fn who_has_enough_where_all_is_here_keeps_the_connection() {
    let mut conn = open();
    conn.send(&[request("/?enough=100", 1000), request("/", 3)].concat());
    let text = received(&mut conn);
    assert!(text.contains("1000 bytes") && text.ends_with("3 bytes, sum 3, 0 trailers"), "{text}");
}

#[test]
fn a_panic_is_500_for_that_request_alone() {
    let server = serve(local(), Adds);
    assert_eq!(server.connect().send(request("/panic", 10)).answer().status(), 500);
    assert_eq!(server.connect().send(request("/", 10)).answer().text(), "10 bytes, sum 10, 0 trailers");
}

#[test]
fn the_limit_holds() {
    let client = TestClient::new(Adds);
    assert_eq!(client.post("/").body(vec![1; 10_000_001]).send().status(), 413);
    let mut conn = open();
    conn.send(&chunked(10_001));
    assert!(received(&mut conn).starts_with("HTTP/1.1 413 "));
}

#[test]
fn an_end_before_the_end_is_refused() {
    let mut conn = open();
    conn.send(&request("/", 1000)[..500]).finish();
    assert!(received(&mut conn).starts_with("HTTP/1.1 400 "));
}

#[test]
fn another_kind_of_sink_is_not_found() {
    struct Other;
    impl BodySink for Other {
        fn take(&mut self, _: &[u8]) -> ControlFlow<()> {
            ControlFlow::Continue(())
        }
    }
    struct Asks;
    impl Handler for Asks {
        fn handle(&self, request: &mut Request) -> Response {
            Response::text(format!(
                "{} {}",
                request.body().sink::<Sum>().is_some(),
                request.body().sink::<Other>().is_some()
            ))
        }
        fn plan(&self, _: &mut Request) -> Plan {
            Plan::inline().sink(Other)
        }
    }
    assert_eq!(TestClient::new(Asks).post("/").body("abc").send().text(), "false true");
}
