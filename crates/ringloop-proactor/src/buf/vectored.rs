//! Several buffers in one operation.
//!
//! # Invariants
//!
//! - **V1** All slices, or all rooms, of a set are borrowed from it at once, so they are valid
//!   together for as long as the set is left alone.
//! - **V2** The array that the kernel reads holds what one pass over the set gave. Nothing asks the
//!   set again.

#![expect(
    unsafe_code,
    reason = "what the kernel filled is initialized from then on"
)]

use std::io;
use std::ptr;

use super::{IoBuf, IoBufMut, OpError, Room};
use crate::ring::{Cqe, RW_BYTES_MAX};

/// The most buffers in a set: `IOV_MAX`.
pub const IO_BUFS_MAX: usize = 1024;

/// A set of owned buffers that the kernel reads from, in order.
///
/// Vectors, arrays and tuples of [`IoBuf`] are sets. Safe to implement, for the same reason as
/// `IoBuf`.
pub trait IoBufs: 'static {
    /// Returns the bytes to write or send, buffer by buffer.
    fn slices(&self) -> impl Iterator<Item = &[u8]>;
}

/// A set of owned buffers that the kernel writes into, in order.
///
/// Vectors, arrays and tuples of [`IoBufMut`] are sets. Safe to implement, for the same reason as
/// [`IoBuf`].
pub trait IoBufsMut: 'static {
    /// Returns the memory to read into, buffer by buffer.
    fn rooms(&mut self) -> impl Iterator<Item = Room<'_>>;

    /// Notes how much of each buffer has been filled, all of the first ones, then some, then
    /// nothing.
    ///
    /// # Safety
    ///
    /// The n-th number is not more than what is initialized at the start of the n-th room that
    /// [`rooms`](Self::rooms) returned last.
    unsafe fn set_filled(&mut self, lens: impl Iterator<Item = usize>);
}

impl<B: IoBuf> IoBufs for Vec<B> {
    fn slices(&self) -> impl Iterator<Item = &[u8]> {
        self.iter().map(IoBuf::as_slice)
    }
}

impl<B: IoBuf, const N: usize> IoBufs for [B; N] {
    fn slices(&self) -> impl Iterator<Item = &[u8]> {
        self.iter().map(IoBuf::as_slice)
    }
}

impl<B: IoBufMut> IoBufsMut for Vec<B> {
    fn rooms(&mut self) -> impl Iterator<Item = Room<'_>> {
        self.iter_mut().map(IoBufMut::room)
    }

    unsafe fn set_filled(&mut self, lens: impl Iterator<Item = usize>) {
        for (buffer, len) in self.iter_mut().zip(lens) {
            // SAFETY: the caller's promise for this buffer.
            unsafe { buffer.set_filled(len) };
        }
    }
}

impl<B: IoBufMut, const N: usize> IoBufsMut for [B; N] {
    fn rooms(&mut self) -> impl Iterator<Item = Room<'_>> {
        self.iter_mut().map(IoBufMut::room)
    }

    unsafe fn set_filled(&mut self, lens: impl Iterator<Item = usize>) {
        for (buffer, len) in self.iter_mut().zip(lens) {
            // SAFETY: the caller's promise for this buffer.
            unsafe { buffer.set_filled(len) };
        }
    }
}

/// Tuples are sets: a head and a body of different types is the usual case.
macro_rules! tuple {
    ($($name:ident)+) => {
        impl<$($name: IoBuf),+> IoBufs for ($($name,)+) {
            fn slices(&self) -> impl Iterator<Item = &[u8]> {
                #[expect(non_snake_case, reason = "a value is named like its type here")]
                let ($($name,)+) = self;
                [$($name.as_slice()),+].into_iter()
            }
        }

        impl<$($name: IoBufMut),+> IoBufsMut for ($($name,)+) {
            fn rooms(&mut self) -> impl Iterator<Item = Room<'_>> {
                #[expect(non_snake_case, reason = "a value is named like its type here")]
                let ($($name,)+) = self;
                [$($name.room()),+].into_iter()
            }

            unsafe fn set_filled(&mut self, mut lens: impl Iterator<Item = usize>) {
                #[expect(non_snake_case, reason = "a value is named like its type here")]
                let ($($name,)+) = self;
                $(if let Some(len) = lens.next() {
                    // SAFETY: the caller's promise for this buffer.
                    unsafe { $name.set_filled(len) };
                })+
            }
        }
    };
}

tuple!(A B);
tuple!(A B C);
tuple!(A B C D);

/// The `iovec` array of an operation: inside of it while it is short, else in a box.
///
/// It is filled in at the operation's final address, and lives as long as the operation.
pub(crate) struct IoVecs {
    few: [libc::iovec; FEW],
    /// Empty if all are in `few`.
    many: Box<[libc::iovec]>,
    count: u32,
}

impl IoVecs {
    pub(crate) fn new() -> Self {
        Self {
            few: [NOTHING; FEW],
            many: Box::default(),
            count: 0,
        }
    }

    /// Names the memory of a set to be written. Returns the address of the array and its length.
    pub(crate) fn name_slices<S: IoBufs>(&mut self, set: &S) -> (*const libc::iovec, u32) {
        self.fill(
            set.slices()
                .map(|slice| (slice.as_ptr().cast_mut(), slice.len())),
        )
    }

    /// Names the memory of a set to be filled. Returns the address of the array and its length.
    pub(crate) fn name_rooms<S: IoBufsMut>(&mut self, set: &mut S) -> (*const libc::iovec, u32) {
        self.fill(set.rooms().map(|mut room| (room.as_mut_ptr(), room.len())))
    }

    /// What a set beyond the bound says for itself at the construction of an operation.
    pub(crate) fn check<I>(buffers: impl Iterator<Item = I>) -> io::Result<()> {
        if buffers.take(IO_BUFS_MAX + 1).count() > IO_BUFS_MAX {
            let message = "a set has 1,024 buffers at most";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        Ok(())
    }

    /// The count and the set, once the kernel has filled it.
    pub(crate) fn finish<S: IoBufsMut>(
        self,
        mut set: S,
        cqe: Cqe,
    ) -> Result<(usize, S), OpError<S>> {
        let count = match cqe.result() {
            Ok(count) => count as usize,
            Err(error) => return Err(OpError::new(error, set)),
        };
        let mut left = count;
        let lens = self.named().iter().map(|named| {
            let len = left.min(named.iov_len);
            left -= len;
            len
        });
        // SAFETY: the kernel wrote `count` bytes to the rooms that were named, one after the other,
        // and no buffer is told of more than its room (V2).
        unsafe { set.set_filled(lens) };
        let named: usize = self.named().iter().map(|named| named.iov_len).sum();
        Ok((count.min(named), set))
    }

    fn fill(
        &mut self,
        memory: impl Iterator<Item = (*mut u8, usize)>,
    ) -> (*const libc::iovec, u32) {
        // V2: a set that has grown since it was counted is cut off.
        let mut memory = memory.take(IO_BUFS_MAX).map(|(start, len)| libc::iovec {
            iov_base: start.cast(),
            iov_len: len.min(RW_BYTES_MAX as usize),
        });
        self.many = Box::default();
        let mut count = 0;
        for (place, named) in self.few.iter_mut().zip(&mut memory) {
            *place = named;
            count += 1;
        }
        if count == FEW
            && let Some(next) = memory.next()
        {
            let few = self.few.iter().copied();
            self.many = few.chain([next]).chain(memory).collect();
            count = self.many.len();
        }
        self.count = u32::try_from(count).expect("1,024 at most");
        (self.named().as_ptr(), self.count)
    }

    fn named(&self) -> &[libc::iovec] {
        if self.many.is_empty() {
            &self.few[..self.count as usize]
        } else {
            &self.many
        }
    }
}

impl std::fmt::Debug for IoVecs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IoVecs")
            .field("count", &self.count)
            .finish_non_exhaustive()
    }
}

/// A head, a body and a tail, and one more.
const FEW: usize = 4;
const NOTHING: libc::iovec = libc::iovec {
    iov_base: ptr::null_mut(),
    iov_len: 0,
};
