//! What has arrived and was not consumed yet.
//!
//! The loop has one large buffer, which it lends to the client whose turn it is: the socket is read into it, the
//! session parses in it, and when the turn ends the loop takes it back. Only an unfinished rest (half a request head)
//! is copied into memory of the client's own, so an idle client owns no buffer.

use std::mem;

/// The bytes between the socket and the session.
#[derive(Debug, Default)]
pub(crate) struct Input {
    /// The rest of an earlier turn, or the loop's buffer during a turn.
    buffer: Vec<u8>,
    /// What was not consumed lies in `start..end`.
    start: usize,
    end: usize,
    stage: Stage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
enum Stage {
    #[default]
    Open,
    /// The peer has said that what it has sent is all.
    Complete,
    Ended,
}

impl Input {
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// How many bytes of memory it owns.
    pub(crate) fn capacity(&self) -> usize {
        self.buffer.capacity()
    }

    pub(crate) fn consume(&mut self, count: usize) {
        self.start = self.start.saturating_add(count).min(self.end);
        if self.is_empty() {
            (self.start, self.end) = (0, 0);
        }
    }

    /// Gives the memory of an earlier rest back, once all of it is consumed. Between turns; during one it is the loop's.
    pub(crate) fn release(&mut self) {
        if self.is_empty() {
            self.buffer = Vec::new();
            (self.start, self.end) = (0, 0);
        }
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.stage == Stage::Ended
    }

    /// The peer has said that it sends no more.
    pub(crate) fn complete(&mut self) {
        self.stage = self.stage.max(Stage::Complete);
    }

    /// Whether nothing is left here, and nothing will come.
    pub(crate) fn is_done(&self) -> bool {
        self.stage >= Stage::Complete && self.is_empty()
    }

    /// The peer has finished.
    pub(crate) fn finish(&mut self) {
        self.stage = Stage::Ended;
    }

    /// Begins to use the loop's buffer, behind the rest of an earlier turn. `scratch` is left empty.
    pub(crate) fn borrow(&mut self, scratch: &mut Vec<u8>) {
        mem::swap(&mut self.buffer, scratch);
        if !self.is_empty() {
            self.stand_behind(&mem::take(scratch)[self.start..self.end]);
        }
    }

    fn stand_behind(&mut self, rest: &[u8]) {
        if self.buffer.len() < rest.len() {
            self.buffer.resize(rest.len(), 0);
        }
        self.buffer[..rest.len()].copy_from_slice(rest);
        (self.start, self.end) = (0, rest.len());
    }

    /// Gives the loop's buffer back, keeping a copy of what was not consumed.
    pub(crate) fn give_back(&mut self, scratch: &mut Vec<u8>) {
        mem::swap(&mut self.buffer, scratch);
        if !self.is_empty() {
            self.buffer = scratch[self.start..self.end].to_vec();
            (self.start, self.end) = (0, self.buffer.len());
        }
    }

    /// Where the transport may write; empty when the buffer is full, or `most` bytes are in it.
    pub(crate) fn spare(&mut self, most: usize) -> &mut [u8] {
        let most = most.min(self.buffer.len());
        if self.end >= most && self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        &mut self.buffer[self.end..most.max(self.end)]
    }

    /// The transport has written `count` bytes into [`Self::spare`].
    pub(crate) fn filled(&mut self, count: usize) {
        self.end += count;
        debug_assert!(self.end <= self.buffer.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn receive(input: &mut Input, bytes: &[u8]) {
        input.spare(usize::MAX)[..bytes.len()].copy_from_slice(bytes);
        input.filled(bytes.len());
    }

    #[test]
    fn the_rest_of_a_turn_stands_before_what_comes_next() {
        let (mut input, mut scratch) = (Input::default(), vec![0; 8]);
        input.borrow(&mut scratch);
        receive(&mut input, b"abcdef");
        input.consume(4);
        input.give_back(&mut scratch);
        assert_eq!(input.bytes(), b"ef");
        assert_eq!(scratch.len(), 8, "the loop has its buffer again");

        input.borrow(&mut scratch);
        receive(&mut input, b"ghi");
        assert_eq!(input.bytes(), b"efghi");
    }

    #[test]
    fn an_idle_client_owns_no_buffer() {
        let (mut input, mut scratch) = (Input::default(), vec![0; 64]);
        input.borrow(&mut scratch);
        receive(&mut input, b"abc");
        input.consume(3);
        input.give_back(&mut scratch);
        assert_eq!(input.buffer.capacity(), 0);
    }

    #[test]
    fn consumed_room_is_used_again() {
        let (mut input, mut scratch) = (Input::default(), vec![0; 4]);
        input.borrow(&mut scratch);
        receive(&mut input, b"abcd");
        assert!(input.spare(usize::MAX).is_empty());
        input.consume(3);
        receive(&mut input, b"efg");
        assert_eq!(input.bytes(), b"defg");
    }

    #[test]
    fn no_more_is_read_than_may_be_in_it_together() {
        let (mut input, mut scratch) = (Input::default(), vec![0; 8]);
        input.borrow(&mut scratch);
        receive(&mut input, b"abcdef");
        assert_eq!(input.spare(7).len(), 1);
        assert!(input.spare(6).is_empty());
        assert!(input.spare(3).is_empty());
        input.consume(4);
        assert_eq!(input.spare(3).len(), 1, "what was consumed does not count");
        assert_eq!(input.bytes(), b"ef");
    }

    #[test]
    fn consuming_more_than_there_is_takes_all() {
        let (mut input, mut scratch) = (Input::default(), vec![0; 4]);
        input.borrow(&mut scratch);
        receive(&mut input, b"ab");
        input.consume(9);
        assert!(input.is_empty());
    }
}
