//! What a pool is told at the start.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::contain::{catch, drop_quietly};

use super::roster::Limits;
use super::stall::Stall;

/// See [`PoolBuilder`](super::PoolBuilder).
#[derive(Clone, Debug)]
pub(super) struct Config {
    pub(super) name: String,
    pub(super) limits: Limits,
    pub(super) stack_size: Option<usize>,
    pub(super) on_thread_start: Option<Hook>,
    pub(super) on_thread_stop: Option<Hook>,
    pub(super) on_stall: Option<StallHook>,
}

/// Something of the user's that every thread calls.
#[derive(Clone)]
pub(super) struct Hook(Arc<dyn Fn() + Send + Sync>);

impl Hook {
    pub(super) fn new(hook: impl Fn() + Send + Sync + 'static) -> Self {
        Self(Arc::new(hook))
    }

    /// Calls the hook; a panic goes no further than the panic hook.
    pub(super) fn call(&self) {
        if let Err(payload) = catch(|| (self.0)()) {
            drop_quietly(payload);
        }
    }
}

impl fmt::Debug for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hook")
    }
}

/// Who wants to hear of jobs that wait for `bound` and longer.
#[derive(Clone)]
pub(super) struct StallHook {
    pub(super) bound: Duration,
    hook: Arc<dyn Fn(&Stall) + Send + Sync>,
}

impl StallHook {
    pub(super) fn new(bound: Duration, hook: impl Fn(&Stall) + Send + Sync + 'static) -> Self {
        Self {
            bound,
            hook: Arc::new(hook),
        }
    }

    /// Calls the hook; a panic goes no further than the panic hook.
    pub(super) fn call(&self, stall: &Stall) {
        if let Err(payload) = catch(|| (self.hook)(stall)) {
            drop_quietly(payload);
        }
    }
}

impl fmt::Debug for StallHook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StallHook")
            .field("bound", &self.bound)
            .finish_non_exhaustive()
    }
}
