//! The allocator of every benchmark: the system's, which also counts.
//!
//! Counting is one addition to a variable of the thread, the same for all contestants.
//!
//! # Invariants
//!
//! - I1: every call is passed on unchanged to the system's allocator, which keeps the contract of
//!   [`GlobalAlloc`]; the counter allocates nothing.

#![expect(unsafe_code, reason = "an allocator is an unsafe trait")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

thread_local! {
    static COUNT: Cell<u64> = const { Cell::new(0) };
}

/// Returns how often the calling thread has asked for memory.
pub fn count() -> u64 {
    COUNT.get()
}

struct Counting;

fn add_one() {
    COUNT.set(COUNT.get() + 1);
}

// SAFETY: I1.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        add_one();
        // SAFETY: I1, the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        add_one();
        // SAFETY: I1, the caller's promise is passed on.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, start: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        add_one();
        // SAFETY: I1, the caller's promise is passed on.
        unsafe { System.realloc(start, layout, new_size) }
    }

    unsafe fn dealloc(&self, start: *mut u8, layout: Layout) {
        // SAFETY: I1, the caller's promise is passed on.
        unsafe { System.dealloc(start, layout) }
    }
}

#[cfg(test)]
mod tests;
