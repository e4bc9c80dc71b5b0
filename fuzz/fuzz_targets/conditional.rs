//! Whatever conditions and ranges are asked for, the answer is framed right and its bytes are those it names.
#![no_main]

#[path = "../invariants/mod.rs"]
mod invariants;

libfuzzer_sys::fuzz_target!(|data: &[u8]| invariants::conditional(data));
