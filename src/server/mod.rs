//! The server: the tutorial's class, on an event loop.
//!
//! ```python
//! class WebServer(object):
//!     def __init__(self):                                   # 1 socket, 2 bind, 3 listen
//!     def start(self):                                      # 4 accept, for ever
//!     def handle_client_request(self, new_socket, ip_port): # 5 recv, 6 send, 7 close
//! ```
//!
//! [`WebServer::new`], [`WebServer::start`] and `WebServer::handle_client_request` are the same three. What differs:
//! nothing here waits for one client. `start` waits until any of thousands is ready and gives that one its turn.
//!
//! The loop keeps ten contracts:
//!
//! 1. One thread is one loop. The first loop has the listeners and hands each client to the loop with the fewest; a
//!    client never changes its loop. Loops share the handler, the workers, and who is let in; no client waits for another loop.
//! 2. A socket is registered once, after its first turn. Its readiness is remembered until the socket itself says that nothing is
//!    left: by `WouldBlock`, a read that came short, or its end.
//!    Back-pressure is not reading, which costs no system call.
//! 3. Drained is not done: when all output is out, the session is asked for more before the loop waits again.
//! 4. A turn is bounded, and so is accepting; who is not done goes on the ready list. Out of descriptors: stop accepting
//!    for a moment, say so once, never spin.
//! 5. There is one read buffer per loop; an idle client owns none.
//! 6. Every wait has a deadline; moving one later costs nothing. The clock is read once per batch of events.
//! 7. Slots carry a generation: what comes for a client that has gone is dropped. Accepted clients join after the batch.
//! 8. Closing still sends: then half-close, wait a moment for the peer's end, and drop (RFC 9112 section 9.6). Who has said
//!    that it sends no more is not waited for.
//! 9. Nothing a peer sends can panic; a handler's panic is a 500 for that request alone, a session's the end of its
//!    connection alone. A panic of the loop itself is the end of the server, which would else serve half of its clients.
//! 10. A head and its small body leave in one write, pipelined answers too; large files go by `sendfile`, as far as they are in
//!     the system's memory: what is not there, a worker reads.
//!
//! Pattern: Reactor (the loop), Facade (over listeners, loops and workers).

mod admission;
pub(crate) mod agenda;
mod builder;
pub(crate) mod client;
pub(crate) mod clients;
mod control;
mod delivery;
mod event_loop;
pub(crate) mod letters;
mod life;
mod listener;
mod mailbox;
pub(crate) mod pace;
pub(crate) mod readiness;
mod supply;
mod sync;
mod timers;
mod turn;
mod workers;

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, ToSocketAddrs};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;
use std::time::{Instant, SystemTime};

pub use builder::Builder;
pub use control::{Running, ServerHandle};

use self::admission::{Admission, Overload};
use self::agenda::Again;
use self::builder::Settings;
use self::client::{Buffers, Cause, Client, Turn};
use self::clients::{Clients, contain};
use self::control::{Member, Team};
use self::event_loop::{EventLoop, Ready};
use self::life::{Accepting, Door, Life, Stage};
use self::listener::{Accepted, Listener, is_of_the_client};
use self::mailbox::{Letter, LoopMailbox};
use self::workers::WorkerPool;
use crate::connection::transport::Transport;
use crate::connection::{Clock, Context, Output};
use crate::handler::Handler;
use crate::protocol::Protocol;

/// A server: it listens, accepts, and gives every client its turns.
///
/// ```no_run
/// use qibu::{Request, WebServer};
///
/// fn main() -> std::io::Result<()> {
///     WebServer::new("127.0.0.1:8090", |_: &mut Request| "Hello, world!")?.start()
/// }
/// ```
pub struct WebServer {
    listeners: Vec<Box<dyn Listener>>,
    protocol: Arc<dyn Protocol>,
    settings: Settings,
    /// The first is this object's own; `start` makes a sibling for each of the others.
    event_loops: Vec<EventLoop>,
    /// Which member of the team this object is.
    index: usize,
    team: Arc<Team>,
    admission: Arc<Admission>,
    workers: Arc<WorkerPool>,
}

/// How many rounds of receiving and sending one client has before the others go first.
const ROUNDS_PER_TURN: usize = 16;

/// How many clients are accepted before those who are in go first.
const ACCEPTS_PER_TURN: usize = 64;

impl WebServer {
    /// Steps 1 to 3: socket, bind, listen, for an address such as `"127.0.0.1:8090"`, with a handler for HTTP requests.
    /// Fails if the address is wrong, taken or forbidden. More addresses and settings: [`Self::builder`].
    pub fn new(addr: impl ToSocketAddrs + fmt::Debug, handler: impl Handler) -> io::Result<Self> {
        Self::builder().addr(addr).build(handler)
    }

    /// The same with a protocol of your own in place of HTTP.
    pub fn with_protocol(addr: impl ToSocketAddrs + fmt::Debug, protocol: impl Protocol) -> io::Result<Self> {
        Self::builder().addr(addr).build_protocol(protocol)
    }

    /// All settings.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// What `new` comes down to.
    fn listen(settings: Settings, protocol: Arc<dyn Protocol>) -> io::Result<Self> {
        let listeners = listener::listen(&settings.places, settings.options)?; // 1 socket, 2 bind, 3 listen
        let (mut event_loops, mut members) = (Vec::new(), Vec::new());
        for _ in 0..settings.loops {
            let (event_loop, waker) = EventLoop::new()?;
            event_loops.push(event_loop);
            members.push(Member::new(LoopMailbox::new(waker)));
        }
        let workers = Arc::new(WorkerPool::new(settings.workers, settings.worker_queue));
        let admission = Arc::new(Admission::new(settings.max_connections, settings.max_connections_per_address));
        Ok(Self {
            listeners,
            protocol,
            settings,
            event_loops,
            index: 0,
            team: Arc::new(Team::new(members)),
            admission,
            workers,
        })
    }

    /// Step 4: accepts clients and serves them, until the server is shut down. Runs one loop per core; the first one on
    /// the calling thread. Fails if the system refuses to let a loop wait.
    pub fn start(mut self) -> io::Result<()> {
        self.team.begin();
        let siblings: Vec<_> = self.siblings().into_iter().map(Self::run_in_thread).collect();
        let outcome = self.run();
        siblings.into_iter().fold(outcome, |outcome, sibling| {
            let ended =
                sibling.and_then(|thread| thread.join().map_err(|_| io::Error::other("an event loop panicked"))?);
            outcome.and(ended)
        })
    }

    /// The same in the background. Dropping the result shuts the server down.
    pub fn spawn(self) -> io::Result<Running> {
        let (handle, addresses) = (self.handle(), self.local_addrs());
        let thread = thread::Builder::new().name("qibu loop 0".into()).spawn(move || self.start())?;
        handle.team.begin(); // as `start` does, but that may be a moment later
        Ok(Running::new(handle, addresses, thread))
    }

    /// The first address it listens on, with the port that the system chose. A server that has only unix sockets has
    /// `0.0.0.0:0`.
    pub fn local_addr(&self) -> SocketAddr {
        first_address(&self.local_addrs())
    }

    /// All TCP addresses it listens on.
    pub fn local_addrs(&self) -> Vec<SocketAddr> {
        self.listeners.iter().filter_map(|listener| listener.local_addr()).collect()
    }

    /// A handle to stop it and to read its figures from elsewhere.
    pub fn handle(&self) -> ServerHandle {
        ServerHandle { team: self.team.clone() }
    }

    /// One more of us per loop that is left: without listeners, but else the same.
    fn siblings(&mut self) -> Vec<Self> {
        let others = self.event_loops.split_off(1);
        let make = |(index, event_loop)| Self {
            listeners: Vec::new(),
            protocol: self.protocol.clone(),
            settings: self.settings.clone(),
            event_loops: vec![event_loop],
            index: index + 1,
            team: self.team.clone(),
            admission: self.admission.clone(),
            workers: self.workers.clone(),
        };
        others.into_iter().enumerate().map(make).collect()
    }

    fn run_in_thread(self) -> io::Result<thread::JoinHandle<io::Result<()>>> {
        let team = self.team.clone();
        let spawned = thread::Builder::new().name(format!("qibu loop {}", self.index)).spawn(move || self.run());
        spawned.inspect_err(|error| team.end(&Err(io::Error::from(error.kind()))))
    }

    /// The loop: wait until something is ready, give it its turn, for ever. Where it panics, the fault is ours, and the others
    /// must hear of it as of any other error: they would go on to hand clients to a loop that is not there.
    fn run(mut self) -> io::Result<()> {
        let ended = catch_unwind(AssertUnwindSafe(|| self.run_until_stopped()));
        let ended = ended.unwrap_or_else(|_| Err(io::Error::other("an event loop panicked")));
        self.team.end(&ended);
        ended
    }

    fn run_until_stopped(&mut self) -> io::Result<()> {
        let mut life = self.begin_life()?;
        let mut ready = Vec::new();
        while !life.is_over() {
            let until = life.next_wake();
            let now = life.event_loop.wait(&mut life.clients.agenda, until, &mut ready)?;
            life.clients.context.begin_batch(now, SystemTime::now);
            for &what in &ready {
                let clients = &mut life.clients;
                match what {
                    Ready::Listener(index) => self.accept(index, &mut life), // 4
                    Ready::Client(slot, readiness) => clients.give_turn(slot, Cause::Ready(readiness)), // 5, 6, 7
                    Ready::News(slot, readiness) => clients.note(slot, readiness),
                    Ready::Again(Again::Listener(index)) => self.accept(index, &mut life),
                    Ready::Again(Again::Client(slot)) => clients.give_turn(slot, Cause::Again),
                    Ready::Deadline(slot) => clients.give_turn(slot, Cause::Deadline),
                    Ready::Mail => self.read_letters(&mut life),
                }
            }
            self.end_pause(&mut life);
            if !life.newcomers.is_empty() {
                Self::welcome_newcomers(&mut life);
            }
            while let Some(peer) = life.clients.take_departed() {
                self.admission.leave(peer);
                self.team.member(self.index).remove_client();
            }
        }
        Ok(())
    }

    fn begin_life(&mut self) -> io::Result<Life> {
        let member = self.team.member(self.index);
        let clock = Clock::new(Instant::now(), SystemTime::now());
        let (mailbox, counters) = (member.mailbox.clone(), member.counters.clone());
        let context = Context::new(clock, mailbox, counters, self.workers.clone());
        let event_loop = self.event_loops.pop().ok_or_else(|| io::Error::other("a server starts once"))?;
        for (index, listener) in self.listeners.iter_mut().enumerate() {
            event_loop.add_listener(index, listener.source())?;
        }
        Ok(Life::new(event_loop, Clients::new(context, self.protocol.clone(), self.settings.pace)))
    }

    /// Step 4: accept. Each new client goes to the loop that has the fewest.
    fn accept(&mut self, index: usize, life: &mut Life) {
        for _ in 0..ACCEPTS_PER_TURN {
            if let Accepting::Paused { .. } = life.accepting {
                return;
            }
            let Some(listener) = self.listeners.get_mut(index) else { return };
            match listener.accept() {
                Ok(new_client) => match self.admission.admit(new_client.peer) {
                    Ok(()) => self.place(new_client, life),
                    Err(overload) => self.turn_away(new_client, overload, life),
                },
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) if is_of_the_client(&error) => log::debug!("a client was not accepted: {error}"),
                Err(error) => life.pause_accepting(&error),
            }
        }
        life.clients.agenda.again(Again::Listener(index));
    }

    /// Decides on which loop a new client shall live: the one that has the fewest. When the others may have ended, it
    /// stays here.
    fn place(&self, new_client: Accepted, life: &mut Life) {
        let index = match life.stage {
            Stage::Serving => self.team.least_loaded(self.index),
            Stage::Draining { .. } | Stage::Ended => self.index,
        };
        self.team.member(index).add_client();
        if index == self.index {
            life.newcomers.push(new_client);
        } else {
            self.team.member(index).mailbox.put(Letter::Client(new_client));
        }
    }

    /// Says so in one write, and goes on: whoever is one too many gets no slot, no session and no second of our time.
    fn turn_away(&self, mut client: Accepted, overload: Overload, life: &mut Life) {
        life.complain_of_overload(client.peer, overload);
        let mut words = Output::default();
        words.put(contain("a protocol", || self.protocol.overloaded()).unwrap_or_default());
        let _ = client.transport.push(&mut words).and_then(|_| client.transport.finish());
    }

    /// Steps 5 to 7: recv, send, close, as far as they go without waiting.
    ///
    /// It needs no socket: tests and simulations call it with clients over memory.
    pub(crate) fn handle_client_request(new_socket: &mut Client, cause: Cause, buffers: &mut Buffers) -> Turn {
        new_socket.hear(cause, buffers);
        for _ in 0..ROUNDS_PER_TURN {
            new_socket.recv(buffers); // 5
            new_socket.send(); // 6
            match new_socket.close(buffers) {
                Turn::Unfinished => {}
                turn => return turn, // 7, where it is `Finished`
            }
        }
        Turn::OthersFirst
    }

    fn read_letters(&mut self, life: &mut Life) {
        for letter in self.team.member(self.index).mailbox.take() {
            match letter {
                Letter::Note(key, note) => life.clients.deliver(key, note),
                Letter::Client(new_client) => life.newcomers.push(new_client),
                Letter::Shutdown { .. } if life.stage == Stage::Ended => {} // an abort is not taken back
                Letter::Shutdown { until } => self.drain(until, life),
                Letter::DoorClosed => life.door = Door::Closed,
                Letter::Abort => life.stage = Stage::Ended,
            }
        }
    }

    /// Takes no more clients, but for those who are at the door; tells all others.
    fn drain(&mut self, until: Instant, life: &mut Life) {
        life.stage = Stage::Draining { until };
        if !self.listeners.is_empty() {
            self.accept_all(life);
            self.listeners.clear();
            self.team.close_the_door();
        }
        life.clients.shut_down();
    }

    /// When a pause is over, nobody says so but the clock.
    fn end_pause(&mut self, life: &mut Life) {
        if let Accepting::Paused { until } = life.accepting
            && life.now() >= until
        {
            life.accepting = Accepting::Yes;
            for index in 0..self.listeners.len() {
                self.accept(index, life);
            }
        }
    }

    /// All who are at the door, for the last time.
    fn accept_all(&mut self, life: &mut Life) {
        for index in 0..self.listeners.len() {
            let mut before = usize::MAX;
            while before != life.newcomers.len() {
                before = life.newcomers.len();
                self.accept(index, life);
            }
        }
    }

    /// Clients that were accepted in this batch get their slots, now that no event of the batch can mean an earlier one.
    fn welcome_newcomers(life: &mut Life) {
        for Accepted { transport, peer } in life.newcomers.drain(..) {
            let event_loop = &life.event_loop;
            let register = |transport: &mut dyn Transport, slot| {
                transport.source().map_or(Ok(()), |source| event_loop.add_client(slot, source))
            };
            match life.clients.join(transport, peer, register) {
                Ok(key) if life.stage != Stage::Serving => life.clients.give_turn(key.slot as usize, Cause::Shutdown),
                Ok(_) => {}
                Err(error) => log::warn!("{peer}: the connection could not be opened: {error}"),
            }
        }
    }
}

fn first_address(addresses: &[SocketAddr]) -> SocketAddr {
    addresses.first().copied().unwrap_or(SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0))
}

impl fmt::Debug for WebServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebServer")
            .field("addresses", &self.local_addrs())
            .field("loops", &self.team.len())
            .finish_non_exhaustive()
    }
}
