//! Combinators of futures: those of the core, and those that know scopes.
//!
//! | | waits for | the others | gives |
//! |---|---|---|---|
//! | [`join()`], [`join!`](macro@join) | all | | a tuple |
//! | [`try_join!`](macro@try_join), [`try_join_all`] | all, or the first error | are cancelled and awaited | `Ok` of all, or the error |
//! | [`first!`](macro@first) | the first | are cancelled and awaited | its output, and theirs |
//! | [`race_staggered`] | the first success | are cancelled and awaited | its value, and the errors |
//! | [`race()`], [`race!`](macro@race) | the first | are dropped | its output |
//!
//! What waits for tasks is in [`task`](crate::task): [`gather`](crate::task::gather),
//! [`wait`](crate::task::wait()), [`as_completed`](crate::task::as_completed).

pub use ringloop_core::future::{Either, Join, PollFn, Race, join, poll_fn, race};

pub use crate::combine::{Staggered, race_staggered, try_join_all};
#[doc(inline)]
pub use crate::{__first as first, __try_join as try_join};

/// What the macros expand to.
#[doc(hidden)]
pub mod __macros {
    pub use ringloop_core::future::__macros::map;

    pub use crate::combine::{
        Branch, Caught, Failure, First, Outputs, TryJoin, first, succeeded, try_join,
    };
}
