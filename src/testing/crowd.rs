//! A loop with many clients, over memory. It does what an event loop does, with the same table of clients, the same agenda
//! and the same mailbox, but for the waiting: the test is the system below it and the threads beside it.
//!
//! ```text
//!   connect, send, finish, reset, open_window ──► wires ──► edges ─┐
//!   notes, replies, bodies (run_job, your own) ──► letters ────────┤  step: one batch,
//!   advance ─────────────────────────────────────► deadlines ──────┤  in the order you choose
//!   turns that were not over ─────────────────────► ready list ────┘
//! ```

mod beside;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use self::beside::{Bell, HeldJobs, TestMail};
use super::{Fault, Operation, WALL};
use crate::connection::transport::{End, Memory, Wire};
use crate::connection::{Clock, Context, Counters};
use crate::protocol::Protocol;
use crate::server::agenda::Again;
use crate::server::client::{Cause, Client};
use crate::server::clients::Clients;
use crate::server::letters::Letters;
use crate::server::pace::Pace;
use crate::server::readiness::Readiness;

/// A loop with many clients, on which nothing happens by itself.
///
/// ```
/// use qibu::{Http, Request, blocking, testing::TestLoop};
///
/// let mut server = TestLoop::new(Http::new(blocking(|_: &mut Request| "from a worker")));
/// let client = server.connect("192.0.2.1:5000".parse().unwrap()).unwrap();
/// server.send(client, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
/// server.step(); // the loop sees the request and hands it to the pool
/// assert_eq!(server.jobs_waiting(), 1);
/// server.run_job(0); // a worker answers, which puts a letter into the loop's mailbox
/// assert_eq!((server.letters_waiting(), server.recv(client).len()), (1, 0));
/// server.step(); // the loop reads its mail
/// assert!(server.recv(client).ends_with(b"\r\n\r\nfrom a worker"));
/// ```
pub struct TestLoop {
    clients: Clients,
    /// By number: the far ends of all connections that ever were.
    peers: Vec<Peer>,
    /// Who may still have news.
    open: Vec<PeerId>,
    /// By slot: who sat there last.
    seats: Vec<PeerId>,
    mail: Arc<TestMail>,
    jobs: Arc<HeldJobs>,
    started: Instant,
    /// See [`Self::longest_turn`].
    longest_turn: u64,
}

/// The far end of one connection to a [`TestLoop`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerId(usize);

/// Something that the system has to tell the loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TestEvent {
    /// The socket of this client has become readable or writable.
    Socket(PeerId),
    /// The loop was woken to read its mail.
    Mail,
}

struct Peer {
    wire: Arc<Mutex<Wire>>,
    slot: usize,
}

impl TestLoop {
    /// A loop that serves this protocol; 16 jobs may wait for a worker.
    pub fn new(protocol: impl Protocol) -> Self {
        Self::with_worker_queue(protocol, 16)
    }

    /// The same, where so many jobs may wait for a worker.
    pub fn with_worker_queue(protocol: impl Protocol, jobs: usize) -> Self {
        let (started, mail) = (Instant::now(), Arc::new(TestMail { letters: Letters::new(Bell::default()) }));
        let jobs = Arc::new(HeldJobs { jobs: Mutex::default(), most: jobs });
        let clock = Clock::new(started, SystemTime::UNIX_EPOCH + WALL);
        let context = Context::new(clock, mail.clone(), Arc::new(Counters::default()), jobs.clone());
        let clients = Clients::new(context, Arc::new(protocol), Pace::default());
        Self { clients, peers: Vec::new(), open: Vec::new(), seats: Vec::new(), mail, jobs, started, longest_turn: 0 }
    }

    // ---- what peers do ----

    /// A client comes; it has its first turn at once. Fails where the protocol does not open a session for it.
    pub fn connect(&mut self, from: SocketAddr) -> io::Result<PeerId> {
        let wire = Wire::new();
        let key = self.clients.join(Box::new(Memory::new(wire.clone())), from, |_, _| Ok(()))?;
        let (peer, slot) = (PeerId(self.peers.len()), key.slot as usize);
        self.peers.push(Peer { wire, slot });
        self.seats.resize(self.seats.len().max(slot + 1), peer);
        self.seats[slot] = peer;
        self.open.push(peer);
        Ok(peer)
    }

    /// The peer sends bytes; the loop sees them with its next steps.
    pub fn send(&mut self, peer: PeerId, bytes: &[u8]) {
        self.wire(peer).send(bytes);
    }

    /// Takes the bytes that have come to the peer. Those that a reset destroyed on their way are lost.
    pub fn recv(&mut self, peer: PeerId) -> Vec<u8> {
        self.recv_writes(peer).concat()
    }

    /// The same, one by one as the server wrote them.
    pub fn recv_writes(&mut self, peer: PeerId) -> Vec<Vec<u8>> {
        let mut wire = self.wire(peer);
        let (mut bytes, writes) = wire.recv();
        if wire.peer() == End::Gone {
            return Vec::new();
        }
        writes.into_iter().map(|length| bytes.drain(..length).collect()).collect()
    }

    /// The peer finishes sending (a half-close); it still receives.
    pub fn finish(&mut self, peer: PeerId) {
        self.wire(peer).finish();
    }

    /// The peer tears the connection down.
    pub fn reset(&mut self, peer: PeerId) {
        self.wire(peer).reset();
    }

    /// The peer takes `bytes` more, and nothing beyond; by default there is no limit.
    pub fn open_window(&mut self, peer: PeerId, bytes: usize) {
        self.wire(peer).open_window(bytes);
    }

    /// From now on `faults` decides what becomes of each read and write of the server on this connection.
    pub fn fail_with(&mut self, peer: PeerId, faults: impl FnMut(Operation) -> Fault + Send + 'static) {
        self.wire(peer).fail_with(Some(Box::new(faults)));
    }

    /// From now on reads and writes go as far as they can.
    pub fn heal(&mut self, peer: PeerId) {
        self.wire(peer).fail_with(None);
    }

    // ---- what the loop does ----

    /// One batch: all that is ready, in the order in which the clients came, then the mail.
    pub fn step(&mut self) {
        self.step_with(|_| {});
    }

    /// One batch: `arrange` gets what the system has to tell, and may put it in another order or take some of it out; that
    /// waits for a later step. As on a real loop, the ready list comes next, and what is due comes last.
    pub fn step_with(&mut self, arrange: impl FnOnce(&mut Vec<TestEvent>)) {
        let mut events = self.events();
        arrange(&mut events);
        let (again, due) = (self.take_again(), self.take_due());
        self.clients.context.arrivals.begin_batch();
        for event in events {
            match event {
                TestEvent::Socket(peer) => self.hear_socket(peer, &again),
                TestEvent::Mail => self.read_mail(),
            }
        }
        for slot in again {
            self.give_turn(slot, Cause::Again);
        }
        for slot in due {
            self.give_turn(slot, Cause::Deadline);
        }
        while self.clients.take_departed().is_some() {}
        self.open.retain(|peer| is_open(&self.peers[peer.0]));
    }

    /// Lets time pass. What is due then, happens with the next step.
    pub fn advance(&mut self, time: Duration) {
        let clock = &self.clients.context.clock;
        let now = clock.now() + time;
        clock.advance(now, || SystemTime::UNIX_EPOCH + WALL + (now - self.started));
    }

    /// Lets a worker do the job at this place in the queue; nothing happens if there is none.
    pub fn run_job(&mut self, place: usize) {
        let job = {
            let mut jobs = lock(&self.jobs.jobs);
            (place < jobs.len()).then(|| jobs.remove(place))
        };
        if let Some(job) = job {
            job();
        }
    }

    /// Tells all clients that the server shuts down.
    pub fn shut_down(&mut self) {
        self.clients.shut_down();
    }

    // ---- what can be seen ----

    /// The time since the loop was made.
    pub fn now(&self) -> Duration {
        self.clients.context.clock.now() - self.started
    }

    /// How many clients are connected.
    pub fn open_clients(&self) -> usize {
        self.clients.len()
    }

    /// Whether the server still holds its end of this connection.
    pub fn is_open(&self, peer: PeerId) -> bool {
        is_open(&self.peers[peer.0])
    }

    /// Whether the server will send nothing more.
    pub fn is_finished(&self, peer: PeerId) -> bool {
        self.wire(peer).server() != End::Open
    }

    /// Whether the connection was reset, by whomever: the peer, a fault, or the server that left bytes unread.
    pub fn is_reset(&self, peer: PeerId) -> bool {
        self.wire(peer).peer() == End::Gone
    }

    /// How long until the server does something for this client if nothing happens; `None` if it never will.
    pub fn deadline(&self, peer: PeerId) -> Option<Duration> {
        Some(self.client(peer)?.deadline()?.saturating_duration_since(self.clients.context.clock.now()))
    }

    /// How many bytes of memory the server holds for what this client sends and receives.
    pub fn memory(&self, peer: PeerId) -> usize {
        self.client(peer).map_or(0, Client::memory)
    }

    /// How long the loop would sleep if the system told it nothing; `None` for ever.
    pub fn sleep(&self) -> Option<Duration> {
        self.clients.agenda.patience(None, self.clients.context.clock.now())
    }

    /// Whether a step would change nothing.
    pub fn is_quiet(&self) -> bool {
        self.sleep() != Some(Duration::ZERO) && self.events().is_empty()
    }

    /// How many letters lie in the loop's mailbox.
    pub fn letters_waiting(&self) -> usize {
        self.mail.letters.count()
    }

    /// How many jobs wait for a worker.
    pub fn jobs_waiting(&self) -> usize {
        lock(&self.jobs.jobs).len()
    }

    /// The most reads that one client had in one turn.
    pub fn longest_turn(&self) -> u64 {
        self.longest_turn
    }

    // ---- within ----

    fn wire(&self, peer: PeerId) -> MutexGuard<'_, Wire> {
        lock(&self.peers[peer.0].wire)
    }

    fn client(&self, peer: PeerId) -> Option<&Client> {
        let peer = &self.peers[peer.0];
        is_open(peer).then(|| self.clients.get(peer.slot)).flatten()
    }

    fn events(&self) -> Vec<TestEvent> {
        let has_news = |peer: &&PeerId| self.is_open(**peer) && self.wire(**peer).has_news();
        let sockets = self.open.iter().filter(has_news).map(|peer| TestEvent::Socket(*peer));
        let mail = self.mail.letters.waker().rings().then_some(TestEvent::Mail);
        sockets.chain(mail).collect()
    }

    fn take_again(&mut self) -> Vec<usize> {
        let clients = |again| if let Again::Client(slot) = again { Some(slot) } else { None };
        self.clients.agenda.take_again().filter_map(clients).collect()
    }

    fn take_due(&mut self) -> Vec<usize> {
        let now = self.clients.context.clock.now();
        std::iter::from_fn(|| self.clients.agenda.expire(now)).collect()
    }

    /// Who is on the ready list has its turn later in the batch, and one is enough.
    fn hear_socket(&mut self, peer: PeerId, again: &[usize]) {
        if !self.is_open(peer) {
            return;
        }
        let (edges, end) = {
            let mut wire = self.wire(peer);
            (wire.take_edges(), wire.peer())
        };
        let (read_closed, failed) = (end != End::Open, end == End::Gone);
        let readable = edges.readable || read_closed;
        let readiness = Readiness { readable, writable: edges.writable, read_closed, failed };
        let slot = self.peers[peer.0].slot;
        if again.contains(&slot) {
            self.clients.note(slot, readiness);
        } else {
            self.give_turn(slot, Cause::Ready(readiness));
        }
    }

    fn read_mail(&mut self) {
        self.mail.letters.waker().stop();
        for (key, note) in self.mail.letters.take() {
            self.clients.deliver(key, note);
        }
    }

    fn give_turn(&mut self, slot: usize, cause: Cause) {
        let peer = self.seats[slot];
        let reads_before = self.wire(peer).reads();
        self.clients.give_turn(slot, cause);
        let reads = self.wire(peer).reads() - reads_before;
        self.longest_turn = self.longest_turn.max(reads);
    }
}

impl fmt::Debug for TestLoop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestLoop")
            .field("now", &self.now())
            .field("open_clients", &self.open_clients())
            .field("letters_waiting", &self.letters_waiting())
            .field("jobs_waiting", &self.jobs_waiting())
            .finish_non_exhaustive()
    }
}

/// The server's end of a wire is dropped with its client.
fn is_open(peer: &Peer) -> bool {
    lock(&peer.wire).server() != End::Gone
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
