//! Preconditions (RFC 9110 section 13): does the client have this very file already, or did it expect another one?

use std::fs::Metadata;
use std::time::{Duration, SystemTime};

use http::{HeaderValue, Method};

use super::beneath::inode;
use super::charset::Charset;
use crate::coding::Coding;
use crate::message::Request;

/// What tells one version of a file from another.
#[derive(Debug, Clone)]
pub(super) struct Validators {
    /// A strong entity tag: inode, length and time of change. The file is not read for it.
    pub(super) tag: HeaderValue,
    /// `None` where the file's time cannot be said in HTTP.
    pub(super) modified: Option<Modified>,
}

/// `Last-Modified`, which knows whole seconds only.
#[derive(Debug, Clone)]
pub(super) struct Modified {
    pub(super) time: SystemTime,
    pub(super) text: HeaderValue,
    /// Whether a second has passed since, so that no later change can have the same date (RFC 9110 section 8.8.2.2).
    pub(super) is_strong: bool,
}

/// What the preconditions say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Proceed,
    /// 304: the client has it.
    NotModified,
    /// 412: it is not what the client expected.
    PreconditionFailed,
}

/// The last second that an HTTP date can name: 9999-12-31T23:59:59Z.
const LAST_SECOND: Duration = Duration::from_secs(253_402_300_799);

impl Validators {
    pub(super) fn of(metadata: &Metadata, now: SystemTime) -> Self {
        let changed = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
        let nanoseconds = match changed.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(after) => format!("{:x}", after.as_nanos()),
            Err(before) => format!("-{:x}", before.duration().as_nanos()),
        };
        let tag = format!("\"{:x}-{:x}-{nanoseconds}\"", inode(metadata), metadata.len());
        let tag = HeaderValue::try_from(tag).expect("quotes, hyphens and hexadecimal digits");
        Self { tag, modified: Modified::at(changed, now) }
    }

    /// Of what has no time of its own, such as a listing; the tag with its quotes.
    pub(super) fn of_tag(tag: String) -> Self {
        Self { tag: HeaderValue::try_from(tag).expect("quotes and hexadecimal digits"), modified: None }
    }

    /// Other bytes need another strong tag (RFC 9110 section 8.8.3.3).
    pub(super) fn of_coding(self, coding: Coding) -> Self {
        self.with_suffix(coding.token())
    }

    /// So does another charset of the same bytes: a browser that has them must not read them as it did before.
    pub(super) fn of_charset(self, charset: Charset) -> Self {
        if charset == Charset::UTF_8 { self } else { self.with_suffix(&charset.name()) }
    }

    fn with_suffix(self, suffix: &str) -> Self {
        let plain = String::from_utf8_lossy(self.tag.as_bytes()).trim_matches('"').to_owned();
        let tag = HeaderValue::try_from(format!("\"{plain}-{suffix}\""));
        Self { tag: tag.expect("a tag and a token"), ..self }
    }

    fn tag(&self) -> &[u8] {
        self.tag.as_bytes()
    }
}

impl Modified {
    /// RFC 9110 §8.8.2.1: never later than the answer's own date.
    fn at(changed: SystemTime, now: SystemTime) -> Option<Self> {
        let seconds = changed.min(now).duration_since(SystemTime::UNIX_EPOCH).ok()?.as_secs();
        let since_epoch = Duration::from_secs(seconds);
        if since_epoch > LAST_SECOND {
            return None;
        }
        let time = SystemTime::UNIX_EPOCH + since_epoch;
        let text = HeaderValue::try_from(httpdate::fmt_http_date(time)).ok()?;
        let is_strong = now.duration_since(time).is_ok_and(|age| age > Duration::from_secs(1)) && changed <= now;
        Some(Self { time, text, is_strong })
    }
}

/// Whether the client asks for no more and no less than the file: no condition, whose fields all begin with `If-`
/// (RFC 9110 section 13.1), and no part of it. Most do, and one look at their fields is enough.
pub(super) fn is_plain(request: &Request) -> bool {
    let is_other = |name: &[u8]| match name {
        [b'i' | b'I', b'f' | b'F', b'-', ..] => true,
        [b'r' | b'R', ..] => name.eq_ignore_ascii_case(b"range"),
        _ => false,
    };
    !request.header_names().any(is_other)
}

/// The steps of RFC 9110 section 13.2.2, for GET and HEAD.
pub(super) fn evaluate(request: &Request, current: &Validators) -> Verdict {
    let modified = current.modified.as_ref().map(|modified| modified.time);
    // 1. If-Match
    if request.header_bytes("if-match").is_some() {
        if !any_tag(request, "if-match", |tag| tag == current.tag()) {
            return Verdict::PreconditionFailed;
        }
    // 2. If-Unmodified-Since, which If-Match overrules
    } else if let (Some(since), Some(modified)) = (date(request, "if-unmodified-since"), modified)
        && modified > since
    {
        return Verdict::PreconditionFailed;
    }
    // 3. If-None-Match: compared weakly, since 304 is about meaning, not bytes
    if request.header_bytes("if-none-match").is_some() {
        let has_it = any_tag(request, "if-none-match", |tag| opaque(tag) == opaque(current.tag()));
        return if has_it { Verdict::NotModified } else { Verdict::Proceed };
    }
    // 4. If-Modified-Since, which If-None-Match overrules
    match (date(request, "if-modified-since"), modified) {
        (Some(since), Some(modified)) if modified <= since && is_read(request) => Verdict::NotModified,
        _ => Verdict::Proceed,
    }
}

fn is_read(request: &Request) -> bool {
    matches!(*request.method(), Method::GET | Method::HEAD)
}

/// A date in any of the three forms of RFC 9110 section 5.6.7. Another is no date, nor are two, and the field is ignored.
pub(super) fn date(request: &Request, name: &str) -> Option<SystemTime> {
    let date = request.header_bytes(name)?;
    let is_alone = request.header_values(name).nth(1).is_none();
    let text = std::str::from_utf8(date).ok().filter(|_| is_alone)?;
    // httpdate does not look at the byte before the time in `Sunday, 06-Nov-94 08:49:37 GMT`.
    let has_a_time = !text.ends_with("GMT") || text.rsplit(' ').nth(1).is_some_and(|time| time.len() == 8);
    httpdate::parse_http_date(text).ok().filter(|_| has_a_time)
}

/// The tag without its weakness.
fn opaque(tag: &[u8]) -> &[u8] {
    tag.strip_prefix(b"W/").unwrap_or(tag)
}

/// Whether `*` or any tag of the lists in these fields fits.
fn any_tag(request: &Request, name: &str, fits: impl Fn(&[u8]) -> bool) -> bool {
    request.header_values(name).any(|list| list == b"*" || tags(list).any(&fits))
}

/// The entity tags of a list (RFC 9110 section 8.8.3); a comma may stand inside one. What is no tag ends the list.
fn tags(mut list: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let start = list.iter().position(|byte| !matches!(byte, b' ' | b'\t' | b','))?;
        list = &list[start..];
        let quote = if list.starts_with(b"W/") { 2 } else { 0 };
        if list.get(quote) != Some(&b'"') {
            return None;
        }
        let length = list[quote + 1..].iter().position(|byte| *byte == b'"')?;
        let (tag, rest) = list.split_at(quote + length + 2);
        list = rest;
        Some(tag)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_tags_is_taken_apart() {
        let all = |list: &'static [u8]| tags(list).collect::<Vec<_>>();
        assert_eq!(all(b"\"a\", W/\"b\" ,\"c,d\""), [&b"\"a\""[..], b"W/\"b\"", b"\"c,d\""]);
        assert_eq!(all(b""), Vec::<&[u8]>::new());
        assert_eq!(all(b"a\"b\""), Vec::<&[u8]>::new(), "no quote where one must be");
        assert_eq!(all(b"\"a\", \"open"), [b"\"a\""]);
    }

    #[test]
    fn a_time_from_the_future_is_said_as_now() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1000);
        let modified = Modified::at(now + Duration::from_secs(50), now).unwrap();
        assert_eq!(modified.text, "Thu, 01 Jan 1970 00:16:40 GMT");
        assert!(!modified.is_strong);
    }

    #[test]
    fn times_that_http_cannot_say_are_left_out() {
        let (epoch, day) = (SystemTime::UNIX_EPOCH, Duration::from_secs(86_400));
        assert!(Modified::at(epoch - day, epoch + day).is_none(), "before 1970");
        assert!(Modified::at(epoch + LAST_SECOND + day, epoch + LAST_SECOND + day).is_none(), "after 9999");
    }
}
