//! Replays what the fuzz targets began with (`fuzz/seeds`) and what they have found (`fuzz/regressions`), without a fuzzer.
//!
//! The promises are those of `fuzz/invariants`, the very same functions. A panic anywhere counts, also one that the server
//! would contain and answer with 500: a fuzzer would have stopped at it, too.

#[path = "../fuzz/invariants/mod.rs"]
mod invariants;

use std::cell::Cell;
use std::fs;
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::sync::Once;

#[test]
fn any_bytes_lead_to_whole_answers_however_they_are_cut() {
    replay("http1_session", invariants::http1_session);
}

#[test]
fn a_chunked_body_is_what_the_grammar_says_or_is_refused() {
    replay("chunked", invariants::chunked);
}

#[test]
fn a_chunked_body_is_the_same_where_it_is_read_while_it_arrives() {
    replay("chunked", invariants::streamed);
}

#[cfg(unix)]
#[test]
fn no_path_leads_out_of_the_folder() {
    replay("target", invariants::target);
}

#[test]
fn conditions_and_ranges_are_answered_with_the_right_bytes() {
    replay("conditional", invariants::conditional);
}

#[test]
fn cookies_are_read_as_they_were_sent() {
    replay("cookies", invariants::cookies);
}

#[test]
fn a_date_means_the_same_in_all_its_forms_and_fields() {
    replay("dates", invariants::dates);
}

#[test]
fn all_ways_to_look_at_fields_agree() {
    replay("fields", invariants::fields);
}

#[test]
fn a_websocket_says_whole_frames_and_one_goodbye_however_the_bytes_are_cut() {
    replay("websocket", invariants::websocket);
}

/// Fewer would mean that the folder has moved.
const FEWEST_SEEDS: usize = 20;

fn replay(target: &str, invariant: fn(&[u8])) {
    count_panics();
    let seeds = files("seeds", target);
    assert!(seeds.len() >= FEWEST_SEEDS, "only {} seeds for {target}", seeds.len());
    let mut broken = Vec::new();
    for path in seeds.into_iter().chain(files("regressions", target)) {
        let data = fs::read(&path).unwrap();
        PANICS.set(0);
        let _ = panic::catch_unwind(AssertUnwindSafe(|| invariant(&data)));
        if PANICS.get() > 0 {
            broken.push(path.display().to_string());
        }
    }
    assert!(broken.is_empty(), "the reasons are above; broken by\n{}", broken.join("\n"));
}

fn files(kind: &str, target: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz").join(kind).join(target);
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

thread_local! {
    static PANICS: Cell<usize> = const { Cell::new(0) };
}

/// All of them are on this thread: a `TestConn` has no other.
fn count_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let print = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            PANICS.set(PANICS.get() + 1);
            print(info);
        }));
    });
}
