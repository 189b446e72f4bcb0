//! Locks, queues and channels for async tasks: fair, handed over, nothing stranded.
//!
//! They wake tasks through their [`Waker`](std::task::Waker) and know nothing of the executor, so
//! they work on every one. Those of one thread use no atomic operation; those in [`shared`] connect
//! loops and plain threads.
//!
//! | to | between tasks of one thread | between threads | counterpart |
//! |---|---|---|---|
//! | change something across an `.await`, one task at a time | [`Mutex`] | [`shared::Mutex`] | `asyncio.Lock` |
//! | let many read it, or one write it | [`RwLock`] | | |
//! | wait until what a mutex protects is as you want it | [`Condvar`] | | `asyncio.Condition` |
//! | make something once, when it is first needed | [`OnceCell`] | | |
//! | do so many things at a time | [`Semaphore`] | [`shared::Semaphore`] | `asyncio.Semaphore`, `asyncio.BoundedSemaphore` |
//! | the same, with a limit that changes and that knows who has what | [`CapacityLimiter`] | | `trio.CapacityLimiter` |
//! | say once, to all, that something is so | [`Event`] | [`shared::Event`] | `asyncio.Event` |
//! | say to one who waits that something has changed | [`Notify`] | | `trio.lowlevel.ParkingLot` |
//! | wait for each other | [`Barrier`] | | `asyncio.Barrier` |
//! | give work to workers, and know when it is done | [`Queue`], [`LifoQueue`], [`PriorityQueue`] | | `asyncio.Queue` and its kin |
//! | send items that one of the receivers gets | [`channel`](channel()) | [`shared::channel`] | `trio.open_memory_channel` |
//! | send items that all receivers get | [`broadcast`] | | |
//! | have all see the latest value | [`watch`] | | |
//! | send one value, once | [`oneshot`] | [`remote_postbox`](ringloop_core::remote_postbox) | `loop.create_future` |
//!
//! Tasks of one thread share a type by reference or in an [`Rc`](std::rc::Rc); those in [`shared`]
//! stand in an [`Arc`](std::sync::Arc) or a `static`; the ends of channels are cloned.
//!
//! # What all of them promise
//!
//! - *First come, first served.* Nobody overtakes those who wait, by `try_` or otherwise, not even
//!   when something is free that the first in line cannot use.
//! - *Hand-over.* What is given up while somebody waits belongs to the first of them at once, before
//!   that task runs.
//! - *Nothing is stranded.* A waiter that is dropped or cancelled after it was granted something
//!   passes it on: a lock, a permit, a notice, an item. Items stay in order whoever goes away.
//! - *Nothing is lost.* An item that could not be sent comes back in the error.
//! - *The value wins.* Who is granted something and cancelled before it runs, has it.
//! - *Foreign code runs outside.* Wakers and destructors of items may use the lock or queue which
//!   they come from.
//! - What need not wait allocates nothing.
//!
//! # Cancellation, and other things that a runtime knows
//!
//! Here a wait ends with what it waits for, or its future is dropped: `mutex.lock().await` is the
//! guard. A runtime whose waits can be cancelled otherwise says so with a [`Host`], the last
//! parameter of the types in [`hosted`]; the names at the root of the crate are those of
//! [`AnyExecutor`]. In the crate `ringloop`, `sync::Mutex` is a `hosted::Mutex` whose lock is a
//! `Result<_, Cancelled>`.
//!
//! # Under tokio, smol and others
//!
//! Tasks that may move from thread to thread take the types in [`shared`], whose futures are `Send`.
//! The others are for tasks that stay: those of tokio's `LocalSet`, of an `async_executor::LocalExecutor`,
//! or the branches of one future. A lock that is free and a queue that has items are there at once, so
//! a task which never has to wait does not let others run: that is for the host to see to, and
//! [`AnyExecutor`] does not.
//!
//! ```
//! use ringloop_sync::shared::{self, Mutex};
//! use std::io;
//! use std::sync::Arc;
//!
//! let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build()?;
//! let total = Arc::new(Mutex::new(0));
//! let (sender, receiver) = shared::channel(4);
//! let workers = [(); 3].map(|()| {
//!     let (receiver, total) = (receiver.clone(), Arc::clone(&total));
//!     runtime.spawn(async move {
//!         while let Some(number) = receiver.next().await {
//!             *total.lock().await += number;
//!         }
//!     })
//! });
//! // A plain thread, such as this one, has ends of its own.
//! for number in 1..=100 {
//!     sender.blocking_send(number)?;
//! }
//! drop(sender);
//! for worker in workers {
//!     runtime.block_on(worker)?;
//! }
//! assert_eq!(*total.blocking_lock(), 5050);
//! # Ok::<(), io::Error>(())
//! ```
//!
//! # Reading order
//!
//! `host` and `wait`, which everything stands on; `mutex/`, the model of all others; then any.
//! `queue/exchange` has the rules of items and reservations that queues and channels share.
//!
//! # Examples
//!
//! A boss and a worker share a queue, on an executor of a few lines:
//!
//! ```
//! use ringloop_sync::Queue;
//! use std::pin::pin;
//! use std::task::{Context, Poll, Waker};
//!
//! let queue = Queue::bounded(2);
//! let boss = async {
//!     for n in 0..6 {
//!         queue.put(n).await.unwrap();
//!     }
//!     queue.join().await; // All that was put is done.
//!     queue.close(); // The worker goes home.
//! };
//! let worker = async {
//!     let mut done = Vec::new();
//!     while let Some(job) = queue.next_job().await {
//!         done.push(*job);
//!     }
//!     done
//! };
//!
//! let (mut boss, mut worker) = (pin!(boss), pin!(worker));
//! let mut cx = Context::from_waker(Waker::noop());
//! let done = loop {
//!     let _is_closed = boss.as_mut().poll(&mut cx);
//!     if let Poll::Ready(done) = worker.as_mut().poll(&mut cx) {
//!         break done;
//!     }
//! };
//! assert_eq!(done, [0, 1, 2, 3, 4, 5]);
//! ```

#![deny(unsafe_code)]

mod host;
mod wait;

mod condvar;
mod mutex;
mod once_cell;
mod rw_lock;

mod barrier;
mod capacity_limiter;
mod event;
mod notify;
mod semaphore;

mod channel;
mod queue;

pub mod broadcast;
pub mod watch;

pub mod shared;

mod aliases;
pub mod deadlock;
pub mod hosted;

mod loom;

pub use aliases::{
    Barrier, CapacityLimiter, Condvar, Event, LifoQueue, Mutex, Notify, OnceCell, OwnedPermit,
    PriorityQueue, Queue, Receiver, RwLock, Semaphore, Sender, channel, unbounded_channel,
};
pub use barrier::{BarrierError, BarrierState, BarrierStatistics, BarrierTurn};
pub use capacity_limiter::{
    AcquireTokenError, Borrower, CapacityLimiterStatistics, CapacityToken, TryAcquireTokenError,
};
pub use channel::{ChannelStatistics, RecvError, SendError, TryRecvError, TrySendError};
pub use condvar::CondvarStatistics;
pub use event::EventStatistics;
pub use host::{AnyExecutor, Host};
pub use mutex::{MutexGuard, MutexStatistics};
pub use notify::NotifyStatistics;
pub use once_cell::OnceCellStatistics;
pub use queue::{GetError, Job, PutError, QueueStatistics, TryGetError, TryPutError};
#[doc(inline)]
pub use ringloop_core::{Abandoned, Postbox, Setter, postbox as oneshot};
pub use rw_lock::{RwLockReadGuard, RwLockStatistics, RwLockWriteGuard};
pub use semaphore::{OverRelease, Permit, SemaphoreStatistics};
