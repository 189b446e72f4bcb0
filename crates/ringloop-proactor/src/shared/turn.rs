//! One turn: submit, wait, take completions, and only then call anybody.

use std::io;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::task::Waker;
use std::time::Duration;

use super::{Shared, gone};
use crate::idle::{self, Idle};
use crate::observer::{Log, Tell};
use crate::op::Detached;
use crate::queue::Queue;
use crate::wakes::{Lent, Retired};

impl Shared {
    /// Submits what is staged, waits for `timeout` at most, and deals with what has completed.
    #[inline]
    pub(crate) fn turn(&self, timeout: Option<Duration>) -> io::Result<()> {
        if self.is_odd.get() {
            self.odd_turn(timeout)
        } else {
            self.turn_on::<PLAIN>(timeout)
        }
    }

    /// A turn on a ring with modes, or one with something to close.
    #[cold]
    fn odd_turn(&self, timeout: Option<Duration>) -> io::Result<()> {
        if self.has_closing.get() {
            self.stage_closing();
        }
        self.is_odd.set(self.has_modes);
        if self.has_modes {
            self.turn_on::<WITH_MODES>(timeout)
        } else {
            self.turn_on::<PLAIN>(timeout)
        }
    }

    /// A turn that looks at the modes of its ring, or does not have to.
    fn turn_on<const MODES: bool>(&self, timeout: Option<Duration>) -> io::Result<()> {
        let mut queue = self.queue.borrow_mut();
        if queue.is_inherited() {
            return Err(inherited());
        }
        queue.stats.turns += 1;
        let result = self.enter::<MODES>(&mut queue, timeout);
        queue.drain();
        if queue.log.is_some() {
            drop(queue);
            self.tell_observer();
            queue = self.queue.borrow_mut();
        }
        let is_quiet = queue.gone.is_empty() && queue.wakes.len() == 0;
        drop(queue);
        if !is_quiet {
            self.settle();
        }
        // Whoever was woken here is polled before the next park, which may sleep then.
        self.word.take_notification();
        result
    }

    /// Tells what has happened. If the observer panics, the batch is settled first.
    #[cold]
    fn tell_observer(&self) {
        let next = || self.queue.borrow_mut().log.as_mut()?.next();
        let tell = || {
            while let Some((tell, event)) = next() {
                tell(&event);
            }
        };
        if let Err(payload) = catch_unwind(AssertUnwindSafe(tell)) {
            self.settle();
            resume_unwind(payload);
        }
    }

    pub(crate) fn set_observer(&self, tell: Option<Tell>) {
        // Once the proactor is down, nobody would break a circle of handle and observer.
        let log = tell.filter(|_| self.is_open()).map(Log::new);
        let old = mem::replace(&mut self.queue.borrow_mut().log, log);
        drop(old);
    }

    /// Drops what was given up and wakes who waits; a panic on the way keeps nobody asleep.
    pub(super) fn settle(&self) {
        let (mut batch, mut gone) = {
            let queue = &mut *self.queue.borrow_mut();
            (queue.wakes.begin(), mem::take(&mut queue.gone))
        };
        {
            // Dropped last, also if one of them panics.
            let _running = Running(self);
            let mut lent = Each(batch.lent.drain(..), Lent::wake);
            // With streams that are only read and written there is nothing of these, and even a loop
            // over nothing costs something.
            if !batch.own.is_empty() || !gone.is_empty() {
                settle_others(&mut batch.own, &mut gone);
            }
            lent.run();
        }
        let queue = &mut *self.queue.borrow_mut();
        queue.wakes.keep(batch);
        if gone.capacity() > 0 && queue.gone.is_empty() {
            queue.gone = gone;
        }
    }

    /// Drops a waker that was registered, when nobody may be about to use it.
    #[cold]
    pub(crate) fn retire(&self, waker: Retired) {
        let unused = self.queue.borrow_mut().wakes.retire(waker);
        if let Some(waker) = unused {
            waker.dispose();
        }
    }

    #[inline]
    fn enter<const MODES: bool>(
        &self,
        queue: &mut Queue,
        timeout: Option<Duration>,
    ) -> io::Result<()> {
        if queue.has_staged() {
            queue.flush()?;
        }
        // A flush may leave descriptors to be closed, which is staged in the next turn.
        let waits = timeout != Some(Duration::ZERO) && !self.has_closing.get();
        let stuck = queue.has_staged();
        let Some(ring) = &mut queue.ring else {
            return Err(gone());
        };
        let idles = waits && !stuck && !ring.has_completions();
        if MODES
            && idles
            && let Some(idle) = self.idle
        {
            return self.wait_busily(idle, queue, timeout);
        }
        if idles && self.word.fall_asleep() {
            queue.stats.enters += 1;
            let result = if MODES {
                ring.enter(1, timeout)
            } else {
                ring.enter_plain(1, timeout)
            };
            self.word.wake_up();
            return result;
        }
        self.word.take_notification();
        if ring.has_unsubmitted() || ring.is_flagged() {
            queue.stats.enters += 1;
            return ring.enter(0, None);
        }
        Ok(())
    }

    #[cold]
    fn wait_busily(
        &self,
        idle: Idle,
        queue: &mut Queue,
        timeout: Option<Duration>,
    ) -> io::Result<()> {
        let Queue {
            ring: Some(ring),
            stats,
            table,
            ..
        } = queue
        else {
            return Ok(());
        };
        match idle {
            Idle::Spin(spin) => idle::spin_then_sleep(spin, timeout, ring, &self.word, stats),
            Idle::Polled => {
                let in_flight = table.in_flight() > 0;
                idle::poll_devices(in_flight, timeout, ring, &self.word, stats)
            }
        }
    }
}

/// Drops what was given up, then wakes those whose wakers are needed once.
#[inline(never)]
fn settle_others(own: &mut Vec<Waker>, gone: &mut Vec<Detached>) {
    let mut own = Each(own.drain(..), Waker::wake);
    let mut gone = Each(gone.drain(..), drop::<Detached>);
    gone.run();
    own.run();
}

/// A batch is being woken.
struct Running<'a>(&'a Shared);

impl Drop for Running<'_> {
    #[inline]
    fn drop(&mut self) {
        let mut retired = self.0.queue.borrow_mut().wakes.end();
        if retired.is_empty() {
            return;
        }
        let mut retired = Each(retired.drain(..), Retired::dispose);
        if !std::thread::panicking() {
            retired.run();
        }
    }
}

/// Does something with each of many things. A panic on the way is told when all had their turn.
struct Each<'a, T>(std::vec::Drain<'a, T>, fn(T));

impl<T> Each<'_, T> {
    fn run(&mut self) {
        self.0.by_ref().for_each(self.1);
    }
}

impl<T> Drop for Each<'_, T> {
    fn drop(&mut self) {
        // Something is left only if one has panicked, and a second panic would end the process.
        for thing in self.0.by_ref() {
            drop(catch_unwind(AssertUnwindSafe(|| (self.1)(thing))));
        }
    }
}

#[cold]
fn inherited() -> io::Error {
    io::Error::other(
        "this proactor belongs to the process that made it; a forked child makes one of its own",
    )
}

/// For [`Shared::turn_on`]: the ring has no modes.
const PLAIN: bool = false;
const WITH_MODES: bool = true;
