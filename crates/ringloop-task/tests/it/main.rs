//! Behavior of the scheduler, its tasks, timers and cancellation.

#![expect(
    clippy::async_yields_async,
    reason = "handles that leave their loop are tested"
)]
#![expect(clippy::waker_clone_wake, reason = "all ways of waking are tested")]

mod auto_traits;
mod budget;
mod callbacks;
mod cancel;
mod combine;
mod debug;
mod driver;
mod drops;
mod eager;
mod ease;
mod faults;
mod forgotten_drops;
mod gather;
mod graph;
mod group;
mod group_cancel;
mod group_drop;
mod group_error;
mod group_faults;
mod group_matrix;
mod group_start;
mod interval;
mod introspect;
mod join;
mod locals;
mod moved;
mod observe;
mod order;
mod panics;
mod pool;
mod pool_map;
mod remote;
mod remote_wait;
mod scope;
mod scope_handle;
mod scoped;
mod scoped_cross;
mod shutdown;
mod testing;
mod time;
mod time_faults;
mod token;
mod traveling;
mod turn;
mod unaware;
mod wake;
mod watchdog;
