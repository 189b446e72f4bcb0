//! A window on an owned buffer.

use std::ops::{Bound, RangeBounds};

use super::{IoBuf, IoBufMut, Room};

/// A buffer of which an operation uses only a part. Made by [`IoBuf::slice`], or by
/// [`Slice::new`] for buffers that are only read into.
///
/// Positions beyond the buffer's end are cut off, and a window whose start is behind its end is
/// empty: making or using one never panics. Of a buffer that grows, like `Vec<u8>`, a window has two
/// sides. To write from it, it ends with the bytes; to read into it, with the room, so that
/// `vec.slice(vec.len()..)` appends. Reading into a window leaves everything outside of it as it
/// was; if it begins behind the last byte, zeros fill the gap.
///
/// # Examples
///
/// ```
/// use ringloop_proactor::{Config, IoBuf, Proactor};
///
/// let mut proactor = Proactor::new(&Config::default())?;
/// let handle = proactor.handle();
/// let file = handle.adopt(std::fs::File::open("/dev/zero")?);
/// let mut bytes = b"head".to_vec();
/// bytes.reserve(100);
/// let (count, window) = proactor.block_on(handle.read(&file, bytes.slice(4..6), 0))??;
/// assert_eq!(count, 2);
/// assert_eq!(window.into_inner(), b"head\0\0");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slice<B> {
    buffer: B,
    start: usize,
    /// At least `start`.
    end: usize,
}

impl<B> Slice<B> {
    /// Makes a window on `buffer`.
    #[must_use]
    pub fn new(buffer: B, range: impl RangeBounds<usize>) -> Self {
        let start = match range.start_bound() {
            Bound::Included(&start) => start,
            Bound::Excluded(&before) => before.saturating_add(1),
            Bound::Unbounded => 0,
        };
        let end = match range.end_bound() {
            Bound::Included(&last) => last.saturating_add(1),
            Bound::Excluded(&end) => end,
            Bound::Unbounded => usize::MAX,
        };
        Self {
            buffer,
            start,
            end: end.max(start),
        }
    }

    /// Returns the whole buffer.
    #[must_use]
    pub fn get_ref(&self) -> &B {
        &self.buffer
    }

    /// Gives the whole buffer back.
    #[must_use]
    pub fn into_inner(self) -> B {
        self.buffer
    }
}

impl<B: IoBuf> IoBuf for Slice<B> {
    fn as_slice(&self) -> &[u8] {
        let bytes = self.buffer.as_slice();
        let end = self.end.min(bytes.len());
        &bytes[self.start.min(end)..end]
    }
}

#[expect(
    unsafe_code,
    reason = "what the caller knows of the window holds for that part of the buffer"
)]
impl<B: IoBufMut> IoBufMut for Slice<B> {
    fn room(&mut self) -> Room<'_> {
        self.buffer.room().window(self.start, self.end)
    }

    unsafe fn set_filled(&mut self, len: usize) {
        // SAFETY: the caller's promise; the window begins at `start` of the buffer's room, or is
        // empty.
        unsafe { self.buffer.set_filled_at(self.start, len) }
    }

    unsafe fn set_filled_at(&mut self, start: usize, len: usize) {
        let start = self.start.saturating_add(start);
        // SAFETY: the caller's promise, as above.
        unsafe { self.buffer.set_filled_at(start, len) }
    }
}
