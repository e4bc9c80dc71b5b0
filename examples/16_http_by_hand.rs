//! HTTP by hand: an answer written as text, in a `Session`. It works, until somebody asks something else.
//!
//! Type:  cargo run --example 16_http_by_hand
//! and in a second terminal:  curl -i http://127.0.0.1:8090/
//!
//! You will see `Hello, world!`, as from 15_hello. Then try what a browser, a proxy or an attacker may send:
//!
//!     curl -i -d 'GET /stolen HTTP/1.1' http://127.0.0.1:8090/    the body stays, as the beginning of the next request
//!     curl -I http://127.0.0.1:8090/                              HEAD: it is not known here
//!
//! Both are right in 15_hello, and so are chunked bodies, heads without Host, heads that never end, `Expect`, `Date`, and
//! clients that take the answer slowly. This is what the framework does for you; your handler sees none of it.
//!
//! Next: 17_custom_handler, where the framework does it, and you keep what is yours.

use std::io;
use std::net::SocketAddr;

use qibu::{Connection, Next, Request, Session, WebServer};

mod support;

struct ByHand;

impl Session for ByHand {
    fn handle_client_request(&mut self, new_socket: &mut Connection, _ip_port: SocketAddr) -> io::Result<Next> {
        while let Some(length) = length_of_head(new_socket.input()) {
            let head = String::from_utf8_lossy(&new_socket.input()[..length]).into_owned();
            new_socket.consume(length);
            new_socket.send(answer(&head).as_bytes());
        }
        Ok(if new_socket.is_eof() { Next::Close } else { Next::Wait })
    }
}

/// Up to the empty line and with it; `None` while that has not come.
fn length_of_head(bytes: &[u8]) -> Option<usize> {
    bytes.windows(4).position(|four| four == b"\r\n\r\n").map(|position| position + 4)
}

fn answer(head: &str) -> String {
    let mut words = head.split(' '); // GET /path HTTP/1.1
    match (words.next(), words.next()) {
        (Some("GET"), Some("/")) => page("200 OK", "Hello, world!\n"),
        (Some("GET" | "POST"), Some(_)) => page("404 Not Found", "There is nothing here.\n"),
        _ => page("501 Not Implemented", "What is that?\n"),
    }
}

fn page(status: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {length}\r\n\r\n{body}")
}

fn main() -> io::Result<()> {
    let server = WebServer::with_protocol(support::address(), || ByHand)?;
    support::begin(&server, self_test);
    server.start()
}

fn self_test(by_hand: SocketAddr) -> io::Result<&'static str> {
    let framework = WebServer::new("127.0.0.1:0", |_: &mut Request| "Hello, world!\n")?.spawn()?;
    let ask = |request: &str, of: SocketAddr| support::talk(of, request);
    let two = "GET / HTTP/1.1\r\nHost: a\r\n\r\n".repeat(2);
    for server in [by_hand, framework.local_addr()] {
        let answers = ask(&two, server)?;
        support::expect(answers.matches("\r\n\r\nHello, world!\n").count() == 2, "two requests, two answers", answers)?;
    }
    let post = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 25\r\n\r\nGET /stolen HTTP/1.1\r\n\r\n\n";
    let (ours, theirs) = (ask(post, by_hand)?, ask(post, framework.local_addr())?);
    support::expect(ours.matches("HTTP/1.1 404").count() == 2, "by hand, a body is a second request", ours)?;
    support::expect(theirs.matches("HTTP/1.1 200").count() == 1, "the framework keeps them apart", theirs)?;
    Ok("16_http_by_hand: two requests, two answers; but a body was taken for a request, which the framework did not do")
}
