//! What loom has to see: the locks and atomics of `std`, or its own under `cfg(loom)`.

#[cfg(loom)]
pub(crate) use loom::sync::{
    Mutex, MutexGuard,
    atomic::{AtomicBool, AtomicPtr, AtomicU64, Ordering},
};
#[cfg(not(loom))]
pub(crate) use std::sync::{
    Mutex, MutexGuard,
    atomic::{AtomicBool, AtomicPtr, AtomicU64, Ordering},
};

#[cfg(loom)]
pub(crate) use loom::thread::yield_now;
#[cfg(not(loom))]
pub(crate) use std::thread::yield_now;

/// A part of an allocation that has to be freed; loom objects if it is not.
#[cfg(loom)]
pub(crate) type Tracked = loom::alloc::Track<()>;
/// A part of an allocation that has to be freed; nothing outside of loom.
#[cfg(not(loom))]
#[derive(Debug)]
pub(crate) struct Tracked;

#[cfg(not(loom))]
impl Tracked {
    pub(crate) fn new((): ()) -> Self {
        Self
    }
}

/// Declares a thread-local variable that has no destructor and is initialized at compile time,
/// where `std` provides it.
macro_rules! plain_thread_local {
    (static $name:ident: $type:ty = $value:expr;) => {
        #[cfg(not(loom))]
        ::std::thread_local! { static $name: $type = const { $value }; }
        #[cfg(loom)]
        ::loom::thread_local! { static $name: $type = $value; }
    };
}

pub(crate) use plain_thread_local;
