//! Locks, queues and channels, for the tasks of a runtime.
//!
//! The types of the crate `ringloop-sync`, whose waits here are those of tasks: they say
//! [`Cancelled`](crate::Cancelled) in a cancelled scope, and they take turns with others even where
//! nothing has to be waited for. What is promised of all of them (first come, first served; handed
//! over; nothing stranded, nothing lost) is on the page of [`ringloop_sync`].
//!
//! | to | there is | between threads |
//! |---|---|---|
//! | change something across an `.await`, one task at a time | [`Mutex`] | [`shared::Mutex`] |
//! | let many read it, or one write it | [`RwLock`] | |
//! | wait until what a mutex protects is as you want it | [`Condvar`] | |
//! | make something once, when it is first needed | [`OnceCell`] | |
//! | do so many things at a time | [`Semaphore`] | [`shared::Semaphore`] |
//! | the same, with a limit that changes and that knows who has what | [`CapacityLimiter`] | |
//! | say once, to all, that something is so | [`Event`] | [`shared::Event`] |
//! | say to one who waits that something has changed | [`Notify`] | |
//! | wait for each other | [`Barrier`] | |
//! | give work to workers, and know when it is done | [`Queue`], [`LifoQueue`], [`PriorityQueue`] | |
//! | send items that one of the receivers gets | [`channel`](channel()) | [`shared::channel`] |
//! | send items that all receivers get | [`broadcast`] | |
//! | have all see the latest value | [`watch`] | |
//! | send one value, once | [`oneshot`] | [`remote_postbox`](crate::future::remote_postbox) |
//!
//! What changes only between two `.await`s needs none of these: on one thread, a
//! [`Cell`](std::cell::Cell) or [`RefCell`](std::cell::RefCell) will do. Tasks share a type of this
//! module by reference or in an [`Rc`](std::rc::Rc), one of [`shared`] in an
//! [`Arc`](std::sync::Arc) or a `static`; the ends of channels are cloned. Where the compiler says
//! that a `Cell` or an `Rc` in one of these types cannot go to another thread, the remedy is in
//! [`shared`].
//!
//! # Errors
//!
//! A wait that fails only because it is cancelled gives `Result<_, Cancelled>`. Others have an error
//! of their own, with the item in it if there is one; `?` turns all of them into an
//! [`io::Error`](std::io::Error), of which [`is_cancelled`](crate::cancel::is_cancelled) still knows
//! what it was. For loops there is `next`, whose `None` is the end:
//! `while let Some(item) = receiver.next().await?`. A `while let Ok(item) = receiver.recv().await`
//! takes a cancellation for the end.
//!
//! In messages of the compiler, these types have their names at home: `Mutex<T>` is a
//! [`hosted::Mutex<T, TaskHost>`](ringloop_sync::hosted::Mutex). What a type can do is on that page;
//! its examples run on any executor, where a wait gives its value as it is and not a `Result`.
//!
//! # Examples
//!
//! Workers that look at pages, three at a time, and find others:
//!
//! ```
//! use ringloop::sync::{Queue, Semaphore};
//! use ringloop::{group, sleep};
//! use std::cell::Cell;
//! use std::io;
//! use std::rc::Rc;
//! use std::time::Duration;
//!
//! async fn fetch(page: u32) -> io::Result<Vec<u32>> {
//!     sleep(Duration::from_millis(1)).await?;
//!     Ok([2 * page, 2 * page + 1].into_iter().filter(|&page| page < 20).collect())
//! }
//!
//! ringloop::run(async {
//!     let pages = Rc::new(Queue::unbounded());
//!     let fetches = Rc::new(Semaphore::new(3));
//!     let seen = Rc::new(Cell::new(0));
//!     group(async |g| {
//!         for _ in 0..5 {
//!             let (pages, fetches, seen) = (pages.clone(), fetches.clone(), seen.clone());
//!             g.spawn(async move {
//!                 while let Some(page) = pages.next_job().await? {
//!                     let permit = fetches.acquire().await?;
//!                     let found = fetch(*page).await?;
//!                     drop(permit);
//!                     seen.set(seen.get() + 1);
//!                     for page in found {
//!                         pages.put(page).await?;
//!                     }
//!                 } // The job is done here.
//!                 Ok(())
//!             });
//!         }
//!         pages.put(1).await?;
//!         pages.join().await?; // All pages are done, and so nobody will find another one.
//!         pages.close();
//!         Ok::<(), io::Error>(())
//!     })
//!     .await?;
//!     assert_eq!(seen.get(), 19);
//!     Ok::<(), io::Error>(())
//! })??;
//! # Ok::<(), io::Error>(())
//! ```

mod task_host;

mod counts;
mod locks;
mod queues;

pub mod broadcast;
pub mod shared;
pub mod watch;

pub use counts::{
    AcquireTokenError, Barrier, BarrierError, CapacityLimiter, Event, Notify, OwnedPermit,
    Semaphore,
};
pub use locks::{Condvar, Mutex, OnceCell, RwLock};
pub use queues::{
    GetError, LifoQueue, PriorityQueue, PutError, Queue, Receiver, RecvError, SendError, Sender,
    channel, unbounded_channel,
};
#[doc(inline)]
pub use ringloop_core::{Abandoned, Postbox, Setter, postbox as oneshot};
pub use ringloop_sync::{
    BarrierState, BarrierStatistics, BarrierTurn, Borrower, CapacityLimiterStatistics,
    CapacityToken, ChannelStatistics, CondvarStatistics, EventStatistics, Job, MutexGuard,
    MutexStatistics, NotifyStatistics, OnceCellStatistics, OverRelease, Permit, QueueStatistics,
    RwLockReadGuard, RwLockStatistics, RwLockWriteGuard, SemaphoreStatistics, TryAcquireTokenError,
    TryGetError, TryPutError, TryRecvError, TrySendError,
};
pub use task_host::TaskHost;
