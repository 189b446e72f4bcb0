//! Combinators of futures that need no runtime.
//!
//! They hold their futures in place, allocate nothing and spawn nothing: what they combine stays
//! one task, polled with one waker, and at each poll all that are not done are polled, the first
//! argument first.
//!
//! | | waits for | the others | gives |
//! |---|---|---|---|
//! | [`join()`], [`join!`](macro@join) | all | | a tuple |
//! | [`race()`] | the first | are dropped | [`Either`] |
//! | [`race!`](macro@race) | the first | are dropped | an output |
//!
//! Those that cancel the others, and wait for their cleanup, need to know tasks and scopes: they
//! are in the crate `ringloop-task`.

mod either;
mod join;
mod macros;
mod map;
mod race;

pub use either::Either;
pub use join::{Join, join};
pub use race::{Race, race};
pub use std::future::{PollFn, poll_fn};

#[doc(inline)]
pub use crate::{__join as join, __race as race};

/// What the macros expand to.
#[doc(hidden)]
pub mod __macros {
    pub use super::map::{Map, map};
}
