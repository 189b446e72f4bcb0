//! The allocator of every benchmark: the system's, which also counts.
//!
//! Counting is one addition to a variable of the thread, and a look at a flag that says whether bytes
//! are counted as well: the same for all contestants.
//!
//! # Invariants
//!
//! - I1: every call is passed on unchanged to the system's allocator, which keeps the contract of
//!   [`GlobalAlloc`]; the counter allocates nothing.

#![expect(unsafe_code, reason = "an allocator is an unsafe trait")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

thread_local! {
    static COUNT: Cell<u64> = const { Cell::new(0) };
}

/// Returns how often the calling thread has asked for memory.
pub fn count() -> u64 {
    COUNT.get()
}

/// Counts the bytes that all threads take, less what they give back, from now on. One at a time.
pub fn watch() -> Watch {
    BYTES.store(0, Ordering::Relaxed);
    WATCHED.store(true, Ordering::Relaxed);
    Watch(())
}

/// Counts bytes until it is dropped.
#[derive(Debug)]
#[must_use = "bytes are counted until this is dropped"]
pub struct Watch(());

impl Watch {
    /// Returns how many bytes have been taken and not been given back.
    pub fn read(&self) -> i64 {
        BYTES.load(Ordering::Relaxed)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        WATCHED.store(false, Ordering::Relaxed);
    }
}

static WATCHED: AtomicBool = AtomicBool::new(false);
static BYTES: AtomicI64 = AtomicI64::new(0);

struct Counting;

#[inline]
fn add_one() {
    COUNT.set(COUNT.get() + 1);
}

/// Counts `taken` and `given` back.
#[inline]
fn weigh(taken: usize, given: usize) {
    if WATCHED.load(Ordering::Relaxed) {
        let change = taken.wrapping_sub(given).cast_signed();
        BYTES.fetch_add(change as i64, Ordering::Relaxed);
    }
}

// SAFETY: I1.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        add_one();
        weigh(layout.size(), 0);
        // SAFETY: I1, the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        add_one();
        weigh(layout.size(), 0);
        // SAFETY: I1, the caller's promise is passed on.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, start: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        add_one();
        weigh(new_size, layout.size());
        // SAFETY: I1, the caller's promise is passed on.
        unsafe { System.realloc(start, layout, new_size) }
    }

    unsafe fn dealloc(&self, start: *mut u8, layout: Layout) {
        weigh(0, layout.size());
        // SAFETY: I1, the caller's promise is passed on.
        unsafe { System.dealloc(start, layout) }
    }
}

#[cfg(test)]
mod tests;
