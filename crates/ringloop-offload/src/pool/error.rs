//! Why a pool takes no job.

use std::error::Error;
use std::fmt;
use std::io;

/// Why a [`ThreadPool`](crate::ThreadPool) did not run a job.
///
/// It is the [source](Error::source) of an [`OffloadError`](crate::OffloadError) that
/// [is a rejection](crate::OffloadError::is_rejected).
///
/// # Examples
///
/// ```
/// use ringloop_offload::{Executor, OffloadError, PoolError};
/// use std::error::Error;
///
/// fn should_try_again(error: &OffloadError) -> bool {
///     let reason = error.source().and_then(|source| source.downcast_ref::<PoolError>());
///     matches!(reason, Some(PoolError::NoThread(_)))
/// }
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum PoolError {
    /// The pool is shut down or gone.
    Closed,
    /// As many jobs wait as the pool was told to let wait at most.
    Full {
        /// See [`PoolBuilder::queue_bound`](crate::PoolBuilder::queue_bound).
        bound: usize,
    },
    /// The pool has no worker, and the system would not start a thread. As `pthread_create(3)`;
    /// every later submission tries again.
    NoThread(io::Error),
}

impl fmt::Display for PoolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("the thread pool is shut down"),
            Self::Full { bound } => write!(
                f,
                "the queue of the thread pool is full: {bound} jobs wait already"
            ),
            Self::NoThread(_) => f.write_str(
                "no worker thread could be started \
                 (check the limits on processes and memory: RLIMIT_NPROC, the cgroup's pids.max)",
            ),
        }
    }
}

impl Error for PoolError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Closed | Self::Full { .. } => None,
            Self::NoThread(error) => Some(error),
        }
    }
}
