//! The types without a host.

use crate::host::AnyExecutor;
use crate::hosted;

/// [`hosted::CapacityLimiter`] on [`AnyExecutor`].
pub type CapacityLimiter = hosted::CapacityLimiter<AnyExecutor>;

/// [`hosted::Barrier`] on [`AnyExecutor`].
pub type Barrier = hosted::Barrier<AnyExecutor>;

/// [`hosted::Condvar`] on [`AnyExecutor`].
pub type Condvar = hosted::Condvar<AnyExecutor>;

/// [`hosted::Event`] on [`AnyExecutor`].
pub type Event = hosted::Event<AnyExecutor>;

/// [`hosted::LifoQueue`] on [`AnyExecutor`].
pub type LifoQueue<T> = hosted::LifoQueue<T, AnyExecutor>;

/// [`hosted::Mutex`] on [`AnyExecutor`].
pub type Mutex<T> = hosted::Mutex<T, AnyExecutor>;

/// [`hosted::Notify`] on [`AnyExecutor`].
pub type Notify = hosted::Notify<AnyExecutor>;

/// [`hosted::OnceCell`] on [`AnyExecutor`].
pub type OnceCell<T> = hosted::OnceCell<T, AnyExecutor>;

/// [`hosted::OwnedPermit`] on [`AnyExecutor`].
pub type OwnedPermit = hosted::OwnedPermit<AnyExecutor>;

/// [`hosted::PriorityQueue`] on [`AnyExecutor`].
pub type PriorityQueue<T> = hosted::PriorityQueue<T, AnyExecutor>;

/// [`hosted::Queue`] on [`AnyExecutor`].
pub type Queue<T> = hosted::Queue<T, AnyExecutor>;

/// [`hosted::RwLock`] on [`AnyExecutor`].
pub type RwLock<T> = hosted::RwLock<T, AnyExecutor>;

/// [`hosted::Semaphore`] on [`AnyExecutor`].
pub type Semaphore = hosted::Semaphore<AnyExecutor>;
