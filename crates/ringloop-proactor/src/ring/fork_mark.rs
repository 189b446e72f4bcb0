//! A mark that a forked child does not inherit: how it learns that a ring is not its own.
//!
//! The queues are not mapped in a child, and a child that entered the ring would submit in its
//! parent's name. One page of the process says which generation of the family it is. The kernel
//! hands that page to children as zeros, so looking at it costs two loads and no system call.
//!
//! # Invariants
//!
//! - **F1** The page is mapped once, readable and writable, and never unmapped.
//!
//! # Ordering
//!
//! The address of the page is published with Release and read with Acquire. The generation on it
//! changes once, from zero, before a mark of that generation is made, and a mark is looked at by the
//! thread that made it: a ring stays there.

#![expect(unsafe_code, reason = "mmap(2) and madvise(2) have no wrapper in std")]

use std::io;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering};

/// Says whether this process made it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ForkMark {
    page: &'static AtomicU64,
    generation: u64,
}

impl ForkMark {
    pub(crate) fn new() -> io::Result<Self> {
        let page = page()?;
        let next = GENERATIONS.fetch_add(1, Ordering::Relaxed);
        let known = page.compare_exchange(0, next, Ordering::Relaxed, Ordering::Relaxed);
        Ok(Self {
            page,
            generation: known.map_or_else(|known| known, |_zero| next),
        })
    }

    /// A mark that children share.
    #[cfg(feature = "sim")]
    pub(crate) fn of_all() -> Self {
        static ALWAYS: AtomicU64 = AtomicU64::new(1);
        Self {
            page: &ALWAYS,
            generation: 1,
        }
    }

    /// Whether this process is a forked child of the one that made the mark.
    #[inline]
    pub(crate) fn is_inherited(&self) -> bool {
        // Ordering: Relaxed, in a process that has made a mark the page does not change.
        self.page.load(Ordering::Relaxed) != self.generation
    }
}

/// The page of this process, and of its children, where it is zero at first.
fn page() -> io::Result<&'static AtomicU64> {
    // Ordering: Acquire pairs with the Release below.
    if let Some(page) = NonNull::new(PAGE.load(Ordering::Acquire)) {
        // SAFETY: F1, and every bit pattern is a number.
        return Ok(unsafe { page.as_ref() });
    }
    let made = map()?;
    let null = ptr::null_mut();
    // Ordering: Release pairs with the Acquire of every look at `PAGE`.
    let page = match PAGE.compare_exchange(null, made, Ordering::AcqRel, Ordering::Acquire) {
        Ok(_null) => made,
        Err(page) => {
            // SAFETY: nobody knows the page that came second.
            unsafe { libc::munmap(made.cast(), LEN) };
            page
        }
    };
    // SAFETY: F1, and every bit pattern is a number.
    Ok(unsafe { &*page })
}

fn map() -> io::Result<*mut AtomicU64> {
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
    // An emulation of Linux that does not know this leaves children without protection: the page
    // is then copied as any other.
    // SAFETY: F1, and nothing is on the page.
    unsafe { libc::madvise(page, LEN, libc::MADV_WIPEONFORK) };
    Ok(page.cast())
}

static PAGE: AtomicPtr<AtomicU64> = AtomicPtr::new(ptr::null_mut());
/// The next generation. A child goes on where its parent was, so no two of a line are the same.
static GENERATIONS: AtomicU64 = AtomicU64::new(1);

const LEN: usize = size_of::<AtomicU64>();
