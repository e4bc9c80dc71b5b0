//! A server from outside: stop it, wait for it, read its figures, from any thread.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::mailbox::{Letter, LoopMailbox};
use crate::connection::{Counters, Stats, due};
use crate::decorators::Metrics;

/// All loops of one server, as they and the outside know each other.
pub(crate) struct Team {
    members: Vec<Member>,
    has_begun: AtomicBool,
    /// Loops that have not ended.
    running: AtomicUsize,
}

/// One loop.
pub(crate) struct Member {
    pub(crate) mailbox: Arc<LoopMailbox>,
    pub(crate) counters: Arc<Counters>,
    /// How many clients it has, or will have once its letters are read.
    clients: AtomicUsize,
}

impl Member {
    pub(crate) fn new(mailbox: LoopMailbox) -> Self {
        Self { mailbox: Arc::new(mailbox), counters: Arc::default(), clients: AtomicUsize::new(0) }
    }

    pub(crate) fn add_client(&self) {
        self.clients.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn remove_client(&self) {
        self.clients.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Team {
    pub(crate) fn new(members: Vec<Member>) -> Self {
        let running = AtomicUsize::new(members.len());
        Self { members, has_begun: AtomicBool::new(false), running }
    }

    pub(crate) fn member(&self, index: usize) -> &Member {
        &self.members[index]
    }

    pub(crate) fn len(&self) -> usize {
        self.members.len()
    }

    /// The loop with the fewest clients; among equals `first`, since it need not be woken.
    pub(crate) fn least_loaded(&self, first: usize) -> usize {
        let clients = |index: &usize| (self.members[*index].clients.load(Ordering::Relaxed), *index != first);
        (0..self.members.len()).min_by_key(clients).unwrap_or(first)
    }

    pub(crate) fn begin(&self) {
        self.has_begun.store(true, Ordering::Release);
    }

    /// One loop has ended, with or without an error; the others cannot go on without it.
    pub(crate) fn end(&self, outcome: &io::Result<()>) {
        self.running.fetch_sub(1, Ordering::AcqRel);
        if outcome.is_err() {
            self.abort();
        }
    }

    fn is_running(&self) -> bool {
        self.has_begun.load(Ordering::Acquire) && self.running.load(Ordering::Acquire) > 0
    }

    pub(crate) fn abort(&self) {
        self.members.iter().for_each(|member| member.mailbox.put(Letter::Abort));
    }

    /// The first loop has accepted its last client: nobody will be handed to another any more.
    pub(crate) fn close_the_door(&self) {
        self.members.iter().for_each(|member| member.mailbox.put(Letter::DoorClosed));
    }

    fn shutdown(&self, until: Instant) {
        self.members.iter().for_each(|member| member.mailbox.put(Letter::Shutdown { until }));
    }

    fn stats(&self) -> Stats {
        let mut stats = Stats::default();
        for member in &self.members {
            member.counters.add_to(&mut stats);
            stats.connections += member.clients.load(Ordering::Relaxed) as u64;
        }
        stats
    }
}

type StatsFigure = fn(&Stats) -> u64;

/// How long running answers may take to finish after [`ServerHandle::shutdown`].
pub(crate) const DEFAULT_GRACE: Duration = Duration::from_secs(30);

/// Steers a server from any thread; clones steer the same one.
///
/// ```
/// use qibu::{Request, WebServer};
///
/// let server = WebServer::new("127.0.0.1:0", |_: &mut Request| "hello")?;
/// let handle = server.handle();
/// let thread = std::thread::spawn(move || server.start());
/// handle.shutdown();
/// thread.join().unwrap()?;
/// assert!(!handle.is_running());
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone)]
pub struct ServerHandle {
    pub(crate) team: Arc<Team>,
}

impl ServerHandle {
    /// Stops accepting, closes idle connections, and lets running answers finish for at most 30 seconds. Returns at once. A
    /// client that has yet to say its first word may still be the system's: see [`Protocol::client_begins`](crate::Protocol::client_begins).
    pub fn shutdown(&self) {
        self.shutdown_within(DEFAULT_GRACE);
    }

    /// The same with another limit. [`Duration::MAX`] waits for the last answer; zero waits for none.
    pub fn shutdown_within(&self, grace: Duration) {
        self.team.shutdown(due(Instant::now(), grace));
    }

    /// Closes all connections now.
    pub fn abort(&self) {
        self.team.abort();
    }

    /// Whether the server has been started and has not ended.
    pub fn is_running(&self) -> bool {
        self.team.is_running()
    }

    /// What the server has done so far.
    pub fn stats(&self) -> Stats {
        self.team.stats()
    }

    /// Shows the figures of [`Self::stats`] on a page of metrics. They count what no handler sees, too: bytes, and requests
    /// that were refused because they are malformed.
    ///
    /// ```
    /// use qibu::{HandlerExt, Metrics, Router, WebServer};
    ///
    /// let metrics = Metrics::new();
    /// let app = Router::new().route("GET /metrics", metrics.page()).with(metrics.clone());
    /// let server = WebServer::new("127.0.0.1:0", app)?;
    /// server.handle().report_to(&metrics);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn report_to(&self, metrics: &Metrics) {
        let figure = |read: StatsFigure| {
            let handle = self.clone();
            move || read(&handle.stats()) as f64
        };
        metrics.gauge("qibu_connections", "Clients that are connected now.", figure(|stats| stats.connections));
        let counters: [(_, _, _, StatsFigure); 7] = [
            ("qibu_accepted_total", "", "Clients that were ever accepted.", |stats| stats.accepted),
            ("qibu_received_bytes_total", "", "Bytes received from clients.", |stats| stats.received_bytes),
            ("qibu_sent_bytes_total", "", "Bytes sent to clients.", |stats| stats.sent_bytes),
            ("qibu_answers_total", "{class=\"2xx\"}", "Final answers.", |stats| stats.answers[2]),
            ("qibu_answers_total", "{class=\"3xx\"}", "", |stats| stats.answers[3]),
            ("qibu_answers_total", "{class=\"4xx\"}", "", |stats| stats.answers[4]),
            ("qibu_answers_total", "{class=\"5xx\"}", "", |stats| stats.answers[5]),
        ];
        for (name, labels, help, read) in counters {
            metrics.add("counter", name, labels, help, figure(read));
        }
    }
}

impl fmt::Debug for ServerHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerHandle").field("stats", &self.stats()).finish_non_exhaustive()
    }
}

/// A server that runs in the background; made by [`WebServer::spawn`](crate::WebServer::spawn). Dropping it shuts the
/// server down and waits for its end.
#[derive(Debug)]
#[must_use = "dropping it shuts the server down"]
pub struct Running {
    handle: ServerHandle,
    addresses: Vec<SocketAddr>,
    /// `None` once joined.
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl Running {
    pub(crate) fn new(handle: ServerHandle, addresses: Vec<SocketAddr>, thread: JoinHandle<io::Result<()>>) -> Self {
        Self { handle, addresses, thread: Some(thread) }
    }

    /// The first address it listens on, with the port that the system chose. A server that has only unix sockets has
    /// `0.0.0.0:0`.
    pub fn local_addr(&self) -> SocketAddr {
        super::first_address(&self.addresses)
    }

    /// All TCP addresses it listens on.
    pub fn local_addrs(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// A handle for other threads.
    pub fn handle(&self) -> ServerHandle {
        self.handle.clone()
    }

    /// Waits until the server has ended. Fails if an event loop did.
    pub fn join(mut self) -> io::Result<()> {
        self.wait()
    }

    fn wait(&mut self) -> io::Result<()> {
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(outcome)) => outcome,
            Some(Err(_)) => Err(io::Error::other("the server's thread panicked")),
            None => Ok(()),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.thread.is_some() {
            self.handle.shutdown();
            if let Err(error) = self.wait() {
                log::error!("the server ended with an error: {error}");
            }
        }
    }
}
