//! A cell behind a pointer, whatever its closure is, and what comes of running it.

use std::sync::Arc;

use crate::error::{OffloadError, Refusal};

use super::Reason;
use super::head::Head;

/// What [`Job::perform`](super::Job::perform) found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Performed {
    /// The job had been cancelled, or somebody else ran it.
    NotRun,
    Ran {
        /// Nobody waited for the result at its end, and it was dropped on this thread.
        abandoned: bool,
        /// The closure panicked. If it was abandoned, the panic hook is all that was told.
        panicked: bool,
    },
}

/// What comes home.
pub(crate) type Outcome<T> = Result<T, OffloadError>;

/// A cell whose closure and result types are forgotten.
pub(crate) trait Work: Send + Sync {
    /// Runs the closure, unless somebody else has taken it. `this` is the cell itself.
    fn run(&self, this: &Arc<dyn Work>) -> Performed;

    /// Ends a queued job on the executor's behalf; returns whether it was queued.
    fn reject(&self, refusal: Option<Refusal>) -> bool;

    /// Ends a queued job on the caller's behalf, or asks a running one to stop; returns whether it
    /// was queued.
    fn cancel(&self, reason: Option<Reason>) -> bool;

    fn head(&self) -> &Head;
}
