//! Plays a script against the server, and looks at what comes back.

use std::time::Duration;

use qibu::testing::TestConn;
use qibu::{AccessLog, HandlerExt, Http, HttpSettings, Version};

use super::super::answers::{self, Answer, End, Read};
use super::super::{requests, text};
use super::script::{Event, Limits, Script};
use super::site::{Asked, Book, Site, pieces};

/// One session while it goes on.
pub(super) struct Play<'a> {
    conn: TestConn,
    site: Site,
    /// What the client has not sent yet.
    left: &'a [u8],
    has_finished: bool,
    received: Vec<u8>,
}

/// What came of it: the final answers, and what was asked.
#[derive(Debug)]
pub(super) struct Played {
    answers: Vec<Answer>,
    cut: Cut,
    /// How many requests had their answer before the client finished.
    answered: usize,
    end: Whose,
}

/// Who ended the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whose {
    Client,
    Server,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cut {
    Nothing,
    /// The connection ended within the last answer.
    LastAnswer,
}

/// After so many rounds in which something happened, a session that does not come to its end hangs.
const MOST_ROUNDS: usize = 100_000;

impl<'a> Play<'a> {
    pub(super) fn of(script: &Script, bytes: &'a [u8]) -> Played {
        let mut play = Self::begin(script.limits, bytes);
        for event in &script.events {
            play.happen(*event);
            play.check_deadline();
        }
        play.send(play.left.len());
        play.settle();
        let before_the_end = play.look();
        let end = play.check_while_open(&before_the_end);
        play.happen(Event::Finish);
        play.settle();
        assert!(play.conn.is_closed(), "the client has finished and all is answered, but the server does not close");
        check_requests(&play.site.book().asked, bytes);
        let played = Played { end, answered: before_the_end.answered, ..play.look() };
        play.check_ending(&played, script);
        play.check_echo(&played, bytes, script);
        let book = play.site.book();
        if is_aborted(&book) { played.without_the_last(book.asked.len()) } else { played }
    }

    fn begin(limits: Limits, bytes: &'a [u8]) -> Self {
        let site = Site::new();
        let http = Http::with_settings(site.clone().with(AccessLog::new()), settings(limits));
        let conn = TestConn::open(http).expect("HTTP opens every connection");
        Play { conn, site, left: bytes, has_finished: false, received: Vec::new() }
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Send(bytes) => self.send(bytes),
            Event::SendLine => {
                let end = self.left.iter().position(|byte| *byte == b'\n').map_or(self.left.len(), |end| end + 1);
                self.send(end);
            }
            Event::Take(bytes) => {
                self.conn.take_at_most(bytes);
            }
            Event::TakeAll => {
                self.conn.take_at_most(usize::MAX);
            }
            Event::Reply => {
                self.site.reply();
            }
            Event::Piece => {
                self.site.piece();
            }
            Event::Seconds(seconds) => {
                self.conn.advance(Duration::from_secs(seconds));
            }
            Event::UntilDeadline => {
                if let Some(deadline) = self.conn.deadline() {
                    self.conn.advance(deadline);
                }
            }
            Event::Finish => {
                self.has_finished = true;
                self.conn.finish();
            }
            Event::ShutDown => {
                self.conn.shut_down();
            }
        }
        self.received.extend(self.conn.recv());
    }

    /// A client that has finished sends nothing more.
    fn send(&mut self, bytes: usize) {
        let (now, left) = self.left.split_at(bytes.min(self.left.len()));
        if !now.is_empty() && !self.has_finished {
            self.conn.send(now);
            self.left = left;
        }
        self.received.extend(self.conn.recv());
    }

    /// No wait without an end (while the server waits at all), and none that has passed and changed nothing.
    fn check_deadline(&self) {
        if !self.conn.is_closed() {
            let deadline = self.conn.deadline().expect("a server that waits knows until when");
            assert!(deadline > Duration::ZERO, "a deadline has passed, and nothing has changed");
        }
    }

    /// All that could be answered was answered. Tells who will end the connection.
    fn check_while_open(&self, played: &Played) -> Whose {
        if self.conn.is_closed() {
            return Whose::Server;
        }
        assert_eq!(played.answered, self.site.book().asked.len(), "the server holds answers back");
        Whose::Client
    }

    /// The client takes all there is, and the handler does all that it has put off.
    fn settle(&mut self) {
        for _ in 0..MOST_ROUNDS {
            let before = self.received.len();
            self.happen(Event::TakeAll);
            let has_worked = self.site.reply() | self.site.piece();
            self.received.extend(self.conn.recv());
            if !has_worked && self.received.len() == before {
                return;
            }
        }
        panic!("{MOST_ROUNDS} rounds, and there is still something to do");
    }

    /// Reads what was received as answers to what was asked.
    fn look(&self) -> Played {
        let book = self.site.book();
        let (mut answers, mut rest, mut is_interim) = (Vec::<Answer>::new(), &*self.received, false);
        while !rest.is_empty() {
            if let Some(last) = answers.last() {
                assert!(!last.closes(), "something follows the last answer: {} {}", last.summary(), text(rest));
            }
            let asked = book.asked.get(answers.len());
            let Read::Whole(answer, behind) = answers::read(rest, |answer| wants(answer, asked, rest)) else {
                return Played::new(answers, Cut::LastAnswer);
            };
            rest = behind;
            if answer.is_interim() {
                assert!(!is_interim, "100 was sent twice");
                assert!(asked.is_none_or(|asked| asked.expects && asked.version == Version::HTTP_11));
                is_interim = true;
                continue;
            }
            is_interim = false;
            match asked {
                Some(asked) if is_to_request(&answer) => asked.check(&answer, answers.len() + 1),
                _ => check_refusal(&answer),
            }
            answers.push(answer);
        }
        Played::new(answers, Cut::Nothing)
    }

    /// Behind 101 nothing is a request: all that comes belongs to the new session, which sends it back.
    fn check_echo(&self, played: &Played, bytes: &[u8], script: &Script) {
        let Some(answer) = played.answers.last().filter(|answer| answer.switches()) else { return };
        let all = &self.site.book().asked;
        let behind = all.iter().fold(bytes, |rest, _| requests::read(rest).map_or(b"", |request| request.rest));
        let is_right = if script.is_about_time() { behind.starts_with(&answer.body) } else { answer.body == behind };
        assert!(is_right, "{} is sent back for {}", text(&answer.body), text(behind));
    }

    fn check_ending(&self, played: &Played, script: &Script) {
        let book = self.site.book();
        if script.is_about_time() || is_aborted(&book) {
            return;
        }
        assert_eq!(played.cut, Cut::Nothing, "the last answer is cut: {}", text(&self.received));
        if let (Some(asked), Some(answer)) = (book.asked.last(), played.answers.last()) {
            let is_whole = answer.switches() || answer.body == asked.answer().1;
            assert!(
                is_whole || !asked.may_be_cut(answer) || !is_to_request(answer),
                "a stream is cut: {}",
                answer.summary()
            );
        }
        let answered = played.answers.iter().filter(|answer| is_to_request(answer)).count();
        assert_eq!(answered, book.asked.len(), "not every request has its answer");
    }
}

/// Whether the producer of the last answer has given it up, so that it must not look complete.
fn is_aborted(book: &Book) -> bool {
    book.asked.last().is_some_and(Asked::is_broken)
}

fn settings(limits: Limits) -> HttpSettings {
    let mut settings = HttpSettings::default();
    if limits == Limits::Small {
        settings.head_limit = 120;
        settings.field_limit = 4;
        settings.body_limit = 20;
        settings.requests_per_connection = 5;
        settings.pipeline_depth = 2;
    }
    settings
}

/// Whether there is a body behind this head. What has no number is a refusal: of a request that the handler has not seen,
/// so that its method is unknown here; but a refusal is the last answer.
fn wants(answer: &Answer, asked: Option<&Asked>, bytes: &[u8]) -> answers::Asked {
    let is_for_head = match asked {
        Some(asked) if is_to_request(answer) => asked.method == "HEAD",
        _ => bytes.ends_with(b"\r\n\r\n"),
    };
    if is_for_head { answers::Asked::ForHead } else { answers::Asked::ForAll }
}

/// Whether the handler gave this answer, or the protocol.
fn is_to_request(answer: &Answer) -> bool {
    answer.field("x-number").is_some()
}

/// What the handler was asked is what the bytes say: no request is made of another's body, or of what was not understood.
fn check_requests(all: &[Asked], bytes: &[u8]) {
    let mut rest = bytes;
    for (number, asked) in (1..).zip(all) {
        // What is refused by its head is not read to its end; then nothing may follow.
        let is_refused_last = asked.path == "/refuse" && number == all.len();
        if is_refused_last {
            return;
        }
        let Some(request) = requests::read(rest) else { panic!("{asked:?} is smuggled: {}", text(rest)) };
        assert_eq!(text(asked.method.as_bytes()), text(request.method), "{}", text(rest));
        let (path, _) = request.path_and_query();
        assert_eq!(text(asked.path.as_bytes()), text(&path), "{asked:?}: {}", text(rest));
        assert_eq!(text(&asked.body), text(&request.body), "the body of {asked:?}: {}", text(rest));
        rest = request.rest;
    }
}

/// The protocol's own answer: 4xx or 5xx, and the last one.
fn check_refusal(answer: &Answer) {
    assert!(matches!(answer.status, 400..=499 | 501 | 503 | 505), "an unexpected refusal: {}", answer.summary());
    assert!(answer.closes(), "a refused request must be the last: {}", answer.summary());
    assert_eq!(answer.end, End::Framed);
}

impl Asked {
    /// HTTP/1.0 has no way to say that a stream was given up: its end looks like any other. At shutdown, a body without an
    /// end has one, in the middle of anything.
    fn may_be_cut(&self, answer: &Answer) -> bool {
        self.is_stream() && answer.end == End::OfConnection || self.is_endless()
    }

    fn is_endless(&self) -> bool {
        self.path == "/endless" && self.method != "HEAD"
    }

    fn check(&self, answer: &Answer, number: usize) {
        let field = |name: &str| answer.field(name).map(|value| String::from_utf8_lossy(value).into_owned());
        assert_eq!(field("x-number"), Some(number.to_string()), "answers are out of order");
        assert_eq!(field("x-method"), Some(self.method.clone()), "the answer to another request");
        let (status, body) = self.answer();
        let is_head = self.method == "HEAD";
        assert_eq!(answer.status, status, "{self:?}");
        let is_whole = answer.switches() || answer.body == if is_head { &b""[..] } else { &body };
        let is_cut = self.may_be_cut(answer) && pieces().concat().starts_with(&answer.body);
        assert!(is_whole || is_cut, "the wrong body: {}", answer.summary());
        if let Some(length) = field("content-length") {
            assert_eq!(length, body.len().to_string(), "HEAD, too, tells the length: {}", answer.summary());
        }
        // RFC 9112 §6.1: no chunks for HTTP/1.0.
        let is_chunked = answer.field("transfer-encoding").is_some();
        assert_eq!(is_chunked, self.is_stream() && self.version == Version::HTTP_11, "{}", answer.summary());
        let has_trailers = is_chunked && self.has_trailers() && !is_head;
        assert!(answer.trailers.is_empty() != has_trailers || self.is_endless(), "{}", answer.summary());
        assert!(
            answer.closes() || !self.is_last || answer.switches(),
            "the client asked for the end: {}",
            answer.summary()
        );
        // RFC 9112 §9.3: HTTP/1.0 must be told.
        let is_told = self.version != Version::HTTP_10 || answer.fields.iter().any(|(name, _)| name == "connection");
        assert!(is_told, "does it go on? {}", answer.summary());
    }
}

impl Answer {
    fn summary(&self) -> String {
        let fields: Vec<_> = self.fields.iter().map(|(name, value)| format!("{name}: {}", text(value))).collect();
        let start = &self.body[..self.body.len().min(60)];
        format!("{} {fields:?} {} bytes: {}", self.status, self.body.len(), text(start))
    }
}

impl Played {
    fn new(answers: Vec<Answer>, cut: Cut) -> Self {
        let answered = answers.iter().filter(|answer| is_to_request(answer)).count();
        Self { answers, cut, answered, end: Whose::Server }
    }

    /// Whether the two say the same. When a hopeless head is refused may depend on its cuts, but not when a request is
    /// answered.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        self.answers == other.answers && self.cut == other.cut && self.answered == other.answered
    }

    /// Whether the client has ended it, and between two requests: all that it sent was understood.
    pub(super) fn ended_well(&self) -> bool {
        let is_http = |answer: &Answer| is_to_request(answer) && !answer.switches();
        self.end == Whose::Client && self.cut == Cut::Nothing && self.answers.iter().all(is_http)
    }

    /// How much of a body was sent before it was given up is a matter of time.
    fn without_the_last(mut self, asked: usize) -> Self {
        self.answers.truncate(asked - 1);
        Self { cut: Cut::LastAnswer, answered: self.answered.min(asked - 1), ..self }
    }

    pub(super) fn summary(&self) -> String {
        let answers: Vec<_> = self.answers.iter().map(Answer::summary).collect();
        format!("{} ({:?})", answers.join(", "), self.cut)
    }
}
