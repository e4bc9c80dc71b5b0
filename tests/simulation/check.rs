//! What a peer must receive. A [`Check`] follows one connection from the peer's side and complains at the first byte that
//! is not right; at the end it says whether something is missing, and whether there was an excuse for it.
//!
//! Excuses do not come from the server: a connection may be cut short when the peer or a fault reset it, when the producer
//! of a stream gave up, when the peer sent more behind its own `close`, when the server was told to shut down, or when so much time went by that a limit may have been
//! reached.

use std::time::Duration;

use crate::parser::{Head, Parser, Piece, Wants};
use crate::script::{Answer, Ask, Content, Exchange, FILE_ID, Method, Needs, Script, Talk, bytes_of};
use crate::server::{Book, Ending, WELCOME};

/// What is wrong, in words.
pub(crate) type Complaint = String;

/// What the world knows of a connection at this moment.
pub(crate) struct Facts<'a> {
    pub(crate) script: &'a Script,
    pub(crate) book: &'a Book,
    /// How much of the script was sent.
    pub(crate) sent: usize,
    /// Whether the peer has finished sending.
    pub(crate) is_finished: bool,
    /// When the first byte of each exchange was sent.
    pub(crate) begun: &'a [Duration],
    pub(crate) connected: Duration,
    pub(crate) now: Duration,
    /// Whether the connection was reset by us.
    pub(crate) was_reset: bool,
    /// Whether the server was told to shut down.
    pub(crate) is_shut_down: bool,
    /// What was posted to a session of lines, in order.
    pub(crate) notes: &'a [String],
}

impl Facts<'_> {
    /// In a talk of lines: how many were sent whole, behind what leads to them.
    fn lines_sent(&self) -> usize {
        let lines = self.script.bytes.get(self.script.preface..self.sent).unwrap_or_default();
        lines.iter().filter(|byte| **byte == b'\n').count()
    }
}

/// The least time in which a connection can reach any limit: the moment after the last answer.
const SHORTEST_LIMIT: Duration = Duration::from_secs(2);
const IDLE: Duration = Duration::from_secs(60);
const HANDLER: Duration = Duration::from_secs(300);
/// The shortest limit of a request that comes slowly: a body's mean rate counts from here.
const SLOW: Duration = Duration::from_secs(5);

/// A body up to this length stands in the same write as its head.
const SMALL_ANSWER: usize = 4096;

/// Follows one connection.
pub(crate) struct Check {
    /// What comes before all else.
    preface: Preface,
    follows: Follows,
    end: End,
}

enum Preface {
    /// So much of what a door says is still to come.
    Welcome { left: usize },
    /// The head of 101 Switching Protocols, as far as it has come.
    Switching { head: Vec<u8> },
    /// Nothing, or nothing more.
    Over,
    /// There was no switching, for a reason; what else is said does not count.
    Refused,
}

enum Follows {
    Http(Box<HttpCheck>),
    Lines(LinesCheck),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    NotSeen,
    Seen,
}

impl Check {
    pub(crate) fn new(talk: Talk) -> Self {
        let welcome = Preface::Welcome { left: WELCOME.len() };
        let (preface, follows) = match talk {
            Talk::Http => (Preface::Over, Follows::Http(Box::default())),
            Talk::HttpBehindDoor => (welcome, Follows::Http(Box::default())),
            Talk::Lines => (welcome, Follows::Lines(LinesCheck::default())),
            Talk::LinesAfterUpgrade => (Preface::Switching { head: Vec::new() }, Follows::Lines(LinesCheck::default())),
        };
        Self { preface, follows, end: End::NotSeen }
    }

    /// Looks at one write of the server.
    pub(crate) fn take(&mut self, bytes: &[u8], facts: &Facts<'_>) -> Result<(), Complaint> {
        if self.end == End::Seen {
            return Err(format!("{} bytes behind the end", bytes.len()));
        }
        let bytes = self.preface.take(bytes, facts)?;
        match &mut self.follows {
            Follows::Http(check) => check.take(&bytes, facts),
            Follows::Lines(check) => check.take(&bytes, facts),
        }
    }

    /// Nothing more will come.
    pub(crate) fn end(&mut self, facts: &Facts<'_>) -> Result<(), Complaint> {
        if std::mem::replace(&mut self.end, End::Seen) == End::Seen {
            return Ok(());
        }
        match &mut self.follows {
            _ if matches!(self.preface, Preface::Refused) => Ok(()),
            Follows::Http(check) => check.end(facts),
            Follows::Lines(check) => check.end(facts),
        }
    }

    /// Whether the end of the connection was seen.
    pub(crate) fn has_ended(&self) -> bool {
        self.end == End::Seen
    }

    /// All that was asked for can be answered, and nobody is late: now it must be here.
    pub(crate) fn complete(&self, facts: &Facts<'_>) -> Result<(), Complaint> {
        if self.end == End::Seen {
            return Ok(()); // it was judged then
        }
        let all_are_here = self.preface.is_here(facts)
            && match &self.follows {
                Follows::Http(check) => check.has_all(facts),
                Follows::Lines(check) => check.lines == facts.lines_sent() && check.notes == facts.notes.len(),
            };
        if all_are_here { Ok(()) } else { Err(format!("an answer never came: {}", self.describe(facts))) }
    }

    /// Whether every request that was sent, whole or in part, has its whole answer.
    pub(crate) fn is_idle(&self, facts: &Facts<'_>) -> bool {
        match &self.follows {
            Follows::Http(check) => {
                let is_behind_door = facts.script.exchanges.first().is_none_or(|first| facts.sent >= first.place.start);
                let sent =
                    facts.script.exchanges.iter().take_while(|exchange| exchange.place.start < facts.sent).count();
                let is_boundary =
                    facts.script.exchanges.get(check.next).is_none_or(|next| next.place.start == facts.sent);
                is_behind_door && check.next == sent && check.current.is_none() && is_boundary && !check.is_over
            }
            Follows::Lines(_) => false,
        }
    }

    /// Whether a part of a head was sent, and everything before it is answered: the server is waiting for the rest.
    pub(crate) fn is_within_head(&self, facts: &Facts<'_>) -> bool {
        let Follows::Http(check) = &self.follows else { return false };
        let next = facts.script.exchanges.get(check.next);
        check.current.is_none()
            && !check.is_over
            && !facts.is_finished
            && next.is_some_and(|next| {
                next.ask != Ask::Garbage && next.place.start < facts.sent && facts.sent < next.head_end
            })
    }

    /// How many answers have come.
    pub(crate) fn answers(&self) -> usize {
        match &self.follows {
            Follows::Http(check) => check.next,
            Follows::Lines(check) => check.lines,
        }
    }

    /// The server may put an answer into several writes only where it is large or a stream.
    pub(crate) fn writes_end_well(&self) -> Result<(), Complaint> {
        match &self.follows {
            Follows::Http(check) => check.write_ends_well(),
            Follows::Lines(_) => Ok(()),
        }
    }

    fn describe(&self, facts: &Facts<'_>) -> String {
        match &self.follows {
            Follows::Http(check) => {
                let next = facts.script.exchanges.get(check.next).map(|exchange| (exchange.id, exchange.ask));
                let (next_index, sent, is_over) = (check.next, facts.sent, check.is_over);
                format!(
                    "next is number {next_index}, {next:?}, begun {:?}; {sent} bytes sent, over: {is_over}",
                    check.current
                )
            }
            Follows::Lines(check) => format!(
                "{} of {} lines and {} of {} notes, preface over: {}",
                check.lines,
                facts.lines_sent(),
                check.notes,
                facts.notes.len(),
                matches!(self.preface, Preface::Over)
            ),
        }
    }
}

// ---- what comes first ----

impl Preface {
    /// Takes its part of a write, and returns the rest.
    fn take(&mut self, bytes: &[u8], facts: &Facts<'_>) -> Result<Vec<u8>, Complaint> {
        match self {
            Self::Over => Ok(bytes.to_vec()),
            Self::Refused => Ok(Vec::new()),
            Self::Welcome { left } => {
                let welcome = &WELCOME.as_bytes()[WELCOME.len() - *left..];
                let count = welcome.len().min(bytes.len());
                *left -= count;
                let is_polite = welcome[..count] == bytes[..count];
                is_polite.then(|| bytes[count..].to_vec()).ok_or_else(|| "the door is not polite".into())
            }
            Self::Switching { head } => {
                head.extend_from_slice(bytes);
                let Some(end) = head.windows(4).position(|four| four == b"\r\n\r\n") else { return Ok(Vec::new()) };
                let rest = head.split_off(end + 4);
                let head = String::from_utf8_lossy(head).into_owned();
                *self = Self::judge(&head, facts)?;
                Ok(if matches!(self, Self::Over) { rest } else { Vec::new() })
            }
        }
    }

    fn judge(head: &str, facts: &Facts<'_>) -> Result<Self, Complaint> {
        let is_asked = facts.sent >= facts.script.preface;
        let has_time_passed = facts.now - facts.connected >= SLOW;
        match head.split(' ').nth(1) {
            Some("101") if is_asked && head.contains("\r\nupgrade: lines\r\n") => Ok(Self::Over),
            Some("503") if is_asked && facts.is_shut_down => Ok(Self::Refused),
            Some("408") if has_time_passed => Ok(Self::Refused),
            Some("400") if !is_asked && facts.is_finished => Ok(Self::Refused),
            _ => Err(format!("after {} of {} bytes: {head:?}", facts.sent, facts.script.preface)),
        }
    }

    /// Whether it has come, where it had to.
    fn is_here(&self, facts: &Facts<'_>) -> bool {
        match self {
            Self::Welcome { left } => *left == 0,
            Self::Switching { head } => facts.sent < facts.script.preface && head.is_empty(),
            Self::Over | Self::Refused => true,
        }
    }
}

// ---- HTTP ----

#[derive(Default)]
struct HttpCheck {
    parser: Parser,
    /// Which exchange is answered next.
    next: usize,
    /// The answer that has begun.
    current: Option<Current>,
    /// How often the server said to go on with the next body.
    continues: usize,
    /// The last answer has come.
    is_over: bool,
    /// So many bytes may stand behind it: of a request that was cut, nobody can say that it was HEAD.
    tail: usize,
}

#[derive(Debug)]
struct Current {
    content: Content,
    length: Option<usize>,
    received: usize,
    closes: bool,
}

impl HttpCheck {
    fn take(&mut self, bytes: &[u8], facts: &Facts<'_>) -> Result<(), Complaint> {
        self.parser.feed(bytes);
        loop {
            if self.is_over {
                let left = self.parser.left();
                return if left <= self.tail { Ok(()) } else { Err("bytes behind the last answer".into()) };
            }
            let exchange = facts.script.exchanges.get(self.next);
            let wants = match exchange {
                Some(Exchange { method: Method::Head, .. }) => Wants::HeadOnly,
                _ => Wants::Body,
            };
            match self.parser.next(wants)? {
                None => return Ok(()),
                Some(Piece::Continue) => self.take_continue(exchange, facts)?,
                Some(Piece::Head(head)) => self.take_head(&head, exchange, facts)?,
                Some(Piece::Data(data)) => self.take_data(&data, facts)?,
                Some(Piece::End) => self.take_end(facts)?,
            }
        }
    }

    fn take_continue(&mut self, exchange: Option<&Exchange>, facts: &Facts<'_>) -> Result<(), Complaint> {
        let is_asked_for =
            exchange.is_some_and(|exchange| exchange.expects_continue && facts.sent >= exchange.head_end);
        self.continues += 1;
        if is_asked_for && self.continues == 1 { Ok(()) } else { Err("100 Continue to nobody".into()) }
    }

    fn take_head(&mut self, head: &Head, exchange: Option<&Exchange>, facts: &Facts<'_>) -> Result<(), Complaint> {
        let asked = exchange.filter(|exchange| facts.sent > exchange.place.start);
        let exchange = asked.ok_or_else(|| format!("an answer to nothing: {head:?}"))?;
        let wrong = |what: &str| format!("{what}: {head:?} for {} {:?}", exchange.id, exchange.ask);
        let (answer, is_excused) = match self.excused(head, exchange, facts) {
            Some(answer) => (answer, true),
            None => (exchange.answer.clone(), false),
        };
        let needed = match answer.needs {
            _ if is_excused => exchange.place.start + 1,
            Needs::Start => exchange.place.start + 1,
            Needs::Head => exchange.head_end,
            Needs::Whole => exchange.place.end,
        };
        let must_go_on = !answer.closes && !facts.is_shut_down;
        let has_right_id = |id: &str| id.parse() == Ok(exchange.id);
        if head.status != answer.status {
            return Err(wrong("a wrong status"));
        } else if facts.sent < needed {
            return Err(wrong("an answer before the question"));
        } else if head.field("x-id").is_some_and(|id| !has_right_id(id)) {
            return Err(wrong("another's answer"));
        } else if matches!(answer.status, 200 | 204 | 304 | 403) && head.field("x-id").is_none() {
            return Err(wrong("nobody's answer"));
        } else if answer.closes && !head.closes() || must_go_on && head.closes() {
            return Err(wrong("a wrong Connection"));
        } else if answer.is_http10 && !head.closes() && head.field("connection") != Some("keep-alive") {
            return Err(wrong("an HTTP/1.0 client is not told that the connection goes on"));
        }
        check_length(head, exchange, &answer).map_err(|what| wrong(&what))?;
        let is_cut_short = exchange.method == Method::Head && matches!(head.status, 400 | 408);
        self.tail = if is_cut_short { head.length().unwrap_or(0) } else { 0 };
        self.current =
            Some(Current { content: answer.content, length: head.length(), received: 0, closes: head.closes() });
        Ok(())
    }

    /// The answers that have a reason outside the request: it was late, or broken off, or nobody had time for it.
    fn excused(&self, head: &Head, exchange: &Exchange, facts: &Facts<'_>) -> Option<Answer> {
        let age = facts.now - facts.begun[self.next];
        let is_cut = facts.is_finished && facts.sent < exchange.place.end;
        let is_decided = exchange.answer.needs == Needs::Head && facts.sent >= exchange.head_end;
        let is_deferred = matches!(exchange.ask, Ask::Later { .. } | Ask::Pool { .. });
        let is_unhandled = !facts.book.handled.contains_key(&exchange.id);
        let is_put_off = head.field("retry-after").is_some();
        let (closes, content) = match head.status {
            408 if age >= SLOW => (true, Content::Page),
            400 if is_cut && (!is_decided || exchange.ask == Ask::SmallDigest) => (true, Content::Page),
            503 if is_deferred && age >= HANDLER && head.closes() => (true, Content::Page),
            503 if is_put_off && is_unhandled && matches!(exchange.ask, Ask::Pool { .. }) => {
                (exchange.answer.closes, Content::Page)
            }
            500 if facts.book.forgotten.contains(&exchange.id) => {
                (exchange.answer.closes, Content::Exactly("500 Internal Server Error\n".to_owned()))
            }
            _ => return None,
        };
        Some(Answer { status: head.status, content, closes, ..exchange.answer.clone() })
    }

    fn take_data(&mut self, data: &[u8], facts: &Facts<'_>) -> Result<(), Complaint> {
        let current = self.current.as_mut().ok_or("a body without a head")?;
        let exchange = &facts.script.exchanges[self.next];
        let place = current.received..current.received + data.len();
        let expected = match &current.content {
            Content::Nothing => Some(&[][..]),
            Content::Pattern(length) => (place.end <= *length).then(|| bytes_of(exchange.id, place.clone())),
            Content::File(range) => Some(bytes_of(FILE_ID, range.start + place.start..range.start + place.end))
                .filter(|_| place.end <= range.len()),
            Content::Exactly(text) => text.as_bytes().get(place.clone()),
            Content::Stream => {
                let fed = facts.book.streams.get(&exchange.id).map_or(0, |stream| stream.fed);
                (place.end <= fed).then(|| bytes_of(exchange.id, place.clone()))
            }
            Content::Page => Some(data),
        };
        current.received = place.end;
        if expected == Some(data) {
            Ok(())
        } else {
            Err(format!("wrong bytes at {place:?} of the answer to {} {:?}", exchange.id, exchange.ask))
        }
    }

    fn take_end(&mut self, facts: &Facts<'_>) -> Result<(), Complaint> {
        let exchange = &facts.script.exchanges[self.next];
        let current = self.current.take().ok_or("an end without a head")?;
        if current.content == Content::Stream && exchange.method != Method::Head {
            let stream = &facts.book.streams[&exchange.id];
            if stream.ending != Ending::Whole || current.received != stream.fed {
                return Err(format!(
                    "the stream {} ends after {} of {} bytes ({:?})",
                    exchange.id, current.received, stream.fed, stream.ending
                ));
            }
        }
        self.is_over = current.closes;
        self.next += 1;
        self.continues = 0;
        Ok(())
    }

    fn end(&mut self, facts: &Facts<'_>) -> Result<(), Complaint> {
        if self.parser.ends_with_the_connection() && self.take_end(facts).is_ok() {
            return Ok(());
        }
        let whole = self.parser.is_between_responses() && self.current.is_none();
        let has_question = facts.script.exchanges.get(self.next).is_some_and(|next| facts.sent > next.place.start);
        let silence = facts.now - self.last_answered(facts);
        let is_excused = facts.was_reset || silence >= SHORTEST_LIMIT || self.has_aborted(facts);
        if self.is_over || is_excused && (has_question || !whole || facts.was_reset) {
            Ok(())
        } else if !whole {
            Err(format!("the answer to exchange {} is cut", self.next))
        } else if facts.is_shut_down {
            Ok(())
        } else if has_question {
            let Exchange { id, ask, method, place, .. } = &facts.script.exchanges[self.next];
            let sent = facts.sent;
            Err(format!(
                "the connection ends, and {id} {ask:?} ({method:?} at {place:?} of {sent} bytes) is not answered"
            ))
        } else if facts.is_finished || silence >= IDLE {
            Ok(())
        } else {
            Err("the connection ends, and nobody has asked for it".into())
        }
    }

    /// When the request was sent that was answered last.
    fn last_answered(&self, facts: &Facts<'_>) -> Duration {
        match self.next.checked_sub(1) {
            Some(last) => facts.begun[last],
            None => facts.connected,
        }
    }

    /// Whether the producer of the next answer gave up. The answers before it must come, but where there are no chunks only a
    /// reset can say that a body is not whole, and that may overtake them.
    fn has_aborted(&self, facts: &Facts<'_>) -> bool {
        let has_aborted = |exchange: &Exchange| {
            facts.book.streams.get(&exchange.id).is_some_and(|stream| stream.ending == Ending::Aborted)
        };
        let mut coming = facts.script.exchanges[self.next..].iter();
        coming.next().is_some_and(has_aborted)
            || coming.any(|exchange| exchange.answer.is_http10 && has_aborted(exchange))
    }

    fn has_all(&self, facts: &Facts<'_>) -> bool {
        let sent = facts.script.exchanges.iter().take_while(|exchange| exchange.place.end <= facts.sent).count();
        self.is_over || (self.next >= sent && self.current.is_none())
    }

    fn write_ends_well(&self) -> Result<(), Complaint> {
        let Some(current) = &self.current else { return Ok(()) };
        let length = match (&current.content, current.length) {
            (Content::File(_) | Content::Stream, _) | (_, None) => return Ok(()),
            (_, Some(length)) => length,
        };
        if length <= SMALL_ANSWER {
            return Err(format!("a small answer in more than one write: {current:?}"));
        }
        Ok(())
    }
}

/// The length that the head promises is that of the content, though none may follow (RFC 9110 section 9.3.2).
fn check_length(head: &Head, exchange: &Exchange, answer: &Answer) -> Result<(), Complaint> {
    let expected = match &answer.content {
        Content::Nothing | Content::Page => return Ok(()),
        Content::Stream if answer.is_http10 => (None, false),
        Content::Stream => (None, true),
        Content::Pattern(length) => (Some(*length), false),
        Content::File(range) => (Some(range.len()), false),
        Content::Exactly(text) => (Some(text.len()), false),
    };
    if (head.length(), head.is_chunked()) == expected {
        Ok(())
    } else {
        Err(format!("a wrong length for {:?}", exchange.method))
    }
}

// ---- lines ----

#[derive(Default)]
struct LinesCheck {
    buffer: Vec<u8>,
    lines: usize,
    notes: usize,
}

impl LinesCheck {
    fn take(&mut self, bytes: &[u8], facts: &Facts<'_>) -> Result<(), Complaint> {
        self.buffer.extend_from_slice(bytes);
        while let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.buffer.drain(..=end).collect();
            let line = String::from_utf8_lossy(&line[..end]).into_owned();
            if facts.script.replies.get(self.lines) == Some(&line) {
                self.lines += 1;
            } else if facts.notes.get(self.notes).is_some_and(|note| note.trim_end() == line) {
                self.notes += 1;
            } else {
                return Err(format!("a line that is none of this peer's: {:?}", &line[..line.len().min(60)]));
            }
        }
        Ok(())
    }

    fn end(&self, facts: &Facts<'_>) -> Result<(), Complaint> {
        let has_time_passed = facts.now - facts.connected >= SHORTEST_LIMIT;
        let is_excused = facts.was_reset || facts.is_shut_down || has_time_passed;
        let asked = facts.lines_sent();
        if is_excused || (facts.is_finished && self.lines == asked && self.buffer.is_empty()) {
            Ok(())
        } else {
            Err(format!("the end after {} of {asked} lines", self.lines))
        }
    }
}
