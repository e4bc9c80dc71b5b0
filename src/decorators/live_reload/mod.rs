//! Live reload: a page in a browser follows the files that it was made of.
//!
//! ```text
//!  file saved ─► watch (a thread) ─► News ─► event stream ─► reload.js in the page ─► new style sheet, or reload
//! ```
//!
//! The script gets into pages on their way out: to every answer that is HTML, one element is added at its beginning
//! ([`inject`]), where no document can swallow it, however little of it is written yet ([`place`]). The files stay as they
//! are, and so do their tags; only pages have tags of their own. Everything else passes untouched.
//!
//! No change can slip through between a page and its stream: both say how many changes there were before them
//! ([`news`]), and when the numbers differ the page reloads. So it also follows after the computer has slept and the server was
//! started anew.
//!
//! Pattern: Decorator (it changes pages), Observer.

#[cfg(all(feature = "watch", unix))]
mod identity;
#[cfg(all(feature = "watch", not(unix)))]
#[path = "no_identity.rs"]
mod identity;
mod inject;
mod insert;
#[cfg(feature = "watch")]
mod names;
mod news;
mod place;
mod policy;
#[cfg(feature = "watch")]
mod watch;
#[cfg(not(feature = "watch"))]
#[path = "no_watch.rs"]
mod watch;

use std::fmt;
use std::sync::Arc;

use http::{Method, StatusCode};

use self::inject::Snippet;
use self::news::News;
use self::watch::Watch;
use crate::handler::{Handler, Middleware, Plan};
use crate::message::{Request, Response};

/// Adds a script to pages that reloads them when something has changed. Clones are the same live reload.
///
/// A change to a style sheet is shown without a reload, so that what was typed into a form, and where one was, is kept.
///
/// It is for development: pages are sent uncompressed, and whole even where a part was asked for. It answers `/.qibu/reload.js`
/// and `/.qibu/events` itself, and lets a `Content-Security-Policy` permit the two. So put it
/// around the whole site, and around whatever sets such a policy.
///
/// ```
/// use qibu::{HandlerExt, LiveReload, Request, Response, testing::TestClient};
///
/// let live_reload = LiveReload::new(); // and `.watch("/", "site")?` with the feature `watch`
/// let site = (|_: &mut Request| Response::html("<h1>Hello</h1>")).with(live_reload.clone());
/// assert!(TestClient::new(site).get("/").send().text().contains("<script src=\"/.qibu/reload.js\""));
/// live_reload.changed("/index.html"); // whoever makes the pages can say so, too
/// ```
#[derive(Clone)]
pub struct LiveReload {
    news: Arc<News>,
    watches: Vec<Arc<Watch>>,
}

const SCRIPT: &str = include_str!("reload.js");

/// Names that begin with a dot are never served from a folder, so these collide with nothing.
const SCRIPT_PATH: &str = "/.qibu/reload.js";
const EVENTS_PATH: &str = "/.qibu/events";

impl LiveReload {
    /// Nothing is watched yet: add folders with `watch` (feature `watch`), or call [`Self::changed`].
    pub fn new() -> Self {
        Self { news: Arc::new(News::new()), watches: Vec::new() }
    }

    /// Tells all pages that what is at this path of the site has changed.
    pub fn changed(&self, path: &str) {
        self.news.announce([path.to_owned()].into());
    }

    fn events(&self, request: &Request) -> Response {
        if is_foreign(request) {
            return Response::status_page(StatusCode::FORBIDDEN);
        }
        self.news.subscribe()
    }
}

impl Default for LiveReload {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for LiveReload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LiveReload")
            .field("version", &self.news.version())
            .field("watches", &self.watches.len())
            .finish_non_exhaustive()
    }
}

impl Middleware for LiveReload {
    fn handle(&self, request: &mut Request, next: &dyn Handler) -> Response {
        if !is_read(request) {
            return if is_own(request) { not_allowed() } else { next.handle(request) };
        }
        match request.path() {
            SCRIPT_PATH => script(),
            EVENTS_PATH => self.events(request),
            _ if inject::is_for_a_page(request) => inject::answer(request, next, Snippet::new(self.news.version())),
            _ => next.handle(request),
        }
    }

    fn plan(&self, request: &mut Request, next: &dyn Handler) -> Plan {
        if is_own(request) { Plan::inline() } else { next.plan(request) }
    }
}

fn is_own(request: &Request) -> bool {
    matches!(request.path(), SCRIPT_PATH | EVENTS_PATH)
}

fn is_read(request: &Request) -> bool {
    matches!(*request.method(), Method::GET | Method::HEAD)
}

fn not_allowed() -> Response {
    Response::status_page(StatusCode::METHOD_NOT_ALLOWED).with_header("allow", "GET, HEAD")
}

fn script() -> Response {
    Response::bytes("text/javascript; charset=utf-8", SCRIPT)
        .with_header("cache-control", "no-cache")
        .with_header("x-content-type-options", "nosniff")
        .with_header("cross-origin-resource-policy", "same-origin")
}

/// Whether a page of another site asks. The names of our files are none of its business.
fn is_foreign(request: &Request) -> bool {
    let is_cross = request.header_bytes("sec-fetch-site").is_some_and(|site| site != b"same-origin" && site != b"none");
    let host = request.header("host").unwrap_or_default();
    let is_ours = |origin: &str| origin.split_once("://").is_some_and(|(_, origin)| origin.eq_ignore_ascii_case(host));
    is_cross || request.header_bytes("origin").is_some_and(|_| !request.header("origin").is_some_and(is_ours))
}
