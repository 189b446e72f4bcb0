//! The waker of a task.
//!
//! Its data pointer is the task's header, so cloning one is counting and waking is a push. The
//! waker that a poll sees is lent: it is not counted at all.

#![expect(
    unsafe_code,
    reason = "a raw waker is a pointer and a table of functions"
)]

use std::mem::ManuallyDrop;
use std::ptr::{self, NonNull};
use std::task::{Context, RawWaker, RawWakerVTable, Waker};

use super::header::Header;
use super::pointer::TaskPtr;
use crate::gate::Gate;

/// Runs `f` with a context whose waker wakes the task.
#[inline]
pub(super) fn with_context<R>(task: TaskPtr, f: impl FnOnce(&mut Context<'_>) -> R) -> R {
    let data = task.0.as_ptr().cast_const().cast();
    // SAFETY: the functions of the table keep the contract of `RawWaker`: they may be called on
    // any thread, and each owns or borrows one reference. This waker is never dropped, and the
    // caller keeps the task alive during `f` (I1).
    let waker = ManuallyDrop::new(unsafe { Waker::new(data, &VTABLE) });
    f(&mut Context::from_waker(&waker))
}

/// Returns whether `waker` wakes exactly this task, directly.
#[inline]
pub(super) fn is_waker_of(waker: &Waker, task: TaskPtr) -> bool {
    waker.data() == task.0.as_ptr().cast_const().cast()
        && ptr::eq(waker.vtable(), &raw const VTABLE)
}

/// Returns whether `waker` wakes a task directly, and so runs no foreign code.
#[inline]
pub(super) fn is_of_a_task(waker: &Waker) -> bool {
    ptr::eq(waker.vtable(), &raw const VTABLE)
}

/// Returns the task that `waker` wakes directly, if it is one of the scheduler of `gate`. The waker
/// keeps it alive.
pub(super) fn task_behind(waker: &Waker, gate: *const Gate) -> Option<TaskPtr> {
    if !is_of_a_task(waker) {
        return None;
    }
    // SAFETY: the table says that the waker is one of this module.
    let task = unsafe { task_of(waker.data()) };
    (task.gate() == gate).then_some(task)
}

static VTABLE: RawWakerVTable = RawWakerVTable::new(clone, wake, wake_by_ref, release);

/// Returns the task whose header is the data of a waker.
///
/// # Safety
///
/// The data is that of a waker of this module, which is alive.
#[inline]
unsafe fn task_of(data: *const ()) -> TaskPtr {
    let header = data.cast_mut().cast::<Header>();
    // SAFETY: the data of a task's waker is the task's address.
    TaskPtr(unsafe { NonNull::new_unchecked(header) })
}

unsafe fn clone(data: *const ()) -> RawWaker {
    // SAFETY: the contract of `RawWakerVTable`.
    unsafe { task_of(data) }.retain();
    RawWaker::new(data, &VTABLE)
}

unsafe fn wake(data: *const ()) {
    // SAFETY: the contract of `RawWakerVTable`.
    unsafe { task_of(data) }.wake_and_release();
}

unsafe fn wake_by_ref(data: *const ()) {
    // SAFETY: the contract of `RawWakerVTable`.
    let task = unsafe { task_of(data) };
    task.wake();
}

unsafe fn release(data: *const ()) {
    // SAFETY: the contract of `RawWakerVTable`.
    unsafe { task_of(data) }.release_waker();
}
