//! One waiting task, many waking threads.
//!
//! A cell with a waker and a state word that says who may touch it. Nobody ever waits for the
//! cell: who finds it taken leaves the work to its owner (a wake) or wakes itself (a
//! registration, whose task then polls again). It does not know what is waited for; that is a
//! flag or a queue beside it.
//!
//! # Invariants
//!
//! - **I1** At most one thread owns the cell: ownership begins with the one transition out of
//!   `IDLE`, and ends with the transition back into it.
//! - **I2** The cell is touched by its owner only.
//! - **I3** While the cell is owned no foreign code runs: wakers are cloned, woken and dropped
//!   before or after. So no panic can leave it owned.

#![expect(
    unsafe_code,
    reason = "the cell is shared between threads, and the state word says whose turn it is"
)]

mod state;

use std::fmt;
use std::mem;
use std::panic::RefUnwindSafe;
use std::task::Waker;

use crate::loom::UnsafeCell;
use state::{BeginRegister, BeginTake, EndRegister, State};

/// A place for the waker of one task, which any thread may wake.
///
/// The task registers, *then* looks at what it waits for; another thread changes that, *then*
/// wakes. In this order no wake is lost: either the task sees the change, or the wake sees the
/// waker. Counterpart: the self-pipe behind `loop.call_soon_threadsafe` of asyncio, for one task.
///
/// # Examples
///
/// ```
/// use ringloop_core::AtomicWaker;
/// use std::future::poll_fn;
/// use std::sync::atomic::{AtomicBool, Ordering};
/// use std::task::Poll;
///
/// static READY: AtomicBool = AtomicBool::new(false);
/// static WAITER: AtomicWaker = AtomicWaker::new();
///
/// // The task, on its thread:
/// let wait_ready = poll_fn(|cx| {
///     WAITER.register(cx.waker());
///     match READY.load(Ordering::Acquire) {
///         true => Poll::Ready(()),
///         false => Poll::Pending,
///     }
/// });
///
/// // Any other thread:
/// READY.store(true, Ordering::Release);
/// WAITER.wake();
/// # assert!(std::pin::pin!(wait_ready)
/// #     .poll(&mut std::task::Context::from_waker(std::task::Waker::noop()))
/// #     .is_ready());
/// ```
pub struct AtomicWaker {
    state: State,
    cell: UnsafeCell<Option<Waker>>,
}

// SAFETY: I1 and I2: sharing the cell lets at most one thread at a time touch the waker, which is
// `Send`; and the transitions of the state word order one owner after the other.
unsafe impl Sync for AtomicWaker {}

impl AtomicWaker {
    /// Makes one without a waker.
    #[cfg(not(loom))]
    #[must_use]
    pub const fn new() -> Self {
        Self {
            state: State::new(),
            cell: UnsafeCell::new(None),
        }
    }

    /// Makes one without a waker.
    #[cfg(loom)]
    #[must_use]
    pub fn new() -> Self {
        Self {
            state: State::new(),
            cell: UnsafeCell::new(None),
        }
    }

    /// Puts a clone of `waker` in, in place of the one that is there.
    ///
    /// What is waited for has to be looked at afterwards, not only before. If a wake is under way
    /// that may be older than this registration, `waker` is woken at once.
    ///
    /// Meant for one task. If several register, the last one has the place, and those who were
    /// replaced are not woken. If several do so at the same moment, one gets the place and the
    /// others are woken at once.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait. A future that is dropped after registering
    /// leaves its waker behind, which costs at most a spurious wake.
    pub fn register(&self, waker: &Waker) {
        let clone = waker.clone();
        if self.state.begin_register() == BeginRegister::Busy {
            waker.wake_by_ref();
            return;
        }
        let replaced = self.replace(Some(clone));
        match self.state.end_register() {
            EndRegister::Registered => {}
            EndRegister::Woken => {
                let woken = self.replace(None);
                self.state.end_take();
                if let Some(waker) = woken {
                    waker.wake();
                }
            }
        }
        drop(replaced);
    }

    /// Wakes the registered task, if there is one, and leaves the place empty.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    pub fn wake(&self) {
        if let Some(waker) = self.take() {
            waker.wake();
        }
    }

    /// Takes the waker out, for the caller to wake it.
    ///
    /// `None` if there is none, and also if a registration or another wake is under way: the
    /// task is woken by that one then.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::task::Waker;
    /// let waiter = ringloop_core::AtomicWaker::new();
    /// waiter.register(Waker::noop());
    /// assert!(waiter.take().is_some());
    /// assert!(waiter.take().is_none());
    /// ```
    #[must_use = "the task sleeps on unless the waker is woken"]
    pub fn take(&self) -> Option<Waker> {
        match self.state.begin_take() {
            BeginTake::Left => None,
            BeginTake::Owner => {
                let waker = self.replace(None);
                self.state.end_take();
                waker
            }
        }
    }

    /// Exchanges the content of the cell. For the owner of the cell only.
    fn replace(&self, waker: Option<Waker>) -> Option<Waker> {
        self.cell.with_mut(|cell| {
            // SAFETY: I2: all callers own the cell, which makes this the only access to it (I1).
            let cell = unsafe { &mut *cell };
            mem::replace(cell, waker)
        })
    }
}

// I3: no panic leaves the cell owned.
impl RefUnwindSafe for AtomicWaker {}

impl Default for AtomicWaker {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for AtomicWaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AtomicWaker").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
