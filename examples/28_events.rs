//! A clock for everyone who looks: server-sent events.
//!
//! Type:  cargo run --example 28_events
//! and open http://127.0.0.1:8090/ in a browser, twice; or type  curl -N http://127.0.0.1:8090/time
//!
//! You will see the seconds pass. One thread makes each event once, however many clients there are; none of them costs a
//! thread. Stop the program and start it again: the browser comes back by itself.
//!
//! Next: 29_websocket_chat, for messages both ways.

use std::io::{self, Read};
use std::net::SocketAddr;
use std::thread;
use std::time::Duration;

use qibu::{IntoResponse, Request, Response, StatusCode, WebServer, sse};

mod support;

const PAGE: &str = "<!DOCTYPE html><title>Clock</title><h1 id=time>…</h1>
<script>new EventSource('/time').onmessage = event => time.textContent = event.data</script>";

/// How many bytes may wait for a slow client.
const CAPACITY: usize = 16 * 1024;

/// How long a browser waits until it comes back.
const RETRY: Duration = Duration::from_secs(1);

fn tick(clock: &sse::Broadcast) {
    for second in 0_u64.. {
        clock.send(sse::Event::new(format!("second {second}")).id(second).retry(RETRY));
        thread::sleep(Duration::from_secs(1));
    }
}

fn main() -> io::Result<()> {
    let clock = sse::Broadcast::new(CAPACITY);
    let listeners = clock.clone();
    let handler = move |request: &mut Request| match request.path() {
        "/" => Response::html(PAGE),
        "/time" => listeners.subscribe(),
        _ => StatusCode::NOT_FOUND.into_response(),
    };
    let server = WebServer::new(support::address(), handler)?;
    thread::spawn(move || tick(&clock));
    support::begin(&server, self_test);
    server.start()
}

fn self_test(address: SocketAddr) -> io::Result<&'static str> {
    let ask = "GET /time HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let mut clients = [support::send(address, ask)?, support::send(address, ask)?];
    for client in &mut clients {
        let mut received = String::new();
        while received.matches("\ndata: second ").count() < 2 {
            let mut piece = [0; 1024];
            match client.read(&mut piece)? {
                0 => return support::expect(false, "the clock goes on", &received).map(|()| ""),
                length => received.push_str(&String::from_utf8_lossy(&piece[..length])),
            }
        }
        support::expect(received.contains("\r\ncontent-type: text/event-stream\r\n"), "it is a stream", &received)?;
    }
    Ok("28_events: two clients saw the same clock tick, and one thread made its events")
}
