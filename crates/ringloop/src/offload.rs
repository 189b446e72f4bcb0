//! Work that would block the loop, out to a thread and back.
//!
//! [`offload()`] is for work that waits (files, name look-ups, a library that blocks), [`cpu`] for
//! work that computes, [`offload_on`] for an [`Executor`] of one's own. The closure starts as soon
//! as a thread is free, whether or not the result is awaited.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use ringloop_offload::Offload;
use ringloop_task::cancel::{CancelWatch, Cancelled, check_cancelled};

use crate::context;

#[doc(inline)]
pub use ringloop_offload::{
    CpuHandle, CpuPool, CpuPoolBuilder, Executor, Interrupt, Job, OffloadError, PoolBuilder,
    PoolError, PoolStats, ThreadPool,
};

/// Runs `f` on the elastic pool for blocking work. Counterpart: `asyncio.to_thread`.
///
/// # Errors
///
/// The future gives an [`OffloadError`]; see [`Offloaded`].
///
/// # Panics
///
/// Outside of a runtime.
///
/// # Cancel safety
///
/// Cancelled or dropped while `f` is queued, `f` never runs. Cancelled while it runs, the await
/// waits for it, and [`Interrupt::is_requested`] tells `f`; the result wins. Dropped while it
/// runs, the result is dropped on the worker.
///
/// # Examples
///
/// ```
/// # ringloop::run(async {
/// let text = ringloop::offload(|| std::fs::read_to_string("/proc/self/comm")).await??;
/// assert!(!text.is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })??;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[doc(alias = "to_thread")]
#[doc(alias = "run_in_executor")]
#[doc(alias = "spawn_blocking")]
#[track_caller]
pub fn offload<T, F>(f: F) -> Offloaded<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    offload_on(&context::current().blocking, f)
}

/// Runs `f` on the pool for computing work, which has as many threads as there are cores.
///
/// # Errors
///
/// The future gives an [`OffloadError`]; see [`Offloaded`].
///
/// # Panics
///
/// Outside of a runtime.
///
/// # Cancel safety
///
/// As [`offload()`].
///
/// # Examples
///
/// ```
/// # ringloop::run(async {
/// let sum = ringloop::offload::cpu(|| (1..=1000_u64).sum::<u64>()).await?;
/// assert_eq!(sum, 500_500);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })??;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[track_caller]
pub fn cpu<T, F>(f: F) -> Offloaded<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    offload_on(context::current().cpu.get_or_init(CpuPool::new), f)
}

/// Runs `f` on any executor. Counterpart: `loop.run_in_executor`.
///
/// # Errors
///
/// The future gives an [`OffloadError`]; see [`Offloaded`].
///
/// # Cancel safety
///
/// As [`offload()`].
#[track_caller]
#[doc(alias = "run_in_executor")]
pub fn offload_on<E, T, F>(executor: &E, f: F) -> Offloaded<T>
where
    E: Executor + ?Sized,
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    let progress = match check_cancelled() {
        Ok(()) => Progress::Waiting(ringloop_offload::offload_on(executor, f)),
        Err(cancelled) => Progress::Ended(cancelled),
    };
    Offloaded {
        progress,
        watch: CancelWatch::new(),
        abandons: false,
    }
}

/// The result of offloaded work, to be awaited.
///
/// # Errors
///
/// [`OffloadError`]: the closure panicked, was cancelled, or no thread could take it.
///
/// # Panics
///
/// When it is polled again after it has completed.
///
/// # Cancel safety
///
/// As [`offload()`].
#[must_use = "dropping it cancels the work or abandons its result"]
#[derive(Debug)]
pub struct Offloaded<T> {
    progress: Progress<T>,
    watch: CancelWatch,
    abandons: bool,
}

#[derive(Debug)]
enum Progress<T> {
    Waiting(Offload<T>),
    /// Told to stop; its result, if it still comes, wins.
    Asked(Offload<T>, Cancelled),
    Ended(Cancelled),
    Taken,
}

impl<T> Offloaded<T> {
    /// Leaves running work behind when the await is cancelled, instead of waiting for it.
    ///
    /// Counterpart: `abandon_on_cancel` of `trio.to_thread.run_sync`.
    pub fn abandon_on_cancel(self) -> Self {
        Self {
            abandons: true,
            ..self
        }
    }
}

impl<T> Future for Offloaded<T> {
    type Output = Result<T, OffloadError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let (mut offload, asked) = match std::mem::replace(&mut this.progress, Progress::Taken) {
            Progress::Waiting(offload) => (offload, None),
            Progress::Asked(offload, cancelled) => (offload, Some(cancelled)),
            Progress::Ended(cancelled) => {
                return Poll::Ready(Err(OffloadError::cancelled_by(cancelled)));
            }
            Progress::Taken => panic!("offloaded work was polled after it had completed"),
        };
        if let Poll::Ready(result) = Pin::new(&mut offload).poll(cx) {
            // Nobody has to wait for it any more, even if this is kept.
            this.watch = CancelWatch::new();
            return Poll::Ready(match (result, asked) {
                (Err(error), Some(cancelled)) if error.is_cancelled() => {
                    Err(OffloadError::cancelled_by(cancelled))
                }
                (result, _) => result,
            });
        }
        this.progress = match asked {
            Some(cancelled) => Progress::Asked(offload, cancelled),
            None => match this.watch.poll_cancelled(cx) {
                Ok(()) => Progress::Waiting(offload),
                Err(cancelled) if this.abandons || offload.cancel() => {
                    return Poll::Ready(Err(OffloadError::cancelled_by(cancelled)));
                }
                Err(cancelled) => {
                    this.watch.stay();
                    Progress::Asked(offload, cancelled)
                }
            },
        };
        Poll::Pending
    }
}
