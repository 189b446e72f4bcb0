//! Memory that the kernel may touch at any time, because it is never freed.

use std::alloc::{self, Layout};
use std::ptr::NonNull;

/// A stretch of memory that lives as long as the process, and may be lent to the kernel.
///
/// Contents are copied in and out, never borrowed: the kernel may write at any time. A benchmark
/// makes a few of them and ends soon, so that leaking is the simplest way to be sound.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    start: NonNull<u8>,
    len: u32,
}

impl Span {
    /// Allocates `len` bytes of zeros, aligned to a page.
    ///
    /// # Panics
    ///
    /// If `len` is zero.
    pub fn new(len: u32) -> Self {
        assert!(len > 0, "an empty span is of no use");
        let layout = Layout::from_size_align(len as usize, PAGE).expect("4 GiB fit a layout");
        // SAFETY: the layout's size is not zero.
        let start = unsafe { alloc::alloc_zeroed(layout) };
        let Some(start) = NonNull::new(start) else {
            alloc::handle_alloc_error(layout)
        };
        Self { start, len }
    }

    /// Returns the part of `len` bytes at `offset`.
    ///
    /// # Panics
    ///
    /// If the part does not lie inside.
    #[inline]
    pub fn part(self, offset: u32, len: u32) -> Self {
        assert!(
            offset.checked_add(len).is_some_and(|end| end <= self.len),
            "part out of range"
        );
        // SAFETY: the offset was checked to lie inside the allocation.
        let start = unsafe { self.start.add(offset as usize) };
        Self { start, len }
    }

    /// Copies the contents into `target`, which has the same length.
    ///
    /// # Panics
    ///
    /// If the lengths differ.
    #[inline]
    pub fn copy_to(self, target: &mut [u8]) {
        assert_eq!(target.len(), self.len as usize);
        // SAFETY: I1 (never freed) keeps the source alive; `target` is ours alone, so that the two
        // cannot overlap.
        unsafe {
            self.start
                .as_ptr()
                .copy_to_nonoverlapping(target.as_mut_ptr(), target.len());
        }
    }

    /// Copies `source`, which has the same length, into the span.
    ///
    /// # Panics
    ///
    /// If the lengths differ.
    #[inline]
    pub fn copy_from(self, source: &[u8]) {
        assert_eq!(source.len(), self.len as usize);
        // SAFETY: I1 (never freed) keeps the target alive; no reference to it exists anywhere.
        unsafe {
            self.start
                .as_ptr()
                .copy_from_nonoverlapping(source.as_ptr(), source.len());
        }
    }

    /// Returns the length in bytes.
    #[inline]
    pub fn len(self) -> u32 {
        self.len
    }

    /// Tells whether the span is an empty part.
    #[inline]
    pub fn is_empty(self) -> bool {
        self.len == 0
    }

    #[inline]
    pub(super) fn start(self) -> NonNull<u8> {
        self.start
    }
}

const PAGE: usize = 4096;
