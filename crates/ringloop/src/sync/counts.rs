//! What is counted, flagged and waited for without a value.

use ringloop_sync::hosted;

use super::TaskHost;
use crate::Cancelled;

/// A flag that tasks of one thread wait for; see [`hosted::Event`].
///
/// # Examples
///
/// ```
/// use ringloop::sync::Event;
/// use std::rc::Rc;
///
/// ringloop::run(async {
///     let ready = Rc::new(Event::new());
///     let sets = Rc::clone(&ready);
///     let task = ringloop::spawn(async move { sets.set() });
///     ready.wait().await?;
///     assert!(ready.is_set());
///     task.await.expect("the task does not panic");
///     Ok::<(), ringloop::Cancelled>(())
/// })??;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[doc(alias("asyncio.Event", "trio.Event", "ManualResetEvent"))]
pub type Event = hosted::Event<TaskHost>;

/// A number of permits that the tasks of one thread share; see [`hosted::Semaphore`].
///
/// # Examples
///
/// ```
/// use ringloop::sync::Semaphore;
/// use std::rc::Rc;
///
/// ringloop::run(async {
///     let slots = Rc::new(Semaphore::bounded(2));
///     let workers: Vec<_> = (0..5)
///         .map(|_| {
///             let slots = Rc::clone(&slots);
///             ringloop::spawn(async move {
///                 let _slot = slots.acquire().await?;
///                 assert!(slots.available() < 2);
///                 Ok::<(), ringloop::Cancelled>(())
///             })
///         })
///         .collect();
///     for worker in workers {
///         worker.await.expect("the task does not panic")?;
///     }
///     assert_eq!(slots.available(), 2);
///     Ok::<(), ringloop::Cancelled>(())
/// })??;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[doc(alias(
    "BoundedSemaphore",
    "asyncio.Semaphore",
    "trio.Semaphore",
    "acquire_many"
))]
pub type Semaphore = hosted::Semaphore<TaskHost>;

/// Permits that keep their semaphore alive; see [`hosted::OwnedPermit`].
///
/// # Examples
///
/// ```
/// use ringloop::sync::{OwnedPermit, Semaphore};
/// use std::rc::Rc;
///
/// struct Connection {
///     permit: OwnedPermit,
/// }
///
/// ringloop::run(async {
///     let limit = Rc::new(Semaphore::new(100));
///     let permit = Rc::clone(&limit).acquire_owned().await?;
///     let connection = Connection { permit };
///     assert_eq!(limit.available(), 99);
///     drop(connection.permit);
///     Ok::<(), ringloop::Cancelled>(())
/// })??;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[doc(alias("OwnedSemaphorePermit", "acquire_owned"))]
pub type OwnedPermit = hosted::OwnedPermit<TaskHost>;

/// A word to one task of this thread or to all; see [`hosted::Notify`].
///
/// # Examples
///
/// ```
/// use ringloop::sync::Notify;
/// use std::rc::Rc;
///
/// ringloop::run(async {
///     let changed = Rc::new(Notify::new());
///     let tells = Rc::clone(&changed);
///     let task = ringloop::spawn(async move { tells.notify_one() });
///     changed.notified().await?;
///     task.await.expect("the task does not panic");
///     Ok::<(), ringloop::Cancelled>(())
/// })??;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[doc(alias("notify_waiters", "ParkingLot", "AutoResetEvent"))]
pub type Notify = hosted::Notify<TaskHost>;

/// A limit on how many tasks of one thread do something at once; see [`hosted::CapacityLimiter`].
///
/// # Examples
///
/// Whoever makes work for itself must not wait for itself: a task borrows one token at most.
///
/// ```
/// use ringloop::sync::{AcquireTokenError, CapacityLimiter};
/// use std::rc::Rc;
///
/// ringloop::run(async {
///     let limiter = Rc::new(CapacityLimiter::new(1));
///     let me = ringloop::task::current().expect("this is a task").id().get();
///     let _token = limiter.acquire_on_behalf_of(me).await?;
///     let twice = limiter.acquire_on_behalf_of(me).await;
///     assert!(matches!(twice, Err(AcquireTokenError::AlreadyBorrowed(_))));
///
///     let waits = Rc::clone(&limiter);
///     let task = ringloop::spawn(async move { waits.acquire().await.map(drop) });
///     ringloop::task::yield_now().await;
///     limiter.set_total(2);
///     task.await.expect("the task does not panic")?;
///     Ok::<(), AcquireTokenError>(())
/// })??;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[doc(alias(
    "acquire_on_behalf_of",
    "trio.CapacityLimiter",
    "total_tokens",
    "borrowed_tokens"
))]
pub type CapacityLimiter = hosted::CapacityLimiter<TaskHost>;

/// Why no token was borrowed for somebody; see [`ringloop_sync::AcquireTokenError`].
pub type AcquireTokenError = ringloop_sync::AcquireTokenError<Cancelled>;

/// A place where so many tasks of one thread wait for each other; see [`hosted::Barrier`].
///
/// # Examples
///
/// ```
/// use ringloop::sync::Barrier;
/// use std::rc::Rc;
///
/// ringloop::run(async {
///     let barrier = Rc::new(Barrier::new(3));
///     let parties: Vec<_> = (0..3)
///         .map(|_| {
///             let barrier = Rc::clone(&barrier);
///             ringloop::spawn(async move { barrier.wait().await })
///         })
///         .collect();
///     let mut leaders = 0;
///     for party in parties {
///         let turn = party.await.expect("the task does not panic")?;
///         leaders += usize::from(turn.is_leader());
///     }
///     assert_eq!(leaders, 1);
///     Ok::<(), std::io::Error>(())
/// })??;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[doc(alias = "asyncio.Barrier")]
pub type Barrier = hosted::Barrier<TaskHost>;

/// Why a party did not meet the others; see [`ringloop_sync::BarrierError`].
#[doc(alias = "BrokenBarrierError")]
pub type BarrierError = ringloop_sync::BarrierError<Cancelled>;
