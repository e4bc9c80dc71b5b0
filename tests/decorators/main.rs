//! The decorators, a file each, over the public API. Those that need a feature are left out without it.

mod access_log;
mod allowed_hosts;
#[cfg(feature = "auth")]
mod basic_auth;
#[cfg(feature = "compress")]
mod compress;
mod cors;
mod health;
mod hostile;
mod metrics;
mod panics;
mod rate_limit;
mod refusals;
#[cfg(feature = "sessions")]
mod sessions;
mod small_ones;
mod timeout;
mod trusted_proxies;
mod what_became_of_it;

use std::sync::{Arc, Mutex};

use qibu::{Handler, Reply, Request, Response};

/// Puts answers off, and keeps the right to give them.
#[derive(Clone, Default)]
pub(crate) struct Later(pub(crate) Arc<Mutex<Vec<Reply>>>);

impl Handler for Later {
    fn handle(&self, request: &mut Request) -> Response {
        let (reply, pending) = request.later();
        self.0.lock().unwrap().push(reply);
        pending
    }
}
