//! Locks, queues and channels for async tasks.
//!
//! They wake tasks through their [`Waker`](std::task::Waker) and know nothing of the executor, so
//! they work on every one.

#![deny(unsafe_code)]

mod host;
mod wait;

mod mutex;

pub mod hosted;

pub use host::{AnyExecutor, Host};
pub use mutex::{MutexGuard, MutexStatistics};

/// [`hosted::Mutex`] on [`AnyExecutor`].
pub type Mutex<T> = hosted::Mutex<T, AnyExecutor>;
