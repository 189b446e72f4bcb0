//! Blocks of up to 4 KiB: the system's, with a mark behind the end.

use std::alloc::{GlobalAlloc, Layout, System};

use super::mark::{self, FRESH};
use super::shelf::{self, Block};

/// # Safety
///
/// As [`GlobalAlloc::alloc`].
pub(super) unsafe fn alloc(layout: Layout) -> *mut u8 {
    let Some(whole) = with_tail(layout) else {
        return std::ptr::null_mut();
    };
    // SAFETY: it has a size.
    let start = unsafe { System.alloc(whole) };
    if !start.is_null() {
        // SAFETY: the block was just made.
        unsafe { start.write_bytes(FRESH, layout.size()) };
        // SAFETY: the tail is a part of the block.
        let tail = unsafe { start.add(layout.size()) };
        // SAFETY: as above.
        unsafe { mark::fill(tail, TAIL) };
    }
    start
}

/// # Safety
///
/// As [`GlobalAlloc::dealloc`].
pub(super) unsafe fn dealloc(start: *mut u8, layout: Layout) {
    // SAFETY: the tail is a part of the block.
    let tail = unsafe { start.add(layout.size()) };
    // SAFETY: as above.
    if let Some(damage) = unsafe { mark::look("behind a block", tail, TAIL) } {
        shelf::note(damage);
    }
    // SAFETY: the caller gives the block up.
    if layout.size() >= 16 && unsafe { mark::look("", start, layout.size()) }.is_none() {
        shelf::assert_absent(start.addr());
    }
    // SAFETY: Q1, from here on it is the shelf's.
    unsafe { mark::fill(start, layout.size() + TAIL) };
    shelf::put(Block::small(start, layout));
}

/// Gives a block back to the system.
///
/// # Safety
///
/// Nobody has it any more (Q1), and `layout` is the one that it was made with.
pub(super) unsafe fn release(start: *mut u8, layout: Layout) {
    if let Some(whole) = with_tail(layout) {
        // SAFETY: the caller's promise; `alloc` computed the same layout.
        unsafe { System.dealloc(start, whole) };
    }
}

fn with_tail(layout: Layout) -> Option<Layout> {
    let len = layout.size().checked_add(TAIL)?;
    Layout::from_size_align(len, layout.align()).ok()
}

pub(super) const TAIL: usize = 16;
