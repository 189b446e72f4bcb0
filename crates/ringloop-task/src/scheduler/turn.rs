//! A loop inside another loop: one turn at a time, and the ways in between turns.

use std::io;
use std::panic::Location;
use std::time::{Duration, Instant};

use ringloop_core::Driver;

use super::Scheduler;
use crate::context;
use crate::home::{Home, Phase};
use crate::task::{self, JoinHandle};

/// What is left to do after a turn; see [`Scheduler::turn`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "a host that does not look may sleep while there is work"]
#[non_exhaustive]
pub struct Turn {
    /// How many tasks were polled.
    pub polled: u64,
    /// Whether something is ready: the next turn should come without a sleep before it.
    pub has_work: bool,
    /// When the next timer is due.
    pub next_deadline: Option<Instant>,
    /// Whether [`Remote::stop`](crate::Remote::stop) was called. Told once.
    pub stop_requested: bool,
}

impl Turn {
    /// Returns how long the host may sleep before the next turn, if nothing wakes it: zero if there
    /// is work, `None` if there is no end.
    ///
    /// # Examples
    ///
    /// ```
    /// use ringloop_core::{Driver, ThreadDriver};
    /// use ringloop_task::{Scheduler, time};
    /// use std::time::Duration;
    ///
    /// let mut scheduler = Scheduler::new(ThreadDriver::new());
    /// let _sleeper = scheduler.spawn(time::sleep(Duration::from_secs(5)));
    /// let turn = scheduler.turn(Some(Duration::ZERO))?;
    /// let timeout = turn.timeout(scheduler.driver().now()).expect("a timer waits");
    /// assert!(timeout <= Duration::from_secs(5));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub fn timeout(&self, now: Instant) -> Option<Duration> {
        if self.has_work {
            return Some(Duration::ZERO);
        }
        let deadline = self.next_deadline?;
        Some(deadline.saturating_duration_since(now))
    }
}

impl<D: Driver + 'static> Scheduler<D> {
    /// Runs one turn of the loop, so that this scheduler can live inside another loop.
    ///
    /// A turn takes in what other threads have left, polls what is ready (each task once, no more than
    /// the [budget](crate::SchedulerBuilder::poll_budget)), parks the driver until something happens,
    /// the next deadline, or for `timeout`, and fires timers. Zero only looks; `None` may sleep for
    /// ever. The driver's park is part of every turn, because it is what finds completions.
    ///
    /// Between turns, everything that makes work (a wake, a spawn, a handle that is dropped or
    /// cancels) goes through the driver's [`Unparker`](ringloop_core::Unparker). A host that sleeps
    /// elsewhere has a driver whose unparker wakes the host. Counterpart: none in asyncio; tokio's
    /// `LocalSet`.
    ///
    /// # Errors
    ///
    /// The driver's, if it cannot wait.
    ///
    /// # Panics
    ///
    /// After a shutdown. In a task of another loop it works, and holds that loop meanwhile.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function is no future.
    ///
    /// # Examples
    ///
    /// ```
    /// use ringloop_core::ThreadDriver;
    /// use ringloop_task::{Scheduler, task};
    /// use std::time::Duration;
    ///
    /// let mut scheduler = Scheduler::new(ThreadDriver::new());
    /// let mut sum = scheduler.spawn(async { task::spawn(async { 2 }).await.unwrap() + 3 });
    /// let mut frames = 0;
    /// let sum = loop {
    ///     // The host's own work: a frame, an event.
    ///     frames += 1;
    ///     scheduler.turn(Some(Duration::ZERO))?;
    ///     if let Some(sum) = sum.try_result() {
    ///         break sum;
    ///     }
    /// };
    /// assert_eq!(sum.unwrap(), 5);
    /// assert!(frames > 1);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[doc(alias("LocalSet", "run_once", "tick"))]
    #[track_caller]
    pub fn turn(&mut self, timeout: Option<Duration>) -> io::Result<Turn> {
        let home = &*self.home;
        let _entered = context::enter_nested(&self.home);
        assert!(
            home.phase.get() == Phase::Open,
            "the scheduler has been shut down"
        );
        let polls_before = home.counters.polls.get();
        home.collect_remote();
        home.poll_ready(self.poll_budget);
        self.park(timeout)?;
        Ok(Turn {
            polled: home.counters.polls.get() - polls_before,
            has_work: home.has_work(),
            next_deadline: home.next_deadline(),
            stop_requested: home.stop_requested.take(),
        })
    }

    /// Starts a task from outside of the loop. It is polled in the next turn.
    ///
    /// After a shutdown the handle gives an error. Counterpart: `loop.create_task`.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    ///
    /// # Examples
    ///
    /// ```
    /// use ringloop_core::ThreadDriver;
    /// use ringloop_task::Scheduler;
    ///
    /// let mut scheduler = Scheduler::new(ThreadDriver::new());
    /// let early = scheduler.spawn(async { 1 });
    /// assert_eq!(scheduler.block_on(early).unwrap(), 1);
    /// ```
    #[track_caller]
    pub fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        let at = Location::caller();
        self.entered(|| task::spawn_at(at, None, future))
    }

    /// Runs `f` as if it ran in the loop, outside of any task: [`task::spawn`] and all that needs a
    /// loop work.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    ///
    /// # Examples
    ///
    /// ```
    /// use ringloop_core::ThreadDriver;
    /// use ringloop_task::{Scheduler, task};
    ///
    /// let mut scheduler = Scheduler::new(ThreadDriver::new());
    /// let named = scheduler.enter(|| task::Builder::new().name("early").spawn(async { 1 }));
    /// assert_eq!(scheduler.block_on(named).unwrap(), 1);
    /// ```
    pub fn enter<R>(&mut self, f: impl FnOnce() -> R) -> R {
        self.entered(f)
    }

    /// Runs `f` at home, then tells a host that sleeps elsewhere of the work that there is now.
    fn entered<R>(&self, f: impl FnOnce() -> R) -> R {
        let home = &*self.home;
        let deadline_before = home.next_deadline();
        let result = {
            let _entered = context::enter_nested(&self.home);
            f()
        };
        let is_earlier = match (home.next_deadline(), deadline_before) {
            (Some(now), Some(before)) => now < before,
            (now, None) => now.is_some(),
            (None, Some(_)) => false,
        };
        if is_earlier || home.has_work() {
            home.gate.unparker.unpark();
        }
        result
    }
}

impl Home {
    /// Returns when the next timer is due.
    fn next_deadline(&self) -> Option<Instant> {
        if self.timers.is_empty() {
            return None;
        }
        let now = self.now();
        now.checked_add(self.timers.next_timeout(now)?)
    }
}
