//! Cookies are read as they were sent, and what is set says what it was told and no more.
#![no_main]

#[path = "../invariants/mod.rs"]
mod invariants;

libfuzzer_sys::fuzz_target!(|data: &[u8]| invariants::cookies(data));
