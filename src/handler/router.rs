//! The router: which handler a path belongs to.
//!
//! One tree of patterns (a radix tree, from the matchit crate) leads from a path to a route, and the route has a table of
//! methods; so a known path with another method is a 405 that names the right ones, HEAD is answered by GET, and OPTIONS
//! by the table itself. A route's handler may be a router again, or anything else that is a handler: mounted at a prefix,
//! it sees the rest of the path as its own.
//!
//! ```text
//!   /api/notes/7 ──► Router ──► mount "/api" ──► Router ──► "/notes/{id}" ──┬─ GET ───► show
//!                      │                                                   └─ DELETE ► remove
//!                      └──────► mount "/" ─────► StaticFiles
//! ```
//!
//! A router matches when it is asked for its plan, and keeps in the request what it found: the answer begins there. A path
//! matches however it is percent-encoded, as it opens the same file however it is; only an encoded slash is no slash, so
//! that it can never lead to another route.
//!
//! Pattern: Composite.

mod error;
mod methods;
mod normal;
mod own;
mod tree;
mod verbs;
mod written;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

pub use self::error::RouteError;
use self::methods::{Methods, Taken};
use self::own::{Own, with_other_slash};
use self::tree::{End, Leaf, Tree, Values};
use self::written::{check, method_and_path};
use super::{Handler, Plan};
use crate::message::{Known, Outcome, Outside, Pattern, Refusal, Request, Response, RouterId, Span};

/// Routes by path and method.
///
/// ```
/// use qibu::{Request, Response, Result, Router, testing::TestClient};
///
/// let app = Router::new()
///     .get("/", |_| "welcome")
///     .get("/users/{id}", |request| -> Result<String> { Ok(format!("user {}", request.param::<u64>("id")?)) })
///     .post("/users", |_| Response::redirect("/users/8"));
///
/// let client = TestClient::new(app);
/// assert_eq!(client.get("/users/7").send().text(), "user 7");
/// assert_eq!(client.get("/users/me").send().status(), 400);
/// assert_eq!(client.get("/users").send().header("allow"), Some("POST, OPTIONS"));
/// ```
///
/// A pattern is a path with parameters in it: `{name}` is one segment or a part of one, `{*name}` at the end is all that is
/// left, slashes included; `{{` and `}}` are braces. No parameter is empty: `/files/{*path}` is not `/files/`, which is a route
/// of its own, if it shall be one. What is written out goes before parameters, and for good: beside `/{name}.git/{*rest}` no
/// path that begins with `/x.git/` is one of `/{name}/log`. It does not matter in which order routes are added.
///
/// What is written out matches however the client has percent-encoded it (RFC 3986 section 6.2.2.2): `/你好` and
/// `/%E4%BD%A0%E5%A5%BD`, which is what browsers send for it, are one path, and so are `/private` and `/%70rivate`. Only an
/// encoded slash, `%2F`, is no slash. So it is routes and mounts that decide who may see what;
/// [`Request::path`](crate::Request::path) is as it was sent.
///
/// # Panics
///
/// Routes are written into the program, so a pattern that cannot be or cannot match, or that another one stands in the way
/// of, is a mistake in the program: the methods that take one panic and name the pattern, or both of them. That is when the
/// router is made, before anything is served. `/:id`, `/{id:[0-9]+}`, `/find?q=x` and `get /` are such mistakes, too. For patterns that come from elsewhere there is [`try_route`](Self::try_route).
pub struct Router {
    id: RouterId,
    tree: Tree,
    routes: Vec<Route>,
    not_found: Option<Box<dyn Handler>>,
    slashes: Slashes,
}

/// What a slash too much, or one too few, at the end of a path means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Slashes {
    /// `/news` and `/news/` are two paths, as they are in HTTP.
    #[default]
    Strict,
    /// 308 to the one that there is.
    Redirect,
    /// Both are the same.
    Ignore,
}

struct Route {
    pattern: Arc<Pattern>,
    endpoint: Endpoint,
}

enum Endpoint {
    Methods(Methods),
    Mount(Box<dyn Handler>),
}

impl Router {
    /// A router without routes: everything is 404.
    pub fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        Self {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            tree: Tree::default(),
            routes: Vec::new(),
            not_found: None,
            slashes: Slashes::Strict,
        }
    }

    /// Adds any handler, for one method (`"POST /upload"`) or for all (`"/upload"`): a struct, a folder, one in
    /// [`blocking`](crate::blocking) or with a decorator around it.
    ///
    /// ```
    /// use qibu::{Request, Router, blocking};
    ///
    /// let app = Router::new().route("GET /report", blocking(|_: &mut Request| std::fs::read_to_string("report.txt").ok()));
    /// ```
    #[must_use]
    #[track_caller]
    pub fn route(mut self, pattern: &str, handler: impl Handler) -> Self {
        match self.try_route(pattern, handler) {
            Ok(()) => self,
            Err(error) => panic!("{error}"),
        }
    }

    /// The same for patterns that come from a setting, say: says what is wrong instead of panicking.
    ///
    /// ```
    /// use qibu::{Request, Router};
    ///
    /// let mut app = Router::new().get("/users/{id}", |_| "");
    /// let error = app.try_route("/users/{name}", |_: &mut Request| "").unwrap_err();
    /// assert_eq!(error.to_string(), "the route `/users/{name}` cannot be told from `/users/{id}`");
    /// ```
    pub fn try_route(&mut self, pattern: &str, handler: impl Handler) -> Result<(), RouteError> {
        match method_and_path(pattern).map_err(|reason| malformed(pattern, reason))? {
            (Some(method), path) => self.add(path, |methods| methods.add(method, Box::new(handler))),
            (None, path) => self.add(path, |methods| methods.add_any(Box::new(handler))),
        }
    }

    /// Hands all paths that begin with `prefix` to another handler, which sees what follows the prefix: mounted at
    /// `/files`, a [`StaticFiles`](crate::StaticFiles) answers `/files/a.txt` with its `a.txt`. The prefix may have
    /// parameters. Routes beside the mount that are written out go before it.
    ///
    /// Where the mount is there to guard a folder, let that folder lie outside of those that everyone may see. Inside of
    /// one, it has as many paths as the file system has names for it: `/PRIVATE` on Windows and macOS, and whatever links lead
    /// there. If it must lie there, [`StaticFiles::hide`](crate::StaticFiles::hide) hides its name from the others.
    ///
    /// ```
    /// use qibu::{Request, Router, testing::TestClient};
    ///
    /// let notes = Router::new().get("/", |_| "all notes").get("/{id}", |request| request.param::<String>("id"));
    /// let client = TestClient::new(Router::new().mount("/notes", notes));
    /// assert_eq!(client.get("/notes").send().text(), "all notes");
    /// assert_eq!(client.get("/notes/7").send().text(), "7");
    /// ```
    #[must_use]
    #[track_caller]
    pub fn mount(mut self, prefix: &str, handler: impl Handler) -> Self {
        match self.try_mount(prefix, handler) {
            Ok(()) => self,
            Err(error) => panic!("{error}"),
        }
    }

    /// The same for a prefix that comes from a setting: says what is wrong instead of panicking.
    pub fn try_mount(&mut self, prefix: &str, handler: impl Handler) -> Result<(), RouteError> {
        let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
        if !prefix.is_empty() {
            check(prefix).map_err(|reason| malformed(prefix, reason))?;
        }
        let route = self.routes.len();
        let mut tree = self.tree.clone(); // all three or none
        if !prefix.is_empty() {
            tree.insert(prefix, Leaf { route, end: End::Prefix })?;
        }
        tree.insert(&format!("{prefix}/"), Leaf { route, end: End::Slash })?;
        tree.insert(&format!("{prefix}/{{*rest}}"), Leaf { route, end: End::Rest })?;
        self.tree = tree;
        let endpoint = Endpoint::Mount(Box::new(handler));
        self.routes.push(Route { pattern: Arc::new(Pattern::new(prefix)), endpoint });
        Ok(())
    }

    /// Who answers when no path matches. Without it, that is a plain 404. A mounted router has its own: what it has no route
    /// for does not come back to the router around it. For one page everywhere, give both the same handler in an
    /// [`Arc`], or put a decorator around the outer one.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use qibu::{Request, Router, StatusCode, testing::TestClient};
    ///
    /// let lost = Arc::new(|_: &mut Request| (StatusCode::NOT_FOUND, "lost"));
    /// let notes = Router::new().get("/", |_| "all notes").not_found(lost.clone());
    /// let client = TestClient::new(Router::new().mount("/notes", notes).not_found(lost));
    /// assert_eq!(client.get("/nothing").send().text(), "lost");
    /// assert_eq!(client.get("/notes/nothing").send().text(), "lost");
    /// ```
    #[must_use]
    pub fn not_found(mut self, handler: impl Handler) -> Self {
        self.not_found = Some(Box::new(handler));
        self
    }

    /// What a slash too much, or one too few, at the end of a path means. Default: [`Slashes::Strict`].
    #[must_use]
    pub fn slashes(mut self, slashes: Slashes) -> Self {
        self.slashes = slashes;
        self
    }

    /// Adds to the table of that path; makes one where there is none.
    fn add(&mut self, path: &str, add: impl FnOnce(&mut Methods) -> Result<(), Taken>) -> Result<(), RouteError> {
        let taken = |Taken| RouteError::Taken { pattern: path.to_owned() };
        let known = self.routes.iter_mut().find(|route| route.pattern.text() == path);
        if let Some(Route { endpoint: Endpoint::Methods(methods), .. }) = known {
            return add(methods).map_err(taken);
        }
        check(path).map_err(|reason| malformed(path, reason))?;
        self.tree.insert(path, Leaf { route: self.routes.len(), end: End::Whole })?;
        let mut methods = Methods::default();
        add(&mut methods).map_err(taken)?;
        self.routes.push(Route { pattern: Arc::new(Pattern::new(path)), endpoint: Endpoint::Methods(methods) });
        Ok(())
    }

    /// Who answers; else why the router does by itself.
    fn destination(&self, request: &mut Request) -> Result<&dyn Handler, Own<'_>> {
        if request.outcome(self.id).is_none() {
            let (outcome, values) = self.look_up(request);
            request.keep_outcome(self.id, outcome, &values);
        }
        match request.outcome(self.id) {
            Some(Outcome::Route { index, .. } | Outcome::Mount { index, .. }) => match &self.routes[*index].endpoint {
                Endpoint::Mount(handler) => Ok(&**handler),
                Endpoint::Methods(methods) => methods.find(request.method()).ok_or(Own::OtherMethod(methods)),
            },
            Some(Outcome::OtherSlash) if self.slashes == Slashes::Redirect => Err(Own::OtherSlash),
            // RFC 9110 §9.3.7: `OPTIONS *` asks the server itself.
            _ if request.path() == "*" => Err(Own::Server),
            _ => self.not_found.as_deref().ok_or(Own::Nothing),
        }
    }
}

impl Handler for Router {
    fn handle(&self, request: &mut Request) -> Response {
        match self.destination(request) {
            Ok(handler) => within(request, |request| handler.handle(request)),
            Err(own) => own.answer(request),
        }
    }

    /// What the handler plans that will answer. What the router answers by itself needs no body, so nobody shall send one
    /// in vain. Where there is none, the answer has time until [`handle`](Self::handle): a refusal would have the
    /// decorators around run here and now, on the event loop, though [`blocking`](crate::blocking) stand around them.
    fn plan(&self, request: &mut Request) -> Plan {
        match self.destination(request) {
            Ok(handler) => within(request, |request| handler.plan(request)),
            Err(own) if request.announces_body() => Plan::refuse(own.answer(request)),
            Err(_) => Plan::inline(),
        }
    }

    /// The handler that would have answered is told, if there is a path that leads to it.
    fn refused(&self, refusal: &mut Refusal<'_>, answer: Response) -> Response {
        let (peer, reason) = (refusal.peer, refusal.reason);
        let Known::Request(request) = &mut refusal.known else { return answer };
        match self.destination(request) {
            Ok(handler) => within(request, |request| {
                handler.refused(&mut Refusal::new(peer, reason, Known::Request(request)), answer)
            }),
            Err(_) => answer,
        }
    }
}

impl Router {
    /// Looks the path up in the tree.
    fn look_up(&self, request: &Request) -> (Outcome, Values) {
        let (path, place) = (request.path(), request.rest_of_path());
        if let Some((leaf, values)) = self.tree.find(path, place.start) {
            return self.outcome(leaf, values, place);
        }
        match (self.slashes, with_other_slash(path).and_then(|path| self.tree.find(&path, place.start))) {
            (Slashes::Strict, _) | (_, None) => (Outcome::Nothing, Values::new()),
            (Slashes::Redirect, Some(_)) => (Outcome::OtherSlash, Values::new()),
            (Slashes::Ignore, Some((leaf, values))) => self.outcome(leaf, values, place),
        }
    }

    fn outcome(&self, leaf: Leaf, mut values: Values, place: Span) -> (Outcome, Values) {
        let (index, pattern) = (leaf.route, self.routes[leaf.route].pattern.clone());
        let rest = match leaf.end {
            End::Whole => return (Outcome::Route { index, pattern }, values),
            End::Prefix => place.end,
            // Where the slash itself is missing, the path begins where it ends.
            End::Slash => place.start.max(place.end.saturating_sub(1)),
            // The slash before it belongs to it.
            End::Rest => values.pop().map_or(place.start, |rest| rest.start - 1),
        };
        (Outcome::Mount { index, pattern, rest }, values)
    }
}

fn malformed(pattern: &str, reason: &'static str) -> RouteError {
    RouteError::Malformed { pattern: pattern.to_owned(), reason }
}

/// Goes a level deeper for as long as `ask` takes.
fn within<T>(request: &mut Request, ask: impl FnOnce(&mut Request) -> T) -> T {
    let inside = Inside { outside: request.enter(), request };
    ask(inside.request)
}

/// A request that is a level deeper, and comes back from there even where that panics: decorators go on with it.
struct Inside<'a> {
    request: &'a mut Request,
    outside: Outside,
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.request.leave(self.outside);
    }
}

impl Default for Router {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Router {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let endpoint = |route: &Route| match &route.endpoint {
            Endpoint::Methods(methods) => format!("{methods:?}"),
            Endpoint::Mount(_) => "mount".to_owned(),
        };
        f.debug_map().entries(self.routes.iter().map(|route| (route.pattern.text(), endpoint(route)))).finish()
    }
}
