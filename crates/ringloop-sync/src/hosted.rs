//! The same types, for the host of one's choice.
//!
//! Runtimes with cancellation use these; see [`Host`](crate::Host).

pub use crate::barrier::{Barrier, BarrierWait};
pub use crate::capacity_limiter::{AcquireToken, AcquireTokenFor, CapacityLimiter};
pub use crate::channel::{Receiver, Recv, RecvNext, SendItem, Sender, channel, unbounded_channel};
pub use crate::condvar::{Condvar, CondvarWait, CondvarWaitWhile};
pub use crate::event::{Event, EventWait};
pub use crate::mutex::{Lock, Mutex};
pub use crate::notify::{Notified, Notify};
pub use crate::once_cell::{OnceCell, OnceCellWait};
pub use crate::queue::{
    Buffer, Get, GetJob, GetNext, GetNextJob, Heap, JoinQueue, LifoQueue, PriorityQueue, Put, Queue,
};
pub use crate::rw_lock::{ReadLock, RwLock, WriteLock};
pub use crate::semaphore::{Acquire, AcquireOwned, OwnedPermit, Semaphore};

/// Every item, for all who listen.
pub mod broadcast {
    pub use crate::broadcast::generic::{Next, Receiver, Recv, Sender, channel};
}

/// The latest value, for all who want to know of it.
pub mod watch {
    pub use crate::watch::generic::{Changed, Closed, Receiver, Sender, WaitFor, channel};
}
