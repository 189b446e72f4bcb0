//! The permits: how many there are, who waits for how many.

use std::fmt;
use std::panic::Location;
use std::task::{Context, Poll, Waker, ready};

use ringloop_core::WaitList as Line;
use ringloop_core::panics::drop_quietly;

use super::state::{Attempt, MAX, State};
use crate::host::Host;
use crate::shared::wait::Wait;
use crate::shared::wait_list::{WaitList, Wakers};

/// A semaphore without a host. Whoever was woken from `waiters` has been given what it wanted.
pub(super) struct RawSemaphore {
    state: State,
    /// Each brings how many permits it wants.
    waiters: WaitList<usize>,
}

impl RawSemaphore {
    #[cfg(not(loom))]
    pub(super) const fn new(permits: usize) -> Self {
        Self {
            state: State::new(permits),
            waiters: WaitList::new(),
        }
    }

    #[cfg(loom)]
    pub(super) fn new(permits: usize) -> Self {
        Self {
            state: State::new(permits),
            waiters: WaitList::new(),
        }
    }

    /// Takes permits, if they are there and nobody waits. No permits are always there.
    #[inline]
    pub(super) fn try_acquire(&self, permits: usize) -> bool {
        permits == 0 || self.state.try_take(permits) == Attempt::Done
    }

    /// Takes permits, or goes to the back of the line.
    #[cold]
    fn acquire_or_wait<H: Host>(&self, permits: usize, wait: &mut Wait<H>, waker: Waker) -> bool {
        let list = self.waiters.lock();
        let there = self.state.begin();
        if list.is_empty() && there >= permits {
            self.state.end(there - permits, false);
            drop(list);
            drop_quietly(waker);
            return true;
        }
        wait.enlist(&list, permits, waker);
        self.state.end(there, true);
        false
    }

    /// Adds permits.
    #[inline]
    #[track_caller]
    pub(super) fn release(&self, permits: usize) {
        match self.state.try_add(permits) {
            Attempt::Done => {}
            Attempt::Impossible => too_many(),
            Attempt::Awaited => self.hand_out(permits),
        }
    }

    /// Adds permits, and gives the first who wait what they want, as far as that goes.
    #[cold]
    #[track_caller]
    fn hand_out(&self, permits: usize) {
        let list = self.waiters.lock();
        let there = self.state.begin();
        let Some(mut there) = there.checked_add(permits).filter(|&sum| sum <= MAX) else {
            self.state.end(there, !list.is_empty());
            drop(list);
            too_many();
        };
        let wakers = grant(&list, &mut there);
        self.state.end(there, !list.is_empty());
        drop(list);
        wakers.wake();
    }

    pub(super) fn available(&self) -> usize {
        self.state.permits()
    }

    pub(super) fn statistics(&self) -> SemaphoreStatistics {
        SemaphoreStatistics {
            available: self.available(),
            waiting: self.waiters.len(),
        }
    }
}

/// Gives the first who wait what they want, until one of them wants more than is there.
fn grant(list: &Line<usize>, there: &mut usize) -> Wakers {
    let mut wakers = Wakers::default();
    while let Some(wanted) = list.front()
        && let Some(rest) = there.checked_sub(wanted)
        && let Some(waker) = list.take_one()
    {
        *there = rest;
        wakers.push(waker);
    }
    wakers
}

#[cold]
#[track_caller]
fn too_many() -> ! {
    panic!("a semaphore has at most usize::MAX / 2 permits");
}

/// The wait for permits.
pub(super) struct RawAcquire<H: Host> {
    permits: usize,
    wait: Wait<H>,
}

impl<H: Host> RawAcquire<H> {
    #[inline]
    pub(super) fn new(permits: usize, at: &'static Location<'static>) -> Self {
        Self {
            permits,
            wait: Wait::new(at),
        }
    }

    pub(super) fn permits(&self) -> usize {
        self.permits
    }

    #[inline]
    pub(super) fn poll(
        &mut self,
        semaphore: &RawSemaphore,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), H::Cancelled>> {
        if !self.wait.is_listed() {
            ready!(self.wait.poll_begin(cx))?;
            if semaphore.try_acquire(self.permits) {
                return Poll::Ready(Ok(()));
            }
            let waker = cx.waker().clone();
            if semaphore.acquire_or_wait(self.permits, &mut self.wait, waker) {
                return Poll::Ready(Ok(()));
            }
        }
        match ready!(self.wait.poll_listed(&semaphore.waiters, cx)) {
            Ok(_) => Poll::Ready(Ok(())),
            Err((_, cancelled)) => {
                // Those behind may want less.
                semaphore.hand_out(0);
                Poll::Ready(Err(cancelled))
            }
        }
    }

    /// Ends the wait. Returns whether it was given the permits.
    pub(super) fn give_up(&mut self, semaphore: &RawSemaphore) -> bool {
        match self.wait.leave(&semaphore.waiters) {
            Some(Ok(_)) => true,
            Some(Err(_)) => {
                // Those behind may want less.
                semaphore.hand_out(0);
                false
            }
            None => false,
        }
    }

    /// Ends the wait, and passes on what it was given.
    #[inline]
    pub(super) fn pass_on(&mut self, semaphore: &RawSemaphore) {
        if self.wait.is_listed() && self.give_up(semaphore) {
            semaphore.release(self.permits);
        }
    }
}

impl<H: Host> fmt::Debug for RawAcquire<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawAcquire")
            .field("permits", &self.permits)
            .field("wait", &self.wait)
            .finish()
    }
}

/// How things stand with a semaphore; see
/// [`Semaphore::statistics`](crate::shared::hosted::Semaphore::statistics).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct SemaphoreStatistics {
    /// How many permits nobody holds.
    pub available: usize,
    /// How many wait for some.
    pub waiting: usize,
}
