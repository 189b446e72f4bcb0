//! The ring of buffer descriptors that the kernel picks from: `io_uring_register_buf_ring(3)`.
//!
//! # Invariants
//!
//! - **D1** The descriptors stay at their address until the kernel has given the group up, else for
//!   ever (P1 of `pages`).
//! - **D2** Only the owner writes descriptors, on one thread, and only behind the tail, which is
//!   stored last. The kernel reads those before the tail, and counts down the one that it fills in
//!   parts.

#![expect(unsafe_code, reason = "memory shared with the kernel")]

use std::cell::Cell;
use std::io;
use std::sync::atomic::{AtomicU16, Ordering};

use super::pages::{PAGE, Pages};

/// Descriptors of buffers, in the order in which the kernel takes them.
#[derive(Debug)]
pub(super) struct BufRing {
    entries: Pages,
    mask: u16,
    tail: Cell<u16>,
}

/// `struct io_uring_buf`. The ring's tail lies over the `reserved` of the first one.
#[repr(C)]
struct Entry {
    address: u64,
    len: u32,
    id: u16,
    reserved: u16,
}

impl BufRing {
    /// Makes room for `count` descriptors, a power of two up to 2^15.
    pub(super) fn new(count: u16) -> io::Result<Self> {
        debug_assert!(count.is_power_of_two(), "the mask keeps slots in range");
        Ok(Self {
            entries: Pages::new(usize::from(count) * size_of::<Entry>(), PAGE)?,
            mask: count - 1,
            tail: Cell::new(0),
        })
    }

    pub(super) fn address(&self) -> usize {
        self.entries.at(0).as_ptr().expose_provenance()
    }

    pub(super) fn count(&self) -> u16 {
        self.mask + 1
    }

    /// Gives the memory up: the kernel may read and write it at any time (D1).
    pub(super) fn leak(&self) {
        self.entries.leak();
    }

    /// Hands a buffer to the kernel.
    #[inline]
    pub(super) fn publish(&self, address: u64, len: u32, id: u16) {
        let tail = self.tail.get();
        // SAFETY: D2, nobody else writes the ring, and the kernel does not read this entry before
        // the tail passes it.
        let entry = unsafe { &mut *self.entry(tail) };
        entry.address = address;
        entry.len = len;
        entry.id = id;
        let tail = tail.wrapping_add(1);
        self.tail.set(tail);
        // Ordering: Release pairs with the kernel's acquiring load of the tail.
        self.shared_tail().store(tail, Ordering::Release);
    }

    /// Where buffer `id` was handed over last.
    pub(super) fn position(&self, id: u16) -> Option<u16> {
        (1..=self.count())
            .map(|back| self.tail.get().wrapping_sub(back))
            .find(|&position| self.id_at(position) == id)
    }

    /// Which buffer was handed over at `position`.
    pub(super) fn id_at(&self, position: u16) -> u16 {
        // SAFETY: D1; the kernel writes address and length of an entry, and never the id.
        unsafe { (*self.entry(position)).id }
    }

    #[inline]
    fn entry(&self, position: u16) -> *mut Entry {
        let slot = usize::from(position & self.mask);
        // The pages are aligned for any entry.
        self.entries.at(slot * size_of::<Entry>()).as_ptr().cast()
    }

    #[inline]
    fn shared_tail(&self) -> &AtomicU16 {
        // SAFETY: D1, the first entry is there.
        let tail = unsafe { &raw mut (*self.entry(0)).reserved };
        // SAFETY: aligned, alive as long as the ring, and accessed atomically only.
        unsafe { AtomicU16::from_ptr(tail) }
    }
}

const _: () = assert!(size_of::<Entry>() == 16, "the kernel's entry has 16 bytes");
