//! The latest value, for all who want to know of it.

use ringloop_sync::hosted;
pub use ringloop_sync::watch::{Ref, SendError, WatchStatistics};

use super::TaskHost;
use crate::Cancelled;

/// The end of a watch that sets the value; see [`hosted::watch::Sender`], and [`channel`] for an
/// example.
pub type Sender<T> = hosted::watch::Sender<T, TaskHost>;

/// The end of a watch that sees the value; see [`hosted::watch::Receiver`], and [`channel`] for
/// an example.
pub type Receiver<T> = hosted::watch::Receiver<T, TaskHost>;

/// There will be no other value, or the wait for it was cancelled.
pub type RecvError = ringloop_sync::watch::RecvError<Cancelled>;

/// Makes a sender and a receiver of the latest value, which is `initial` at first.
///
/// The receiver counts that one as seen. Counterpart: `tokio::sync::watch::channel`.
///
/// # Examples
///
/// ```
/// use ringloop::sync::watch;
///
/// ringloop::run(async {
///     let (level, mut seen) = watch::channel(1);
///     let task = ringloop::spawn(async move {
///         let high = *seen.wait_for(|&level| level > 5).await?;
///         Ok::<i32, watch::RecvError>(high)
///     });
///     for new in [3, 7] {
///         level.send(new).expect("the task looks at it");
///         ringloop::task::yield_now().await.expect("nobody cancels");
///     }
///     assert_eq!(task.await.expect("the task does not panic")?, 7);
///     Ok::<(), watch::RecvError>(())
/// })??;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn channel<T>(initial: T) -> (Sender<T>, Receiver<T>) {
    hosted::watch::channel(initial)
}
