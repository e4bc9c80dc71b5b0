//! What must hold for any bytes: a function for each fuzz target.
//!
//! The same functions are called by libFuzzer (`fuzz_targets/`), which looks for bytes that break them, and by an ordinary
//! test (`tests/fuzz_regressions.rs`), which replays the seeds and what was found before. A broken promise is a panic.
//!
//! Everything goes through the public API of the library. What is compared with is written anew here, plainly and
//! strictly: [`grammar`] reads fields and chunks, [`requests`] reads requests, [`answers`] answers. `tests/properties/`
//! uses the same readers.

#![allow(dead_code, unused_imports, reason = "each fuzz target is a crate of its own and uses one of these")]

pub(crate) mod answers;
mod chunked;
mod conditional;
mod cookies;
mod dates;
mod fields;
pub(crate) mod grammar;
mod http1_session;
pub(crate) mod requests;
// Its folder has links and names that other systems do not know.
#[cfg(unix)]
mod target;
mod websocket;

pub(crate) use self::chunked::{chunked, streamed};
pub(crate) use self::conditional::conditional;
pub(crate) use self::cookies::cookies;
pub(crate) use self::dates::dates;
pub(crate) use self::fields::fields;
pub(crate) use self::http1_session::http1_session;
#[cfg(unix)]
pub(crate) use self::target::target;
pub(crate) use self::websocket::websocket;

/// Writes every log line out and throws it away, so that the formatting of what clients sent is under test.
pub(crate) fn log_everything() {
    struct Sink;

    impl log::Log for Sink {
        fn enabled(&self, _: &log::Metadata<'_>) -> bool {
            true
        }

        fn log(&self, record: &log::Record<'_>) {
            let line = record.args().to_string();
            // What other crates say, at level trace, is theirs to escape.
            let is_ours = record.target().starts_with("qibu");
            assert!(!is_ours || !line.contains(['\r', '\n', '\u{1b}']), "a client can forge log lines: {line:?}");
        }

        fn flush(&self) {}
    }

    if log::set_logger(&Sink).is_ok() {
        log::set_max_level(log::LevelFilter::Trace);
    }
}

/// Bytes for a message.
pub(crate) fn text(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}
