//! Walls between foreign code and ours: panics that stop here, and locks that foreign code cannot poison.
//!
//! A job's values, results and wakers belong to others and may panic when they are used or
//! dropped. A worker survives all of it.

use std::any::Any;
use std::mem;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What a panic carries.
pub(crate) type Payload = Box<dyn Any + Send>;

/// Calls `f` and returns the payload if it panics.
///
/// Whatever `f` captured is consumed by the call, so a broken value cannot be seen afterwards.
pub(crate) fn catch<R>(f: impl FnOnce() -> R) -> Result<R, Payload> {
    panic::catch_unwind(AssertUnwindSafe(f))
}

/// Drops a value that nobody waits for; a panic of its destructor goes no further than the panic
/// hook.
pub(crate) fn drop_quietly<V>(value: V) {
    let Err(payload) = catch(move || drop(value)) else {
        return;
    };
    // A payload is foreign, too, and may panic as well.
    if let Err(payload) = catch(move || drop(payload)) {
        forget(payload);
    }
}

/// Locks a mutex under which no foreign code runs, so that poison means nothing.
pub(crate) fn lock<V>(mutex: &Mutex<V>) -> MutexGuard<'_, V> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[expect(
    clippy::mem_forget,
    reason = "the payload of a payload's panic: leaking it is the only way that surely ends"
)]
fn forget(payload: Payload) {
    mem::forget(payload);
}

#[cfg(test)]
mod tests;
