//! One request and its answer: what must be remembered of the one to send the other.

use std::time::Duration;

use http::header::CONNECTION;
use http::{HeaderMap, StatusCode, Version};

use super::body::Framing;
use super::encode::{self, Length};
use super::head;
use super::{HttpSettings, Life};
use crate::message::{Body, ExchangeId, Kind, Response};

/// What must be remembered of a request to answer it.
#[derive(Clone, Copy)]
pub(super) struct Exchange {
    pub(super) id: ExchangeId,
    pub(super) version: Version,
    pub(super) wants: Wants,
    pub(super) reuse: Reuse,
    /// How long the handler may take.
    pub(super) handler_timeout: Duration,
}

/// RFC 9110 §9.3.2: HEAD is GET without the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wants {
    HeadAndBody,
    HeadOnly,
}

/// Whether another request may follow on this connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reuse {
    KeepAlive,
    Close,
    /// The client has said that this is its last request, and it has no body: nothing more will come from it.
    Last,
    /// The connection goes on, but not with HTTP (RFC 9110 section 7.8).
    Switch,
}

impl Exchange {
    /// A body that is not read stands where the next request should.
    pub(super) fn without_reading(self, framing: Framing) -> Self {
        if framing.has_body() { Self { reuse: Reuse::Close, ..self } } else { self }
    }

    /// The client may still send what nobody waits for: no other request follows.
    pub(super) fn closing(self) -> Self {
        Self { reuse: Reuse::Close, ..self }
    }

    /// What says how long the handler may take.
    pub(super) fn limit_setting(&self, settings: &HttpSettings) -> &'static str {
        if self.handler_timeout == settings.handler_timeout { "handler_timeout" } else { "Timeout" }
    }

    /// How the body is framed (RFC 9112 section 6); leaves of it what is sent.
    pub(super) fn frame(&mut self, status: StatusCode, body: &mut Body) -> Length {
        if status == StatusCode::SWITCHING_PROTOCOLS {
            self.reuse = Reuse::Switch;
            return Length::NoBody;
        }
        if !encode::has_body(status) {
            *body = Body::empty();
            return Length::NoBody;
        }
        if status == StatusCode::RESET_CONTENT {
            *body = Body::empty();
            return Length::Known(0); // RFC 9110 §15.3.6
        }
        let length = match (body.len(), self.version) {
            (Some(length), _) => Length::Known(length),
            (None, Version::HTTP_10) => Length::UntilClose,
            (None, _) => Length::Chunked,
        };
        if length == Length::UntilClose {
            self.reuse = Reuse::Close;
        }
        if self.wants == Wants::HeadOnly {
            *body = Body::empty();
        }
        length
    }
}

/// Replaces what a handler returned, if that cannot be sent: the handler has made a mistake, as a rule.
pub(super) fn correct(response: &mut Response, exchange: ExchangeId, life: Life) {
    let mistake = match &response.body().kind {
        Kind::Later(_) => "an answer that was promised for another request",
        Kind::Upgrade(upgrade) if upgrade.exchange != exchange => "an upgrade that another request has asked for",
        Kind::Upgrade(_) if response.status() == StatusCode::SWITCHING_PROTOCOLS => {
            // A new conversation would not know that the server is about to end.
            if life == Life::Draining {
                *response = Response::status_page(StatusCode::SERVICE_UNAVAILABLE);
            }
            return;
        }
        _ if response.status().is_informational() => "a status that is not final",
        _ => return,
    };
    log::error!("a handler returned {mistake}");
    *response = Response::status_page(StatusCode::INTERNAL_SERVER_ERROR);
}

/// A handler may ask for the end of the connection (RFC 9112 section 9.6).
pub(super) fn asks_to_close(headers: &HeaderMap) -> bool {
    let mut options = headers.get_all(CONNECTION).into_iter().flat_map(|value| head::list(value.as_bytes()));
    options.any(|option| option.eq_ignore_ascii_case(b"close"))
}
