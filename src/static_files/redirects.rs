//! Paths that have moved: `/old/**` is at `/new/**` now.
//!
//! What a rule is held against is the path after it was taken apart and decoded, as for a file, so no spelling gets around it;
//! and what is carried over into the new place is encoded anew. So a `Location` is either a path that begins with exactly one
//! slash, or the very address that the rule names.
//!
//! Pattern: Decorator (it answers in place of what it wraps).

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

use http::StatusCode;
use http::header::{CACHE_CONTROL, LOCATION};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use super::glob::Glob;
use super::resolve::{Slash, Target, encode};
use crate::handler::{Handler, Middleware};
use crate::message::{Request, Response};

/// Sends clients from old paths to new ones. The first rule that fits counts, before any file is looked for.
///
/// ```
/// use qibu::{HandlerExt, Redirects, StaticFiles, StatusCode, testing::TestClient};
///
/// let moved = Redirects::new()
///     .add("/blog/**", "/news/**", StatusCode::MOVED_PERMANENTLY)?
///     .add("/*.php", "/", StatusCode::FOUND)?;
/// let client = TestClient::new(StaticFiles::new("site").with(moved));
/// assert_eq!(client.get("/blog/2024/a%20b?x=1").send().header("location"), Some("/news/2024/a%20b?x=1"));
/// assert_eq!(client.get("/index.php").send().header("location"), Some("/"));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Redirects {
    rules: Vec<Rule>,
}

#[derive(Debug, Clone)]
struct Rule {
    from: Vec<Glob>,
    to: Destination,
    status: StatusCode,
}

#[derive(Debug, Clone)]
enum Destination {
    Fixed(String),
    /// With all that stands behind `old` in the path.
    Behind {
        old: PathBuf,
        new: String,
    },
}

/// What a rule's target may hold of a URL; the rest is encoded.
const NOT_IN_URLS: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>').add(b'`').add(b'{').add(b'}').add(b'|').add(b'^');

/// What has a meaning in a glob.
const SIGNS: [char; 7] = ['*', '?', '[', ']', '{', '}', '\\'];

impl Redirects {
    /// No redirects.
    pub fn new() -> Self {
        Self::default()
    }

    /// From the paths that a glob fits, to a path or an address (`https://…`). Where both end in `/**`, what stands there is
    /// carried over; so is the query, unless the target has one. The status is 301 or 308 for good, 302, 303 or 307 for now;
    /// with 307 and 308 a form is sent again to the new place. Fails if one of the three cannot be, or a path would lead to itself.
    pub fn add(mut self, from: &str, to: &str, status: StatusCode) -> io::Result<Self> {
        let wrong = |why: &str| {
            io::Error::new(io::ErrorKind::InvalidInput, format!("the redirect from {from:?} to {to:?}: {why}"))
        };
        if !matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) {
            return Err(wrong("its status is 301, 302, 303, 307 or 308"));
        }
        if !from.starts_with('/') {
            return Err(wrong("the first is a path, and begins with a slash"));
        }
        let is_path = to.starts_with('/') && !to.starts_with("//") && !to.contains('\\');
        if !is_path && !to.starts_with("https://") && !to.starts_with("http://") {
            return Err(wrong("the second is a path that begins with one slash, or begins with https://"));
        }
        let rule = Rule::new(from, to, status).map_err(|error| wrong(&error.to_string()))?;
        if is_path && rule.leads_to_itself() {
            return Err(wrong("this leads to itself"));
        }
        self.rules.push(rule);
        Ok(self)
    }

    fn location(&self, request: &Request) -> Option<(StatusCode, String)> {
        if self.rules.is_empty() {
            return None;
        }
        let target = Target::parse(request.path()).ok()?; // what leads to no file leads nowhere else, either
        let rule = self.rules.iter().find(|rule| rule.fits(&target.path))?;
        let mut location = rule.to.for_path(&target.path, target.slash);
        if location.starts_with('/') {
            location.insert_str(0, &request.mount_path().replace('\\', "%5C"));
        }
        // RFC 3986 §3: the query stands before the fragment.
        let end = location.find('#').unwrap_or(location.len());
        if let Some(query) = request.query_string().filter(|_| !location[..end].contains('?')) {
            location.insert_str(end, &format!("?{query}"));
        }
        Some((rule.status, location))
    }
}

impl Rule {
    fn new(from: &str, to: &str, status: StatusCode) -> io::Result<Self> {
        let from = if from.len() > 1 { from.strip_suffix('/').unwrap_or(from) } else { from };
        let encoded = |url: &str| utf8_percent_encode(url, NOT_IN_URLS).to_string();
        let mut globs = vec![Glob::parse(from)?];
        let Some(old) = from.strip_suffix("/**") else {
            return Ok(Self { from: globs, to: Destination::fixed(encoded(to))?, status });
        };
        globs.push(Glob::parse(if old.is_empty() { "/" } else { old })?); // the folder itself
        let to = match to.strip_suffix("/**") {
            None => Destination::fixed(encoded(to))?,
            Some(_) if old.contains(SIGNS) => {
                return Err(io::Error::other("what is in front of the first /** is a plain path"));
            }
            Some(new) => Destination::Behind { old: PathBuf::from(&old[old.len().min(1)..]), new: encoded(new) },
        };
        Ok(Self { from: globs, to, status })
    }

    fn fits(&self, path: &Path) -> bool {
        self.from.iter().any(|glob| glob.fits(path))
    }

    fn leads_to_itself(&self) -> bool {
        let example = match &self.to {
            Destination::Fixed(url) => url.split(['?', '#']).next().unwrap_or_default().to_owned(),
            Destination::Behind { new, .. } => format!("{new}/x"),
        };
        Target::parse(&example).is_ok_and(|target| self.fits(&target.path))
    }
}

impl Destination {
    fn fixed(url: String) -> io::Result<Self> {
        match url.contains('*') {
            true => {
                Err(io::Error::other("* stands in the second only as /** at its end, and at the end of the first, too"))
            }
            false => Ok(Self::Fixed(url)),
        }
    }

    fn for_path(&self, path: &Path, slash: Slash) -> String {
        match self {
            Self::Fixed(url) => url.clone(),
            Self::Behind { old, new } => {
                let rest = path.strip_prefix(old).unwrap_or(Path::new(""));
                let names: String = rest.iter().map(|name| format!("/{}", encode_name(name))).collect();
                match (names.is_empty(), slash) {
                    (true, _) | (_, Slash::Present) => format!("{new}{names}/"),
                    (false, Slash::Absent) => format!("{new}{names}"),
                }
            }
        }
    }
}

fn encode_name(name: &OsStr) -> String {
    encode(name.as_encoded_bytes()).to_string()
}

impl Middleware for Redirects {
    fn handle(&self, request: &mut Request, next: &dyn Handler) -> Response {
        match self.location(request) {
            // `no-cache`: a rule may be mended, and a browser would keep a wrong one for good.
            Some((status, location)) => Response::status_page(status)
                .with_header(LOCATION.as_str(), location)
                .with_header(CACHE_CONTROL.as_str(), "no-cache"),
            None => next.handle(request),
        }
    }
}
