//! Peers, handlers and disks that mean no good, or have no luck, over real sockets; each with a number.
//!
//! | who | how many | what must hold | where |
//! |---|---|---|---|
//! | slow heads, one byte a second | 1,000 | 408 and gone (`head_timeout`) | [`slow`] |
//! | slow bodies, one byte a second | 1,000 | 408 and gone (`min_body_rate`) | [`slow`] |
//! | slow readers, one byte a second | 1,000 | gone (`write_timeout`), never a whole answer | [`slow`] |
//! | readers of 10 KB a second | 100 | gone (`min_write_rate`) | [`slow`] |
//! | handlers that never answer | 1,000 | 503 (`handler_timeout`) | [`handlers`] |
//! | workers that never come back | 4, and 100 who wait | 503 at once (`worker_queue`) | [`handlers`] |
//! | idle connections | 10,000 | held, under 1 KiB each, then gone (`idle_timeout`) | [`process`] |
//! | readers of nothing | 32, with 50 answers of 256 MiB each | memory grows by less than 4 MiB | [`process`] |
//! | resets | 3 times 3,000, at eight moments | nothing is left of them | [`process`] |
//! | descriptors | 40, and 80 clients | 503 for a file; as before when they are back | [`process`] |
//! | handlers that panic | 500 of 1,000 | 500 each, and nobody else | [`handlers`] |
//! | half-close | 5 kinds of answers, 100 small and 2 large each | the answer arrives | [`leaving`] |
//! | ends and resets in a body | 4 kinds, 100 each | the handler is never asked | [`leaving`] |
//! | files that change while they are sent | 7 changes, 4 slow readers each | never a wrong byte count | [`files`] |
//! | disks that fail | 12 ways, 100 requests each | a status, or a cut; the server goes on | [`files`] |
//! | each limit | a row each | the right status, and a log line that names the setting | [`limits`] |
//!
//! In the first seven rows a normal client is served meanwhile: its median must stay under 100 ms.
//!
//! What is elsewhere: the contracts of the loop, among them 150 clients for 64 descriptors, 5,000 idle clients that own no
//! buffer, and floods, in `contracts.rs`; malformed requests and deadlines to the nanosecond in `http1.rs` (without
//! sockets); how many answers may wait (`pipeline_depth`) there, too; `max_connections_per_address` beside its code, since
//! it has no meaning for loopback.
//!
//! A client that drips has to sleep. Nobody else does.

mod common;
#[path = "hostile/files.rs"]
mod files;
#[path = "hostile/handlers.rs"]
mod handlers;
#[path = "hostile/leaving.rs"]
mod leaving;
#[path = "hostile/limits.rs"]
mod limits;
#[cfg(target_os = "linux")]
#[path = "hostile/process.rs"]
mod process;
#[path = "hostile/slow.rs"]
mod slow;
#[path = "hostile/support.rs"]
mod support;
