//! This thread's turn at forwarding a job, and the slots that come back within it.
//!
//! An executor may run a job inside `execute`. The job then ends before `execute` has returned,
//! and if its slot were passed on from there, the next job would run inside of the first one's
//! `execute`, and so on: a recursion as deep as the queue is long. Hence a slot that comes back to
//! the thread that is just handing over its job is left to that thread's loop, which goes on as
//! soon as `execute` returns.
//!
//! A slot of any other job is passed on at once: the call that this thread is in may last, and the
//! job that runs in it may wait for one in the queue. Only in calls as deep as [`DEPTH_MAX`] that
//! is given up, because nothing else bounds the depth.

use std::cell::Cell;

use super::slot::{Free, Slot};

/// A hand-over that this thread is in. [`end`](Self::end) leaves it.
#[must_use = "the turn has to be ended"]
#[derive(Default)]
pub(super) struct Turn {
    /// What the hand-over around this one has.
    outer_id: usize,
    outer_returned: Free,
}

impl Turn {
    /// Begins the hand-over of the job that holds the slot with this id.
    pub(super) fn begin(id: usize) -> Self {
        let begun = TURNS.try_with(|turns| {
            turns.depth.set(turns.depth.get() + 1);
            Self {
                outer_id: turns.id.replace(id),
                outer_returned: turns.returned.take(),
            }
        });
        begun.unwrap_or_default()
    }

    /// Ends it and returns the slots that came back within it.
    pub(super) fn end(self) -> Free {
        let ended = TURNS.try_with(|turns| {
            turns.depth.set(turns.depth.get() - 1);
            turns.id.set(self.outer_id);
            turns.returned.replace(self.outer_returned)
        });
        ended.unwrap_or_default()
    }

    /// Leaves a slot to the hand-over that this thread is in.
    ///
    /// # Errors
    ///
    /// The slot, if it is none of its business.
    pub(super) fn give_back(slot: Box<Slot>) -> Result<(), Box<Slot>> {
        let mut slot = Some(slot);
        let _thread_is_ending = TURNS.try_with(|turns| {
            let is_mine = slot
                .as_ref()
                .is_some_and(|slot| slot.id() == turns.id.get());
            if (is_mine || turns.depth.get() >= DEPTH_MAX)
                && let Some(slot) = slot.take()
            {
                let mut returned = turns.returned.take();
                returned.push(slot);
                turns.returned.set(returned);
            }
        });
        slot.map_or(Ok(()), Err)
    }
}

struct Turns {
    /// The slot of the innermost hand-over; 0 outside of one.
    id: Cell<usize>,
    depth: Cell<usize>,
    /// What came back within the innermost hand-over.
    returned: Cell<Free>,
}

thread_local! {
    static TURNS: Turns = const {
        Turns {
            id: Cell::new(0),
            depth: Cell::new(0),
            returned: Cell::new(Free::NONE),
        }
    };
}

/// Hand-overs inside of hand-overs of other jobs, on one thread.
const DEPTH_MAX: usize = 16;
