//! Tasks that are polled in the call that spawns them.

use super::cell::Body;
use super::header::HANDLE;
use super::join::JoinHandle;
use super::reference::TaskRef;
use super::spawn::{self, Builder, Origin};
use crate::home::{Home, Phase};
use crate::observe::Watch;

/// Starts a task and polls it once, inside this call. A task that ends in that poll never touches
/// the ready queue, and its handle is ready at once.
///
/// In everything else it is a task like others: [`current`](super::current) is the new task during
/// the poll and the spawner afterwards, scopes of the spawner do not reach into it, and its panic
/// is its handle's. What the order of events is worth: the first part of the task runs *before* the
/// rest of the spawner. Eager spawns nest [`EAGER_DEPTH_MAX`] deep, because they use the stack; a
/// deeper one is queued as by [`spawn`](super::spawn()), and so is one during a shutdown. Counterpart:
/// `asyncio.eager_task_factory`, `create_task(eager_start=True)`.
///
/// # Panics
///
/// Outside of a running loop.
///
/// # Cancel safety
///
/// Nothing to cancel: the function does not wait.
///
/// # Examples
///
/// ```
/// use ringloop_core::ThreadDriver;
/// use ringloop_task::{Scheduler, task};
///
/// Scheduler::new(ThreadDriver::new()).block_on(async {
///     let cached = task::spawn_eager(async { 42 });
///     assert!(cached.is_finished());
///     assert_eq!(cached.await.unwrap(), 42);
/// });
/// ```
#[doc(alias("eager_task_factory", "eager_start", "spawn_immediate"))]
#[track_caller]
pub fn spawn_eager<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + 'static,
    F::Output: 'static,
{
    Builder::new().eager(true).spawn(future)
}

/// How deep eager spawns nest: so many polls, one inside the other, on the stack of one turn.
pub const EAGER_DEPTH_MAX: u32 = 64;

/// Makes a task and polls it once, or puts it into the ready queue if that cannot be. The reference
/// that is returned is the handle's.
pub(super) fn start<F: Body>(home: &Home, origin: Origin, future: F) -> TaskRef {
    let depth = home.eager_depth.get();
    if depth >= EAGER_DEPTH_MAX || home.phase.get() != Phase::Open {
        return spawn::enqueue(home, origin, future);
    }
    let task = spawn::make(home, origin, HANDLE, future);
    home.eager_depth.set(depth + 1);
    match &home.watch {
        None => task.0.run_inside(home),
        Some(watch) => run_watched(home, watch, &task),
    }
    home.eager_depth.set(depth);
    let polls = &home.counters.polls;
    polls.set(polls.get() + 1);
    task
}

#[cold]
fn run_watched(home: &Home, watch: &Watch, task: &TaskRef) {
    watch.spawned(home, task);
    watch.poll(home, task, || {
        // Whoever was told of the task may have ended it.
        if !task.is_ending() {
            task.0.run_inside(home);
        }
    });
}
