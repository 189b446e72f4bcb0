//! Every item, for all who listen.

pub use ringloop_sync::broadcast::{BroadcastStatistics, SendError, TryRecvError};
use ringloop_sync::hosted;

use super::TaskHost;
use crate::Cancelled;

/// The end of a broadcast that sends; see [`hosted::broadcast::Sender`], and [`channel`] for an
/// example.
pub type Sender<T> = hosted::broadcast::Sender<T, TaskHost>;

/// The end of a broadcast that receives; see [`hosted::broadcast::Receiver`], and [`channel`] for
/// an example.
pub type Receiver<T> = hosted::broadcast::Receiver<T, TaskHost>;

/// There is no next item for this receiver.
pub type RecvError = ringloop_sync::broadcast::RecvError<Cancelled>;

/// Makes a sender and a receiver of items that everybody gets, of which `capacity` are kept for
/// those who are slow.
///
/// Counterpart: `tokio::sync::broadcast::channel`.
///
/// # Panics
///
/// If `capacity` is zero: nothing could ever be received.
///
/// # Examples
///
/// ```
/// use ringloop::sync::broadcast;
///
/// ringloop::run(async {
///     let (news, mut reader) = broadcast::channel(16);
///     let task = ringloop::spawn(async move {
///         let mut read = Vec::new();
///         while let Some(line) = reader.next().await? {
///             read.push(line);
///         }
///         Ok::<_, broadcast::RecvError>(read)
///     });
///     news.send("first").expect("somebody reads");
///     news.send("second").expect("somebody reads");
///     drop(news);
///     assert_eq!(task.await.expect("the task does not panic")?, ["first", "second"]);
///     Ok::<(), broadcast::RecvError>(())
/// })??;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[track_caller]
pub fn channel<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    hosted::broadcast::channel(capacity)
}
