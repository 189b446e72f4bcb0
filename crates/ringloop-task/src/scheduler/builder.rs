//! A scheduler's settings.

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use ringloop_core::Driver;

use super::Scheduler;
use crate::gate::Gate;
use crate::home::Home;
use crate::observe::{Observer, Report, Settings};
use crate::unhandled::{Hook, Unhandled};

/// A scheduler's settings.
///
/// # Examples
///
/// ```
/// use ringloop_core::ThreadDriver;
/// use ringloop_task::Scheduler;
///
/// let mut scheduler = Scheduler::builder().poll_budget(64).build(ThreadDriver::new());
/// assert_eq!(scheduler.block_on(async { 1 }), 1);
/// ```
#[must_use = "a builder does nothing until it builds"]
pub struct SchedulerBuilder {
    poll_budget: usize,
    hook: Option<Hook>,
    observe: Settings,
}

impl SchedulerBuilder {
    /// Makes a builder with the usual settings.
    pub fn new() -> Self {
        Self {
            poll_budget: POLL_BUDGET,
            hook: None,
            observe: Settings::default(),
        }
    }

    /// Sets how many polls there are before the driver and the timers are looked at again: 61 if not
    /// set, at least 1.
    pub fn poll_budget(mut self, polls: usize) -> Self {
        self.poll_budget = polls.max(1);
        self
    }

    /// Sets what is told of panics that nobody reads, and of tasks that were dropped before their
    /// end. Without it they are only counted, or printed in debug mode (and
    /// [work that was left running](crate::UnhandledKind::LeftRunning) in any case). Counterpart:
    /// `loop.set_exception_handler`.
    #[doc(alias("set_exception_handler", "call_exception_handler"))]
    pub fn on_unhandled(mut self, hook: impl Fn(&Unhandled) + 'static) -> Self {
        self.hook = Some(Box::new(hook));
        self
    }

    /// Adds an observer, which is told of everything that tasks do. Several are told in the order of
    /// these calls.
    pub fn observer(mut self, observer: impl Observer + 'static) -> Self {
        self.observe.observe(observer);
        self
    }

    /// Switches debug mode on or off. `None`, as if not called, leaves it to the environment: on if
    /// `RINGLOOP_DEBUG` is set, and neither empty nor `0`, when the scheduler is built.
    ///
    /// In debug mode every poll is timed, and a [`Report`] tells of polls that are
    /// [slow](Self::slow_poll) or [do not return](Self::watchdog), of [livelocks](Self::livelock),
    /// and of tasks that go without a single poll. Reports and what is [`Unhandled`] are printed to
    /// the standard error, unless there are hooks for them. Counterpart: `loop.set_debug`,
    /// `PYTHONASYNCIODEBUG`.
    ///
    /// # Examples
    ///
    /// ```
    /// use ringloop_core::ThreadDriver;
    /// use ringloop_task::Scheduler;
    ///
    /// let mut scheduler = Scheduler::builder().debug(Some(true)).build(ThreadDriver::new());
    /// scheduler.block_on(async {});
    /// assert!(scheduler.stats().longest_poll.is_some());
    /// ```
    #[doc(alias("set_debug", "RINGLOOP_DEBUG"))]
    pub fn debug(mut self, debug: Option<bool>) -> Self {
        self.observe.set_debug(debug);
        self
    }

    /// Sets from when on a poll is slow, for debug mode: 100 ms if not set. The driver's clock
    /// decides. Counterpart: `loop.slow_callback_duration`.
    #[doc(alias = "slow_callback_duration")]
    pub fn slow_poll(mut self, limit: Duration) -> Self {
        self.observe.set_slow_poll(limit);
        self
    }

    /// Sets after how many polls without an event from outside debug mode takes the tasks to be busy
    /// with each other only: 1,000,000 if not set.
    pub fn livelock(mut self, polls: u64) -> Self {
        self.observe.set_livelock(polls);
        self
    }

    /// Starts a thread that reports a poll which does not return within `limit`, while it still
    /// runs, and again when it returns.
    ///
    /// In debug mode there is one with a limit of a second; here the limit is set, and the thread
    /// started without debug mode too. [`Duration::MAX`] is none. It measures real time also where
    /// the driver's clock is virtual. It cannot show the stack of the poll: the report names the
    /// task and where it was spawned.
    pub fn watchdog(mut self, limit: Duration) -> Self {
        self.observe.set_watchdog(limit);
        self
    }

    /// Returns the limit of the [watchdog](Self::watchdog), if there will be one: it was set, or debug
    /// mode is on.
    ///
    /// For runtimes that watch more than polls.
    #[must_use]
    pub fn watchdog_limit(&self) -> Option<Duration> {
        self.observe.watchdog_limit()
    }

    /// Sets what is told of [`Report`]s. Without it they are counted, and printed to the standard
    /// error in debug mode and if there is a [watchdog](Self::watchdog).
    ///
    /// The hook runs on the loop's thread, in the middle of things, and on that of the watchdog.
    /// There it must not wait for the loop, which may be stuck, or be waiting for the watchdog's
    /// end.
    pub fn on_report(mut self, hook: impl Fn(&Report) + Send + Sync + 'static) -> Self {
        self.observe.report_to(Box::new(hook));
        self
    }

    /// Makes a scheduler that runs on `driver`.
    pub fn build<D: Driver + 'static>(self, driver: D) -> Scheduler<D> {
        let gate = Arc::new(Gate::new(driver.unparker()));
        let start = driver.now();
        let driver = Rc::new(RefCell::new(driver));
        let shared = Rc::clone(&driver);
        let clock = Box::new(move || shared.try_borrow().ok().map(|driver| driver.now()));
        let hook = self.hook.unwrap_or_else(|| self.observe.default_hook());
        let home = Rc::new(Home::new(gate, start, clock, hook, self.observe.build()));
        Scheduler {
            home,
            driver,
            poll_budget: self.poll_budget,
        }
    }
}

impl Default for SchedulerBuilder {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for SchedulerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SchedulerBuilder")
            .field("poll_budget", &self.poll_budget)
            .finish_non_exhaustive()
    }
}

const POLL_BUDGET: usize = 61;
