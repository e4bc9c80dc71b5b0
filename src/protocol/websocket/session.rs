//! One client's WebSocket, after the handshake.
//!
//! ```text
//!            on_open          we say goodbye             the client does, too, or its time is up
//!   Opening ─────────► Open ────────────────► Closing ───────────────────────────────────────► Closed
//!                        └───────── the client says goodbye, breaks a rule, or has gone ───────────┘
//! ```
//!
//! tungstenite takes the client's frames apart, answers pings, and keeps the rules of the close handshake. What is sent to
//! the client comes as whole frames out of a queue and is put between those of tungstenite, which never leaves half a frame.
//!
//! Pattern: State.

use std::io;
use std::net::SocketAddr;
use std::time::Instant;

use tungstenite::error::CapacityError;
use tungstenite::protocol::{CloseFrame, Role, WebSocketConfig, WebSocketContext};
use tungstenite::{Error, Message as Heard};

use super::incoming::{Duplex, Incoming};
use super::{Handler, Limits, Message, Sender, Text, frame};
use crate::connection::{Connection, due};
use crate::handler::call::call_on_loop;
use crate::message::{BodyReceiver, Note, Received};
use crate::protocol::{Next, Session};

pub(super) struct WebSocketSession {
    context: WebSocketContext,
    /// How many bytes the context may hold for what it reads.
    room: usize,
    /// `None` when it was told of the end.
    handler: Option<Box<dyn Handler>>,
    client: Sender,
    frames: BodyReceiver,
    limits: Limits,
    state: State,
    silence: Silence,
    incoming: Incoming,
    /// When a message last went either way.
    active: Instant,
}

/// Where we are in the life of a WebSocket (RFC 6455 section 7).
#[derive(Debug, Clone, Copy)]
enum State {
    Opening,
    Open,
    /// We have said goodbye.
    Closing {
        until: Instant,
    },
    Closed,
}

/// Whether the client lives.
#[derive(Debug, Clone, Copy)]
enum Silence {
    Since(Instant),
    /// We have asked for a sign of life.
    Asked(Instant),
}

/// How much tungstenite reads at once, in bytes; each client has a buffer of this size.
const READ_BYTES: usize = 512;

/// The client was told no code, or nothing at all (RFC 6455 section 7.4.1).
const NO_CODE: u16 = 1005;
const NO_GOODBYE: u16 = 1006;

impl Session for WebSocketSession {
    fn handle_client_request(&mut self, new_socket: &mut Connection, _: SocketAddr) -> io::Result<Next> {
        if !new_socket.input().is_empty() {
            self.silence = Silence::Since(new_socket.now());
        }
        self.run(new_socket)
    }

    fn on_drained(&mut self, new_socket: &mut Connection) -> io::Result<Next> {
        self.run(new_socket)
    }

    fn on_note(&mut self, new_socket: &mut Connection, _: Note) -> io::Result<Next> {
        self.run(new_socket)
    }

    fn on_deadline(&mut self, new_socket: &mut Connection) -> io::Result<Next> {
        let now = new_socket.now();
        match (self.state, self.silence) {
            (State::Opening | State::Open, Silence::Asked(_)) if self.silence_ends() <= now => {
                log::debug!("{} gives no sign of life (pong_timeout)", new_socket.peer_addr());
                self.end(NO_GOODBYE);
            }
            (State::Opening | State::Open, _) if self.unfinished_ends().is_some_and(|end| end <= now) => {
                log::info!("{} sends a message too slowly (min_message_rate)", new_socket.peer_addr());
                self.say_goodbye(new_socket, 1008, "a message came too slowly");
            }
            (State::Opening | State::Open, _) if self.idleness_ends().is_some_and(|end| end <= now) => {
                log::debug!("{} was idle for too long (idle_timeout)", new_socket.peer_addr());
                self.say_goodbye(new_socket, 1001, "nobody has said anything for too long");
            }
            (State::Opening | State::Open, _) => {
                new_socket.send_bytes(frame::ping());
                self.silence = Silence::Asked(now);
            }
            (State::Closing { .. } | State::Closed, _) => self.state = State::Closed,
        }
        self.run(new_socket)
    }

    fn on_shutdown(&mut self, new_socket: &mut Connection) -> io::Result<Next> {
        self.send_queued(new_socket);
        self.say_goodbye(new_socket, 1001, "the server is shutting down");
        self.run(new_socket)
    }

    fn deadline(&self) -> Option<Instant> {
        match self.state {
            State::Opening | State::Open => {
                let others = [self.unfinished_ends(), self.idleness_ends()];
                Some(others.into_iter().flatten().fold(self.silence_ends(), Instant::min))
            }
            State::Closing { until } => Some(until),
            State::Closed => None,
        }
    }
}

impl WebSocketSession {
    pub(super) fn new(
        new_socket: &Connection,
        handler: Box<dyn Handler>,
        limits: Limits,
        subprotocol: Option<&'static str>,
    ) -> Self {
        let (sender, frames) = BodyReceiver::channel(limits.queue_bytes);
        frames.has_no_end();
        let now = new_socket.now();
        Self {
            context: new_context(limits),
            room: READ_BYTES,
            handler: Some(handler),
            client: Sender::new(sender, new_socket.peer_addr(), subprotocol),
            frames,
            limits,
            state: State::Opening,
            silence: Silence::Since(now),
            incoming: Incoming::new(now),
            active: now,
        }
    }

    /// Moves on as far as the input, the output and the queue allow.
    fn run(&mut self, new_socket: &mut Connection) -> io::Result<Next> {
        if let State::Opening = self.state {
            self.state = State::Open;
            self.tell(new_socket, |handler, client| handler.on_open(client));
        }
        self.frames.look(); // until the queue is found empty, nobody needs to wake us
        self.send_queued(new_socket);
        self.incoming.resume(new_socket.now());
        while !matches!(self.state, State::Closed) && !new_socket.is_full() {
            match self.read(new_socket) {
                Ok(heard) => self.hear(new_socket, heard),
                Err(Error::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.rest(new_socket);
                    return Ok(Next::Wait);
                }
                Err(error) => self.end_with(new_socket, &error),
            }
            self.send_queued(new_socket);
        }
        self.incoming.pause(new_socket.now());
        Ok(if let State::Closed = self.state { Next::Close } else { Next::Wait })
    }

    fn read(&mut self, new_socket: &mut Connection) -> Result<Heard, Error> {
        self.context.read(&mut Duplex { new_socket, incoming: &mut self.incoming })
    }

    /// Nothing more has arrived. Room that a large message took is not kept for a next one that may never come.
    fn rest(&mut self, new_socket: &Connection) {
        self.incoming.take_stock(new_socket);
        if self.room > READ_BYTES && self.incoming.is_at_rest() && self.context.can_write() {
            self.context = new_context(self.limits);
            self.room = READ_BYTES;
        }
    }

    fn hear(&mut self, new_socket: &mut Connection, heard: Heard) {
        let message = match heard {
            Heard::Text(text) => Message::Text(Text(text)),
            Heard::Binary(bytes) => Message::Binary(bytes),
            Heard::Ping(_) | Heard::Pong(_) => return,
            // tungstenite answers it with the next read, and then says that it is over.
            Heard::Close(farewell) => return self.end(farewell.map_or(NO_CODE, |farewell| farewell.code.into())),
            Heard::Frame(_) => return, // never comes from a read
        };
        self.room = self.room.max(message.as_bytes().len());
        self.active = new_socket.now();
        self.tell(new_socket, |handler, client| handler.on_message(client, message));
    }

    /// Nothing more can be read: it was agreed on, the client has gone, or it has broken a rule.
    fn end_with(&mut self, new_socket: &mut Connection, error: &Error) {
        let (code, reason, setting) = match error {
            Error::Capacity(CapacityError::MessageTooLong { .. }) => {
                (1009, "the message is too long", " (message_limit)")
            }
            Error::Utf8(_) => (1007, "the text is not UTF-8", ""),
            Error::Protocol(tungstenite::error::ProtocolError::ResetWithoutClosingHandshake)
            | Error::ConnectionClosed => {
                self.end(NO_GOODBYE);
                self.state = State::Closed;
                return;
            }
            _ => (1002, "that is not WebSocket", ""),
        };
        let error = error.to_string();
        log::info!("{code} for {}: {}{setting}", new_socket.peer_addr(), error.escape_debug());
        self.say_goodbye(new_socket, code, reason);
        self.state = State::Closed; // RFC 6455 §7.1.7: what follows cannot be trusted
    }

    /// Sends on what is in the queue, while the client takes it.
    fn send_queued(&mut self, new_socket: &mut Connection) {
        let address = new_socket.own_address();
        while matches!(self.state, State::Open) && !new_socket.is_full() {
            match self.frames.receive(&address, 0) {
                Received::Bytes(frame) => match frame::as_farewell(&frame) {
                    Some(farewell) => self.close(new_socket, farewell),
                    None => {
                        self.active = new_socket.now();
                        new_socket.send_bytes(frame);
                    }
                },
                Received::Aborted => self.say_goodbye(new_socket, 1013, "reads too slowly"),
                Received::Nothing | Received::End(_) => return,
            }
        }
    }

    fn say_goodbye(&mut self, new_socket: &mut Connection, code: u16, reason: &str) {
        self.close(new_socket, frame::farewell(code, reason));
    }

    /// Begins the close handshake (RFC 6455 section 7.1.2), unless it has begun.
    fn close(&mut self, new_socket: &mut Connection, farewell: CloseFrame) {
        if !matches!(self.state, State::Opening | State::Open) {
            return;
        }
        self.state = State::Closing { until: due(new_socket.now(), self.limits.close_timeout) };
        let code = farewell.code.into();
        let mut duplex = Duplex { new_socket, incoming: &mut self.incoming };
        if let Err(error) = self.context.close(&mut duplex, Some(farewell)) {
            log::debug!("{}: no goodbye could be said: {error}", self.client.peer_addr());
        }
        self.end(code);
    }

    /// Tells both sides of the application that it is over.
    fn end(&mut self, code: u16) {
        self.frames.end();
        if let Some(mut handler) = self.handler.take() {
            let _ = self.call(move |_| handler.on_close(code)); // it was the last
        }
    }

    /// Calls the handler. One that panics is not called again.
    fn tell(&mut self, new_socket: &mut Connection, say: impl FnOnce(&mut dyn Handler, &Sender)) {
        let Some(mut handler) = self.handler.take() else { return };
        match self.call(|client| say(&mut *handler, client)) {
            Ok(()) => self.handler = Some(handler),
            Err(()) => {
                let _ = self.call(move |_| drop(handler));
                self.say_goodbye(new_socket, 1011, "");
            }
        }
    }

    fn call(&self, run: impl FnOnce(&Sender)) -> Result<(), ()> {
        let what = format_args!("the WebSocket handler for {}", self.client.peer_addr());
        call_on_loop(self.limits.slow_handler_warning, what, || run(&self.client))
    }

    fn silence_ends(&self) -> Instant {
        match self.silence {
            Silence::Since(since) => due(since, self.limits.ping_interval),
            Silence::Asked(at) => due(at, self.limits.pong_timeout),
        }
    }

    fn unfinished_ends(&self) -> Option<Instant> {
        self.incoming.too_slow_at(self.limits.message_rate)
    }

    fn idleness_ends(&self) -> Option<Instant> {
        self.limits.idle_timeout.map(|limit| due(self.active, limit))
    }
}

fn new_context(limits: Limits) -> WebSocketContext {
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BYTES)
        .write_buffer_size(0)
        .max_message_size(Some(limits.message_bytes))
        .max_frame_size(Some(limits.message_bytes.max(125))); // the longest control frame
    WebSocketContext::new(Role::Server, Some(config))
}

/// However it ends, the handler hears of it.
impl Drop for WebSocketSession {
    fn drop(&mut self) {
        self.end(NO_GOODBYE);
    }
}
