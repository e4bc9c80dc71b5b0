//! A chunked body that is read while it arrives is what RFC 9112 section 7.1 says, or it is refused.
#![no_main]

#[path = "../invariants/mod.rs"]
mod invariants;

libfuzzer_sys::fuzz_target!(|data: &[u8]| invariants::streamed(data));
