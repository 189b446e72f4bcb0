//! How long the code that runs at the moment has, at the most.

use std::time::Instant;

use crate::context;
use crate::home::Home;
use crate::task;

/// Returns when the code that runs at the moment is cancelled at the latest: the earliest deadline
/// of the scopes around it, up to a shield. `None` if there is none; the time now if it is
/// cancelled already.
///
/// For code that passes its time on to somebody else, such as a server that is asked over the
/// network. The scopes are those of the running task. Counterpart:
/// `trio.current_effective_deadline`.
///
/// # Cancel safety
///
/// Nothing to cancel: the function does not wait.
///
/// # Examples
///
/// ```
/// use ringloop_core::ThreadDriver;
/// use ringloop_task::cancel::effective_deadline;
/// use ringloop_task::{Scheduler, time};
/// use std::time::Duration;
///
/// Scheduler::new(ThreadDriver::new()).block_on(async {
///     assert_eq!(effective_deadline(), None);
///     let soon = time::now() + Duration::from_secs(1);
///     let inside = async {
///         let long = Duration::from_secs(60);
///         time::timeout(long, async { effective_deadline() }).await
///     };
///     assert_eq!(time::timeout_at(soon, inside).await, Ok(Ok(Some(soon))));
/// });
/// ```
#[must_use]
#[doc(alias = "current_effective_deadline")]
pub fn effective_deadline() -> Option<Instant> {
    context::with_home(effective_deadline_in).flatten()
}

fn effective_deadline_in(home: &Home) -> Option<Instant> {
    let mut earliest: Option<Instant> = None;
    let mut next = home.scope.borrow().clone();
    while let Some(node) = next {
        if node.is_cancelled() {
            return Some(home.now());
        }
        earliest = earliest.into_iter().chain(node.deadline.get()).min();
        if node.is_shield.get() {
            return earliest;
        }
        next = node.parent.borrow().clone();
    }
    if home.current.get().is_some_and(task::is_requested) {
        return Some(home.now());
    }
    earliest
}
