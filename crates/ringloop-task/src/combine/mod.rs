//! What waits for several things at once, and knows scopes and tasks.
//!
//! Users find these under [`task`](crate::task) and [`future`](crate::future).

mod contained;
mod crowd;
mod ready;

mod as_completed;
mod first;
mod gather;
mod scoped;
mod staggered;
mod try_join;
mod wait;

pub use as_completed::{AsCompleted, NextCompleted, as_completed};
pub use first::{Branch, First, Outputs, first};
pub use gather::{Gather, gather};
pub use scoped::{Scope, ScopedJoinHandle, scope};
pub use staggered::{Staggered, race_staggered};
pub use try_join::{Caught, Failure, TryJoin, succeeded, try_join, try_join_all};
pub use wait::{WaitSome, When, wait};

use crate::cancel::{CancelScope, CancelToken};

/// Makes a scope that a combinator cancels itself, and whose outcome is kept outside of it: so what
/// cannot be told is dropped alone, also if a scope around is cancelled meanwhile.
fn own_scope(token: CancelToken) -> CancelScope {
    CancelScope::with_token(token).ends_alone()
}
