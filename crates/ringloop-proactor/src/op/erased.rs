//! Operations whose types are forgotten: what a slot holds, and what can be done to it.
//!
//! An operation of up to 64 bytes is stored in its slot, a larger one in a box that the slot holds.
//! The table knows none of the types; it calls the functions of a [`VTable`], each of which wants
//! a payload of the type that the vtable was made for.
//!
//! The invariants I1 to I6 are those of [`op`](super).

#![expect(
    unsafe_code,
    reason = "operations of all types are stored in untyped memory"
)]

use std::marker::PhantomData;
use std::mem::MaybeUninit;

use super::{Flow, Operation, Service};
use crate::ring::{Cqe, Sqe};
use crate::wakes::Wakes;

/// What can be done to an operation whose type is forgotten.
pub(super) struct VTable {
    pub(super) name: &'static str,
    /// The entry's `fd` is a descriptor.
    pub(super) has_fd: bool,
    /// Moves the operation out and drops it, or completes it and drops its output.
    pub(super) dispose: unsafe fn(*mut Payload, Option<Cqe>),
    /// Hands a provided buffer to a one-shot operation.
    pub(super) lease: unsafe fn(*mut Payload, Cqe),
    pub(super) prepare: Option<PrepareHook>,
    pub(super) on_completion: Option<CompletionHook>,
}

pub(super) type PrepareHook = unsafe fn(*mut Payload, &mut Sqe);
/// Takes the result and the flags of a completion, in registers.
pub(super) type CompletionHook = unsafe fn(*mut Payload, i32, u32, &mut Wakes) -> Flow;

/// The vtable of slots that hold nothing.
pub(super) static FREE: VTable = VTable {
    name: "nothing",
    has_fd: false,
    dispose: dispose_nothing,
    lease: lease_nothing,
    prepare: None,
    on_completion: None,
};

/// # Safety
///
/// None: it does nothing.
unsafe fn dispose_nothing(_payload: *mut Payload, _cqe: Option<Cqe>) {}

/// # Safety
///
/// None: it does nothing.
unsafe fn lease_nothing(_payload: *mut Payload, _cqe: Cqe) {}

/// The vtable of one-shot operations.
pub(super) struct OneShot<O>(PhantomData<O>);

impl<O: Operation> OneShot<O> {
    pub(super) const VTABLE: VTable = VTable {
        name: O::NAME,
        has_fd: O::HAS_FD,
        dispose: Self::dispose,
        lease: Self::lease,
        prepare: None,
        on_completion: None,
    };

    /// # Safety
    ///
    /// The payload holds an `O` that nobody else touches.
    unsafe fn lease(payload: *mut Payload, cqe: Cqe) {
        // SAFETY: the caller's promise.
        let op = unsafe { &mut *Payload::pointer::<O>(payload) };
        op.lease(cqe);
    }

    /// # Safety
    ///
    /// The payload holds an `O` that nobody uses afterwards.
    unsafe fn dispose(payload: *mut Payload, cqe: Option<Cqe>) {
        // SAFETY: the caller gives up the payload, which holds an `O`.
        let op = unsafe { Payload::take::<O>(payload) };
        match cqe {
            Some(cqe) => drop(op.complete(cqe)),
            None => drop(op),
        }
    }
}

/// The vtable of services.
pub(super) struct Hooks<S>(PhantomData<S>);

impl<S: Service> Hooks<S> {
    pub(super) const VTABLE: VTable = VTable {
        name: S::NAME,
        has_fd: true,
        dispose: Self::dispose,
        lease: lease_nothing,
        prepare: Some(Self::prepare),
        on_completion: Some(Self::on_completion),
    };

    /// # Safety
    ///
    /// The payload holds an `S` that nobody uses afterwards.
    unsafe fn dispose(payload: *mut Payload, _cqe: Option<Cqe>) {
        // SAFETY: the caller gives up the payload, which holds an `S`.
        drop(unsafe { Payload::take::<S>(payload) });
    }

    /// # Safety
    ///
    /// The payload holds an `S` that nobody else touches.
    unsafe fn prepare(payload: *mut Payload, sqe: &mut Sqe) {
        // SAFETY: the caller's promise.
        let service = unsafe { &mut *Payload::pointer::<S>(payload) };
        service.prepare(sqe);
    }

    /// # Safety
    ///
    /// The payload holds an `S` that nobody else touches, except the kernel what `S` lent it.
    unsafe fn on_completion(
        payload: *mut Payload,
        res: i32,
        flags: u32,
        wakes: &mut Wakes,
    ) -> Flow {
        // SAFETY: the caller's promise.
        let service = unsafe { &mut *Payload::pointer::<S>(payload) };
        service.on_completion(
            Cqe {
                user_data: 0,
                res,
                flags,
            },
            wakes,
        )
    }
}

/// Room for an operation, or for the box that holds a larger one.
#[repr(C, align(8))]
pub(super) struct Payload(MaybeUninit<[u64; PAYLOAD_WORDS]>);

impl Payload {
    pub(super) const EMPTY: Self = Self(MaybeUninit::uninit());

    const fn is_inline<T>() -> bool {
        size_of::<T>() <= size_of::<Self>() && align_of::<T>() <= align_of::<Self>()
    }

    /// Puts `value` into `room`, which holds nothing.
    #[inline]
    pub(super) fn store<T>(room: *mut Self, value: T) {
        if Self::is_inline::<T>() {
            // SAFETY: the room is large enough and aligned, just checked.
            unsafe { room.cast::<T>().write(value) };
        } else {
            // SAFETY: a pointer fits and is aligned.
            unsafe { room.cast::<*mut T>().write(Box::into_raw(Box::new(value))) };
        }
    }

    /// The address of the `T` that `payload` holds.
    #[inline]
    pub(super) fn pointer<T>(payload: *mut Self) -> *mut T {
        if Self::is_inline::<T>() {
            payload.cast()
        } else {
            // SAFETY: `store::<T>` wrote a pointer here.
            unsafe { payload.cast::<*mut T>().read() }
        }
    }

    /// Takes the `T` out of `room`.
    ///
    /// # Safety
    ///
    /// `store::<T>` put it there and it has not been taken.
    #[inline]
    pub(super) unsafe fn take<T>(room: *mut Self) -> T {
        let pointer = Self::pointer::<T>(room);
        if Self::is_inline::<T>() {
            // SAFETY: the caller's promise.
            unsafe { pointer.read() }
        } else {
            // SAFETY: the caller's promise; the box was made by `store`.
            *unsafe { Box::from_raw(pointer) }
        }
    }
}

const PAYLOAD_WORDS: usize = 8;
