//! Whatever path is asked for, only the visible files of the folder are answered.
#![no_main]

#[path = "../invariants/mod.rs"]
mod invariants;

libfuzzer_sys::fuzz_target!(|data: &[u8]| invariants::target(data));
