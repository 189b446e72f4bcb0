//! Locks, queues and channels for async tasks.
//!
//! They wake tasks through their [`Waker`](std::task::Waker) and know nothing of the executor, so
//! they work on every one.

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
