//! Cookies. Each line of the input is a `Cookie` field, sent as it is but for bytes that no value may have. The server sets the
//! first of the cookies again.

use std::sync::{Arc, Mutex};

use qibu::cookies::Cookie;
use qibu::testing::TestConn;
use qibu::{Http, Request, Response};

use super::answers::{self, Answer, Asked, Read};
use super::{grammar, log_everything, text};

/// `cookie` and `cookies` show what RFC 6265 section 4.2 says, in order; and a `Set-Cookie` has the name, the value and the
/// attributes that it was given, or the answer is 500: no cookie can add an attribute or a field.
pub(crate) fn cookies(data: &[u8]) {
    log_everything();
    let fields: Vec<Vec<u8>> = data.split(|byte| *byte == b'\n').take(MOST_FIELDS).map(sendable).collect();
    let expected: Vec<Pair> = fields.iter().flat_map(|field| read(field)).collect();
    let (seen, answer) = ask(&fields);
    assert_eq!(seen, expected, "{}", text(data));
    let set = answer.field("set-cookie");
    match expected.first() {
        Some((name, value)) if grammar::is_token(name.as_bytes()) && value.bytes().all(is_cookie_octet) => {
            let expected = format!("{name}={value}; HttpOnly; SameSite=Lax; Path=/");
            assert_eq!((answer.status, set), (200, Some(expected.as_bytes())), "{}", text(data));
        }
        Some(_) => assert_eq!((answer.status, set), (500, None), "{expected:?}"),
        None => assert_eq!((answer.status, set), (200, None)),
    }
}

type Pair = (String, String);

/// More say nothing new.
const MOST_FIELDS: usize = 20;

/// Without bytes that no value may have, and without the white space around it.
fn sendable(field: &[u8]) -> Vec<u8> {
    let field: Vec<u8> = field.iter().copied().filter(|byte| matches!(byte, b'\t' | b' '..=b'~' | 0x80..)).collect();
    grammar::trim(&field).to_vec()
}

/// Pairs between semicolons, in text; quotes around a value are not part of it (RFC 6265 section 4.1.1).
fn read(field: &[u8]) -> Vec<Pair> {
    if std::str::from_utf8(field).is_err() {
        return Vec::new();
    }
    let pair = |pair: &[u8]| {
        let equals = pair.iter().position(|byte| *byte == b'=')?;
        let (name, value) = (grammar::trim(&pair[..equals]), grammar::trim(&pair[equals + 1..]));
        let value = if let [b'"', inner @ .., b'"'] = value { inner } else { value };
        let string = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("a part of text, cut at ASCII");
        (!name.is_empty()).then(|| (string(name), string(value)))
    };
    field.split(|byte| *byte == b';').filter_map(pair).collect()
}

/// RFC 6265 section 4.1.1.
fn is_cookie_octet(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b"\",;\\".contains(&byte)
}

fn ask(fields: &[Vec<u8>]) -> (Vec<Pair>, Answer) {
    let seen: Arc<Mutex<Vec<Pair>>> = Arc::default();
    let book = seen.clone();
    let http = Http::new(move |request: &mut Request| {
        let all: Vec<_> = request.cookies().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        for (name, _) in &all {
            let first = all.iter().find(|(known, _)| known == name).map(|(_, value)| &**value);
            assert_eq!(request.cookie(name), first, "{name}");
        }
        let answer = Response::text("seen");
        let answer = match all.first() {
            Some((name, value)) => answer.with_cookie(Cookie::new(name, value)),
            None => answer,
        };
        *book.lock().expect("nobody panics while it holds this") = all;
        answer
    });
    let mut conn = TestConn::open(http).expect("HTTP opens every connection");
    conn.send(b"GET / HTTP/1.1\r\nHost: a\r\n");
    for field in fields {
        conn.send(&[b"Cookie: ", &field[..], b"\r\n"].concat());
    }
    conn.send(b"\r\n");
    let received = conn.recv();
    let Read::Whole(answer, b"") = answers::read(&received, |_| Asked::ForAll) else { panic!("{}", text(&received)) };
    let seen = seen.lock().expect("nobody panics while it holds this").clone();
    (seen, answer)
}
