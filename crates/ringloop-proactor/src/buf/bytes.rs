//! The buffers of the `bytes` crate (feature `bytes`).

#![expect(
    unsafe_code,
    reason = "the room reaches beyond what is initialized, and what was filled is initialized"
)]

use std::mem::MaybeUninit;
use std::ptr::NonNull;

use bytes::{Bytes, BytesMut};

use super::{IoBuf, IoBufMut, Room};

impl IoBuf for Bytes {
    fn as_slice(&self) -> &[u8] {
        self
    }
}

impl IoBuf for BytesMut {
    fn as_slice(&self) -> &[u8] {
        self
    }
}

/// Reads overwrite the buffer from its start, up to its capacity, and set its length.
impl IoBufMut for BytesMut {
    fn room(&mut self) -> Room<'_> {
        let filled = self.len();
        // Emptied for a moment, all of it is spare: that pointer may reach everywhere.
        self.clear();
        let spare = self.spare_capacity_mut();
        let (start, len) = (NonNull::from(&mut *spare).cast(), spare.len());
        // SAFETY: so many bytes were initialized just before.
        unsafe { self.set_len(filled) };
        // SAFETY: R1 of `room`, the buffer is borrowed, and its capacity is its own.
        unsafe { Room::from_raw(start, len) }
    }

    unsafe fn set_filled(&mut self, len: usize) {
        assert!(len <= self.capacity(), "F15: no more is filled than fits");
        // SAFETY: the caller's promise; the room starts at the buffer's start.
        unsafe { self.set_len(len) }
    }

    unsafe fn set_filled_at(&mut self, start: usize, len: usize) {
        let end = start.saturating_add(len);
        if len == 0 || end <= self.len() {
            return;
        }
        assert!(end <= self.capacity(), "F15: no more is filled than fits");
        if start > self.len() {
            let gap = start - self.len();
            self.spare_capacity_mut()[..gap].fill(MaybeUninit::new(0));
        }
        // SAFETY: the caller's promise for the bytes from `start` on; those before it are the
        // buffer's own, and the zeros just written.
        unsafe { self.set_len(end) }
    }
}
