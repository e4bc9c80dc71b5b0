//! Server-sent events: one answer that goes on for as long as there is news (HTML standard, section 9.2).
//!
//! A browser reads them with `new EventSource("/events")`. When the stream ends, for whatever reason, it comes back after a
//! moment and says in `Last-Event-ID` what it had seen last. So everything here may end a stream without fear: a client that
//! is too slow, a server that shuts down.
//!
//! ```text
//!  any thread ── EventSender::try_send(Event) ──► queue of so many bytes ──► the client's loop ──► chunk
//!             └─ Broadcast::send(Event): one text, shared by all clients
//! ```
//!
//! No client costs a thread. When a stream is quiet, its loop sends a comment every 15 seconds, so that proxies leave the
//! connection alone and one that is broken is found out.
//!
//! Pattern: Observer ([`Broadcast`]).

mod broadcast;
mod event;

use std::time::Duration;

use bytes::Bytes;

pub use broadcast::Broadcast;
pub use event::Event;

use crate::message::{Body, BodySender, Closed, Request, Response, TrySendError};

/// How long a stream may be quiet before a comment is sent.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// A comment: the client drops it.
const COMMENT: &[u8] = b":\n\n";

/// A response that is a stream of events, and the end into which they are put. At most `capacity` bytes of them wait for a
/// slow client. The stream ends when the last sender is dropped, and when the server shuts down.
///
/// ```
/// use qibu::{Request, Response, sse, testing::TestClient};
///
/// fn events(request: &mut Request) -> Response {
///     let seen: u32 = sse::last_event_id(request).and_then(|id| id.parse().ok()).unwrap_or(0);
///     let (sender, response) = sse::channel(16 * 1024);
///     std::thread::spawn(move || {
///         for number in seen + 1..=seen + 2 {
///             let _ = sender.send(sse::Event::new(format!("step {number}")).id(number));
///         }
///     });
///     response
/// }
/// let answer = TestClient::new(events).get("/").header("Last-Event-ID", "5").send();
/// assert_eq!(answer.header("content-type"), Some("text/event-stream"));
/// assert_eq!(answer.text(), "id: 6\ndata: step 6\n\nid: 7\ndata: step 7\n\n");
/// ```
pub fn channel(capacity: usize) -> (EventSender, Response) {
    let (body, stream) = Body::channel(capacity);
    let stream = stream.endless(Bytes::from_static(COMMENT), HEARTBEAT);
    let response = Response::bytes("text/event-stream", stream)
        .with_header("cache-control", "no-cache")
        .with_header("x-accel-buffering", "no"); // nginx would else collect events before it sends them on
    (EventSender { body }, response)
}

/// The last event that this client has seen, if it comes back after its stream has ended.
pub fn last_event_id(request: &Request) -> Option<&str> {
    request.header("last-event-id").filter(|id| !id.is_empty())
}

/// The end of an event stream into which events are put, from any thread. Clones put them into the same stream; when the last
/// one is dropped, the stream ends.
#[derive(Debug, Clone)]
pub struct EventSender {
    body: BodySender,
}

impl EventSender {
    /// Sends an event, waiting while the client is behind. Do not call it on an event loop (in an inline handler). Fails when
    /// the client has gone or the server is shutting down.
    pub fn send(&self, event: impl Into<Event>) -> Result<(), Closed> {
        self.body.send(event.into().into_bytes())
    }

    /// Sends an event if there is room, at once in any case: for event loops and broadcasts.
    pub fn try_send(&self, event: impl Into<Event>) -> Result<(), TrySendError> {
        self.try_send_bytes(event.into().into_bytes())
    }

    /// Whether the client has gone, or the server is shutting down. A client that left without a word is known to have gone
    /// when an event or a comment could not be sent to it.
    pub fn is_closed(&self) -> bool {
        self.body.is_closed()
    }

    /// Ends the stream behind what was sent; other senders of it get [`Closed`].
    fn end(&self) {
        self.body.end();
    }

    fn try_send_bytes(&self, text: Bytes) -> Result<(), TrySendError> {
        self.body.try_send(text)
    }
}
