//! The settings of an HTTP/1 session and their defaults, which are safe on the open internet.

use std::time::Duration;

/// The settings of HTTP/1; [`Builder`](crate::Builder) explains and sets them.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct HttpSettings {
    /// Longest request head, in bytes.
    pub head_limit: usize,
    /// Most field lines in a head.
    pub field_limit: usize,
    /// Longest request body, in bytes, where the handler's plan does not say otherwise.
    pub body_limit: u64,
    /// How long a head may take from its first byte to its last.
    pub head_timeout: Duration,
    /// How long a body may pause.
    pub body_timeout: Duration,
    /// How fast a body must come on average, in bytes per second; 0: as slowly as it likes.
    pub min_body_rate: u32,
    /// How many requests a connection may bring.
    pub requests_per_connection: u64,
    /// How many answers may wait to be sent before the next request is looked at.
    pub pipeline_depth: u32,
    /// How long a connection may be idle between requests.
    pub idle_timeout: Duration,
    /// How long an answer that was put off or is made on the worker pool, or the next piece of a stream, may take.
    pub handler_timeout: Duration,
    /// From when on an inline handler is called slow, to a tick of the system's clock (1 to 16 ms).
    pub slow_handler_warning: Duration,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            // RFC 9112 §3 asks for 8000 in the request line alone.
            head_limit: 32 * 1024,
            field_limit: 100,
            body_limit: 2 * 1024 * 1024,
            head_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(30),
            min_body_rate: 240,
            requests_per_connection: 100_000,
            pipeline_depth: 64,
            idle_timeout: Duration::from_secs(60),
            handler_timeout: Duration::from_secs(300),
            slow_handler_warning: Duration::from_millis(100),
        }
    }
}
