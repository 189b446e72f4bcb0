//! The waiter's end of a job.
//!
//! # Invariants
//!
//! - **I1** A waiter is made with its job and is not cloned; what acts as the waiter takes it
//!   exclusively. So one thread at a time is the waiter of a cell.

#![expect(
    unsafe_code,
    reason = "the cell relies on there being one waiter, which this type is"
)]

use std::sync::Arc;
use std::task::{Poll, Waker};

use super::cell::Wait;
use super::state::Phase;
use super::tag::{JobId, Tag};
use super::wish::Reason;
use super::{Outcome, Work, current};
use crate::limiter::is_held_here;

/// The end that takes the outcome. Without it, nobody wants the job.
pub(crate) struct Waiter<T>(Arc<dyn Wait<T>>);

impl<T> Waiter<T> {
    /// For the maker of the job, who makes one.
    pub(super) fn new(cell: Arc<dyn Wait<T>>) -> Self {
        Self(cell)
    }

    /// Takes the outcome, or registers `waker` for it.
    #[inline]
    pub(crate) fn poll(&mut self, waker: &Waker) -> Poll<Outcome<T>> {
        // SAFETY: I1: this is the waiter, taken exclusively.
        unsafe { self.0.poll(waker) }
    }

    /// Ends a queued job, or asks a running one to stop; returns whether it was queued.
    pub(crate) fn cancel(&self, reason: Option<Reason>) -> bool {
        self.0.cancel(reason)
    }

    /// Whether this thread belongs to the pool in which the job is queued, or holds a slot of the
    /// limiter in which it waits.
    pub(crate) fn may_run_here(&self) -> bool {
        self.phase() == Phase::Queued
            && self
                .tag()
                .home()
                .is_some_and(|home| current::home() == Some(home) || is_held_here(home))
    }

    /// Runs the job on this thread, unless somebody else has begun.
    pub(crate) fn run_here(&self) {
        let this: Arc<dyn Work> = Arc::<dyn Wait<T>>::clone(&self.0);
        let _held = this.head().hold_slot();
        let _performed = this.run(&this);
    }

    pub(crate) fn phase(&self) -> Phase {
        self.0.head().state.phase()
    }

    pub(crate) fn id(&self) -> JobId {
        self.0.head().id()
    }

    pub(crate) fn tag(&self) -> &Tag {
        self.0.head().tag()
    }
}

impl<T> Drop for Waiter<T> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: I1: this is the waiter, and the last that is seen of it.
        unsafe { self.0.leave() };
    }
}
