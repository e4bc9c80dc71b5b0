//! Why a route cannot be added.

use std::fmt;

/// What is wrong with a route; [`Router::try_route`](crate::Router::try_route) gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum RouteError {
    /// Some path would belong to both routes, and neither is the more special one.
    Conflict {
        /// The new route.
        pattern: String,
        /// The one that was there.
        with: String,
    },
    /// That path has a handler for that method already.
    Taken {
        /// The route as it was given.
        pattern: String,
    },
    /// It is no pattern.
    Malformed {
        /// The route as it was given.
        pattern: String,
        /// What a pattern must be.
        reason: &'static str,
    },
}

impl fmt::Display for RouteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Conflict { pattern, with } => write!(f, "the route `{pattern}` cannot be told from `{with}`"),
            Self::Taken { pattern } => write!(f, "the route `{pattern}` has a handler already"),
            Self::Malformed { pattern, reason } => write!(f, "`{pattern}` is no route: {reason}"),
        }
    }
}

impl std::error::Error for RouteError {}
