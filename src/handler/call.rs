//! One call of a handler: contained and timed.
//!
//! A panic becomes a 500 for that request alone. A call that held its event loop for too long is named in the log,
//! since every other client of the loop had to wait for it.

use std::any::Any;
use std::fmt;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use coarsetime::Instant as Tick;
use http::StatusCode;

use super::{Handler, Plan};
use crate::message::{BodySink, Refusal, Request, Response};

/// Calls the handler.
pub(crate) fn call(handler: &dyn Handler, request: &mut Request) -> Response {
    match catch_unwind(AssertUnwindSafe(|| handler.handle(request))) {
        Ok(response) => response,
        Err(panic) => has_panicked(request, &*panic),
    }
}

/// The same on an event loop: a call that takes longer than `limit` is named in a warning. The clock is that of the system's
/// ticks, 1 to 16 ms: to read a finer one twice costs as much as to write a small answer.
pub(crate) fn call_timed(handler: &dyn Handler, request: &mut Request, limit: Duration) -> Response {
    let started = Tick::now_without_cache_update();
    let response = call(handler, request);
    let ended = Tick::now_without_cache_update();
    if ended != started {
        warn_if_slow(request, (ended - started).into(), limit);
    }
    response
}

#[cold]
fn warn_if_slow(request: &Request, took: Duration, limit: Duration) {
    if took >= limit {
        let (method, target, route) = (request.method(), request.target(), request.route().unwrap_or("none"));
        let what = format_args!("the handler of {method} {} (route {route})", target.escape_debug());
        warn_of(what, took, "wrap it in blocking(..)");
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

/// Asks the handler for its plan.
pub(crate) fn plan(handler: &dyn Handler, request: &mut Request) -> Plan {
    match catch_unwind(AssertUnwindSafe(|| handler.plan(request))) {
        Ok(plan) => plan,
        Err(panic) => Plan::refuse(has_panicked(request, &*panic)),
    }
}

/// Gives a piece of a body to what takes it; fails where that panics.
pub(crate) fn pour(sink: &mut dyn BodySink, piece: &[u8]) -> Result<ControlFlow<()>, ()> {
    catch_unwind(AssertUnwindSafe(|| sink.take(piece))).map_err(|panic| {
        log::error!("what takes the body of a request panicked: {}", panic_text(&*panic));
    })
}

/// Tells the handler what the server refuses; gives the answer, with what its decorators add.
pub(crate) fn refused(handler: &dyn Handler, refusal: &mut Refusal<'_>, answer: Response) -> Response {
    catch_unwind(AssertUnwindSafe(|| handler.refused(refusal, answer))).unwrap_or_else(|panic| {
        log::error!("a handler that was told of a refusal panicked: {}", panic_text(&*panic));
        broken()
    })
}

/// Makes the changes of decorators to an answer that has come at last.
pub(crate) fn resolve(pending: &mut Response, answer: Response) -> Response {
    let fate = pending.take_fate();
    let resolved = catch_unwind(AssertUnwindSafe(|| pending.resolve(answer))).unwrap_or_else(|panic| {
        log::error!("a change to a late answer panicked: {}", panic_text(&*panic));
        broken()
    });
    resolved.with_fate(fate)
}

/// After a panic the handler's own state may be half changed; that is for its locks to know (they are poisoned). The
/// request is dropped with the answer.
#[cold]
fn has_panicked(request: &Request, panic: &(dyn Any + Send)) -> Response {
    let target = request.target().escape_debug();
    log::error!("the handler of {} {target} panicked: {}", request.method(), panic_text(panic));
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

fn warn_of(what: fmt::Arguments<'_>, took: Duration, advice: &str) {
    let (thread, took) = (std::thread::current(), took.as_millis());
    let held = thread.name().unwrap_or("an event loop");
    log::warn!("{what} held {held} for {took} ms; {advice} (slow_handler_warning)");
}
