//! What is sent from where it is: a buffer, or what is in a pipe.

use std::task::{RawWaker, RawWakerVTable, Waker};

use crate::buf::IoBuf;
use crate::fd::Fd;

/// An owned buffer in a place of its own, and what it said its bytes are; or so many bytes of a
/// pipe.
///
/// Dropping one runs the buffer's code, or closes the pipe, which a hook must not do. What a hook
/// has to do with is [`into_waker`](Self::into_waker): it goes where wakers go, and is dropped when
/// they run.
pub(super) struct Owned {
    source: Source,
    len: usize,
    /// Drops what there is when it is woken or dropped (N2).
    keeper: Waker,
}

/// Where the bytes are.
#[derive(Clone, Copy)]
pub(super) enum Source {
    Memory(*const u8),
    /// A plain descriptor, which the keeper keeps open.
    Pipe(i32),
}

/// Something in a box, and what drops it (N2).
fn boxed<T: 'static>(value: T) -> (*mut T, Waker) {
    let place = Box::into_raw(Box::new(value));
    // SAFETY: N2, the waker is the only owner of the box, and goes nowhere but to this thread.
    let keeper = unsafe { Waker::new(place.cast::<()>().cast_const(), &Keeper::<T>::VTABLE) };
    (place, keeper)
}

impl Owned {
    /// Puts a buffer where it stays. `None`: it is empty, and has been dropped.
    pub(super) fn new<B: IoBuf>(buffer: B) -> Option<Self> {
        let (place, keeper) = boxed(buffer);
        // SAFETY: it was just leaked, and only the waker, which is here, drops it.
        let bytes = unsafe { &*place }.as_slice();
        (!bytes.is_empty()).then_some(Self {
            source: Source::Memory(bytes.as_ptr()),
            len: bytes.len(),
            keeper,
        })
    }

    /// The next `len` bytes of a pipe, which are in it.
    pub(super) fn in_pipe(pipe: &Fd, len: usize) -> Self {
        let number = pipe.target().number;
        let (_, keeper) = boxed(pipe.clone());
        Self {
            source: Source::Pipe(number),
            len,
            keeper,
        }
    }

    pub(super) fn source(&self) -> Source {
        self.source
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// What drops the buffer when it is woken.
    pub(super) fn into_waker(self) -> Waker {
        self.keeper
    }
}

/// The functions of a waker that owns a box with a `T`.
struct Keeper<T>(std::marker::PhantomData<T>);

impl<T: 'static> Keeper<T> {
    const VTABLE: RawWakerVTable =
        RawWakerVTable::new(|_| NOBODY, Self::release, |_| (), Self::release);

    /// Drops the box.
    ///
    /// # Safety
    ///
    /// `place` is that of the box, which has not been dropped.
    unsafe fn release(place: *const ()) {
        // SAFETY: the caller's promise.
        drop(unsafe { Box::from_raw(place.cast_mut().cast::<T>()) });
    }
}

/// A clone of a keeper keeps nothing.
const NOBODY: RawWaker = RawWaker::new(
    std::ptr::null(),
    &RawWakerVTable::new(|_| NOBODY, |_| (), |_| (), |_| ()),
);
