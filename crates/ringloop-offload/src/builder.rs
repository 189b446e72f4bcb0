//! A job with a name.

use std::borrow::Cow;

use crate::executor::Executor;
use crate::job::Name;
use crate::offload::{self, Offload};

/// Says more about a job before it is offloaded.
///
/// A name shows up wherever a job does: in `Debug`, in errors and reports of a pool. Without one, the
/// place where the job was offloaded stands for it. A literal costs no allocation.
///
/// # Examples
///
/// ```
/// use ringloop_offload::{Builder, ThreadPool};
///
/// let pool = ThreadPool::fixed(1);
/// let offload = Builder::new().name("backup").offload_on(&pool, || 6 * 7);
/// assert_eq!(offload.name(), Some("backup"));
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "a builder does nothing until it offloads"]
pub struct Builder {
    name: Option<Name>,
}

impl Builder {
    /// Makes a builder for a job without a name.
    pub const fn new() -> Self {
        Self { name: None }
    }

    /// Names the job.
    pub fn name(self, name: impl Into<Cow<'static, str>>) -> Self {
        Self {
            name: Some(name.into().into()),
        }
    }

    /// Runs `f` on `executor` and returns a future for its result.
    ///
    /// As [`offload_on`](crate::offload_on()).
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait. For the future see [`Offload`].
    #[track_caller]
    pub fn offload_on<E, F, T>(self, executor: &E, f: F) -> Offload<T>
    where
        E: Executor + ?Sized,
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        offload::hand_over(executor, self.name, f)
    }
}
