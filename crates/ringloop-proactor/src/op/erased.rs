//! Operations whose types are forgotten: what a slot holds, and what can be done to it.
//!
//! An operation of up to 64 bytes is stored in its slot, as is a service of up to 16, and a larger one
//! in a box that the slot holds. The table knows none of the types; it calls the functions of a [`VTable`], each of which wants
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
    /// Describes a service.
    pub(super) prepare: unsafe fn(*mut ServiceRoom, &mut Sqe),
    /// Has a service handle a completion, of which it gets the result and the flags in registers.
    pub(super) on_completion: unsafe fn(*mut ServiceRoom, i32, u32, &mut Wakes) -> Flow,
}

/// The vtable of slots that hold nothing.
pub(super) static FREE: VTable = VTable {
    name: "nothing",
    has_fd: false,
    dispose: dispose_nothing,
    lease: lease_nothing,
    prepare: prepare_nothing,
    on_completion: complete_nothing,
};

/// # Safety
///
/// None: it does nothing.
unsafe fn dispose_nothing(_payload: *mut Payload, _cqe: Option<Cqe>) {}

/// # Safety
///
/// None: it does nothing.
unsafe fn lease_nothing(_payload: *mut Payload, _cqe: Cqe) {}

/// # Safety
///
/// None: it does nothing.
unsafe fn prepare_nothing(_payload: *mut ServiceRoom, _sqe: &mut Sqe) {}

/// # Safety
///
/// None: it does nothing.
unsafe fn complete_nothing(
    _payload: *mut ServiceRoom,
    _res: i32,
    _flags: u32,
    _wakes: &mut Wakes,
) -> Flow {
    Flow::Rest
}

/// The vtable of one-shot operations.
pub(super) struct OneShot<O>(PhantomData<O>);

impl<O: Operation> OneShot<O> {
    pub(super) const VTABLE: VTable = VTable {
        name: O::NAME,
        has_fd: O::HAS_FD,
        dispose: Self::dispose,
        lease: Self::lease,
        prepare: prepare_nothing,
        on_completion: complete_nothing,
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
        prepare: Self::prepare,
        on_completion: Self::on_completion,
    };

    /// # Safety
    ///
    /// The payload holds an `S` that nobody uses afterwards, as [`Payload::of_service`] has put it.
    unsafe fn dispose(payload: *mut Payload, _cqe: Option<Cqe>) {
        // SAFETY: the caller gives up the payload, which begins with the room that holds an `S`.
        drop(unsafe { ServiceRoom::take::<S>(payload.cast()) });
    }

    /// # Safety
    ///
    /// The payload holds an `S` that nobody else touches.
    unsafe fn prepare(payload: *mut ServiceRoom, sqe: &mut Sqe) {
        // SAFETY: the caller's promise.
        let service = unsafe { &mut *ServiceRoom::pointer::<S>(payload) };
        service.prepare(sqe);
    }

    /// # Safety
    ///
    /// The payload holds an `S` that nobody else touches, except the kernel what `S` lent it.
    unsafe fn on_completion(
        payload: *mut ServiceRoom,
        res: i32,
        flags: u32,
        wakes: &mut Wakes,
    ) -> Flow {
        // SAFETY: the caller's promise.
        let service = unsafe { &mut *ServiceRoom::pointer::<S>(payload) };
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

/// Room for something of a type that is forgotten, or for the box that holds it if it is larger.
#[repr(C, align(8))]
pub(super) struct Room<const WORDS: usize>(MaybeUninit<[u64; WORDS]>);

/// Room for a one-shot operation.
pub(super) type Payload = Room<8>;
/// Room for a service, which mostly is one pointer.
pub(super) type ServiceRoom = Room<2>;

impl Payload {
    /// Moves what `room` holds.
    ///
    /// # Safety
    ///
    /// The place is valid for reads, and what it holds is not used there any more.
    pub(super) unsafe fn of_service(room: *const ServiceRoom) -> Self {
        let mut payload = Self::EMPTY;
        // SAFETY: the caller's promise; a payload is larger and as much aligned.
        unsafe { (&raw mut payload).cast::<ServiceRoom>().copy_from(room, 1) };
        payload
    }
}

impl<const WORDS: usize> Room<WORDS> {
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
