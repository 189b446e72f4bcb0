//! Where borrows go into a scope, and where it ends.
//!
//! The team of a scope outlives it, since helpers hold it, and so its types say `'static` where
//! something is borrowed. What makes that right is that the scope does not return before the team
//! has let go of all of it.
//!
//! # Invariants
//!
//! - I1: [`scope`] calls [`Team::finish`] on every way out, after the body has returned or panicked
//!   and before anything that is borrowed can go; should `finish` itself panic, the process ends.
//! - I2: when `finish` has returned, no closure of the scope is left or running, in the team or
//!   with a helper: T1 to T3 of [`team`](super::team). A reference to an errand that is left then
//!   belongs to a [`ScopedJob`] that was forgotten, and is never dropped; no other can be left,
//!   because the lifetime `'scope` is over and invariant: a `ScopedJob` cannot have left the body
//!   or the errands. So the result in it is not touched.
//! - I3: the executor is called only before `finish` returns: T4.
#![expect(
    unsafe_code,
    reason = "closures that borrow go to threads that know no lifetimes"
)]

use std::fmt;
use std::marker::PhantomData;
use std::mem;
use std::panic::{Location, resume_unwind};
use std::process;
use std::sync::Arc;

use crate::contain::{catch, drop_quietly};
use crate::executor::Executor;

use super::errand::{Cell, Errand};
use super::scoped_job::ScopedJob;
use super::team::Team;

/// Runs closures that borrow on `executor`, and returns when all of them have ended.
///
/// `f` gets the [`Scope`] in which it can [`spawn`](Scope::spawn) them. They may borrow what
/// outlives the call, may spawn more, and have all ended when `scope` returns, whatever was
/// leaked or forgotten meanwhile. The result is that of `f`.
///
/// This blocks, as `std::thread::scope` does, and for the same reason: a future could be forgotten
/// while its closures run, and what they borrow would go. It is meant for use in a job. **On the
/// thread of an event loop it blocks the loop**; offload a job and call it there.
///
/// The thread that waits runs the scope's closures that are still queued. So a scope ends on any
/// executor: on a pool of one thread, on the pool on whose last free thread it is called, and on
/// one that refuses all jobs, drops them or keeps them for ever. It also means that nothing is sure
/// to run at the same time as something else. Closures may [`join`](ScopedJob::join) each other, in
/// the order in which they were spawned; if they wait for each other by other means, such as a
/// barrier, the executor has to have as many threads.
///
/// The executor gets jobs that help with the queue, one after another as long as something is
/// queued, and not a job for each closure: that is what its statistics count.
///
/// In the closures, [`Interrupt::current`](crate::Interrupt::current) is that of the job which
/// called `scope`.
///
/// Counterpart: `std::thread::scope`.
///
/// # Panics
///
/// With the payload of `f`, if it panics, or else with that of the first closure that panicked and
/// was not joined; in both cases after all closures have ended. An executor that panics counts as
/// one that refuses.
///
/// # Cancel safety
///
/// Nothing to cancel: the function blocks; it is no future.
///
/// # Examples
///
/// ```
/// use ringloop_offload::{CpuPool, scope};
///
/// let pool = CpuPool::new();
/// let text = String::from("one two three");
/// let mut longest = 0;
/// let words = scope(&pool, |s| {
///     s.spawn(|| longest = text.split(' ').map(str::len).max().unwrap_or(0));
///     s.spawn(|| text.split(' ').count()).join()
/// })?;
/// assert_eq!((words, longest), (3, 5));
/// # Ok::<(), ringloop_offload::OffloadError>(())
/// ```
///
/// A closure cannot borrow what goes before the scope ends:
///
/// ```compile_fail,E0597
/// use ringloop_offload::{CpuPool, scope};
///
/// scope(&CpuPool::new(), |s| {
///     let text = String::from("it lives in the body");
///     let borrowed = &text;
///     s.spawn(move || borrowed.len());
/// });
/// ```
///
/// nor can what it borrows change meanwhile:
///
/// ```compile_fail,E0506
/// use ringloop_offload::{CpuPool, scope};
///
/// let mut count = 1;
/// scope(&CpuPool::new(), |s| {
///     s.spawn(|| count + 1);
///     count = 2;
/// });
/// ```
///
/// and neither handles nor the scope leave it:
///
/// ```compile_fail
/// use ringloop_offload::{CpuPool, scope};
///
/// let leaked = scope(&CpuPool::new(), |s| s.spawn(|| 1));
/// ```
///
/// ```compile_fail,E0521
/// use ringloop_offload::{CpuPool, Scope, ScopedJob, scope};
///
/// let mut outside: Option<ScopedJob<'_, i32>> = None;
/// scope(&CpuPool::new(), |s| outside = Some(s.spawn(|| 1)));
/// ```
///
/// ```compile_fail,E0277
/// use ringloop_offload::{CpuPool, scope};
///
/// let not_send = std::rc::Rc::new(1);
/// scope(&CpuPool::new(), |s| {
///     s.spawn(move || not_send);
/// });
/// ```
#[track_caller]
pub fn scope<'env, E, F, T>(executor: &E, f: F) -> T
where
    E: Executor + ?Sized,
    F: for<'scope> FnOnce(&'scope Scope<'scope, 'env>) -> T,
{
    let executor: &dyn Executor = &executor;
    // SAFETY: the team drops it in `finish`, before this function returns: I1, I3.
    let executor = unsafe { mem::transmute::<&dyn Executor, &'static dyn Executor>(executor) };
    let scope = Scope {
        team: Team::new(executor, Location::caller()),
        scope: PhantomData,
        env: PhantomData,
    };
    let result = catch(|| f(&scope));
    let Ok(panic) = catch(|| scope.team.finish()) else {
        // I1: there is no way to return, and nothing to return to.
        process::abort();
    };
    match (result, panic) {
        (Ok(value), None) => value,
        (Ok(value), Some(payload)) => {
            drop_quietly(value);
            resume_unwind(payload)
        }
        (Err(payload), other) => {
            drop_quietly(other);
            resume_unwind(payload)
        }
    }
}

/// Where closures that borrow are spawned. See [`scope`].
///
/// The lifetimes are those of `std::thread::Scope`: `'scope` is that of the scope and of the
/// closures in it, `'env` that of what they borrow from outside.
///
/// Counterpart: `std::thread::Scope`.
pub struct Scope<'scope, 'env: 'scope> {
    team: Arc<Team>,
    // Invariant: neither shorter nor longer lifetimes will do. I2.
    scope: PhantomData<&'scope mut &'scope ()>,
    env: PhantomData<&'env mut &'env ()>,
}

impl<'scope> Scope<'scope, '_> {
    /// Queues a closure, to be run by the executor or by a thread that waits.
    ///
    /// Closures are begun in the order in which they are spawned, except those that are joined
    /// before that.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait, unless the executor does.
    ///
    /// # Examples
    ///
    /// Closures that spawn more, on a pool of one thread:
    ///
    /// ```
    /// use ringloop_offload::{CpuPool, Scope, scope};
    /// use std::sync::atomic::{AtomicU32, Ordering};
    ///
    /// fn count<'scope>(s: &'scope Scope<'scope, '_>, depth: u32, leaves: &'scope AtomicU32) {
    ///     if depth == 0 {
    ///         leaves.fetch_add(1, Ordering::Relaxed);
    ///         return;
    ///     }
    ///     s.spawn(move || count(s, depth - 1, leaves));
    ///     s.spawn(move || count(s, depth - 1, leaves));
    /// }
    ///
    /// let leaves = AtomicU32::new(0);
    /// scope(&CpuPool::with_threads(1), |s| count(s, 5, &leaves));
    /// assert_eq!(leaves.into_inner(), 32);
    /// ```
    pub fn spawn<F, T>(&'scope self, f: F) -> ScopedJob<'scope, T>
    where
        F: FnOnce() -> T + Send + 'scope,
        T: Send + 'scope,
    {
        let cell = Arc::new(Cell::new(f));
        let errand: Arc<dyn Errand + 'scope> = Arc::clone(&cell) as _;
        // SAFETY: the closure and its result are gone, or are never touched again, when the scope
        // returns, and with it `'scope` goes: I1, I2.
        let errand = unsafe { mem::transmute::<Arc<dyn Errand + 'scope>, Arc<dyn Errand>>(errand) };
        let number = self.team.add(errand);
        ScopedJob::new(number, cell, &self.team)
    }
}

impl fmt::Debug for Scope<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope").finish_non_exhaustive()
    }
}
