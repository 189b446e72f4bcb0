//! The slots of one kind.

use std::mem;
use std::ptr::NonNull;

use crate::op::key::SLOTS_MAX;

/// Slots in chunks that are never moved, with indexes from zero.
pub(super) struct Slab<S> {
    chunks: Vec<NonNull<[S; CHUNK]>>,
}

impl<S> Slab<S> {
    pub(super) const fn new() -> Self {
        Self { chunks: Vec::new() }
    }

    /// How many slots there are.
    pub(super) fn len(&self) -> usize {
        self.chunks.len() * CHUNK
    }

    /// Where the slot with an index is.
    #[inline]
    pub(super) fn get(&self, index: usize) -> Option<NonNull<S>> {
        let chunk = self.chunks.get(index / CHUNK)?.cast::<S>();
        // SAFETY: a chunk has `CHUNK` slots.
        Some(unsafe { chunk.add(index % CHUNK) })
    }

    /// Makes a chunk of slots, each from its index, and returns where they are, the last one first.
    #[cold]
    pub(super) fn grow<F>(&mut self, make: F) -> impl Iterator<Item = NonNull<S>> + use<S, F>
    where
        F: Fn(u32) -> S,
    {
        let start = self.len();
        let chunk = std::array::from_fn(|at| {
            let index = u32::try_from(start + at).ok();
            let index = index.filter(|&index| (index as usize) < SLOTS_MAX);
            make(index.expect("fewer than 2^26 slots of a kind"))
        });
        let chunk = NonNull::from(Box::leak(Box::new(chunk)));
        self.chunks.push(chunk);
        let first = chunk.cast::<S>();
        // SAFETY: a chunk has `CHUNK` slots.
        (0..CHUNK).rev().map(move |at| unsafe { first.add(at) })
    }

    /// Frees all slots.
    ///
    /// # Safety
    ///
    /// Nobody uses any of them afterwards.
    pub(super) unsafe fn free(&mut self) {
        for chunk in mem::take(&mut self.chunks) {
            // SAFETY: `grow` leaked it from a box; the caller says that nobody uses it.
            drop(unsafe { Box::from_raw(chunk.as_ptr()) });
        }
    }
}

const CHUNK: usize = 64;
