//! What waits to be sent, in order.
//!
//! Small things (heads, short bodies, chunk sizes) are copied one behind the other into one buffer, so that a head and
//! its body, or the answers to a pipeline, leave in one write. Large bodies stay where they are: [`Segment::Bytes`] by
//! reference, [`Segment::File`] in the file. The transport takes from the front.

use std::collections::VecDeque;
use std::io::IoSlice;

use bytes::{Buf, Bytes};
use http::StatusCode;

use super::receipts::Receipts;
use crate::message::{Fate, FileSlice};

/// Up to so many bytes, a copy is cheaper than a segment of its own.
const COPY_AT_MOST_BYTES: usize = 4 * 1024;

/// So many bytes in memory are enough: the session pauses until the client has taken them.
const HIGH_WATER_BYTES: usize = 64 * 1024;

/// Memory that grew over this is not kept for the next answer.
const KEEP_AT_MOST_BYTES: usize = 64 * 1024;

/// A head waits in the kernel for a file that is shorter. Before a longer one it is better gone: its packets are as many as
/// before, and sent early they are taken by the peer while we still send. (1 MiB on loopback: 90 µs instead of 300.)
const WAITS_FOR_FILE_BYTES: u64 = 128 * 1024;

/// How many pieces one write takes at most.
pub(crate) const SLICES_PER_WRITE: usize = 16;

/// One thing in the queue.
#[derive(Debug)]
enum Segment {
    /// So many bytes of [`Room::copied`].
    Copied(usize),
    Bytes(Bytes),
    File(FileSlice),
}

/// The queue between the session and the transport.
#[derive(Debug, Default)]
pub(crate) struct Output {
    room: Room,
    copied_start: usize,
    /// Bytes held by [`Segment::Bytes`].
    referenced: usize,
    files: usize,
    /// How many bytes of the first file in the queue are known to be in the system's memory.
    warm: u64,
    /// Bytes that the transport has taken since the connection began.
    sent: u64,
    receipts: Receipts,
}

/// The memory of an output. The loop lends it to the client whose turn it is, so an idle client owns none and an answer needs
/// no allocation.
#[derive(Debug, Default)]
pub(crate) struct Room {
    segments: VecDeque<Segment>,
    /// The bytes of all [`Segment::Copied`], in order, from `copied_start` on.
    copied: Vec<u8>,
}

impl Room {
    /// How many bytes of memory it is.
    fn capacity(&self) -> usize {
        self.copied.capacity() + self.segments.capacity() * size_of::<Segment>()
    }
}

/// What stands at the front of the queue.
pub(crate) enum Front<'a> {
    Nothing,
    /// Bytes follow one another in memory; `more` if a file that is not large stands behind them.
    Bytes {
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

impl Output {
    pub(crate) fn put(&mut self, bytes: &[u8]) {
        self.room.copied.extend_from_slice(bytes);
        self.account_copied(bytes.len());
    }

    /// Lets `write` append bytes in place.
    pub(crate) fn put_with(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let before = self.room.copied.len();
        write(&mut self.room.copied);
        self.account_copied(self.room.copied.len() - before);
    }

    pub(crate) fn put_bytes(&mut self, bytes: Bytes) {
        if bytes.len() <= COPY_AT_MOST_BYTES {
            return self.put(&bytes);
        }
        self.referenced += bytes.len();
        self.room.segments.push_back(Segment::Bytes(bytes));
    }

    pub(crate) fn put_vec(&mut self, bytes: Vec<u8>) {
        match bytes.len() {
            ..=COPY_AT_MOST_BYTES => self.put(&bytes),
            _ => self.put_bytes(bytes.into()),
        }
    }

    /// Queues a stretch of a file, of which so many bytes are known to be in the system's memory.
    pub(crate) fn put_file(&mut self, slice: FileSlice, warm: u64) {
        if slice.length > 0 {
            if self.files == 0 {
                self.warm = warm;
            }
            self.files += 1;
            self.room.segments.push_back(Segment::File(slice));
        }
    }

    /// What is queued next is the body of an answer: `fate` is told how much of it is sent.
    pub(crate) fn begin_receipt(&mut self, status: StatusCode, fate: Fate) {
        let begin = self.end();
        self.receipts.begin(status, begin, fate);
    }

    /// All of that body is queued.
    pub(crate) fn end_receipt(&mut self) {
        if !self.receipts.is_empty() {
            self.receipts.end(self.end(), self.sent);
        }
    }

    /// Where what is queued ends, in bytes since the connection began.
    fn end(&self) -> u64 {
        let files = self.room.segments.iter().map(|segment| match segment {
            Segment::File(slice) => slice.length,
            Segment::Copied(_) | Segment::Bytes(_) => 0,
        });
        self.sent + self.memory() as u64 + files.sum::<u64>()
    }

    fn account_copied(&mut self, count: usize) {
        match self.room.segments.back_mut() {
            _ if count == 0 => {}
            Some(Segment::Copied(length)) => *length += count,
            _ => self.room.segments.push_back(Segment::Copied(count)),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.room.segments.is_empty()
    }

    /// Bytes held in memory; what lies in files does not count.
    pub(crate) fn memory(&self) -> usize {
        self.room.copied.len() - self.copied_start + self.referenced
    }

    /// How many bytes of memory it owns or keeps alive.
    pub(crate) fn capacity(&self) -> usize {
        self.room.capacity() + self.referenced
    }

    /// A queued file counts as full: a peer that pipelines without reading shall not hold many of them open.
    pub(crate) fn is_full(&self) -> bool {
        self.files > 0 || self.memory() >= HIGH_WATER_BYTES
    }

    /// All bytes that were ever sent on this connection; it moves as long as the peer reads.
    pub(crate) fn sent(&self) -> u64 {
        self.sent
    }

    /// Makes `spare` (empty, with room) its memory, if it has none.
    pub(crate) fn borrow(&mut self, spare: &mut Room) {
        if self.room.capacity() == 0 {
            self.room = std::mem::take(spare);
        }
    }

    /// Gives its memory away if nothing is in it.
    pub(crate) fn give_back(&mut self, spare: &mut Room) {
        if !self.is_empty() {
            return;
        }
        self.receipts.release();
        if self.room.capacity() > spare.capacity() && self.room.capacity() <= KEEP_AT_MOST_BYTES {
            std::mem::swap(&mut self.room, spare);
        }
        if self.room.capacity() > 0 {
            self.room = Room::default();
        }
    }

    pub(crate) fn front(&mut self) -> Front<'_> {
        let more = if self.files > 0 { self.more() } else { More::Nothing };
        match self.room.segments.front() {
            None => Front::Nothing,
            Some(Segment::File(slice)) => Front::File { slice, warm: &mut self.warm },
            Some(_) => Front::Bytes { more },
        }
    }

    fn more(&self) -> More {
        let waits = |segment: &Segment| matches!(segment, Segment::File(file) if file.length < WAITS_FOR_FILE_BYTES);
        if self.room.segments.iter().any(waits) { More::Follows } else { More::Nothing }
    }

    /// The bytes at the front, up to the first file; returns how many slices were filled.
    pub(crate) fn slices<'a>(&'a self, slices: &mut [IoSlice<'a>; SLICES_PER_WRITE]) -> usize {
        let (mut count, mut at) = (0, self.copied_start);
        for (segment, slice) in self.room.segments.iter().zip(slices) {
            *slice = match segment {
                Segment::Copied(length) => {
                    at += length;
                    IoSlice::new(&self.room.copied[at - length..at])
                }
                Segment::Bytes(bytes) => IoSlice::new(bytes),
                Segment::File(_) => break,
            };
            count += 1;
        }
        count
    }

    /// The transport has sent `count` bytes from the front.
    pub(crate) fn advance(&mut self, mut count: usize) {
        self.sent += count as u64;
        while count > 0 {
            let Some(front) = self.room.segments.front_mut() else { break };
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
            count -= taken;
        }
        self.reuse_room();
        if !self.receipts.is_empty() {
            self.receipts.tell(self.sent);
        }
    }

    fn pop(&mut self) {
        if let Some(Segment::File(_)) = self.room.segments.pop_front() {
            self.files -= 1;
            self.warm = 0;
        }
    }

    /// The file at the front, if one is there.
    pub(crate) fn file(&self) -> Option<&FileSlice> {
        match self.room.segments.front()? {
            Segment::File(slice) => Some(slice),
            Segment::Copied(_) | Segment::Bytes(_) => None,
        }
    }

    /// So many bytes of the file at the front have been read by a worker.
    pub(crate) fn warm(&mut self, bytes: u64) {
        if self.file().is_some() {
            self.warm = bytes;
        }
    }

    /// The room of bytes that were sent is used again before the buffer grows.
    fn reuse_room(&mut self) {
        if self.copied_start == self.room.copied.len() {
            self.room.copied.clear();
            self.copied_start = 0;
        } else if self.copied_start > HIGH_WATER_BYTES {
            self.room.copied.drain(..self.copied_start);
            self.copied_start = 0;
        }
    }
}

/// The client has gone, or has all that it gets.
impl Drop for Output {
    fn drop(&mut self) {
        self.receipts.close(self.sent);
    }
}

#[cfg(test)]
mod tests;
