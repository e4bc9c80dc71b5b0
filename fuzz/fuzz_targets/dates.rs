//! A date of any of the three forms means the same wherever it stands, and what is no date is ignored.
#![no_main]

#[path = "../invariants/mod.rs"]
mod invariants;

libfuzzer_sys::fuzz_target!(|data: &[u8]| invariants::dates(data));
