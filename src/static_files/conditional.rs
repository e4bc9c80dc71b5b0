//! Preconditions (RFC 9110 section 13): does the client have this very file already, or did it expect another one?

use std::fs::Metadata;
use std::time::{Duration, SystemTime};

use http::{HeaderValue, Method};

use super::beneath::inode;
use super::charset::Charset;
use crate::coding::Coding;
use crate::message::{Request, is_named};

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

/// What a request asks for beside the whole of a file: the fields of its preconditions (RFC 9110 section 13.1) and Range,
/// found in one pass over its fields where one of them may be such a one. Most requests have none of them.
pub(super) struct Conditions<'a> {
    request: &'a Request,
    if_match: Field<'a>,
    if_unmodified_since: Field<'a>,
    if_none_match: Field<'a>,
    if_modified_since: Field<'a>,
    /// Whether a part may be wanted, and no more.
    pub(super) has_range: bool,
}

/// How often a field was given.
#[derive(Clone, Copy)]
enum Field<'a> {
    Never,
    Once(&'a [u8]),
    Again,
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
    pub(super) fn at(changed: SystemTime, now: SystemTime) -> Option<Self> {
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

impl<'a> Conditions<'a> {
    /// `None` where the whole is asked for, whatever it is.
    #[inline]
    pub(super) fn of(request: &'a Request) -> Option<Self> {
        // Few others begin so.
        let may_be_one = |name: &[u8]| matches!(name, [b'i' | b'I' | b'r' | b'R', ..]);
        if !request.has_header_like(may_be_one) {
            return None;
        }
        let mut all = Self {
            request,
            if_match: Field::Never,
            if_unmodified_since: Field::Never,
            if_none_match: Field::Never,
            if_modified_since: Field::Never,
            has_range: false,
        };
        request.for_each_header(|name, value| {
            if may_be_one(name)
                && let Some(field) = all.named(name)
            {
                field.add(value);
            } else if is_named(name, b"Range") {
                all.has_range = true;
            }
        });
        Some(all)
    }

    fn named(&mut self, name: &[u8]) -> Option<&mut Field<'a>> {
        let is = |known: &[u8]| is_named(name, known);
        match () {
            () if is(b"If-None-Match") => Some(&mut self.if_none_match),
            () if is(b"If-Modified-Since") => Some(&mut self.if_modified_since),
            () if is(b"If-Match") => Some(&mut self.if_match),
            () if is(b"If-Unmodified-Since") => Some(&mut self.if_unmodified_since),
            () => None,
        }
    }

    /// The steps of RFC 9110 section 13.2.2, for GET and HEAD.
    pub(super) fn evaluate(&self, current: &Validators) -> Verdict {
        let modified = current.modified.as_ref().map(|modified| modified.time);
        // 1. If-Match
        if !self.if_match.is_never() {
            if !self.any_tag(self.if_match, "if-match", current, |tag| tag == current.tag()) {
                return Verdict::PreconditionFailed;
            }
        // 2. If-Unmodified-Since, which If-Match overrules
        } else if let (Some(since), Some(modified)) = (self.if_unmodified_since.date(), modified)
            && modified > since
        {
            return Verdict::PreconditionFailed;
        }
        // 3. If-None-Match: compared weakly, since 304 is about meaning, not bytes
        if !self.if_none_match.is_never() {
            let is_it = |tag: &[u8]| opaque(tag) == opaque(current.tag());
            let has_it = self.any_tag(self.if_none_match, "if-none-match", current, is_it);
            return if has_it { Verdict::NotModified } else { Verdict::Proceed };
        }
        // 4. If-Modified-Since, which If-None-Match overrules
        match (self.if_modified_since.date(), modified) {
            (Some(since), Some(modified)) if modified <= since && is_read(self.request) => Verdict::NotModified,
            _ => Verdict::Proceed,
        }
    }

    /// Whether `*` or any tag of the lists in these fields fits. Most send the one tag that they have got from us.
    fn any_tag(&self, field: Field<'_>, name: &str, current: &Validators, fits: impl Fn(&[u8]) -> bool) -> bool {
        let has = |list: &[u8]| list == current.tag() || list == b"*" || tags(list).any(&fits);
        match field {
            Field::Never => false,
            Field::Once(list) => has(list),
            Field::Again => self.request.header_values(name).any(has),
        }
    }
}

impl<'a> Field<'a> {
    fn add(&mut self, value: &'a [u8]) {
        *self = if self.is_never() { Self::Once(value) } else { Self::Again };
    }

    fn is_never(self) -> bool {
        matches!(self, Self::Never)
    }

    /// Two dates are none.
    fn date(self) -> Option<SystemTime> {
        match self {
            Self::Once(value) => date(value),
            Self::Never | Self::Again => None,
        }
    }
}

fn is_read(request: &Request) -> bool {
    matches!(*request.method(), Method::GET | Method::HEAD)
}

/// A date in any of the three forms of RFC 9110 section 5.6.7. Another is no date, and the field is ignored.
pub(super) fn date(value: &[u8]) -> Option<SystemTime> {
    let text = std::str::from_utf8(value).ok()?;
    // httpdate does not look at the byte before the time in `Sunday, 06-Nov-94 08:49:37 GMT`.
    let has_a_time = !text.ends_with("GMT") || text.rsplit(' ').nth(1).is_some_and(|time| time.len() == 8);
    httpdate::parse_http_date(text).ok().filter(|_| has_a_time)
}

/// The tag without its weakness.
fn opaque(tag: &[u8]) -> &[u8] {
    tag.strip_prefix(b"W/").unwrap_or(tag)
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
