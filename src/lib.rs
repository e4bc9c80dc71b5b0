//! *qibu* (七步, "seven steps"): an object-oriented web server in Rust.
//!
//! Every TCP server takes seven steps: **socket, bind, listen, accept, recv, send, close**. A well-known Python tutorial
//! puts them into a class, and this crate is that class, grown up:
//!
//! ```no_run
//! use qibu::{Request, WebServer};
//!
//! fn main() -> std::io::Result<()> {
//!     WebServer::new("127.0.0.1:8090", |_: &mut Request| "Hello, world!")? // 1 socket, 2 bind, 3 listen
//!         .start() // 4 accept, and for each client: 5 recv, 6 send, 7 close
//! }
//! ```
//!
//! # Serve a folder, write a handler, or speak your own protocol
//!
//! | you want | you give [`WebServer`] |
//! |---|---|
//! | a folder on the web | [`StaticFiles::new("site")`](StaticFiles) |
//! | answers of your own | a closure, or a struct that is a [`Handler`] |
//! | answers by path and method | a [`Router`] |
//! | something around them (a log, a check) | a [`Middleware`] |
//! | a handler that blocks | [`blocking(handler)`](blocking) |
//! | a large upload | [`streaming(handler)`](streaming); [`Plan::sink`] where one look at each piece is enough |
//! | an answer that comes later | [`Request::later`], [`Body::channel`] |
//! | news for as long as the client listens | [`sse::channel`], [`sse::Broadcast`] |
//! | messages both ways | [`ws::WebSocket`] |
//! | no HTTP at all | a [`Session`], through [`WebServer::with_protocol`] or [`Response::upgrade`] |
//!
//! What goes wrong is told to the `log` crate: a handler's errors, what was refused, each setting that cut a client off. Nothing is
//! seen of it until the program has a backend, such as `env_logger`.
//!
//! # The layers
//!
//! ```text
//!                 main ─► server                 new · start · handle_client_request; loops, timers, workers
//!                           │
//!                           ▼
//!    connection ◄─────── protocol ───────► handler ◄─ static_files, decorators ─► coding
//!   (Transport, input,   (Session: http1,      │           (folders; AccessLog)   (gzip, br, zstd)
//!    output queue)        yours)               ▼
//!                           └──────────────► message   (Request, Response, Body: plain values)
//! ```
//!
//! An arrow means "may use". Beside these, connection and `static_files` ask `disk` what the system has of a file in its memory,
//! decorators read a file by it, the server gives its counts to `decorators` (Metrics), and `testing`, which plays the world
//! around a server, may use all. A test reads the source and fails on any other arrow, so the picture stays true.
//!
//! # The life of a request
//!
//! A client connects: [`WebServer::start`] accepts it (4), and the [`Protocol`] makes it a [`Session`]. Its bytes come:
//! `handle_client_request` has the transport read them (5) into the loop's buffer and calls the session. HTTP's session
//! finds the end of the head, asks the [`Handler`] for its [`Plan`], collects the body if there is one, and calls
//! [`Handler::handle`]. The [`Response`] becomes a head and segments in the output queue; the transport sends them (6) until
//! the queue is empty or the client must read first. Then the session waits for the next request, or the connection is
//! closed (7): half-closed, drained for a moment, dropped.
//!
//! There is no way back up in this walk.
//!
//! # Where to read next
//!
//! `src/server/mod.rs` is the class. From there, in the order of a request: `server/client.rs`, `protocol/http1/mod.rs` with
//! its diagram, `handler/mod.rs`, `static_files/mod.rs`, and back out: `protocol/http1/encode.rs`, `connection/output.rs`,
//! `connection/transport/mod.rs`. docs/patterns.md says which file plays which design pattern, and what for.

mod coding;
mod connection;
mod decorators;
mod disk;
mod handler;
mod message;
mod protocol;
mod server;
mod static_files;
pub mod testing;

/// WebSocket (RFC 6455): [`WebSocket::upgrade`](ws::WebSocket::upgrade) is the answer that opens one, and a [`Handler`](ws::Handler)
/// of its own serves each client.
#[cfg(feature = "websocket")]
pub mod ws {
    pub use crate::protocol::websocket::{Broadcast, Handler, Message, Sender, Text, WebSocket};
}

/// Who may come in: names and passwords.
#[cfg(feature = "auth")]
pub mod auth {
    pub use crate::decorators::basic_auth::BasicAuth;
}

/// A few values for each visitor, in signed cookies.
#[cfg(feature = "sessions")]
pub mod sessions {
    pub use crate::decorators::sessions::{SessionData, SessionFull, Sessions};
}

/// Cookies to set: [`Response::with_cookie`]. Those that came: [`Request::cookie`].
#[cfg(feature = "cookies")]
pub mod cookies {
    pub use crate::message::cookies::{Cookie, SameSite};
}

/// Values that are answered as JSON. The rest of it is [`Request::json`] and [`Response::json`].
#[cfg(feature = "json")]
pub mod json {
    pub use crate::message::json::Json;
}

/// Forms with files: what [`Request::multipart`] gives.
#[cfg(feature = "multipart")]
pub mod multipart {
    pub use crate::message::multipart::{FormPart, Multipart};
}

pub use connection::{Connection, DATE_BYTES, Stats};
pub use decorators::{
    AccessLog, AllowedHosts, Compress, Cors, Health, Isolation, Limit, LiveReload, LogFormat, Metrics, RateLimit,
    RequestId, SecurityHeaders, Timeout, TrustedProxies, limit,
};
pub use handler::{
    Blocking, Handler, HandlerExt, Middleware, Plan, RouteError, Router, Slashes, Streaming, With, blocking, method,
    sse, streaming,
};
pub use http::{self, HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version};
pub use message::{
    Address, Body, BodySender, BodySink, Closed, Error, FileSlice, Html, IntoResponse, Note, Part, Piece,
    ProtocolError, Reason, Refusal, Reply, Request, RequestBody, Response, Result, TrySendError,
};
pub use protocol::{Http, HttpSettings, Next, Protocol, Session};
pub use server::{Builder, Running, ServerHandle, WebServer};
pub use static_files::{Redirects, StaticFiles};
