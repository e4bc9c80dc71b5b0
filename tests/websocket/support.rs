//! A client that writes frames by hand and reads the server's strictly, and a handler that remembers what it was told.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use qibu::testing::TestConn;
use qibu::ws::{Handler, Message, Sender, WebSocket};
use qibu::{Http, Request};

pub(crate) const CONTINUATION: u8 = 0;
pub(crate) const TEXT: u8 = 1;
pub(crate) const BINARY: u8 = 2;
pub(crate) const CLOSE: u8 = 8;
pub(crate) const PING: u8 = 9;
pub(crate) const PONG: u8 = 10;

/// The last frame of a message.
pub(crate) const FIN: u8 = 0x80;

/// The request of RFC 6455 section 1.3.
pub(crate) const ASK: &str = "GET /chat HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: websocket\r\n\
     Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: http://server.example.com\r\n\
     Sec-WebSocket-Version: 13\r\n\r\n";

const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// A client's frame: `first` is FIN, reserved bits and opcode.
pub(crate) fn frame(first: u8, payload: impl AsRef<[u8]>) -> Vec<u8> {
    let payload = payload.as_ref();
    let mut frame = header(first, payload.len() as u64);
    frame.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    frame
}

/// Its first part: all but the payload.
pub(crate) fn header(first: u8, length: u64) -> Vec<u8> {
    let mut header = vec![first];
    match length {
        0..=125 => header.push(0x80 | length as u8),
        126..=0xffff => {
            header.push(0x80 | 126);
            header.extend((length as u16).to_be_bytes());
        }
        _ => {
            header.push(0x80 | 127);
            header.extend(length.to_be_bytes());
        }
    }
    header.extend(MASK);
    header
}

pub(crate) fn text(text: &str) -> Vec<u8> {
    frame(FIN | TEXT, text)
}

pub(crate) fn close(code: u16, reason: &str) -> Vec<u8> {
    frame(FIN | CLOSE, [&code.to_be_bytes(), reason.as_bytes()].concat())
}

/// A server's frame.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Said {
    pub(crate) opcode: u8,
    pub(crate) payload: Vec<u8>,
}

pub(crate) fn said(opcode: u8, payload: impl AsRef<[u8]>) -> Said {
    Said { opcode, payload: payload.as_ref().to_vec() }
}

pub(crate) fn said_close(code: u16, reason: &str) -> Said {
    said(CLOSE, [&code.to_be_bytes(), reason.as_bytes()].concat())
}

/// Whole frames, not masked, each a message of its own, with the shortest possible length (sections 5.1 and 5.2).
pub(crate) fn read(mut bytes: &[u8]) -> Vec<Said> {
    let mut frames = Vec::new();
    while let [first, second, rest @ ..] = bytes {
        assert_eq!(first & 0xf0, FIN, "a frame that is no message of its own, or has reserved bits");
        let (length, at_least, rest) = match second {
            0..=125 => (usize::from(*second), 0, rest),
            126 => (usize::from(u16::from_be_bytes(rest[..2].try_into().unwrap())), 126, &rest[2..]),
            127 => (u64::from_be_bytes(rest[..8].try_into().unwrap()) as usize, 0x1_0000, &rest[8..]),
            _ => panic!("a server's frame is not masked"),
        };
        assert!(length >= at_least, "the length could be shorter");
        frames.push(said(first & 0x0f, &rest[..length]));
        bytes = &rest[length..];
    }
    assert!(bytes.is_empty(), "half a frame");
    frames
}

/// What a handler was told, in order.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    pub(crate) fn note(&self, what: impl Into<String>) {
        self.0.lock().unwrap().push(what.into());
    }

    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

/// Sends everything back, and remembers it.
pub(crate) struct Echo(pub(crate) Log);

impl Handler for Echo {
    fn on_open(&mut self, _: &Sender) {
        self.0.note("open");
    }

    fn on_message(&mut self, peer: &Sender, message: Message) {
        self.0.note(match message.as_text() {
            Some(text) if text.len() < 40 => format!("text {text}"),
            Some(text) => format!("text of {}", text.len()),
            None => format!("binary of {}", message.as_bytes().len()),
        });
        let _ = peer.send(message);
    }

    fn on_close(&mut self, code: u16) {
        self.0.note(format!("close {code}"));
    }
}

/// A client after the handshake.
pub(crate) fn open<H: Handler>(settings: WebSocket, make: impl FnMut() -> H + Send + 'static) -> TestConn {
    let make = Mutex::new(make);
    let server = Http::new(move |request: &mut Request| settings.upgrade(request, (make.lock().unwrap())()));
    let mut client = TestConn::open(server).unwrap();
    let answer = client.send(ASK.as_bytes()).recv();
    assert!(answer.starts_with(b"HTTP/1.1 101 "), "{}", String::from_utf8_lossy(&answer));
    client
}

/// An echo, and what its handler was told since it was opened.
pub(crate) fn echo(settings: WebSocket) -> (TestConn, Log) {
    let log = Log::default();
    let handlers = log.clone();
    let client = open(settings, move || Echo(handlers.clone()));
    assert_eq!(log.take(), ["open"]);
    (client, log)
}

/// A client whose handler does nothing, and the sender that reaches it.
pub(crate) fn silent(settings: WebSocket) -> (TestConn, Sender) {
    struct Silent(std::sync::mpsc::Sender<Sender>);
    impl Handler for Silent {
        fn on_open(&mut self, peer: &Sender) {
            self.0.send(peer.clone()).expect("the test waits for it");
        }
        fn on_message(&mut self, _: &Sender, _: Message) {}
    }
    let (senders, receiver) = std::sync::mpsc::channel();
    let client = open(settings, move || Silent(senders.clone()));
    let sender = receiver.recv().unwrap();
    (client, sender)
}

pub(crate) fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// The same conversation, however it is cut: whole, in two at every place (about), byte by byte.
pub(crate) fn for_every_split(settings: &WebSocket, input: &[u8]) -> (Vec<Said>, Vec<String>, bool) {
    let converse = |pieces: &[&[u8]]| {
        let (mut client, log) = echo(settings.clone());
        let mut received = Vec::new();
        for piece in pieces {
            received.extend(client.send(piece).recv());
        }
        (read(&received), log.take(), client.is_closed())
    };
    let whole = converse(&[input]);
    for at in (0..input.len()).step_by(input.len().div_ceil(300).max(1)) {
        assert_eq!(converse(&[&input[..at], &input[at..]]), whole, "cut at {at}");
    }
    if input.len() <= 4096 {
        assert_eq!(converse(&input.chunks(1).collect::<Vec<_>>()), whole, "byte by byte");
    }
    whole
}
