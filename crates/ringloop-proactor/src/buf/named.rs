//! A buffer in an operation that fills it, with the room that the kernel was told of.

#![expect(
    unsafe_code,
    reason = "what the kernel filled is initialized from then on"
)]

use super::{IoBufMut, OpError};
use crate::ring::{Cqe, RW_BYTES_MAX};

/// The buffer of an operation, and how much room was named in the entry.
///
/// A buffer is asked for its room once per preparation: it may answer differently the next time. What
/// it is told afterwards is never more than what was named.
#[derive(Debug)]
pub(crate) struct Named<B> {
    buffer: B,
    room_bytes: u32,
}

impl<B: IoBufMut> Named<B> {
    #[inline]
    pub(crate) fn new(buffer: B) -> Self {
        Self {
            buffer,
            room_bytes: 0,
        }
    }

    /// The memory for the entry. The buffer is at the address where it stays.
    #[inline]
    pub(crate) fn name(&mut self) -> (*mut u8, usize) {
        let mut room = self.buffer.room();
        let len = u32::try_from(room.len()).unwrap_or(u32::MAX);
        let (start, len) = (room.as_mut_ptr(), len.min(RW_BYTES_MAX));
        self.room_bytes = len;
        (start, len as usize)
    }

    /// The buffer of an operation that did not happen.
    pub(crate) fn into_inner(self) -> B {
        self.buffer
    }

    /// The count and the buffer, once the kernel has filled it.
    #[inline]
    pub(crate) fn finish(mut self, cqe: Cqe) -> Result<(usize, B), OpError<B>> {
        match cqe.result() {
            Ok(count) => {
                let count = count.min(self.room_bytes) as usize;
                // SAFETY: the kernel wrote `count` bytes to the start of the room that was named.
                unsafe { self.buffer.set_filled(count) };
                Ok((count, self.buffer))
            }
            Err(error) => Err(OpError::new(error, self.buffer)),
        }
    }
}
