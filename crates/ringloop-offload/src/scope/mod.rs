//! Closures that borrow: jobs that end before the function that made them returns.
//!
//! A future cannot be made to wait: it can be forgotten, and then what its job has borrowed is gone
//! while the job runs. A function can, so [`scope()`] blocks. What it blocks is not lost: the
//! thread that waits runs the scope's queued jobs itself.
//!
//! ```text
//!   scope ── spawn ──▶ the team's queue ◀── takes errands ── the thread that called scope
//!                            ▲    ▲
//!   executor ── runs ── helper    joiner: runs the one errand that it waits for
//! ```
//!
//! The executor gets helpers, not closures. A helper is a job without a borrow: it holds the team,
//! and takes errands out of its queue as long as there are some. One is on its way at a time, and
//! sends for the next one before it runs what it has taken. If none ever comes, the caller
//! does everything.
//!
//! | file | noun |
//! |---|---|
//! | `body` | [`scope()`] and [`Scope`]: where borrows go in, and the unsafe code |
//! | `scoped_job` | [`ScopedJob`]: the wish to have one result |
//! | `team` | the queue of a scope, and those who empty it |
//! | `errand` | one closure, then its result |
//!
//! The job that an executor runs is `job/helper`.

mod body;
mod scoped_job;

mod errand;
mod team;

pub use body::{Scope, scope};
pub use scoped_job::ScopedJob;

#[cfg(test)]
mod tests;
