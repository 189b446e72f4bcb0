//! One proactor, one scheduler and one pool, wired.

use std::fmt;
use std::future::Future;
use std::rc::Rc;
use std::sync::OnceLock;
use std::time::Duration;

use ringloop_offload::ThreadPool;
use ringloop_proactor::{Config, Proactor, ProactorStats, SetupError};
use ringloop_task::Scheduler;

use crate::context::{self, Context};

#[doc(inline)]
pub use ringloop_task::{
    Closed, Remote, RemoteJoin, RemoteTasks, SchedulerBuilder, SchedulerStats, ShutdownReport,
    Unhandled, UnhandledKind,
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
        Builder {
            proactor: Config::default(),
            scheduler: SchedulerBuilder::new(),
            grace: GRACE,
        }
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
        }
    }

    /// Ends everything now instead of at the drop, and says what had to be ended.
    ///
    /// Tasks are cancelled and awaited for as long as the builder's grace, then dropped; each pool
    /// finishes what is running, for as long again; what was written is sent; the ring closes.
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
        let report = {
            let _entered = context::enter(&self.context);
            self.scheduler.shutdown(self.grace)
        };
        self.context.blocking.shutdown(self.grace);
        if let Some(cpu) = self.context.cpu.get() {
            cpu.shutdown(self.grace);
        }
        self.scheduler.with_driver(Proactor::shut_down);
        report
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        // Inside another loop nothing can be awaited: tasks are dropped where they are.
        if !self.is_down && !ringloop_task::is_running() {
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

/// What a [`Runtime`] is made with; every default is sensible.
#[must_use = "a builder does nothing until build"]
pub struct Builder {
    proactor: Config,
    scheduler: SchedulerBuilder,
    grace: Duration,
}

impl Builder {
    /// Sets the number of submission entries of the ring, 256 by default; rounded up to a power of
    /// two, at most 32,768.
    pub fn ring_entries(self, entries: u32) -> Self {
        Self {
            proactor: self.proactor.ring_entries(entries),
            ..self
        }
    }

    /// Sets the number (rounded up to a power of two, at most 16,384) and the length in bytes (64 to
    /// 16 Mi) of the receive buffers that all streams share, 512 of 16 KiB by default.
    pub fn receive_buffers(self, count: u16, len_bytes: u32) -> Self {
        let proactor = self
            .proactor
            .buffer_count(count)
            .buffer_len_bytes(len_bytes);
        Self { proactor, ..self }
    }

    /// Sets how long the end waits for cancelled tasks and running offloaded work, five seconds by
    /// default.
    pub fn grace(self, grace: Duration) -> Self {
        Self { grace, ..self }
    }

    /// Sets who is told about panics that nobody can read and tasks that had to be dropped.
    /// Counterpart: `loop.set_exception_handler`.
    #[doc(alias = "set_exception_handler")]
    pub fn on_unhandled(self, hook: impl Fn(&Unhandled) + 'static) -> Self {
        self.scheduler(|scheduler| scheduler.on_unhandled(hook))
    }

    /// Switches debug mode on or off; `None` leaves it to the environment variable
    /// `RINGLOOP_DEBUG`. In debug mode, slow polls, polls that do not return and livelocks are
    /// reported with their tasks; see [`SchedulerBuilder::debug`]. Counterpart: `loop.set_debug`.
    ///
    /// # Examples
    ///
    /// ```
    /// let mut runtime = ringloop::Runtime::builder().debug(Some(true)).build()?;
    /// runtime.block_on(async {});
    /// assert!(runtime.stats().tasks.longest_poll.is_some());
    /// # Ok::<(), ringloop::SetupError>(())
    /// ```
    #[doc(alias = "set_debug")]
    pub fn debug(self, debug: Option<bool>) -> Self {
        self.scheduler(|scheduler| scheduler.debug(debug))
    }

    /// Changes the settings of the scheduler: observers, the watchdog, the budget of polls.
    ///
    /// # Examples
    ///
    /// ```
    /// let builder = ringloop::Runtime::builder().scheduler(|scheduler| scheduler.poll_budget(16));
    /// assert_eq!(builder.build()?.block_on(async { 7 }), 7);
    /// # Ok::<(), ringloop::SetupError>(())
    /// ```
    pub fn scheduler(self, set: impl FnOnce(SchedulerBuilder) -> SchedulerBuilder) -> Self {
        Self {
            scheduler: set(self.scheduler),
            ..self
        }
    }

    /// Makes the runtime on this thread.
    ///
    /// # Errors
    ///
    /// As [`run`].
    pub fn build(self) -> Result<Runtime, SetupError> {
        let proactor = Proactor::new(&self.proactor)?;
        let context = Rc::new(Context {
            proactor: proactor.handle(),
            blocking: ThreadPool::blocking(),
            cpu: OnceLock::new(),
        });
        Ok(Runtime {
            scheduler: self.scheduler.build(proactor),
            context,
            grace: self.grace,
            is_down: false,
        })
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("proactor", &self.proactor)
            .field("scheduler", &self.scheduler)
            .field("grace", &self.grace)
            .finish_non_exhaustive()
    }
}

/// What a [`Runtime`] has done so far, layer by layer.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct RuntimeStats {
    /// The scheduler's counters.
    pub tasks: SchedulerStats,
    /// The proactor's counters.
    pub proactor: ProactorStats,
}

const GRACE: Duration = Duration::from_secs(5);
