//! Field lines. Each line of the input is a field: its name, a colon, its value with white space around it, taken as they
//! are but for bytes that no name or value may have, which are left out. So it is known what is sent.

use std::sync::{Arc, Mutex};

use qibu::testing::TestConn;
use qibu::{Http, Request};

use super::answers::{self, Answer, Asked, Read};
use super::grammar::{self, Field};
use super::log_everything;

/// `header`, `header_bytes`, `header_values` and `headers` show exactly the fields that were sent, in their order, in any
/// case, before and after the map is built; or the request is refused, for a reason.
pub(crate) fn fields(data: &[u8]) {
    log_everything();
    let lines: Vec<_> = data.split(|byte| *byte == b'\n').filter_map(Line::parse).take(MOST_LINES).collect();
    let mut sent = vec![("host".to_owned(), b"a".to_vec())];
    sent.extend(lines.iter().map(Line::field));
    let outcome = ask(&lines, sent.clone());
    if outcome.is_seen {
        return;
    }
    let answer = final_answer(&outcome.received);
    assert!(matches!(answer.status, 400 | 413 | 417 | 431 | 501), "{answer:?}");
    assert!(answer.closes(), "{answer:?}");
    let is_reason = |(name, _): &Field| REASONS.contains(&&**name);
    assert!(sent.len() > 100 || sent[1..].iter().any(is_reason), "refused for no reason: {answer:?} {sent:?}");
}

/// The last answer; 100 may stand before it, for a client that waits with its body.
fn final_answer(received: &[u8]) -> Answer {
    match answers::read(received, |_| Asked::ForAll) {
        Read::Whole(interim, rest) if interim.is_interim() => final_answer(rest),
        Read::Whole(answer, b"") => answer,
        other => panic!("{other:?} is not one answer"),
    }
}

/// Only these fields can be wrong in themselves, or promise a body that does not come.
const REASONS: [&str; 4] = ["host", "content-length", "transfer-encoding", "expect"];

/// More than the server takes.
const MOST_LINES: usize = 120;

struct Line {
    name: Vec<u8>,
    /// With the white space around it.
    value: Vec<u8>,
}

impl Line {
    fn parse(line: &[u8]) -> Option<Self> {
        let colon = line.iter().position(|byte| *byte == b':').unwrap_or(line.len());
        let (name, value) = (&line[..colon], line.get(colon + 1..).unwrap_or_default());
        let name: Vec<u8> = name.iter().copied().filter(|byte| grammar::is_token(&[*byte])).collect();
        let value = value.iter().copied().filter(|byte| matches!(byte, b'\t' | b' '..=b'~' | 0x80..)).collect();
        (!name.is_empty()).then_some(Self { name, value })
    }

    fn field(&self) -> Field {
        (String::from_utf8_lossy(&self.name).to_ascii_lowercase(), grammar::trim(&self.value).to_vec())
    }
}

struct Outcome {
    /// Whether the request came to the handler, which has looked at it.
    is_seen: bool,
    received: Vec<u8>,
}

fn ask(lines: &[Line], sent: Vec<Field>) -> Outcome {
    let is_seen = Arc::new(Mutex::new(false));
    let mark = is_seen.clone();
    let http = Http::new(move |request: &mut Request| {
        check(request, &sent);
        *mark.lock().expect("nobody panics while it holds this") = true;
    });
    let mut conn = TestConn::open(http).expect("HTTP opens every connection");
    let mut head = b"GET / HTTP/1.1\r\nHost: a\r\n".to_vec();
    for Line { name, value } in lines {
        head.extend([name, &b":"[..], value, b"\r\n"].concat());
    }
    conn.send(&head).send(b"\r\n").finish();
    let is_seen = *is_seen.lock().expect("nobody panics while it holds this");
    Outcome { is_seen, received: conn.recv() }
}

fn check(request: &mut Request, sent: &[Field]) {
    check_values(request, sent);
    let absent = ["", "x-absent", "a b", "\u{e9}", "host:"];
    assert!(absent.iter().all(|name| request.header(name).is_none() || sent.iter().any(|(sent, _)| sent == name)));
    let names: Vec<_> = request.headers().keys().map(ToString::to_string).collect();
    assert!(names.iter().all(|name| sent.iter().any(|(known, _)| known == name)), "{names:?} of {sent:?}");
    assert_eq!(request.headers().len(), sent.len(), "{sent:?}");
    check_values(request, sent);
    assert!(absent.iter().all(|name| request.header(name).is_none() || sent.iter().any(|(sent, _)| sent == name)));
    let changed = request.headers_mut().remove("host").is_some();
    assert!(changed && request.header("host").is_none() && request.header_values("Host").next().is_none());
}

fn check_values(request: &Request, sent: &[Field]) {
    for (name, _) in sent {
        let expected: Vec<&[u8]> = sent.iter().filter(|(known, _)| known == name).map(|(_, value)| &**value).collect();
        for name in [name.clone(), name.to_ascii_uppercase(), mixed(name)] {
            assert_eq!(request.header_values(&name).collect::<Vec<_>>(), expected, "{name}");
            assert_eq!(request.header_bytes(&name), Some(expected[0]), "{name}");
            assert_eq!(request.header(&name), std::str::from_utf8(expected[0]).ok(), "{name}");
        }
    }
}

/// `hOsT`
fn mixed(name: &str) -> String {
    let mixed = name.char_indices().map(|(index, char)| if index % 2 == 0 { char } else { char.to_ascii_uppercase() });
    mixed.collect()
}
