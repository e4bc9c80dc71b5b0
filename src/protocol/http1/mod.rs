//! HTTP/1.0 and HTTP/1.1 (RFC 9112) as a session: no socket, no clock, one enum of states.
//!
//! ```text
//!          first byte             empty line             256 KiB, and its handler reads on
//!   Idle ────────────► ReadingHead ────────► ReadingBody ─────────────────────────► Uploading
//!    ▲ ▲                    │ no body             │ last byte                           │
//!    │ │                    └──► Handler::handle ◄┘                                     │
//!    │ │   whole answer queued    │    │    │ later, or on the pool                     │ last byte
//!    │ └──────────────────────────┘    │    └─────────────────────────────► Waiting ◄───┘
//!    │                        a stream │                                       │ the answer, as the handler's
//!    │   end of the stream ┌─────── Streaming ◄────────────────────────────────┤ a stream
//!    └─────────────────────┘                                                   └► whole: to Idle
//! ```
//!
//! Every arrow to `Idle` leads to `Finished` instead when the connection shall not be used again: the client said
//! `close`, the server is shutting down, or the request was refused and what follows it cannot be trusted. `Leaving` is
//! the answer 101: the connection goes on with another session.
//! [`HttpSession::run`] is the one function that moves between states.
//!
//! Pattern: State.

mod answering;
mod body;
mod encode;
mod exchange;
mod extension;
mod handed;
mod handling;
mod head;
mod incoming;
mod settings;
mod streaming;
mod target;
mod uploading;
mod waits;

use std::io;
use std::mem;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use http::{HeaderMap, Method};

use self::answering::explain;
use self::body::Framing;
use self::exchange::{Exchange, Wants};
use self::head::{Expectation, Head, MAX_FIELDS};
use self::incoming::Incoming;
pub use self::settings::HttpSettings;
use self::streaming::Streaming;
use self::uploading::{Lateness, Uploading};
use self::waits::{Destination, ReadingBody, Waiting};
use super::{Next, Protocol, Session, upgrade};
use crate::connection::{Connection, MOST_UNREAD_BYTES, due};
use crate::handler::{Handler, Place, Stopwatch, plan_timed};
use crate::message::{Arrival, ExchangeId, Known, Note, Origin, ProtocolError, Request, RequestBody, Upgrade};

/// HTTP/1.0 and HTTP/1.1, answered by one handler.
pub struct Http {
    shared: Arc<Shared>,
}

/// What all sessions of a server have in common.
struct Shared {
    handler: Box<dyn Handler>,
    settings: HttpSettings,
}

impl Http {
    /// HTTP with the default settings.
    pub fn new(handler: impl Handler) -> Self {
        Self::with_settings(handler, HttpSettings::default())
    }

    /// HTTP with settings of your own.
    pub fn with_settings(handler: impl Handler, settings: HttpSettings) -> Self {
        // What may not wait for its rest can never be complete.
        let head_limit = settings.head_limit.clamp(1, MOST_UNREAD_BYTES);
        let settings = HttpSettings { head_limit, field_limit: settings.field_limit.min(MAX_FIELDS), ..settings };
        Self { shared: Arc::new(Shared { handler: Box::new(handler), settings }) }
    }
}

impl Protocol for Http {
    fn open(&self, new_socket: &mut Connection) -> io::Result<Box<dyn Session>> {
        Ok(Box::new(HttpSession {
            shared: self.shared.clone(),
            state: State::Idle { since: new_socket.now() },
            exchange: 0,
            unsent_answers: 0,
            life: Life::Serving,
        }))
    }

    fn client_begins(&self) -> bool {
        true
    }

    fn overloaded(&self) -> &[u8] {
        b"HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\nretry-after: 1\r\ncontent-length: 0\r\n\r\n"
    }
}

/// One client's HTTP conversation.
struct HttpSession {
    shared: Arc<Shared>,
    state: State,
    /// The number of the latest request.
    exchange: ExchangeId,
    /// Answers since the output was last empty.
    unsent_answers: u32,
    life: Life,
}

/// Where we are in the life of one connection (RFC 9112 section 9).
enum State {
    /// Between two requests, or before the first.
    Idle {
        since: Instant,
    },
    /// Some of a head is there; its first `seen` bytes were not enough.
    ReadingHead {
        since: Instant,
        seen: usize,
    },
    ReadingBody(Box<ReadingBody>),
    /// The handler reads the body while it arrives.
    Uploading(Box<Uploading>),
    /// The answer comes from another thread.
    Waiting(Box<Waiting>),
    Streaming(Box<Streaming>),
    /// HTTP is over here, the connection is not.
    Leaving(Box<Upgrade>),
    Finished,
}

/// Whether the server is shutting down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Life {
    Serving,
    Draining,
}

/// What a step of [`HttpSession::run`] leads to.
enum Step {
    /// Go on from this state at once.
    Go(State),
    /// Nothing more can be done before something happens.
    Stay(State),
    /// This conversation is over.
    End(Next),
}

impl Session for HttpSession {
    fn handle_client_request(&mut self, new_socket: &mut Connection, _: SocketAddr) -> io::Result<Next> {
        self.run(new_socket)
    }

    /// What was sent has arrived in the system's buffers: from now on we are idle, or there is room for more.
    fn on_drained(&mut self, new_socket: &mut Connection) -> io::Result<Next> {
        self.unsent_answers = 0;
        match &mut self.state {
            State::Idle { since } => *since = new_socket.now(),
            State::Streaming(streaming) => streaming.has_moved(new_socket.now()),
            _ => {}
        }
        self.run(new_socket)
    }

    fn on_note(&mut self, new_socket: &mut Connection, note: Note) -> io::Result<Next> {
        match &mut self.state {
            State::Waiting(waiting) => {
                let exchange = waiting.exchange;
                if let Some(answer) = waiting.missing.take(exchange.id, note, new_socket.peer_addr()) {
                    self.state = self.answer(new_socket, exchange, answer);
                }
            }
            State::Uploading(uploading) => {
                if let Some(answer) = uploading.hear(new_socket, note) {
                    let exchange = uploading.leave(new_socket, &self.shared.settings);
                    self.state = self.answer(new_socket, exchange, answer);
                }
            }
            State::Streaming(streaming) => streaming.hear(note),
            _ => {} // of an earlier request
        }
        self.run(new_socket)
    }

    fn on_deadline(&mut self, new_socket: &mut Connection) -> io::Result<Next> {
        let (now, settings) = (new_socket.now(), &self.shared.settings);
        match &mut self.state {
            State::Idle { .. } => {
                log::debug!("{} was idle for too long (idle_timeout)", new_socket.peer_addr());
                self.state = State::Finished;
            }
            State::ReadingHead { .. } => self.state = self.refuse_head(new_socket, ProtocolError::HeadTimeout),
            State::ReadingBody(reading) => {
                let (wants, error) = (reading.exchange.wants, reading.incoming.lateness(now, settings));
                let answer = self.shared.refusal(new_socket, Known::Request(&mut reading.request), error);
                self.state = self.refuse(new_socket, wants, answer);
            }
            State::Uploading(uploading) => {
                let exchange = uploading.exchange;
                self.state = match uploading.on_deadline(now, settings) {
                    Lateness::Nobody => return self.run(new_socket),
                    Lateness::Client(error) => {
                        let answer = uploading.refuse(error, explain(new_socket, error));
                        self.refuse(new_socket, exchange.wants, answer)
                    }
                    Lateness::Handler => {
                        let answer = uploading.time_out(new_socket.peer_addr(), settings);
                        self.answer(new_socket, exchange.closing(), answer)
                    }
                };
            }
            State::Waiting(waiting) => {
                let exchange = waiting.exchange;
                let answer = waiting.missing.time_out(new_socket.peer_addr(), exchange.limit_setting(settings));
                self.state = self.answer(new_socket, exchange.closing(), answer);
            }
            State::Streaming(streaming) => streaming.on_deadline(new_socket, settings)?,
            State::Leaving(_) | State::Finished => {} // they have none
        }
        self.run(new_socket)
    }

    fn on_shutdown(&mut self, new_socket: &mut Connection) -> io::Result<Next> {
        self.life = Life::Draining;
        self.run(new_socket)
    }

    fn deadline(&self) -> Option<Instant> {
        let settings = &self.shared.settings;
        match &self.state {
            State::Idle { since } => Some(due(*since, settings.idle_timeout)),
            State::ReadingHead { since, .. } => Some(due(*since, settings.head_timeout)),
            State::ReadingBody(reading) => Some(reading.incoming.deadline(settings)),
            State::Uploading(uploading) => Some(uploading.deadline(settings)),
            State::Waiting(waiting) => Some(due(waiting.since, waiting.exchange.handler_timeout)),
            State::Streaming(streaming) => Some(streaming.deadline(settings)),
            State::Leaving(_) | State::Finished => None,
        }
    }

    /// A pipelined request waits until the one before it has been answered: in the system's buffer, not in ours.
    fn wants_input(&self) -> bool {
        match &self.state {
            State::Idle { .. } | State::ReadingHead { .. } | State::ReadingBody(_) => true,
            State::Uploading(uploading) => uploading.wants_input(),
            State::Waiting(_) | State::Streaming(_) | State::Leaving(_) | State::Finished => false,
        }
    }

    fn expected_bytes(&self) -> u64 {
        match &self.state {
            State::ReadingBody(reading) => reading.incoming.expected_bytes(),
            _ => 0,
        }
    }
}

impl HttpSession {
    /// Moves on as far as the input, the output and the handlers allow.
    fn run(&mut self, new_socket: &mut Connection) -> io::Result<Next> {
        while !self.is_at_rest(new_socket) {
            let step = match self.state {
                State::Idle { since } => self.begin_head(new_socket, since),
                State::ReadingHead { since, seen } => self.read_head(new_socket, since, seen),
                _ => self.go_on(new_socket)?,
            };
            match step {
                Step::Go(next) => self.state = next,
                Step::Stay(next) => {
                    self.state = next;
                    break;
                }
                Step::End(next) => return Ok(next),
            }
        }
        Ok(Next::Wait)
    }

    /// Between two requests, of which the next has not begun: after most answers there is no more to do.
    fn is_at_rest(&self, new_socket: &Connection) -> bool {
        let is_idle = matches!(self.state, State::Idle { .. }) && self.life == Life::Serving;
        is_idle && new_socket.input().is_empty() && !new_socket.is_eof()
    }

    /// A step from a state that has to be taken out for it.
    fn go_on(&mut self, new_socket: &mut Connection) -> io::Result<Step> {
        Ok(match mem::replace(&mut self.state, State::Finished) {
            State::ReadingBody(reading) => self.read_body(new_socket, reading),
            State::Uploading(uploading) => self.upload(new_socket, uploading),
            State::Streaming(streaming) => self.stream(new_socket, streaming)?,
            State::Leaving(upgrade) => Step::End(Next::Become(upgrade::open(*upgrade, new_socket)?)),
            State::Finished => Step::End(Next::Close),
            // The first two are `run`'s, and who waits for an answer goes on with a note.
            state @ (State::Idle { .. } | State::ReadingHead { .. } | State::Waiting(_)) => Step::Stay(state),
        })
    }

    fn begin_head(&mut self, new_socket: &mut Connection, since: Instant) -> Step {
        // RFC 9112 §2.2: an empty line before a request is skipped; old clients send one behind a body.
        while new_socket.input().starts_with(b"\r\n") {
            new_socket.consume(2);
        }
        // Half of such a line is no request yet.
        let is_nothing = matches!(new_socket.input(), b"" | b"\r");
        if new_socket.is_full() || self.unsent_answers >= self.shared.settings.pipeline_depth {
            Step::Stay(State::Idle { since })
        } else if !is_nothing {
            self.read_head(new_socket, new_socket.now(), 0) // as a rule all of it is there
        } else if new_socket.is_eof() || self.life == Life::Draining {
            Step::Go(State::Finished)
        } else {
            Step::Stay(State::Idle { since })
        }
    }

    fn read_head(&mut self, new_socket: &mut Connection, since: Instant, seen: usize) -> Step {
        let settings = &self.shared.settings;
        let input = new_socket.input();
        let is_all_that_counts = input.len() >= settings.head_limit || new_socket.is_eof();
        let is_worth_a_look = seen == 0 || is_all_that_counts || head::may_be_complete(input, seen);
        let mut request = new_socket.take_spare_request();
        let parsed = if is_worth_a_look { head::parse(input, settings, request.head_mut()) } else { Ok(None) };
        match parsed {
            Ok(Some((head, length))) => {
                let arrival = new_socket.arrival();
                new_socket.consume(length);
                Step::Go(self.begin_exchange(new_socket, head, request, arrival))
            }
            // RFC 9112 §8: a head that will never be complete.
            Ok(None) if new_socket.is_eof() => Step::Go(self.refuse_head(new_socket, ProtocolError::MalformedHead)),
            Ok(None) => {
                new_socket.keep_spare_request(request);
                Step::Stay(State::ReadingHead { since, seen: input.len() })
            }
            Err(error) => Step::Go(self.refuse_head(new_socket, error)),
        }
    }

    /// The head is there: ask the handler what it plans, before any of the body is read.
    fn begin_exchange(
        &mut self,
        new_socket: &mut Connection,
        head: Head,
        mut request: Box<Request>,
        arrival: Arrival,
    ) -> State {
        self.exchange += 1;
        let wants = if head.method == Method::HEAD { Wants::HeadOnly } else { Wants::HeadAndBody };
        let settings = &self.shared.settings;
        let (id, handler_timeout) = (self.exchange, settings.handler_timeout);
        let mut exchange = Exchange { id, version: head.version, wants, reuse: head.reuse, handler_timeout };
        let origin = Origin { peer: new_socket.peer_addr(), client: new_socket.key(), exchange: id, arrival };
        request.begin(head.method, head.version, origin);
        if head.framing.has_body() {
            request.announce_body();
        }
        let mut watch = Stopwatch::start(settings.slow_handler_warning);
        let plan = plan_timed(&*self.shared.handler, &mut request, &mut watch);
        if let Place::Refused(response) = plan.place {
            let answer = response.with_fate(request.watchers().take_fate());
            return self.answer(new_socket, exchange.without_reading(head.framing), answer);
        }
        let limit = plan.body_limit.unwrap_or(settings.body_limit);
        exchange.handler_timeout = plan.timeout.unwrap_or(handler_timeout);
        match head.framing {
            Framing::Nothing => {
                if let Some(sink) = plan.sink {
                    request.set_body(RequestBody::taken(sink, HeaderMap::new()), arrival);
                }
                return self.handle(new_socket, request, plan.place, exchange, watch);
            }
            // RFC 9110 §15.5.14: say so before the body is sent in vain.
            Framing::Length(length) if length > limit => {
                let (known, error) = (Known::Request(&mut request), ProtocolError::BodyTooLarge { limit });
                let answer = self.shared.refusal(new_socket, known, error);
                return self.refuse(new_socket, wants, answer);
            }
            Framing::Length(_) | Framing::Chunked => {}
        }
        // RFC 9110 §10.1.1: no 100 where there is no body, or it is on its way already.
        let is_waiting = new_socket.input().is_empty() && head.framing.has_body();
        if head.expectation == Expectation::Continue && is_waiting {
            new_socket.send(b"HTTP/1.1 100 Continue\r\n\r\n");
        }
        State::ReadingBody(Box::new(ReadingBody {
            request,
            place: plan.place,
            exchange,
            incoming: Incoming::new(head.framing, limit, &self.shared.settings, new_socket.now()),
            destination: plan.sink.map_or_else(|| Destination::Memory(Vec::new()), Destination::Sink),
        }))
    }
}
