//! A job with a name.

use std::borrow::Cow;
use std::panic::Location;

use ringloop_offload::Executor;
use ringloop_task::cancel::check_cancelled;

use super::luggage::Luggage;
use super::offloaded::Offloaded;
use super::pools;

/// Says more about a job before it is offloaded.
///
/// The name shows up wherever the job does: in `Debug`, in what is
/// [unhandled](crate::runtime::Unhandled), in the report of a shutdown and those of debug mode.
/// Without one, the place where the job was offloaded stands for it. A literal costs no allocation.
///
/// # Examples
///
/// ```
/// use ringloop::offload::Builder;
///
/// # ringloop::run(async {
/// let pages = Builder::new().name("print").offload(|| 12).await?;
/// assert_eq!(pages, 12);
/// # Ok::<(), ringloop::offload::OffloadError>(())
/// # })??;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "a builder does nothing until it offloads"]
pub struct Builder {
    name: Option<Cow<'static, str>>,
}

impl Builder {
    /// Makes a builder for a job without a name.
    pub const fn new() -> Self {
        Self { name: None }
    }

    /// Names the job.
    pub fn name(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Runs `f` on the pool for blocking work, as [`offload()`](super::offload()).
    ///
    /// # Panics
    ///
    /// Outside of a runtime and of what it has offloaded.
    ///
    /// # Cancel safety
    ///
    /// As [`offload()`](super::offload()).
    #[track_caller]
    pub fn offload<T, F>(self, f: F) -> Offloaded<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        self.offload_on(pools::current().blocking(), f)
    }

    /// Runs `f` on the pool for computing work, as [`cpu`](super::cpu).
    ///
    /// # Panics
    ///
    /// Outside of a runtime and of what it has offloaded.
    ///
    /// # Cancel safety
    ///
    /// As [`offload()`](super::offload()).
    #[track_caller]
    pub fn cpu<T, F>(self, f: F) -> Offloaded<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        self.offload_on(pools::current().cpu(), f)
    }

    /// Runs `f` on any executor, as [`offload_on`](super::offload_on).
    ///
    /// # Cancel safety
    ///
    /// As [`offload()`](super::offload()).
    #[track_caller]
    pub fn offload_on<E, T, F>(self, executor: &E, f: F) -> Offloaded<T>
    where
        E: Executor + ?Sized,
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let at = Location::caller();
        match check_cancelled() {
            Ok(()) => {
                let luggage = Luggage::pack();
                let mut builder = ringloop_offload::Builder::new();
                if let Some(name) = self.name {
                    builder = builder.name(name);
                }
                Offloaded::begun(builder.offload_on(executor, move || luggage.run(f)), at)
            }
            Err(cancelled) => Offloaded::not_begun(cancelled, at),
        }
    }
}
