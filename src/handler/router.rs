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
//! A router matches when it is asked for its plan, and keeps in the request what it found: the answer begins there. The
//! match is on the path as it was sent, and parameters are decoded after it, so an encoded slash can never lead to
//! another route.
//!
//! Pattern: Composite.

mod error;
mod methods;
mod tree;
mod verbs;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use http::header::LOCATION;
use http::{Method, StatusCode};

pub use self::error::RouteError;
use self::methods::{Methods, Taken};
use self::tree::{End, Leaf, Tree, Values};
use super::{Handler, Plan};
use crate::message::{Known, Outcome, Pattern, Refusal, Request, Response, RouterId, Span};

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
/// left, slashes included; `{{` and `}}` are braces. What is written out goes before parameters. It does not matter in
/// which order routes are added.
///
/// # Panics
///
/// Routes are written into the program, so a pattern that cannot be, or that another one stands in the way of, is a mistake
/// in the program: the methods that take one panic and name the pattern, or both of them. That is when the router is made,
/// before anything is served. For patterns that come from elsewhere there is [`try_route`](Self::try_route).
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

    /// Adds any handler, for one method (`"POST /upload"`) or for all (`"/upload"`).
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
        match pattern.split_once(' ') {
            Some((method, path)) => {
                let method = Method::from_bytes(method.as_bytes()).map_err(|_| RouteError::Malformed {
                    pattern: pattern.to_owned(),
                    reason: "before the space stands a method",
                })?;
                self.add(path, |methods| methods.add(method, Box::new(handler)))
            }
            None => self.add(pattern, |methods| methods.add_any(Box::new(handler))),
        }
    }

    /// Hands all paths that begin with `prefix` to another handler, which sees what follows the prefix: mounted at
    /// `/files`, a [`StaticFiles`](crate::StaticFiles) answers `/files/a.txt` with its `a.txt`. The prefix may have
    /// parameters. Routes beside the mount that are written out go before it.
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

    /// Who answers when no path matches. Without it, that is a plain 404.
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
        self.tree.insert(path, Leaf { route: self.routes.len(), end: End::Whole })?;
        let mut methods = Methods::default();
        add(&mut methods).map_err(taken)?;
        self.routes.push(Route { pattern: Arc::new(Pattern::new(path)), endpoint: Endpoint::Methods(methods) });
        Ok(())
    }

    /// Who answers; else what the router answers by itself.
    fn destination(&self, request: &mut Request) -> Result<&dyn Handler, Box<Response>> {
        if request.outcome(self.id).is_none() {
            let (outcome, values) = self.look_up(request);
            request.keep_outcome(self.id, outcome, &values);
        }
        let answer = match request.outcome(self.id) {
            Some(Outcome::Route { index, .. } | Outcome::Mount { index, .. }) => match &self.routes[*index].endpoint {
                Endpoint::Mount(handler) => return Ok(&**handler),
                Endpoint::Methods(methods) => match methods.find(request.method()) {
                    Some(handler) => return Ok(handler),
                    None => methods.answer(request.method()),
                },
            },
            Some(Outcome::OtherSlash) if self.slashes == Slashes::Redirect => redirect(request),
            // RFC 9110 §9.3.7: `OPTIONS *` asks the server itself.
            _ if request.path() == "*" => Response::new(StatusCode::NO_CONTENT),
            _ => match &self.not_found {
                Some(handler) => return Ok(&**handler),
                None => Response::status_page(StatusCode::NOT_FOUND),
            },
        };
        Err(Box::new(answer))
    }
}

impl Handler for Router {
    fn handle(&self, request: &mut Request) -> Response {
        match self.destination(request) {
            Ok(handler) => within(request, |request| handler.handle(request)),
            Err(answer) => *answer,
        }
    }

    /// What the handler plans that will answer. What the router answers by itself needs no body, so nobody shall send one
    /// in vain.
    fn plan(&self, request: &mut Request) -> Plan {
        match self.destination(request) {
            Ok(handler) => within(request, |request| handler.plan(request)),
            Err(answer) => Plan::refuse(*answer),
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

/// The same path with a slash more or less at its end.
fn with_other_slash(path: &str) -> Option<String> {
    match path.strip_suffix('/') {
        Some("") => None,
        Some(shorter) => Some(shorter.to_owned()),
        None => Some(format!("{path}/")),
    }
}

/// Goes a level deeper for as long as `ask` takes.
fn within<T>(request: &mut Request, ask: impl FnOnce(&mut Request) -> T) -> T {
    let outside = request.enter();
    let answer = ask(request);
    request.leave(outside);
    answer
}

/// To the path with the slash that it needs, and the query that it had. Browsers take `//name` and `/\\name` for another
/// server, so there is one slash at the front, and no backslash.
fn redirect(request: &Request) -> Response {
    let whole = format!("{}{}", request.mount_path(), request.path()).replace('\\', "%5C");
    let path = with_other_slash(&whole).unwrap_or(whole);
    let query = request.query_string().map_or_else(String::new, |query| format!("?{query}"));
    // RFC 9110 §15.4.9: 308 keeps the method and the body.
    Response::status_page(StatusCode::PERMANENT_REDIRECT)
        .with_header(LOCATION.as_str(), format!("/{}{query}", path.trim_start_matches('/')))
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
