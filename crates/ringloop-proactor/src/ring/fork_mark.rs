//! A mark that a forked child does not inherit: how it learns that a ring is not its own.
//!
//! The queues are not mapped in a child, and a child that entered the ring would submit in its
//! parent's name. The mark is a byte on a page of its own that the kernel hands to children as
//! zeros, so looking at it is one load, and no system call.
//!
//! # Invariants
//!
//! - **F1** The page is mapped from `new` to the drop, readable and writable, in parent and child.

#![expect(unsafe_code, reason = "mmap(2) and madvise(2) have no wrapper in std")]

use std::io;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicU8, Ordering};

/// A page that says whether this process made it.
#[derive(Debug)]
pub(super) struct ForkMark {
    page: NonNull<AtomicU8>,
}

impl ForkMark {
    pub(super) fn new() -> io::Result<Self> {
        // SAFETY: a new anonymous mapping touches nothing that exists.
        let page = unsafe {
            libc::mmap(
                ptr::null_mut(),
                LEN,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
                -1,
                0,
            )
        };
        if page == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let mark = Self {
            page: NonNull::new(page.cast()).expect("a mapping is not at address zero"),
        };
        // An emulation of Linux that does not know this leaves children without protection: the
        // page is then copied as any other.
        // SAFETY: F1, and nothing is on the page.
        unsafe { libc::madvise(page, LEN, libc::MADV_WIPEONFORK) };
        // Ordering: Relaxed, no other thread looks.
        mark.byte().store(OURS, Ordering::Relaxed);
        Ok(mark)
    }

    /// Whether this process is a forked child of the one that made the mark.
    #[inline]
    pub(super) fn is_inherited(&self) -> bool {
        // Ordering: Relaxed, the byte never changes in a process.
        self.byte().load(Ordering::Relaxed) != OURS
    }

    #[inline]
    fn byte(&self) -> &AtomicU8 {
        // SAFETY: F1, and every bit pattern is a byte.
        unsafe { self.page.as_ref() }
    }
}

impl Drop for ForkMark {
    fn drop(&mut self) {
        // SAFETY: F1, nothing refers to the page any more.
        unsafe { libc::munmap(self.page.as_ptr().cast(), LEN) };
    }
}

/// One page, whatever its size: the kernel rounds up.
const LEN: usize = 1;
const OURS: u8 = 1;
