//! Locks, queues and channels for async tasks.
//!
//! They wake tasks through their [`Waker`](std::task::Waker) and know nothing of the executor, so
//! they work on every one.

#![deny(unsafe_code)]

mod host;
mod wait;

mod mutex;
mod rw_lock;

pub mod hosted;
pub mod watch;

pub use host::{AnyExecutor, Host};
pub use mutex::{MutexGuard, MutexStatistics};
pub use rw_lock::{RwLockReadGuard, RwLockStatistics, RwLockWriteGuard};

/// [`hosted::Mutex`] on [`AnyExecutor`].
pub type Mutex<T> = hosted::Mutex<T, AnyExecutor>;

/// [`hosted::RwLock`] on [`AnyExecutor`].
pub type RwLock<T> = hosted::RwLock<T, AnyExecutor>;
