//! How many requests, with which answers, and how long they took: in figures that Prometheus collects.
//!
//! Each thread counts in a shard of its own, so that counting costs no loop a wait for another; whoever asks for the page
//! gets the sums. What can be counted apart is bounded: a route is a pattern of the [`Router`](crate::Router), such as
//! `/users/{id}`, never a path that a client has made up; methods are the known ones, statuses are numbers.
//!
//! An answer is counted when it is there. Where none comes, what became of the request is counted: 500 for a handler that has
//! panicked, 503 for one that was too late, and 499, the number that nginx has for it, for a client that went before: that reset
//! its connection, since one that has only finished sending may still read.
//!
//! Pattern: Decorator (it watches).

use std::cell::Cell;
use std::collections::{BTreeMap, HashMap};
use std::fmt::{self, Write};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use http::{Method, StatusCode};

use crate::handler::{Handler, Middleware};
use crate::message::{Refusal, Request, Response};

/// Counts answers, and has a page that says how many there were. Clones count together.
///
/// ```
/// use qibu::{HandlerExt, Metrics, Router, testing::TestClient};
///
/// let metrics = Metrics::new();
/// let app = Router::new().get("/users/{id}", |_| "a user").route("GET /metrics", metrics.page());
/// let client = TestClient::new(app.with(metrics));
///
/// client.get("/users/7").send();
/// let page = client.get("/metrics").send();
/// let line = r#"qibu_http_requests_total{method="GET",route="/users/{id}",status="200"} 1"#;
/// assert!(page.text().contains(line));
/// ```
///
/// The page shows what your site is made of: put it where only those see it who shall. The server's own figures come in
/// with [`ServerHandle::report_to`](crate::ServerHandle::report_to), and yours with [`Self::gauge`] and [`Self::counter`].
#[derive(Clone, Default)]
pub struct Metrics {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    shards: [Mutex<Shard>; SHARDS],
    figures: Mutex<Vec<Figure>>,
}

/// What some threads have counted, by route.
type Shard = HashMap<Box<str>, Route>;

#[derive(Default, Clone)]
struct Route {
    answers: BTreeMap<(&'static str, u16), u64>,
    times: Histogram,
}

/// How many answers took how long.
#[derive(Default, Clone)]
struct Histogram {
    /// By the first of [`BOUNDS`] that they did not exceed.
    counts: [u64; BOUNDS.len()],
    count: u64,
    sum: Duration,
}

/// A number that is asked for when the page is.
struct Figure {
    name: &'static str,
    /// In braces, or nothing.
    labels: &'static str,
    help: &'static str,
    kind: &'static str,
    read: Box<dyn Fn() -> f64 + Send + Sync>,
}

const SHARDS: usize = 16;

/// In milliseconds; behind the last one there is `+Inf`.
const BOUNDS: [u64; 13] = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000];

/// Routes of more routers than anyone writes are counted together.
const MOST_ROUTES: usize = 1000;

const REQUESTS: &str = "qibu_http_requests_total";
const TIMES: &str = "qibu_http_request_duration_seconds";

impl Metrics {
    /// Counts from zero.
    pub fn new() -> Self {
        Self::default()
    }

    /// A handler that shows all figures, in Prometheus' text format.
    pub fn page(&self) -> impl Handler + use<> {
        let metrics = self.clone();
        move |_: &mut Request| Response::bytes("text/plain; version=0.0.4; charset=utf-8", metrics.text())
    }

    /// Shows a number that goes up and down, read whenever the page is asked for. `name` is letters, digits and `_`.
    pub fn gauge(&self, name: &'static str, help: &'static str, read: impl Fn() -> f64 + Send + Sync + 'static) {
        self.add("gauge", name, "", help, read);
    }

    /// Shows a number that only grows. By custom its name ends in `_total`.
    pub fn counter(&self, name: &'static str, help: &'static str, read: impl Fn() -> f64 + Send + Sync + 'static) {
        self.add("counter", name, "", help, read);
    }

    /// Figures of one name must be added one after the other.
    pub(crate) fn add(
        &self,
        kind: &'static str,
        name: &'static str,
        labels: &'static str,
        help: &'static str,
        read: impl Fn() -> f64 + Send + Sync + 'static,
    ) {
        lock(&self.shared.figures).push(Figure { name, labels, help, kind, read: Box::new(read) });
    }

    fn count(&self, route: &str, method: &'static str, status: StatusCode, took: Duration) {
        let mut shard = lock(&self.shared.shards[own_shard()]);
        // A name is only copied the first time.
        let route = if shard.contains_key(route) || shard.len() < MOST_ROUTES { route } else { "(others)" };
        if !shard.contains_key(route) {
            shard.insert(route.into(), Route::default());
        }
        let route = shard.get_mut(route).expect("inserted one line above");
        *route.answers.entry((method, status.as_u16())).or_default() += 1;
        route.times.add(took);
    }

    fn text(&self) -> String {
        let mut sums: BTreeMap<Box<str>, Route> = BTreeMap::new();
        for shard in &self.shared.shards {
            for (name, route) in lock(shard).iter() {
                sums.entry(name.clone()).or_default().add(route);
            }
        }
        let mut text = String::new();
        write_requests(&mut text, &sums)
            .and_then(|()| write_times(&mut text, &sums))
            .and_then(|()| write_figures(&mut text, &lock(&self.shared.figures)))
            .expect("writing to memory cannot fail");
        text
    }
}

impl Middleware for Metrics {
    fn handle(&self, request: &mut Request, next: &dyn Handler) -> Response {
        let tally = Arc::new(Tally::begin(self, request));
        request.watch({
            let tally = tally.clone();
            move |sent| tally.count(sent.status)
        });
        let response = next.handle(request);
        tally.learn(request.route());
        response.map(move |response| {
            tally.count(response.status());
            response
        })
    }

    fn refused(&self, refusal: &mut Refusal<'_>, answer: Response) -> Response {
        let (route, method) = match refusal.request() {
            Some(request) => (request.route().unwrap_or_default(), known(request.method())),
            None => ("", "other"),
        };
        self.count(route, method, answer.status(), Duration::ZERO);
        answer
    }
}

/// A request that is to be counted, once: by its answer, or else by what became of it.
struct Tally {
    metrics: Metrics,
    /// As far as it is known.
    route: Mutex<String>,
    method: &'static str,
    begin: Instant,
    is_counted: AtomicBool,
}

impl Tally {
    fn begin(metrics: &Metrics, request: &Request) -> Self {
        Self {
            metrics: metrics.clone(),
            route: Mutex::new(request.route().unwrap_or_default().to_owned()),
            method: known(request.method()),
            begin: Instant::now(),
            is_counted: AtomicBool::new(false),
        }
    }

    /// A router that was not asked for its plan finds it when it handles the request.
    fn learn(&self, found: Option<&str>) {
        let mut route = lock(&self.route);
        if let Some(found) = found.filter(|found| *found != *route) {
            found.clone_into(&mut route);
        }
    }

    fn count(&self, status: StatusCode) {
        if !self.is_counted.swap(true, Ordering::Relaxed) {
            self.metrics.count(&lock(&self.route), self.method, status, self.begin.elapsed());
        }
    }
}

impl Route {
    fn add(&mut self, other: &Self) {
        for (answer, count) in &other.answers {
            *self.answers.entry(*answer).or_default() += count;
        }
        for (count, more) in self.times.counts.iter_mut().zip(other.times.counts) {
            *count += more;
        }
        self.times.count += other.times.count;
        self.times.sum += other.times.sum;
    }
}

impl Histogram {
    fn add(&mut self, took: Duration) {
        if let Some(index) = BOUNDS.iter().position(|bound| took <= Duration::from_millis(*bound)) {
            self.counts[index] += 1;
        }
        self.count += 1;
        self.sum += took;
    }
}

fn write_requests(text: &mut String, routes: &BTreeMap<Box<str>, Route>) -> fmt::Result {
    writeln!(text, "# HELP {REQUESTS} Requests that were answered.\n# TYPE {REQUESTS} counter")?;
    for (name, route) in routes {
        for ((method, status), count) in &route.answers {
            let route = Label(name);
            writeln!(text, "{REQUESTS}{{method=\"{method}\",route=\"{route}\",status=\"{status}\"}} {count}")?;
        }
    }
    Ok(())
}

fn write_times(text: &mut String, routes: &BTreeMap<Box<str>, Route>) -> fmt::Result {
    writeln!(text, "# HELP {TIMES} From the request to its answer, without its way to the client.")?;
    writeln!(text, "# TYPE {TIMES} histogram")?;
    for (name, Route { times, .. }) in routes {
        let (route, mut count) = (Label(name), 0);
        for (bound, more) in BOUNDS.iter().zip(times.counts) {
            count += more;
            let seconds = Duration::from_millis(*bound).as_secs_f64();
            writeln!(text, "{TIMES}_bucket{{route=\"{route}\",le=\"{seconds}\"}} {count}")?;
        }
        writeln!(text, "{TIMES}_bucket{{route=\"{route}\",le=\"+Inf\"}} {}", times.count)?;
        writeln!(text, "{TIMES}_sum{{route=\"{route}\"}} {}", times.sum.as_secs_f64())?;
        writeln!(text, "{TIMES}_count{{route=\"{route}\"}} {}", times.count)?;
    }
    Ok(())
}

fn write_figures(text: &mut String, figures: &[Figure]) -> fmt::Result {
    let mut before = "";
    for Figure { name, labels, help, kind, read } in figures {
        if *name != before {
            writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}")?;
        }
        writeln!(text, "{name}{labels} {}", read())?;
        before = name;
    }
    Ok(())
}

/// A text that cannot leave its quotes.
struct Label<'a>(&'a str);

impl fmt::Display for Label<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|character| match character {
            '\\' => f.write_str("\\\\"),
            '"' => f.write_str("\\\""),
            '\n' => f.write_str("\\n"),
            character => f.write_char(character),
        })
    }
}

/// A client can make up any method.
fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        Method::PATCH => "PATCH",
        Method::TRACE => "TRACE",
        _ => "other",
    }
}

/// The shard of this thread.
fn own_shard() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local!(static OWN: Cell<Option<usize>> = const { Cell::new(None) });
    OWN.with(|own| {
        let shard = own.get().unwrap_or_else(|| NEXT.fetch_add(1, Ordering::Relaxed) % SHARDS);
        own.set(Some(shard));
        shard
    })
}

/// A panic elsewhere leaves the counts whole, so a poisoned lock is still good.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}
