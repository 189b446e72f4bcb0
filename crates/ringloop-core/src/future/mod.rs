//! Combinators of futures that need no runtime.
//!
//! They hold their futures in place, allocate nothing and spawn nothing: what they combine stays
//! one task, polled with one waker.

mod either;
mod join;
mod race;

pub use either::Either;
pub use join::{Join, join};
pub use race::{Race, race};
