//! What has changed, told to all pages that listen.
//!
//! A version is a name for the state of everything that is watched: when this server was started, and how many changes it
//! has seen since. A page is sent with the version of its time; its event stream begins with the version of its own time.
//!
//! Pattern: Observer.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use crate::handler::sse::{self, Broadcast, Event};
use crate::message::Response;

/// The version, and who wants to know of the next.
pub(super) struct News {
    /// Nanoseconds since 1970 when this server was started, in hexadecimal.
    start: String,
    changes: Mutex<u64>,
    stream: Broadcast,
}

/// How soon a page comes back when its stream has ended: a server that is started anew is there in a moment.
const RETRY: Duration = Duration::from_millis(500);

/// How many bytes of events wait for a slow page, at most. If there are more, it comes back and reloads.
const CAPACITY_BYTES: usize = 64 * 1024;

/// More paths than this are not told one by one.
const MOST_PATHS: usize = 100;

impl News {
    pub(super) fn new() -> Self {
        let start = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Self {
            start: format!("{:x}", start.as_nanos()),
            changes: Mutex::new(0),
            stream: Broadcast::new(CAPACITY_BYTES),
        }
    }

    pub(super) fn version(&self) -> String {
        self.version_of(*self.lock())
    }

    /// The stream of changes for one more page.
    pub(super) fn subscribe(&self) -> Response {
        let (sender, response) = sse::channel(CAPACITY_BYTES);
        // While it is locked, no change can come between what is said here and what will be said.
        let changes = self.lock();
        let hello = Event::new(self.version_of(*changes)).named("hello").retry(RETRY);
        if sender.try_send(hello).is_ok() {
            self.stream.add(sender);
        }
        response
    }

    /// Tells all pages of changes at these paths.
    pub(super) fn announce(&self, paths: BTreeSet<String>) {
        let paths = told(paths);
        let mut changes = self.lock();
        *changes += 1;
        self.stream.send(Event::new(paths).named("change").id(self.version_of(*changes)));
    }

    fn version_of(&self, changes: u64) -> String {
        format!("{}.{changes:x}", self.start)
    }

    fn lock(&self) -> MutexGuard<'_, u64> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The paths, a line each. A page that is told of the root reloads, whatever else there was.
fn told(paths: BTreeSet<String>) -> String {
    if paths.len() > MOST_PATHS { "/".into() } else { paths.into_iter().collect::<Vec<_>>().join("\n") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_paths_are_told_as_one() {
        let paths = |count: usize| (0..count).map(|number| format!("/{number}.css")).collect();
        assert_eq!(told(paths(2)), "/0.css\n/1.css");
        assert_eq!(told(paths(MOST_PATHS)).lines().count(), MOST_PATHS);
        assert_eq!(told(paths(MOST_PATHS + 1)), "/");
    }
}
