//! RFC 9112 section 4: the first line of every answer.

use qibu::{Request, Response, StatusCode};

use crate::http1_support::Server;

#[test]
fn the_space_behind_the_status_is_there_even_without_a_reason() {
    for (status, line) in [
        (200, "HTTP/1.1 200 OK\r\n"),
        (299, "HTTP/1.1 299 \r\n"),
        (404, "HTTP/1.1 404 Not Found\r\n"),
        (599, "HTTP/1.1 599 \r\n"),
        (999, "HTTP/1.1 999 \r\n"),
    ] {
        let status = StatusCode::from_u16(status).expect("it has three digits");
        let mut conn = Server::new(move |_: &mut Request| Response::new(status)).connect();
        conn.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        let received = conn.recv();
        assert!(received.starts_with(line.as_bytes()), "{line:?}: {}", received.escape_ascii());
    }
}
