//! What a runtime is made with.

use std::fmt;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use ringloop_offload::{CpuPoolBuilder, PoolBuilder, Stall, ThreadPool};
use ringloop_proactor::{Config, Proactor, SetupError};
use ringloop_task::observe::Report;
use ringloop_task::{SchedulerBuilder, Unhandled};

use super::Runtime;
use crate::context::Context;
use crate::offload::{Link, Pools};

/// What a [`Runtime`] is made with; every default is sensible.
#[must_use = "a builder does nothing until build"]
pub struct Builder {
    proactor: Config,
    scheduler: SchedulerBuilder,
    grace: Duration,
    blocking: Box<dyn FnOnce(PoolBuilder) -> PoolBuilder>,
    cpu_threads: Option<usize>,
}

impl Builder {
    pub(super) fn new() -> Self {
        Self {
            proactor: Config::default(),
            scheduler: SchedulerBuilder::new(),
            grace: GRACE,
            blocking: Box::new(|pool| pool),
            cpu_threads: None,
        }
    }

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

    /// Lets the ring do no more than a program needs that talks to others: the kernel refuses it
    /// operations on files by their paths, see [`Config::network_only`]. What such a program does with
    /// files, [`offload`](crate::offload()) does on other threads, without the ring.
    ///
    /// # Examples
    ///
    /// ```
    /// let mut runtime = ringloop::Runtime::builder().network_only(true).build()?;
    /// runtime.block_on(async {
    ///     let _listener = ringloop::net::TcpListener::bind("127.0.0.1:0").await?;
    ///     Ok::<(), std::io::Error>(())
    /// })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn network_only(self, network_only: bool) -> Self {
        Self {
            proactor: self.proactor.network_only(network_only),
            ..self
        }
    }

    /// Sets how long the end waits, five seconds by default: for cancelled tasks, and, as long as is
    /// left of it, for offloaded work that runs. What dropped streams have to send has a second more.
    pub fn grace(self, grace: Duration) -> Self {
        Self { grace, ..self }
    }

    /// Sets who is told about panics that nobody can read, of tasks and of offloaded work, tasks that
    /// had to be dropped, and work that still runs when the runtime has ended. Counterpart:
    /// `loop.set_exception_handler`.
    #[doc(alias = "set_exception_handler")]
    pub fn on_unhandled(self, hook: impl Fn(&Unhandled) + 'static) -> Self {
        self.scheduler(|scheduler| scheduler.on_unhandled(hook))
    }

    /// Switches debug mode on or off; `None` leaves it to the environment variable
    /// `RINGLOOP_DEBUG`. In debug mode, slow polls, polls that do not return and livelocks are
    /// reported with their tasks, see [`SchedulerBuilder::debug`]; so is offloaded work that waits
    /// for a thread for longer than the limit of the [watchdog](SchedulerBuilder::watchdog), and
    /// work that waits for itself. Counterpart: `loop.set_debug`.
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

    /// Changes the settings of the pool of [`offload()`](crate::offload()): the number of its
    /// threads, their name, when they leave. Counterpart: `loop.set_default_executor`.
    ///
    /// # Examples
    ///
    /// ```
    /// let builder = ringloop::Runtime::builder().offload(|pool| pool.name("io").max_threads(4));
    /// let mut runtime = builder.build()?;
    /// let name = runtime.block_on(async {
    ///     ringloop::offload(|| std::thread::current().name().map(str::to_owned)).await
    /// })?;
    /// assert_eq!(name.as_deref(), Some("io-0"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[doc(alias = "set_default_executor")]
    pub fn offload(self, set: impl FnOnce(PoolBuilder) -> PoolBuilder + 'static) -> Self {
        let before = self.blocking;
        Self {
            blocking: Box::new(|pool| set(before(pool))),
            ..self
        }
    }

    /// Sets the number of threads of the pool of [`cpu`](crate::offload::cpu), as many as this
    /// process may use at a time by default.
    ///
    /// # Panics
    ///
    /// If `threads` is 0.
    #[track_caller]
    pub fn cpu_threads(self, threads: usize) -> Self {
        assert!(threads > 0, "a pool needs a thread");
        Self {
            cpu_threads: Some(threads),
            ..self
        }
    }

    /// Makes the runtime on this thread.
    ///
    /// # Errors
    ///
    /// As [`run`](super::run).
    pub fn build(self) -> Result<Runtime, SetupError> {
        let proactor = Proactor::new(&self.proactor)?;
        let handle = proactor.handle();
        let stalls = self.scheduler.watchdog_limit();
        let scheduler = self.scheduler.build(proactor);
        let mut blocking = ThreadPool::builder();
        let reporter = Arc::new(scheduler.reporter());
        if let Some(bound) = stalls {
            let reporter = Arc::clone(&reporter);
            blocking = blocking.on_stall(bound, move |stall| reporter(&stalled(stall)));
        }
        let threads = self.cpu_threads;
        let cpu = move |mut cpu: CpuPoolBuilder| {
            if let Some(bound) = stalls {
                let reporter = Arc::clone(&reporter);
                cpu = cpu.on_stall(bound, move |stall| reporter(&stalled(stall)));
            }
            match threads {
                Some(threads) => cpu.threads(threads),
                None => cpu,
            }
        };
        let pools = Arc::new(Pools::new((self.blocking)(blocking), cpu));
        let context = Rc::new(Context {
            proactor: handle,
            link: Link::new(scheduler.remote(), &pools),
            pools,
        });
        Ok(Runtime {
            scheduler,
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

/// What a pool says of work that waits too long, for the hook of the loop.
fn stalled(stall: &Stall) -> Report {
    Report::Stalled {
        pool: stall.pool.clone(),
        at: stall.queued.location,
        is_deadlock: stall.is_deadlock,
        text: stall.to_string(),
    }
}

const GRACE: Duration = Duration::from_secs(5);
