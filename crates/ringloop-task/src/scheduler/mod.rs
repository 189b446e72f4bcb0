//! The loop.

mod builder;
mod shutdown;
mod stats;
mod turn;

use std::cell::{Ref, RefCell};
use std::fmt;
use std::panic::Location;
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use ringloop_core::Driver;

pub use builder::SchedulerBuilder;
pub use stats::{SchedulerStats, ShutdownReport};
pub use turn::Turn;

use crate::context;
use crate::home::{Home, Phase};
use crate::observe::{Report, Watch};
use crate::remote::Remote;
use crate::task::{self, JoinError, JoinHandle};
use crate::unhandled::Unhandled;

/// Runs tasks on this thread, on any [`Driver`].
///
/// It owns its tasks. They run while [`block_on`](Self::block_on) does, or one
/// [`turn`](Self::turn) at a time; what is left when that returns waits for the next `block_on` or
/// the [`shutdown`](Self::shutdown). Dropping the scheduler drops what is left, in spawn order.
/// Counterpart: `asyncio.Runner`.
///
/// # Examples
///
/// ```
/// use ringloop_core::ThreadDriver;
/// use ringloop_task::{Scheduler, task};
///
/// let mut scheduler = Scheduler::new(ThreadDriver::new());
/// let word = String::from("borrowed");
/// let len = scheduler.block_on(async { word.len() });
/// assert_eq!(len, 8);
/// ```
#[doc(alias = "Runner")]
#[doc(alias = "event loop")]
pub struct Scheduler<D: Driver + 'static> {
    pub(super) home: Rc<Home>,
    pub(super) driver: Rc<RefCell<D>>,
    pub(super) poll_budget: usize,
}

impl Scheduler<ringloop_core::ThreadDriver> {
    /// Starts the settings of a scheduler, on whichever driver.
    pub fn builder() -> SchedulerBuilder {
        SchedulerBuilder::new()
    }
}

impl<D: Driver + 'static> Scheduler<D> {
    /// Makes a scheduler with the usual settings.
    pub fn new(driver: D) -> Self {
        SchedulerBuilder::new().build(driver)
    }

    /// Runs `future` and all tasks until `future` is done, and returns its output.
    ///
    /// The future is a task like others, but it may borrow, and its panic is this function's.
    /// Tasks that are left wait for the next call. Counterpart: `asyncio.run`,
    /// `loop.run_until_complete`.
    ///
    /// # Panics
    ///
    /// Inside another loop on the same thread (which is not harmed), after a shutdown, and if the
    /// driver cannot wait.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function blocks the thread; it is no future.
    #[doc(alias = "run_until_complete")]
    #[track_caller]
    pub fn block_on<F: Future>(&mut self, future: F) -> F::Output {
        let at = Location::caller();
        let _entered = context::enter(&self.home);
        assert!(
            self.home.phase.get() == Phase::Open,
            "the scheduler has been shut down"
        );
        let mut output = None;
        let ended = {
            let main = pin!(async {
                output = Some(future.await);
                self.home.end_turn();
            });
            task::with_root(&self.home, at, main, |main| self.run(main))
        };
        if let Err(panicked) = ended {
            panicked.resume();
        }
        output.expect("a main task that did not panic has left its output")
    }

    /// The loop: polls what is ready, sleeps until something is, fires timers.
    fn run(&self, main: &mut JoinHandle<()>) -> Result<(), JoinError> {
        let home = &*self.home;
        home.main.replace(Some(main.task()));
        if home.stop_requested.take() {
            home.stop();
        }
        let ended = loop {
            home.collect_remote();
            home.poll_ready(self.poll_budget);
            if let Some(ended) = main.take_output() {
                break ended;
            }
            if let Err(error) = self.park(None) {
                panic!("the driver cannot wait: {error}");
            }
        };
        home.main.replace(None);
        // Timers of the last turn count from its end, not from the next run.
        home.timers.admit(home.now());
        ended
    }

    /// Sleeps until something happens, or the next deadline, or for `bound`; then fires timers.
    fn park(&self, bound: Option<Duration>) -> std::io::Result<()> {
        let home = &*self.home;
        let has_work = home.has_work();
        if !has_work {
            home.give_back_memory();
        }
        let timeout = if has_work || home.is_settling() {
            Some(Duration::ZERO)
        } else if home.timers.is_empty() {
            bound
        } else {
            let next = home.timers.next_timeout(home.now());
            next.into_iter().chain(bound).min()
        };
        home.counters.turns.set(home.counters.turns.get() + 1);
        match &home.watch {
            None => self.driver.borrow_mut().park(timeout)?,
            Some(watch) => self.park_watched(watch, timeout)?,
        }
        if !home.timers.is_empty() {
            let wake = |waker| task::wake_contained(home, waker);
            home.timers.fire(home.now(), wake);
        }
        if !has_work && home.is_settling() && !home.has_work() && !home.timers.is_due(home.now()) {
            home.contain(|| home.settlers().wake_all());
        }
        Ok(())
    }

    #[cold]
    fn park_watched(&self, watch: &Watch, timeout: Option<Duration>) -> std::io::Result<()> {
        watch.park(&self.home, timeout, || {
            self.driver.borrow_mut().park(timeout)
        })
    }

    /// Returns the way to this scheduler from other threads.
    #[must_use]
    pub fn remote(&self) -> Remote {
        Remote::new(&self.home.gate)
    }

    /// Returns the driver.
    ///
    /// The borrow must be gone before the loop runs again, which the borrow checker sees to.
    #[must_use]
    pub fn driver(&self) -> Ref<'_, D> {
        self.driver.borrow()
    }

    /// Runs `f` with the driver.
    pub fn with_driver<R>(&mut self, f: impl FnOnce(&mut D) -> R) -> R {
        f(&mut self.driver.borrow_mut())
    }

    /// Returns what the scheduler has done so far.
    #[must_use]
    pub fn stats(&self) -> SchedulerStats {
        self.home.stats()
    }

    /// Returns what tells the hook of [`on_report`](SchedulerBuilder::on_report), from any thread.
    ///
    /// For runtimes that watch more than polls.
    pub fn reporter(&self) -> impl Fn(&Report) + Send + Sync + 'static {
        let reporter = self.home.reporter.clone();
        move |report| reporter.report(report)
    }

    /// Tells the hook of [`on_unhandled`](SchedulerBuilder::on_unhandled), and counts. Also after the
    /// shutdown.
    pub fn report(&self, unhandled: Unhandled) {
        self.home.tell(unhandled);
    }
}

impl Home {
    /// Returns what the scheduler has done so far.
    pub(crate) fn stats(&self) -> SchedulerStats {
        let counters = &self.counters;
        let ready_len = self.ready.len();
        SchedulerStats {
            tasks_live: self.tasks_live(),
            tasks_spawned: counters.spawned.get(),
            ready_len,
            timers_len: self.timers.len(),
            polls: counters.polls.get(),
            turns: counters.turns.get(),
            wakes: (counters.polls.get() + ready_len as u64).saturating_sub(counters.spawned.get()),
            remote_wakes: counters.remote_wakes.get(),
            timers_fired: self.timers.fired(),
            unhandled: counters.unhandled.get(),
            reports: self.reporter.count(),
            longest_poll: self.watch.as_ref().and_then(|watch| watch.longest_poll()),
        }
    }
}

impl<D: Driver + 'static> fmt::Debug for Scheduler<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scheduler")
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}
