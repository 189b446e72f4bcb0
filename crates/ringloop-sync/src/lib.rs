//! Locks, queues and channels for async tasks.
//!
//! They wake tasks through their [`Waker`](std::task::Waker) and know nothing of the executor, so
//! they work on every one.

#![deny(unsafe_code)]

mod host;
mod wait;

mod event;
mod mutex;
mod notify;
mod rw_lock;
mod semaphore;

mod condvar;
mod once_cell;

pub mod broadcast;
pub mod hosted;
pub mod watch;
pub mod shared;

mod loom;

pub use condvar::CondvarStatistics;
pub use event::EventStatistics;
pub use host::{AnyExecutor, Host};
pub use mutex::{MutexGuard, MutexStatistics};
pub use once_cell::OnceCellStatistics;
pub use notify::NotifyStatistics;
pub use rw_lock::{RwLockReadGuard, RwLockStatistics, RwLockWriteGuard};
pub use semaphore::{OverRelease, Permit, SemaphoreStatistics};

/// [`hosted::Event`] on [`AnyExecutor`].
pub type Event = hosted::Event<AnyExecutor>;

/// [`hosted::Mutex`] on [`AnyExecutor`].
pub type Mutex<T> = hosted::Mutex<T, AnyExecutor>;

/// [`hosted::Notify`] on [`AnyExecutor`].
pub type Notify = hosted::Notify<AnyExecutor>;

/// [`hosted::RwLock`] on [`AnyExecutor`].
pub type RwLock<T> = hosted::RwLock<T, AnyExecutor>;

/// [`hosted::Condvar`] on [`AnyExecutor`].
pub type Condvar = hosted::Condvar<AnyExecutor>;

/// [`hosted::OnceCell`] on [`AnyExecutor`].
pub type OnceCell<T> = hosted::OnceCell<T, AnyExecutor>;
/// [`hosted::Semaphore`] on [`AnyExecutor`].
pub type Semaphore = hosted::Semaphore<AnyExecutor>;

/// [`hosted::OwnedPermit`] on [`AnyExecutor`].
pub type OwnedPermit = hosted::OwnedPermit<AnyExecutor>;
