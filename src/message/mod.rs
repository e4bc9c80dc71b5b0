//! The values that travel between the layers: what was asked, what is answered.
//!
//! Nothing here knows a socket, a clock or the state of a connection; everything else in the crate may use these types. A few
//! hand a body from one thread to another, and wait for each other there: [`BodySender`], a body that arrives, a reader.
//!
//! * [`Request`]: the head as it came (its bytes and the places of names and values in them) and the body.
//! * [`Response`], [`Body`]: status, fields and what follows them: bytes, a stretch of a file, or a stream.
//! * [`IntoResponse`], [`Error`]: how a handler's return value becomes a response.
//! * [`Reply`], [`Address`], [`Note`]: how another thread reaches a client that lives on a loop.
//! * [`ProtocolError`]: what the peer did wrong, and the status that tells it so; [`Refusal`]: to which request.
//!
//! Pattern: Value Object.

mod address;
mod arrival;
mod body;
mod channel;
#[cfg(feature = "cookies")]
pub(crate) mod cookies;
mod error;
mod fate;
mod feed;
mod fields;
mod into_response;
#[cfg(feature = "json")]
pub(crate) mod json;
#[cfg(feature = "multipart")]
pub(crate) mod multipart;
mod reader;
mod refusal;
mod request;
mod request_body;
mod response;
mod sink;
mod status_page;
mod upgrade;

pub use address::{Address, Note, Reply};
pub(crate) use address::{ClientKey, ExchangeId, Mailbox};
pub(crate) use arrival::{Arrival, Arrivals, FoundFor};
pub use body::{Body, FileSlice, Part};
pub(crate) use body::{Kind, Late};
pub(crate) use channel::{BodyReceiver, Coder, Received};
pub use channel::{BodySender, Closed, TrySendError};
pub use error::{Error, ProtocolError, Result};
pub(crate) use fate::{Fate, Sent, Watchers, client_has_gone};
pub(crate) use feed::{Feed, WORTH_WAKING_BYTES, feed};
pub(crate) use fields::{Fields, SharedFields};
pub use into_response::{Html, IntoResponse};
pub use reader::Piece;
pub(crate) use reader::{PieceRead, ReaderBody};
pub(crate) use refusal::Known;
pub use refusal::{Reason, Refusal};
pub use request::Request;
pub(crate) use request::{
    FieldLine, Id, Origin, Outcome, Outside, Pattern, RawHead, RouterId, Security, Span, is_named,
};
pub use request_body::RequestBody;
pub use response::Response;
pub use sink::BodySink;
pub(crate) use sink::Nowhere;
pub(crate) use status_page::ICON;
pub(crate) use upgrade::Upgrade;
