//! Owned buffers, and the error that brings one back.

use std::error::Error;
use std::fmt;
use std::io;
use std::mem::MaybeUninit;
use std::ops::RangeBounds;
use std::ptr::NonNull;
use std::rc::Rc;
use std::sync::Arc;

use super::{Room, Slice};

/// An owned buffer that the kernel reads from.
///
/// Safe to implement: the op table keeps the buffer, and asks for the slice once the buffer is at
/// an address where it stays, untouched, until the kernel is done. Each operation asks once and
/// stands on that one answer.
pub trait IoBuf: 'static {
    /// Returns the bytes to write or send.
    fn as_slice(&self) -> &[u8];

    /// Makes a window on the buffer, to write from a part of it or to read into one.
    #[must_use = "the window is what an operation takes"]
    fn slice(self, range: impl RangeBounds<usize>) -> Slice<Self>
    where
        Self: Sized,
    {
        Slice::new(self, range)
    }
}

/// An owned buffer that the kernel writes into.
///
/// Safe to implement, for the same reason as [`IoBuf`].
pub trait IoBufMut: 'static {
    /// Returns the memory to read into, from the buffer's start; also over bytes that are there.
    fn room(&mut self) -> Room<'_>;

    /// Notes that the first `len` bytes of the room have been filled, and are all that counts.
    ///
    /// # Safety
    ///
    /// The first `len` bytes of what [`room`](Self::room) returned last are initialized.
    #[expect(unsafe_code, reason = "only the caller knows what the kernel filled")]
    unsafe fn set_filled(&mut self, len: usize);

    /// Notes that `len` bytes of the room, from `start` on, have been filled through a
    /// [`Slice`]. What was there besides stays.
    ///
    /// A buffer of a fixed length has nothing to note, which is what the provided method does. A
    /// buffer that grows makes itself long enough.
    ///
    /// # Safety
    ///
    /// `len` bytes from `start` on of what [`room`](Self::room) returned last are initialized.
    #[expect(unsafe_code, reason = "only the caller knows what the kernel filled")]
    unsafe fn set_filled_at(&mut self, start: usize, len: usize) {
        let _fixed = (start, len);
    }
}

impl IoBuf for Vec<u8> {
    #[inline]
    fn as_slice(&self) -> &[u8] {
        self
    }
}

impl IoBuf for String {
    fn as_slice(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl IoBuf for Box<[u8]> {
    fn as_slice(&self) -> &[u8] {
        self
    }
}

impl IoBuf for Rc<[u8]> {
    fn as_slice(&self) -> &[u8] {
        self
    }
}

impl IoBuf for Arc<[u8]> {
    fn as_slice(&self) -> &[u8] {
        self
    }
}

impl IoBuf for &'static [u8] {
    fn as_slice(&self) -> &[u8] {
        self
    }
}

impl IoBuf for &'static str {
    fn as_slice(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl<const N: usize> IoBuf for [u8; N] {
    fn as_slice(&self) -> &[u8] {
        self
    }
}

/// Reads overwrite the vector from its start, up to its capacity, and set its length.
#[expect(
    unsafe_code,
    reason = "the room reaches beyond what is initialized, and what was filled is initialized"
)]
impl IoBufMut for Vec<u8> {
    #[inline]
    fn room(&mut self) -> Room<'_> {
        let len = self.capacity();
        let start = NonNull::new(self.as_mut_ptr()).expect("a vector's pointer is not null");
        // SAFETY: R1 of `room`, the vector is borrowed, and its capacity is its own.
        unsafe { Room::from_raw(start, len) }
    }

    #[inline]
    unsafe fn set_filled(&mut self, len: usize) {
        debug_assert!(len <= self.capacity(), "F15: no more is filled than fits");
        // SAFETY: the caller's promise; the room starts at the vector's start.
        unsafe { self.set_len(len) }
    }

    unsafe fn set_filled_at(&mut self, start: usize, len: usize) {
        let end = start.saturating_add(len);
        if len == 0 || end <= self.len() {
            return;
        }
        assert!(end <= self.capacity(), "F15: no more is filled than fits");
        if start > self.len() {
            let gap = start - self.len();
            self.spare_capacity_mut()[..gap].fill(MaybeUninit::new(0));
        }
        // SAFETY: the caller's promise for the bytes from `start` on; those before it are the
        // vector's own, and the zeros just written.
        unsafe { self.set_len(end) }
    }
}

#[expect(unsafe_code, reason = "the trait's method is unsafe to call")]
impl IoBufMut for Box<[u8]> {
    fn room(&mut self) -> Room<'_> {
        Room::from(&mut **self)
    }

    unsafe fn set_filled(&mut self, _len: usize) {}
}

#[expect(unsafe_code, reason = "the trait's method is unsafe to call")]
impl<const N: usize> IoBufMut for [u8; N] {
    fn room(&mut self) -> Room<'_> {
        Room::from(&mut self[..])
    }

    unsafe fn set_filled(&mut self, _len: usize) {}
}

/// An operation that failed, with the buffer that it owned.
///
/// Converts to [`io::Error`], so that `?` works where the buffer is of no further use.
#[derive(Debug)]
#[non_exhaustive]
pub struct OpError<B> {
    /// What the kernel said.
    pub error: io::Error,
    /// The buffer, as the operation left it.
    pub buffer: B,
}

impl<B> OpError<B> {
    /// Makes the error of something that gives a buffer back.
    #[must_use]
    pub fn new(error: io::Error, buffer: B) -> Self {
        Self { error, buffer }
    }
}

impl<B> fmt::Display for OpError<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.error, f)
    }
}

impl<B: fmt::Debug> Error for OpError<B> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.error)
    }
}

impl<B> From<OpError<B>> for io::Error {
    fn from(error: OpError<B>) -> Self {
        error.error
    }
}
