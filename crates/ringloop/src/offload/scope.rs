//! Closures that borrow.

use ringloop_offload::{Executor, Scope};

use super::pools;

/// Runs closures that borrow on the pool for computing work, and returns when all of them have
/// ended.
///
/// For use inside of a job: it blocks, as `std::thread::scope` does, because a future could be
/// forgotten while its closures run. The thread that waits runs closures, too, so a scope ends
/// however busy the pool is. **On the loop's thread it blocks the loop.** In the closures,
/// [`Interrupt::current`](super::Interrupt::current) is that of the job; values of task locals and
/// the [way back](super::remote) stay in the job.
///
/// # Panics
///
/// Outside of a runtime and of what it has offloaded; and with the payload of `f`, or of a closure
/// that was not joined, if one panics.
///
/// # Cancel safety
///
/// Nothing to cancel: the function blocks; it is no future.
///
/// # Examples
///
/// ```
/// use ringloop::offload;
///
/// # ringloop::run(async {
/// let sums = offload(|| {
///     let numbers: Vec<u64> = (1..=100).collect();
///     let (left, right) = numbers.split_at(50);
///     offload::scope(|s| {
///         let left = s.spawn(|| left.iter().sum::<u64>());
///         let right: u64 = right.iter().sum();
///         left.join().map(|left| (left, right))
///     })
/// });
/// assert_eq!(sums.await??, (1275, 3775));
/// # Ok::<(), ringloop::offload::OffloadError>(())
/// # })??;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[track_caller]
pub fn scope<'env, F, T>(f: F) -> T
where
    F: for<'scope> FnOnce(&'scope Scope<'scope, 'env>) -> T,
{
    scope_on(pools::current().cpu(), f)
}

/// Runs closures that borrow on any executor, and returns when all of them have ended.
///
/// As [`scope()`].
///
/// # Panics
///
/// With the payload of `f`, or of a closure that was not joined, if one panics.
///
/// # Cancel safety
///
/// Nothing to cancel: the function blocks; it is no future.
#[track_caller]
pub fn scope_on<'env, E, F, T>(executor: &E, f: F) -> T
where
    E: Executor + ?Sized,
    F: for<'scope> FnOnce(&'scope Scope<'scope, 'env>) -> T,
{
    ringloop_offload::scope(executor, f)
}
