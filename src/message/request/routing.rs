//! Where in the tree of routers a request is: what each router on its way has found.
//!
//! A router is asked twice, for its plan and for its answer, and matches once: what it finds is kept here, a level for
//! each router. The values of path parameters are places in the target, the names belong to the pattern, so a match
//! costs no string. What a mounted handler sees as the path begins where the prefix ends.

use std::cell::OnceCell;
use std::sync::Arc;

use smallvec::SmallVec;

use super::{Request, Span};

/// Tells one router from all others of the program.
pub(crate) type RouterId = u32;

/// A route as it was written, and the names in it.
#[derive(Debug)]
pub(crate) struct Pattern {
    /// Without its method, as in `/users/{id}`; for a mount, without what the mounted handler sees.
    text: String,
    /// In the order in which they stand.
    names: Vec<String>,
}

impl Pattern {
    /// Takes the names out of a pattern that the router's tree has accepted.
    pub(crate) fn new(text: &str) -> Self {
        let without_escapes = text.replace("{{", "").replace("}}", "");
        let names = without_escapes.split('{').skip(1).filter_map(|rest| rest.split_once('}'));
        Self { text: text.to_owned(), names: names.map(|(name, _)| name.trim_start_matches('*').to_owned()).collect() }
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }
}

/// What a router found.
#[derive(Debug, Clone)]
pub(crate) enum Outcome {
    Route {
        index: usize,
        pattern: Arc<Pattern>,
    },
    Mount {
        index: usize,
        pattern: Arc<Pattern>,
        rest: u32,
    },
    /// A route would match if the path had a slash more or less at its end.
    OtherSlash,
    Nothing,
}

/// What the routers have found, the outermost first.
#[derive(Default)]
pub(super) struct Routing {
    levels: SmallVec<[Level; 1]>,
    /// The parameters' values of all levels, in order.
    values: SmallVec<[Span; 2]>,
    /// How many of the levels we are within.
    depth: usize,
    /// Where the path begins that is left for the handler.
    rest: u32,
    /// The patterns of several levels as one, if somebody has asked for it.
    joined: OnceCell<String>,
}

struct Level {
    router: RouterId,
    outcome: Outcome,
    first_value: usize,
}

impl Routing {
    /// For another request.
    pub(super) fn clear(&mut self) {
        let Self { levels, values, depth, rest, joined } = self;
        levels.clear();
        values.clear();
        (*depth, *rest) = (0, 0);
        joined.take();
    }
}

/// Where a request was before it went a level deeper.
#[derive(Clone, Copy)]
#[must_use = "give it to `leave`"]
pub(crate) struct Outside {
    rest: u32,
}

impl Request {
    /// What this router found when it was asked for its plan.
    pub(crate) fn outcome(&self, router: RouterId) -> Option<&Outcome> {
        let level = self.routing.levels.get(self.routing.depth)?;
        (level.router == router).then_some(&level.outcome)
    }

    /// Keeps what a router found; deeper levels were found under another.
    pub(crate) fn keep_outcome(&mut self, router: RouterId, outcome: Outcome, values: &[Span]) {
        let routing = &mut self.routing;
        if let Some(old) = routing.levels.get(routing.depth) {
            routing.values.truncate(old.first_value);
            routing.levels.truncate(routing.depth);
        }
        routing.joined.take();
        routing.levels.push(Level { router, outcome, first_value: routing.values.len() });
        routing.values.extend_from_slice(values);
    }

    /// Goes to the handler that was found: it sees what its mount leaves of the path.
    pub(crate) fn enter(&mut self) -> Outside {
        let routing = &mut self.routing;
        let outside = Outside { rest: routing.rest };
        if let Some(Level { outcome: Outcome::Mount { rest, .. }, .. }) = routing.levels.get(routing.depth) {
            routing.rest = *rest;
        }
        routing.depth += 1;
        outside
    }

    /// Comes back from there.
    pub(crate) fn leave(&mut self, outside: Outside) {
        self.routing.depth -= 1;
        self.routing.rest = outside.rest;
    }

    /// The pattern of the route that was found, as in `/users/{id}`, through all routers on the way: for metrics and log
    /// lines, in which paths would be too many. `None` where there is no router, or it has no route for the path.
    ///
    /// ```
    /// use qibu::{Request, Router, testing::TestClient};
    ///
    /// let api = Router::new().get("/users/{id}", |request| request.route().map(str::to_owned));
    /// let client = TestClient::new(Router::new().mount("/api", api));
    /// assert_eq!(client.get("/api/users/7").send().text(), "/api/users/{id}");
    /// ```
    pub fn route(&self) -> Option<&str> {
        match &self.routing.levels[..] {
            [Level { outcome: Outcome::Route { pattern, .. }, .. }] => Some(pattern.text()),
            levels => Some(&**self.routing.joined.get_or_init(|| join(levels))).filter(|joined| !joined.is_empty()),
        }
    }

    /// The value of a path parameter, as it was sent; the innermost of that name.
    pub(super) fn raw_param(&self, name: &str) -> Option<&str> {
        let mut values = &self.routing.values[..];
        for level in self.routing.levels.iter().rev() {
            let (outer, own) = values.split_at(level.first_value);
            values = outer;
            let (Outcome::Route { pattern, .. } | Outcome::Mount { pattern, .. }) = &level.outcome else { continue };
            if let Some((_, value)) = pattern.names.iter().zip(own).find(|(known, _)| *known == name) {
                return Some(self.head.in_target(*value));
            }
        }
        None
    }

    /// Where the path that is left lies in the target.
    pub(crate) fn rest_of_path(&self) -> Span {
        Span { start: self.routing.rest, end: self.head.path_end }
    }

    /// Whether a mount was asked for without the slash behind it, though [`path`](Self::path) says `/`.
    pub(crate) fn is_mount_without_slash(&self) -> bool {
        self.routing.rest == self.head.path_end
    }

    /// What the routers took from the front of the path on the way to this handler, as it was sent: `/files` in a handler
    /// that is mounted at `/files`, and nothing at the top. Links to pages of one's own begin with it.
    ///
    /// ```
    /// use qibu::{Request, Router, testing::TestClient};
    ///
    /// let blog = |request: &mut Request| format!("{} + {}", request.mount_path(), request.path());
    /// let client = TestClient::new(Router::new().mount("/blog", blog));
    /// assert_eq!(client.get("/blog/today").send().text(), "/blog + /today");
    /// assert_eq!(client.get("/blog").send().text(), "/blog + /");
    /// ```
    pub fn mount_path(&self) -> &str {
        self.head.in_target(Span { start: 0, end: self.routing.rest })
    }
}

fn join(levels: &[Level]) -> String {
    let text = |level: &Level| match &level.outcome {
        Outcome::Route { pattern, .. } | Outcome::Mount { pattern, .. } => pattern.text().to_owned(),
        Outcome::OtherSlash | Outcome::Nothing => String::new(),
    };
    // What is found beneath a mount that is no router, or that has no route, is all the same.
    let rest = match levels.last() {
        Some(Level { outcome: Outcome::Mount { .. }, .. }) => "/{*rest}",
        Some(Level { outcome: Outcome::OtherSlash | Outcome::Nothing, .. }) if levels.len() > 1 => "/{*rest}",
        _ => "",
    };
    levels.iter().map(text).collect::<String>() + rest
}
