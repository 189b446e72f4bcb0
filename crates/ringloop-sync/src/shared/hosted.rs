//! The same types, for the host of one's choice.
//!
//! Runtimes with cancellation use these; see [`Host`](crate::Host).

pub use super::channel::{Receiver, Recv, RecvNext, SendItem, Sender, channel, unbounded_channel};
pub use super::event::{Event, EventWait};
pub use super::mutex::{Lock, Mutex};
pub use super::semaphore::{Acquire, AcquireOwned, OwnedPermit, Semaphore};
