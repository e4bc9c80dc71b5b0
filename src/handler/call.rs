//! One call of a handler: contained and timed.
//!
//! A panic becomes a 500 for that request alone; where decorators stand around what has panicked, they get it from their
//! `next`, as any other answer. A call that held its event loop for too long is named in the log, since every other client of
//! the loop had to wait for it.

use std::any::Any;
use std::fmt;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use coarsetime::Instant as Tick;
use http::StatusCode;

use super::{Handler, Plan};
use crate::message::{BodySink, Late, Refusal, Request, Response};

/// Calls the handler.
pub(crate) fn call<H: Handler + ?Sized>(handler: &H, request: &mut Request) -> Response {
    match catch_unwind(AssertUnwindSafe(|| handler.handle(request))) {
        Ok(response) => response,
        Err(panic) => has_panicked(request, &*panic),
    }
}

/// The same on an event loop: a call that takes too long is named in a warning.
pub(crate) fn call_timed(handler: &dyn Handler, request: &mut Request, mut watch: Stopwatch) -> Response {
    let response = call(handler, request);
    if let Some(took) = watch.lap() {
        warn_of(format_args!("the handler of {}", Asked(request)), took, "wrap it in blocking(..)");
    }
    response
}

/// Asks the handler for its plan.
pub(crate) fn plan<H: Handler + ?Sized>(handler: &H, request: &mut Request) -> Plan {
    match catch_unwind(AssertUnwindSafe(|| handler.plan(request))) {
        Ok(plan) => plan,
        Err(panic) => Plan::refuse(has_panicked(request, &*panic)),
    }
}

/// The same on an event loop, where all plans are made: one that takes too long is named in a warning.
pub(crate) fn plan_timed(handler: &dyn Handler, request: &mut Request, watch: &mut Stopwatch) -> Plan {
    let plan = plan(handler, request);
    if let Some(took) = watch.lap() {
        let advice = "no blocking(..) moves a plan, nor what a decorator does about a refusal in it";
        warn_of(format_args!("the plan of {}", Asked(request)), took, advice);
    }
    plan
}

/// How long the loop is held by one thing after the other, by the clock of the system's ticks, 1 to 16 ms: to read a finer one
/// twice costs as much as to write a small answer.
pub(crate) struct Stopwatch {
    since: Tick,
    /// What is too long.
    limit: Duration,
}

impl Stopwatch {
    pub(crate) fn start(limit: Duration) -> Self {
        Self { since: Tick::now_without_cache_update(), limit }
    }

    /// How long it took, if that was too long. What comes next begins now.
    fn lap(&mut self) -> Option<Duration> {
        let now = Tick::now_without_cache_update();
        if now == self.since {
            return None; // as a rule
        }
        let took = (now - self.since).into();
        self.since = now;
        (took >= self.limit).then_some(took)
    }
}

/// A request, as lines of the log name it. What the client wrote is escaped.
struct Asked<'a>(&'a Request);

impl fmt::Display for Asked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(request) = self;
        let (method, target, route) = (request.method(), request.target(), request.route().unwrap_or("none"));
        write!(f, "{method} {} (route {route}", target.escape_debug())?;
        match request.id() {
            Some(id) => write!(f, ", request id {id})"),
            None => f.write_str(")"),
        }
    }
}

/// Calls something else of the application's on an event loop. A panic is an error that the log has; a call that takes
/// longer than `limit` is named there, too.
#[allow(dead_code, reason = "the feature `websocket` needs it")]
pub(crate) fn call_on_loop<T>(limit: Duration, what: fmt::Arguments<'_>, run: impl FnOnce() -> T) -> Result<T, ()> {
    let started = Instant::now();
    let outcome = catch_unwind(AssertUnwindSafe(run));
    let took = started.elapsed();
    if took >= limit {
        warn_of(what, took, "let another thread do it, which sends the outcome");
    }
    outcome.map_err(|panic| log::error!("{what} panicked: {}", panic_text(&*panic)))
}

/// Gives a piece of a body to what takes it; fails where that panics.
pub(crate) fn pour(sink: &mut dyn BodySink, piece: &[u8]) -> Result<ControlFlow<()>, ()> {
    catch_unwind(AssertUnwindSafe(|| sink.take(piece))).map_err(|panic| {
        log::error!("what takes the body of a request panicked: {}", panic_text(&*panic));
    })
}

/// Tells the handler what the server refuses; gives the answer, with what its decorators add.
pub(crate) fn refused<H: Handler + ?Sized>(handler: &H, refusal: &mut Refusal<'_>, answer: Response) -> Response {
    catch_unwind(AssertUnwindSafe(|| handler.refused(refusal, answer))).unwrap_or_else(|panic| {
        log::error!("a handler that was told of a refusal panicked: {}", panic_text(&*panic));
        broken()
    })
}

/// Makes the changes of decorators to an answer that has come at last. Where one panics, those outside of it change a 500.
pub(crate) fn resolve(pending: &mut Response, late: Late) -> Response {
    let fate = pending.take_fate();
    let resolved = pending.take_changes().into_iter().fold(late, |late, change| {
        catch_unwind(AssertUnwindSafe(|| change.make(late))).unwrap_or_else(|panic| {
            log::error!("a change to a late answer panicked: {}", panic_text(&*panic));
            Late::Instead(broken())
        })
    });
    resolved.into_response().with_fate(fate)
}

/// After a panic the handler's own state may be half changed; that is for its locks to know (they are poisoned). The
/// request is dropped with the answer.
#[cold]
fn has_panicked(request: &Request, panic: &(dyn Any + Send)) -> Response {
    log::error!("the handler of {} panicked: {}", Asked(request), panic_text(panic));
    broken()
}

/// What a decorator gets that calls its `next` again, where that has refused the request.
#[cold]
pub(crate) fn asked_again(request: &Request) -> Response {
    let asked = Asked(request);
    log::error!("a decorator has called its next twice for {asked}, which was refused in its plan and has one answer");
    broken()
}

fn broken() -> Response {
    Response::status_page(StatusCode::INTERNAL_SERVER_ERROR)
}

pub(crate) fn panic_text(panic: &(dyn Any + Send)) -> &str {
    match (panic.downcast_ref::<&str>(), panic.downcast_ref::<String>()) {
        (Some(text), _) => text,
        (_, Some(text)) => text,
        _ => "(no text)",
    }
}

#[cold]
fn warn_of(what: fmt::Arguments<'_>, took: Duration, advice: &str) {
    let (thread, took) = (std::thread::current(), took.as_millis());
    let held = thread.name().unwrap_or("an event loop");
    log::warn!("{what} held {held} for {took} ms; {advice} (slow_handler_warning)");
}
