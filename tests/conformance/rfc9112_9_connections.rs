//! RFC 9112 sections 8 and 9: incomplete messages, and how connections go on and end. More of it: `tests/http1.rs`,
//! "connections", "pipelining", "half-close", "deadlines".

use crate::{Folder, echo_server, get, log_of};

/// A request of every kind that is refused, its status, and what the log says of it.
const REFUSED: [(&str, u16, &str); 16] = [
    ("GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400, "malformed"),
    ("GET / HTTP/1.1\nHost: a\r\n\r\n", 400, "CR LF"),
    ("GET a HTTP/1.1\r\nHost: a\r\n\r\n", 400, "target is malformed"),
    ("GET / HTTP/1.1\r\n\r\n", 400, "Host is missing"),
    ("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400, "doubled"),
    ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n", 400, "Content-Length"),
    ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n", 400, "Content-Length"),
    (
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        400,
        "Transfer-Encoding beside Content-Length",
    ),
    ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", 400, "does not end in chunked"),
    ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501, "unknown transfer coding"),
    ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", 400, "chunk"),
    ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX : y\r\n\r\n", 400, "trailer"),
    ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9999999999\r\n\r\n", 413, "body_limit"),
    ("POST / HTTP/1.1\r\nHost: a\r\nExpect: x\r\nContent-Length: 1\r\n\r\n", 417, "expectation"),
    ("CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n", 501, "CONNECT"),
    ("GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505, "HTTP/1.0 or HTTP/1.1"),
];

#[test]
fn a_refusal_is_answered_explained_and_the_end_of_the_connection() {
    for (input, status, reason) in REFUSED {
        echo_server().refuses(input, status);
        let (answer, _) = echo_server().one_answer(input);
        assert!(answer.text().contains(reason), "{input}: {answer:?}");
        assert_eq!(answer.field("content-type"), Some("text/plain; charset=utf-8"));
    }
}

#[test]
fn a_refusal_is_logged_with_its_reason() {
    for (input, status, reason) in REFUSED {
        let log = log_of(|| drop(echo_server().converse(&[input.as_bytes()], &[])));
        let is_there = log.iter().any(|line| line.starts_with(&status.to_string()) && line.contains(reason));
        assert!(is_there, "{input}: {log:?}");
        assert!(log.iter().any(|line| line.contains("127.0.0.1")), "who it was: {log:?}");
    }
}

#[test]
fn a_request_that_is_answered_is_no_news() {
    assert_eq!(log_of(|| drop(echo_server().converse(&[get("/", "").as_bytes()], &[]))), [""; 0]);
}

#[test]
fn an_error_of_the_resource_does_not_end_the_connection() {
    // §9.3: these requests were understood.
    let folder = Folder::new();
    let put = "PUT /a.txt HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab".to_owned();
    for (input, status) in [
        (get("/none", ""), 404),
        (get("/%zz", ""), 400),
        (get("/a.txt", "If-Match: \"x\"\r\n"), 412),
        (get("/a.txt", "Range: bytes=999-\r\n"), 416),
        (put, 405),
        ("BREW / HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(), 501),
    ] {
        let (answer, is_closed) = folder.server().one_answer(&input);
        assert_eq!((answer.status, is_closed, answer.field("connection")), (status, false, None), "{input}");
    }
}

#[test]
fn a_cut_off_request_is_not_acted_upon() {
    // §8, §6.3: the length that was promised has not come.
    for input in [
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhell",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n",
        "POST / HTTP/1.0\r\nContent-Length: 5\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n",
    ] {
        let server = echo_server();
        for piece in [1, input.len()] {
            let mut conn = server.connect();
            for bytes in input.as_bytes().chunks(piece) {
                conn.send(bytes);
            }
            assert!(!conn.is_closed(), "it may still go on: {input}");
            let received = conn.finish().recv();
            assert!(received.starts_with(b"HTTP/1.1 400 ") && conn.is_closed(), "{input}");
            assert_eq!(server.seen(), [""; 0], "{input}");
        }
    }
}

#[test]
fn many_requests_share_a_connection() {
    // §9.3, §9.3.2
    let folder = Folder::new();
    let input = get("/a.txt", "") + &get("/none", "") + &get("/sub", "") + &get("/large.bin", "") + &get("/a.txt", "");
    let conversation = folder.server().for_every_split(input.as_bytes(), &[]);
    let statuses: Vec<u16> = conversation.answers.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses, [200, 404, 301, 200, 200]);
    assert_eq!(conversation.answers[0], conversation.answers[4]);
}
