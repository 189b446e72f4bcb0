//! The latest value, for all who want to know of it.
//!
//! | file | what it has |
//! |---|---|
//! | `shared` | the value, its version, who is there |
//! | `sender`, `receiver` | the ends |
//! | `wait` | the futures |
//! | `error` | what can go wrong |
//!
//! A value has a version, and each receiver knows which one it has seen: that is all there is to
//! it. Nothing is granted to anybody, so a wait that is dropped has nothing to pass on.

mod error;
mod receiver;
mod sender;
mod shared;
mod wait;

pub use error::{RecvError, SendError};
pub use shared::{Ref, WatchStatistics};

/// What [`hosted::watch`](crate::hosted::watch) shows.
pub(crate) mod generic {
    pub use super::receiver::Receiver;
    pub use super::sender::{Sender, channel};
    pub use super::wait::{Changed, Closed, WaitFor};
}

use crate::host::AnyExecutor;

/// [`hosted::watch::Sender`](generic::Sender) on [`AnyExecutor`].
pub type Sender<T> = generic::Sender<T, AnyExecutor>;

/// [`hosted::watch::Receiver`](generic::Receiver) on [`AnyExecutor`].
pub type Receiver<T> = generic::Receiver<T, AnyExecutor>;

/// Makes a sender and a receiver of the latest value, which is `initial` at first.
///
/// The receiver counts that one as seen. More receivers come from [`Sender::subscribe`] and by
/// cloning. Counterpart: `tokio::sync::watch::channel`.
///
/// # Examples
///
/// ```
/// # use std::pin::pin;
/// # use std::task::{Context, Poll, Waker};
/// use ringloop_sync::watch;
///
/// let (sender, mut receiver) = watch::channel("starting");
/// # let mut cx = Context::from_waker(Waker::noop());
/// # let mut task = pin!(async {
/// sender.send("running")?;
/// sender.send("stopping")?;
/// receiver.changed().await?;
/// assert_eq!(*receiver.borrow(), "stopping"); // The one before was never seen.
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # });
/// # assert!(matches!(task.as_mut().poll(&mut cx), Poll::Ready(Ok(()))));
/// ```
pub fn channel<T>(initial: T) -> (Sender<T>, Receiver<T>) {
    generic::channel(initial)
}
