//! The locks, queues and channels, on hosts with and without cancellation.

#![cfg(not(loom))]

mod condvar;
mod event;
mod broadcast;
mod mutex;
mod once_cell;
mod notify;
mod rw_lock;
mod semaphore;
mod shared_mutex;
mod support;
mod wakers;
mod watch;
mod test_host;
