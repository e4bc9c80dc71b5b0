//! Which small files this loop was sending a moment ago: the system has not forgotten them since, and need not be asked
//! ([`disk::warm_length`](crate::disk::warm_length)). A file that many ask for then costs one question in a second.

use std::cell::Cell;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::message::FileSlice;

/// One per loop. What finds its place taken takes it: then one question more is asked.
pub(crate) struct SentLately {
    places: [Cell<Option<Sent>>; PLACES],
}

#[derive(Debug, Clone, Copy)]
struct Sent {
    /// Its address. If another file has it later, that one is sent without a question, once in a lifetime.
    file: usize,
    offset: u64,
    length: u64,
    until: Instant,
}

const PLACES: usize = 64;

/// Of a larger stretch the question costs little beside the sending.
const SMALL_BYTES: u64 = 512 * 1024;

/// So long the system is trusted to remember.
const MOMENT: Duration = Duration::from_secs(1);

impl SentLately {
    pub(crate) fn new() -> Self {
        Self { places: [const { Cell::new(None) }; PLACES] }
    }

    /// Notes that the stretch is about to be sent. Returns how much of it was sent a moment ago: all, or nothing.
    pub(crate) fn note(&self, slice: &FileSlice, now: Instant) -> u64 {
        if slice.length > SMALL_BYTES {
            return 0;
        }
        let (file, offset, length) = (address(slice), slice.offset, slice.length);
        let place = self.place(slice);
        let is_it = |sent: &Sent| (sent.file, sent.offset, sent.length) == (file, offset, length);
        if place.get().is_some_and(|sent| is_it(&sent) && now < sent.until) {
            return length;
        }
        place.set(Some(Sent { file, offset, length, until: now + MOMENT }));
        0
    }

    /// It was not sent: it lies on the disk.
    pub(crate) fn forget(&self, slice: &FileSlice) {
        self.place(slice).set(None);
    }

    fn place(&self, slice: &FileSlice) -> &Cell<Option<Sent>> {
        &self.places[(address(slice) >> 4) % PLACES]
    }
}

fn address(slice: &FileSlice) -> usize {
    Arc::as_ptr(&slice.file).addr()
}

impl fmt::Debug for SentLately {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SentLately").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_file_is_known_for_a_moment_unless_it_was_not_sent() {
        let (lately, now) = (SentLately::new(), Instant::now());
        let slice = FileSlice::new(tempfile::tempfile().unwrap(), 0..1000);
        assert_eq!(lately.note(&slice, now), 0);
        assert_eq!(lately.note(&slice, now + MOMENT / 2), 1000);
        assert_eq!(lately.note(&slice, now + MOMENT), 0, "it is asked for again, however often it is sent");
        assert_eq!(lately.note(&slice, now + MOMENT), 1000);
        lately.forget(&slice);
        assert_eq!(lately.note(&slice, now + MOMENT), 0);
    }

    #[test]
    fn another_stretch_and_another_file_are_not_known() {
        let (lately, now) = (SentLately::new(), Instant::now());
        let slice = FileSlice::new(tempfile::tempfile().unwrap(), 0..1000);
        lately.note(&slice, now);
        for range in [0..999, 1..1000, 0..1001] {
            assert_eq!(lately.note(&FileSlice::new(slice.file.clone(), range), now), 0);
        }
        lately.note(&slice, now);
        assert_eq!(lately.note(&FileSlice::new(tempfile::tempfile().unwrap(), 0..1000), now), 0);
        let large = FileSlice::new(slice.file, 0..SMALL_BYTES + 1);
        assert_eq!((lately.note(&large, now), lately.note(&large, now)), (0, 0));
    }
}
