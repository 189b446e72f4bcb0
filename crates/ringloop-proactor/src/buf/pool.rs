//! The receive buffers that all streams share: provided to the kernel, lent back per completion.
//!
//! The kernel picks a buffer when bytes arrive, so an idle connection holds none. A buffer that
//! came with a completion is lent until it is given back, and only then provided again.
//!
//! # Invariants
//!
//! - **B1** A buffer id is either provided to the kernel or lent, once. It is lent by the
//!   completion that names it and by nobody else.
//! - **B2** The descriptor ring and the buffers stay at their addresses until the kernel has given
//!   the group up; if operations are left in flight, for ever.
//! - **B3** Of a lent buffer, the first `filled` bytes were written by the kernel before the
//!   completion that lent it.
//! - **B4** Only the pool writes the descriptor ring, on one thread; the kernel reads entries up to
//!   the tail, which is stored last.

#![expect(unsafe_code, reason = "memory shared with the kernel")]

use std::alloc::{self, Layout};
use std::cell::Cell;
use std::fmt;
use std::io;
use std::ops::Deref;
use std::ptr::NonNull;
use std::rc::Rc;
use std::slice;
use std::sync::atomic::{AtomicU16, Ordering};

use crate::ring::Ring;

/// A group of buffers registered with the ring.
pub(crate) struct BufPool {
    entries: NonNull<Entry>,
    buffers: NonNull<u8>,
    count: u16,
    len_bytes: u32,
    stride: usize,
    tail: Cell<u16>,
    lent: Cell<u16>,
    /// Set when the kernel may still write here after the ring is closed.
    leaked: Cell<bool>,
}

/// A filled part of a pool buffer. Not a guard: whoever holds it gives it back to its pool.
#[derive(Debug)]
#[must_use = "a lent buffer has to be given back"]
pub(crate) struct Lent {
    id: u16,
    start: u32,
    filled: u32,
}

/// `struct io_uring_buf`. The ring's tail lies over the `reserved` of the first one.
#[repr(C)]
struct Entry {
    address: u64,
    len: u32,
    id: u16,
    reserved: u16,
}

impl BufPool {
    /// Makes `count` buffers (a power of two) and registers them.
    pub(crate) fn new(ring: &mut Ring, count: u16, len_bytes: u32) -> io::Result<Self> {
        let entries = allocate(entries_layout(count))?.cast::<Entry>();
        let Ok(buffers) = allocate(buffers_layout(count, len_bytes)) else {
            free(entries.cast(), entries_layout(count));
            return Err(io::ErrorKind::OutOfMemory.into());
        };
        let pool = Self {
            entries,
            buffers,
            count,
            len_bytes,
            stride: stride(len_bytes),
            tail: Cell::new(0),
            lent: Cell::new(count),
            leaked: Cell::new(false),
        };
        for id in 0..count {
            pool.provide(id);
        }
        ring.register_buffers(pool.entries.as_ptr().expose_provenance(), count, GROUP)?;
        Ok(pool)
    }

    /// Takes the group back from the kernel. If operations are left, the memory is leaked (B2).
    pub(crate) fn unregister(&self, ring: &mut Ring, in_flight: bool) {
        let given_up = ring.unregister_buffers(GROUP).is_ok() && !in_flight;
        self.leaked.set(!given_up);
    }

    /// The filled bytes of buffer `id`, as a completion names it.
    pub(crate) fn lend(&self, id: u16, filled: u32) -> Lent {
        assert!(
            id < self.count && filled <= self.len_bytes,
            "B1: the kernel picks what it has"
        );
        self.lent.set(self.lent.get() + 1);
        Lent {
            id,
            start: 0,
            filled,
        }
    }

    /// Provides a buffer to the kernel again.
    #[inline]
    pub(crate) fn give_back(&self, lent: Lent) {
        self.provide(lent.id);
    }

    #[inline]
    pub(crate) fn bytes<'a>(&'a self, lent: &'a Lent) -> &'a [u8] {
        // SAFETY: B3, and B1 keeps the kernel away while `lent` is borrowed.
        unsafe { slice::from_raw_parts(self.buffer(lent.id).as_ptr(), lent.filled as usize) }
            .get(lent.start as usize..)
            .expect("a lent part starts within what was filled")
    }

    /// How many buffers are provided to the kernel.
    pub(crate) fn provided(&self) -> u16 {
        self.count - self.lent.get()
    }

    pub(crate) fn count(&self) -> u16 {
        self.count
    }

    #[inline]
    fn provide(&self, id: u16) {
        let tail = self.tail.get();
        let slot = usize::from(tail & (self.count - 1));
        let entry = self.entry(slot);
        let address = self.buffer(id).as_ptr().expose_provenance() as u64;
        // SAFETY: B4, nobody else writes the ring, and the kernel does not read this entry before
        // the tail passes it.
        let entry = unsafe { &mut *entry };
        entry.address = address;
        entry.len = self.len_bytes;
        entry.id = id;
        let tail = tail.wrapping_add(1);
        self.tail.set(tail);
        self.lent.set(self.lent.get() - 1);
        // Ordering: Release pairs with the kernel's acquiring load of the tail.
        self.shared_tail().store(tail, Ordering::Release);
    }

    #[inline]
    fn entry(&self, slot: usize) -> *mut Entry {
        debug_assert!(
            slot < usize::from(self.count),
            "the mask keeps slots in range"
        );
        // SAFETY: B2, there are `count` entries.
        unsafe { self.entries.as_ptr().add(slot) }
    }

    #[inline]
    fn buffer(&self, id: u16) -> NonNull<u8> {
        debug_assert!(id < self.count, "ids are checked when they are lent");
        // SAFETY: B2, there are `count` buffers, one stride apart.
        unsafe { self.buffers.add(usize::from(id) * self.stride) }
    }

    #[inline]
    fn shared_tail(&self) -> &AtomicU16 {
        // SAFETY: B2, the first entry is there.
        let tail = unsafe { &raw mut (*self.entry(0)).reserved };
        // SAFETY: aligned, alive as long as the pool, and accessed atomically only.
        unsafe { AtomicU16::from_ptr(tail) }
    }
}

impl Drop for BufPool {
    fn drop(&mut self) {
        if !self.leaked.get() {
            free(self.entries.cast(), entries_layout(self.count));
            free(self.buffers, buffers_layout(self.count, self.len_bytes));
        }
    }
}

impl fmt::Debug for BufPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BufPool")
            .field("count", &self.count)
            .field("len_bytes", &self.len_bytes)
            .field("lent", &self.lent.get())
            .finish_non_exhaustive()
    }
}

impl Lent {
    /// How many bytes are left.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        (self.filled - self.start) as usize
    }

    /// Leaves the first `count` bytes behind.
    #[inline]
    pub(crate) fn advance(&mut self, count: usize) {
        let count = u32::try_from(count).expect("a buffer is smaller than 4 GiB");
        self.start = (self.start + count).min(self.filled);
    }
}

/// Received bytes, lent without a copy. Dropping it gives the buffer back.
pub struct Chunk {
    memory: Memory,
}

enum Memory {
    Lent {
        pool: Rc<BufPool>,
        lent: Option<Lent>,
    },
    Own {
        bytes: Box<[u8]>,
        start: usize,
        end: usize,
    },
}

impl Chunk {
    pub(crate) fn lent(pool: Rc<BufPool>, lent: Lent) -> Self {
        Self {
            memory: Memory::Lent {
                pool,
                lent: Some(lent),
            },
        }
    }

    pub(crate) fn own(bytes: Box<[u8]>, start: usize, end: usize) -> Self {
        Self {
            memory: Memory::Own { bytes, start, end },
        }
    }
}

impl Deref for Chunk {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.memory {
            Memory::Lent {
                pool,
                lent: Some(lent),
            } => pool.bytes(lent),
            Memory::Lent { lent: None, .. } => &[],
            Memory::Own { bytes, start, end } => &bytes[*start..*end],
        }
    }
}

impl AsRef<[u8]> for Chunk {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl Drop for Chunk {
    fn drop(&mut self) {
        if let Memory::Lent { pool, lent } = &mut self.memory
            && let Some(lent) = lent.take()
        {
            pool.give_back(lent);
        }
    }
}

impl fmt::Debug for Chunk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chunk")
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

/// Buffers are a bit more than their length apart: at a power of two, the first lines of all of
/// them would fall into the same few sets of the caches.
fn stride(len_bytes: u32) -> usize {
    (len_bytes as usize).next_multiple_of(CACHE_LINE) + CACHE_LINE
}

fn entries_layout(count: u16) -> Layout {
    Layout::array::<Entry>(usize::from(count))
        .and_then(|layout| layout.align_to(PAGE))
        .expect("at most 2^16 entries of 16 bytes")
}

fn buffers_layout(count: u16, len_bytes: u32) -> Layout {
    Layout::from_size_align(usize::from(count) * stride(len_bytes), ALIGN)
        .expect("the configuration bounds count and length")
}

/// Zeroed pages, untouched until something is received into them.
fn allocate(layout: Layout) -> io::Result<NonNull<u8>> {
    // SAFETY: the configuration keeps count and length above zero.
    let pointer = unsafe { alloc::alloc_zeroed(layout) };
    NonNull::new(pointer).ok_or_else(|| io::ErrorKind::OutOfMemory.into())
}

fn free(pointer: NonNull<u8>, layout: Layout) {
    // SAFETY: `allocate` made it with this layout, and it is freed once, by the pool's end.
    unsafe { alloc::dealloc(pointer.as_ptr(), layout) };
}

/// The one buffer group of a ring.
pub(crate) const GROUP: u16 = 0;
const PAGE: usize = 4096;
/// What the allocator gives anyway: zeroed memory then comes as fresh pages, unwritten.
const ALIGN: usize = 16;
const CACHE_LINE: usize = 64;

const _: () = assert!(size_of::<Entry>() == 16, "the kernel's entry has 16 bytes");
