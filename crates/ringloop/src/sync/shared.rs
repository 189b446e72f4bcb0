//! Locks and channels between loops, and between a loop and plain threads.
//!
//! The types of `ringloop_sync::shared`, whose waits are those of tasks. Their blocking twins are for
//! threads without a runtime: on the thread of a loop they would stop it.

pub use ringloop_sync::shared::MutexGuard;

use super::TaskHost;
use ringloop_sync::shared::hosted;

/// A lock around a value, for tasks of several loops and for plain threads; see [`hosted::Mutex`].
///
/// # Examples
///
/// ```
/// use ringloop::sync::shared::Mutex;
/// use std::sync::Arc;
///
/// let total = Arc::new(Mutex::new(0));
/// let other = Arc::clone(&total);
/// let thread = std::thread::spawn(move || *other.blocking_lock() += 1);
/// let ours = Arc::clone(&total);
/// ringloop::run(async move {
///     *ours.lock().await? += 1;
///     Ok::<(), ringloop::Cancelled>(())
/// })??;
/// thread.join().expect("it does not panic");
/// assert_eq!(*total.blocking_lock(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub type Mutex<T> = hosted::Mutex<T, TaskHost>;
