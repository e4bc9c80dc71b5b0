//! What is coded, for whom, and what is said of it.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::mpsc;
use std::time::Duration;

use qibu::testing::{TestClient, TestResponse};
use qibu::{Body, Compress, Handler, HandlerExt, Request, Response, Running, StaticFiles, StatusCode, WebServer};

fn text(length: usize) -> String {
    "seven steps\n".chars().cycle().take(length).collect()
}

fn client<R: qibu::IntoResponse>(make: impl Fn() -> R + Send + Sync + 'static) -> TestClient {
    TestClient::new((move |_: &mut Request| make()).with(Compress::new()))
}

fn get(client: &TestClient, codings: &str) -> TestResponse {
    client.get("/").header("Accept-Encoding", codings).send()
}

fn decode(coding: &str, coded: &[u8]) -> String {
    let mut plain = String::new();
    match coding {
        "gzip" => flate2::read::GzDecoder::new(coded).read_to_string(&mut plain),
        "br" => brotli::Decompressor::new(coded, 4096).read_to_string(&mut plain),
        "zstd" => zstd::stream::read::Decoder::new(coded).unwrap().read_to_string(&mut plain),
        other => panic!("{other}"),
    }
    .unwrap();
    plain
}

fn coding(answer: &TestResponse) -> Option<&str> {
    answer.header("content-encoding")
}

/// The whole answer, of which nothing was coded.
fn is_plain(response: fn() -> Response) -> bool {
    let (plain, answer) = (client(response).get("/").send(), get(&client(response), "gzip"));
    assert_eq!(plain.bytes(), answer.bytes());
    coding(&answer) == plain.header("content-encoding")
}

type MakeBody = fn() -> Body;

#[test]
fn each_size_and_kind_of_body_can_be_read_in_each_coding() {
    let bodies: [(&str, MakeBody); 6] = [
        ("small", || text(2000).into()),
        ("large", || text(3_000_000).into()),
        ("reader", || Body::reader(std::io::Cursor::new(text(300_000)), None)),
        ("reader with length", || Body::reader(std::io::Cursor::new(text(200_000)), Some(200_000))),
        ("channel", || {
            let (sender, body) = Body::channel(16 * 1024);
            std::thread::spawn(move || (0..100).try_for_each(|_| sender.send(text(1200))));
            body
        }),
        ("empty channel", || Body::channel(10).1),
    ];
    for (name, body) in bodies {
        let client = client(move || Response::text(body()));
        let plain = client.get("/").send();
        for wanted in ["gzip", "br", "zstd"] {
            let answer = get(&client, wanted);
            assert_eq!(coding(&answer), Some(wanted), "{name}");
            assert_eq!(decode(wanted, answer.bytes()), plain.text(), "{name} {wanted}");
            assert!(answer.bytes().len() < plain.bytes().len() / 5 || plain.bytes().is_empty(), "{name} {wanted}");
            assert_eq!(answer.header("vary"), Some("accept-encoding"), "{name}");
        }
        assert_eq!((coding(&plain), plain.header("vary")), (None, Some("accept-encoding")), "{name}");
    }
}

#[test]
fn a_coding_is_sent_only_to_who_takes_it() {
    let client = client(|| text(5000));
    for (wanted, got) in
        [("gzip;q=0", None), ("identity", None), ("gzip, br", Some("br")), ("br;q=0.1, gzip", Some("gzip"))]
    {
        assert_eq!(coding(&get(&client, wanted)), got, "{wanted}");
    }
}

#[test]
fn what_would_gain_nothing_or_must_stay_as_it_is_does() {
    let plain: [fn() -> Response; 9] = [
        || Response::text(text(1023)),
        || Response::bytes("image/png", text(5000)),
        || Response::new(StatusCode::OK).with_body(text(5000)),
        || Response::text(text(5000)).with_header("content-encoding", "frob"),
        || Response::text(text(5000)).with_header("cache-control", "public, No-Transform"),
        || Response::text(text(5000)).with_status(StatusCode::PARTIAL_CONTENT),
        || Response::text(text(5000)).with_header("content-range", "bytes 0-4999/10000"),
        || Response::bytes("text/event-stream", text(5000)),
        || Response::bytes("Text/Event-Stream; charset=utf-8", text(5000)),
    ];
    for (index, response) in plain.into_iter().enumerate() {
        assert!(is_plain(response), "{index}");
    }
}

#[test]
fn the_smallest_size_can_be_set() {
    let client = TestClient::new((|_: &mut Request| text(200)).with(Compress::new().min_size(100)));
    assert_eq!(coding(&get(&client, "gzip")), Some("gzip"));
}

#[test]
fn a_range_and_a_client_that_wants_no_transformation_get_the_plain_form() {
    let client = client(|| text(5000));
    let ranged = client.get("/").header("Accept-Encoding", "gzip").header("Range", "bytes=0-1").send();
    assert_eq!((coding(&ranged), ranged.bytes().len()), (None, 5000));
    let fixed =
        client.get("/").header("Accept-Encoding", "gzip").header("Cache-Control", "no-cache, no-transform").send();
    assert_eq!(coding(&fixed), None);
}

#[test]
fn other_bytes_have_a_weak_tag_and_are_known_again_by_it() {
    let versioned = |request: &mut Request| match request.header("if-none-match") {
        Some(tags) if tags.contains("\"v1\"") => Response::new(StatusCode::NOT_MODIFIED).with_header("etag", "\"v1\""),
        _ => Response::text(text(5000)).with_header("etag", "\"v1\""),
    };
    let client = TestClient::new(versioned.with(Compress::new()));
    assert_eq!(client.get("/").send().header("etag"), Some("\"v1\""), "the plain form keeps its tag");
    let coded = get(&client, "gzip");
    assert_eq!(coded.header("etag"), Some("W/\"v1\""));
    let again = client.get("/").header("Accept-Encoding", "gzip").header("If-None-Match", "\"x\", W/\"v1\"").send();
    assert_eq!(
        (again.status(), again.header("etag"), again.header("vary")),
        (304, Some("W/\"v1\""), Some("accept-encoding"))
    );
    let plain = client.get("/").header("If-None-Match", "\"v1\"").send();
    assert_eq!((plain.status(), plain.header("etag")), (304, Some("\"v1\"")));
    let weak = TestClient::new(
        (|_: &mut Request| Response::text(text(5000)).with_header("etag", "W/\"v\"")).with(Compress::new()),
    );
    assert_eq!(get(&weak, "gzip").header("etag"), Some("W/\"v\""));
}

#[test]
fn head_says_what_get_says() {
    for length in [2000, 3_000_000] {
        let client = client(move || text(length));
        let head = client.request("HEAD", "/").header("Accept-Encoding", "gzip").send();
        let get = get(&client, "gzip");
        for name in ["content-encoding", "content-length", "transfer-encoding", "vary", "content-type"] {
            assert_eq!(head.header(name), get.header(name), "{name}");
        }
        assert!(head.bytes().is_empty());
    }
}

#[test]
fn a_late_answer_is_coded_when_it_comes() {
    let late = |request: &mut Request| {
        let (reply, pending) = request.later();
        std::thread::spawn(move || reply.send(text(5000)));
        pending
    };
    assert_eq!(coding(&get(&TestClient::new(late.with(Compress::new())), "gzip")), Some("gzip"));
}

#[test]
fn a_piece_of_a_stream_can_be_read_before_the_next_one_is_made() {
    let (make, made) = mpsc::channel::<Option<String>>();
    let made = std::sync::Mutex::new(Some(made));
    let streaming = move |_: &mut Request| {
        let made = made.lock().unwrap().take().expect("one request");
        let (sender, body) = Body::channel(16 * 1024);
        std::thread::spawn(move || {
            while let Ok(Some(piece)) = made.recv() {
                if sender.send(piece).is_err() {
                    return;
                }
            }
        });
        Response::text(body)
    };
    let server = WebServer::new("127.0.0.1:0", streaming.with(Compress::new())).unwrap().spawn().unwrap();
    let mut stream = ask(&server);
    let mut received = Vec::new();
    for piece in ["one step\n", "two steps\n", "three steps\n"] {
        make.send(Some(piece.to_owned())).unwrap();
        while !beginning(&received).ends_with(piece) {
            read_some(&mut stream, &mut received);
        }
    }
    make.send(None).unwrap();
    while !received.ends_with(b"\r\n0\r\n\r\n") {
        read_some(&mut stream, &mut received);
    }
    assert_eq!(beginning(&received), "one step\ntwo steps\nthree steps\n");
}

/// Asks for the page in gzip, and reads the answer itself.
fn ask(server: &Running) -> TcpStream {
    let mut stream = TcpStream::connect(server.local_addr()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n").unwrap();
    stream
}

fn read_some(stream: &mut TcpStream, received: &mut Vec<u8>) {
    let mut bytes = [0; 4096];
    let count = stream.read(&mut bytes).expect("the stream goes on");
    assert_ne!(count, 0, "the stream ended early");
    received.extend_from_slice(&bytes[..count]);
}

/// What can be read of a chunked gzip body that is still coming.
fn beginning(received: &[u8]) -> String {
    let head_end = received.windows(4).position(|window| window == b"\r\n\r\n").map_or(received.len(), |at| at + 4);
    let (mut rest, mut coded) = (&received[head_end..], Vec::new());
    while let Some(line_end) = rest.windows(2).position(|window| window == b"\r\n") {
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..line_end]).unwrap(), 16).unwrap();
        let Some(chunk) = rest.get(line_end + 2..line_end + 2 + size) else { break };
        coded.extend_from_slice(chunk);
        rest = rest.get(line_end + 2 + size + 2..).unwrap_or_default();
    }
    let (mut plain, mut piece) = (Vec::new(), [0; 4096]);
    let mut decoder = flate2::read::GzDecoder::new(&*coded);
    while let Ok(count @ 1..) = decoder.read(&mut piece) {
        plain.extend_from_slice(&piece[..count]);
    }
    String::from_utf8(plain).unwrap()
}

#[test]
fn a_stream_that_breaks_off_looks_broken_off() {
    let broken = |_: &mut Request| {
        let (sender, body) = Body::channel(1024);
        sender.try_send(text(100)).unwrap();
        sender.abort();
        Response::text(body)
    };
    let fails = |_: &mut Request| Response::text(Body::reader(std::io::Cursor::new(text(100)), Some(200)));
    let handlers: [Box<dyn Handler>; 2] = [broken.with(Compress::new()).boxed(), fails.with(Compress::new()).boxed()];
    for handler in handlers {
        let server = WebServer::new("127.0.0.1:0", handler).unwrap().spawn().unwrap();
        let mut received = Vec::new();
        // It may be reset.
        let _ = ask(&server).read_to_end(&mut received);
        assert!(received.starts_with(b"HTTP/1.1 200 ") && !received.ends_with(b"0\r\n\r\n"));
    }
}

#[test]
fn files_are_left_to_static_files() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.txt"), text(5000)).unwrap();
    let plain = TestClient::new(StaticFiles::new(folder.path()));
    let around = TestClient::new(StaticFiles::new(folder.path()).with(Compress::new()));
    let get = |client: &TestClient| client.get("/a.txt").header("Accept-Encoding", "gzip").send();
    let (one, two) = (get(&plain), get(&around));
    assert_eq!(one.bytes(), two.bytes());
    for name in ["etag", "vary", "content-encoding", "content-length"] {
        assert_eq!(one.header(name), two.header(name), "{name}");
    }
    let again =
        around.get("/a.txt").header("Accept-Encoding", "gzip").header("If-None-Match", one.header("etag").unwrap());
    assert_eq!(again.send().status(), 304);
}
