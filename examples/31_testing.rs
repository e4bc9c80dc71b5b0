//! Tests without sockets: of an application, and of a protocol, byte by byte, with a clock that is turned by hand.
//!
//! Type:  cargo test --example 31_testing    (or, since each test is a function, cargo run --example 31_testing)
//!
//! You will see four claims hold, in no time, though one of them takes ten seconds of the server's time. What runs is what
//! serves: the same turns, sessions and framing as on an event loop; only the transport is memory.
//!
//! Next: notes, a whole application with tests of this kind; then src/, from its first page, src/lib.rs.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use qibu::testing::{TestClient, TestConn};
use qibu::{Connection, Http, Next, Result, Router, Session};

/// What is tested, made by a function: `main` of a server and each test call it.
fn app() -> Router {
    Router::new()
        .get("/", |_| "seven steps")
        .get("/hello/{name}", |request| request.param("name").map(|name: String| format!("Hello, {name}!")))
        .post("/echo", |request| -> Result<String> { Ok(request.text()?.to_owned()) })
}

/// Answers each line with its length.
struct Lengths;

impl Session for Lengths {
    fn handle_client_request(&mut self, new_socket: &mut Connection, _: SocketAddr) -> io::Result<Next> {
        while let Some(length) = new_socket.input().iter().position(|byte| *byte == b'\n') {
            new_socket.consume(length + 1);
            new_socket.send(format!("{length}\n").as_bytes());
        }
        Ok(if new_socket.is_eof() { Next::Close } else { Next::Wait })
    }
}

#[cfg_attr(test, test)]
fn the_application_answers() {
    let client = TestClient::new(app());
    assert_eq!(client.get("/hello/Li%20Bai").send().text(), "Hello, Li Bai!");
    assert_eq!(client.post("/echo").body("over, over!").send().text(), "over, over!");
    assert_eq!(client.post("/").send().header("allow"), Some("GET, HEAD, OPTIONS"));
}

#[cfg_attr(test, test)]
fn a_request_may_come_byte_by_byte() {
    let mut client = TestConn::open(Http::new(app())).expect("HTTP opens every connection");
    for byte in b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" {
        assert_eq!(client.recv(), b"", "there is no answer before the last byte");
        client.send(&[*byte]);
    }
    assert!(client.recv().ends_with(b"\r\n\r\nseven steps"));
}

#[cfg_attr(test, test)]
fn who_is_too_slow_is_told() {
    let mut client = TestConn::open(Http::new(app())).expect("HTTP opens every connection");
    client.send(b"GET / HTTP/1.1\r\nHo").advance(Duration::from_secs(10));
    assert!(client.recv().starts_with(b"HTTP/1.1 408 ") && client.is_closed());
}

#[cfg_attr(test, test)]
fn a_protocol_of_ones_own_is_tested_in_the_same_way() {
    let mut client = TestConn::open(|| Lengths).expect("it opens every connection");
    assert_eq!(client.send(b"seven\nst").send(b"eps\n\n").recv(), b"5\n5\n0\n");
    assert!(client.finish().is_closed());
}

fn main() {
    the_application_answers();
    a_request_may_come_byte_by_byte();
    who_is_too_slow_is_told();
    a_protocol_of_ones_own_is_tested_in_the_same_way();
    println!(
        "31_testing: an application and a protocol were tested without a socket, byte by byte and over ten seconds"
    );
}
