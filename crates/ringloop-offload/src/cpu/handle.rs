//! A way into a pool that does not own it.

use std::fmt;
use std::sync::{Arc, Weak};

use crate::executor::Executor;
use crate::job::Job;
use crate::pool::{PoolError, ThreadPool};

/// Hands jobs to a [`CpuPool`](crate::CpuPool) that belongs to somebody else.
///
/// It does not keep the pool open: when the pool is gone, jobs are refused with
/// [`PoolError::Closed`]. Made by [`CpuPool::handle`](crate::CpuPool::handle).
///
/// # Examples
///
/// A job that makes another one:
///
/// ```
/// use ringloop_offload::{CpuPool, offload_on};
///
/// let pool = CpuPool::new();
/// let handle = pool.handle();
/// let outer = offload_on(&pool, move || offload_on(&handle, || 6 * 7));
/// # drop(outer);
/// ```
#[derive(Clone)]
pub struct CpuHandle {
    pool: Weak<ThreadPool>,
}

impl CpuHandle {
    pub(super) fn to(pool: &Arc<ThreadPool>) -> Self {
        Self {
            pool: Arc::downgrade(pool),
        }
    }
}

impl Executor for CpuHandle {
    fn execute(&self, job: Job) -> Result<(), Job> {
        match self.pool.upgrade() {
            Some(pool) => pool.execute(job),
            None => Err(job.refused(PoolError::Closed)),
        }
    }
}

impl fmt::Debug for CpuHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CpuHandle")
            .field("is_open", &(self.pool.strong_count() > 0))
            .finish()
    }
}
