//! The locks, queues and channels, on hosts with and without cancellation.

#![cfg(not(loom))]

mod allocation;
mod auto_traits;
mod barrier;
mod broadcast;
mod capacity_limiter;
mod channel;
mod condvar;
mod deadlock;
mod event;
mod io_errors;
mod items;
mod mutex;
mod notify;
mod once_cell;
mod queue;
mod rw_lock;
mod semaphore;
mod shared_channel;
mod shared_event;
mod shared_mutex;
mod shared_semaphore;
mod shared_wakers;
mod support;
mod test_host;
mod waker_panics;
mod wakers;
mod watch;
