//! Decorators: what stands around a handler.
//!
//! `handler.with(AccessLog::new())` is again a handler. The last `with` is the outermost.
//!
//! Pattern: Decorator.

use super::{Handler, Plan};
use crate::message::{Request, Response};

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
pub trait Middleware: Send + Sync + 'static {
    /// Handles the request, as a rule by calling `next`. Change its answer through [`Response::map`]: it may come later.
    fn handle(&self, request: &mut Request, next: &dyn Handler) -> Response;

    /// What `next` plans, unless this decorator knows better.
    fn plan(&self, request: &mut Request, next: &dyn Handler) -> Plan {
        next.plan(request)
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
    inner: H,
}

impl<M: Middleware, H: Handler> Handler for With<M, H> {
    fn handle(&self, request: &mut Request) -> Response {
        self.middleware.handle(request, &self.inner)
    }

    fn plan(&self, request: &mut Request) -> Plan {
        self.middleware.plan(request, &self.inner)
    }
}

/// What every handler can do.
pub trait HandlerExt: Handler + Sized {
    /// Puts a decorator around this handler.
    fn with<M: Middleware>(self, middleware: M) -> With<M, Self> {
        With { middleware, inner: self }
    }

    /// The handler as an object, to be kept beside others of other types.
    fn boxed(self) -> Box<dyn Handler> {
        Box::new(self)
    }
}

impl<H: Handler> HandlerExt for H {}
