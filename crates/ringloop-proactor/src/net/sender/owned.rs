//! A buffer that is sent from where it is.

use std::task::{RawWaker, RawWakerVTable, Waker};

use crate::buf::IoBuf;

/// An owned buffer in a place of its own, and what it said its bytes are.
///
/// Dropping one runs the buffer's code, which a hook must not do. What a hook has to do with is
/// [`into_waker`](Self::into_waker): it goes where wakers go, and is dropped when they run.
pub(super) struct Owned {
    start: *const u8,
    len: usize,
    /// Drops the buffer when it is woken or dropped (N2).
    keeper: Waker,
}

impl Owned {
    /// Puts a buffer where it stays. `None`: it is empty, and has been dropped.
    pub(super) fn new<B: IoBuf>(buffer: B) -> Option<Self> {
        let place = Box::into_raw(Box::new(buffer));
        // SAFETY: N2, the waker is the only owner of the box, and goes nowhere but to this thread.
        let keeper = unsafe { Waker::new(place.cast::<()>().cast_const(), &Keeper::<B>::VTABLE) };
        // SAFETY: it was just leaked, and only the waker, which is here, drops it.
        let bytes = unsafe { &*place }.as_slice();
        (!bytes.is_empty()).then_some(Self {
            start: bytes.as_ptr(),
            len: bytes.len(),
            keeper,
        })
    }

    pub(super) fn start(&self) -> *const u8 {
        self.start
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// What drops the buffer when it is woken.
    pub(super) fn into_waker(self) -> Waker {
        self.keeper
    }
}

/// The functions of a waker that owns a box with a `B`.
struct Keeper<B>(std::marker::PhantomData<B>);

impl<B: IoBuf> Keeper<B> {
    const VTABLE: RawWakerVTable =
        RawWakerVTable::new(|_| NOBODY, Self::release, |_| (), Self::release);

    /// Drops the box.
    ///
    /// # Safety
    ///
    /// `place` is that of the box, which has not been dropped.
    unsafe fn release(place: *const ()) {
        // SAFETY: the caller's promise.
        drop(unsafe { Box::from_raw(place.cast_mut().cast::<B>()) });
    }
}

/// A clone of a keeper keeps nothing.
const NOBODY: RawWaker = RawWaker::new(
    std::ptr::null(),
    &RawWakerVTable::new(|_| NOBODY, |_| (), |_| (), |_| ()),
);
