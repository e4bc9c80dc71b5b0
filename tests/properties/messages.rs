//! What a client may send: requests built from the grammar of RFC 9112, and the same ones spoilt.
//!
//! A message is a request line, field lines in any order, and a body framed as one of them says. [`well_formed`] makes only
//! what every server must take; [`conversation`] puts several behind each other, some with framing fields that do not fit
//! or with bytes that were changed, which is where two readers come apart.

use std::fmt;

use proptest::collection::vec;
use proptest::prelude::any as arbitrary;
use proptest::prelude::{BoxedStrategy, Just, Strategy, prop_oneof};
use proptest::sample::{Index, select};
use proptest::strategy::Union;

/// Bytes that a client sends; shown as text.
#[derive(Clone)]
pub(crate) struct Said(pub(crate) Vec<u8>);

/// A message that nobody may refuse.
pub(crate) fn well_formed() -> impl Strategy<Value = Said> {
    proper().prop_map(Said)
}

/// Messages behind each other, some of them odd.
pub(crate) fn conversation() -> impl Strategy<Value = Said> {
    vec(any(), 1..4).prop_map(|messages| Said(messages.concat()))
}

/// One message, often odd.
pub(crate) fn any_message() -> impl Strategy<Value = Said> {
    any().prop_map(Said)
}

fn proper() -> BoxedStrategy<Vec<u8>> {
    message(line(select(vec!["HTTP/1.1", "HTTP/1.1", "HTTP/1.2"])), proper_framing(), "Host: a.example\r\n")
}

fn any() -> BoxedStrategy<Vec<u8>> {
    let odd = message(line(odd_version()), prop_oneof![3 => proper_framing(), 2 => odd_framing()].boxed(), "");
    let spoilt = (prop_oneof![proper(), odd.clone()], vec(edit(), 1..3))
        .prop_map(|(message, edits)| edits.into_iter().fold(message, |message, edit| edit.of(message)));
    prop_oneof![3 => proper(), 3 => odd, 4 => spoilt].boxed()
}

impl fmt::Debug for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0.escape_ascii())
    }
}

/// The parts of a message put together: `framing` is its field lines and its body.
fn message(
    line: BoxedStrategy<Vec<u8>>,
    framing: BoxedStrategy<(Vec<u8>, Vec<u8>)>,
    always: &'static str,
) -> BoxedStrategy<Vec<u8>> {
    let fields = vec(if always.is_empty() { odd_field() } else { field() }, 0..5);
    let empty_lines = prop_oneof![9 => Just(""), 1 => Just("\r\n")];
    (empty_lines, line, fields, framing, arbitrary::<Index>())
        .prop_map(move |(empty_lines, line, mut fields, (framing, body), place)| {
            let place = place.index(fields.len() + 1);
            fields.insert(place, framing);
            [empty_lines.as_bytes(), &line, always.as_bytes(), &fields.concat(), b"\r\n", &body].concat()
        })
        .boxed()
}

// ---- request lines ----

fn line(version: impl Strategy<Value = &'static str> + 'static) -> BoxedStrategy<Vec<u8>> {
    let methods =
        vec!["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "BREW", "get", "M-SEARCH", "!#$%&'*+.^_`|~"];
    (select(methods), target(), version)
        .prop_map(|(method, target, version)| format!("{method} {target} {version}\r\n").into_bytes())
        .boxed()
}

fn target() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => "/[a-zA-Z0-9._~!$&'()*+,;=:@%/-]{0,20}(\\?[a-zA-Z0-9._~!$&'()*+,;=:@%/?-]{0,12})?",
        1 => "http://[a-z0-9.-]{1,9}(:[0-9]{0,5})?(/[a-z%]{0,6})?(\\?[a-z=]{0,5})?",
        1 => "/[ -~]{0,12}".prop_map(|path| path.replace(['#', ' '], "|")),
    ]
}

fn odd_version() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        6 => select(vec!["HTTP/1.1", "HTTP/1.0"]),
        1 => select(vec!["HTTP/1.9", "HTTP/2.0", "HTTP/0.9", "HTTP/1.10", "http/1.1", "HTTP/1", "HTTP/11", "HTTP/1.1 ", "ICY/1.1", ""]),
    ]
}

// ---- fields ----

fn field() -> BoxedStrategy<Vec<u8>> {
    let any_value = vec(prop_oneof![8 => b' '..=b'~', 1 => Just(b'\t'), 1 => 0x80..=0xff_u8], 0..16);
    let any_name = "X[a-zA-Z0-9!#$%&'*+.^_`|~-]{0,8}";
    let known = vec![
        "Connection: keep-alive\r\n",
        "Connection: close\r\n",
        "connection: x , CLOSE,,\r\n",
        "Connection: Keep-Alive, upgrade\r\n",
        "Upgrade: websocket\r\n",
        "Expect: 100-continue\r\n",
        "TE: trailers, deflate;q=0.5\r\n",
        "Trailer: x-sum\r\n",
        "Accept:\r\n",
        "Content_Length: 5\r\n",
    ];
    let ows = select(vec!["", " ", "\t", " \t "]);
    prop_oneof![
        2 => select(known).prop_map(|line| line.as_bytes().to_vec()),
        3 => (any_name, ows.clone(), any_value, ows).prop_map(|(name, before, value, behind)| {
            [name.as_bytes(), b":", before.as_bytes(), &value, behind.as_bytes(), b"\r\n"].concat()
        }),
    ]
    .boxed()
}

fn odd_field() -> BoxedStrategy<Vec<u8>> {
    let hosts = vec![
        "a",
        "a:80",
        "a:",
        "",
        ":80",
        "[::1]",
        "[::1]:80",
        "[::1",
        "[fe80::1%25eth0]",
        "[v1.a]",
        "a b",
        "a/b",
        "u@a",
        "a:b",
        "a,b",
        "%41",
        "%4",
        "::1",
        "a_b",
        "127.0.0.1:8080",
        "\u{e4}",
    ];
    let odd = vec![
        "Expect: 200-ok\r\n",
        "Expect: ,100-Continue,\r\n",
        "X y: z\r\n",
        "X : y\r\n",
        ": x\r\n",
        "X\r\n",
        "X: a\r\n b\r\n",
        "X: a\r\n\tTransfer-Encoding: chunked\r\n",
        " X: a\r\n",
        "X: a\nY: b\r\n",
        "X: a\rY: b\r\n",
        "X: \0\r\n",
        "X: \x0b\r\n",
        "\r\n",
    ];
    prop_oneof![
        4 => Just(b"Host: a\r\n".to_vec()),
        2 => select(hosts).prop_map(|host| format!("host: {host}\r\n").into_bytes()),
        1 => select(odd).prop_map(|line| line.as_bytes().to_vec()),
        3 => field(),
    ]
    .boxed()
}

// ---- framing: field lines, and a body ----

type Framing = BoxedStrategy<(Vec<u8>, Vec<u8>)>;

fn proper_framing() -> Framing {
    let sized = (content(), "0{0,3}")
        .prop_map(|(body, zeros)| (format!("Content-Length: {zeros}{}\r\n", body.len()).into_bytes(), body));
    let coding = select(vec!["Transfer-Encoding: chunked\r\n", "transfer-encoding:CHUNKED \r\n"]);
    let chunked = (coding, chunks()).prop_map(|(coding, body)| (coding.as_bytes().to_vec(), body));
    prop_oneof![3 => Just((Vec::new(), Vec::new())), 2 => sized, 3 => chunked].boxed()
}

fn odd_framing() -> Framing {
    let lines = vec![
        "Content-Length: 5\r\nContent-Length: 5\r\n",
        "Content-Length: 5\r\nContent-Length: 0\r\n",
        "Content-Length: 5, 5\r\n",
        "Content-Length: 5,\r\n",
        "Content-Length: +5\r\n",
        "Content-Length: -0\r\n",
        "Content-Length: 0x5\r\n",
        "Content-Length: 5 \r\n",
        "Content-Length: 5 5\r\n",
        "Content-Length:\r\n",
        "Content-Length: 18446744073709551616\r\n",
        "Content-Length : 5\r\n",
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
        "Transfer-Encoding: chunked, chunked\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: gzip, chunked\r\n",
        "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked, identity\r\n",
        "Transfer-Encoding: identity\r\n",
        "Transfer-Encoding: chunked;q=1\r\n",
        "Transfer-Encoding: ,chunked\r\n",
        "Transfer-Encoding: \"chunked\"\r\n",
        "Transfer-Encoding: x\x0bchunked\r\n",
        "Transfer-Encoding:\r\n chunked\r\n",
        "Transfer-Encoding:\r\n",
        "Transfer_Encoding: chunked\r\n",
        "Transfer-Encoding : chunked\r\n",
    ];
    let body = prop_oneof![Just(b"5\r\nhello\r\n0\r\n\r\n".to_vec()), Just(b"hello".to_vec()), chunks()];
    (select(lines), body).prop_map(|(lines, body)| (lines.as_bytes().to_vec(), body)).boxed()
}

/// Bytes that look like messages, among others.
fn content() -> BoxedStrategy<Vec<u8>> {
    let parts: Vec<&[u8]> = vec![
        b"hello",
        b"\r\n",
        b"0\r\n\r\n",
        b"GET /evil HTTP/1.1\r\nHost: evil\r\n\r\n",
        b"\0\xff",
        b"5\r\n",
        b"\n",
        b":",
    ];
    vec(select(parts), 0..4).prop_map(|parts| parts.concat()).boxed()
}

fn chunks() -> BoxedStrategy<Vec<u8>> {
    let extensions = vec!["", "", "", ";a", ";a=b", ";a=\"b;c\"", " ;a", "\t; a=b", ";a=\"\\\"\u{e4}\""];
    let trailers =
        vec!["", "", "x-sum: 1\r\n", "Content-Length: 9\r\n", "Host: b\r\nX-A:\r\n", "Transfer-Encoding: chunked\r\n"];
    let chunk = ("0{0,3}", content(), select(extensions.clone()), arbitrary::<bool>());
    (vec(chunk, 0..4), select(vec!["0", "000"]), select(extensions), select(trailers))
        .prop_map(|(chunks, last, extension, trailers)| {
            let mut coded = Vec::new();
            for (zeros, data, extension, is_upper) in chunks.into_iter().filter(|(_, data, ..)| !data.is_empty()) {
                let size = if is_upper { format!("{:X}", data.len()) } else { format!("{:x}", data.len()) };
                coded.extend([format!("{zeros}{size}{extension}\r\n").as_bytes(), &data, b"\r\n"].concat());
            }
            coded.extend(format!("{last}{extension}\r\n{trailers}\r\n").bytes());
            coded
        })
        .boxed()
}

// ---- what goes wrong on the way ----

/// A change at a place.
#[derive(Debug, Clone)]
enum Edit {
    Insert(Index, &'static [u8]),
    Replace(Index, &'static [u8]),
    Remove(Index),
    /// All behind it is missing.
    Cut(Index),
    /// A line stands there twice.
    Double(Index),
}

fn edit() -> impl Strategy<Value = Edit> {
    let place = arbitrary::<Index>;
    let edits: Vec<(u32, BoxedStrategy<Edit>)> = vec![
        (5, (place(), select(SPOILERS)).prop_map(|(at, bytes)| Edit::Insert(at, bytes)).boxed()),
        (4, (place(), select(SPOILERS)).prop_map(|(at, bytes)| Edit::Replace(at, bytes)).boxed()),
        (3, place().prop_map(Edit::Remove).boxed()),
        (1, place().prop_map(Edit::Cut).boxed()),
        (1, place().prop_map(Edit::Double).boxed()),
    ];
    Union::new_weighted(edits)
}

impl Edit {
    fn of(self, mut message: Vec<u8>) -> Vec<u8> {
        let place = |at: Index| at.index(message.len().max(1)).min(message.len().saturating_sub(1));
        match self {
            _ if message.is_empty() => {}
            Self::Insert(at, bytes) => {
                let at = place(at);
                message.splice(at..at, bytes.iter().copied());
            }
            Self::Replace(at, bytes) => {
                let at = place(at);
                message.splice(at..=at, bytes.iter().copied());
            }
            Self::Remove(at) => {
                message.remove(place(at));
            }
            Self::Cut(at) => message.truncate(place(at)),
            Self::Double(at) => {
                let lines: Vec<_> = message.split_inclusive(|byte| *byte == b'\n').collect();
                let at = at.index(lines.len());
                message = [&lines[..=at], &lines[at..]].concat().concat();
            }
        }
        message
    }
}

/// What separates, ends, hides or frames.
const SPOILERS: &[&[u8]] = &[
    b"\r",
    b"\n",
    b"\r\n",
    b"\r\n\r\n",
    b" ",
    b"\t",
    b"\0",
    b"\x0b",
    b"\x0c",
    b"\x1f",
    b"\x7f",
    b"\x80",
    b"\xff",
    b"\xc3\xa4",
    b":",
    b";",
    b",",
    b"\"",
    b"%",
    b"#",
    b"?",
    b"/",
    b"\\",
    b"0",
    b"1",
    b"f",
    b"-",
    b"_",
    b"a",
    b"G",
    b"http://",
    b"Host: b\r\n",
    b"Connection: close\r\n",
    b"Content-Length: 5\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"GET /evil HTTP/1.1\r\nHost: evil\r\n\r\n",
];
