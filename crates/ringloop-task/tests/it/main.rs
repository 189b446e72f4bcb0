//! Behavior of the scheduler, its tasks, timers and cancellation.

#![expect(
    clippy::async_yields_async,
    reason = "handles that leave their loop are tested"
)]
#![expect(clippy::waker_clone_wake, reason = "all ways of waking are tested")]

mod callbacks;
mod cancel;
mod driver;
mod drops;
mod eager;
mod group;
mod group_cancel;
mod interval;
mod introspect;
mod join;
mod order;
mod panics;
mod remote;
mod scope;
mod scope_handle;
mod shutdown;
mod testing;
mod time;
mod time_faults;
mod token;
mod turn;
mod unaware;
mod wake;
