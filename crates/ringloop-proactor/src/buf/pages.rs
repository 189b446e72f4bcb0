//! Memory in the hands of the kernel: allocated as zeroed pages, freed or leaked as one.
//!
//! # Invariants
//!
//! - **P1** The memory stays at its address until the owner is dropped, and for ever if it was given
//!   up to the kernel.
//! - **P2** It is reached through raw pointers only; who makes references says whose turn it is.

#![expect(unsafe_code, reason = "memory shared with the kernel")]

use std::alloc::{self, Layout};
use std::cell::Cell;
use std::fmt;
use std::io;
use std::ptr::NonNull;

/// Zeroed memory; pages that nobody touches cost address space only.
pub(super) struct Pages {
    start: NonNull<u8>,
    layout: Layout,
    /// Set when the kernel may still write here after the ring is closed.
    is_leaked: Cell<bool>,
}

impl Pages {
    /// Allocates `len` bytes, more than none, at an address that is a multiple of `align`.
    pub(super) fn new(len: usize, align: usize) -> io::Result<Self> {
        let out_of_memory = || io::Error::from(io::ErrorKind::OutOfMemory);
        let layout = Layout::from_size_align(len, align)
            .ok()
            .filter(|layout| layout.size() > 0)
            .ok_or_else(out_of_memory)?;
        // SAFETY: the size is not zero.
        let start = unsafe { alloc::alloc_zeroed(layout) };
        Ok(Self {
            start: NonNull::new(start).ok_or_else(out_of_memory)?,
            layout,
            is_leaked: Cell::new(false),
        })
    }

    /// The address of the byte at `offset`.
    #[inline]
    pub(super) fn at(&self, offset: usize) -> NonNull<u8> {
        debug_assert!(offset < self.layout.size(), "P1: inside of the memory");
        // SAFETY: P1, callers stay inside of what they asked for.
        unsafe { self.start.add(offset) }
    }

    /// Gives the memory up: the kernel may write it at any time.
    pub(super) fn leak(&self) {
        self.is_leaked.set(true);
    }

    /// Lets the system have the whole pages between two offsets. They are zero when they are
    /// touched again.
    pub(super) fn discard(&self, from: usize, to: usize) {
        let base = self.start.addr().get();
        let from = (base + from).next_multiple_of(PAGE) - base;
        let to = ((base + to.min(self.layout.size())) / PAGE * PAGE).saturating_sub(base);
        if from < to {
            let start = self.at(from).as_ptr().cast();
            // SAFETY: P1 and P2, the pages are ours alone, and nobody has a reference into them.
            // Where the advice is not taken, they stay.
            unsafe { libc::madvise(start, to - from, libc::MADV_DONTNEED) };
        }
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        if !self.is_leaked.get() {
            // SAFETY: P1, it was allocated with this layout and is freed here only.
            unsafe { alloc::dealloc(self.start.as_ptr(), self.layout) };
        }
    }
}

impl fmt::Debug for Pages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages")
            .field("len", &self.layout.size())
            .finish_non_exhaustive()
    }
}

pub(super) const PAGE: usize = 4096;
