//! Locks, queues and channels, for the tasks of a runtime.
//!
//! The types of the crate `ringloop-sync`, whose waits here are those of tasks: they say
//! [`Cancelled`](crate::Cancelled) in a cancelled scope, and they take turns with others even where
//! nothing has to be waited for.

mod task_host;

mod counts;
mod locks;
mod queues;

pub mod broadcast;
pub mod shared;
pub mod watch;

pub use counts::{Barrier, CapacityLimiter, Event, Notify, OwnedPermit, Semaphore};
pub use locks::{Condvar, Mutex, OnceCell, RwLock};
pub use queues::{
    GetError, LifoQueue, PriorityQueue, PutError, Queue, Receiver, RecvError, SendError, Sender,
    channel, unbounded_channel,
};
#[doc(inline)]
pub use ringloop_core::{Abandoned, Postbox, Setter, postbox as oneshot};
pub use ringloop_sync::{
    AcquireTokenError, BarrierError, BarrierState, BarrierStatistics, BarrierTurn, Borrower,
    CapacityLimiterStatistics, CapacityToken, ChannelStatistics, CondvarStatistics,
    EventStatistics, Job, MutexGuard, MutexStatistics, NotifyStatistics, OnceCellStatistics,
    OverRelease, Permit, QueueStatistics, RwLockReadGuard, RwLockStatistics, RwLockWriteGuard,
    SemaphoreStatistics, TryAcquireTokenError, TryGetError, TryPutError, TryRecvError,
    TrySendError,
};
pub use task_host::TaskHost;
