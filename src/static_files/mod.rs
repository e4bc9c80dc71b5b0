//! A folder as a handler, in numbered steps:
//!
//! 1. **Method**: GET and HEAD are answered; OPTIONS says so; all others get 405 or 501.
//! 2. **Resolve**: the path becomes an open file beneath the root, or a refusal ([`resolve`]).
//! 3. **Folder**: without its slash it redirects; with it, it is its `index.html`, or a [`listing`].
//! 4. **Conditions**: does the client have this very file already ([`conditional`])?
//! 5. **Range**: which part of it is wanted ([`range`])?
//! 6. **Body**: a small part is read now, so that it leaves in one write with its head; a large one stays in the file and
//!    goes by `sendfile`.
//!
//! The file is opened once, and everything that is said of it (length, tag, date, bytes) comes from that one open file.
//! If it is replaced meanwhile, the client still gets one whole version of it.
//!
//! Pattern: Strategy (a `Handler`); Chain of steps.

mod beneath;
mod conditional;
mod listing;
mod media_type;
mod range;
mod resolve;

use std::ffi::OsString;
use std::fs::{File, Metadata};
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::Path;
use std::time::SystemTime;

use http::header::{ACCEPT_RANGES, ALLOW, CACHE_CONTROL, CONTENT_RANGE, CONTENT_TYPE, ETAG, LAST_MODIFIED};
use http::header::{LOCATION, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderValue, Method, StatusCode};

use self::conditional::{Validators, Verdict};
use self::range::Selection;
use self::resolve::{Found, Refusal, Root, Slash, Target};
use crate::handler::Handler;
use crate::message::{Body, Request, Response};

/// Serves the files of a folder.
///
/// What it does without being told: `index.html` or else a listing for a folder; media types with their charset; ETag,
/// Last-Modified and `Cache-Control: no-cache`, so that a reload costs a 304 and a change shows at once; ranges. What
/// it never does: leave the folder (symbolic links that lead out of it are 404), or show names that begin with a dot,
/// but for `/.well-known/`.
///
/// ```
/// use qibu::{StaticFiles, testing::TestClient};
///
/// let folder = tempfile::tempdir()?;
/// std::fs::write(folder.path().join("hello.txt"), "Hello, folder!")?;
///
/// let client = TestClient::new(StaticFiles::new(folder.path()));
/// let answer = client.get("/hello.txt").send();
/// assert_eq!(answer.text(), "Hello, folder!");
/// assert_eq!(answer.header("content-type"), Some("text/plain; charset=utf-8"));
/// assert_eq!(client.get("/../etc/passwd").send().status(), 404);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct StaticFiles {
    root: Root,
    scope: Scope,
}

/// What of the root is served.
#[derive(Debug)]
enum Scope {
    All,
    /// The file of this name, and `/` leads to it.
    Only(OsString),
}

/// What the body of a folder without an `index.html` is.
const INDEX: &str = "index.html";

/// Up to so many bytes, reading a file costs less than `sendfile` and a second packet.
const READ_AT_MOST_BYTES: u64 = 32 * 1024;

/// How often a file is opened again that changed its length while it was read.
const MOST_TRIES: usize = 4;

const ALLOWED: HeaderValue = HeaderValue::from_static("GET, HEAD, OPTIONS");

impl StaticFiles {
    /// Serves a folder, or one file. If there is no such path, that is logged and every request gets 404 until there is;
    /// see [`Self::open`].
    pub fn new(path: impl AsRef<Path>) -> Self {
        let path = path.as_ref();
        Self::open(path).unwrap_or_else(|error| {
            log::error!("{}: {error}", path.display());
            Self { root: Root::new(path), scope: Scope::All }
        })
    }

    /// The same; fails if there is no such path, or it cannot be read.
    pub fn open(path: impl AsRef<Path>) -> io::Result<Self> {
        let path = std::path::absolute(path)?;
        if path.metadata()?.is_dir() {
            std::fs::read_dir(&path)?;
            return Ok(Self { root: Root::new(&path), scope: Scope::All });
        }
        File::open(&path)?;
        match (path.parent(), path.file_name()) {
            (Some(folder), Some(name)) => Ok(Self { root: Root::new(folder), scope: Scope::Only(name.to_owned()) }),
            _ => Err(io::Error::from(io::ErrorKind::NotFound)),
        }
    }

    fn answer(&self, request: &Request) -> Result<Response, Refusal> {
        let target = Target::parse(request.path())?;
        if let Scope::Only(name) = &self.scope {
            return self.answer_only(name, &target, request);
        }
        match self.root.find(&target)? {
            Found::File(file, metadata) => self.send(request, &target, file, metadata),
            // Its relative links are right only behind a slash.
            Found::Folder(_) if target.slash == Slash::Absent => Ok(redirect(&target.with_slash(), request)),
            Found::Folder(folder) => {
                let index = target.child(INDEX);
                match self.root.find(&index) {
                    Ok(Found::File(file, metadata)) => self.send(request, &index, file, metadata),
                    Ok(Found::Folder(_)) | Err(Refusal::NotFound) => listing::page(&self.root, &target, &folder),
                    Err(refusal) => Err(refusal),
                }
            }
        }
    }

    fn answer_only(&self, name: &OsString, target: &Target, request: &Request) -> Result<Response, Refusal> {
        let only = Target::root().child(name);
        if target.is_root() {
            return Ok(redirect(&only, request));
        }
        match self.root.find_even_hidden(target)? {
            Found::File(file, metadata) if target.path == only.path => self.send(request, target, file, metadata),
            _ => Err(Refusal::NotFound),
        }
    }

    /// Steps 4 to 6, again if the file is changed meanwhile.
    fn send(&self, request: &Request, target: &Target, file: File, metadata: Metadata) -> Result<Response, Refusal> {
        let mut opened = (file, metadata);
        for _ in 0..MOST_TRIES {
            let (file, metadata) = opened;
            match send_open(request, target, file, &metadata) {
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {}
                sent => return sent.map_err(Refusal::from),
            }
            opened = match self.root.find_even_hidden(target)? {
                Found::File(file, metadata) => (file, metadata),
                Found::Folder(_) => return Err(Refusal::NotFound),
            };
        }
        Err(Refusal::Failed(io::Error::other("the file changes faster than it can be read")))
    }
}

impl Handler for StaticFiles {
    fn handle(&self, request: &mut Request) -> Response {
        match *request.method() {
            Method::GET | Method::HEAD => self.answer(request).unwrap_or_else(|refusal| refusal.answer(request)),
            Method::OPTIONS => allow(Response::new(StatusCode::NO_CONTENT)),
            // RFC 9110 §15.5.6 and §15.6.2: not for this resource, or not at all.
            Method::POST | Method::PUT | Method::DELETE | Method::PATCH | Method::TRACE => {
                allow(Response::status_page(StatusCode::METHOD_NOT_ALLOWED))
            }
            _ => Response::status_page(StatusCode::NOT_IMPLEMENTED),
        }
    }
}

fn allow(mut response: Response) -> Response {
    response.headers_mut().insert(ALLOW, ALLOWED);
    response
}

/// `no-cache`, since what is a folder today may be a file tomorrow.
fn redirect(target: &Target, request: &Request) -> Response {
    let query = request.query_string().map_or_else(String::new, |query| format!("?{query}"));
    Response::status_page(StatusCode::MOVED_PERMANENTLY)
        .with_header(LOCATION.as_str(), format!("{}{query}", target.to_url()))
        .with_header(CACHE_CONTROL.as_str(), "no-cache")
}

fn send_open(request: &Request, target: &Target, mut file: File, metadata: &Metadata) -> io::Result<Response> {
    let validators = Validators::of(metadata, SystemTime::now());
    let mut response = Response::new(StatusCode::OK);
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(ETAG, validators.tag.clone());
    match conditional::evaluate(request, &validators) {
        Verdict::NotModified => return Ok(response.with_status(StatusCode::NOT_MODIFIED)),
        Verdict::PreconditionFailed => return Ok(Response::status_page(StatusCode::PRECONDITION_FAILED)),
        Verdict::Proceed => {}
    }
    let length = metadata.len();
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(CONTENT_TYPE, media_type::of(&target.path));
    if let Some(modified) = &validators.modified {
        headers.insert(LAST_MODIFIED, modified.text.clone());
    }
    let part = match range::select(request, &validators, length) {
        Selection::Whole => 0..length,
        Selection::Part(part) => {
            let text = format!("bytes {}-{}/{length}", part.start, part.end - 1);
            response = response.with_status(StatusCode::PARTIAL_CONTENT).with_header(CONTENT_RANGE.as_str(), text);
            part
        }
        Selection::Unsatisfiable => {
            return Ok(Response::status_page(StatusCode::RANGE_NOT_SATISFIABLE)
                .with_header(CONTENT_RANGE.as_str(), format!("bytes */{length}")));
        }
    };
    let body = if request.method() == Method::HEAD { Body::file(file, part) } else { body(&mut file, part)? };
    Ok(response.with_body(body))
}

/// Fails with `UnexpectedEof` if the file has become shorter than it was.
fn body(file: &mut File, part: Range<u64>) -> io::Result<Body> {
    let length = part.end - part.start;
    if length > READ_AT_MOST_BYTES {
        return Ok(Body::file(file.try_clone()?, part));
    }
    if part.start > 0 {
        file.seek(SeekFrom::Start(part.start))?;
    }
    let mut bytes = vec![0; usize::try_from(length).expect("at most READ_AT_MOST_BYTES")];
    file.read_exact(&mut bytes)?;
    Ok(bytes.into())
}
