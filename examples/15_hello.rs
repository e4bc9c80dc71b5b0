//! HTTP in five lines: a closure that takes a request and returns an answer.
//!
//! Type:  cargo run --example 15_hello
//! and open http://127.0.0.1:8090/, or type in a second terminal:  curl -i http://127.0.0.1:8090/
//!
//! You will see `Hello, world!`, whatever path you ask for. The server of 11_echo is the same object; it only speaks
//! HTTP now, and gives each request to the closure.
//!
//! Next: 16_http_by_hand, to see what it has done for you.

use std::io;
use std::net::SocketAddr;

use qibu::{Request, WebServer};

mod support;

fn main() -> io::Result<()> {
    let server = WebServer::new(support::address(), |_: &mut Request| "Hello, world!\n")?;
    support::begin(&server, self_test);
    server.start()
}

fn self_test(address: SocketAddr) -> io::Result<&'static str> {
    let answer = support::get(address, "/", "")?;
    support::expect(answer.starts_with("HTTP/1.1 200 OK\r\n"), "the status is 200", &answer)?;
    support::expect(answer.ends_with("\r\n\r\nHello, world!\n"), "the body is the closure's text", &answer)?;
    Ok("15_hello: a closure answered an HTTP request with its text")
}
