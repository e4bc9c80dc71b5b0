//! The opening handshake (RFC 6455 section 4.2): may this request become a WebSocket?
//!
//! Browsers let any page on the web open a WebSocket to any server, with that server's cookies, and only tell in `Origin`
//! whose page it is. So a page of another site is refused unless it was allowed.

use data_encoding::BASE64;
use http::StatusCode;
use http::header::{HOST, ORIGIN, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE};
use tungstenite::handshake::derive_accept_key;

use crate::message::{Request, Response};
use crate::protocol::upgrade::is_upgrade;

/// Whose pages may open a WebSocket.
#[derive(Debug, Clone)]
pub(super) enum Origins {
    /// Those of this very server, and of these.
    Own {
        and: Vec<String>,
    },
    Any,
}

/// What both sides have agreed on.
pub(super) struct Agreement {
    /// The value of `Sec-WebSocket-Accept`.
    pub(super) accept: String,
    pub(super) subprotocol: Option<&'static str>,
}

/// Checks a request that wants to become a WebSocket; the error is its answer.
pub(super) fn check(
    request: &Request,
    origins: &Origins,
    subprotocols: &[&'static str],
) -> Result<Agreement, Box<Response>> {
    // §4.2.2, step 4: who speaks another version, or none, is told which one we do.
    if !is_upgrade(request, "websocket") || request.header(SEC_WEBSOCKET_VERSION.as_str()) != Some("13") {
        let answer = Response::status_page(StatusCode::UPGRADE_REQUIRED);
        let answer = answer.with_header(UPGRADE.as_str(), "websocket");
        return Err(Box::new(answer.with_header(SEC_WEBSOCKET_VERSION.as_str(), "13")));
    }
    let Some(key) = key(request) else {
        return Err(refusal(StatusCode::BAD_REQUEST, "Sec-WebSocket-Key is not 16 bytes in base64"));
    };
    if let Some(origin) = request.header_bytes(ORIGIN.as_str())
        && !origins.allow(origin, request.header_bytes(HOST.as_str()).unwrap_or_default())
    {
        let origin = origin.escape_ascii();
        log::warn!("a page of {origin} may not open a WebSocket here (WebSocket::allow_origin)");
        return Err(refusal(StatusCode::FORBIDDEN, "pages of this origin may not open a WebSocket here"));
    }
    // The first that we like, of those that the client offers.
    let offered = |ours: &&&str| offers(request, ours);
    Ok(Agreement { accept: derive_accept_key(key), subprotocol: subprotocols.iter().find(offered).copied() })
}

/// §4.1, item 7: one key, of 16 bytes.
fn key(request: &Request) -> Option<&[u8]> {
    let mut keys = request.header_values(SEC_WEBSOCKET_KEY.as_str());
    let (key, None) = (keys.next()?, keys.next()) else { return None };
    BASE64.decode(key).is_ok_and(|bytes| bytes.len() == 16).then_some(key)
}

/// Names of subprotocols are compared with their case (§11.5).
fn offers(request: &Request, name: &str) -> bool {
    let offers = request.header_values(SEC_WEBSOCKET_PROTOCOL.as_str());
    offers.flat_map(|value| value.split(|byte| *byte == b',')).any(|offer| offer.trim_ascii() == name.as_bytes())
}

impl Origins {
    /// Neither side names a port that is the usual one of its scheme, so host and port can be compared as they are.
    fn allow(&self, origin: &[u8], host: &[u8]) -> bool {
        let Self::Own { and: others } = self else { return true };
        let place = origin.split(|byte| *byte == b'/').nth(2);
        place.is_some_and(|place| place.eq_ignore_ascii_case(host))
            || others.iter().any(|other| other.as_bytes().eq_ignore_ascii_case(origin))
    }
}

fn refusal(status: StatusCode, why: &'static str) -> Box<Response> {
    Box::new(Response::text(format!("{status}: {why}\n")).with_status(status))
}
