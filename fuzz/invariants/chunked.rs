//! The chunked transfer coding. The input is what follows the head of a request that says `Transfer-Encoding: chunked`.

use std::sync::{Arc, Mutex};

use qibu::testing::TestConn;
use qibu::{Handler, Http, IntoResponse, Request, Response, streaming};

use super::grammar::{self, Chunked, Field};
use super::{answers, log_everything, text};

/// The body and the trailer fields that a handler gets are those that RFC 9112 section 7.1 says, however the bytes are
/// cut, or the request is refused; and what follows is the next request: nothing is smuggled.
pub(crate) fn chunked(data: &[u8]) {
    log_everything();
    let expected = grammar::dechunk(data).filter(is_within_limits);
    let bytes = [HEAD, data].concat();
    for piece in [bytes.len(), 1, 2 + data.len() / 3] {
        if piece == 1 && data.len() > MOST_SINGLE_BYTES {
            continue;
        }
        let server = Server::fed(&bytes, piece);
        match (&expected, &server.seen()[..]) {
            (Some(expected), [first, ..]) => assert_is(expected, first, data),
            (None, []) => assert_refused(&server, data),
            (Some(expected), []) => panic!("{} was refused, but is {expected:?}", text(data)),
            (None, [first, ..]) => panic!("{} was taken, as {first:?}", text(data)),
        }
        if let Some(expected) = &expected
            && piece == bytes.len()
        {
            assert_rest(expected, &server);
        }
    }
}

/// The same where the handler reads the body while it arrives. So much stands before the input that it has begun by then.
pub(crate) fn streamed(data: &[u8]) {
    log_everything();
    let before = [format!("{BEFORE:x}\r\n").as_bytes(), &[b'b'; BEFORE], b"\r\n"].concat();
    let expected = grammar::dechunk(data).filter(is_within_limits);
    let expected = expected.map(|chunked| Chunked { body: [&[b'b'; BEFORE][..], &chunked.body].concat(), ..chunked });
    let server = Server::read_while_it_arrives(&[HEAD, &before].concat(), data, 1 + data.len() / 7);
    match (&expected, &server.seen()[..]) {
        (Some(expected), [first, ..]) => assert_is(expected, first, data),
        (None, []) => assert_refused(&server, data),
        (Some(_), []) => panic!("{} was refused", text(data)),
        (None, [_, ..]) => panic!("{} was taken", text(data)),
    }
    if let Some(expected) = &expected {
        assert_rest(expected, &server);
    }
}

/// More than what is collected before the handler is started, in bytes.
const BEFORE: usize = 256 * 1024 + 1;

const HEAD: &[u8] = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";

/// Longer inputs are not sent byte by byte, which would cost too many runs.
const MOST_SINGLE_BYTES: usize = 300;

/// What the library refuses though the grammar allows it: its limits, in bytes, digits and fields.
fn is_within_limits(chunked: &Chunked<'_>) -> bool {
    let is_short = chunked.extension_bytes <= 16 * 1024 && chunked.trailer_bytes <= 8 * 1024;
    is_short && chunked.size_digits <= 16 && chunked.trailers.len() <= 64
}

/// A body as the handler saw it.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    body: Vec<u8>,
    trailers: Vec<Field>,
}

/// A handler that notes what it was asked, if it could be read to its end.
#[derive(Default)]
struct Noting {
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Handler for Noting {
    fn handle(&self, request: &mut Request) -> Response {
        let body = request.bytes().map(|body| body.to_vec());
        let note = |body| {
            let trailers = request.trailers().iter();
            let trailers = trailers.map(|(name, value)| (name.to_string(), value.as_bytes().to_vec())).collect();
            self.seen.lock().expect("no test panics while it holds this").push(Seen { body, trailers });
            "taken"
        };
        body.map(note).into_response()
    }
}

/// A connection on which everything was said.
struct Server {
    seen: Arc<Mutex<Vec<Seen>>>,
    received: Vec<u8>,
}

impl Server {
    fn fed(bytes: &[u8], piece: usize) -> Self {
        Self::converse(Http::new, &[], bytes, piece)
    }

    fn read_while_it_arrives(before: &[u8], bytes: &[u8], piece: usize) -> Self {
        Self::converse(|handler| Http::new(streaming(handler)), before, bytes, piece)
    }

    fn converse(http: impl FnOnce(Noting) -> Http, before: &[u8], bytes: &[u8], piece: usize) -> Self {
        let noting = Noting::default();
        let seen = noting.seen.clone();
        let mut conn = TestConn::open(http(noting)).expect("HTTP opens every connection");
        for piece in std::iter::once(before).chain(bytes.chunks(piece.max(1))) {
            conn.send(piece);
        }
        conn.finish();
        while !conn.is_closed() && conn.wait_for_mail() {}
        let received = conn.recv();
        assert!(conn.is_closed(), "the client has finished, but the server does not close: {}", text(bytes));
        Self { seen, received }
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, Vec<Seen>> {
        self.seen.lock().expect("no test panics while it holds this")
    }

    /// What follows the first answer.
    fn behind_the_first(&self) -> &[u8] {
        match answers::read(&self.received, |_| answers::Asked::ForAll) {
            answers::Read::Whole(_, behind) => behind,
            answers::Read::Cut => panic!("the first answer is cut: {}", text(&self.received)),
        }
    }
}

fn assert_is(expected: &Chunked<'_>, seen: &Seen, data: &[u8]) {
    assert_eq!(text(&seen.body), text(&expected.body), "the body of {}", text(data));
    // RFC 9110 §6.5.1: what frames or routes a message is not taken from a trailer.
    let is_kept = |(name, _): &&Field| !matches!(&**name, "content-length" | "transfer-encoding" | "host");
    let trailers = expected.trailers.iter().filter(is_kept).cloned().collect();
    assert_eq!(by_name(seen.trailers.clone()), by_name(trailers), "the trailers of {}", text(data));
}

/// A map keeps the order of the values of a name, not that of the names.
fn by_name(mut fields: Vec<Field>) -> Vec<Field> {
    fields.sort_by(|(one, _), (other, _)| one.cmp(other));
    fields
}

fn assert_refused(server: &Server, data: &[u8]) {
    let answer = answers::read(&server.received, |_| answers::Asked::ForAll);
    let answers::Read::Whole(answer, b"") = answer else { panic!("{answer:?} to {}", text(data)) };
    assert!(answer.status == 400 && answer.closes(), "{answer:?} to {}", text(data));
}

/// What stands behind the body means the same as on a connection of its own.
fn assert_rest(expected: &Chunked<'_>, server: &Server) {
    let alone = Server::fed(expected.rest, expected.rest.len());
    assert_eq!(text(server.behind_the_first()), text(&alone.received), "the answers to {}", text(expected.rest));
    assert_eq!(server.seen()[1..], alone.seen()[..], "the requests in {}", text(expected.rest));
}
