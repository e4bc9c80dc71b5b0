//! The exercises of the course (docs/guide), solved: one file a stage. Read yours when your own has passed, or is stuck.
//!
//! Type:  cargo run --example solutions -- 7
//! and it serves at 127.0.0.1:8090, or where the variable ADDRESS says. Ctrl-C stops.
//!
//! `cargo test --test stages` judges all twelve. `wrong.rs` has for each stage a program that must not pass, so that the
//! tests can show that they see the difference: `solutions -- wrong 7`.

use std::{env, io};

mod stage_01;
mod stage_02;
mod stage_03;
mod stage_04;
mod stage_05;
mod stage_06;
mod stage_07;
mod stage_08;
mod stage_09;
mod stage_10;
mod stage_11;
mod stage_12;
mod wrong;

/// What a stage is: it serves at this address, until it is ended.
type Stage = fn(&str) -> io::Result<()>;

const STAGES: [Stage; 12] = [
    stage_01::run,
    stage_02::run,
    stage_03::run,
    stage_04::run,
    stage_05::run,
    stage_06::run,
    stage_07::run,
    stage_08::run,
    stage_09::run,
    stage_10::run,
    stage_11::run,
    stage_12::run,
];

fn main() -> io::Result<()> {
    let address = env::var("ADDRESS").unwrap_or_else(|_| "127.0.0.1:8090".to_owned());
    let words: Vec<_> = env::args().skip(1).collect();
    let (stages, number) = match &words[..] {
        [number] => (STAGES, number),
        [wrong, number] if wrong == "wrong" => (wrong::STAGES, number),
        _ => return usage(),
    };
    let stage = number.parse::<usize>().ok().and_then(|number| stages.get(number.checked_sub(1)?));
    stage.map_or_else(usage, |stage| stage(&address))
}

fn usage() -> io::Result<()> {
    Err(io::Error::new(io::ErrorKind::InvalidInput, "solutions [wrong] NUMBER, from 1 to 12"))
}
