//! Tasks: spawning, awaiting, looking at them.
//!
//! A task is one allocation: a small header, followed by its future, which its output replaces in
//! place. It is polled and dropped on one thread only, its *home*, while its wakers may be on any.
//! "At home" means more than that thread: the task's scheduler runs there at the moment. Where it
//! does not, everybody counts as another thread, which is always right and only slower.
//!
//! References are counted where they are made and given back: at home in a plain cell, elsewhere
//! as a signed difference in an atomic word. Their sum is the number of references. Only the home
//! thread frees a task, because only it knows both; other threads hand the task to it over a
//! lock-free stack, with what they want to say in the word (see the `word` module for its
//! states). When the scheduler goes, it adds its own count to the word, and whoever gives back
//! the last reference frees what is left, on any thread.
//!
//! # Invariants
//!
//! * **I1** A task lives while it is not done, running, in the ready queue, queued on the remote
//!   stack, or referred to (the counts of home and word together are not zero). The home thread
//!   frees it when none of these holds; after the orphaning, whoever takes the count to zero does.
//! * **I2** Threads other than home use the header's `vtable`, `gate`, `word` and `link` and
//!   nothing else, before and after the orphaning. The first two are never written.
//! * **I3** The future or output is used by whoever set `RUNNING` (poll, drop), or cleared
//!   `OUTPUT` (take), on the home thread. `OUTPUT` is set only when the output is in place, and
//!   then `DONE` is set too; a future is present exactly while `DONE` is not set, except inside the
//!   poll or drop that ends it.
//! * **I4** The future is never moved: it is dropped in its cell.
//! * **I5** `gate` is good while the task lives: the scheduler keeps it until every task is freed
//!   or orphaned, and an orphan holds a count of its own. So no two schedulers that a task could
//!   meet have the same gate address.
//! * **I6** Whoever sets `QUEUED` pushes the task, once; it is cleared at the pop only. A scheduler
//!   that goes waits for the pop of what is queued.
//! * **I7** Only done tasks are orphaned. An orphan is inert: no future, no wakers. Its output, if
//!   it has one, belongs to the join handle, which is on the home thread and holds a reference.
//! * **I8** The main task points to a future on the stack of `block_on`, and ends before it returns.

mod budget;
mod cell;
mod eager;
mod edge;
mod error;
mod graph;
mod header;
mod id;
mod join;
mod local_refs;
mod on_done;
mod pointer;
mod reference;
mod registry;
mod reporting;
mod root;
mod runnable;
mod snapshot;
mod spawn;
mod stack;
mod waker;
mod word;
mod yield_now;

pub use crate::task_local;
pub use budget::{Budget, ConsumeBudget, POLL_BUDGET, consume_budget, poll_budget, spend_budget};
pub use eager::{EAGER_DEPTH_MAX, spawn_eager};
pub use error::JoinError;
pub use graph::{TaskGraph, TaskNode, graph};
pub use id::TaskId;
pub use join::{JoinHandle, Wait};
pub use on_done::CallbackId;
pub use reference::{TaskRef, TaskState, all_tasks, current};
pub use reporting::spawn_reporting;
pub use snapshot::TaskSnapshot;
pub use spawn::{Builder, spawn};
pub use yield_now::{Checkpoint, YieldNow, checkpoint, yield_now};

pub use crate::combine::{
    AsCompleted, Gather, NextCompleted, Scope, ScopedJoinHandle, WaitSome, When, as_completed,
    gather, scope, wait,
};

pub(crate) use budget::{PollCounts, poll_spend, try_spend};
pub(crate) use cell::Body;
pub(crate) use edge::{Edges, Hub, Hubs};
pub(crate) use error::panic_message;
pub(crate) use header::{Header, Turn};
pub(crate) use id::TaskIds;
pub(crate) use pointer::{TaskPtr, wake_contained};
pub(crate) use reference::{
    id_of, is_main, is_requested, is_scheduled, is_waker_of, locals_of, requested, set_parked_at,
};
pub(crate) use registry::Registry;
pub(crate) use root::with_root;
pub(crate) use runnable::Runnable;
pub(crate) use spawn::{make_call, spawn_at};
pub(crate) use stack::RemoteStack;

#[cfg(test)]
mod tests;
