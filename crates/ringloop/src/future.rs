//! Combinators of futures, and one-shot values.
//!
//! Losers are dropped by [`race()`] and [`race!`](macro@race), and cancelled and awaited by
//! [`first!`](macro@first), [`try_join!`](macro@try_join) and [`race_staggered`]. What waits for
//! tasks is in [`task`](crate::task): [`gather`](crate::task::gather),
//! [`wait`](crate::task::wait()), [`as_completed`](crate::task::as_completed).

pub use ringloop_core::{
    Abandoned, CallbackKey, Postbox, RemotePostbox, RemoteSetter, Setter, SharedPostbox,
    SharedRemotePostbox, postbox, remote_postbox,
};
#[doc(inline)]
pub use ringloop_task::future::{
    Either, Join, PollFn, Race, Staggered, first, join, poll_fn, race, race_staggered, try_join,
    try_join_all,
};
