//! What a loop has while it runs, and the states it goes through.
//!
//! ```text
//!   Serving ── shutdown ──► Draining ── nobody left, or the grace is over ──► Ended
//!      └───────────────────── abort ──────────────────────────────────────────┘
//! ```
//!
//! Pattern: State ([`Stage`]).

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::admission::Overload;
use super::clients::Clients;
use super::event_loop::EventLoop;
use super::listener::Accepted;

/// What a running loop has besides the server's own fields. It never leaves its thread.
pub(super) struct Life {
    pub(super) event_loop: EventLoop,
    pub(super) clients: Clients,
    /// Accepted in this batch of events; they join when it is over.
    pub(super) newcomers: Vec<Accepted>,
    pub(super) accepting: Accepting,
    /// When the log last said that a client was turned away.
    said_overload: Option<Instant>,
    /// When it last said that nobody can be accepted.
    said_exhaustion: Option<Instant>,
    pub(super) stage: Stage,
    pub(super) door: Door,
}

/// Whether new clients are accepted.
#[derive(Clone, Copy)]
pub(super) enum Accepting {
    Yes,
    /// The system has no descriptor left.
    Paused {
        until: Instant,
    },
}

/// Whether clients may still come in: the first loop has the door.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Door {
    Open,
    Closed,
}

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Stage {
    Serving,
    /// Until the door is closed, somebody may still be sent to us.
    Draining {
        until: Instant,
    },
    Ended,
}

/// How long nobody is accepted when the system has no descriptor left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

impl Life {
    pub(super) fn new(event_loop: EventLoop, clients: Clients) -> Self {
        Self {
            event_loop,
            clients,
            newcomers: Vec::new(),
            accepting: Accepting::Yes,
            said_overload: None,
            said_exhaustion: None,
            stage: Stage::Serving,
            door: Door::Open,
        }
    }

    pub(super) fn now(&self) -> Instant {
        self.clients.context.clock.now()
    }

    pub(super) fn is_over(&self) -> bool {
        match self.stage {
            Stage::Serving => false,
            Stage::Draining { until } => {
                let is_empty = self.clients.is_empty() && self.newcomers.is_empty();
                self.now() >= until || (is_empty && self.door == Door::Closed)
            }
            Stage::Ended => true,
        }
    }

    /// When something is due that no client waits for.
    pub(super) fn next_wake(&self) -> Option<Instant> {
        match (self.accepting, self.stage) {
            (Accepting::Yes, Stage::Serving | Stage::Ended) => None,
            (Accepting::Yes, Stage::Draining { until }) => Some(until),
            (Accepting::Paused { until }, Stage::Serving | Stage::Ended) => Some(until),
            (Accepting::Paused { until: pause }, Stage::Draining { until: grace }) => Some(pause.min(grace)),
        }
    }

    /// Those who flood us shall not flood the log.
    pub(super) fn complain_of_overload(&mut self, peer: SocketAddr, overload: Overload) {
        if is_time_to_say(&mut self.said_overload, self.clients.context.clock.now(), Duration::from_secs(1)) {
            log::warn!("{peer} was turned away: {overload}");
        }
    }

    pub(super) fn pause_accepting(&mut self, error: &io::Error) {
        let now = self.now();
        if is_time_to_say(&mut self.said_exhaustion, now, Duration::from_secs(60)) {
            log::error!("no client can be accepted: {error}; clients wait until one leaves (raise `ulimit -n`?)");
        }
        self.accepting = Accepting::Paused { until: now + ACCEPT_PAUSE };
    }
}

/// Whether something was not said for that long; then it is said now.
fn is_time_to_say(said: &mut Option<Instant>, now: Instant, interval: Duration) -> bool {
    let is_time = said.is_none_or(|said| now >= said + interval);
    if is_time {
        *said = Some(now);
    }
    is_time
}
