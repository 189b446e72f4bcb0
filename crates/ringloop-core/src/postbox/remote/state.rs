//! The word of a postbox between threads: who may touch which of its cells.
//!
//! # States
//!
//! Bits, each of which is set once, but for `WAITING`.
//!
//! | bit | set by | means |
//! |---|---|---|
//! | `WAITING` | postbox; cleared by it | the waker's cell is full, and belongs to whoever sets `SET` |
//! | `LISTENED` | postbox | there are callbacks, or were: the setter has to call them before it sets |
//! | `CLAIMED` | setter | one of the threads that share the setter is about to set |
//! | `SET` | setter | the answer's cell is full, and belongs to the postbox |
//! | `CLOSED` | postbox | the postbox is gone, and took with it what was in the cells |
//! | `LEFT` | setter | the setter is gone |
//!
//! | from | transition | to | the caller then |
//! |---|---|---|---|
//! | not `SET`, not `CLOSED`, not `LISTENED` | set | `SET` | takes the waker if `WAITING` was set, and wakes it |
//! | `LISTENED`, not `CLOSED` | set | the same | calls the callbacks, then sets as called |
//! | `CLOSED` | set | the same | takes the answer back |
//! | not `SET` | begin wait | `WAITING` | gives the waker's cell away |
//! | `SET` | begin wait | any | has the waker's cell, and the answer |
//! | not `SET` | end wait | not `WAITING` | has the waker's cell |
//! | `SET` | end wait | any | has the answer; the setter has the waker |
//! | not `SET` | close | `CLOSED` | frees if `LEFT`, else touches nothing any more |
//! | `SET` | close | `SET`, `CLOSED` | the same, if it has emptied the answer's cell, else does that first |
//! | any | leave | `LEFT` | frees if `CLOSED`, else touches nothing any more |
//!
//! # Ordering
//!
//! The transitions are read-modify-writes of one word, so each follows exactly one other. What has
//! to be ordered beyond that:
//!
//! - the answer: written before `set`, which releases it, and read after a look that acquires it;
//! - the waker: written before `begin_wait`, which releases it, and read after `set`, which
//!   acquires it;
//! - the end: `leave` and `close` release what their side did, and whichever comes second acquires
//!   it before it frees.
//!
//! The callbacks have a lock of their own.

use crate::loom::atomic::{AtomicU8, Ordering};

/// The word.
#[derive(Debug)]
pub(super) struct State {
    bits: AtomicU8,
}

/// What the setter has to do after its attempt to set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(super) enum Set {
    /// The answer is the postbox's. If `is_waiting`, the waker is the setter's.
    Done { is_waiting: bool },
    /// Nothing has changed: there are callbacks to call first.
    Listened,
    /// Nothing has changed, nor will it: the postbox is gone.
    Closed,
}

/// How the end of the postbox went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(super) enum Close {
    /// The setter is gone: the caller frees the cells.
    Free,
    /// The setter frees the cells. They are not the caller's any more.
    Left,
    /// Nothing has changed: there is an answer, which the caller has to take out first.
    Answered,
}

impl State {
    pub(super) fn new() -> Self {
        Self {
            bits: AtomicU8::new(0),
        }
    }

    /// Tries to become the one who sets. For setters that are shared.
    pub(super) fn claim(&self) -> bool {
        // Relaxed: the answer's cell is empty until the claim, and the winner is the only one to
        // use it afterwards.
        self.bits.fetch_or(CLAIMED, Ordering::Relaxed) & (CLAIMED | CLOSED) == 0
    }

    /// Whether somebody has claimed the setter. For its only owner, to whom nobody does any more.
    #[inline]
    pub(super) fn is_claimed(&self) -> bool {
        self.bits.load(Ordering::Relaxed) & CLAIMED != 0
    }

    /// A quick look: whether an attempt to set surely fails.
    #[inline]
    pub(super) fn refuses(&self) -> bool {
        self.bits.load(Ordering::Relaxed) & (LISTENED | CLOSED) != 0
    }

    /// Tries to give the answer to the postbox. `called`: there is no callback left, and the
    /// caller holds the lock of the callbacks.
    #[inline]
    pub(super) fn set(&self, called: bool) -> Set {
        let obstacles = if called { CLOSED } else { CLOSED | LISTENED };
        let mut bits = self.bits.load(Ordering::Relaxed);
        loop {
            if bits & obstacles != 0 {
                return if bits & CLOSED != 0 {
                    Set::Closed
                } else {
                    Set::Listened
                };
            }
            // Ordering: releases the answer to `is_set` and `close`; acquires the waker from
            // `begin_wait`.
            match self.bits.compare_exchange_weak(
                bits,
                bits | CLAIMED | SET,
                Ordering::AcqRel,
                Ordering::Relaxed,
            ) {
                Ok(_) => {
                    let is_waiting = bits & WAITING != 0;
                    return Set::Done { is_waiting };
                }
                Err(actual) => bits = actual,
            }
        }
    }

    /// The setter goes. Returns whether it has to free the cells.
    #[inline]
    pub(super) fn leave(&self) -> bool {
        // Ordering: acquires what the postbox did before `close`.
        if self.bits.load(Ordering::Acquire) & CLOSED != 0 {
            return true;
        }
        // Ordering: releases what the setter did to `close`; acquires as above.
        self.bits.fetch_or(LEFT, Ordering::AcqRel) & CLOSED != 0
    }

    /// Whether the answer is the postbox's.
    #[inline]
    pub(super) fn is_set(&self) -> bool {
        // Ordering: acquires the answer from `set`.
        self.bits.load(Ordering::Acquire) & SET != 0
    }

    /// Whether the waker's cell is full, for the postbox.
    #[inline]
    pub(super) fn is_waiting(&self) -> bool {
        // Relaxed: only the postbox changes the bit.
        self.bits.load(Ordering::Relaxed) & WAITING != 0
    }

    /// Gives the waker away. Returns false if there is an answer; then the waker still is the
    /// postbox's.
    #[inline]
    pub(super) fn begin_wait(&self) -> bool {
        // Ordering: releases the waker to `set`.
        self.bits.fetch_or(WAITING, Ordering::Release) & SET == 0
    }

    /// Takes the waker back. Returns false if there is an answer; then the waker is the setter's.
    pub(super) fn end_wait(&self) -> bool {
        // Relaxed: the setter uses the waker after `SET` only, and then the postbox does not.
        self.bits.fetch_and(!WAITING, Ordering::Relaxed) & SET == 0
    }

    /// Says that there are callbacks. Returns false if there is an answer. The caller holds the
    /// lock of the callbacks.
    pub(super) fn listen(&self) -> bool {
        // Relaxed: whoever sets sees the bit and takes the lock, or is seen.
        self.bits.fetch_or(LISTENED, Ordering::Relaxed) & SET == 0
    }

    /// Whether there are callbacks, or were.
    #[inline]
    pub(super) fn is_listened(&self) -> bool {
        // Relaxed: only the postbox sets the bit.
        self.bits.load(Ordering::Relaxed) & LISTENED != 0
    }

    /// The postbox goes. `is_emptied`: it has taken the answer out.
    #[inline]
    pub(super) fn close(&self, is_emptied: bool) -> Close {
        // Ordering: acquires the answer from `set`, and what the setter did before `leave`.
        let mut bits = self.bits.load(Ordering::Acquire);
        loop {
            if bits & SET != 0 && !is_emptied {
                return Close::Answered;
            }
            if bits & LEFT != 0 {
                return Close::Free;
            }
            // Ordering: releases what the postbox did to `leave`; a failure acquires as above.
            match self.bits.compare_exchange_weak(
                bits,
                bits | CLOSED,
                Ordering::Release,
                Ordering::Acquire,
            ) {
                Ok(_) => return Close::Left,
                Err(actual) => bits = actual,
            }
        }
    }

    /// Whether the postbox is gone.
    pub(super) fn is_closed(&self) -> bool {
        // Ordering: acquires from `close`: a setter that gives up sees what was done before.
        self.bits.load(Ordering::Acquire) & CLOSED != 0
    }

    /// The state's name, for `Debug`.
    pub(super) fn name(&self) -> &'static str {
        let bits = self.bits.load(Ordering::Relaxed);
        if bits & CLOSED != 0 {
            "Closed"
        } else if bits & SET != 0 {
            "Set"
        } else if bits & CLAIMED != 0 {
            "Calling"
        } else if bits & LISTENED != 0 {
            "Listened"
        } else {
            "Awaited"
        }
    }
}

const WAITING: u8 = 1;
const LISTENED: u8 = 1 << 1;
const CLAIMED: u8 = 1 << 2;
const SET: u8 = 1 << 3;
const CLOSED: u8 = 1 << 4;
const LEFT: u8 = 1 << 5;
