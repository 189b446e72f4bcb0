//! Locks and channels between threads: between loops, and between a loop and plain threads.
//!
//! The same rules as for the types of one thread: first come, first served; what is given up belongs
//! to the first who waits at once; a waiter that goes after it was granted something passes it on.
//! All of them are `Send` and `Sync`, and with [`AnyExecutor`] their futures are `Send`.
//!
//! Each wait has a twin that blocks a plain thread ([`Mutex::blocking_lock`] and so on), which
//! stands in the same line as the tasks do, and one with a timeout. On the thread of an event loop
//! they would stop the loop, perhaps for ever: await there.
//!
//! | file | what it has |
//! |---|---|
//! | `wait_list` | those who wait, behind a lock |
//! | `wait` | one wait, under a host |
//! | `block` | the wait of a plain thread |
//! | `mutex` | a lock around a value |
//!
//! [`Mutex::blocking_lock`]: hosted::Mutex::blocking_lock

mod block;
mod wait;
mod wait_list;

mod mutex;

#[cfg(all(test, loom))]
mod tests;

pub mod hosted;

pub use mutex::MutexGuard;

use crate::host::AnyExecutor;

/// [`hosted::Mutex`] on [`AnyExecutor`].
pub type Mutex<T> = hosted::Mutex<T, AnyExecutor>;
