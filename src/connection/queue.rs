//! What waits to be sent, in order.
//!
//! Small things (heads, short bodies, chunk sizes) are copied one behind the other into one buffer, so that a head and
//! its body, or the answers to a pipeline, leave in one write. Large bodies stay where they are: [`Segment::Bytes`] by
//! reference, [`Segment::File`] in the file. The transport takes from the front.

use std::collections::VecDeque;
use std::io::IoSlice;
use std::mem;

use bytes::{Buf, Bytes};

use crate::message::FileSlice;

/// Up to so many bytes, a copy is cheaper than a segment of its own.
pub(super) const COPY_AT_MOST_BYTES: usize = 4 * 1024;

/// So many bytes in memory are enough: the session pauses until the client has taken them.
const HIGH_WATER_BYTES: usize = 64 * 1024;

/// A head waits in the kernel for a file that is shorter. Before a longer one it is better gone: its packets are as many as
/// before, and sent early they are taken by the peer while we still send. (1 MiB on loopback: 90 µs instead of 300.)
pub(super) const WAITS_FOR_FILE_BYTES: u64 = 128 * 1024;

/// How many pieces one write takes at most.
pub(crate) const SLICES_PER_WRITE: usize = 16;

/// One thing in the queue.
#[derive(Debug)]
enum Segment {
    /// So many bytes of [`Queue::copied`].
    Copied(usize),
    Bytes(Bytes),
    File(FileSlice),
}

/// What waits, and the memory it waits in.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    /// What stands before the tail; nothing, as a rule.
    segments: VecDeque<Segment>,
    /// The bytes of all [`Segment::Copied`], in order, from `copied_start` on, and then those of the tail.
    copied: Vec<u8>,
    copied_start: usize,
    /// So many bytes at the end of `copied` stand behind all segments: heads and short bodies need no segment.
    tail: usize,
    /// Bytes held by [`Segment::Bytes`].
    referenced: usize,
    files: usize,
    /// How many bytes of the first file in the queue are known to be in the system's memory.
    warm: u64,
}

/// What stands at the front of the queue.
pub(crate) enum Front<'a> {
    Nothing,
    /// They are all that waits.
    Bytes(&'a [u8]),
    /// Bytes in memory, as [`Queue::slices`]; `more` if a file that is not large stands behind them.
    Pieces {
        more: More,
    },
    /// So many bytes of it are known to be `warm`; who finds out more, says so.
    File {
        slice: &'a FileSlice,
        warm: &'a mut u64,
    },
}

/// Whether what follows shall leave in the same packet (`MSG_MORE`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum More {
    Follows,
    Nothing,
}

impl Queue {
    pub(super) fn put(&mut self, bytes: &[u8]) {
        self.copied.extend_from_slice(bytes);
        self.tail += bytes.len();
    }

    /// Lets `write` append bytes in place.
    pub(super) fn put_with(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let before = self.copied.len();
        write(&mut self.copied);
        self.tail += self.copied.len() - before;
    }

    pub(super) fn put_bytes(&mut self, bytes: Bytes) {
        if bytes.len() <= COPY_AT_MOST_BYTES {
            return self.put(&bytes);
        }
        self.referenced += bytes.len();
        self.push(Segment::Bytes(bytes));
    }

    pub(super) fn put_vec(&mut self, bytes: Vec<u8>) {
        match bytes.len() {
            ..=COPY_AT_MOST_BYTES => self.put(&bytes),
            _ => self.put_bytes(bytes.into()),
        }
    }

    /// Queues a stretch of a file, of which so many bytes are known to be in the system's memory.
    pub(super) fn put_file(&mut self, slice: FileSlice, warm: u64) {
        if slice.length > 0 {
            if self.files == 0 {
                self.warm = warm;
            }
            self.files += 1;
            self.push(Segment::File(slice));
        }
    }

    /// Puts it behind the tail, which is none any more.
    fn push(&mut self, segment: Segment) {
        if self.tail > 0 {
            self.segments.push_back(Segment::Copied(mem::take(&mut self.tail)));
        }
        self.segments.push_back(segment);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.tail == 0 && self.segments.is_empty()
    }

    /// Bytes held in memory; what lies in files does not count.
    pub(super) fn memory(&self) -> usize {
        self.copied.len() - self.copied_start + self.referenced
    }

    /// How much is queued, in bytes, wherever it lies.
    pub(super) fn length(&self) -> u64 {
        let files = self.segments.iter().map(|segment| match segment {
            Segment::File(slice) => slice.length,
            Segment::Copied(_) | Segment::Bytes(_) => 0,
        });
        self.memory() as u64 + files.sum::<u64>()
    }

    /// How many bytes of memory it owns or keeps alive.
    pub(super) fn capacity(&self) -> usize {
        self.copied.capacity() + self.segments.capacity() * size_of::<Segment>() + self.referenced
    }

    /// A queued file counts as full: a peer that pipelines without reading shall not hold many of them open.
    pub(super) fn is_full(&self) -> bool {
        self.files > 0 || self.memory() >= HIGH_WATER_BYTES
    }

    #[inline]
    pub(super) fn front(&mut self) -> Front<'_> {
        match self.segments.front() {
            None if self.tail == 0 => Front::Nothing,
            None => Front::Bytes(&self.copied[self.copied_start..]),
            Some(Segment::File(slice)) => Front::File { slice, warm: &mut self.warm },
            Some(_) => Front::Pieces { more: self.more() },
        }
    }

    fn more(&self) -> More {
        let waits = |segment: &Segment| matches!(segment, Segment::File(file) if file.length < WAITS_FOR_FILE_BYTES);
        if self.segments.iter().any(waits) { More::Follows } else { More::Nothing }
    }

    /// The bytes at the front, up to the first file; returns how many slices were filled.
    pub(super) fn slices<'a>(&'a self, slices: &mut [IoSlice<'a>; SLICES_PER_WRITE]) -> usize {
        let (mut count, mut at) = (0, self.copied_start);
        for (segment, slice) in self.segments.iter().zip(slices.iter_mut()) {
            *slice = match segment {
                Segment::Copied(length) => {
                    at += length;
                    IoSlice::new(&self.copied[at - length..at])
                }
                Segment::Bytes(bytes) => IoSlice::new(bytes),
                Segment::File(_) => return count,
            };
            count += 1;
        }
        if let Some(slice) = slices.get_mut(count)
            && self.tail > 0
        {
            *slice = IoSlice::new(&self.copied[at..]);
            count += 1;
        }
        count
    }

    /// The transport has sent `count` bytes from the front.
    #[inline]
    pub(super) fn advance(&mut self, mut count: usize) {
        while count > 0 && !self.segments.is_empty() {
            count -= self.advance_segment(count);
        }
        let taken = count.min(self.tail);
        self.tail -= taken;
        self.copied_start += taken;
        self.reuse_room();
    }

    /// The same as far as the segment at the front goes; returns how far that is.
    fn advance_segment(&mut self, count: usize) -> usize {
        let Some(front) = self.segments.front_mut() else { return 0 };
        let (taken, is_done) = match front {
            Segment::Copied(length) => {
                let taken = count.min(*length);
                *length -= taken;
                self.copied_start += taken;
                (taken, *length == 0)
            }
            Segment::Bytes(bytes) => {
                let taken = count.min(bytes.len());
                bytes.advance(taken);
                self.referenced -= taken;
                (taken, bytes.is_empty())
            }
            Segment::File(slice) => {
                let taken = slice.length.min(count as u64);
                slice.offset += taken;
                slice.length -= taken;
                self.warm = self.warm.saturating_sub(taken);
                (usize::try_from(taken).expect("at most count"), slice.length == 0)
            }
        };
        if is_done {
            self.pop();
        }
        taken
    }

    fn pop(&mut self) {
        if let Some(Segment::File(_)) = self.segments.pop_front() {
            self.files -= 1;
            self.warm = 0;
        }
    }

    /// The file at the front, if one is there.
    pub(super) fn file(&self) -> Option<&FileSlice> {
        match self.segments.front()? {
            Segment::File(slice) => Some(slice),
            Segment::Copied(_) | Segment::Bytes(_) => None,
        }
    }

    /// So many bytes of the file at the front have been read by a worker.
    pub(super) fn warm(&mut self, bytes: u64) {
        if self.file().is_some() {
            self.warm = bytes;
        }
    }

    /// The room of bytes that were sent is used again before the buffer grows.
    fn reuse_room(&mut self) {
        if self.copied_start == self.copied.len() {
            self.copied.clear();
            self.copied_start = 0;
        } else if self.copied_start > HIGH_WATER_BYTES {
            self.copied.drain(..self.copied_start);
            self.copied_start = 0;
        }
    }
}
