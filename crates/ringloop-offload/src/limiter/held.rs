//! The limiters whose slots this thread's jobs hold.
//!
//! A job that waits in a limiter may be run by a job that holds a slot of that limiter and waits
//! for it: the one that waits does nothing meanwhile, so no more are at work than before. All jobs
//! on the stack of a thread but the innermost wait like that, so a slot of any of them will do.

use std::cell::RefCell;

use crate::job::Home;

use super::slot::Slot;

/// A stay inside a job that holds slots. Dropping it leaves.
#[must_use = "the job is left when this is dropped"]
pub(crate) struct Held {
    count: usize,
}

impl Held {
    /// Enters a job that holds `slot`, and those of outer limiters behind it.
    pub(super) fn enter(slot: &Slot) -> Self {
        let entered = HELD.try_with(|held| {
            let mut held = held.borrow_mut();
            let before = held.len();
            held.extend(slot.limiters());
            held.len() - before
        });
        Self {
            count: entered.unwrap_or(0),
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let _thread_is_ending = HELD.try_with(|held| {
            let mut held = held.borrow_mut();
            let len = held.len() - self.count;
            held.truncate(len);
        });
    }
}

/// Whether a job on this thread's stack holds a slot of the limiter.
pub(crate) fn is_held_here(limiter: Home) -> bool {
    let is_held = HELD.try_with(|held| held.borrow().contains(&limiter));
    is_held.unwrap_or(false)
}

thread_local! {
    static HELD: RefCell<Vec<Home>> = const { RefCell::new(Vec::new()) };
}
