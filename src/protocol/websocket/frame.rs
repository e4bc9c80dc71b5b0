//! Frames that we send (RFC 6455 section 5.2), ready for the wire.
//!
//! A server's frames are not masked, so one frame is the same bytes for every client: it is made once, and shared.

use bytes::Bytes;
use tungstenite::protocol::CloseFrame;
use tungstenite::protocol::frame::Frame;
use tungstenite::protocol::frame::coding::{CloseCode, Data, OpCode};

use super::{Message, Text};

/// The longest reason: a control frame has 125 bytes, two of which are the code (RFC 6455 section 5.5).
const MAX_REASON_BYTES: usize = 123;

/// The final frame of a close: opcode 8, FIN.
const CLOSE: u8 = 0x88;

pub(super) fn of(message: &Message) -> Bytes {
    let frame = match message {
        Message::Text(Text(text)) => Frame::message(text.clone(), OpCode::Data(Data::Text), true),
        Message::Binary(bytes) => Frame::message(bytes.clone(), OpCode::Data(Data::Binary), true),
    };
    to_bytes(frame)
}

pub(super) fn ping() -> Bytes {
    to_bytes(Frame::ping(Bytes::new()))
}

/// A code that must not be sent becomes 1000; a long reason loses its end.
pub(super) fn close(code: u16, reason: &str) -> Bytes {
    to_bytes(Frame::close(Some(farewell(code, reason))))
}

pub(super) fn farewell(code: u16, reason: &str) -> CloseFrame {
    let code = Some(CloseCode::from(code)).filter(|code| code.is_allowed()).unwrap_or(CloseCode::Normal);
    CloseFrame { code, reason: reason[..reason.floor_char_boundary(MAX_REASON_BYTES)].into() }
}

/// What a frame made by [`close`] says; `None` for any other.
pub(super) fn as_farewell(frame: &Bytes) -> Option<CloseFrame> {
    let [CLOSE, _length, high, low, reason @ ..] = &frame[..] else { return None };
    Some(farewell(u16::from_be_bytes([*high, *low]), std::str::from_utf8(reason).unwrap_or_default()))
}

fn to_bytes(frame: Frame) -> Bytes {
    let mut bytes = Vec::with_capacity(frame.len());
    frame.format(&mut bytes).expect("writing to memory cannot fail");
    bytes.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_close_frame_never_says_what_must_not_be_said() {
        for (code, sent) in [(1000, 1000), (1001, 1001), (3000, 3000), (4999, 4999)] {
            assert_eq!(close(code, "x"), [&[0x88, 3][..], &u16::to_be_bytes(sent), b"x"].concat(), "{code}");
        }
        for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, u16::MAX] {
            assert_eq!(close(code, "")[..], [0x88, 2, 3, 232], "{code}");
        }
    }

    #[test]
    fn a_long_reason_is_cut_between_two_characters() {
        let frame = close(1000, &"ü".repeat(100));
        assert_eq!(frame.len(), 2 + 2 + 122);
        assert_eq!(as_farewell(&frame).unwrap().reason, "ü".repeat(61));
    }

    #[test]
    fn only_a_close_frame_is_a_farewell() {
        assert_eq!(as_farewell(&close(4000, "bye")).map(|said| (said.code.into(), said.reason)), {
            Some((4000, "bye".into()))
        });
        assert_eq!(as_farewell(&of(&"\u{88}text".into())), None);
        assert_eq!(as_farewell(&ping()), None);
    }
}
