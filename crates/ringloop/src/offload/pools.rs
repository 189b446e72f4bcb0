//! The pools of a runtime.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use ringloop_offload::{CpuPool, CpuPoolBuilder, PoolBuilder, PoolStats, RunningJob, ThreadPool};

use super::link::Link;
use crate::context;

/// The pools of a runtime. They start no thread before their first job.
pub(crate) struct Pools {
    /// For work that blocks: elastic.
    blocking: ThreadPool,
    /// For work that computes. Made when first used: it has to ask the system for the number of
    /// cores.
    cpu: OnceLock<CpuPool>,
    cpu_settings: CpuSettings,
}

type CpuSettings = Box<dyn Fn(CpuPoolBuilder) -> CpuPoolBuilder + Send + Sync>;

/// What the end of the pools came to.
#[derive(Debug, Default)]
pub(crate) struct PoolsEnd {
    pub(crate) finished: usize,
    pub(crate) dropped: usize,
    pub(crate) still_running: Vec<RunningJob>,
}

/// The pools of the runtime that runs on this thread, or that has offloaded the job that does.
///
/// # Panics
///
/// Outside of both.
#[track_caller]
pub(super) fn current() -> Arc<Pools> {
    let of_job = || Link::of_job().and_then(|link| link.pools());
    match context::find() {
        Some(context) => Arc::clone(&context.pools),
        None => of_job().unwrap_or_else(|| context::no_runtime()),
    }
}

impl Pools {
    pub(crate) fn new(
        blocking: PoolBuilder,
        cpu_settings: impl Fn(CpuPoolBuilder) -> CpuPoolBuilder + Send + Sync + 'static,
    ) -> Self {
        Self {
            blocking: blocking.build(),
            cpu: OnceLock::new(),
            cpu_settings: Box::new(cpu_settings),
        }
    }

    pub(crate) fn blocking(&self) -> &ThreadPool {
        &self.blocking
    }

    pub(crate) fn cpu(&self) -> &CpuPool {
        self.cpu
            .get_or_init(|| (self.cpu_settings)(CpuPool::builder()).build())
    }

    pub(crate) fn blocking_stats(&self) -> PoolStats {
        self.blocking.stats()
    }

    pub(crate) fn cpu_stats(&self) -> PoolStats {
        self.cpu.get().map(CpuPool::stats).unwrap_or_default()
    }

    /// Ends both pools, which share the time that is `left`.
    pub(crate) fn shut_down(&self, left: impl Fn() -> Duration) -> PoolsEnd {
        let mut end = PoolsEnd::default();
        // A job that goes on may ask for the pool that was not used before: it finds it closed.
        let cpu = self.cpu.get_or_init(|| CpuPool::with_threads(1));
        let close = |timeout: &dyn Fn() -> Duration| {
            let blocking = self.blocking.shutdown(timeout());
            [blocking, cpu.shutdown(timeout())]
        };
        // Neither takes anything more while the other is waited for.
        for report in close(&|| Duration::ZERO) {
            end.finished += report.finished;
            end.dropped += report.dropped;
        }
        for report in close(&left) {
            end.finished += report.finished;
            end.still_running.extend(report.still_running);
        }
        end
    }
}

impl fmt::Debug for Pools {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pools")
            .field("blocking", &self.blocking)
            .field("cpu", &self.cpu.get())
            .finish_non_exhaustive()
    }
}
