//! WebSocket (RFC 6455) over memory, in frames written by hand: whole, byte by byte, and with more behind them.

mod handshake;
mod limits;
mod messages;
mod random;
mod senders;
mod support;
