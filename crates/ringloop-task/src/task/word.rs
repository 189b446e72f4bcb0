//! The one word of a task that threads other than its home thread write.
//!
//! The home thread counts its references in a plain cell and schedules by a plain push. Every
//! other thread says what it has to say in this word: how many references it made or gave back
//! (a signed difference to the plain count), that it wants the task polled, and that it has
//! handed the task to the home thread's remote stack.
//!
//! # States
//!
//! The low bits are flags, the rest is the difference.
//!
//! | flag | set by | means | cleared by |
//! |---|---|---|---|
//! | `QUEUED` | another thread | the task is on the remote stack, or its setter is about to push it | home, at the pop |
//! | `WAKE` | another thread | poll the task | home, at the pop |
//! | `DONE` | home | the task has ended: a wake is void, and whoever gives a reference back tells home | never |
//! | `ORPHANED` | home | the scheduler is gone and all counts are in this word | never |
//!
//! Whoever sets `QUEUED` pushes the task and unparks the loop, and nobody else does: a wake that
//! finds `QUEUED` set has a pop still to come, which sees its `WAKE`.
//!
//! # Ordering
//!
//! Every transition that another thread makes is a read-modify-write with release, also when it
//! changes no bit, and [`RemoteWord::collect`] acquires: what a thread wrote before it woke the
//! task is visible to the poll. Giving back a reference releases, and whoever frees the task
//! acquires first ([`RemoteWord::snapshot`], or the last [`RemoteWord::release`] itself).

use crate::sync::{AtomicU64, Ordering};

/// The word; its methods are the transitions.
#[derive(Debug)]
pub(crate) struct RemoteWord {
    bits: AtomicU64,
}

/// What a thread that is not home has to do after its transition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub(crate) enum Action {
    /// Nothing: the task must not be touched any more through the reference that was given back.
    Nothing,
    /// Push the task on the remote stack, then unpark the loop.
    Push,
    /// Free the task: this was the last reference to an orphan.
    Free,
}

/// What the home thread finds when it takes a task from the remote stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub(crate) struct Collected {
    /// What to add to the home thread's own count.
    pub(crate) delta: i64,
    /// Whether somebody wants the task polled.
    pub(crate) woken: bool,
}

/// Why a task cannot be orphaned yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StillQueued;

impl RemoteWord {
    /// Makes the word of a task that no other thread knows.
    pub(crate) fn new() -> Self {
        Self {
            bits: AtomicU64::new(0),
        }
    }

    /// Counts one more reference.
    pub(crate) fn retain(&self) {
        // Relaxed: a reference is made from one that exists, so nothing can be freed meanwhile.
        self.bits.fetch_add(REFERENCE, Ordering::Relaxed);
    }

    /// Asks for a poll.
    pub(crate) fn wake(&self) -> Action {
        self.transition(|bits| {
            if bits & (DONE | ORPHANED) != 0 {
                (bits, Action::Nothing)
            } else {
                (bits | WAKE | QUEUED, push_unless_queued(bits))
            }
        })
    }

    /// Asks for a poll and gives the reference back.
    pub(crate) fn wake_and_release(&self) -> Action {
        self.transition(|bits| {
            if bits & (DONE | ORPHANED) != 0 {
                released(bits, bits & DONE != 0)
            } else {
                (
                    (bits | WAKE | QUEUED).wrapping_sub(REFERENCE),
                    push_unless_queued(bits),
                )
            }
        })
    }

    /// Gives a reference back. The home thread is told only if it may have to free the task.
    pub(crate) fn release(&self) -> Action {
        self.transition(|bits| released(bits, bits & DONE != 0))
    }

    /// Gives a reference back and tells the home thread in any case.
    pub(crate) fn release_and_tell(&self) -> Action {
        self.transition(|bits| released(bits, true))
    }

    /// Takes over what other threads have said. Home thread, after a pop.
    pub(crate) fn collect(&self) -> Collected {
        // Ordering: acquires what the transitions of other threads released.
        let bits = self.bits.fetch_and(DONE | ORPHANED, Ordering::AcqRel);
        debug_assert!(bits & QUEUED != 0, "only a queued task is popped");
        Collected {
            delta: delta(bits),
            woken: bits & WAKE != 0,
        }
    }

    /// Makes later wakes void. Home thread.
    pub(crate) fn mark_done(&self) {
        // Ordering: the release of a reference either comes before this and is counted by the
        // next `snapshot`, or sees the flag and queues the task.
        self.bits.fetch_or(DONE, Ordering::AcqRel);
    }

    /// Returns the difference, and whether the task is queued. Home thread.
    pub(crate) fn snapshot(&self) -> (i64, bool) {
        // Ordering: acquires the releases of all references that are counted in here.
        let bits = self.bits.load(Ordering::Acquire);
        (delta(bits), bits & QUEUED != 0)
    }

    /// Hands the task over to whoever holds references: `local` more than the word knows.
    ///
    /// # Errors
    ///
    /// While the task is queued: its pop comes first.
    pub(crate) fn orphan(&self, local: i64) -> Result<(), StillQueued> {
        // Ordering: releases all that the home thread did to the task to whoever frees it.
        let orphaned = self
            .bits
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |bits| {
                let total = delta(bits).wrapping_add(local).cast_unsigned();
                (bits & QUEUED == 0).then_some((total << SHIFT) | DONE | ORPHANED)
            });
        orphaned.map(|_| ()).map_err(|_| StillQueued)
    }

    /// Returns whether the scheduler is gone.
    pub(crate) fn is_orphaned(&self) -> bool {
        // Ordering: pairs with `orphan`.
        self.bits.load(Ordering::Acquire) & ORPHANED != 0
    }

    /// Applies one transition of a thread that is not home.
    fn transition(&self, step: impl Fn(u64) -> (u64, Action)) -> Action {
        let mut bits = self.bits.load(Ordering::Relaxed);
        loop {
            let (next, action) = step(bits);
            // Ordering: release for `collect`, `snapshot` and the one who frees; acquire for the
            // thread that finds itself to be the one who frees. Also when no bit changes.
            match self
                .bits
                .compare_exchange_weak(bits, next, Ordering::AcqRel, Ordering::Relaxed)
            {
                Ok(_) => return action,
                Err(actual) => bits = actual,
            }
        }
    }
}

/// The step that gives one reference back, and tells the home thread if `tell` says so.
fn released(bits: u64, tell: bool) -> (u64, Action) {
    let next = bits.wrapping_sub(REFERENCE);
    if bits & ORPHANED != 0 {
        let last = delta(next) == 0;
        (next, if last { Action::Free } else { Action::Nothing })
    } else if tell {
        (next | QUEUED, push_unless_queued(bits))
    } else {
        (next, Action::Nothing)
    }
}

/// Whoever sets `QUEUED` pushes.
fn push_unless_queued(bits: u64) -> Action {
    if bits & QUEUED == 0 {
        Action::Push
    } else {
        Action::Nothing
    }
}

/// The difference that is kept above the flags.
fn delta(bits: u64) -> i64 {
    bits.cast_signed() >> SHIFT
}

const QUEUED: u64 = 1;
const WAKE: u64 = 1 << 1;
const DONE: u64 = 1 << 2;
const ORPHANED: u64 = 1 << 3;
const SHIFT: u32 = 4;
const REFERENCE: u64 = 1 << SHIFT;

#[cfg(test)]
mod tests;
