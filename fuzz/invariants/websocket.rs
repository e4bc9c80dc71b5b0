//! A WebSocket. The input is what a client sends behind its handshake; the server says every message again.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use qibu::testing::TestConn;
use qibu::ws::{Handler, Message, Sender, WebSocket};
use qibu::{Http, Request};

use super::{log_everything, text};

const ASK: &[u8] =
    b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// Longest message that is taken, in bytes.
const LIMIT: usize = 300;

/// Longer inputs are not sent byte by byte, which would cost too many runs.
const MOST_SINGLE_BYTES: usize = 300;

/// Any bytes, cut anywhere: no panic, whole frames, and the same ones for every cut.
///
/// * What comes out is whole frames of a server: not masked, no reserved bits, lengths as short as can be. Each message that
///   was heard is said again, as long as nobody has said goodbye; none is over the limit, and text is UTF-8.
/// * There is one goodbye at most, nothing stands behind it, and with it the connection is closed.
/// * The handler hears of the end once, and last. A client that leaves, or falls silent, is gone after a while.
pub(crate) fn websocket(data: &[u8]) {
    log_everything();
    let whole = Played::of(&[data]);
    let sevens: Vec<&[u8]> = data.chunks(7).collect();
    assert_eq!(Played::of(&sevens), whole, "in sevens: {}", text(data));
    if data.len() <= MOST_SINGLE_BYTES {
        let single: Vec<&[u8]> = data.chunks(1).collect();
        assert_eq!(Played::of(&single), whole, "byte by byte: {}", text(data));
    }
}

#[derive(Debug, PartialEq)]
struct Played {
    said: Vec<(u8, Vec<u8>)>,
    heard: Vec<(u8, Vec<u8>)>,
    is_closed: bool,
}

/// What the handler was told: messages, and with which codes it ended.
#[derive(Clone, Default)]
struct Ear(Arc<Mutex<(Vec<Message>, Vec<u16>)>>);

impl Handler for Ear {
    fn on_message(&mut self, peer: &Sender, message: Message) {
        let (messages, ends) = &mut *self.0.lock().unwrap();
        assert!(ends.is_empty(), "a message behind the end");
        messages.push(message.clone());
        peer.send(message).expect("it is open");
    }

    fn on_close(&mut self, code: u16) {
        self.0.lock().unwrap().1.push(code);
    }
}

impl Played {
    fn of(pieces: &[&[u8]]) -> Self {
        let ear = Ear::default();
        let handler = ear.clone();
        let server = Http::new(move |request: &mut Request| {
            WebSocket::new().message_limit(LIMIT).upgrade(request, handler.clone())
        });
        let mut client = TestConn::open(server).expect("HTTP opens always");
        let head = client.send(ASK).recv();
        assert!(head.starts_with(b"HTTP/1.1 101 ") && head.ends_with(b"\r\n\r\n"));
        let mut received = Vec::new();
        for piece in pieces {
            received.extend(client.send(piece).recv());
        }
        let (said, is_closed) = (read(&received), client.is_closed());
        leave(client, &ear);
        let (messages, _) = &*ear.0.lock().unwrap();
        let heard =
            messages.iter().map(|message| (1 + u8::from(message.as_text().is_none()), message.as_bytes().to_vec()));
        let played = Self { said, heard: heard.collect(), is_closed };
        played.judge();
        played
    }

    fn judge(&self) {
        let echoes: Vec<_> = self.said.iter().filter(|(opcode, _)| *opcode < 8).cloned().collect();
        assert_eq!(echoes, self.heard);
        assert!(self.heard.iter().all(|(_, payload)| payload.len() <= LIMIT), "a message over the limit");
        let goodbyes = self.said.iter().filter(|(opcode, _)| *opcode == 8).count();
        assert_eq!(goodbyes, usize::from(self.is_closed), "{self:?}");
        assert!(goodbyes == 0 || self.said.last().is_some_and(|(opcode, _)| *opcode == 8), "{self:?}");
    }
}

/// The client says nothing more, and in the end it is gone.
fn leave(mut client: TestConn, ear: &Ear) {
    for _ in 0..4 {
        client.advance(Duration::from_secs(31));
    }
    assert!(client.is_closed(), "a silent client is kept");
    drop(client);
    assert_eq!(ear.0.lock().unwrap().1.len(), 1, "the handler hears of the end once");
}

/// A server's frames (RFC 6455 section 5.2), of which it sends whole messages.
fn read(mut bytes: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let mut frames = Vec::new();
    while let [first, second, rest @ ..] = bytes {
        assert_eq!(first & 0xf0, 0x80, "no whole message");
        let (length, rest) = match second {
            0..=125 => (usize::from(*second), rest),
            126 => (usize::from(u16::from_be_bytes([rest[0], rest[1]])), &rest[2..]),
            _ => panic!("masked, or longer than any message here"),
        };
        assert!(*second != 126 || length > 125, "the length could be shorter");
        assert!(first & 8 == 0 || length <= 125, "a long control frame");
        assert!(*first != 0x81 || std::str::from_utf8(&rest[..length]).is_ok(), "text that is not UTF-8");
        frames.push((first & 0x0f, rest[..length].to_vec()));
        bytes = &rest[length..];
    }
    assert!(bytes.is_empty(), "half a frame");
    frames
}
