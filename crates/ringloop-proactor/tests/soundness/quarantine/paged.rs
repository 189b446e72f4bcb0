//! Blocks of more than 4 KiB, or aligned like pages: pages of their own, and a guard page.

use std::alloc::Layout;
use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::mark;
use super::shelf::{self, Block};

/// Whether a block of that layout is made here.
pub(super) fn takes(layout: Layout) -> bool {
    layout.align() <= PAGE && (layout.size() > PAGE || layout.align() == PAGE)
}

pub(super) fn alloc(layout: Layout) -> *mut u8 {
    let Some(len) = mapped_len(layout) else {
        return ptr::null_mut();
    };
    let access = libc::PROT_READ | libc::PROT_WRITE;
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
    // SAFETY: a new mapping, where the system wants it.
    let base = unsafe { libc::mmap(ptr::null_mut(), len, access, flags, -1, 0) };
    if base == libc::MAP_FAILED {
        return ptr::null_mut();
    }
    let base = base.cast::<u8>();
    // SAFETY: inside of the mapping.
    let guard = unsafe { base.add(len - PAGE) };
    // SAFETY: the last page of the mapping.
    unsafe { libc::mprotect(guard.cast(), PAGE, libc::PROT_NONE) };
    // The block ends as near at the guard page as its alignment lets it.
    let offset = (len - PAGE - layout.size()) & !(layout.align() - 1);
    // SAFETY: inside of the mapping.
    let start = unsafe { base.add(offset) };
    // SAFETY: inside of the mapping.
    let end = unsafe { start.add(layout.size()) };
    // SAFETY: what is left between the block and the guard page.
    unsafe { mark::fill(end, slack(start, layout)) };
    start
}

/// # Safety
///
/// As [`GlobalAlloc::dealloc`](std::alloc::GlobalAlloc::dealloc).
pub(super) unsafe fn dealloc(start: *mut u8, layout: Layout) {
    // SAFETY: the slack is mapped with the block.
    let behind = unsafe { start.add(layout.size()) };
    // SAFETY: as above.
    if let Some(damage) = unsafe { mark::look("behind a block", behind, slack(start, layout)) } {
        shelf::note(damage);
    }
    // SAFETY: Q1, from here on it is the shelf's.
    unsafe { mark::fill(start, layout.size()) };
    // Ordering: Relaxed, it only counts.
    let is_sealed = FREED.fetch_add(1, Ordering::Relaxed) % 2 == 1;
    if is_sealed {
        protect(start, layout, libc::PROT_NONE);
    }
    shelf::put(Block::paged(start, layout, is_sealed));
}

/// Makes a block on the shelf readable, or takes it out of reach.
pub(super) fn protect(start: *mut u8, layout: Layout, access: i32) {
    let len = mapped_len(layout).unwrap_or(PAGE);
    // SAFETY: the block's own pages, which nobody but the shelf has (Q1).
    unsafe { libc::mprotect(base(start).cast(), len - PAGE, access) };
}

/// Gives a block back to the system.
///
/// # Safety
///
/// Nobody has it any more (Q1), and `layout` is the one that it was made with.
pub(super) unsafe fn release(start: *mut u8, layout: Layout) {
    if let Some(len) = mapped_len(layout) {
        // SAFETY: the whole of the mapping, which the caller gives up.
        unsafe { libc::munmap(base(start).cast(), len) };
    }
}

/// The block begins in the first page of its mapping.
fn base(start: *mut u8) -> *mut u8 {
    start.map_addr(|address| address & !(PAGE - 1))
}

/// How much lies between the block and its guard page.
fn slack(start: *mut u8, layout: Layout) -> usize {
    (start.addr() + layout.size()).next_multiple_of(PAGE) - start.addr() - layout.size()
}

/// The block's pages and the guard page.
fn mapped_len(layout: Layout) -> Option<usize> {
    let len = layout.size().max(1).checked_next_multiple_of(PAGE)?;
    len.checked_add(PAGE)
}

/// Every second block is sealed.
static FREED: AtomicUsize = AtomicUsize::new(0);
const PAGE: usize = 4096;
