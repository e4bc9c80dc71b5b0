//! Every setting of a server, with its unit and its default.
//!
//! Pattern: Builder.

use std::fmt;
use std::io;
use std::net::ToSocketAddrs;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::WebServer;
use super::listener::{Options, Place};
use super::pace::Pace;
use crate::handler::Handler;
use crate::protocol::{Http, HttpSettings, Protocol};

/// Settings that do not depend on the protocol.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) places: Vec<Place>,
    pub(crate) options: Options,
    pub(crate) loops: usize,
    pub(crate) workers: usize,
    pub(crate) worker_queue: usize,
    pub(crate) max_connections: usize,
    pub(crate) max_connections_per_address: usize,
    pub(crate) pace: Pace,
}

/// Builds a [`WebServer`]. Every setting has a default that is safe to expose. Where one is a time, [`Duration::MAX`] sets no
/// limit, and zero gives no time to anyone who has to be waited for.
///
/// ```
/// use std::time::Duration;
/// use qibu::{Request, WebServer};
///
/// let server = WebServer::builder()
///     .addr("127.0.0.1:0")
///     .addr("[::1]:0")
///     .body_limit(64 * 1024)
///     .idle_timeout(Duration::from_secs(15))
///     .build(|_: &mut Request| "hello")?;
/// assert_ne!(server.local_addr().port(), 0);
/// # Ok::<(), std::io::Error>(())
/// ```
#[must_use]
pub struct Builder {
    settings: Settings,
    http: HttpSettings,
    /// The first thing that was wrong; reported by `build`.
    fault: Option<io::Error>,
}

impl Default for Builder {
    fn default() -> Self {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        Self {
            settings: Settings {
                places: Vec::new(),
                options: Options { reuse_address: cfg!(unix), backlog: 4096, client_begins: false },
                loops: cores,
                workers: (4 * cores).max(16),
                worker_queue: 1024,
                max_connections: 16_384,
                max_connections_per_address: 1024,
                pace: Pace::default(),
            },
            http: HttpSettings::default(),
            fault: None,
        }
    }
}

impl Builder {
    /// Listens on an address as well; may be said several times. A name stands for all its addresses. Port 0 lets the
    /// system choose one port for all. `[::]` takes IPv4 clients too.
    pub fn addr(mut self, addr: impl ToSocketAddrs + fmt::Debug) -> Self {
        match addr.to_socket_addrs() {
            Ok(addresses) => self.settings.places.push(Place::Tcp(addresses.collect())),
            Err(error) => {
                let error = io::Error::new(error.kind(), format!("{addr:?} is no address to listen on: {error}"));
                self.fault.get_or_insert(error);
            }
        }
        self
    }

    /// Listens on a unix socket as well. Every user of this computer may connect, a proxy's too, as to a port of the loopback;
    /// a folder that only some may enter keeps others out. The path is removed when the server ends.
    pub fn unix(mut self, path: impl Into<PathBuf>) -> Self {
        self.settings.places.push(Place::Unix(path.into()));
        self
    }

    /// How many event loops run, each on a thread of its own. Default: one per core.
    pub fn loops(mut self, count: usize) -> Self {
        self.settings.loops = count.max(1);
        self
    }

    /// How many threads run handlers that block, at most; half of them may wait for bodies that still arrive. Default: 4 per
    /// core, at least 16.
    pub fn workers(mut self, count: usize) -> Self {
        self.settings.workers = count.max(1);
        self
    }

    /// How many requests may wait for a worker; more get 503. Default: 1024.
    pub fn worker_queue(mut self, count: usize) -> Self {
        self.settings.worker_queue = count;
        self
    }

    /// Longest request head, in bytes; longer ones get 431 (or 414, where the target is too long). Default: 32 KiB, and
    /// at most 64 KiB.
    pub fn head_limit(mut self, bytes: usize) -> Self {
        self.http.head_limit = bytes;
        self
    }

    /// Most field lines in a request head; more get 431. Default: 100, and at most 256.
    pub fn field_limit(mut self, count: usize) -> Self {
        self.http.field_limit = count;
        self
    }

    /// Longest request body, in bytes, where the handler's plan does not say otherwise; longer ones get 413. Default: 2 MiB.
    pub fn body_limit(mut self, bytes: u64) -> Self {
        self.http.body_limit = bytes;
        self
    }

    /// How long a request head may take to arrive; then 408. Default: 10 seconds.
    pub fn head_timeout(mut self, limit: Duration) -> Self {
        self.http.head_timeout = limit;
        self
    }

    /// How long a request body may pause; then 408. Default: 30 seconds.
    pub fn body_timeout(mut self, limit: Duration) -> Self {
        self.http.body_timeout = limit;
        self
    }

    /// How long a connection may be idle between requests; then it is closed. Zero closes it as soon as no request is there.
    /// Default: 60 seconds.
    pub fn idle_timeout(mut self, limit: Duration) -> Self {
        self.http.idle_timeout = limit;
        self
    }

    /// How long an answer may be put off, or take on the worker pool, with the wait for a worker (then 503; see
    /// [`Plan::timeout`](crate::Plan::timeout)), or a stream stand still (then it is broken off), unless it is
    /// [`endless`](crate::Body::endless). Default: 5 minutes.
    pub fn handler_timeout(mut self, limit: Duration) -> Self {
        self.http.handler_timeout = limit;
        self
    }

    /// How long a client may read nothing of its answer; then it is dropped. It is so, too, where it can read nothing because
    /// the disk does not give it. Default: 60 seconds.
    pub fn write_timeout(mut self, limit: Duration) -> Self {
        self.settings.pace.timeout = limit;
        self
    }

    /// How fast a client must read its answer, in bytes per second on average, after the first 5 seconds; a slower one is
    /// dropped. What the system's buffers hold counts as read, and the time in which there was nothing to read, because the
    /// disk or a producer took it, does not count. 0 lets it take its time. Default: 240.
    pub fn min_write_rate(mut self, bytes_per_second: u32) -> Self {
        self.settings.pace.rate = bytes_per_second;
        self
    }

    /// How fast a request body must come, in bytes per second on average, after the first 5 seconds; a slower one gets 408.
    /// What came faster before counts, but for no more than `body_timeout`. 0 lets it take its time. Default: 240.
    pub fn min_body_rate(mut self, bytes_per_second: u32) -> Self {
        self.http.min_body_rate = bytes_per_second;
        self
    }

    /// How many clients may be connected at once; more are told 503 and closed. Default: 16,384.
    pub fn max_connections(mut self, count: usize) -> Self {
        self.settings.max_connections = count;
        self
    }

    /// How many clients of one address may be connected at once (of one /64, for IPv6); more are told 503 and closed. This
    /// computer's own addresses have no such limit, since a proxy may stand there. Default: 1024.
    pub fn max_connections_per_address(mut self, count: usize) -> Self {
        self.settings.max_connections_per_address = count;
        self
    }

    /// How many requests a connection may bring; the answer to the last one closes it. Default: 100,000.
    pub fn requests_per_connection(mut self, count: u64) -> Self {
        self.http.requests_per_connection = count.max(1);
        self
    }

    /// How many answers may wait to be sent before the next pipelined request is looked at. Default: 64.
    pub fn pipeline_depth(mut self, count: u32) -> Self {
        self.http.pipeline_depth = count.max(1);
        self
    }

    /// From when on a handler or its plan that holds its event loop is named in the log, to a tick of the system's clock (1 to
    /// 16 ms). [`Duration::MAX`] names none. Default: 100 ms.
    pub fn slow_handler_warning(mut self, limit: Duration) -> Self {
        self.http.slow_handler_warning = limit;
        self
    }

    /// Whether a port can be bound while connections of an earlier run linger on it (SO_REUSEADDR). Default: yes, but
    /// not on Windows, where it means something else.
    pub fn reuse_address(mut self, reuse: bool) -> Self {
        self.settings.options.reuse_address = reuse;
        self
    }

    /// How many clients may wait to be accepted. Default: 4096; the system may allow fewer.
    pub fn backlog(mut self, clients: u32) -> Self {
        self.settings.options.backlog = i32::try_from(clients).unwrap_or(i32::MAX);
        self
    }

    /// Steps 1 to 3 for every address, with HTTP. Fails where an address is wrong, taken or forbidden.
    pub fn build(self, handler: impl Handler) -> io::Result<WebServer> {
        let http = Http::with_settings(handler, self.http.clone());
        self.build_protocol(http)
    }

    /// The same with a protocol of your own.
    pub fn build_protocol(mut self, protocol: impl Protocol) -> io::Result<WebServer> {
        self.settings.options.client_begins = protocol.client_begins();
        match self.fault {
            Some(fault) => Err(fault),
            None => WebServer::listen(self.settings, Arc::new(protocol)),
        }
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").field("settings", &self.settings).field("http", &self.http).finish_non_exhaustive()
    }
}
