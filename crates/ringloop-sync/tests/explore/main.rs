//! Every interleaving of a few tasks that use one lock, queue or channel, with every cancellation
//! and every drop, against a small model of what has to happen.
//!
//! | file | what it has |
//! |---|---|
//! | `crew` | the tasks of one schedule, and the wakers that call them |
//! | `model` | what a model says, and the ledger that compares it with what happens |
//! | `explorer` | scenarios, and the walk over all their schedules |
//! | `items` | the model that queues and channels have in common |
//!
//! The other files are one each for a type: its operations, its model, its scenarios.
//!
//! AddressSanitizer has nothing to find here that it does not find in `it`, and takes minutes for it.

#![cfg(not(any(loom, asan)))]

mod crew;
mod explorer;
mod items;
mod model;
#[path = "../it/test_host.rs"]
mod test_host;

mod barrier;
mod broadcast;
mod capacity_limiter;
mod channel;
mod condvar;
mod deadlock;
mod event;
mod mutex;
mod notify;
mod once_cell;
mod queue;
mod rw_lock;
mod semaphore;
mod shared;
mod shared_channel;
mod watch;
