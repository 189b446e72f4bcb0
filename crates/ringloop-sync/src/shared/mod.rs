//! Locks and channels between threads: between loops, and between a loop and plain threads.
//!
//! The same rules as for the types of one thread: first come, first served; what is given up belongs
//! to the first who waits at once; a waiter that goes after it was granted something passes it on.
//! All of them are `Send` and `Sync`, and with [`AnyExecutor`] their futures are `Send`.
//!
//! Each wait has a twin that blocks a plain thread ([`Mutex::blocking_lock`] and so on), which
//! stands in the same line as the tasks do, and one with a timeout. On the thread of an event loop
//! they would stop the loop, perhaps for ever: await there.
//!
//! | file | what it has |
//! |---|---|
//! | `wait_list` | those who wait, behind a lock |
//! | `wait` | one wait, under a host |
//! | `channel` | items from some to others |
//! | `mutex` | a lock around a value |
//! | `semaphore` | a number of permits |
//! | `event` | a flag |
//!
//! [`Mutex::blocking_lock`]: hosted::Mutex::blocking_lock

mod wait;
mod wait_list;

mod channel;
mod event;
mod mutex;
mod semaphore;

#[cfg(all(test, loom))]
mod tests;

pub mod hosted;

pub use crate::channel::{ChannelStatistics, RecvError, SendError, TryRecvError, TrySendError};
pub use channel::{RecvTimeoutError, SendTimeoutError};
pub use mutex::MutexGuard;
pub use semaphore::{Permit, SemaphoreStatistics};

use crate::host::AnyExecutor;

/// [`hosted::Mutex`] on [`AnyExecutor`].
pub type Mutex<T> = hosted::Mutex<T, AnyExecutor>;

/// [`hosted::Semaphore`] on [`AnyExecutor`].
pub type Semaphore = hosted::Semaphore<AnyExecutor>;

/// [`hosted::OwnedPermit`] on [`AnyExecutor`].
pub type OwnedPermit = hosted::OwnedPermit<AnyExecutor>;

/// [`hosted::Event`] on [`AnyExecutor`].
pub type Event = hosted::Event<AnyExecutor>;

/// [`hosted::Sender`] on [`AnyExecutor`].
pub type Sender<T> = hosted::Sender<T, AnyExecutor>;

/// [`hosted::Receiver`] on [`AnyExecutor`].
pub type Receiver<T> = hosted::Receiver<T, AnyExecutor>;

/// Makes a channel that lets `capacity` items in before senders have to wait.
///
/// With capacity 0 a send ends when a receiver has come for its item. Items come out in the order in
/// which they went in. Both ends can be cloned, and used from tasks of any loop and from plain
/// threads. Who waits is served first come, first served, on both sides: the item of a sender that
/// waits moves in as soon as there is a place, and an item that a receiver was woken for is its own
/// until it runs, or goes and passes it on.
///
/// Memory is taken as items need it, not for the whole capacity. Counterpart:
/// `trio.open_memory_channel`, which knows one loop; the queues of `janus` between asyncio and threads.
///
/// # Examples
///
/// ```
/// # use std::pin::pin;
/// # use std::task::{Context, Poll, Waker};
/// use ringloop_sync::shared::{self, TryRecvError, TrySendError};
///
/// let (sender, receiver) = shared::channel(1);
/// let thread = std::thread::spawn(move || {
///     for item in ["a", "b"] {
///         sender.blocking_send(item).unwrap();
///     }
/// });
/// // In a task: `receiver.recv().await`.
/// assert_eq!(receiver.blocking_recv(), Ok("a"));
/// assert_eq!(receiver.blocking_recv(), Ok("b"));
/// thread.join().unwrap();
/// assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed)); // Its only sender is gone.
///
/// let (sender, _receiver) = shared::channel(0);
/// assert_eq!(sender.try_send("c"), Err(TrySendError::Full("c"))); // Nobody has come for it.
/// ```
#[doc(alias("open_memory_channel", "bounded", "mpsc", "mpmc"))]
#[must_use]
pub fn channel<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    hosted::channel(capacity)
}

/// Makes a channel that lets in as many items as there is memory for.
///
/// No sender ever waits, so nothing keeps a fast one from filling the memory: prefer
/// [`channel()`] with a capacity.
///
/// # Examples
///
/// ```
/// let (sender, receiver) = ringloop_sync::shared::unbounded_channel();
/// for item in 0..1000 {
///     sender.try_send(item).unwrap();
/// }
/// assert_eq!(receiver.len(), 1000);
/// ```
#[doc(alias = "unbounded")]
#[must_use]
pub fn unbounded_channel<T>() -> (Sender<T>, Receiver<T>) {
    hosted::unbounded_channel()
}
