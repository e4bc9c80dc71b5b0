//! A whole HTTP/1 session. The input is a script, a line feed, and the bytes that the client sends:
//!
//! ```text
//! 3 X7 l w l         send 3 bytes, then 17, then to the end of the line, take 1 byte, send another line; then the rest
//! GET / HTTP/1.1
//! Host: a
//! …
//! ```
//!
//! | in the script | what happens |
//! |---|---|
//! | `1` … `9` `X` `C` `M` | so many bytes are sent; neighbours add up: `CX3` is 113 in one piece, `C X 3` three pieces |
//! | `l` | what is left of the line is sent, with its end |
//! | `w` `W` `o` | the client takes 1 byte more, 100 bytes more, as many as there are |
//! | `r` | an answer that was put off is given |
//! | `p` | a stream gets its next piece |
//! | `.` `:` `!` | a second, ten seconds, or as much time passes as the server waits for |
//! | `f` | the client finishes |
//! | `q` | the server is to shut down |
//! | `s` | limits are small in this session |
//!
//! Other characters mean nothing. In the end the rest is sent, all is answered and taken, and the client finishes.

mod play;
mod script;
mod site;

use self::play::{Play, Played};
use self::script::{Limits, Script};
use super::{log_everything, text};

/// Any bytes, cut anywhere: no panic, no hang, whole HTTP answers to what was asked, and the same ones for every cut.
///
/// * What comes out is a sequence of well-formed answers, in the order of the requests. It may be cut at its end only if
///   the connection was closed, for lack of time or of a producer.
/// * While a connection is open, the server has a deadline, and once it has passed something has changed. When the
///   client has finished and all is answered, the connection is closed.
/// * Without clock, half-close and shutdown, all cuts, windows and delays of the same bytes lead to the same answers.
/// * An empty line before the first request, or behind the last, is no request and changes nothing (RFC 9112 section 2.2).
pub(crate) fn http1_session(data: &[u8]) {
    log_everything();
    let (script, bytes) = match data.iter().position(|byte| *byte == b'\n') {
        Some(end) => (Script::parse(&data[..end]), &data[end + 1..]),
        None => (Script::parse(b""), data),
    };
    let scripted = Play::of(&script, bytes);
    if script.is_about_time() {
        return;
    }
    assert_same(&Play::of(&script.at_once(), bytes), &scripted, bytes);
    // Behind half an empty line, a whole one is none.
    let may_follow = scripted.ended_well() && !bytes.ends_with(b"\r");
    let behind: &[u8] = if may_follow { b"\r\n" } else { b"" };
    let padded = [b"\r\n", bytes, behind].concat();
    if script.limits == Limits::Usual {
        assert_same(&Play::of(&script.at_once(), &padded), &scripted, &padded);
    }
    if bytes.len() <= MOST_SINGLE_BYTES {
        assert_same(&Play::of(&script.byte_by_byte(bytes.len()), bytes), &scripted, bytes);
    }
}

/// Longer inputs are not sent byte by byte, which would cost too many runs.
const MOST_SINGLE_BYTES: usize = 300;

#[track_caller]
fn assert_same(one: &Played, other: &Played, bytes: &[u8]) {
    assert!(
        one.is_like(other),
        "the same bytes in two ways:\n {}\nlead to two answers:\n {}\n {}",
        text(bytes),
        one.summary(),
        other.summary(),
    );
}
