//! Dates. The first byte of the input chooses one of some files, each of another age; the rest is sent as a date in the three
//! fields that have one, each in a request of its own.

use std::fs::{self, File};
use std::io;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use qibu::testing::TestConn;
use qibu::{Http, StaticFiles};
use tempfile::TempDir;

use super::answers::{self, Answer, Asked, Read};
use super::{grammar, log_everything, text};

/// A date in any of the three forms of RFC 9110 section 5.6.7 means what a plain reading of that section says, in
/// If-Modified-Since, If-Unmodified-Since and If-Range alike; what is no date is ignored; and what may be taken or not is
/// at least the same date for all of them.
pub(crate) fn dates(data: &[u8]) {
    log_everything();
    let Some((file, date)) = data.split_first() else { return };
    let changed = CHANGED[usize::from(*file) % CHANGED.len()];
    let date: Vec<u8> = date.iter().copied().filter(|byte| matches!(byte, b'\t' | b' '..=b'~' | 0x80..)).collect();
    let date = grammar::trim(&date);
    // RFC 9110 §13.1.5: that would be an entity tag.
    if date[..date.len().min(3)].contains(&b'"') {
        return;
    }
    FOLDER.with(|folder| {
        let modified = folder.ask(changed, "If-Modified-Since", date) == 304;
        let unmodified = folder.ask(changed, "If-Unmodified-Since", date) == 412;
        let is_same = folder.ask(changed, "Range: bytes=0-0\r\nIf-Range", date) == 206;
        let seen = (modified, unmodified, is_same);
        match read(date) {
            Reading::Second(since) => {
                assert_eq!(seen, (since >= changed, since < changed, since == changed), "{} and {changed}", text(date));
            }
            Reading::Nothing => assert_eq!(seen, (false, false, false), "{} is no date", text(date)),
            Reading::Unclear => {
                assert!(!(modified && unmodified) && (modified || !is_same), "{seen:?}: {}", text(date));
            }
        }
    });
}

/// When the files were changed: seconds since 1970, all of them before the clock of a `TestConn`, and two of them leap days.
const CHANGED: [u64; 6] = [0, 1, 68_169_600, 636_422_400, 699_148_799, 784_111_000];

thread_local! {
    static FOLDER: Folder = Folder::new().expect("a temporary folder");
}

struct Folder {
    files: Arc<StaticFiles>,
    _folder: TempDir,
}

impl Folder {
    fn new() -> io::Result<Self> {
        let folder = tempfile::tempdir()?;
        for changed in CHANGED {
            let path = folder.path().join(changed.to_string());
            fs::write(&path, "a file")?;
            let time = SystemTime::UNIX_EPOCH + Duration::from_secs(changed);
            File::options().write(true).open(&path)?.set_modified(time)?;
        }
        Ok(Self { files: Arc::new(StaticFiles::new(folder.path())), _folder: folder })
    }

    /// The status of the answer.
    fn ask(&self, changed: u64, field: &str, date: &[u8]) -> u16 {
        let mut conn = TestConn::open(Http::new(self.files.clone())).expect("HTTP opens every connection");
        conn.send(format!("GET /{changed} HTTP/1.1\r\nHost: a\r\n{field}: ").as_bytes()).send(date).send(b"\r\n\r\n");
        match answers::read(&conn.recv(), |_| Asked::ForAll) {
            Read::Whole(Answer { status, .. }, b"") => status,
            other => panic!("{other:?} to {field}: {}", text(date)),
        }
    }
}

enum Reading {
    /// So many seconds after 1970 began.
    Second(u64),
    Nothing,
    /// A recipient may take it or not: the weekday is another's, the second is a leap second, the year is before 1970, or its
    /// two digits mean one century or another by a clock that is not said.
    Unclear,
}

/// What the three forms have in common.
struct Parts<'a> {
    weekday: usize,
    day: &'a [u8],
    month: &'a [u8],
    year: &'a [u8],
    time: &'a [u8],
}

const WEEKDAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

const MONTHS: [&[u8]; 12] =
    [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];

fn read(date: &[u8]) -> Reading {
    let parts = imf_fixdate(date).or_else(|| rfc850_date(date)).or_else(|| asctime_date(date));
    parts.and_then(|parts| parts.read()).unwrap_or(Reading::Nothing)
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`
fn imf_fixdate(date: &[u8]) -> Option<Parts<'_>> {
    let (name, rest) = date.split_at_checked(5)?;
    let [day @ [_, _], month, year @ [_, _, _, _], time, b"GMT"] = words(rest, b' ')[..] else { return None };
    let weekday = weekday(name.strip_suffix(b", ")?, 3)?;
    Some(Parts { weekday, day, month, year, time })
}

/// `Sunday, 06-Nov-94 08:49:37 GMT`
fn rfc850_date(date: &[u8]) -> Option<Parts<'_>> {
    let comma = date.iter().position(|byte| *byte == b',')?;
    let [b"", date_part, time, b"GMT"] = words(&date[comma + 1..], b' ')[..] else { return None };
    let [day @ [_, _], month, year @ [_, _]] = words(date_part, b'-')[..] else { return None };
    Some(Parts { weekday: weekday(&date[..comma], usize::MAX)?, day, month, year, time })
}

/// `Sun Nov  6 08:49:37 1994`
fn asctime_date(date: &[u8]) -> Option<Parts<'_>> {
    let (name, rest) = date.split_at_checked(4)?;
    let weekday = weekday(name.strip_suffix(b" ")?, 3)?;
    match words(rest, b' ')[..] {
        [month, day @ [_, _], time, year @ [_, _, _, _]] => Some(Parts { weekday, day, month, year, time }),
        [month, b"", day @ [_], time, year @ [_, _, _, _]] => Some(Parts { weekday, day, month, year, time }),
        _ => None,
    }
}

fn words(text: &[u8], between: u8) -> Vec<&[u8]> {
    text.split(|byte| *byte == between).collect()
}

/// Counted from Monday; of the name only so many letters are written.
fn weekday(name: &[u8], letters: usize) -> Option<usize> {
    WEEKDAYS.iter().position(|known| &known.as_bytes()[..letters.min(known.len())] == name)
}

impl Parts<'_> {
    fn read(&self) -> Option<Reading> {
        let (day, month) = (number(self.day, self.day.len())?, MONTHS.iter().position(|name| *name == self.month)?);
        let (year, is_year_clear) = match (self.year.len(), number(self.year, self.year.len())?) {
            (2, year @ 0..70) => (2000 + year, true),
            // RFC 9110 §5.6.7: more than fifty years ahead is past.
            (2, year) => (1900 + year, year > 80),
            (_, year) => (year, year >= 1970),
        };
        let [hour, minute, second] = words(self.time, b':')[..] else { return None };
        let (hour, minute, second) = (number(hour, 2)?, number(minute, 2)?, number(second, 2)?);
        if !(1..=days_of(month, year)).contains(&day) || hour > 23 || minute > 59 || second > 60 {
            return None;
        }
        if !is_year_clear || second == 60 {
            return Some(Reading::Unclear);
        }
        let days =
            (1970..year).map(days_of_year).sum::<u64>() + (0..month).map(|month| days_of(month, year)).sum::<u64>();
        let days = days + day - 1;
        // 1970 began on a Thursday.
        let is_right = (days + 3) % 7 == self.weekday as u64;
        let seconds = ((days * 24 + hour) * 60 + minute) * 60 + second;
        Some(if is_right { Reading::Second(seconds) } else { Reading::Unclear })
    }
}

fn number(digits: &[u8], count: usize) -> Option<u64> {
    let is_number = digits.len() == count && digits.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(digits).ok().filter(|_| is_number)?.parse().ok()
}

fn is_leap_year(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

fn days_of_year(year: u64) -> u64 {
    if is_leap_year(year) { 366 } else { 365 }
}

/// Months are counted from 0.
fn days_of(month: usize, year: u64) -> u64 {
    match month {
        1 if is_leap_year(year) => 29,
        1 => 28,
        3 | 5 | 8 | 10 => 30,
        _ => 31,
    }
}
