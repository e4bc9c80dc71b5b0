//! A chunked body is what RFC 9112 section 7.1 says, or it is refused; what follows it is the next request.
#![no_main]

#[path = "../invariants/mod.rs"]
mod invariants;

libfuzzer_sys::fuzz_target!(|data: &[u8]| invariants::chunked(data));
