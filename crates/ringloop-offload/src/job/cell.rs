//! The cell of a job: first its closure, then its outcome, in the same place.
//!
//! # Invariants
//!
//! - **I1** The load is a closure until `TAKEN` is set in the state. It is moved out by the one
//!   whose transition set the bit, once; then the load is empty and that one's alone.
//! - **I2** The outcome is put in by the one who took the closure, once, before the transition to
//!   `SET`. By this transition it becomes the waiter's, or stays with the one who put it in if the
//!   waiter is gone. Its owner moves it out, once.
//! - **I3** One thread at a time is the waiter: [`Waiter`](super::Waiter) takes itself exclusively.
//!   This is the contract of the unsafe functions of [`Wait`].
//! - **I4** Each end leaves the load empty or to the other end, so there is nothing to drop in the
//!   cell when the last end goes. An end that is forgotten keeps the cell for ever.

#![expect(
    unsafe_code,
    reason = "the load is shared between threads, and the state word says whose it is"
)]

use std::mem::ManuallyDrop;
use std::sync::Arc;
use std::task::{Poll, Waker};

use super::current;
use super::head::Head;
use super::state::{Leave, Look, Withdraw};
use super::tag::Tag;
use super::wish::Reason;
use super::{Outcome, Performed, Work};
use crate::contain::{catch, drop_quietly};
use crate::error::{OffloadError, Refusal};
use crate::loom::UnsafeCell;

/// What the ends of a job share.
pub(super) struct Cell<F, T> {
    head: Head,
    load: LoadCell<F, T>,
}

struct LoadCell<F, T>(UnsafeCell<Load<F, T>>);

// Both fields begin where the union does.
#[repr(C)]
union Load<F, T> {
    closure: ManuallyDrop<F>,
    outcome: ManuallyDrop<Outcome<T>>,
}

// SAFETY: I1 and I2: one thread at a time uses the load, and moves what is in it, which is `Send`.
unsafe impl<F: Send, T: Send> Sync for LoadCell<F, T> {}

/// A job as its waiter sees it.
pub(super) trait Wait<T>: Work {
    /// Takes the outcome, or registers `waker` for it.
    ///
    /// # Panics
    ///
    /// If the outcome was taken before.
    ///
    /// # Safety
    ///
    /// The caller is the waiter (I3).
    unsafe fn poll(&self, waker: &Waker) -> Poll<Outcome<T>>;

    /// Goes: drops the closure or the outcome, or asks the job to stop.
    ///
    /// # Safety
    ///
    /// The caller is the waiter (I3), and does not come again.
    unsafe fn leave(&self);
}

impl<F, T> Cell<F, T> {
    #[inline]
    pub(super) fn new(tag: Tag, f: F) -> Self {
        Self {
            head: Head::new(tag),
            load: LoadCell(UnsafeCell::new(Load {
                closure: ManuallyDrop::new(f),
            })),
        }
    }

    /// Moves the closure out.
    ///
    /// # Safety
    ///
    /// The caller's transition set `TAKEN` (I1). Called once.
    #[inline]
    unsafe fn take_closure(&self) -> F {
        self.load.0.with_mut(|load| {
            // SAFETY: I1: the load is a closure, and the caller's alone.
            unsafe { load.cast::<F>().read() }
        })
    }

    /// Moves the outcome out.
    ///
    /// # Safety
    ///
    /// The outcome is there and belongs to the caller (I2). Called once.
    #[inline]
    unsafe fn take_outcome(&self) -> Outcome<T> {
        self.load.0.with_mut(|load| {
            // SAFETY: I2: the load is an outcome, and the caller's alone.
            unsafe { load.cast::<Outcome<T>>().read() }
        })
    }

    /// Sends the outcome home and returns whether somebody is there to take it. If not, it is
    /// dropped here.
    ///
    /// # Safety
    ///
    /// The caller has taken the closure (I1). Called once.
    #[inline]
    unsafe fn end(&self, outcome: Outcome<T>) -> bool {
        self.load.0.with_mut(|load| {
            // SAFETY: I1: the load is empty and the caller's alone.
            unsafe { load.cast::<Outcome<T>>().write(outcome) };
        });
        let is_delivered = self.head.end();
        if !is_delivered {
            // SAFETY: I2: the waiter is gone, and this call has put the outcome in.
            let unwanted = unsafe { self.take_outcome() };
            drop_quietly(unwanted);
        }
        self.head.free_slot();
        is_delivered
    }
}

impl<F, T> Work for Cell<F, T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    fn run(&self, this: &Arc<dyn Work>) -> Performed {
        if !self.head.state.begin_run() {
            return Performed::NotRun;
        }
        // SAFETY: the transition was this call's.
        let f = unsafe { self.take_closure() };
        let result = current::enter(this, || catch(f));
        let panicked = result.is_err();
        // SAFETY: this call has taken the closure.
        let is_delivered = unsafe { self.end(result.map_err(OffloadError::panicked)) };
        Performed::Ran {
            abandoned: !is_delivered,
            panicked,
        }
    }

    fn reject(&self, refusal: Option<Refusal>) -> bool {
        if !self.head.state.reject() {
            drop_quietly(refusal);
            return false;
        }
        // SAFETY: the transition was this call's.
        let f = unsafe { self.take_closure() };
        let error = match catch(move || drop(f)) {
            Ok(()) => OffloadError::rejected(refusal),
            Err(payload) => {
                drop_quietly(refusal);
                OffloadError::panicked(payload)
            }
        };
        // SAFETY: this call has taken the closure.
        let _is_delivered = unsafe { self.end(Err(error)) };
        true
    }

    fn cancel(&self, reason: Option<Reason>) -> bool {
        match self.head.state.withdraw() {
            Withdraw::Owner => {
                // SAFETY: the transition was this call's.
                let f = unsafe { self.take_closure() };
                // SAFETY: this call has taken the closure.
                let _is_delivered = unsafe { self.end(Err(OffloadError::withdrawn(reason))) };
                drop(f);
                true
            }
            Withdraw::Running => {
                self.head.ask(reason);
                false
            }
            Withdraw::Ended => false,
        }
    }

    fn head(&self) -> &Head {
        &self.head
    }
}

impl<F, T> Wait<T> for Cell<F, T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    unsafe fn poll(&self, waker: &Waker) -> Poll<Outcome<T>> {
        // SAFETY: the same contract.
        match unsafe { self.head.poll(waker) } {
            Look::Unset { .. } => Poll::Pending,
            Look::Set => {
                self.head.state.empty();
                // SAFETY: I2: the outcome is the waiter's, which has not taken it before.
                Poll::Ready(unsafe { self.take_outcome() })
            }
            Look::Empty => panic!("an offload was polled after it had completed"),
        }
    }

    unsafe fn leave(&self) {
        match self.head.state.look() {
            Look::Empty => return,
            Look::Set => {}
            // SAFETY: the same contract.
            Look::Unset { .. } => match unsafe { self.head.leave() } {
                Leave::Queued { .. } => {
                    // SAFETY: the transition was this call's.
                    let f = unsafe { self.take_closure() };
                    self.head.free_slot();
                    drop(f);
                    return;
                }
                Leave::Taken { is_running, .. } => {
                    if is_running {
                        self.head.ask(None);
                    }
                    return;
                }
                Leave::Ended => {}
            },
        }
        // SAFETY: I2: the outcome is the waiter's, which has not taken it before.
        drop(unsafe { self.take_outcome() });
    }
}
