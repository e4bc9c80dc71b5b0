//! What a client is sent: the queue between its session and its transport, and how far it has come.
//!
//! The queue belongs to the loop, which lends it to the client whose turn it is. A client keeps it only while something waits
//! in it, so an idle client owns none, and an answer needs no allocation.

use std::io::IoSlice;

use bytes::Bytes;
use http::StatusCode;

pub(crate) use super::queue::{Front, More, Queue, SLICES_PER_WRITE};
use super::receipts::Receipts;
use crate::message::{Fate, FileSlice};

/// What is queued for one client, and what it has got.
#[derive(Debug, Default)]
pub(crate) struct Output {
    /// `None` where nothing waits, or may.
    queue: Option<Box<Queue>>,
    /// Bytes that the transport has taken since the connection began.
    sent: u64,
    receipts: Receipts,
}

/// A queue that the loop has to lend, if nobody keeps it.
pub(crate) type Spare = Option<Box<Queue>>;

/// Memory that grew over this is not kept for the next answer.
const KEEP_AT_MOST_BYTES: usize = 64 * 1024;

impl Output {
    fn queue(&mut self) -> &mut Queue {
        self.queue.get_or_insert_default()
    }

    pub(crate) fn put(&mut self, bytes: &[u8]) {
        self.queue().put(bytes);
    }

    /// Lets `write` append bytes in place.
    pub(crate) fn put_with(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        self.queue().put_with(write);
    }

    pub(crate) fn put_bytes(&mut self, bytes: Bytes) {
        self.queue().put_bytes(bytes);
    }

    /// The same for bytes that nobody else has.
    pub(crate) fn put_vec(&mut self, bytes: Vec<u8>) {
        self.queue().put_vec(bytes);
    }

    /// Queues a stretch of a file, of which so many bytes are known to be in the system's memory.
    pub(crate) fn put_file(&mut self, slice: FileSlice, warm: u64) {
        self.queue().put_file(slice, warm);
    }

    /// What is queued next is the body of an answer: `fate` is told how much of it is sent.
    pub(crate) fn begin_receipt(&mut self, status: StatusCode, fate: Fate) {
        let begin = self.end();
        self.receipts.begin(status, begin, fate);
    }

    /// All of that body is queued.
    #[inline]
    pub(crate) fn end_receipt(&mut self) {
        if !self.receipts.is_empty() {
            self.receipts.end(self.end(), self.sent);
        }
    }

    /// Where what is queued ends, in bytes since the connection began.
    fn end(&self) -> u64 {
        self.sent + self.queue.as_ref().map_or(0, |queue| queue.length())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.queue.as_ref().is_none_or(|queue| queue.is_empty())
    }

    /// Bytes held in memory; what lies in files does not count.
    pub(crate) fn memory(&self) -> usize {
        self.queue.as_ref().map_or(0, |queue| queue.memory())
    }

    /// How many bytes of memory it owns or keeps alive.
    pub(crate) fn capacity(&self) -> usize {
        self.queue.as_ref().map_or(0, |queue| queue.capacity())
    }

    /// A queued file counts as full: a peer that pipelines without reading shall not hold many of them open.
    pub(crate) fn is_full(&self) -> bool {
        self.queue.as_ref().is_some_and(|queue| queue.is_full())
    }

    /// All bytes that were ever sent on this connection; it moves as long as the peer reads.
    pub(crate) fn sent(&self) -> u64 {
        self.sent
    }

    /// Takes the loop's queue, if it has none.
    pub(crate) fn borrow(&mut self, spare: &mut Spare) {
        if self.queue.is_none() {
            self.queue = spare.take();
        }
    }

    /// Gives its queue away if nothing is in it. Of two, the loop keeps the roomier one.
    pub(crate) fn give_back(&mut self, spare: &mut Spare) {
        if !self.is_empty() {
            return;
        }
        self.receipts.release();
        let Some(queue) = self.queue.take() else { return };
        let is_roomier = spare.as_ref().is_none_or(|spare| spare.capacity() < queue.capacity());
        if is_roomier && queue.capacity() <= KEEP_AT_MOST_BYTES {
            *spare = Some(queue);
        }
    }

    #[inline]
    pub(crate) fn front(&mut self) -> Front<'_> {
        self.queue.as_mut().map_or(Front::Nothing, |queue| queue.front())
    }

    /// The bytes at the front, up to the first file; returns how many slices were filled.
    pub(crate) fn slices<'a>(&'a self, slices: &mut [IoSlice<'a>; SLICES_PER_WRITE]) -> usize {
        self.queue.as_ref().map_or(0, |queue| queue.slices(slices))
    }

    /// The transport has sent `count` bytes from the front.
    #[inline]
    pub(crate) fn advance(&mut self, count: usize) {
        self.sent += count as u64;
        if let Some(queue) = &mut self.queue {
            queue.advance(count);
        }
        if !self.receipts.is_empty() {
            self.receipts.tell(self.sent);
        }
    }

    /// The file at the front, if one is there.
    pub(crate) fn file(&self) -> Option<&FileSlice> {
        self.queue.as_ref()?.file()
    }

    /// So many bytes of the file at the front have been read by a worker.
    pub(crate) fn warm(&mut self, bytes: u64) {
        self.queue().warm(bytes);
    }
}

/// The client has gone, or has all that it gets.
impl Drop for Output {
    fn drop(&mut self) {
        if !self.receipts.is_empty() {
            self.receipts.close(self.sent);
        }
    }
}

#[cfg(test)]
mod tests;
