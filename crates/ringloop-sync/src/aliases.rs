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

/// [`hosted::Receiver`] on [`AnyExecutor`].
pub type Receiver<T> = hosted::Receiver<T, AnyExecutor>;

/// [`hosted::RwLock`] on [`AnyExecutor`].
pub type RwLock<T> = hosted::RwLock<T, AnyExecutor>;

/// [`hosted::Semaphore`] on [`AnyExecutor`].
pub type Semaphore = hosted::Semaphore<AnyExecutor>;

/// [`hosted::Sender`] on [`AnyExecutor`].
pub type Sender<T> = hosted::Sender<T, AnyExecutor>;

/// [`hosted::channel`] on [`AnyExecutor`].
pub fn channel<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    hosted::channel(capacity)
}

/// [`hosted::unbounded_channel`] on [`AnyExecutor`].
pub fn unbounded_channel<T>() -> (Sender<T>, Receiver<T>) {
    hosted::unbounded_channel()
}
