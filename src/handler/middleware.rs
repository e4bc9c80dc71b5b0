//! Decorators: what stands around a handler.
//!
//! `handler.with(AccessLog::new())` is again a handler. The last `with` is the outermost.
//!
//! What is refused while it is planned is an answer like any other: the decorators around the one that refused it get it
//! from their `next`, so that a 401 is logged and has its security fields, too. So is the 500 of what has panicked.
//!
//! Pattern: Decorator.

use std::sync::{Mutex, PoisonError};

use super::call::{asked_again, call, plan, refused};
use super::{Handler, Origin, Place, Plan};
use crate::message::{Refusal, Request, Response};

/// Something that stands before, after or in place of the next handler.
///
/// A closure will do:
///
/// ```
/// use qibu::{Handler, HandlerExt, Request, testing::TestClient};
///
/// let hello = |_: &mut Request| "hello";
/// let shout = hello.with(|request: &mut Request, next: &dyn Handler| {
///     next.handle(request).map(|response| response.with_header("x-shout", "HEY"))
/// });
/// assert_eq!(TestClient::new(shout).get("/").send().header("x-shout"), Some("HEY"));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot stand around a handler",
    note = "a struct does by `impl Middleware for {Self}`",
    note = "a closure must name its arguments' types, as in `|request: &mut Request, next: &dyn Handler| ...`",
    note = "and return a `Response`, as a rule that of `next.handle(request)`"
)]
pub trait Middleware: Send + Sync + 'static {
    /// Handles the request, as a rule by calling `next`, once. Change its answer through [`Response::map`]: it may come later
    /// ([`Request::later`]), so status, fields and body may not be known yet. To set a status or a field needs no `map`: that is
    /// kept for the reply. Where what stands inside panics, `next` answers 500.
    ///
    /// It runs where the plan says: on the event loop, where it must not block, or on a worker thread, if a
    /// [`blocking`](crate::blocking) or [`streaming`](crate::streaming) stands inside or around. But where what stands inside
    /// refuses the request in its plan, it runs on the event loop, whatever stands around; see [`Self::plan`].
    fn handle(&self, request: &mut Request, next: &dyn Handler) -> Response;

    /// What `next` plans, unless this decorator knows better. It runs on the event loop and must not block. Where `next`
    /// refuses the request (as does a router that has no route for it, if it has a body; or the login of `BasicAuth`), or its plan panics,
    /// [`Self::handle`] is called at once, on the event loop, and its `next` answers with the refusal, the first time.
    ///
    /// A decorator that has to block in `handle` plans [`Plan::pool`] without asking `next`: then nothing is refused before, and
    /// `handle` always runs on a worker thread. That costs what `next` would have planned: limits of bodies, times, sinks.
    fn plan(&self, request: &mut Request, next: &dyn Handler) -> Plan {
        next.plan(request)
    }

    /// The server refuses a request by itself, with `answer`, and what stands inside has been told: its head is no HTTP, or
    /// its body is too long, or stops coming before [`Self::handle`] could be called, or no worker is free, or none was before
    /// its time was up or its client had gone. For decorators that watch, or that add something to every answer. It runs on
    /// the event loop and must not block.
    ///
    /// ```
    /// use qibu::{Handler, HandlerExt, Http, Middleware, Refusal, Request, Response, testing::TestConn};
    ///
    /// struct Marked;
    ///
    /// impl Middleware for Marked {
    ///     fn handle(&self, request: &mut Request, next: &dyn Handler) -> Response {
    ///         next.handle(request).map(|answer| answer.with_header("x-mark", "handled"))
    ///     }
    ///     fn refused(&self, refusal: &mut Refusal<'_>, answer: Response) -> Response {
    ///         eprintln!("{:?}: {}", refusal.request_line(), refusal.reason());
    ///         answer.with_header("x-mark", "refused")
    ///     }
    /// }
    /// let site = (|_: &mut Request| "hello").with(Marked);
    /// let answer = TestConn::open(Http::new(site)).unwrap().send(b"GET no-path HTTP/1.1\r\n\r\n").recv();
    /// assert!(String::from_utf8(answer).unwrap().contains("x-mark: refused"));
    /// ```
    fn refused(&self, refusal: &mut Refusal<'_>, answer: Response) -> Response {
        let _ = refusal;
        answer
    }
}

impl<F> Middleware for F
where
    F: Fn(&mut Request, &dyn Handler) -> Response + Send + Sync + 'static,
{
    fn handle(&self, request: &mut Request, next: &dyn Handler) -> Response {
        self(request, next)
    }
}

/// A handler with a decorator around it; made by [`HandlerExt::with`].
#[derive(Debug)]
pub struct With<M, H> {
    middleware: M,
    inner: Inner<H>,
}

impl<M: Middleware, H: Handler> Handler for With<M, H> {
    fn handle(&self, request: &mut Request) -> Response {
        self.middleware.handle(request, &self.inner)
    }

    fn plan(&self, request: &mut Request) -> Plan {
        let mut plan = self.middleware.plan(request, &self.inner);
        match (plan.origin, &plan.place) {
            (Origin::Inside, Place::Refused(_)) => self.pass_on(request, plan),
            _ => {
                plan.origin = Origin::Here;
                plan
            }
        }
    }

    fn refused(&self, refusal: &mut Refusal<'_>, answer: Response) -> Response {
        let answer = refused(&self.inner.0, refusal, answer);
        self.middleware.refused(refusal, answer)
    }
}

impl<M: Middleware, H: Handler> With<M, H> {
    /// What was refused inside is for the decorator to see. Most is not, so this is kept out of its way.
    #[inline(never)]
    fn pass_on(&self, request: &mut Request, plan: Plan) -> Plan {
        let Place::Refused(refusal) = plan.place else { return plan };
        Plan::refuse(self.middleware.handle(request, &Answered(Mutex::new(Some(*refusal)))))
    }
}

/// What a decorator stands around. A panic ends here, as the 500 that it is, so that the decorator adds to it what it adds to any
/// answer. What is refused is marked, to tell it from what the decorator refuses itself.
#[derive(Debug)]
struct Inner<H>(H);

impl<H: Handler> Handler for Inner<H> {
    fn handle(&self, request: &mut Request) -> Response {
        call(&self.0, request)
    }

    fn plan(&self, request: &mut Request) -> Plan {
        let mut plan = plan(&self.0, request);
        plan.origin = Origin::Inside;
        plan
    }
}

/// A handler whose answer is known already.
struct Answered(Mutex<Option<Response>>);

impl Handler for Answered {
    /// An answer cannot be given twice, and what was refused in its plan must not be handled.
    fn handle(&self, request: &mut Request) -> Response {
        let answer = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        answer.unwrap_or_else(|| asked_again(request))
    }
}

/// What every handler can do.
pub trait HandlerExt: Handler + Sized {
    /// Puts a decorator around this handler.
    fn with<M: Middleware>(self, middleware: M) -> With<M, Self> {
        With { middleware, inner: Inner(self) }
    }

    /// The handler as an object, to be kept beside others of other types.
    fn boxed(self) -> Box<dyn Handler> {
        Box::new(self)
    }
}

impl<H: Handler> HandlerExt for H {}
