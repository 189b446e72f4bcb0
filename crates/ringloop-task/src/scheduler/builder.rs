//! A scheduler's settings.

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

use ringloop_core::Driver;

use super::Scheduler;
use crate::gate::Gate;
use crate::home::Home;
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
    hook: Hook,
}

impl SchedulerBuilder {
    /// Makes a builder with the usual settings.
    pub fn new() -> Self {
        Self {
            poll_budget: POLL_BUDGET,
            hook: Box::new(|_| {}),
        }
    }

    /// Sets how many polls there are before the driver and the timers are looked at again: 61 if not
    /// set, at least 1.
    pub fn poll_budget(mut self, polls: usize) -> Self {
        self.poll_budget = polls.max(1);
        self
    }

    /// Sets what is told of panics that nobody reads, and of tasks that were dropped before their
    /// end. Without it they are only counted. Counterpart: `loop.set_exception_handler`.
    #[doc(alias("set_exception_handler", "call_exception_handler"))]
    pub fn on_unhandled(mut self, hook: impl Fn(&Unhandled) + 'static) -> Self {
        self.hook = Box::new(hook);
        self
    }

    /// Makes a scheduler that runs on `driver`.
    pub fn build<D: Driver + 'static>(self, driver: D) -> Scheduler<D> {
        let gate = Arc::new(Gate::new(driver.unparker()));
        let start = driver.now();
        let driver = Rc::new(RefCell::new(driver));
        let shared = Rc::clone(&driver);
        let clock = Box::new(move || shared.try_borrow().ok().map(|driver| driver.now()));
        let home = Rc::new(Home::new(gate, start, clock, self.hook));
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
