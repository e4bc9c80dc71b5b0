//! Our request parser and an independent one (`fuzz/invariants/requests.rs`), held against each other on generated messages.
//!
//! * What every server must take is taken, and both read the same.
//! * What is taken, of any bytes, the grammar allows, and both read the same: method, target, version, fields, body,
//!   trailers, where the message ends, and whether another may follow.
//! * What is refused the grammar forbids, or it is refused for one of the reasons in [`CHOSEN`].
//!
//! How the bytes are cut is chosen, too. `PROPTEST_CASES=50000` takes so many for each of the two tests instead of the few
//! thousand of an ordinary run; what fails is made small and printed. `tests/h11/run` asks a third parser.

#[path = "../../fuzz/invariants/mod.rs"]
mod invariants;
mod messages;

use std::fmt::Write;
use std::fs;
use std::sync::{Arc, Mutex};

use invariants::answers::{self, Asked, Read};
use invariants::requests;
use invariants::text;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use qibu::testing::TestConn;
use qibu::{Http, Request, Version};

proptest! {
    #![proptest_config(Config { cases: cases(), failure_persistence: None, ..Config::default() })]

    #[test]
    fn what_every_server_must_take_is_taken(message in messages::well_formed(), piece in 1..200_usize) {
        let ours = Server::fed(&message.0, piece);
        prop_assert_eq!(ours.requests.len(), 1, "it was refused: {}", text(&ours.received));
        ours.compare_with_the_grammar(&message.0)?;
    }

    #[test]
    fn what_is_taken_is_read_as_the_grammar_says(bytes in messages::conversation(), piece in 1..200_usize) {
        Server::fed(&bytes.0, piece).compare_with_the_grammar(&bytes.0)?;
    }
}

/// Writes messages for `tests/h11/run`, one that was taken a line: the bytes, how many of them stand behind the message, and
/// how it was read. All of it is hexadecimal, as `bytes rest method target version body fields trailers`, where fields are
/// `name=value,…` and nothing is `-`. The last line says how many messages were made.
#[test]
#[ignore = "tests/h11/run wants it"]
fn messages_that_were_taken_are_written_for_h11() {
    let path = std::env::var("QIBU_H11").expect("QIBU_H11 is the file to write to");
    let (mut runner, strategy) =
        (TestRunner::new(Config::default()), (messages::any_message(), messages::well_formed()));
    let mut lines = String::new();
    for _ in 0..cases() {
        let (message, next) = strategy.new_tree(&mut runner).expect("no message is rejected").current();
        let bytes = [message.0, next.0].concat();
        if let Some(seen) = Server::fed(&bytes, bytes.len()).requests.first() {
            let request = requests::read(&bytes).expect("what is taken the grammar allows: the other tests say so");
            writeln!(lines, "{}", seen.line_for_h11(&bytes, &request)).expect("writing to memory cannot fail");
        }
    }
    writeln!(lines, "{}", cases()).expect("writing to memory cannot fail");
    fs::write(path, lines).expect("the file can be written");
}

/// As many as `PROPTEST_CASES` says, or some thousands.
fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(3000)
}

/// What is refused though the grammar allows it, by the words of the answer.
const CHOSEN: [&str; 3] = [
    // RFC 9110 §10.1.1: there is no other expectation that could be met.
    "an expectation other than 100-continue",
    // A u64 has 16 hexadecimal digits; zeros in front of more are nobody's spelling.
    "a chunk is malformed",
    // RFC 9110 §9.3.6, §7.4
    "CONNECT, but this is no proxy",
];

/// A request as the handler saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Seen {
    method: Vec<u8>,
    minor: u8,
    path: Vec<u8>,
    query: Option<Vec<u8>>,
    host: Option<Vec<u8>>,
    /// Without Host. Names are in lower case; lines of one name in their order, names sorted.
    fields: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
    trailers: Vec<(String, Vec<u8>)>,
}

/// A connection on which everything was said.
struct Server {
    requests: Vec<Seen>,
    received: Vec<u8>,
    is_closed: bool,
}

impl Server {
    fn fed(bytes: &[u8], piece: usize) -> Self {
        let book: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let notes = book.clone();
        let http = Http::new(move |request: &mut Request| {
            notes.lock().expect("no test panics while it holds this").push(Seen::of(request));
            "taken"
        });
        let mut conn = TestConn::open(http).expect("HTTP opens every connection");
        for piece in bytes.chunks(piece) {
            conn.send(piece);
        }
        let (received, is_closed) = (conn.recv(), conn.is_closed());
        let requests = book.lock().expect("no test panics while it holds this").clone();
        Self { requests, received, is_closed }
    }

    fn compare_with_the_grammar(&self, bytes: &[u8]) -> Result<(), TestCaseError> {
        let (mut rest, mut persists) = (bytes, true);
        for (number, seen) in self.requests.iter().enumerate() {
            prop_assert!(persists, "request {number} stands behind the last");
            let request = requests::read(rest);
            let request = request.ok_or_else(|| TestCaseError::fail(format!("taken against the grammar: {seen:?}")))?;
            prop_assert_eq!(seen, &Seen::from(&request), "ours and that of the grammar, number {}", number);
            persists = request.persists();
            rest = request.rest;
        }
        match (self.is_closed, persists) {
            (true, false) => {}
            (true, true) => self.check_refusal(rest)?,
            (false, false) => prop_assert!(false, "it goes on behind the last request"),
            (false, true) => prop_assert!(requests::read(rest).is_none(), "what is it waiting for? {}", text(rest)),
        }
        Ok(())
    }

    /// The last answer is a refusal, and the grammar does not allow what it refuses.
    fn check_refusal(&self, rest: &[u8]) -> Result<(), TestCaseError> {
        let is_head = requests::without_empty_lines(rest).starts_with(b"HEAD ");
        let reason = String::from_utf8_lossy(&self.last_answer(is_head)).into_owned();
        let is_chosen = is_head || CHOSEN.iter().any(|known| reason.contains(known));
        let read = requests::read(rest);
        prop_assert!(read.is_none() || is_chosen, "{reason:?} is no reason to refuse {read:?}");
        Ok(())
    }

    /// The body of the answer that the protocol gave, behind all that the handler gave.
    fn last_answer(&self, is_head: bool) -> Vec<u8> {
        let (mut rest, mut bodies) = (&*self.received, Vec::new());
        while !rest.is_empty() {
            let asked = self.requests.get(bodies.len());
            let is_head = asked.map_or(is_head, |asked| asked.method == b"HEAD");
            let wanted = if is_head { Asked::ForHead } else { Asked::ForAll };
            let Read::Whole(answer, behind) = answers::read(rest, |_| wanted) else { panic!("cut: {}", text(rest)) };
            if !answer.is_interim() {
                bodies.push(answer.body);
            }
            rest = behind;
        }
        assert_eq!(bodies.len(), self.requests.len() + 1, "nobody says why it is closed: {}", text(&self.received));
        bodies.pop().expect("there is one more than nothing")
    }
}

impl Seen {
    fn of(request: &mut Request) -> Self {
        let own = |map: &qibu::HeaderMap| {
            map.iter().map(|(name, value)| (name.to_string(), value.as_bytes().to_vec())).collect::<Vec<_>>()
        };
        let mut fields = own(request.headers());
        fields.retain(|(name, _)| name != "host");
        Self {
            method: request.method().as_str().into(),
            minor: u8::from(request.version() == Version::HTTP_11),
            path: request.path().into(),
            query: request.query_string().map(Into::into),
            host: request.header_bytes("host").map(Into::into),
            fields: by_name(fields),
            trailers: by_name(own(request.trailers())),
            body: request.bytes().expect("it is complete").to_vec(),
        }
    }
}

impl Seen {
    fn line_for_h11(&self, bytes: &[u8], request: &requests::Request<'_>) -> String {
        let fields = |fields: &[(String, Vec<u8>)]| {
            let fields: Vec<_> =
                fields.iter().map(|(name, value)| format!("{}={}", hex(name.as_bytes()), hex(value))).collect();
            if fields.is_empty() { "-".to_owned() } else { fields.join(",") }
        };
        let minor = request.minor;
        let parts =
            [bytes, request.rest, &self.method, request.target, format!("1.{minor}").as_bytes(), &self.body].map(hex);
        format!("{} {} {}", parts.join(" "), fields(&self.fields), fields(&self.trailers))
    }
}

fn hex(bytes: &[u8]) -> String {
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    if digits.is_empty() { "-".to_owned() } else { digits }
}

impl From<&requests::Request<'_>> for Seen {
    fn from(request: &requests::Request<'_>) -> Self {
        let (path, query) = request.path_and_query();
        let fields = request.fields.iter().filter(|(name, _)| name != "host").cloned().collect();
        // RFC 9110 §6.5.1: what frames or routes a message is not taken from a trailer.
        let frames = |name: &str| matches!(name, "content-length" | "transfer-encoding" | "host");
        let trailers = request.trailers.iter().filter(|(name, _)| !frames(name)).cloned().collect();
        Self {
            method: request.method.into(),
            // RFC 9110 §2.5: a higher minor version is taken for the highest that is known.
            minor: request.minor.min(1),
            path,
            query: query.map(Into::into),
            host: request.authority().map(Into::into),
            fields: by_name(fields),
            body: request.body.clone(),
            trailers: by_name(trailers),
        }
    }
}

/// A map keeps the order of the values of a name, not that of the names.
fn by_name(mut fields: Vec<(String, Vec<u8>)>) -> Vec<(String, Vec<u8>)> {
    fields.sort_by(|(one, _), (other, _)| one.cmp(other));
    fields
}
