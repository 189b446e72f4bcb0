//! The future that waits for a job.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::error::OffloadError;
use crate::executor::Executor;
use crate::job::{Job, Name, Phase, Waiter};

/// Runs `f` on `executor` and returns a future for its result.
///
/// The job is handed over within this call, in the order of the calls, and runs whether or not
/// the future is polled. It costs one allocation. An executor that does not take the job completes
/// the future at once, with an error that [says so](OffloadError::is_rejected).
///
/// Counterpart: `loop.run_in_executor` of asyncio.
///
/// # Cancel safety
///
/// Nothing to cancel: the function does not wait. For the future see [`Offload`].
///
/// # Examples
///
/// ```
/// # use std::{future::Future, pin::pin, sync::Arc, task::{Context, Poll, Wake}, thread};
/// # struct Unpark(thread::Thread);
/// # impl Wake for Unpark { fn wake(self: Arc<Self>) { self.0.unpark() } }
/// # fn block_on<F: Future>(future: F) -> F::Output {
/// #     let mut future = pin!(future);
/// #     let waker = Arc::new(Unpark(thread::current())).into();
/// #     loop {
/// #         match future.as_mut().poll(&mut Context::from_waker(&waker)) {
/// #             Poll::Ready(output) => return output,
/// #             Poll::Pending => thread::park(),
/// #         }
/// #     }
/// # }
/// use ringloop_offload::{ThreadPool, offload_on};
///
/// let pool = ThreadPool::fixed(2);
/// # block_on(async {
/// let words = offload_on(&pool, || "six words, one of them short".split(' ').count()).await?;
/// assert_eq!(words, 6);
/// # Ok::<(), ringloop_offload::OffloadError>(())
/// # })?;
/// # Ok::<(), ringloop_offload::OffloadError>(())
/// ```
#[doc(alias("run_in_executor", "to_thread", "spawn_blocking", "unblock"))]
#[track_caller]
pub fn offload_on<E, F, T>(executor: &E, f: F) -> Offload<T>
where
    E: Executor + ?Sized,
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    hand_over(executor, None, f)
}

/// Makes a job and gives it to `executor`.
#[track_caller]
pub(crate) fn hand_over<E, F, T>(executor: &E, name: Option<Name>, f: F) -> Offload<T>
where
    E: Executor + ?Sized,
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    give(executor, Job::new(name, f))
}

/// Does the same for somebody who was called at `location`.
pub(crate) fn hand_over_at<E, F, T>(
    location: &'static Location<'static>,
    executor: &E,
    name: Option<Name>,
    f: F,
) -> Offload<T>
where
    E: Executor + ?Sized,
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    give(executor, Job::at(location, name, f))
}

fn give<E, T>(executor: &E, (job, waiter): (Job, Waiter<T>)) -> Offload<T>
where
    E: Executor + ?Sized,
{
    if let Err(job) = executor.execute(job) {
        let _was_queued = job.reject();
    }
    Offload { waiter }
}

/// Waits for a closure that runs elsewhere. Made by [`offload_on`].
///
/// # Errors
///
/// The output is an [`OffloadError`] if the closure panicked, was cancelled while it was queued,
/// or was not run by its executor.
///
/// # Panics
///
/// When it is polled again after it has completed.
///
/// # Cancel safety
///
/// Not cancel safe: dropped while the job is queued, the job never runs and had no effect; dropped
/// while it runs, the job is abandoned: it is asked to stop through its
/// [`Interrupt`](crate::Interrupt), runs to its end and keeps its thread until then, and its result
/// is dropped on that thread. [`cancel`](Self::cancel) and then awaiting it loses nothing.
#[must_use = "dropping it cancels the job, or abandons it if it runs"]
pub struct Offload<T> {
    waiter: Waiter<T>,
}

impl<T> Offload<T> {
    /// Asks the job not to run, or to stop, and returns whether it will never run.
    ///
    /// `true`: it was queued; what the closure captured is dropped within this call, and the
    /// future completes with an error that [says so](OffloadError::is_cancelled). `false`: it was
    /// running, and is asked to stop through its [`Interrupt`](crate::Interrupt), or it had ended;
    /// the future completes with the job's own result. So the way to cancel without losing
    /// anything is to cancel and to go on waiting.
    ///
    /// Counterpart: `concurrent.futures.Future.cancel` of Python.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    ///
    /// # Examples
    ///
    /// ```
    /// use ringloop_offload::{ThreadPool, offload_on};
    /// use std::sync::mpsc;
    ///
    /// let pool = ThreadPool::fixed(1);
    /// let (release, released) = mpsc::channel::<()>();
    /// let (started, has_started) = mpsc::channel();
    /// let first = offload_on(&pool, move || {
    ///     started.send(()).unwrap();
    ///     released.recv()
    /// });
    /// let second = offload_on(&pool, || unreachable!("it waits behind the first, in vain"));
    /// has_started.recv().unwrap();
    /// assert!(!first.cancel());
    /// assert!(second.cancel());
    /// # drop((release, second));
    /// ```
    pub fn cancel(&self) -> bool {
        self.waiter.cancel(None)
    }

    /// Does the same and says why.
    ///
    /// A running job finds the reason with [`Interrupt::reason`](crate::Interrupt::reason); that of
    /// the first request stays. If the job was queued, the reason is the source of the
    /// [`OffloadError`] with which the future completes.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    ///
    /// # Examples
    ///
    /// ```
    /// use ringloop_offload::{Interrupt, ThreadPool, offload_on};
    /// use std::thread;
    ///
    /// let pool = ThreadPool::fixed(1);
    /// let offload = offload_on(&pool, || {
    ///     while !Interrupt::current().is_requested() {
    ///         thread::yield_now();
    ///     }
    ///     assert_eq!(Interrupt::current().reason().unwrap().to_string(), "the disk is full");
    /// });
    /// while !offload.is_running() {
    ///     thread::yield_now();
    /// }
    /// offload.cancel_with("the disk is full");
    /// # let report = pool.shutdown(std::time::Duration::from_secs(5));
    /// # assert_eq!(report.detached, 0);
    /// ```
    pub fn cancel_with(&self, reason: impl Into<Box<dyn Error + Send + Sync>>) -> bool {
        self.waiter.cancel(Some(reason.into().into()))
    }

    /// Returns whether the job waits for a thread.
    pub fn is_queued(&self) -> bool {
        self.waiter.phase() == Phase::Queued
    }

    /// Returns whether the closure is being run.
    pub fn is_running(&self) -> bool {
        self.waiter.phase() == Phase::Running
    }

    /// Returns where the job was offloaded.
    pub fn location(&self) -> &'static Location<'static> {
        self.waiter.tag().location()
    }

    /// Returns the name that a [`Builder`](crate::Builder) gave the job.
    pub fn name(&self) -> Option<&str> {
        self.waiter.tag().name().map(Name::as_str)
    }
}

impl<T> Offload<T> {
    pub(crate) fn waiter(&self) -> &Waiter<T> {
        &self.waiter
    }
}

impl<T> Future for Offload<T> {
    type Output = Result<T, OffloadError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.waiter.poll(cx.waker())
    }
}

impl<T> fmt::Debug for Offload<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Offload")
            .field("phase", &self.waiter.phase())
            .field("name", &self.name())
            .field("location", &format_args!("{}", self.location()))
            .finish_non_exhaustive()
    }
}
