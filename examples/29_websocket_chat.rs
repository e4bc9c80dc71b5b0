//! A chat room: WebSocket, with one object per client and no thread for any of them. Next: 30_graceful_stop.
//!
//! Type:  cargo run --example 29_websocket_chat
//! and open http://127.0.0.1:8090/ in two windows.
//! What you type in one appears in both. A `Guest` lives on its client's event loop; `room` reaches all guests of all loops.

use std::io::{self, Write};
use std::net::SocketAddr;

use qibu::ws::{self, WebSocket};
use qibu::{IntoResponse, Request, Response, StatusCode, WebServer};

mod support;

struct Guest {
    room: ws::Broadcast,
    name: String,
}

impl ws::Handler for Guest {
    fn on_open(&mut self, peer: &ws::Sender) {
        self.name = format!("guest {}", peer.peer_addr().port());
        self.room.join(peer);
        self.room.send(format!("{} has come", self.name));
    }

    fn on_message(&mut self, _: &ws::Sender, message: ws::Message) {
        if let Some(text) = message.as_text() {
            self.room.send(format!("{}: {text}", self.name));
        }
    }

    fn on_close(&mut self, _: u16) {
        self.room.send(format!("{} has gone", self.name));
    }
}

/// Says everything again; the Autobahn testsuite (tests/autobahn) talks to it, and its longest message has 16 MiB.
fn echo(peer: &ws::Sender, message: ws::Message) {
    let _ = peer.send(message); // fails where the client has gone
}

fn main() -> io::Result<()> {
    let (room, chat) = (ws::Broadcast::new(), WebSocket::new().message_limit(1000));
    let long = WebSocket::new().message_limit(16 << 20);
    let handler = move |request: &mut Request| match request.path() {
        "/" => Response::html(include_str!("support/chat.html")),
        "/chat" => chat.upgrade(request, Guest { room: room.clone(), name: String::new() }),
        "/echo" => long.upgrade(request, echo),
        _ => StatusCode::NOT_FOUND.into_response(),
    };
    let server = WebServer::new(support::address(), handler)?;
    support::begin(&server, self_test);
    server.start()
}

fn self_test(address: SocketAddr) -> io::Result<&'static str> {
    let ask = "GET /chat HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
               Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    let ada = support::send(address, ask)?;
    support::wait_for(&ada, " has come")?; // herself
    let mut bob = support::send(address, ask)?;
    support::wait_for(&ada, " has come")?;
    bob.write_all(b"\x81\x85\0\0\0\0hello")?; // text of 5 bytes; the mask is four zeros
    support::wait_for(&ada, ": hello")?;
    drop(bob);
    support::wait_for(&ada, " has gone")?;
    Ok("29_websocket_chat: what one guest said was heard by the other, and so was that it had gone")
}
