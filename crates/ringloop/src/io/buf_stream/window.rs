//! Bytes that were read and not yet taken.

use std::io;
use std::task::{Context, Poll, ready};

use crate::io::AsyncRead;

/// A buffer that is filled at one end and taken from at the other.
#[derive(Default)]
pub(super) struct Window {
    /// All of it may be read into; what was read and not taken is at `start..end`.
    memory: Vec<u8>,
    start: usize,
    end: usize,
}

impl Window {
    #[inline]
    pub(super) fn bytes(&self) -> &[u8] {
        &self.memory[self.start..self.end]
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.end - self.start
    }

    /// Takes the first `count` bytes.
    #[inline]
    pub(super) fn take(&mut self, count: usize) -> &[u8] {
        let from = self.start;
        self.start += count;
        assert!(self.start <= self.end, "more than what there is");
        &self.memory[from..from + count]
    }

    /// Takes everything, in the memory where it is.
    pub(super) fn take_all(&mut self) -> Vec<u8> {
        let mut bytes = std::mem::take(&mut self.memory);
        bytes.truncate(self.end);
        bytes.drain(..self.start);
        (self.start, self.end) = (0, 0);
        bytes
    }

    /// Reads more, at most to a length of `len_max`, and returns how much; zero at the end.
    #[inline]
    pub(super) fn poll_fill<S: AsyncRead>(
        &mut self,
        source: &mut S,
        cx: &mut Context<'_>,
        len_max: usize,
    ) -> Poll<io::Result<usize>> {
        if self.len() == 0 && self.memory.len() > len_max.saturating_mul(2).max(FILL_MIN) {
            // An earlier piece was larger than what is to be expected.
            *self = Self::default();
        }
        let room = len_max.saturating_sub(self.len()).max(1);
        self.make_room(room);
        let until = self.memory.len().min(self.end.saturating_add(room));
        let count = ready!(source.poll_read(cx, &mut self.memory[self.end..until]))?;
        self.end += count;
        Poll::Ready(Ok(count))
    }

    /// Sees to it that there is room to read into, though not for more than `room` bytes.
    fn make_room(&mut self, room: usize) {
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        }
        let behind = self.memory.len() - self.end;
        if behind >= room.min(FILL_MIN) {
            return;
        }
        // Bytes are moved only if that frees half of the memory, so each is moved a few times.
        if self.start >= self.len() && self.start + behind >= room.min(FILL_MIN) {
            self.memory.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.len());
            return;
        }
        let len = self.memory.len().max(self.end + FILL_MIN);
        let more = len.min(room).max(FILL_MIN.min(room));
        self.memory.resize(self.memory.len() + more, 0);
    }
}

/// A read has this much room, if it may.
const FILL_MIN: usize = 8 * 1024;
