//! A seeded simulation of a whole loop: the real turns, connections, sessions, mailbox and deadlines, over transports of
//! memory that fail as real ones do. README.md beside this file says what holds after every step and how to replay a seed.
//!
//! ```text
//!   script ──► world ──► TestLoop (the server) ──► parser ──► check
//!   what is said  when, and what goes wrong       what came   is it right?
//! ```

mod check;
mod found;
mod parser;
mod plants;
mod script;
mod server;
mod world;

use std::collections::VecDeque;
use std::env;
use std::panic::{AssertUnwindSafe, catch_unwind};

use self::check::Complaint;
use self::world::{STEPS_PER_WORLD, Tally, World};

/// How many steps a plain `cargo test` does, on seeds that nobody has tried.
const FRESH_STEPS: usize = 30_000;

/// Worlds that once found something. They are others whenever the dice fall in another order.
const KNOWN_SEEDS: [u64; 7] = [
    1,
    12,
    54,
    10_261_738_814_750_448_730,
    12_692_117_911_566_283_202,
    13_749_727_138_670_977_673,
    14_011_281_516_939_443_918,
];

/// How much of what happened is told when a world fails.
const STORY_LINES: usize = 120;

#[test]
fn known_worlds_hold() {
    for seed in KNOWN_SEEDS {
        judge(seed);
    }
}

/// QIBU_SIM_STEPS says how many steps, QIBU_SIM_SEED where to begin: the first world has that seed.
#[test]
fn fresh_worlds_hold() {
    let steps = number_from("QIBU_SIM_STEPS").unwrap_or(FRESH_STEPS as u64);
    let first = number_from("QIBU_SIM_SEED").unwrap_or_else(|| fastrand::u64(..));
    let worlds = steps.div_ceil(STEPS_PER_WORLD as u64);
    println!("simulation: {worlds} worlds of {STEPS_PER_WORLD} steps, from QIBU_SIM_SEED={first}");
    let tallies = (0..worlds).map(|index| judge(first.wrapping_add(index)));
    let Tally { steps, clients, answers } = tallies.fold(Tally::default(), |sum, one| Tally {
        steps: sum.steps + one.steps,
        clients: sum.clients + one.clients,
        answers: sum.answers + one.answers,
    });
    println!("simulation: {steps} steps, {clients} clients, {answers} answers, all of them right");
}

fn number_from(variable: &str) -> Option<u64> {
    env::var(variable).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{variable}={text} is no number")))
}

/// Lets one world happen. If it fails it happens again, exactly so, and its story is told.
fn judge(seed: u64) -> Tally {
    let complaint = match attempt(seed, None).0 {
        Ok(tally) => return tally,
        Err(complaint) => complaint,
    };
    let story = attempt(seed, Some(VecDeque::new())).1;
    let told: Vec<_> = story.iter().rev().take(STORY_LINES).rev().map(String::as_str).collect();
    panic!("{complaint}\n\n{}\n\nQIBU_SIM_SEED={seed} QIBU_SIM_STEPS=1 replays it: {complaint}", told.join("\n"));
}

/// What a world came to, and its story.
fn attempt(seed: u64, story: Option<VecDeque<String>>) -> (Result<Tally, Complaint>, Vec<String>) {
    let mut world = World::new(seed, story);
    let outcome = catch_unwind(AssertUnwindSafe(|| world.run()));
    let outcome = outcome.unwrap_or_else(|_| Err("something panicked".into()));
    (outcome, world.story().cloned().collect())
}
