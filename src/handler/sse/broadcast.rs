//! The same events for many clients.
//!
//! Pattern: Observer.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use super::{Event, EventSender, channel};
use crate::message::Response;

/// Sends each event to everyone who listens: the text is made once and shared. Clones are the same broadcast.
///
/// A client that is behind by more than the capacity does not miss one event in silence: its stream ends, and it comes back
/// and says what it has seen ([`last_event_id`](super::last_event_id)).
///
/// ```
/// use qibu::{Request, sse, testing::TestConn, Http};
///
/// let news = sse::Broadcast::new(64 * 1024);
/// let stream = news.clone();
/// let mut client = TestConn::open(Http::new(move |_: &mut Request| stream.subscribe())).unwrap();
/// client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
/// news.send("it snows");
/// assert!(client.recv().ends_with(b"data: it snows\n\n\r\n"));
/// assert_eq!(news.len(), 1);
/// ```
#[derive(Clone)]
pub struct Broadcast {
    clients: Arc<Mutex<Vec<EventSender>>>,
    /// How many bytes may wait for each of them.
    capacity: usize,
}

impl Broadcast {
    /// At most `capacity` bytes wait for each client.
    pub fn new(capacity: usize) -> Self {
        Self { clients: Arc::default(), capacity }
    }

    /// The answer to one more client: all events from now on.
    pub fn subscribe(&self) -> Response {
        let (sender, response) = channel(self.capacity);
        self.add(sender);
        response
    }

    /// Adds a stream that has begun already, perhaps with what its client had missed.
    pub fn add(&self, sender: EventSender) {
        self.with_clients(|clients| {
            if clients.len() == clients.capacity() {
                clients.retain(|client| !client.is_closed()); // so often that they cannot pile up, and no more often
            }
            clients.push(sender);
        });
    }

    /// Sends an event to all, without waiting for any.
    pub fn send(&self, event: impl Into<Event>) {
        let text = event.into().into_bytes();
        // Who does not take it is gone, or too slow: its stream ends, whoever else may have a sender of it.
        let takes = |client: &EventSender| client.try_send_bytes(text.clone()).inspect_err(|_| client.end()).is_ok();
        self.with_clients(|clients| clients.retain(takes));
    }

    /// How many clients listen. Those who left without a word are counted until an event could not be sent to them.
    pub fn len(&self) -> usize {
        self.with_clients(|clients| clients.iter().filter(|client| !client.is_closed()).count())
    }

    /// Whether nobody listens.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn with_clients<T>(&self, run: impl FnOnce(&mut Vec<EventSender>) -> T) -> T {
        run(&mut self.clients.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl fmt::Debug for Broadcast {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Broadcast").field("clients", &self.len()).field("capacity", &self.capacity).finish()
    }
}
