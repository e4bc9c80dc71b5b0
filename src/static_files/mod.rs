//! A folder as a handler, in numbered steps:
//!
//! 1. **Method**: GET and HEAD are answered; OPTIONS says so; all others get 405 or 501.
//! 2. **Resolve**: the path becomes an open file beneath the root, or a refusal ([`resolve`]).
//! 3. **Folder**: without its slash it redirects; with it, it is its `index.html`, or a [`listing`]. **Nothing** there: a page
//!    that is named without its extension ([`clean_urls`]), the one page of an application ([`single_page`]), or the page
//!    that says so ([`not_found`]), in that order; see [`role`].
//! 4. **Coding**: a compressed form is chosen where the client takes one and the file gains by it ([`variant`]).
//! 5. **Conditions**: does the client have this very file already ([`conditional`])?
//! 6. **Range**: which part of it is wanted ([`range`])?
//! 7. **Body**: a small file is read, so that it leaves in one write with its head; a large one stays where it is and goes
//!    by `sendfile`.
//!
//! The file is opened once, and everything that is said of it (length, tag, date, bytes) comes from that one open file.
//! If it is replaced meanwhile, the client still gets one whole version of it. What was found is kept in a [`cache`] that
//! asks the system before each use whether it is still true: then steps 2 to 4 are one `stat`.
//!
//! No client waits for a disk because another one does. Where nothing is kept, the plan tries the steps with what the system
//! has in its own memory ([`Patience`](crate::disk::Patience)); if that does not hold the name or the bytes, a worker makes the answer.
//!
//! Pattern: Strategy (a handler), Facade (over the steps, a file each).

mod beneath;
mod cache;
#[cfg(feature = "charset")]
mod charset;
#[cfg(not(feature = "charset"))]
#[path = "no_charset.rs"]
mod charset;
mod clean_urls;
mod compressions;
mod conditional;
mod glob;
mod listing;
mod media_type;
mod multipart;
mod not_found;
mod range;
mod redirects;
mod representation;
mod resolve;
mod role;
mod rules;
mod settings;
mod single;
mod single_page;
mod source_code;
mod variant;

use std::ffi::{OsStr, OsString};
use std::fs::{File, Metadata};
use std::io;
use std::path::Path;
use std::sync::Arc;

use http::header::{ALLOW, CACHE_CONTROL, LOCATION};
use http::{HeaderValue, Method, StatusCode};

pub use self::redirects::Redirects;

use self::cache::{Cache, Cost, Entry, Form, Kept};
use self::charset::Charsets;
use self::clean_urls::CleanUrls;
use self::resolve::{Found, Refusal, Root, Slash, Target};
use self::role::Role;
use self::rules::Rules;
use self::single_page::SinglePage;
use self::variant::{Bare, Place, Variant};
use crate::coding::Wanted;
use crate::handler::{Handler, Plan};
use crate::message::{Nowhere, Request, Response};

/// Serves the files of a folder.
///
/// What it does without being told: `index.html` or else a listing for a folder; media types with their charset; ETag,
/// Last-Modified and `Cache-Control: no-cache`, so that a reload costs a 304 and a change shows at once; ranges; files
/// compressed beforehand (`app.js.br`, `.zst`, `.gz`) and, with the feature `compress`, on the fly. What it never does: leave
/// the folder (symbolic links that lead out of it are 404, and so are absolute ones, wherever they lead: make them with
/// `ln -sr`), show names that begin with a dot, but for `/.well-known/`, or keep anything of a request's body.
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
    cache: Cache,
    charsets: Charsets,
    clean_urls: CleanUrls,
    single_page: SinglePage,
    rules: Rules,
}

/// What of the root is served.
#[derive(Debug)]
enum Scope {
    All,
    /// The file of this name, and `/` leads to it.
    Only(OsString),
}

/// The page that a folder shows in place of a list of its files.
const INDEX: &str = "index.html";

/// How much is kept unless told otherwise.
const CACHE: Cost = Cost { bytes: 64 * 1024 * 1024, files: 128 };

/// How often a file is opened again that changed its length while it was read.
const MOST_TRIES: usize = 4;

const ALLOWED: HeaderValue = HeaderValue::from_static("GET, HEAD, OPTIONS");

impl StaticFiles {
    /// Serves a folder, or one file (that a link leads to, if it is one, wherever that lies). If there is no such path, that is
    /// logged and every request gets 404 until there is; see [`Self::open`].
    pub fn new(path: impl AsRef<Path>) -> Self {
        let path = path.as_ref();
        Self::open(path).unwrap_or_else(|error| {
            log::error!("{error}");
            let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
            Self::of(&path, Scope::All)
        })
    }

    /// The same; fails if there is no such path, or it cannot be read. The error names the path.
    pub fn open(path: impl AsRef<Path>) -> io::Result<Self> {
        let path = path.as_ref();
        Self::open_path(path).map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))
    }

    fn open_path(path: &Path) -> io::Result<Self> {
        let path = std::path::absolute(path)?;
        let metadata = path.metadata()?;
        if metadata.is_dir() {
            std::fs::read_dir(&path)?;
            return Ok(Self::of(&path, Scope::All));
        }
        if !metadata.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is neither a folder nor a file"));
        }
        File::open(&path)?;
        let (files, name) = Self::only(&path)?;
        if files.root.find_even_hidden(&Target::root().child(name)).is_ok() {
            return Ok(files);
        }
        // It is a link out of its folder, and has been named for what it leads to.
        Self::only(&path.canonicalize()?).map(|(files, _)| files)
    }

    /// This file of its folder.
    fn only(path: &Path) -> io::Result<(Self, &OsStr)> {
        match (path.parent(), path.file_name()) {
            (Some(folder), Some(name)) => Ok((Self::of(folder, Scope::Only(name.to_owned())), name)),
            _ => Err(io::Error::from(io::ErrorKind::NotFound)),
        }
    }

    fn of(folder: &Path, scope: Scope) -> Self {
        Self {
            root: Root::new(folder),
            scope,
            cache: Cache::new(CACHE),
            charsets: Charsets::default(),
            clean_urls: CleanUrls::default(),
            single_page: SinglePage::default(),
            rules: Rules::default(),
        }
    }

    fn answer(&self, root: &Root, request: &Request) -> Result<Response, Refusal> {
        let mut target = Target::parse(request.path())?;
        if request.is_mount_without_slash() {
            target.slash = Slash::Absent;
        }
        if let Scope::Only(name) = &self.scope {
            return self.answer_only(root, name, &target, request);
        }
        match root.find(&target) {
            Ok(Found::File(file, metadata)) => self.send(root, request, &target, (file, metadata), Role::Itself),
            // Its relative links are right only behind a slash.
            Ok(Found::Folder(_)) if target.slash == Slash::Absent => Ok(redirect(&target.with_slash(), request)),
            Ok(Found::Folder(folder)) => {
                let index = target.child(INDEX);
                match root.find(&index) {
                    Ok(Found::File(file, metadata)) => self.send(root, request, &index, (file, metadata), Role::Itself),
                    Ok(Found::Folder(_)) | Err(Refusal::NotFound) => listing::answer(request, root, &target, &folder),
                    Err(refusal) => Err(refusal),
                }
            }
            Err(Refusal::NotFound) => self.answer_instead(root, request, &target),
            Err(refusal) => Err(refusal),
        }
    }

    /// Nothing is there under that very name.
    fn answer_instead(&self, root: &Root, request: &Request, target: &Target) -> Result<Response, Refusal> {
        if let Some(page) = self.clean_urls.page(target)
            && let Some(opened) = Self::find_file(root, &page)?
        {
            return match target.slash {
                Slash::Absent => self.send(root, request, &page, opened, Role::Clean(target)),
                Slash::Present => Ok(redirect(&target.clone().without_slash(), request)),
            };
        }
        if let Some(page) = self.single_page.page(request, target)
            && let Some(response) = self.send_page(root, request, &page, Role::SinglePage)?
        {
            return Ok(response);
        }
        for page in not_found::places(target) {
            if let Some(response) = self.send_page(root, request, &page, Role::StandIn(StatusCode::NOT_FOUND))? {
                return Ok(response);
            }
        }
        self.keep_absence(request, target);
        Err(Refusal::NotFound)
    }

    /// Remembers that there is nothing, nor a page in its place, if that is so for all who ask.
    fn keep_absence(&self, request: &Request, target: &Target) {
        if self.single_page != SinglePage::Off || target.to_url() != request.path() {
            return;
        }
        let instead = self.clean_urls.page(target).into_iter().chain(not_found::places(target));
        let nowhere = [target.clone()].into_iter().chain(instead);
        if let Some(fingerprints) = nowhere.map(|target| self.root.absence(&target)).collect() {
            let (path, arrival) = (request.path(), request.arrival());
            request.set_found(self.cache.keep(path, Form::ForAll, Kept::Nothing, Some(fingerprints), arrival));
        }
    }

    /// A page that many paths lead to, if there is one. It is kept under its own name, so that they share it.
    fn send_page(
        &self,
        root: &Root,
        request: &Request,
        page: &Target,
        role: Role<'_>,
    ) -> Result<Option<Response>, Refusal> {
        let known = self.cache.recall(&page.to_url(), request.arrival(), || self.wanted(request));
        match known.as_deref().map(Entry::kept) {
            Some(Kept::File(representation)) => return Ok(Some(role.answer(representation, request))),
            Some(Kept::Nothing) => return Ok(None),
            None => {}
        }
        Self::find_file(root, page)?.map(|opened| self.send(root, request, page, opened, role)).transpose()
    }

    fn find_file(root: &Root, target: &Target) -> Result<Option<(File, Metadata)>, Refusal> {
        match root.find(target) {
            Ok(Found::File(file, metadata)) => Ok(Some((file, metadata))),
            Ok(Found::Folder(_)) | Err(Refusal::NotFound | Refusal::Forbidden) => Ok(None),
            Err(refusal) => Err(refusal),
        }
    }

    fn answer_only(
        &self,
        root: &Root,
        name: &OsString,
        target: &Target,
        request: &Request,
    ) -> Result<Response, Refusal> {
        let only = Target::root().child(name);
        if target.is_root() {
            return Ok(redirect(&only, request));
        }
        if target.path != only.path {
            return Err(Refusal::NotFound); // whatever there is: nobody is told
        }
        match root.find_even_hidden(target)? {
            Found::File(file, metadata) => self.send(root, request, target, (file, metadata), Role::Itself),
            Found::Folder(_) => Err(Refusal::NotFound),
        }
    }

    /// Steps 4 to 7, again if the file is changed meanwhile.
    fn send(
        &self,
        root: &Root,
        request: &Request,
        target: &Target,
        mut opened: (File, Metadata),
        role: Role<'_>,
    ) -> Result<Response, Refusal> {
        let (charsets, rules, compressions) = (&self.charsets, &self.rules, self.cache.compressions());
        let place = Place { root, target, charsets, rules, compressions };
        let wanted = self.wanted(request);
        for _ in 0..MOST_TRIES {
            let (file, metadata) = opened;
            match variant::choose(&place, file, &metadata, wanted) {
                Ok(variant) => {
                    let response = role.answer(&variant.representation, request);
                    if let Some(name) = role.kept_as(request, target) {
                        let Variant { representation, fingerprints, form } = role.condition(variant, root);
                        let kept = Kept::File(representation);
                        request.set_found(self.cache.keep(&name, form, kept, fingerprints, request.arrival()));
                    }
                    return Ok(response);
                }
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {}
                Err(error) => return Err(error.into()),
            }
            opened = match root.find_even_hidden(target)? {
                Found::File(file, metadata) => (file, metadata),
                Found::Folder(_) => return Err(Refusal::NotFound),
            };
        }
        Err(Refusal::Failed(io::Error::other("the file changes faster than it can be read")))
    }

    /// The answer that is ready, if one is.
    fn recall(&self, request: &Request) -> Option<Response> {
        if request.is_mount_without_slash() {
            return None; // a redirect
        }
        Some(match self.known(request)?.kept() {
            Kept::File(representation) => representation.answer(request),
            Kept::Nothing => Refusal::NotFound.answer(request),
        })
    }

    /// Whether the answer cannot be made of what the system has in memory. Where it can, it is made here, and what it was made
    /// of is left for `handle`, whether it is kept for others or not.
    fn needs_the_disk(&self, request: &Request) -> bool {
        matches!(self.answer(&self.root.of_memory(), request), Err(Refusal::Cold))
    }

    /// Compression takes its time, and so does a large folder, or a disk: what may need them and is not ready goes to a worker.
    fn plan_answer(&self, request: &Request) -> Plan {
        let asks_for_file = matches!(*request.method(), Method::GET | Method::HEAD);
        // RFC 9110 §10.1.1: who waits before it sends a body is told at once that nobody wants it.
        if !asks_for_file && request.header_bytes("expect").is_some() && request.announces_body() {
            return Plan::refuse(without_file(request));
        }
        if asks_for_file && self.root.is_remote() {
            return Plan::pool(); // even the question whether a file is still the same goes to another machine or program
        }
        if let Some(entry) = self.known(request) {
            request.set_found(entry);
            return Plan::inline();
        }
        let may_take_long = request.path().ends_with('/') || !self.wanted(request).is_nothing();
        if may_take_long || asks_for_file && self.needs_the_disk(request) { Plan::pool() } else { Plan::inline() }
    }

    /// What is known of the path, for all who ask. The plan leaves it for the answer.
    fn known(&self, request: &Request) -> Option<Arc<Entry>> {
        let (path, wanted) = (request.path(), || Wanted::of(request));
        let found = request.take_found::<Entry>().filter(|entry| {
            // It was found for these very fields, unless somebody has changed them.
            self.cache.is_of(entry, path) && (request.is_as_it_came() || entry.is_for(wanted))
        });
        found.or_else(|| self.cache.recall(path, request.arrival(), wanted))
    }

    /// The codings that are worth looking for.
    fn wanted(&self, request: &Request) -> Wanted {
        let bare = match (self.clean_urls, self.single_page) {
            (CleanUrls::Off, SinglePage::Off) => Bare::File,
            _ => Bare::Page,
        };
        variant::wanted(request, bare)
    }
}

impl Handler for StaticFiles {
    fn handle(&self, request: &mut Request) -> Response {
        match *request.method() {
            Method::GET | Method::HEAD => self
                .recall(request)
                .unwrap_or_else(|| self.answer(&self.root, request).unwrap_or_else(|refusal| refusal.answer(request))),
            _ => without_file(request),
        }
    }

    /// Nobody here reads a body. It is taken all the same, so that the connection can be used again, but not kept.
    fn plan(&self, request: &mut Request) -> Plan {
        let plan = self.plan_answer(request);
        if request.announces_body() { plan.sink(Nowhere) } else { plan }
    }
}

/// The answer to a method that asks for no file, whatever it is that it names.
fn without_file(request: &Request) -> Response {
    let method = request.method();
    match *method {
        Method::OPTIONS => allow(Response::new(StatusCode::NO_CONTENT)),
        // RFC 9110 §15.5.6 and §15.6.2: not for this resource, or not at all.
        Method::POST | Method::PUT | Method::DELETE | Method::PATCH | Method::TRACE => {
            allow(Response::status_page_for(request, StatusCode::METHOD_NOT_ALLOWED))
        }
        _ => Response::status_page_for(request, StatusCode::NOT_IMPLEMENTED),
    }
}

fn allow(mut response: Response) -> Response {
    response.headers_mut().insert(ALLOW, ALLOWED);
    response
}

/// Behind the prefix where we are mounted; a backslash is encoded, since browsers take `/\\name` for another server.
/// `no-cache`, since what is a folder today may be a file tomorrow.
fn redirect(target: &Target, request: &Request) -> Response {
    let query = request.query_string().map_or_else(String::new, |query| format!("?{query}"));
    let prefix = request.mount_path().replace('\\', "%5C");
    Response::status_page(StatusCode::MOVED_PERMANENTLY)
        .with_header(LOCATION.as_str(), format!("{prefix}{}{query}", target.to_url()))
        .with_header(CACHE_CONTROL.as_str(), "no-cache")
}
