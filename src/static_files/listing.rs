//! A folder without an `index.html`, as a page: plain links, folders first. It needs no JavaScript.
//!
//! Names come from the disk and may hold anything; `maud` escapes them, links are percent-encoded, and the policy of the
//! page allows no script at all.

use std::fs::File;
use std::time::SystemTime;

use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, X_CONTENT_TYPE_OPTIONS};
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::conditional::{self, Verdict};
use super::resolve::{Entry, Refusal, Root, Target, encode};
use crate::message::{Request, Response};

/// Nothing is loaded and nothing runs; only the style in the page counts.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'";

const STYLE: &str = "\
:root{color-scheme:light dark}\
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}\
h1{font-size:1.25rem;overflow-wrap:anywhere}\
table{width:100%;border-collapse:collapse}\
th{text-align:left;font-weight:600}\
td,th{padding:.25rem .5rem;border-bottom:1px solid #8884}\
td:first-child{overflow-wrap:anywhere;width:100%}\
td:not(:first-child),th:not(:first-child){white-space:nowrap;text-align:right;font-variant-numeric:tabular-nums}\
a{text-decoration:none}a:hover,a:focus-visible{text-decoration:underline}\
@media(max-width:30rem){th:last-child,td:last-child{display:none}}";

pub(super) fn page(request: &Request, root: &Root, target: &Target, folder: &File) -> Result<Response, Refusal> {
    match conditional::evaluate(request, None) {
        Verdict::Proceed => {}
        Verdict::NotModified => return Ok(Response::new(StatusCode::NOT_MODIFIED)),
        Verdict::PreconditionFailed => return Ok(Response::status_page(StatusCode::PRECONDITION_FAILED)),
    }
    let mut entries = root.entries(target, folder)?;
    entries.sort_by(|a, b| (a.metadata.is_file(), &a.name).cmp(&(b.metadata.is_file(), &b.name)));
    let response = Response::html(render(target, &entries).into_string());
    Ok(response
        .with_header(CACHE_CONTROL.as_str(), "no-cache")
        .with_header(CONTENT_SECURITY_POLICY.as_str(), POLICY)
        .with_header(X_CONTENT_TYPE_OPTIONS.as_str(), "nosniff"))
}

fn render(target: &Target, entries: &[Entry]) -> Markup {
    let title = format!("/{}", target.path.display());
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 { (title) }
                table {
                    thead { tr { th scope="col" { "Name" } th scope="col" { "Size" } th scope="col" { "Changed (UTC)" } } }
                    tbody {
                        @if !target.is_root() { tr { td { a href="../" { "../" } } td {} td {} } }
                        @for entry in entries { (row(entry)) }
                    }
                }
            }
        }
    }
}

fn row(entry: &Entry) -> Markup {
    let slash = if entry.metadata.is_dir() { "/" } else { "" };
    // `./` so that a name such as `a:b` is no scheme.
    let link = format!("./{}{slash}", encode(&entry.name));
    html! {
        tr {
            td { a href=(link) { (entry.name.to_string_lossy()) (slash) } }
            td { @if entry.metadata.is_file() { (size(entry.metadata.len())) } }
            td { @if let Ok(changed) = entry.metadata.modified() { (date(changed)) } }
        }
    }
}

/// Three digits and a unit.
fn size(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let (mut whole, mut unit) = (bytes, 0);
    while whole >= 1024 * 1024 {
        whole /= 1024;
        unit += 1;
    }
    format!("{}.{} {}", whole / 1024, whole % 1024 * 10 / 1024, UNITS[unit])
}

/// A date that sorts, out of the one that `httpdate` writes; empty for a time that it cannot say.
fn date(time: SystemTime) -> String {
    let last = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(253_402_300_799);
    if time < SystemTime::UNIX_EPOCH || time > last {
        return String::new();
    }
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let text = httpdate::fmt_http_date(time); // Sun, 06 Nov 1994 08:49:37 GMT
    let month = MONTHS.iter().position(|month| *month == &text[8..11]).map_or(0, |index| index + 1);
    format!("{}-{month:02}-{} {}", &text[12..16], &text[5..7], &text[17..22])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_at_a_glance() {
        for (bytes, text) in [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1536, "1.5 KiB"), (5 << 30, "5.0 GiB")]
        {
            assert_eq!(size(bytes), text);
        }
        assert_eq!(size(u64::MAX), "15.9 EiB");
    }

    #[test]
    fn dates_sort_as_text() {
        let time = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(784_111_777);
        assert_eq!(date(time), "1994-11-06 08:49");
        assert_eq!(date(SystemTime::UNIX_EPOCH - std::time::Duration::from_secs(1)), "");
    }
}
