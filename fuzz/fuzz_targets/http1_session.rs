//! Any bytes, cut anywhere: no panic, no hang, whole HTTP answers, and the same ones for every cut.
#![no_main]

#[path = "../invariants/mod.rs"]
mod invariants;

libfuzzer_sys::fuzz_target!(|data: &[u8]| invariants::http1_session(data));
