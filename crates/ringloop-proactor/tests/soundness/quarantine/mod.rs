//! The allocator of this test binary: what is freed is marked, kept aside, and looked at later.
//!
//! No sanitizer sees the *kernel* write into memory that was freed. Here such a write changes the
//! mark, which [`check`] finds, or it fails with `EFAULT`, because the page is gone.
//!
//! - A small block has a mark behind its end. Freed, it is marked all over and waits on the
//!   [shelf](shelf) until 64 MiB have been freed after it.
//! - A block of more than 4 KiB has pages of its own and ends at a guard page, so that whoever
//!   writes past its end is stopped: a program by SIGSEGV, the kernel with `EFAULT`. Freed, it is
//!   marked and waits too: every second one readable and writable, to see who writes, the others
//!   out of reach, to stop who reads.
//!
//! AddressSanitizer does the same for the program's own accesses and wants the allocator for
//! itself, so under `cfg(asan)` all of this steps aside.
//!
//! # Invariants
//!
//! - **Q1** A block belongs to the program from its allocation to its deallocation, then to the
//!   shelf, then to the system: to one of them at a time.
//! - **Q2** Allocating and freeing allocate nothing and do not panic.
//! - **Q3** Which way a block was made is told by its layout alone, which the program gives again
//!   when it frees it.

#![expect(unsafe_code, reason = "it is an allocator")]

#[cfg(not(asan))]
mod mark;
#[cfg(not(asan))]
mod paged;
#[cfg(not(asan))]
mod shelf;
#[cfg(not(asan))]
mod small;

#[cfg(not(asan))]
use std::alloc::{GlobalAlloc, Layout};

#[cfg(not(asan))]
#[global_allocator]
static QUARANTINE: Quarantine = Quarantine;

#[cfg(not(asan))]
struct Quarantine;

// SAFETY: Q1 to Q3; both kinds of blocks are as large and aligned as the layout says.
#[cfg(not(asan))]
unsafe impl GlobalAlloc for Quarantine {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if paged::takes(layout) {
            return paged::alloc(layout);
        }
        // SAFETY: the size is not zero, as the caller promised.
        unsafe { small::alloc(layout) }
    }

    unsafe fn dealloc(&self, start: *mut u8, layout: Layout) {
        if paged::takes(layout) {
            // SAFETY: Q3, and the caller gives the block up.
            unsafe { paged::dealloc(start, layout) };
        } else {
            // SAFETY: as above.
            unsafe { small::dealloc(start, layout) };
        }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise.
        let start = unsafe { self.alloc(layout) };
        // Pages are zero anyway.
        if !start.is_null() && !paged::takes(layout) {
            // SAFETY: the block was just made.
            unsafe { start.write_bytes(0, layout.size()) };
        }
        start
    }
}

/// Looks at everything that was freed and waits.
///
/// # Panics
///
/// Panics if a mark has been overwritten, by the kernel or the program, here or since the last look.
#[cfg(not(asan))]
pub(crate) fn check() {
    if let Some(damage) = shelf::inspect() {
        panic!("memory that was freed has been written: {damage:?}");
    }
}

#[cfg(asan)]
pub(crate) fn check() {}

/// Whether the byte at `address` was freed, as far as is known.
#[cfg(not(asan))]
pub(crate) fn is_freed(address: usize) -> bool {
    shelf::holds(address)
}

#[cfg(asan)]
pub(crate) fn is_freed(_address: usize) -> bool {
    false
}

/// Whether freed memory is looked at.
pub(crate) const WATCHES: bool = cfg!(not(asan));

#[cfg(all(test, not(asan)))]
mod tests;
