//! Locks and channels between loops, and between a loop and plain threads.
//!
//! The types of `ringloop_sync::shared`, whose waits are those of tasks. Their blocking twins are for
//! threads without a runtime: on the thread of a loop they would stop it.

pub use ringloop_sync::shared::{
    ChannelStatistics, MutexGuard, Permit, RecvTimeoutError, SemaphoreStatistics, SendTimeoutError,
    TryRecvError, TrySendError,
};

use ringloop_sync::shared::hosted;

use super::TaskHost;
use crate::Cancelled;

/// A lock around a value, for tasks of several loops and for plain threads; see [`hosted::Mutex`].
///
/// # Examples
///
/// ```
/// use ringloop::sync::shared::Mutex;
/// use std::sync::Arc;
///
/// let total = Arc::new(Mutex::new(0));
/// let other = Arc::clone(&total);
/// let thread = std::thread::spawn(move || *other.blocking_lock() += 1);
/// let ours = Arc::clone(&total);
/// ringloop::run(async move {
///     *ours.lock().await? += 1;
///     Ok::<(), ringloop::Cancelled>(())
/// })??;
/// thread.join().expect("it does not panic");
/// assert_eq!(*total.blocking_lock(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[doc(alias("threading.Lock", "blocking_lock"))]
pub type Mutex<T> = hosted::Mutex<T, TaskHost>;

/// A number of permits that tasks of several loops and plain threads share; see
/// [`hosted::Semaphore`].
///
/// # Examples
///
/// ```
/// use ringloop::sync::shared::Semaphore;
///
/// static CONNECTIONS: Semaphore = Semaphore::new(2);
///
/// let held = CONNECTIONS.blocking_acquire();
/// ringloop::run(async {
///     let permit = CONNECTIONS.acquire().await?;
///     assert_eq!(CONNECTIONS.available(), 0);
///     drop(permit);
///     Ok::<(), ringloop::Cancelled>(())
/// })??;
/// # drop(held);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[doc(alias("threading.Semaphore", "blocking_acquire", "add_permits"))]
pub type Semaphore = hosted::Semaphore<TaskHost>;

/// Permits that keep their [`Semaphore`] alive; see [`hosted::OwnedPermit`].
///
/// # Examples
///
/// ```
/// use ringloop::sync::shared::Semaphore;
/// use std::sync::Arc;
///
/// let slots = Arc::new(Semaphore::new(1));
/// let waits = Arc::clone(&slots);
/// let permit = ringloop::run(async move { waits.acquire_owned().await })??;
/// // It goes where it is needed, to another thread, say.
/// std::thread::spawn(move || drop(permit)).join().expect("it does not panic");
/// assert_eq!(slots.available(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub type OwnedPermit = hosted::OwnedPermit<TaskHost>;

/// A flag that tasks of several loops and plain threads wait for; see [`hosted::Event`].
///
/// # Examples
///
/// ```
/// use ringloop::sync::shared::Event;
///
/// static READY: Event = Event::new();
///
/// let thread = std::thread::spawn(|| READY.set());
/// ringloop::run(async { READY.wait().await })??;
/// thread.join().expect("it does not panic");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[doc(alias("threading.Event", "blocking_wait", "call_soon_threadsafe"))]
pub type Event = hosted::Event<TaskHost>;

/// The end of a channel where items go in; see [`hosted::Sender`].
///
/// # Examples
///
/// ```
/// use ringloop::sync::shared::{Sender, channel};
///
/// let (sender, receiver): (Sender<u32>, _) = channel(1);
/// let thread = std::thread::spawn(move || receiver.blocking_recv());
/// ringloop::run(async move { sender.send(7).await })??;
/// assert_eq!(thread.join().expect("it does not panic")?, 7);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub type Sender<T> = hosted::Sender<T, TaskHost>;

/// The end of a channel where items come out; see [`hosted::Receiver`].
///
/// # Examples
///
/// ```
/// use ringloop::sync::shared::{Receiver, channel};
///
/// let (sender, receiver): (_, Receiver<u32>) = channel(1);
/// let thread = std::thread::spawn(move || sender.blocking_send(7));
/// assert_eq!(ringloop::run(async move { receiver.recv().await })??, 7);
/// thread.join().expect("it does not panic")?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub type Receiver<T> = hosted::Receiver<T, TaskHost>;

/// Why an item was not sent; see [`ringloop_sync::shared::SendError`].
///
/// What a thread finds that blocks cannot be cancelled: it is a `SendError<T, Infallible>`.
pub type SendError<T, C = Cancelled> = ringloop_sync::shared::SendError<T, C>;

/// Why no item was received; see [`ringloop_sync::shared::RecvError`].
///
/// What a thread finds that blocks cannot be cancelled: it is a `RecvError<Infallible>`.
pub type RecvError<C = Cancelled> = ringloop_sync::shared::RecvError<C>;

/// Makes a channel that lets `capacity` items in before senders have to wait; see
/// [`ringloop_sync::shared::channel()`].
///
/// # Examples
///
/// ```
/// use ringloop::sync::shared::channel;
///
/// let (sender, receiver) = channel(1);
/// let thread = std::thread::spawn(move || {
///     for item in 1..=3 {
///         sender.blocking_send(item).expect("the task receives");
///     }
/// });
/// let sum = ringloop::run(async move {
///     let mut sum = 0;
///     while let Some(item) = receiver.next().await? {
///         sum += item;
///     }
///     Ok::<i32, ringloop::Cancelled>(sum)
/// })??;
/// assert_eq!(sum, 6);
/// thread.join().expect("it does not panic");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[doc(alias(
    "janus",
    "mpsc",
    "mpmc",
    "open_memory_channel",
    "blocking_send",
    "blocking_recv"
))]
#[must_use]
pub fn channel<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    hosted::channel(capacity)
}

/// Makes a channel that lets in as many items as there is memory for; see
/// [`ringloop_sync::shared::unbounded_channel`].
///
/// # Examples
///
/// ```
/// use ringloop::sync::shared::unbounded_channel;
///
/// let (sender, receiver) = unbounded_channel();
/// std::thread::spawn(move || sender.try_send("hello")); // Never full.
/// assert_eq!(ringloop::run(async move { receiver.recv().await })??, "hello");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[doc(alias = "unbounded")]
#[must_use]
pub fn unbounded_channel<T>() -> (Sender<T>, Receiver<T>) {
    hosted::unbounded_channel()
}
