//! Queues: order, hand-off, ends, and what becomes of an item whose getter or putter is gone.

mod clones;
mod close;
mod errors;
mod join;
mod order;
mod panics;
mod waiters;
mod wakers;

use ringloop_sync::hosted;

use crate::test_host::TestHost;

type Queue<T> = hosted::Queue<T, TestHost>;
type LifoQueue<T> = hosted::LifoQueue<T, TestHost>;
type PriorityQueue<T> = hosted::PriorityQueue<T, TestHost>;
