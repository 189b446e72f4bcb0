//! Every item, for all who listen.
//!
//! | file | what it has |
//! |---|---|
//! | `ring` | the items, and how many receivers stand where |
//! | `shared` | the ring, who is there, who waits |
//! | `sender`, `receiver` | the ends |
//! | `recv` | the futures |
//! | `error` | what can go wrong |
//!
//! An item is not marked with who has seen it: each item knows how many receivers have it as their
//! next, and so a send and a receive cost the same for one receiver and for a thousand.

mod error;
mod receiver;
mod recv;
mod ring;
mod sender;
mod shared;

pub use error::{RecvError, SendError, TryRecvError};
pub use shared::BroadcastStatistics;

/// What [`hosted::broadcast`](crate::hosted::broadcast) shows.
pub(crate) mod generic {
    pub use super::receiver::Receiver;
    pub use super::recv::{Next, Recv};
    pub use super::sender::{Sender, channel};
}

use crate::host::AnyExecutor;

/// [`hosted::broadcast::Sender`](generic::Sender) on [`AnyExecutor`].
pub type Sender<T> = generic::Sender<T, AnyExecutor>;

/// [`hosted::broadcast::Receiver`](generic::Receiver) on [`AnyExecutor`].
pub type Receiver<T> = generic::Receiver<T, AnyExecutor>;

/// Makes a sender and a receiver of items that everybody gets, of which `capacity` are kept for
/// those who are slow.
///
/// The room is not allocated before it is used. More receivers come from [`Sender::subscribe`] and
/// by cloning. Counterpart: `tokio::sync::broadcast::channel`.
///
/// # Panics
///
/// If `capacity` is zero: nothing could ever be received.
///
/// # Examples
///
/// ```
/// # use std::pin::pin;
/// # use std::task::{Context, Poll, Waker};
/// use ringloop_sync::broadcast;
///
/// let (sender, mut one) = broadcast::channel(16);
/// let mut other = sender.subscribe();
/// # let mut cx = Context::from_waker(Waker::noop());
/// # let mut task = pin!(async {
/// sender.send("hello")?;
/// assert_eq!(one.recv().await?, "hello");
/// assert_eq!(other.recv().await?, "hello");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # });
/// # assert!(matches!(task.as_mut().poll(&mut cx), Poll::Ready(Ok(()))));
/// ```
#[track_caller]
pub fn channel<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    generic::channel(capacity)
}
