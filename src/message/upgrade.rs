//! The promise that this connection leaves HTTP with this answer (RFC 9110 section 7.8).
//!
//! A response carries it to the protocol layer, which alone knows what a conversation is and how one is opened: here it is
//! an opaque value. [`Response::upgrade`](super::Response::upgrade) makes it and is written there.

use std::any::Any;

use super::ExchangeId;

/// What comes after HTTP.
pub(crate) struct Upgrade {
    /// The request that asked for it; only its own answer may switch.
    pub(crate) exchange: ExchangeId,
    /// What opens the new conversation.
    pub(crate) opening: Box<dyn Any + Send>,
}
