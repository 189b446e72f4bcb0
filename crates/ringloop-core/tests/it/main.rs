//! What the crate does, seen from outside.

#![cfg(not(loom))]
#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod allocation;
mod atomic_waker;
mod auto_traits;
mod block_on;
mod callbacks;
mod future;
mod future_macros;
mod kinds;
mod panics;
mod postbox;
mod readers;
mod types;
mod wait_list;
mod wakers;
