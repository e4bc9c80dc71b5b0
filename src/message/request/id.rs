//! The name of a request, by which its traces in several logs can be found.

use std::sync::Arc;

use super::Request;

/// Lies in a request that has one, where the decorator `RequestId` has put it.
#[derive(Debug, Clone)]
pub(crate) struct Id(pub(crate) Arc<str>);

impl Request {
    /// Its name, if it has one.
    pub(crate) fn id(&self) -> Option<&str> {
        self.extensions.get::<Id>().map(|id| &*id.0)
    }
}
