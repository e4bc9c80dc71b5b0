//! How a line looks.
//!
//! Pattern: Strategy.

use std::fmt;
use std::net::IpAddr;

use super::escape::{Json, Quoted, Text};
use super::record::{Record, RequestLine};

/// How the lines of an [`AccessLog`](crate::AccessLog) look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum LogFormat {
    /// For people: `127.0.0.1 GET /a?b 200 5`; with the time before it, unless it goes to the `log` crate, which has its own.
    /// What is no request stands in quotes.
    #[default]
    Text,
    /// The common log format of NCSA and Apache, in UTC.
    Common,
    /// The same with `Referer` and `User-Agent`, which most programs that read logs expect.
    Combined,
    /// An object for each line: `time` (RFC 3339), `client`, `method`, `target`, `version`, `host`, `status`, `bytes` of the
    /// body that were sent, `seconds` until the answer was ready, `referer`, `user_agent`, and `id` where
    /// [`RequestId`](crate::RequestId) stands around the log. Of what is no request, `target` is the first line, and `method` and
    /// `version` are `null`; `error` says why the server has refused it.
    Json,
}

impl LogFormat {
    /// The line for this record.
    pub(super) fn line(self, record: &Record) -> impl fmt::Display {
        fmt::from_fn(move |f| match self {
            Self::Text => text(record, f),
            Self::Common => common(record, f),
            Self::Combined => {
                common(record, f)?;
                write!(f, " \"{}\" \"{}\"", quoted(record.referer.as_deref()), quoted(record.user_agent.as_deref()))
            }
            Self::Json => json(record, f),
        })
    }
}

fn text(record: &Record, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let (client, status, length) = (Or(record.client, '-'), record.status(), record.body_bytes);
    match &record.line {
        RequestLine::Understood { method, target, .. } => {
            write!(f, "{client} {method} {} {status} {length}", Text(target))
        }
        RequestLine::Raw(line) => write!(f, "{client} \"{}\" {status} {length}", Text(line)),
    }
}

/// `%h %l %u %t "%r" %>s %b` in Apache's words; who the user is nobody has checked, so `-`.
fn common(record: &Record, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let length = Or(Some(record.body_bytes).filter(|length| *length > 0), '-');
    let client = Or(record.client, '-');
    let (time, status) = (record.time.common(), record.status());
    write!(f, "{client} - - [{time}] \"")?;
    match &record.line {
        RequestLine::Understood { method, target, version } => write!(f, "{method} {} {version:?}", Quoted(target))?,
        RequestLine::Raw(line) => write!(f, "{}", Quoted(line))?,
    }
    write!(f, "\" {status} {length}")
}

fn json(record: &Record, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let time = record.time;
    let client = record.client.as_ref().map(IpAddr::to_string);
    write!(f, "{{\"time\":\"{time}\",\"client\":{}", string(client.as_deref()))?;
    match &record.line {
        RequestLine::Understood { method, target, version } => {
            let target = string(Some(target));
            write!(f, ",\"method\":\"{method}\",\"target\":{target},\"version\":\"{version:?}\"")?;
        }
        RequestLine::Raw(line) => write!(f, ",\"method\":null,\"target\":{},\"version\":null", string(Some(line)))?,
    }
    write!(f, ",\"host\":{},\"status\":{}", string(record.host.as_deref()), record.status())?;
    write!(f, ",\"bytes\":{},\"seconds\":{:.6}", record.body_bytes, record.duration.unwrap_or_default().as_secs_f64())?;
    write!(f, ",\"referer\":{}", string(record.referer.as_deref()))?;
    write!(f, ",\"user_agent\":{}", string(record.user_agent.as_deref()))?;
    if let Some(id) = &record.id {
        write!(f, ",\"id\":{}", string(Some(id)))?;
    }
    if let Some(error) = record.error {
        write!(f, ",\"error\":{}", string(Some(&error.to_string())))?;
    }
    f.write_str("}")
}

/// The value, or what stands for none.
struct Or<T, N>(Option<T>, N);

impl<T: fmt::Display, N: fmt::Display> fmt::Display for Or<T, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(value) => value.fmt(f),
            None => self.1.fmt(f),
        }
    }
}

fn quoted(text: Option<&str>) -> impl fmt::Display {
    Or(text.map(Quoted), '-')
}

fn string(text: Option<&str>) -> impl fmt::Display {
    fmt::from_fn(move |f| match text {
        Some(text) => write!(f, "\"{}\"", Json(text)),
        None => f.write_str("null"),
    })
}
