//! An answer that is sent while it is made.
//!
//! Type:  cargo run --example 27_stream
//! and in a second terminal:  curl -N http://127.0.0.1:8090/
//!
//! You will see ten lines, one every fifth of a second. The thread that makes them holds the sending end of a channel;
//! the other end is the body. If the client reads slowly, `send` waits; if it has gone (Ctrl-C in curl), `send` says so.
//!
//! Next: 28_events, for streams that browsers know how to read.

use std::io::{self, Read};
use std::net::SocketAddr;
use std::thread;
use std::time::Duration;

use qibu::{Body, BodySender, Closed, Request, Response, WebServer};

mod support;

/// How many bytes may wait for a slow client.
const CAPACITY: usize = 16 * 1024;

fn count(sender: &BodySender) -> Result<(), Closed> {
    for number in 1..=10 {
        sender.send(format!("{number} of 10\n"))?;
        thread::sleep(Duration::from_millis(200));
    }
    Ok(())
}

fn stream(_: &mut Request) -> Response {
    let (sender, body) = Body::channel(CAPACITY);
    thread::spawn(move || {
        if count(&sender).is_err() {
            eprintln!("the client has gone");
        }
    }); // the body ends when the sender is dropped
    Response::text(body)
}

fn main() -> io::Result<()> {
    let server = WebServer::new(support::address(), stream)?;
    support::begin(&server, self_test);
    server.start()
}

fn self_test(address: SocketAddr) -> io::Result<&'static str> {
    let mut client = support::send(address, "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut received = String::new();
    while !received.contains("1 of 10\n") {
        let mut piece = [0; 1024];
        match client.read(&mut piece)? {
            0 => return support::expect(false, "the first line comes", &received).map(|()| ""),
            length => received.push_str(&String::from_utf8_lossy(&piece[..length])),
        }
    }
    support::expect(!received.contains("10 of 10\n"), "the first line comes before the last is made", &received)?;
    received += &support::read_all(client)?;
    support::expect(received.contains("\r\ntransfer-encoding: chunked\r\n"), "the body is sent in chunks", &received)?;
    support::expect(received.ends_with("9\r\n10 of 10\n\r\n0\r\n\r\n"), "the body is complete", &received)?;
    Ok("27_stream: the first line of a body was there before its last was made, and all of them came")
}
