//! Any bytes behind the handshake of a WebSocket, cut anywhere: no panic, whole frames, one goodbye.
#![no_main]

#[path = "../invariants/mod.rs"]
mod invariants;

libfuzzer_sys::fuzz_target!(|data: &[u8]| invariants::websocket(data));
