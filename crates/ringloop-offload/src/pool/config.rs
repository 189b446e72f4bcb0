//! What a pool is told at the start.

use std::fmt;
use std::sync::Arc;

use crate::contain::{catch, drop_quietly};

use super::roster::Limits;

/// See [`PoolBuilder`](super::PoolBuilder).
#[derive(Clone, Debug)]
pub(super) struct Config {
    pub(super) name: String,
    pub(super) limits: Limits,
    pub(super) stack_size: Option<usize>,
    pub(super) on_thread_start: Option<Hook>,
    pub(super) on_thread_stop: Option<Hook>,
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
