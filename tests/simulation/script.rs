//! What a peer sends, and what it must get for it: decided before anything runs, from the seed alone.
//!
//! An HTTP peer's script is a list of [`Exchange`]s, pipelined one behind the other; how the bytes are cut and when they
//! are sent is the world's matter. The model of the server is [`Exchange::answer`]: nothing of the crate is asked.

use std::fmt::Write as _;
use std::ops::Range;
use std::sync::OnceLock;

use fastrand::Rng;

/// What one peer will say.
pub(crate) struct Script {
    pub(crate) bytes: Vec<u8>,
    /// What stands before the exchanges or lines: the word for a door, or the request for an upgrade.
    pub(crate) preface: usize,
    pub(crate) exchanges: Vec<Exchange>,
    /// In a [`Talk::Lines`]: what comes back for each line.
    pub(crate) replies: Vec<String>,
}

/// Which conversation it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Talk {
    Http,
    /// HTTP behind a door: the session says welcome, reads a word, and becomes another.
    HttpBehindDoor,
    /// Lines and notes behind the same door.
    Lines,
    /// The same, after an upgrade from HTTP.
    LinesAfterUpgrade,
}

impl Talk {
    pub(crate) fn is_behind_door(self) -> bool {
        matches!(self, Self::HttpBehindDoor | Self::Lines)
    }
}

/// One request and its answer.
pub(crate) struct Exchange {
    pub(crate) id: u64,
    pub(crate) ask: Ask,
    pub(crate) method: Method,
    /// Where it lies in the script.
    pub(crate) place: Range<usize>,
    pub(crate) head_end: usize,
    pub(crate) answer: Answer,
    pub(crate) expects_continue: bool,
}

impl Exchange {
    /// Whether the peer says with it that it sends no more (RFC 9112 section 9.6).
    pub(crate) fn is_last_word(&self, script: &[u8]) -> bool {
        let head = &script[self.place.start..self.head_end];
        self.place.end == self.head_end && head.windows(17).any(|window| window == b"Connection: close")
    }
}

/// What is asked for; each is a path that the handler knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ask {
    Text {
        length: usize,
    },
    File {
        from: usize,
        length: usize,
    },
    NoContent,
    NotModified,
    Stream {
        capacity: usize,
    },
    Later {
        length: usize,
    },
    Pool {
        length: usize,
    },
    Refused,
    Panic,
    PanicInPlan,
    Digest,
    /// As `Digest`, but only for [`SMALL_BODY`] bytes.
    SmallDigest,
    /// A text after which the handler wants the connection to end.
    Farewell {
        length: usize,
    },
    /// Bytes that are no request.
    Garbage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    Get,
    Head,
    Post,
}

/// What the server must say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) content: Content,
    /// Whether the connection must end with it.
    pub(crate) closes: bool,
    /// How much of the request the server must have seen.
    pub(crate) needs: Needs,
    pub(crate) is_http10: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Content {
    /// The status has none.
    Nothing,
    /// [`bytes_of`] this exchange.
    Pattern(usize),
    /// [`bytes_of`] the file.
    File(Range<usize>),
    Exactly(String),
    /// What the world feeds.
    Stream,
    /// The server's own words.
    Page,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Needs {
    Start,
    Head,
    Whole,
}

/// Asks for lines in place of HTTP.
fn upgrade(id: u64) -> String {
    format!("GET /lines/{id} HTTP/1.1\r\nHost: sim\r\nConnection: upgrade\r\nUpgrade: lines\r\n\r\n")
}

/// The limit of [`Ask::SmallDigest`], in bytes.
pub(crate) const SMALL_BODY: usize = 1000;

/// The length of the file, in bytes: more than is sent in one turn.
pub(crate) const FILE_BYTES: usize = 3 * 1024 * 1024;

/// The id whose bytes the file has.
pub(crate) const FILE_ID: u64 = 0;

/// The bytes that belong to an id.
pub(crate) fn bytes_of(id: u64, range: Range<usize>) -> &'static [u8] {
    static NOISE: OnceLock<Vec<u8>> = OnceLock::new();
    const SHIFTS: u64 = 65_521;
    let noise = NOISE.get_or_init(|| {
        let mut rng = Rng::with_seed(7);
        (0..FILE_BYTES + SHIFTS as usize).map(|_| rng.u8(..)).collect()
    });
    let shift = usize::try_from(id.wrapping_mul(7919) % SHIFTS).expect("it is small");
    &noise[shift + range.start..shift + range.end]
}

/// What the handler says of a body.
pub(crate) fn digest(id: u64, body: &[u8]) -> String {
    let hash = body
        .iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
    format!("{id} got {} bytes, {hash:x}\n", body.len())
}

impl Script {
    pub(crate) fn new(rng: &mut Rng, talk: Talk, next_id: &mut u64, requests_per_connection: usize) -> Self {
        let mut script = Self { bytes: Vec::new(), preface: 0, exchanges: Vec::new(), replies: Vec::new() };
        match talk {
            Talk::Http => {}
            Talk::HttpBehindDoor => script.bytes.extend_from_slice(b"http\n"),
            Talk::Lines => script.bytes.extend_from_slice(b"lines\n"),
            Talk::LinesAfterUpgrade => {
                *next_id += 1;
                script.bytes.extend_from_slice(upgrade(*next_id).as_bytes());
            }
        }
        script.preface = script.bytes.len();
        for index in 0..rng.usize(1..12) {
            *next_id += 1;
            match talk {
                Talk::Lines | Talk::LinesAfterUpgrade => script.add_line(rng, *next_id),
                _ => script.add_exchange(rng, *next_id, index + 1 >= requests_per_connection),
            }
        }
        script
    }

    fn add_line(&mut self, rng: &mut Rng, id: u64) {
        let length = if rng.u8(..10) == 0 { rng.usize(..60_000) } else { rng.usize(..500) };
        writeln!(Text(&mut self.bytes), "{id} {length}").expect("writing to memory cannot fail");
        self.replies.push(format!("line {id} {}", "x".repeat(length)));
    }

    fn add_exchange(&mut self, rng: &mut Rng, id: u64, is_last: bool) {
        let start = self.bytes.len();
        let ask = Ask::choose(rng);
        if ask == Ask::Garbage {
            let (bytes, status) = GARBAGE[rng.usize(..GARBAGE.len())];
            self.bytes.extend_from_slice(bytes);
            let answer = Answer { status, content: Content::Page, closes: true, needs: Needs::Start, is_http10: false };
            let end = self.bytes.len();
            return self.exchanges.push(Exchange {
                id,
                ask,
                method: Method::Get,
                place: start..end,
                head_end: end,
                answer,
                expects_continue: false,
            });
        }
        let request = Plan::choose(rng, ask);
        let head = request.head(id);
        self.bytes.extend_from_slice(head.as_bytes());
        let head_end = self.bytes.len();
        request.write_body(rng, id, &mut self.bytes);
        let mut answer = request.answer(id);
        answer.closes |= is_last;
        self.exchanges.push(Exchange {
            id,
            ask,
            method: request.method,
            place: start..self.bytes.len(),
            head_end,
            answer,
            expects_continue: request.expects_continue,
        });
    }
}

impl Ask {
    fn choose(rng: &mut Rng) -> Self {
        let length = match rng.u8(..20) {
            0 => rng.usize(..150_000),
            1..=4 => rng.usize(..9_000),
            _ => rng.usize(..300),
        };
        match rng.u8(..100) {
            0..=29 => Self::Text { length },
            30..=37 => Self::File { from: rng.usize(..1000), length },
            38 if rng.u8(..4) == 0 => Self::File { from: 0, length: FILE_BYTES },
            39..=41 => Self::NoContent,
            42..=44 => Self::NotModified,
            45..=58 => Self::Stream { capacity: rng.usize(1..20_000) },
            59..=66 => Self::Later { length },
            67..=74 => Self::Pool { length },
            75..=78 => Self::Refused,
            79..=81 => Self::Panic,
            82 => Self::PanicInPlan,
            83..=92 => Self::Digest,
            93..=95 => Self::SmallDigest,
            96 => Self::Farewell { length },
            97 => Self::Garbage,
            _ => Self::Text { length: 0 },
        }
    }

    fn path(self, id: u64) -> String {
        match self {
            Self::Text { length } => format!("/text/{id}/{length}"),
            Self::File { from, length } => format!("/file/{id}/{from}/{length}"),
            Self::NoContent => format!("/none/{id}"),
            Self::NotModified => format!("/same/{id}"),
            Self::Stream { capacity } => format!("/stream/{id}/{capacity}"),
            Self::Later { length } => format!("/later/{id}/{length}"),
            Self::Pool { length } => format!("/pool/{id}/{length}"),
            Self::Refused => format!("/refused/{id}"),
            Self::Panic => format!("/panic/{id}"),
            Self::PanicInPlan => format!("/unplanned/{id}"),
            Self::Digest => format!("/digest/{id}"),
            Self::SmallDigest => format!("/small/{id}"),
            Self::Farewell { length } => format!("/farewell/{id}/{length}"),
            Self::Garbage => unreachable!("garbage has no path"),
        }
    }
}

/// What is no request, and what the server says to it.
const GARBAGE: [(&[u8], u16); 6] = [
    (b"GET / HTTP/1.1\r\n\r\n", 400),
    (b"GET / HTTP/1.1\nHost: a\n\n", 400),
    (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
    (b"\x00\x01\x02\r\n\r\n", 400),
    (b"GET / HTTP/3.0\r\nHost: a\r\n\r\n", 505),
    (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\n", 400),
];

/// One request, before it is written down.
struct Plan {
    ask: Ask,
    method: Method,
    upload: Upload,
    is_http10: bool,
    connection: Connection,
    expects_continue: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Upload {
    Nothing,
    Length(usize),
    Chunked(usize),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Connection {
    Unsaid,
    KeepAlive,
    Close,
}

impl Plan {
    fn choose(rng: &mut Rng, ask: Ask) -> Self {
        let wants_upload = matches!(ask, Ask::Digest | Ask::SmallDigest) || rng.u8(..8) == 0;
        let is_http10 = rng.u8(..10) == 0;
        let length = if rng.u8(..20) == 0 { rng.usize(..200_000) } else { rng.usize(..2_000) };
        let upload = match rng.u8(..2) {
            _ if !wants_upload => Upload::Nothing,
            0 if !is_http10 => Upload::Chunked(length),
            _ => Upload::Length(length),
        };
        let method = match rng.u8(..8) {
            _ if wants_upload => Method::Post,
            0 => Method::Head,
            _ => Method::Get,
        };
        let connection = match rng.u8(..20) {
            0 => Connection::Close,
            1..=10 if is_http10 => Connection::KeepAlive,
            _ => Connection::Unsaid,
        };
        let expects_continue = wants_upload && !is_http10 && rng.u8(..4) == 0;
        Self { ask, method, upload, is_http10, connection, expects_continue }
    }

    fn head(&self, id: u64) -> String {
        let version = if self.is_http10 { "1.0" } else { "1.1" };
        let method = match self.method {
            Method::Get => "GET",
            Method::Head => "HEAD",
            Method::Post => "POST",
        };
        let mut head = format!("{method} {} HTTP/{version}\r\nHost: sim\r\n", self.ask.path(id));
        match self.connection {
            Connection::Unsaid => {}
            Connection::KeepAlive => head += "Connection: keep-alive\r\n",
            Connection::Close => head += "Connection: close\r\n",
        }
        match self.upload {
            Upload::Nothing => {}
            Upload::Length(length) => head += &format!("Content-Length: {length}\r\n"),
            Upload::Chunked(_) => head += "Transfer-Encoding: chunked\r\n",
        }
        if self.expects_continue {
            head += "Expect: 100-continue\r\n";
        }
        head + "\r\n"
    }

    fn body(&self, id: u64) -> &'static [u8] {
        match self.upload {
            Upload::Nothing => &[],
            Upload::Length(length) | Upload::Chunked(length) => bytes_of(id, 0..length),
        }
    }

    fn write_body(&self, rng: &mut Rng, id: u64, out: &mut Vec<u8>) {
        let Upload::Chunked(_) = self.upload else { return out.extend_from_slice(self.body(id)) };
        let mut rest = self.body(id);
        while !rest.is_empty() {
            let (chunk, behind) = rest.split_at(rng.usize(1..=rest.len().min(5000)));
            write!(Text(out), "{:x}\r\n", chunk.len()).expect("writing to memory cannot fail");
            out.extend_from_slice(chunk);
            out.extend_from_slice(b"\r\n");
            rest = behind;
        }
        out.extend_from_slice(b"0\r\n\r\n");
    }

    /// The model of the server.
    fn answer(&self, id: u64) -> Answer {
        let length = self.body(id).len();
        let is_too_large = self.ask == Ask::SmallDigest && length > SMALL_BODY;
        // Of a length of 0 nothing is left to read: the connection can go on.
        let has_upload = !matches!(self.upload, Upload::Nothing | Upload::Length(0));
        let (status, content) = match self.ask {
            Ask::SmallDigest if is_too_large => (413, Content::Page),
            Ask::Text { length } | Ask::Later { length } | Ask::Pool { length } | Ask::Farewell { length } => {
                (200, Content::Pattern(length))
            }
            Ask::File { from, length } => (200, Content::File(from..from + length)),
            Ask::NoContent => (204, Content::Nothing),
            Ask::NotModified => (304, Content::Nothing),
            Ask::Stream { .. } => (200, Content::Stream),
            Ask::Refused => (403, Content::Exactly(format!("{id} is refused\n"))),
            Ask::Panic | Ask::PanicInPlan => (500, Content::Page),
            Ask::Digest | Ask::SmallDigest => (200, Content::Exactly(digest(id, self.body(id)))),
            Ask::Garbage => unreachable!("garbage is answered elsewhere"),
        };
        let is_planned_away = matches!(self.ask, Ask::Refused | Ask::PanicInPlan);
        let ends = self.connection == Connection::Close
            || (self.is_http10 && self.connection == Connection::Unsaid)
            || (self.is_http10 && matches!(self.ask, Ask::Stream { .. }))
            || matches!(self.ask, Ask::Farewell { .. })
            || (is_planned_away && has_upload)
            || is_too_large;
        let needs = if is_planned_away || is_too_large { Needs::Head } else { Needs::Whole };
        Answer { status, content, closes: ends, needs, is_http10: self.is_http10 }
    }
}

/// Text into bytes.
struct Text<'a>(&'a mut Vec<u8>);

impl std::fmt::Write for Text<'_> {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}
