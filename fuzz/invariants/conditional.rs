//! Conditional and range requests. The first line of the input is a method and the length of a file, each other line a
//! field:
//!
//! ```text
//! GET 1000
//! Range: bytes=0-9
//! If-Range: $TAG
//! ```
//!
//! `$TAG` stands for the file's entity tag and `$DATE` for its date. Only the six fields of RFC 9110 sections 13 and 14.2
//! are sent, and bytes that no value may have are left out.

use std::fs::{self, File};
use std::io;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use qibu::testing::TestConn;
use qibu::{Http, StaticFiles};
use tempfile::TempDir;

use super::answers::{self, Answer, Asked, Read};
use super::grammar::Field;
use super::{grammar, log_everything, text};

/// 200 is the whole file and 206 the part that its `Content-Range` names; 304, 412 and 416 are framed right and come only
/// to those who asked for them. Where all fields are as the grammar wants them, the answer is the one that RFC 9110
/// section 13.2.2 calculates.
pub(crate) fn conditional(data: &[u8]) {
    log_everything();
    FOLDER.with(|folder| {
        let request = Request::parse(data, folder);
        let answer = folder.ask(&request);
        check(&answer, &request);
        if let Some(status) = Rules::of(&request, folder).and_then(|rules| rules.status()) {
            assert_eq!(answer.status, status, "{answer:?} to {request:?}");
        }
        // Kept in memory by now, or not: it is the same file.
        assert_eq!(with_one_boundary(folder.ask(&request)), with_one_boundary(answer), "asked twice");
    });
}

/// The boundary of several parts is new for each answer.
fn with_one_boundary(mut answer: Answer) -> Answer {
    let kind = answer.field("content-type").map(<[u8]>::to_vec).unwrap_or_default();
    if let Some(boundary) = kind.strip_prefix(b"multipart/byteranges; boundary=") {
        answer.body = replace(&answer.body, boundary, b"");
        answer.fields.retain(|(name, _)| name != "content-type");
    }
    answer
}

thread_local! {
    static FOLDER: Folder = Folder::new().expect("a temporary folder");
}

/// Both sides of what is read into memory, and of what has any byte.
const LENGTHS: [usize; 5] = [0, 1, 10, 1000, 40_000];

/// When the files were changed.
const CHANGED: Duration = Duration::from_secs(784_111_777);

/// The same in HTTP.
const DATE: &str = "Sun, 06 Nov 1994 08:49:37 GMT";

/// Dates whose order is known: before, and after.
const BEFORE: [&str; 3] =
    ["Sun, 06 Nov 1994 08:49:36 GMT", "Thu, 01 Jan 1970 00:00:00 GMT", "Sunday, 06-Nov-94 08:49:36 GMT"];
const AFTER: [&str; 3] = ["Sun, 06 Nov 1994 08:49:38 GMT", "Fri, 31 Dec 9999 23:59:59 GMT", "Sun Nov  6 08:49:38 1994"];

const NAMES: [&str; 6] = ["range", "if-range", "if-match", "if-none-match", "if-modified-since", "if-unmodified-since"];

struct Folder {
    files: Arc<StaticFiles>,
    tags: Vec<Vec<u8>>,
    _folder: TempDir,
}

impl Folder {
    fn new() -> io::Result<Self> {
        let folder = tempfile::tempdir()?;
        for length in LENGTHS {
            let path = folder.path().join(length.to_string());
            fs::write(&path, content(length))?;
            File::options().write(true).open(&path)?.set_modified(SystemTime::UNIX_EPOCH + CHANGED)?;
        }
        let files = Arc::new(StaticFiles::new(folder.path()));
        let mut new = Self { files, tags: Vec::new(), _folder: folder };
        for length in LENGTHS {
            let answer = new.ask(&Request { method: "GET", length, fields: Vec::new() });
            assert_eq!(answer.field("last-modified"), Some(DATE.as_bytes()));
            new.tags.push(answer.field("etag").expect("every file has one").to_vec());
        }
        Ok(new)
    }

    fn tag(&self, length: usize) -> &[u8] {
        let index = LENGTHS.iter().position(|known| *known == length).expect("one of them");
        &self.tags[index]
    }

    fn ask(&self, request: &Request) -> Answer {
        let mut conn = TestConn::open(Http::new(self.files.clone())).expect("HTTP opens every connection");
        let Request { method, length, fields } = request;
        let mut head = format!("{method} /{length} HTTP/1.1\r\nHost: a\r\n").into_bytes();
        for (name, value) in fields {
            head.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
        }
        conn.send(&head).send(b"\r\n");
        let asked = if *method == "HEAD" { Asked::ForHead } else { Asked::ForAll };
        let received = conn.recv();
        match answers::read(&received, |_| asked) {
            Read::Whole(answer, b"") => answer,
            other => panic!("{other:?} to {request:?}"),
        }
    }
}

/// Every place in it is another.
fn content(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at * 7 + at / 256 * 13) as u8).collect()
}

struct Request {
    method: &'static str,
    length: usize,
    fields: Vec<Field>,
}

/// More fields than that say nothing new.
const MOST_FIELDS: usize = 20;

impl Request {
    fn parse(data: &[u8], folder: &Folder) -> Self {
        let mut lines = data.split(|byte| *byte == b'\n');
        let first = String::from_utf8_lossy(lines.next().unwrap_or_default()).into_owned();
        let digits: String = first.chars().filter(char::is_ascii_digit).collect();
        let length = LENGTHS.into_iter().find(|length| length.to_string() == digits).unwrap_or(LENGTHS[3]);
        let method = if first.starts_with('H') { "HEAD" } else { "GET" };
        let fields = lines.filter_map(|line| field(line, folder.tag(length))).take(MOST_FIELDS).collect();
        Self { method, length, fields }
    }

    /// The value, where there is exactly one such field.
    fn only(&self, name: &str) -> Known<'_> {
        let mut values = self.fields.iter().filter(|(known, _)| known == name).map(|(_, value)| &**value);
        match (values.next(), values.next()) {
            (None, _) => Known::Absent,
            (Some(value), None) => Known::Value(value),
            (Some(_), Some(_)) => Known::Several,
        }
    }

    fn has(&self, name: &str) -> bool {
        !matches!(self.only(name), Known::Absent)
    }
}

enum Known<'a> {
    Absent,
    Value(&'a [u8]),
    Several,
}

fn field(line: &[u8], tag: &[u8]) -> Option<Field> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let name = String::from_utf8_lossy(&line[..colon]).to_ascii_lowercase();
    let value: Vec<u8> =
        line[colon + 1..].iter().copied().filter(|byte| matches!(byte, b'\t' | b' '..=b'~' | 0x80..)).collect();
    let value = replace(&replace(grammar::trim(&value), b"$TAG", tag), b"$DATE", DATE.as_bytes());
    NAMES.contains(&&*name).then_some((name, value))
}

fn replace(text: &[u8], what: &[u8], with: &[u8]) -> Vec<u8> {
    let mut replaced = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.windows(what.len()).position(|window| window == what) {
        replaced.extend([&rest[..at], with].concat());
        rest = &rest[at + what.len()..];
    }
    replaced.extend(rest);
    replaced
}

fn check(answer: &Answer, request: &Request) {
    let (file, is_head) = (content(request.length), request.method == "HEAD");
    let length = answer.field("content-length").map(text);
    let part = match answer.status {
        200 => Some(0..file.len()),
        206 if answer.field("content-type").is_some_and(|kind| kind.starts_with(b"multipart/byteranges")) => {
            assert!(request.has("range") && !is_head && answer.field("content-range").is_none(), "{request:?}");
            assert_eq!(length, Some(answer.body.len().to_string()), "{answer:?} to {request:?}");
            return check_parts(answer, &file);
        }
        206 => Some(part_of(answer.field("content-range"), file.len())),
        304 => {
            assert!(request.has("if-none-match") || request.has("if-modified-since"), "{request:?}");
            assert!(answer.field("etag").is_some() && length.is_none() && answer.body.is_empty(), "{answer:?}");
            None
        }
        412 => {
            assert!(request.has("if-match") || request.has("if-unmodified-since"), "{request:?}");
            assert!(length.is_some() && answer.field("content-range").is_none(), "{answer:?}");
            None
        }
        416 => {
            assert!(request.has("range") && !is_head, "{request:?}");
            let range = answer.field("content-range").map(text);
            assert_eq!(range, Some(format!("bytes */{}", file.len())), "{answer:?}");
            assert!(length.is_some(), "{answer:?}");
            None
        }
        other => panic!("{other} to {request:?}"),
    };
    let Some(part) = part else { return };
    assert_eq!(length, Some(part.len().to_string()), "{answer:?} to {request:?}");
    assert!(answer.field("etag").is_some() && answer.field("last-modified").is_some(), "{answer:?}");
    assert!(answer.body == if is_head { &[] } else { &file[part] }, "the wrong bytes for {request:?}");
    let is_part = answer.status == 206;
    assert_eq!(is_part, answer.field("content-range").is_some(), "{answer:?}");
    assert!(!is_part || request.has("range") && !is_head, "{request:?}");
}

/// RFC 9110 section 14.6: two parts or more, each with its place and exactly its bytes, no byte twice, and nothing between.
fn check_parts(answer: &Answer, file: &[u8]) {
    let kind = String::from_utf8_lossy(answer.field("content-type").unwrap_or_default()).into_owned();
    let boundary = kind.split_once("boundary=").expect("a boundary").1.to_owned();
    let mut seen = vec![false; file.len()];
    let (mut rest, mut count) = (&*answer.body, 0);
    loop {
        let delimiter = if count == 0 { format!("--{boundary}") } else { format!("\r\n--{boundary}") };
        rest = rest.strip_prefix(delimiter.as_bytes()).expect("a boundary where a part begins or ends");
        if rest == b"--\r\n" {
            break;
        }
        let end = rest.windows(4).position(|window| window == b"\r\n\r\n").expect("a part has a head");
        let lines = rest[..end].split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
        let place = lines.filter_map(|line| line.strip_prefix(b"content-range: ")).next();
        let part = part_of(place, file.len());
        assert!(seen[part.clone()].iter().all(|seen| !seen), "a byte is sent twice");
        seen[part.clone()].fill(true);
        rest = rest[end + 4..].strip_prefix(&file[part]).expect("the bytes of the part");
        count += 1;
    }
    assert!((2..=16).contains(&count), "{count} parts");
}

/// `bytes first-last/length`, with a byte in it (RFC 9110 section 14.4).
fn part_of(content_range: Option<&[u8]>, length: usize) -> std::ops::Range<usize> {
    let range = String::from_utf8_lossy(content_range.expect("206 has one")).into_owned();
    let parse = || {
        let (range, whole) = range.strip_prefix("bytes ")?.split_once('/')?;
        let (first, last) = range.split_once('-')?;
        let (first, last) = (first.parse::<usize>().ok()?, last.parse::<usize>().ok()?);
        (whole == length.to_string() && first <= last && last < length).then_some(first..last + 1)
    };
    parse().unwrap_or_else(|| panic!("Content-Range: {range} of {length} bytes"))
}

/// A request whose fields all mean something for certain, each field at most once.
struct Rules<'a> {
    request: &'a Request,
    tag: &'a [u8],
}

/// A date beside the file's.
#[derive(Clone, Copy, PartialEq, Eq)]
enum When {
    Before,
    Same,
    After,
}

impl<'a> Rules<'a> {
    fn of(request: &'a Request, folder: &'a Folder) -> Option<Self> {
        let is_clear = NAMES.iter().all(|name| !matches!(request.only(name), Known::Several));
        is_clear.then(|| Self { request, tag: folder.tag(request.length) })
    }

    /// RFC 9110 section 13.2.2, step by step; `None` where the grammar is broken, so that no answer is the only right one.
    fn status(&self) -> Option<u16> {
        if let Some(list) = self.value("if-match") {
            if !tags(list)?.matches(self.tag, Comparison::Strong) {
                return Some(412);
            }
        } else if let Some(date) = self.value("if-unmodified-since")
            && when(date)? == When::Before
        {
            return Some(412);
        }
        if let Some(list) = self.value("if-none-match") {
            if tags(list)?.matches(self.tag, Comparison::Weak) {
                return Some(304);
            }
        } else if let Some(date) = self.value("if-modified-since")
            && when(date)? != When::Before
        {
            return Some(304);
        }
        self.range()
    }

    fn range(&self) -> Option<u16> {
        let Some(range) = self.value("range").filter(|_| self.request.method == "GET") else { return Some(200) };
        if let Some(condition) = self.value("if-range") {
            let is_current = match condition.first()? {
                b'"' | b'W' => match tags(condition)? {
                    Tags::Some(tags) if tags.len() == 1 => condition == self.tag,
                    _ => return None,
                },
                _ => when(condition)? == When::Same,
            };
            if !is_current {
                return Some(200);
            }
        }
        let (first, last) = single_range(range)?;
        let length = self.request.length as u128;
        match (first, last) {
            (Some(first), Some(last)) if first > last => None,
            (Some(first), _) => Some(if first < length { 206 } else { 416 }),
            // RFC 9110 §14.1.2 calls that satisfiable, but no Content-Range could say so.
            (None, Some(1..)) if length == 0 => None,
            (None, Some(suffix)) => Some(if suffix > 0 { 206 } else { 416 }),
            (None, None) => None,
        }
    }

    fn value(&self, name: &str) -> Option<&'a [u8]> {
        match self.request.only(name) {
            Known::Value(value) => Some(value),
            Known::Absent | Known::Several => None,
        }
    }
}

fn when(date: &[u8]) -> Option<When> {
    let is_one_of = |dates: [&str; 3]| dates.iter().any(|known| known.as_bytes() == date);
    match date {
        _ if date == DATE.as_bytes() => Some(When::Same),
        _ if is_one_of(BEFORE) => Some(When::Before),
        _ if is_one_of(AFTER) => Some(When::After),
        _ => None,
    }
}

enum Tags<'a> {
    Any,
    Some(Vec<&'a [u8]>),
}

/// RFC 9110 section 8.8.3.2.
enum Comparison {
    Strong,
    Weak,
}

impl Tags<'_> {
    fn matches(&self, current: &[u8], comparison: Comparison) -> bool {
        match (self, comparison) {
            (Tags::Any, _) => true,
            (Tags::Some(tags), Comparison::Strong) => tags.contains(&current),
            (Tags::Some(tags), Comparison::Weak) => {
                tags.iter().any(|tag| tag.strip_prefix(b"W/").unwrap_or(tag) == current)
            }
        }
    }
}

/// `"*" / #entity-tag` (RFC 9110 sections 13.1.1 and 8.8.3), with the empty elements that a recipient takes (section
/// 5.6.1.2).
fn tags(list: &[u8]) -> Option<Tags<'_>> {
    if list == b"*" {
        return Some(Tags::Any);
    }
    let (mut rest, mut tags) = (list, Vec::new());
    loop {
        rest = grammar::trim(rest);
        if let Some(behind) = rest.strip_prefix(b",") {
            rest = behind;
            continue;
        }
        if rest.is_empty() {
            return (!tags.is_empty()).then_some(Tags::Some(tags));
        }
        let open = if rest.starts_with(b"W/") { 2 } else { 0 };
        let opaque = rest.get(open..)?.strip_prefix(b"\"")?;
        let close = opaque.iter().position(|byte| !matches!(byte, 0x21 | 0x23..=0x7e | 0x80..))?;
        if opaque[close] != b'"' {
            return None;
        }
        let (tag, behind) = rest.split_at(open + 1 + close + 1);
        tags.push(tag);
        rest = grammar::trim(behind);
        if !rest.is_empty() && !rest.starts_with(b",") {
            return None;
        }
    }
}

/// `bytes=first-last`, `bytes=first-` or `bytes=-suffix` (RFC 9110 section 14.1.1).
fn single_range(range: &[u8]) -> Option<(Option<u128>, Option<u128>)> {
    let range = std::str::from_utf8(range).ok()?.strip_prefix("bytes=")?;
    let (first, last) = range.split_once('-')?;
    let number = |digits: &str| match digits {
        "" => Some(None),
        _ if digits.len() <= 30 && digits.bytes().all(|byte| byte.is_ascii_digit()) => digits.parse().ok().map(Some),
        _ => None,
    };
    Some((number(first)?, number(last)?))
}

impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} /{}", self.method, self.length)?;
        self.fields.iter().try_for_each(|(name, value)| write!(f, " | {name}: {}", text(value)))
    }
}
