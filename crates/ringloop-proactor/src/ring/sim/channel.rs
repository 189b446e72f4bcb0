//! Bytes on their way from a writer to a reader: a pipe, or one direction of a connection.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

/// A channel that its two ends share.
pub(super) type Shared = Rc<RefCell<Channel>>;

/// A bounded queue of bytes.
#[derive(Debug)]
pub(super) struct Channel {
    bytes: VecDeque<u8>,
    capacity: usize,
    /// No more bytes will come.
    pub(super) is_ended: bool,
    /// Nobody will read.
    pub(super) is_unread: bool,
    /// What the reading end is told once, behind the bytes.
    pub(super) error: Option<i32>,
    /// How often something has changed that a poll would be woken for.
    wakes: u64,
}

impl Channel {
    pub(super) fn new(capacity: usize) -> Shared {
        Rc::new(RefCell::new(Self {
            bytes: VecDeque::new(),
            capacity,
            is_ended: false,
            is_unread: false,
            error: None,
            wakes: 0,
        }))
    }

    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn room(&self) -> usize {
        self.capacity - self.bytes.len()
    }

    pub(super) fn wakes(&self) -> u64 {
        self.wakes
    }

    /// Appends `bytes`, for which there is room.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        debug_assert!(bytes.len() <= self.room(), "the writer looks first");
        self.wakes += 1;
        if !self.is_unread {
            self.bytes.extend(bytes);
        }
    }

    /// Takes up to `count` bytes from the front.
    pub(super) fn take(&mut self, count: usize) -> Vec<u8> {
        self.wakes += 1;
        let count = count.min(self.bytes.len());
        self.bytes.drain(..count).collect()
    }

    /// Copies up to `count` bytes from the front.
    pub(super) fn peek(&self, count: usize) -> Vec<u8> {
        self.bytes.iter().take(count).copied().collect()
    }

    /// The writer is gone.
    pub(super) fn end(&mut self) {
        self.is_ended = true;
        self.wakes += 1;
    }

    /// The reader is gone. Returns whether there were bytes that it has not read.
    pub(super) fn abandon(&mut self) -> bool {
        let was_unread = !self.bytes.is_empty();
        self.is_unread = true;
        self.bytes.clear();
        self.wakes += 1;
        was_unread
    }

    /// The connection is gone: the reader is told `error` behind what has arrived.
    pub(super) fn fail(&mut self, error: i32) {
        self.error = Some(error);
        self.is_unread = true;
        self.end();
    }
}
