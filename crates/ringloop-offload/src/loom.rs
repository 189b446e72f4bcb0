//! The locks and atomics of std, or those of loom when the crate is built with `--cfg loom`.
//!
//! Code whose thread interleavings are modelled takes them from here.

#[cfg(loom)]
pub(crate) use ::loom::sync::{Arc, Condvar, Mutex, MutexGuard, atomic};
#[cfg(not(loom))]
pub(crate) use std::sync::{Arc, Condvar, Mutex, MutexGuard, atomic};
