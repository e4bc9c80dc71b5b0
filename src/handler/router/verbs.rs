//! `get`, `post` and their kin: a closure for one method.
//!
//! They ask for a closure and not for any [`Handler`](crate::Handler), since only then does Rust know what the closure's
//! argument is: `|request| …` needs no type. Other handlers go through [`Router::route`].

use super::Router;
use crate::message::{IntoResponse, Request};

impl Router {
    /// Adds a closure or function that answers GET. Also answers HEAD, unless there is a route for that.
    /// A handler that is neither goes in with `.route("GET /path", handler)`: see [`Self::route`].
    #[must_use]
    #[track_caller]
    pub fn get<F, R>(self, path: &str, handler: F) -> Self
    where
        F: Fn(&mut Request) -> R + Send + Sync + 'static,
        R: IntoResponse,
    {
        self.route(&format!("GET {path}"), handler)
    }

    /// Adds a closure or function that answers POST.
    /// A handler that is neither goes in with `.route("POST /path", handler)`: see [`Self::route`].
    #[must_use]
    #[track_caller]
    pub fn post<F, R>(self, path: &str, handler: F) -> Self
    where
        F: Fn(&mut Request) -> R + Send + Sync + 'static,
        R: IntoResponse,
    {
        self.route(&format!("POST {path}"), handler)
    }

    /// Adds a closure or function that answers PUT.
    /// A handler that is neither goes in with `.route("PUT /path", handler)`: see [`Self::route`].
    #[must_use]
    #[track_caller]
    pub fn put<F, R>(self, path: &str, handler: F) -> Self
    where
        F: Fn(&mut Request) -> R + Send + Sync + 'static,
        R: IntoResponse,
    {
        self.route(&format!("PUT {path}"), handler)
    }

    /// Adds a closure or function that answers PATCH.
    /// A handler that is neither goes in with `.route("PATCH /path", handler)`: see [`Self::route`].
    #[must_use]
    #[track_caller]
    pub fn patch<F, R>(self, path: &str, handler: F) -> Self
    where
        F: Fn(&mut Request) -> R + Send + Sync + 'static,
        R: IntoResponse,
    {
        self.route(&format!("PATCH {path}"), handler)
    }

    /// Adds a closure or function that answers DELETE.
    /// A handler that is neither goes in with `.route("DELETE /path", handler)`: see [`Self::route`].
    #[must_use]
    #[track_caller]
    pub fn delete<F, R>(self, path: &str, handler: F) -> Self
    where
        F: Fn(&mut Request) -> R + Send + Sync + 'static,
        R: IntoResponse,
    {
        self.route(&format!("DELETE {path}"), handler)
    }

    /// Adds a closure or function that answers HEAD. Seldom needed: GET's handler answers HEAD, and its body is left out.
    /// A handler that is neither goes in with `.route("HEAD /path", handler)`: see [`Self::route`].
    #[must_use]
    #[track_caller]
    pub fn head<F, R>(self, path: &str, handler: F) -> Self
    where
        F: Fn(&mut Request) -> R + Send + Sync + 'static,
        R: IntoResponse,
    {
        self.route(&format!("HEAD {path}"), handler)
    }

    /// Adds a closure or function that answers OPTIONS. Seldom needed: without it, the answer is the list of methods that there are.
    /// A handler that is neither goes in with `.route("OPTIONS /path", handler)`: see [`Self::route`].
    #[must_use]
    #[track_caller]
    pub fn options<F, R>(self, path: &str, handler: F) -> Self
    where
        F: Fn(&mut Request) -> R + Send + Sync + 'static,
        R: IntoResponse,
    {
        self.route(&format!("OPTIONS {path}"), handler)
    }
}
