//! From a response to what is queued for the client, and to the state that follows: idle, streaming, waiting, another
//! protocol, or the end.
//!
//! Every answer of a session goes through [`HttpSession::answer`], a handler's as well as our own refusals, so that each is
//! framed, counted and ends the connection by the same rules.
//!
//! Pattern: State (its way out).

use std::io;
use std::time::Instant;

use http::{StatusCode, Version};

use super::encode::{self, Length};
use super::exchange::{Exchange, Reuse, Wants, asks_to_close, correct};
use super::streaming::{Pump, Sent, Source, Streaming};
use super::waits::{Missing, Waiting};
use super::{HttpSession, Life, Shared, State, Step};
use crate::connection::Connection;
use crate::handler::refused;
use crate::message::{Kind, Known, ProtocolError, Reason, Refusal, Request, Response};

/// The log target of what is refused, to be named in a filter such as `RUST_LOG=qibu::refused=info`.
const REFUSED: &str = "qibu::refused";

impl HttpSession {
    /// Queues the answer, or as much of it as there is.
    pub(super) fn answer(
        &mut self,
        new_socket: &mut Connection,
        mut exchange: Exchange,
        mut response: Response,
    ) -> State {
        let now = new_socket.now();
        if response.is_later(exchange.id) {
            let missing = Missing::Answer { pending: response };
            return State::Waiting(Box::new(Waiting { exchange, missing, since: now }));
        }
        let fate = response.take_fate();
        correct(&mut response, exchange.id, self.life);
        let status = response.status();
        self.unsent_answers += 1;
        let is_last = exchange.id >= self.shared.settings.requests_per_connection;
        if is_last {
            log::debug!("{} has brought all its requests (requests_per_connection)", new_socket.peer_addr());
        }
        if is_last || self.life == Life::Draining || response.fields().steering().is_some_and(asks_to_close) {
            exchange.reuse = Reuse::Close;
        }
        new_socket.counters().count_answer(status);
        let length = exchange.frame(status, response.body_mut());
        let date = new_socket.date();
        new_socket.output.put_with(|out| encode::head(out, &exchange, status, response.fields(), length, &date));
        if let Some(fate) = fate {
            new_socket.output.begin_receipt(status, fate);
        }
        match response.body.kind {
            Kind::Bytes(bytes) => new_socket.send_bytes(bytes),
            Kind::Made(bytes) => new_socket.send_vec(bytes),
            Kind::File(slice) => new_socket.send_file(slice),
            Kind::Parts(parts) => parts.into_iter().for_each(|part| new_socket.send_part(part)),
            Kind::Channel(body) => return streaming(exchange, length, Source::Channel(body), now),
            Kind::Reader(body) => return streaming(exchange, length, Source::Reader(Pump::Ready(body)), now),
            Kind::Upgrade(upgrade) if exchange.reuse == Reuse::Switch => {
                new_socket.output.end_receipt();
                return State::Leaving(Box::new(upgrade));
            }
            Kind::Later(_) | Kind::Upgrade(_) => {}
        }
        new_socket.output.end_receipt();
        after(new_socket, exchange)
    }

    /// Refuses a request. Nothing that follows on this connection is a request for certain, so it ends.
    pub(super) fn refuse(&mut self, new_socket: &mut Connection, wants: Wants, answer: Response) -> State {
        let (id, handler_timeout) = (self.exchange, self.shared.settings.handler_timeout);
        let exchange = Exchange { id, version: Version::HTTP_11, wants, reuse: Reuse::Close, handler_timeout };
        self.answer(new_socket, exchange, answer)
    }

    /// The same for a head that was not understood; that it was HEAD can be seen all the same.
    pub(super) fn refuse_head(&mut self, new_socket: &mut Connection, error: ProtocolError) -> State {
        let is_head = new_socket.input().starts_with(b"HEAD ");
        let answer = self.shared.refusal(new_socket, Known::Bytes(new_socket.input()), error);
        self.refuse(new_socket, if is_head { Wants::HeadOnly } else { Wants::HeadAndBody }, answer)
    }

    /// Sends on what there is of the body.
    pub(super) fn stream(&self, new_socket: &mut Connection, mut streaming: Box<Streaming>) -> io::Result<Step> {
        if self.life == Life::Draining {
            streaming.end_if_endless();
        }
        Ok(match streaming.send(new_socket)? {
            Sent::Some => Step::Stay(State::Streaming(streaming)),
            Sent::All => {
                new_socket.output.end_receipt();
                Step::Go(after(new_socket, streaming.exchange))
            }
            Sent::BrokenOff => Step::Go(State::Finished),
        })
    }
}

impl Shared {
    /// What is answered to a request that is refused; the decorators around the handler get to know it, too.
    pub(super) fn refusal(&self, new_socket: &Connection, known: Known<'_>, error: ProtocolError) -> Response {
        self.tell_of(Refusal::new(new_socket.peer_addr(), Reason::Fault(error), known), explain(new_socket, error))
    }

    /// What is answered where that which takes a body has panicked.
    pub(super) fn broken(&self, new_socket: &Connection, request: &mut Request) -> Response {
        let refusal = Refusal::new(new_socket.peer_addr(), Reason::Broken, Known::Request(request));
        self.tell_of(refusal, Response::status_page(StatusCode::INTERNAL_SERVER_ERROR))
    }

    /// What a client is told that comes when all workers are busy.
    pub(super) fn come_again(&self, new_socket: &Connection, request: &mut Request) -> Response {
        let (peer, reason) = (new_socket.peer_addr(), Reason::NoWorker);
        log::warn!("503 for {peer}: {reason}");
        let answer = Response::status_page(StatusCode::SERVICE_UNAVAILABLE).with_header("retry-after", "1");
        self.tell_of(Refusal::new(peer, reason, Known::Request(request)), answer)
    }

    fn tell_of(&self, mut refusal: Refusal<'_>, answer: Response) -> Response {
        let answer = refused(&*self.handler, &mut refusal, answer);
        answer.with_fate(refusal.watchers().take_fate())
    }
}

/// The client gets to know what was wrong with its request, and the log too.
pub(super) fn explain(new_socket: &Connection, error: ProtocolError) -> Response {
    let status = error.status();
    log::info!(target: REFUSED, "{} for {}: {error}", status.as_u16(), new_socket.peer_addr());
    Response::text(format!("{status}: {error}\n")).with_status(status)
}

/// Few bodies are one: it is kept out of the way of the others.
#[inline(never)]
fn streaming(exchange: Exchange, length: Length, source: Source, now: Instant) -> State {
    State::Streaming(Box::new(Streaming::new(exchange, length, source, now)))
}

/// The answer is queued.
fn after(new_socket: &mut Connection, exchange: Exchange) -> State {
    match exchange.reuse {
        Reuse::KeepAlive => State::Idle { since: new_socket.now() },
        Reuse::Close | Reuse::Switch => State::Finished,
        Reuse::Last => {
            new_socket.expect_no_more();
            State::Finished
        }
    }
}
