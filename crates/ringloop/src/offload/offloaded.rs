//! The future that waits for a job, inside the scopes of its task.

use std::future::Future;
use std::mem;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use ringloop_offload::{Offload, OffloadError};
use ringloop_task::cancel::{CancelWatch, Cancelled};
use ringloop_task::task::poll_budget;

use super::link::UnreadPanic;

/// The result of offloaded work, to be awaited.
///
/// # Errors
///
/// [`OffloadError`]: the closure panicked, was cancelled, or no thread could take it. A panic that
/// nobody awaits goes to the hook of
/// [`on_unhandled`](crate::runtime::Builder::on_unhandled), with the job's name and place.
///
/// # Panics
///
/// When it is polled again after it has completed.
///
/// # Cancel safety
///
/// As [`offload()`](super::offload()).
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
    pub(super) fn begun(offload: Offload<T>, at: &'static Location<'static>) -> Self {
        Self::new(Progress::Waiting(offload), at)
    }

    pub(super) fn not_begun(cancelled: Cancelled, at: &'static Location<'static>) -> Self {
        Self::new(Progress::Ended(cancelled), at)
    }

    fn new(progress: Progress<T>, at: &'static Location<'static>) -> Self {
        Self {
            progress,
            watch: CancelWatch::at(at),
            abandons: false,
        }
    }

    /// Leaves running work behind when the await is cancelled, instead of waiting for it.
    ///
    /// Counterpart: `abandon_on_cancel` of `trio.to_thread.run_sync`.
    pub fn abandon_on_cancel(self) -> Self {
        Self {
            abandons: true,
            ..self
        }
    }

    /// Blocks this thread until the result is there: for a job that has offloaded more. Counterpart:
    /// `concurrent.futures.Future.result`.
    ///
    /// A job that waits like this for one that is queued in its own pool runs it itself. On the
    /// loop's thread it would hold up the loop: await it there.
    ///
    /// # Errors
    ///
    /// As awaiting it.
    ///
    /// # Panics
    ///
    /// When it was polled to its end before.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function blocks; it is no future.
    ///
    /// # Examples
    ///
    /// ```
    /// # ringloop::run(async {
    /// let sum = ringloop::offload(|| {
    ///     let rows: Vec<u64> = (1..=100).collect(); // As a database gives them, which blocks.
    ///     ringloop::offload::cpu(move || rows.iter().sum::<u64>()).wait()
    /// });
    /// assert_eq!(sum.await??, 5050);
    /// # Ok::<(), ringloop::offload::OffloadError>(())
    /// # })??;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[doc(alias = "result")]
    #[track_caller]
    pub fn wait(self) -> Result<T, OffloadError> {
        match self.progress {
            Progress::Waiting(offload) | Progress::Asked(offload, _) => {
                offload.wait().map_err(read)
            }
            Progress::Ended(cancelled) => Err(OffloadError::cancelled_by(cancelled)),
            Progress::Taken => panic!("offloaded work was waited for after it had completed"),
        }
    }
}

impl<T> Future for Offloaded<T> {
    type Output = Result<T, OffloadError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let budget = ready!(poll_budget(cx));
        let this = &mut *self;
        let (mut offload, asked) = match mem::replace(&mut this.progress, Progress::Taken) {
            Progress::Waiting(offload) => (offload, None),
            Progress::Asked(offload, cancelled) => (offload, Some(cancelled)),
            Progress::Ended(cancelled) => {
                return Poll::Ready(Err(OffloadError::cancelled_by(cancelled)));
            }
            Progress::Taken => panic!("offloaded work was polled after it had completed"),
        };
        if let Poll::Ready(result) = Pin::new(&mut offload).poll(cx) {
            budget.spend();
            // Nobody has to wait for it any more, even if this is kept.
            this.watch = CancelWatch::at(offload.location());
            return Poll::Ready(match (result.map_err(read), asked) {
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
                Err(cancelled) if interrupt(&offload, &cancelled) || this.abandons => {
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

/// Asks the job to stop and says why. Returns whether it will never run.
#[cold]
fn interrupt<T>(offload: &Offload<T>, cancelled: &Cancelled) -> bool {
    // An error of its own: the scope around must not take the one that the job keeps for one that
    // its body returns.
    offload.cancel_with(Cancelled::new(cancelled.reason().clone()))
}

/// Takes the panic of a job out of what waits for somebody to read it.
pub(super) fn read(error: OffloadError) -> OffloadError {
    match error.try_into_panic() {
        Ok(payload) => OffloadError::panicked(match payload.downcast::<UnreadPanic>() {
            Ok(unread) => unread.read().expect("a panic is read once"),
            Err(payload) => payload,
        }),
        Err(error) => error,
    }
}
