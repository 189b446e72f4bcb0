//! The knobs of a pool.

use std::time::Duration;

use super::crew::Config;
use super::thread_pool::ThreadPool;

/// Builds a [`ThreadPool`].
///
/// # Examples
///
/// ```
/// use ringloop_offload::ThreadPool;
/// use std::time::Duration;
///
/// let pool = ThreadPool::builder()
///     .name("resolver")
///     .max_threads(4)
///     .keep_alive(Duration::from_secs(1))
///     .build();
/// assert_eq!(pool.stats().threads_max, 4);
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build`"]
pub struct PoolBuilder {
    config: Config,
}

impl PoolBuilder {
    /// Starts from the defaults of [`ThreadPool::blocking`].
    pub(super) fn new() -> Self {
        Self {
            config: Config {
                name: DEFAULT_NAME.to_owned(),
                max_threads: DEFAULT_MAX_THREADS,
                keep_alive: DEFAULT_KEEP_ALIVE,
                stack_size: None,
            },
        }
    }

    /// Names the threads: `name-0`, `name-1` and so on. Default: `offload`.
    ///
    /// The kernel shows the first 15 bytes.
    ///
    /// # Panics
    ///
    /// If the name contains a null byte.
    #[track_caller]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        let name = name.into();
        assert!(
            !name.contains('\0'),
            "a thread's name cannot contain a null byte"
        );
        self.config.name = name;
        self
    }

    /// Sets the most threads that may exist at a time. Default: 64.
    ///
    /// # Panics
    ///
    /// If `max_threads` is 0.
    #[track_caller]
    pub fn max_threads(mut self, max_threads: usize) -> Self {
        assert!(max_threads > 0, "a pool without threads would run nothing");
        self.config.max_threads = max_threads;
        self
    }

    /// Sets how long a thread without work stays. Default: 10 seconds.
    ///
    /// With `Duration::MAX` it stays as long as the pool.
    pub fn keep_alive(mut self, keep_alive: Duration) -> Self {
        self.config.keep_alive = keep_alive;
        self
    }

    /// Sets the size of the threads' stacks. Default: as `std::thread`, 2 MiB.
    pub fn stack_size(mut self, stack_size_bytes: usize) -> Self {
        self.config.stack_size = Some(stack_size_bytes);
        self
    }

    /// Makes the pool. It starts no thread before there is a job for it.
    pub fn build(self) -> ThreadPool {
        ThreadPool::new(self.config)
    }
}

const DEFAULT_NAME: &str = "offload";
const DEFAULT_MAX_THREADS: usize = 64;
const DEFAULT_KEEP_ALIVE: Duration = Duration::from_secs(10);
