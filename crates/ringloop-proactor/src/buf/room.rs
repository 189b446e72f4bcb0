//! The room of a buffer: where the kernel may write.
//!
//! # Invariants
//!
//! - **R1** A room is memory that was borrowed mutably for the room's lifetime.
//! - **R2** Only initialized bytes are written through it: it hands out a raw pointer and no
//!   `MaybeUninit`, so safe code cannot take the initialization of a byte back.

#![expect(unsafe_code, reason = "a window on memory is a pointer and a length")]

use std::fmt;
use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::ptr::NonNull;

/// Memory to be filled, of which nobody knows whether it is initialized.
///
/// Made from a `&mut [u8]` or a `&mut [MaybeUninit<u8>]`. It can be written, through
/// [`as_mut_ptr`](Self::as_mut_ptr) or [`write`](Self::write), and not read.
///
/// # Examples
///
/// ```
/// use ringloop_proactor::Room;
///
/// let mut bytes = *b"....";
/// assert_eq!(Room::from(&mut bytes[1..]).write(b"go"), 2);
/// assert_eq!(&bytes, b".go.");
/// ```
pub struct Room<'a> {
    start: NonNull<u8>,
    len: usize,
    memory: PhantomData<&'a mut [MaybeUninit<u8>]>,
}

impl Room<'_> {
    /// Makes a room of `len` bytes.
    ///
    /// # Safety
    ///
    /// The memory is exclusively borrowed for as long as the room's lifetime says (R1).
    #[inline]
    pub(super) unsafe fn from_raw(start: NonNull<u8>, len: usize) -> Self {
        Self {
            start,
            len,
            memory: PhantomData,
        }
    }

    /// Returns the room between two positions; what lies outside is left out.
    #[must_use]
    pub(super) fn window(self, start: usize, end: usize) -> Self {
        let end = end.min(self.len);
        let start = start.min(end);
        Self {
            // SAFETY: R1, `start` is at most the length.
            start: unsafe { self.start.add(start) },
            len: end - start,
            memory: PhantomData,
        }
    }

    /// Returns the address of the first byte.
    #[must_use]
    #[inline]
    pub fn as_mut_ptr(&mut self) -> *mut u8 {
        self.start.as_ptr()
    }

    /// Returns how many bytes fit.
    #[must_use]
    #[inline]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Returns whether nothing fits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Copies as much of `bytes` as fits to the start of the room, and returns how much that was.
    pub fn write(&mut self, bytes: &[u8]) -> usize {
        let count = bytes.len().min(self.len);
        // SAFETY: R1, `count` bytes fit, and a shared slice does not overlap an exclusive one.
        unsafe {
            self.start
                .copy_from_nonoverlapping(NonNull::from(bytes).cast(), count);
        };
        count
    }
}

impl<'a> From<&'a mut [u8]> for Room<'a> {
    #[inline]
    fn from(bytes: &'a mut [u8]) -> Self {
        Self {
            len: bytes.len(),
            start: NonNull::from(bytes).cast(),
            memory: PhantomData,
        }
    }
}

impl<'a> From<&'a mut [MaybeUninit<u8>]> for Room<'a> {
    #[inline]
    fn from(bytes: &'a mut [MaybeUninit<u8>]) -> Self {
        Self {
            len: bytes.len(),
            start: NonNull::from(bytes).cast(),
            memory: PhantomData,
        }
    }
}

impl fmt::Debug for Room<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Room")
            .field("len", &self.len)
            .finish_non_exhaustive()
    }
}
