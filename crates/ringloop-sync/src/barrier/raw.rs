//! The round that fills and the one that leaves.
//!
//! # Invariants
//!
//! - I1: `leaving` counts those who were woken and have neither come nor gone.
//! - I2: whenever a method returns, fewer than `parties` wait while the state is `Filling`, and
//!   nobody while it is `Broken`.
//! - I3: nobody leaves while the state is `Filling`; somebody does while it is `Draining` or
//!   `Resetting`.
//!
//! # States
//!
//! | from | event | to | who wait |
//! |---|---|---|---|
//! | `Filling` | the last party comes | `Draining` | have their turns |
//! | `Filling` | reset, and somebody waits | `Resetting` | are broken |
//! | `Draining`, `Resetting` | the last one has left | `Filling` | are counted |
//! | all | abort | `Broken` | are broken |
//! | `Broken` | reset | `Filling`; `Resetting` if somebody leaves | |

use std::cell::{Cell, RefCell};
use std::panic::RefUnwindSafe;
use std::task::Waker;

use ringloop_core::WaitList;
use ringloop_core::panics::Panics;

/// What a barrier is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum BarrierState {
    /// Those who wait are counted.
    Filling,
    /// All were there, and some have not left yet; who comes waits for the next round.
    Draining,
    /// It was reset, and some have not left yet; who comes waits for the next round.
    Resetting,
    /// It was aborted; who comes is sent away.
    Broken,
}

/// A barrier, on no host.
pub(super) struct RawBarrier {
    /// One at least.
    parties: usize,
    state: Cell<BarrierState>,
    leaving: Cell<usize>,
    /// Those who wait. Who is woken is left its index, or nothing if it is broken.
    pub(super) waiters: WaitList<Option<usize>>,
    /// No wakers, but the room for them.
    spare: RefCell<Vec<Waker>>,
}

impl RawBarrier {
    pub(super) const fn new(parties: usize) -> Self {
        Self {
            parties: if parties == 0 { 1 } else { parties },
            state: Cell::new(BarrierState::Filling),
            leaving: Cell::new(0),
            waiters: WaitList::new(),
            spare: RefCell::new(Vec::new()),
        }
    }

    /// One more comes: its index if it is the last, `Err` if the barrier is broken, `None` if it
    /// has to wait.
    #[inline]
    pub(super) fn arrive(&self) -> Option<Result<usize, Broken>> {
        match self.state.get() {
            BarrierState::Broken => Some(Err(Broken)),
            BarrierState::Filling if self.waiters.len() + 1 >= self.parties => {
                let others = self.parties - 1;
                if others > 0 {
                    self.release(others);
                }
                Some(Ok(others))
            }
            BarrierState::Filling | BarrierState::Draining | BarrierState::Resetting => None,
        }
    }

    /// Brings I2 about, after somebody was listed: what was true before may not be after foreign
    /// code.
    pub(super) fn settle(&self) {
        match self.state.get() {
            BarrierState::Broken => self.break_all(),
            BarrierState::Filling if self.waiters.len() >= self.parties => {
                self.release(self.parties);
            }
            BarrierState::Filling | BarrierState::Draining | BarrierState::Resetting => {}
        }
    }

    /// One of those who were woken has come, or gone.
    pub(super) fn left(&self) {
        let leaving = self.leaving.get() - 1;
        self.leaving.set(leaving);
        match self.state.get() {
            BarrierState::Draining | BarrierState::Resetting if leaving == 0 => {
                self.state.set(BarrierState::Filling);
                self.settle();
            }
            BarrierState::Filling
            | BarrierState::Draining
            | BarrierState::Resetting
            | BarrierState::Broken => {}
        }
    }

    pub(super) fn reset(&self) {
        match self.state.get() {
            BarrierState::Filling if !self.waiters.is_empty() => {
                self.state.set(BarrierState::Resetting);
                self.break_all();
            }
            BarrierState::Broken if self.leaving.get() > 0 => {
                self.state.set(BarrierState::Resetting);
            }
            BarrierState::Broken => self.state.set(BarrierState::Filling),
            BarrierState::Filling | BarrierState::Draining | BarrierState::Resetting => {}
        }
    }

    pub(super) fn abort(&self) {
        self.state.set(BarrierState::Broken);
        self.break_all();
    }

    /// Gives the first of those who wait their turns.
    #[cold]
    fn release(&self, count: usize) {
        self.state.set(BarrierState::Draining);
        self.wake(count, Some);
    }

    #[cold]
    fn break_all(&self) {
        self.wake(self.waiters.len(), |_| None);
    }

    /// Wakes the first of those who wait, and leaves each what it has in store for it.
    ///
    /// All are taken off the list before the first of them is woken: its waker may send others
    /// away, who are part of the round nevertheless.
    fn wake(&self, count: usize, left_to: impl Fn(usize) -> Option<usize>) {
        let mut wakers = self.spare.take();
        for index in 0..count {
            if let Ok((_, waker)) = self.waiters.grant_one(left_to(index)) {
                self.leaving.set(self.leaving.get() + 1);
                wakers.push(waker);
            }
        }
        let mut panics = Panics::default();
        for waker in wakers.drain(..) {
            panics.catch(|| waker.wake());
        }
        self.spare.replace(wakers);
        panics.resume();
    }

    pub(super) fn parties(&self) -> usize {
        self.parties
    }

    pub(super) fn state(&self) -> BarrierState {
        self.state.get()
    }

    pub(super) fn statistics(&self) -> BarrierStatistics {
        BarrierStatistics {
            parties: self.parties,
            waiting: self.waiters.len(),
            leaving: self.leaving.get(),
            state: self.state.get(),
        }
    }
}

// Wakers run while nothing is half changed, so no panic of theirs is seen here.
impl RefUnwindSafe for RawBarrier {}

/// The barrier is broken.
#[derive(Debug)]
pub(super) struct Broken;

/// How things stand with a barrier; see
/// [`Barrier::statistics`](crate::hosted::Barrier::statistics).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct BarrierStatistics {
    /// How many have to come for a round.
    pub parties: usize,
    /// How many wait for the rest of their round, or for the next round to begin.
    pub waiting: usize,
    /// How many are on their way out, with their turns or with an error.
    pub leaving: usize,
    /// What the barrier is doing.
    pub state: BarrierState,
}
