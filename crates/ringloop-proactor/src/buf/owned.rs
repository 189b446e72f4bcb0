//! Owned buffers, and the error that brings one back.

use std::error::Error;
use std::fmt;
use std::io;
use std::mem::MaybeUninit;
use std::rc::Rc;
use std::sync::Arc;

/// An owned buffer that the kernel reads from.
///
/// Safe to implement: the op table keeps the buffer, and asks for the slice once the buffer is at
/// an address where it stays, untouched, until the kernel is done.
pub trait IoBuf: 'static {
    /// Returns the bytes to write or send.
    fn as_slice(&self) -> &[u8];
}

/// An owned buffer that the kernel writes into.
///
/// Safe to implement, for the same reason as [`IoBuf`].
pub trait IoBufMut: 'static {
    /// Returns the room to read into, from the buffer's start.
    fn as_uninit(&mut self) -> &mut [MaybeUninit<u8>];

    /// Notes that the first `len` bytes of the room have been filled.
    ///
    /// # Safety
    ///
    /// The first `len` bytes of what [`as_uninit`](Self::as_uninit) returned are initialized.
    #[expect(unsafe_code, reason = "only the caller knows what the kernel filled")]
    unsafe fn set_filled(&mut self, len: usize);
}

impl IoBuf for Vec<u8> {
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
impl IoBufMut for Vec<u8> {
    fn as_uninit(&mut self) -> &mut [MaybeUninit<u8>] {
        self.clear();
        self.spare_capacity_mut()
    }

    #[expect(unsafe_code, reason = "the trait's promise is the vector's")]
    unsafe fn set_filled(&mut self, len: usize) {
        // SAFETY: the caller's promise; the vector was cleared, so its room starts at its start.
        unsafe { self.set_len(len) }
    }
}

#[expect(unsafe_code, reason = "the trait's method is unsafe to call")]
impl IoBufMut for Box<[u8]> {
    fn as_uninit(&mut self) -> &mut [MaybeUninit<u8>] {
        uninit(self)
    }

    unsafe fn set_filled(&mut self, _len: usize) {}
}

#[expect(unsafe_code, reason = "the trait's method is unsafe to call")]
impl<const N: usize> IoBufMut for [u8; N] {
    fn as_uninit(&mut self) -> &mut [MaybeUninit<u8>] {
        uninit(self)
    }

    unsafe fn set_filled(&mut self, _len: usize) {}
}

/// Initialized bytes as room to read into.
///
/// Private, because safe code could write uninitialized bytes through what it returns; the kernel
/// only writes initialized ones.
#[expect(
    unsafe_code,
    reason = "std has this conversion only the other way round"
)]
fn uninit(bytes: &mut [u8]) -> &mut [MaybeUninit<u8>] {
    let pointer = std::ptr::from_mut(bytes) as *mut [MaybeUninit<u8>];
    // SAFETY: same address, length and layout; nobody but the kernel writes through it.
    unsafe { &mut *pointer }
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
    pub(crate) fn new(error: io::Error, buffer: B) -> Self {
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
