//! The same types, for the host of one's choice.
//!
//! Runtimes with cancellation use these; see [`Host`](crate::Host).

pub use crate::mutex::{Lock, Mutex};
pub use crate::rw_lock::{ReadLock, RwLock, WriteLock};
