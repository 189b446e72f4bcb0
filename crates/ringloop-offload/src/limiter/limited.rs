//! An executor with a limiter in front of it.

use std::fmt;
use std::panic;
use std::sync::Arc;

use crate::contain::drop_quietly;
use crate::executor::Executor;
use crate::job::Job;

use super::limiter::Limiter;
use super::slot::{Forwarded, Slot};
use super::state::{Admission, Shared, Waiting};

/// Hands jobs to another executor, as many at a time as a [`Limiter`] allows. Made by
/// [`Limiter::over`].
///
/// Clones share the executor and the limiter.
pub struct Limited<E> {
    shared: Arc<Shared>,
    executor: Arc<E>,
}

impl<E: Executor + 'static> Limited<E> {
    pub(super) fn new(shared: &Arc<Shared>, executor: E) -> Self {
        Self {
            shared: Arc::clone(shared),
            executor: Arc::new(executor),
        }
    }

    /// Returns the limiter in front.
    #[must_use]
    pub fn limiter(&self) -> Limiter {
        Limiter::of(&self.shared)
    }

    /// Returns the executor behind.
    #[must_use]
    pub fn executor(&self) -> &E {
        &self.executor
    }
}

impl<E: Executor + 'static> Executor for Limited<E> {
    /// Takes the job if it has to wait, and otherwise as the executor behind.
    ///
    /// A job that was taken and is refused later, when it is forwarded, is rejected with the reason
    /// of that executor.
    fn execute(&self, job: Job) -> Result<(), Job> {
        let executor = || Arc::clone(&self.executor) as Arc<dyn Executor>;
        let job = match self.shared.admit(job, executor) {
            Admission::Granted(job) => job,
            Admission::Queued {
                swept,
                stale,
                is_free,
            } => {
                Waiting::discard(swept);
                drop_quietly(stale);
                if is_free {
                    Slot::grant_all(&self.shared);
                }
                return Ok(());
            }
        };
        match Slot::taken(&self.shared).forward(job, &*self.executor) {
            Forwarded::Taken => Ok(()),
            Forwarded::Refused(job) => Err(job),
            // As if the limiter were not there.
            Forwarded::Panicked(payload) => panic::resume_unwind(payload),
        }
    }
}

impl<E> Clone for Limited<E> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            executor: Arc::clone(&self.executor),
        }
    }
}

impl<E: fmt::Debug> fmt::Debug for Limited<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limited")
            .field("stats", &self.shared.stats())
            .field("executor", &self.executor)
            .finish()
    }
}
