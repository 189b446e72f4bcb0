//! Provided buffers: memory lent to the kernel ahead of use, for multishot receives.

use std::ptr::NonNull;
use std::sync::atomic::{AtomicU16, Ordering};

use io_uring::types::BufRingEntry;

use super::memory::Span;

/// A registered ring of provided buffers. All are with the kernel at first.
#[derive(Debug)]
pub struct Buffers {
    group: u16,
    count: u16,
    buffer_len: u32,
    /// The array of `count` entries, aligned to a page.
    entries: NonNull<BufRingEntry>,
    memory: Span,
    tail: u16,
}

impl Buffers {
    pub(super) fn new(group: u16, count: u16, buffer_len: u32) -> Self {
        let entries = Span::new(u32::from(count) * ENTRY_LEN).start().cast();
        let memory = Span::new(u32::from(count) * buffer_len);
        let mut buffers = Self {
            group,
            count,
            buffer_len,
            entries,
            memory,
            tail: 0,
        };
        for id in 0..count {
            buffers.put(id);
        }
        buffers.publish();
        buffers
    }

    /// Returns the group's number.
    #[inline]
    pub fn group(&self) -> u16 {
        self.group
    }

    /// Returns the first `len` bytes of buffer `id`.
    ///
    /// # Panics
    ///
    /// If there is no such buffer, or it is shorter.
    #[inline]
    pub fn filled(&self, id: u16, len: u32) -> Span {
        assert!(len <= self.buffer_len, "a buffer is shorter than that");
        self.memory.part(u32::from(id) * self.buffer_len, len)
    }

    /// Hands buffer `id` back; the kernel sees it after [`publish`](Self::publish).
    ///
    /// # Panics
    ///
    /// If there is no such buffer.
    #[inline]
    pub fn put(&mut self, id: u16) {
        let buffer = self.filled(id, self.buffer_len);
        let slot = usize::from(self.tail & (self.count - 1));
        // SAFETY: the slot is less than `count`, a power of two, so it lies in the array.
        let mut entry = unsafe { self.entries.add(slot) };
        // SAFETY: I1 (never freed); zeros make a valid entry, and no other reference to it exists:
        // the kernel reads only what is published. The setters leave alone the tail, which shares
        // memory with the first entry.
        let entry = unsafe { entry.as_mut() };
        entry.set_addr(address(buffer.start()));
        entry.set_len(buffer.len());
        entry.set_bid(id);
        self.tail = self.tail.wrapping_add(1);
    }

    /// Makes everything that was put back visible to the kernel, with one store.
    #[inline]
    pub fn publish(&self) {
        // SAFETY: the array's first entry exists and is initialized (zeros at least).
        let tail = unsafe { BufRingEntry::tail(self.entries.as_ptr()) };
        // SAFETY: I1 (never freed); the field is aligned and only ever stored to by us.
        let tail = unsafe { AtomicU16::from_ptr(tail.cast_mut()) };
        // Ordering: pairs with the kernel's acquire load of the tail in `io_uring_enter(2)`.
        tail.store(self.tail, Ordering::Release);
    }

    pub(super) fn address(&self) -> u64 {
        address(self.entries)
    }
}

fn address<T>(start: NonNull<T>) -> u64 {
    start.as_ptr().expose_provenance() as u64
}

const ENTRY_LEN: u32 = 16;
const _: () = assert!(size_of::<BufRingEntry>() == ENTRY_LEN as usize);
