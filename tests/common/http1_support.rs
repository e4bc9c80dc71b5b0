//! HTTP/1 conversations over memory: said whole, cut anywhere, with more behind them, and the answers read strictly.

use std::fmt;
use std::sync::{Arc, Mutex};

use qibu::testing::TestConn;
use qibu::{Handler, Http, HttpSettings, Plan, Request, Response};

/// A handler and settings, for as many connections as a test wants.
pub(crate) struct Server {
    handler: Arc<Recorder>,
    settings: HttpSettings,
}

/// A handler that remembers what it was asked.
struct Recorder {
    inner: Box<dyn Handler>,
    seen: Mutex<Vec<String>>,
}

/// What was said on one connection.
#[derive(Debug, PartialEq)]
pub(crate) struct Conversation {
    pub(crate) answers: Vec<Answer>,
    /// Method and target of each request that came as far as the handler.
    pub(crate) seen: Vec<String>,
    pub(crate) is_closed: bool,
}

/// One final answer.
#[derive(Clone, PartialEq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) trailers: Vec<(String, String)>,
}

/// A request that can follow any other.
const NEXT: &[u8] = b"GET /next HTTP/1.1\r\nHost: next\r\n\r\n";

/// At so many places, about, a long input is cut; a short one everywhere.
const MOST_CUTS: usize = 600;

impl Server {
    pub(crate) fn new(handler: impl Handler) -> Self {
        let recorder = Recorder { inner: Box::new(handler), seen: Mutex::default() };
        Self { handler: Arc::new(recorder), settings: HttpSettings::default() }
    }

    pub(crate) fn with(mut self, change: impl FnOnce(&mut HttpSettings)) -> Self {
        change(&mut self.settings);
        self
    }

    pub(crate) fn connect(&self) -> TestConn {
        self.handler.seen.lock().unwrap().clear();
        TestConn::open(Http::with_settings(self.handler.clone(), self.settings.clone())).expect("HTTP opens always")
    }

    /// Method and target of what the handler was asked since the last [`Self::connect`].
    pub(crate) fn seen(&self) -> Vec<String> {
        self.handler.seen.lock().unwrap().clone()
    }

    /// What comes of these pieces. `heads`: which of the answers, counted from 0, are for HEAD.
    pub(crate) fn converse(&self, pieces: &[&[u8]], heads: &[usize]) -> Conversation {
        let mut conn = self.connect();
        for piece in pieces {
            conn.send(piece);
        }
        let received = recv_all(&mut conn);
        let is_closed = conn.is_closed();
        Conversation { answers: read_answers(&received, is_closed, heads), seen: self.seen(), is_closed }
    }

    /// What comes of `input`, however it is cut: whole, in two at every place, and byte by byte. With one more request
    /// behind it, that one is answered next, or not at all where the connection has ended.
    pub(crate) fn for_every_split(&self, input: &[u8], heads: &[usize]) -> Conversation {
        let whole = self.converse(&[input], heads);
        for (name, pieces) in cuts(input) {
            assert_eq!(self.converse(&pieces, heads), whole, "{name}: {}", show(input));
        }
        let followed = [input, NEXT].concat();
        for (name, pieces) in cuts(&followed) {
            let longer = self.converse(&pieces, heads);
            let name = format!("{name}, followed: {}", show(input));
            if whole.is_closed {
                assert_eq!(longer, whole, "{name}");
                continue;
            }
            assert_eq!(longer.answers.len(), whole.answers.len() + 1, "{name}: {longer:?}");
            assert_eq!(longer.answers[..whole.answers.len()], whole.answers, "{name}");
            assert_eq!(longer.seen, [&whole.seen[..], &["GET /next".to_owned()]].concat(), "{name}");
            assert!(!longer.is_closed, "{name}");
        }
        whole
    }

    /// The one answer to `input`, however it is cut, and whether the connection has ended.
    pub(crate) fn one_answer(&self, input: impl AsRef<[u8]>) -> (Answer, bool) {
        let input = input.as_ref();
        let mut conversation = self.for_every_split(input, &[]);
        assert_eq!(conversation.answers.len(), 1, "{}: {conversation:?}", show(input));
        (conversation.answers.remove(0), conversation.is_closed)
    }

    /// `input` is answered with `status`, however it is cut, and nothing behind it is. The handler never sees it.
    pub(crate) fn refuses(&self, input: impl AsRef<[u8]>, status: u16) {
        let input = input.as_ref();
        let conversation = self.for_every_split(input, &[]);
        let statuses: Vec<u16> = conversation.answers.iter().map(|answer| answer.status).collect();
        assert_eq!(statuses, [status], "{}", show(input));
        assert_eq!(conversation.answers[0].field("connection"), Some("close"), "{}", show(input));
        assert!(conversation.is_closed, "the connection goes on after {}", show(input));
        assert_eq!(conversation.seen, [""; 0], "{}", show(input));
    }
}

impl Handler for Recorder {
    fn handle(&self, request: &mut Request) -> Response {
        self.seen.lock().unwrap().push(format!("{} {}", request.method(), request.target()));
        self.inner.handle(request)
    }

    fn plan(&self, request: &mut Request) -> Plan {
        self.inner.plan(request)
    }
}

/// All that the server has to say, also where an answer leads to the next note.
fn recv_all(conn: &mut TestConn) -> Vec<u8> {
    let mut received = Vec::new();
    loop {
        match conn.recv() {
            more if more.is_empty() => return received,
            more => received.extend(more),
        }
    }
}

/// All the ways to cut `input`, each with a name.
fn cuts(input: &[u8]) -> Vec<(String, Vec<&[u8]>)> {
    let step = input.len().div_ceil(MOST_CUTS).max(1);
    let places = (0..=input.len()).step_by(step);
    let mut cuts: Vec<_> = places.map(|at| (format!("cut at {at}"), vec![&input[..at], &input[at..]])).collect();
    cuts.push(("byte by byte".to_owned(), input.chunks(1).collect()));
    cuts
}

impl Answer {
    /// The only field of that name.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        let mut values = self.fields.iter().filter(|(known, _)| known == name).map(|(_, value)| &**value);
        let first = values.next();
        assert_eq!(values.next(), None, "{name} is there twice");
        first
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("the body is text")
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?} {} {:?}", self.status, self.fields, show(&self.body), self.trailers)
    }
}

/// All answers in `received`, of which nothing may be left over. 100 (Continue) is checked and left out.
///
/// # Panics
///
/// If a byte is not where RFC 9112 wants it.
pub(crate) fn read_answers(received: &[u8], is_closed: bool, heads: &[usize]) -> Vec<Answer> {
    let (mut rest, mut answers) = (received, Vec::new());
    while !rest.is_empty() {
        if let Some(behind) = rest.strip_prefix(b"HTTP/1.1 100 Continue\r\n\r\n") {
            rest = behind;
            continue;
        }
        let is_for_head = heads.contains(&answers.len());
        let (answer, length) = read_answer(rest, is_closed, is_for_head);
        answers.push(answer);
        rest = &rest[length..];
    }
    answers
}

fn read_answer(bytes: &[u8], is_closed: bool, is_for_head: bool) -> (Answer, usize) {
    let head_end = find(bytes, "\r\n\r\n").unwrap_or_else(|| panic!("no whole head: {}", show(bytes)));
    let head = std::str::from_utf8(&bytes[..head_end + 2]).expect("heads are text");
    let (status_line, lines) = head.split_once("\r\n").expect("it ends so");
    let status = read_status(status_line);
    let mut answer = Answer { status, fields: read_fields(lines), body: Vec::new(), trailers: Vec::new() };
    assert!(answer.field("date").is_some_and(|date| date.ends_with(" GMT")), "RFC 9110 §6.6.1: {head}");

    let rest = &bytes[head_end + 4..];
    let (length, coding) = (answer.field("content-length"), answer.field("transfer-encoding"));
    assert!(length.is_none() || coding.is_none(), "RFC 9112 §6.2: {head}");
    if status == 204 {
        assert!(length.is_none() && coding.is_none(), "RFC 9110 §8.6, RFC 9112 §6.1: {head}");
    }
    let used = match (length, coding) {
        _ if is_for_head || [204, 304].contains(&status) => 0, // RFC 9112 §6.3, rule 1
        (None, Some(coding)) => {
            assert_eq!(coding, "chunked");
            let (body, trailers, used) = read_chunks(rest);
            (answer.body, answer.trailers) = (body, trailers);
            used
        }
        (Some(length), _) => {
            let length: usize = length.parse().expect("a length is a number");
            assert!(length <= rest.len(), "{} bytes of {length}: {}", rest.len(), show(bytes));
            answer.body = rest[..length].to_vec();
            length
        }
        (None, None) => {
            assert!(is_closed, "no length, and the connection goes on: {head}");
            answer.body = rest.to_vec();
            rest.len()
        }
    };
    (answer, head_end + 4 + used)
}

fn read_status(line: &str) -> u16 {
    let parts: Vec<&str> = line.splitn(3, ' ').collect();
    match parts[..] {
        ["HTTP/1.1", status, _reason] if status.len() == 3 => status.parse().expect("a status is a number"),
        _ => panic!("no status line: {line:?}"),
    }
}

fn read_fields(lines: &str) -> Vec<(String, String)> {
    let lines = lines.split_terminator("\r\n");
    let field = |line: &str| {
        let (name, value) = line.split_once(": ").unwrap_or_else(|| panic!("no field line: {line:?}"));
        let is_token = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        assert!(!name.is_empty() && name.bytes().all(is_token), "{line:?}");
        assert!(value == value.trim() && !value.contains(['\r', '\n', '\0']), "{line:?}");
        (name.to_owned(), value.to_owned())
    };
    lines.map(field).collect()
}

/// Body, trailer fields, and how many bytes they took.
fn read_chunks(bytes: &[u8]) -> (Vec<u8>, Vec<(String, String)>, usize) {
    let (mut body, mut at) = (Vec::new(), 0);
    loop {
        let line_end =
            at + find(&bytes[at..], "\r\n").unwrap_or_else(|| panic!("no chunk size: {}", show(&bytes[at..])));
        let digits = std::str::from_utf8(&bytes[at..line_end]).expect("a size is text");
        let size = usize::from_str_radix(digits, 16).unwrap_or_else(|_| panic!("no chunk size: {digits:?}"));
        at = line_end + 2;
        if size == 0 {
            break;
        }
        assert!(bytes.len() >= at + size + 2, "a chunk of {size} is cut short: {}", show(bytes));
        body.extend_from_slice(&bytes[at..at + size]);
        assert_eq!(&bytes[at + size..at + size + 2], b"\r\n");
        at += size + 2;
    }
    if bytes[at..].starts_with(b"\r\n") {
        return (body, Vec::new(), at + 2);
    }
    let end =
        at + find(&bytes[at..], "\r\n\r\n").unwrap_or_else(|| panic!("the trailers have no end: {}", show(bytes)));
    let trailers = std::str::from_utf8(&bytes[at..end + 2]).expect("trailers are text");
    (body, read_fields(trailers), end + 4)
}

pub(crate) fn find(bytes: &[u8], what: &str) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what.as_bytes())
}

/// Bytes for a message, not too many of them.
pub(crate) fn show(bytes: &[u8]) -> String {
    let shown = bytes[..bytes.len().min(400)].escape_ascii().to_string();
    if bytes.len() > 400 { format!("\"{shown}\" … ({} bytes)", bytes.len()) } else { format!("\"{shown}\"") }
}
