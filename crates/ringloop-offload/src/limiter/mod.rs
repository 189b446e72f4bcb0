//! At most so many jobs at a time, for one purpose, whatever threads run them.
//!
//! A limiter is a number of slots and a queue. A [`Limited`] executor lets a job through to its
//! inner executor if a slot is free; otherwise the job waits in the queue, in the order of arrival.
//! The slot travels in the [`Job`](crate::Job) and comes back when the job is gone, whichever
//! way it ended; whoever ends it hands the slot to the first in the queue and that job to its
//! executor.
//!
//! ```text
//!   offload_on(&limited, f) ──Job──▶ slot free? ──yes──▶ inner executor ──▶ runs ──▶ slot back
//!                                        │ no                  ▲                       │
//!                                        ▼                     └────── first of ◀──────┘
//!                                      queue ───────────────────────── the queue
//! ```
//!
//! # States
//!
//! | a job is | event | becomes | its slot |
//! |---|---|---|---|
//! | waiting | a slot is free and it is the first | forwarded | taken |
//! | waiting | cancelled, or its waiter is gone | gone; what it captured is dropped by the canceller | none |
//! | waiting | run by a job that holds a slot and waits for it | gone | that of the one that waits |
//! | waiting | the last handle of a paused limiter is dropped | rejected | none |
//! | forwarded | taken by its executor | on its way | kept |
//! | forwarded | refused, or its executor panics | rejected | to the next in the queue |
//! | on its way | run, or dropped by its executor | gone | to the next in the queue |
//! | on its way | cancelled, or run by its waiter | gone; its executor finds nothing to run | to the next in the queue |

mod held;
mod limited;
#[expect(clippy::module_inception, reason = "the noun of the folder")]
mod limiter;
mod slot;
mod state;
mod stats;
mod turn;

pub(crate) use held::{Held, is_held_here};
pub use limited::Limited;
pub use limiter::Limiter;
pub(crate) use slot::Slot;
pub use stats::LimiterStats;

#[cfg(test)]
mod tests;
