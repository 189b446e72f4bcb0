//! One proactor, one scheduler and two pools, wired.

mod builder;
mod report;

use std::fmt;
use std::future::Future;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use ringloop_core::Driver;
use ringloop_proactor::{Proactor, SetupError};
use ringloop_task::Scheduler;

use crate::context::{self, Context};
use crate::offload::PoolsEnd;

pub use builder::Builder;
pub use report::{RuntimeStats, ShutdownReport};
#[doc(inline)]
pub use ringloop_task::{
    Closed, Remote, RemoteJoin, RemoteTasks, SchedulerBuilder, SchedulerStats, Unhandled,
    UnhandledKind,
};

/// Makes a runtime, runs `main` on it, and ends everything that `main` left behind.
///
/// Tasks that are still there when `main` returns are cancelled and awaited, for five seconds at
/// most; bytes that were written are sent. Counterpart: `asyncio.run`.
///
/// # Errors
///
/// [`SetupError`] if the kernel refuses an io_uring, with the cause and the remedy.
///
/// # Panics
///
/// If a runtime is running on this thread already, and whenever `main` panics.
///
/// # Cancel safety
///
/// Nothing to cancel: the function blocks the thread; it is no future.
///
/// # Examples
///
/// ```
/// assert_eq!(ringloop::run(async { 6 * 7 })?, 42);
/// # Ok::<(), ringloop::SetupError>(())
/// ```
#[doc(alias = "block_on")]
#[track_caller]
pub fn run<F: Future>(main: F) -> Result<F::Output, SetupError> {
    Ok(Runtime::new()?.block_on(main))
}

/// An event loop: it belongs to the thread that makes it. Counterpart: `asyncio.Runner`.
///
/// Dropping it ends what is left, as [`run`] does at its end; inside another loop, where nothing can
/// be awaited, it drops what is left.
///
/// After `fork(2)`, a child must not touch the runtime that it has inherited, nor drop it: the ring
/// is not there. It may exec, `_exit`, or forget the runtime and make one of its own.
///
/// # Examples
///
/// ```
/// use ringloop::Runtime;
///
/// let mut runtime = Runtime::builder().ring_entries(64).build()?;
/// let task = runtime.block_on(async { ringloop::spawn(async { "still there" }) });
/// // Tasks go on whenever the loop runs.
/// assert_eq!(runtime.block_on(task).unwrap(), "still there");
/// # Ok::<(), ringloop::SetupError>(())
/// ```
#[doc(alias("Runner", "EventLoop", "new_event_loop"))]
pub struct Runtime {
    scheduler: Scheduler<Proactor>,
    context: Rc<Context>,
    grace: Duration,
    is_down: bool,
}

impl Runtime {
    /// Makes a runtime with the defaults.
    ///
    /// # Errors
    ///
    /// As [`run`].
    pub fn new() -> Result<Self, SetupError> {
        Self::builder().build()
    }

    /// Returns a builder with the defaults.
    pub fn builder() -> Builder {
        Builder::new()
    }

    /// Runs the loop until `main` is done. `main` is a task like others. Counterpart:
    /// `loop.run_until_complete`.
    ///
    /// # Panics
    ///
    /// If a runtime is running on this thread already, and whenever `main` panics.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function blocks the thread; it is no future.
    #[doc(alias = "run_until_complete")]
    #[track_caller]
    pub fn block_on<F: Future>(&mut self, main: F) -> F::Output {
        let _entered = context::enter(&self.context);
        self.scheduler.block_on(main)
    }

    /// Returns a handle for other threads: spawn, call, stop.
    #[must_use]
    pub fn remote(&self) -> Remote {
        self.scheduler.remote()
    }

    /// Returns what the runtime has done so far.
    #[must_use]
    pub fn stats(&self) -> RuntimeStats {
        RuntimeStats {
            tasks: self.scheduler.stats(),
            proactor: self.context.proactor.stats(),
            blocking: self.context.pools.blocking_stats(),
            cpu: self.context.pools.cpu_stats(),
        }
    }

    /// Ends everything now instead of at the drop, and says what had to be ended.
    ///
    /// Tasks are cancelled and awaited for as long as the builder's [grace](Builder::grace), then
    /// dropped; offloaded work that is queued never runs, and what runs is awaited for as long as is
    /// left of the grace; what was written is sent, as far as
    /// peers take it within a second; the ring closes.
    ///
    /// # Panics
    ///
    /// Inside a running loop.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function blocks the thread; it is no future.
    ///
    /// # Examples
    ///
    /// ```
    /// let mut runtime = ringloop::Runtime::new()?;
    /// runtime.block_on(async { drop(ringloop::spawn(ringloop::sleep(std::time::Duration::MAX))) });
    /// let report = runtime.shutdown();
    /// assert_eq!((report.cancelled, report.aborted), (1, 0));
    /// # Ok::<(), ringloop::SetupError>(())
    /// ```
    #[track_caller]
    pub fn shutdown(mut self) -> ShutdownReport {
        self.shut_down()
    }

    fn shut_down(&mut self) -> ShutdownReport {
        self.is_down = true;
        let deadline = self.scheduler.driver().now().checked_add(self.grace);
        let tasks = {
            let _entered = context::enter(&self.context);
            self.scheduler.shutdown(self.grace)
        };
        let left = || match deadline {
            None => Duration::MAX,
            Some(deadline) => deadline.saturating_duration_since(self.scheduler.driver().now()),
        };
        let jobs = self.end_jobs(left);
        self.scheduler.with_driver(Proactor::shut_down);
        ShutdownReport {
            cancelled: tasks.cancelled,
            aborted: tasks.aborted,
            panicked: tasks.panicked,
            jobs_finished: jobs.finished,
            jobs_dropped: jobs.dropped,
            still_running: jobs.still_running,
        }
    }

    /// Ends the pools within the time that is `left`, and tells the hook of what goes on and of the
    /// panics that nobody has read.
    fn end_jobs(&self, left: impl Fn() -> Duration) -> PoolsEnd {
        let end = self.context.pools.shut_down(left);
        let tell = |unhandled| self.scheduler.report(unhandled);
        self.context.link.close(tell);
        for job in &end.still_running {
            let name = job.name.as_deref().map(Arc::from);
            let kind = UnhandledKind::LeftRunning;
            tell(Unhandled::of_work(kind, name, job.location, None));
        }
        end
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        if self.is_down {
            return;
        }
        if ringloop_task::is_running() {
            // Inside another loop nothing can be awaited: tasks are dropped where they are.
            self.end_jobs(|| Duration::ZERO);
        } else {
            self.shut_down();
        }
    }
}

impl fmt::Debug for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runtime")
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}
