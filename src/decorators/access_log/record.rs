//! What is known of one request and its answer, when its line is written.
//!
//! Pattern: Value Object.

use std::fmt;
use std::net::IpAddr;
use std::ops::Range;
use std::time::{Duration, Instant, SystemTime};

use http::{Method, StatusCode, Version};

use super::super::request_id::RequestId;
use crate::message::{Reason, Refusal, Request, Sent};

/// One request and its answer.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) time: Time,
    /// `None` for clients of a unix socket.
    pub(super) client: Option<IpAddr>,
    pub(super) line: RequestLine,
    pub(super) host: Option<String>,
    pub(super) referer: Option<String>,
    pub(super) user_agent: Option<String>,
    pub(super) id: Option<String>,
    /// `None` before it is known what was answered.
    status: Option<StatusCode>,
    /// How much of the body was sent, in bytes.
    pub(super) body_bytes: u64,
    /// From the request to its answer, without the time that sending it takes.
    pub(super) duration: Option<Duration>,
    /// Why the server has refused it.
    pub(super) error: Option<Reason>,
    began: Instant,
}

/// What was asked for.
#[derive(Debug)]
pub(super) enum RequestLine {
    Understood {
        method: Method,
        target: String,
        version: Version,
    },
    /// What has come in place of a request line, or in front of fields that nobody understands.
    Raw(String),
}

impl Record {
    pub(super) fn of(request: &Request) -> Self {
        let field = |name| request.header_bytes(name).map(|value| String::from_utf8_lossy(value).into_owned());
        Self {
            time: Time::now(),
            client: client(request),
            line: RequestLine::Understood {
                method: request.method().clone(),
                target: request.target().to_owned(),
                version: request.version(),
            },
            host: field("host"),
            referer: field("referer"),
            user_agent: field("user-agent"),
            id: RequestId::of(request).map(ToOwned::to_owned),
            status: None,
            body_bytes: 0,
            duration: None,
            error: None,
            began: Instant::now(),
        }
    }

    pub(super) fn of_refusal(refusal: &Refusal<'_>) -> Self {
        let known = match refusal.request() {
            Some(request) => Self::of(request),
            None => Self::of_nothing(refusal),
        };
        Self { error: Some(refusal.reason()), ..known }
    }

    fn of_nothing(refusal: &Refusal<'_>) -> Self {
        Self {
            time: Time::now(),
            client: address(refusal.peer_addr().ip()),
            line: RequestLine::Raw(refusal.request_line().into_owned()),
            host: None,
            referer: None,
            user_agent: None,
            id: None,
            status: None,
            body_bytes: 0,
            duration: None,
            error: None,
            began: Instant::now(),
        }
    }

    /// The answer is there, and on its way.
    pub(super) fn note_answer(&mut self) {
        self.duration = Some(self.began.elapsed());
    }

    /// What became of it is known.
    pub(super) fn end(&mut self, sent: Sent) {
        self.status = Some(sent.status);
        self.body_bytes = sent.body_bytes;
        self.duration.get_or_insert_with(|| self.began.elapsed());
    }

    pub(super) fn status(&self) -> u16 {
        self.status.map_or(0, |status| status.as_u16())
    }
}

/// The client's address. Those of a unix socket have none.
pub(super) fn client(request: &Request) -> Option<IpAddr> {
    address(request.client_addr())
}

fn address(client: IpAddr) -> Option<IpAddr> {
    Some(client).filter(|client| !client.is_unspecified())
}

/// A moment, in UTC and to the millisecond.
#[derive(Debug, Clone, Copy)]
pub(super) struct Time(pub(super) SystemTime);

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

impl Time {
    fn now() -> Self {
        Self(SystemTime::now())
    }

    /// Day, month, year and time of day, each as text of a fixed width.
    fn parts(self) -> (String, String, String, String) {
        // Sun, 06 Nov 1994 08:49:37 GMT (RFC 9110 section 5.6.7)
        let date = httpdate::fmt_http_date(self.0);
        let part = |range: Range<usize>| date.get(range).unwrap_or_default().to_owned();
        (part(5..7), part(8..11), part(12..16), part(17..25))
    }

    /// As the common log format has it: `06/Nov/1994:08:49:37 +0000`.
    pub(super) fn common(self) -> String {
        let (day, month, year, time) = self.parts();
        format!("{day}/{month}/{year}:{time} +0000")
    }
}

/// As RFC 3339 has it: `1994-11-06T08:49:37.000Z`.
impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (day, month, year, time) = self.parts();
        let month = MONTHS.iter().position(|name| *name == month).map_or(0, |index| index + 1);
        let since = self.0.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        write!(f, "{year}-{month:02}-{day}T{time}.{:03}Z", since.subsec_millis())
    }
}
