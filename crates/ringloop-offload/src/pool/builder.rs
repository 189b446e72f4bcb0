//! The knobs of a pool.

use std::io::{self, Write};
use std::time::Duration;

use super::config::{Config, Hook, StallHook};
use super::roster::Limits;
use super::stall::Stall;
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
                limits: Limits {
                    threads_max: DEFAULT_MAX_THREADS,
                    threads_min: 0,
                    queue_bound: usize::MAX,
                    keep_alive: DEFAULT_KEEP_ALIVE,
                },
                stack_size: None,
                on_thread_start: None,
                on_thread_stop: None,
                on_stall: None,
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
        self.config.limits.threads_max = max_threads;
        self
    }

    /// Sets how many threads stay when they have nothing to do. Default: 0.
    ///
    /// They are not started ahead: a thread that was started for a job is kept. More than
    /// [`max_threads`](Self::max_threads) has the effect of that many.
    pub fn min_threads(mut self, min_threads: usize) -> Self {
        self.config.limits.threads_min = min_threads;
        self
    }

    /// Sets how many jobs may wait for a thread; what comes beyond is refused at once, with
    /// [`PoolError::Full`](crate::PoolError::Full). Default: no bound.
    ///
    /// This sheds load: whoever offloads more gets an error and may try again later, or tell its
    /// own client to. With 0 a job is refused unless nothing waits and a thread is free or may be
    /// started. Jobs that were cancelled while they waited count for a moment: they are looked for
    /// when the queue is full, but not at each refusal.
    ///
    /// # Examples
    ///
    /// ```
    /// use ringloop_offload::{ThreadPool, offload_on};
    /// use std::sync::mpsc;
    ///
    /// let pool = ThreadPool::builder().max_threads(1).queue_bound(1).build();
    /// let (started, has_started) = mpsc::channel();
    /// let (release, released) = mpsc::channel::<()>();
    /// let running = offload_on(&pool, move || {
    ///     started.send(()).unwrap();
    ///     released.recv()
    /// });
    /// has_started.recv().unwrap();
    /// let waiting = offload_on(&pool, || ());
    /// let refused = offload_on(&pool, || ());
    /// assert!(waiting.is_queued());
    /// assert!(!refused.is_queued());
    /// # drop((release, running));
    /// ```
    pub fn queue_bound(mut self, queue_bound: usize) -> Self {
        self.config.limits.queue_bound = queue_bound;
        self
    }

    /// Sets how long a thread without work stays. Default: 10 seconds.
    ///
    /// With `Duration::MAX` it stays as long as the pool.
    pub fn keep_alive(mut self, keep_alive: Duration) -> Self {
        self.config.limits.keep_alive = keep_alive;
        self
    }

    /// Sets the size of the threads' stacks. Default: as `std::thread`, 2 MiB.
    pub fn stack_size(mut self, stack_size_bytes: usize) -> Self {
        self.config.stack_size = Some(stack_size_bytes);
        self
    }

    /// Sets what each thread calls before its first job. Default: nothing.
    ///
    /// A place to set a thread's priority or to open its connection. It may block; jobs go to other
    /// threads meanwhile. A panic goes no further than the panic hook, and the thread goes on.
    ///
    /// # Examples
    ///
    /// ```
    /// use ringloop_offload::ThreadPool;
    ///
    /// let pool = ThreadPool::builder()
    ///     .on_thread_start(|| println!("{:?} has come", std::thread::current().name()))
    ///     .on_thread_stop(|| println!("{:?} leaves", std::thread::current().name()))
    ///     .build();
    /// ```
    pub fn on_thread_start(mut self, hook: impl Fn() + Send + Sync + 'static) -> Self {
        self.config.on_thread_start = Some(Hook::new(hook));
        self
    }

    /// Sets what each thread calls after its last job. Default: nothing.
    ///
    /// The thread does not count towards [`max_threads`](Self::max_threads) any more, and a
    /// [shutdown](ThreadPool::shutdown) waits for the hook. A panic goes no further than the panic
    /// hook.
    pub fn on_thread_stop(mut self, hook: impl Fn() + Send + Sync + 'static) -> Self {
        self.config.on_thread_stop = Some(Hook::new(hook));
        self
    }

    /// Sets who is told when a job waits for a thread for `bound` and longer. Default: nobody.
    ///
    /// The hook is called once when a job has waited that long, with what the threads run instead,
    /// and once more if it [turns out to be a deadlock](Stall::is_deadlock); then not again until no
    /// job had to wait that long. It runs on a thread of its own, `name-watch`, that exists only
    /// while jobs wait and all threads are busy. A panic goes no further than the panic hook.
    ///
    /// Where no thread is started for want of jobs that wait, watching costs a lock per job.
    ///
    /// # Examples
    ///
    /// ```
    /// use ringloop_offload::{ThreadPool, offload_on};
    /// use std::sync::{Mutex, mpsc};
    /// use std::time::Duration;
    ///
    /// let (stalls, told) = mpsc::channel();
    /// let stalls = Mutex::new(stalls);
    /// let pool = ThreadPool::builder()
    ///     .max_threads(1)
    ///     .on_stall(Duration::from_millis(1), move |stall| {
    ///         stalls.lock().unwrap().send(stall.clone()).unwrap();
    ///     })
    ///     .build();
    /// let (release, released) = mpsc::channel::<()>();
    /// let first = offload_on(&pool, move || released.recv());
    /// let second = offload_on(&pool, || ());
    /// let stall = told.recv().unwrap();
    /// assert_eq!(stall.queued.location, second.location());
    /// assert_eq!(stall.running[0].location, first.location());
    /// assert!(!stall.is_deadlock);
    /// # drop(release);
    /// ```
    pub fn on_stall(
        mut self,
        bound: Duration,
        hook: impl Fn(&Stall) + Send + Sync + 'static,
    ) -> Self {
        self.config.on_stall = Some(StallHook::new(bound, hook));
        self
    }

    /// Writes to stderr when a job waits for a thread for a second, in the format of [`Stall`].
    ///
    /// For development; as [`on_stall`](Self::on_stall), which it replaces.
    pub fn debug(self) -> Self {
        self.on_stall(DEBUG_BOUND, |stall| {
            // Nobody can be told if that fails.
            let _failed = writeln!(io::stderr(), "{stall}");
        })
    }

    /// Makes the pool. It starts no thread before there is a job for it.
    pub fn build(self) -> ThreadPool {
        ThreadPool::new(self.config)
    }
}

/// What a person notices.
const DEBUG_BOUND: Duration = Duration::from_secs(1);
const DEFAULT_NAME: &str = "offload";
const DEFAULT_MAX_THREADS: usize = 64;
const DEFAULT_KEEP_ALIVE: Duration = Duration::from_secs(10);
