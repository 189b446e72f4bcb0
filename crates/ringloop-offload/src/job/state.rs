//! The state word of a job: who owns what is in its cells.
//!
//! # States
//!
//! Each bit is set at most once and stays, but for `WAITING`. No bit: the job is queued.
//!
//! | from | transition | adds | the caller then |
//! |---|---|---|---|
//! | queued | begin run | `TAKEN`, `RUNNING` | owns the closure, and ends |
//! | queued | withdraw, reject | `TAKEN` | owns the closure, and ends |
//! | queued | leave | `TAKEN`, `GONE` | owns the closure, and its waker |
//! | `TAKEN` | begin run, withdraw, reject | — | does nothing (or asks a running job to stop) |
//! | `TAKEN` | leave | `GONE` | owns its waker |
//! | `TAKEN` | end | `SET` | gave the outcome to the waiter, and owns the waker if `WAITING` |
//! | `TAKEN`, `GONE` | end | `SET` | keeps the outcome |
//! | not `SET` | begin wait | `WAITING` | gave its waker away |
//! | `WAITING`, not `SET` | end wait | — (removes `WAITING`) | owns its waker |
//! | not `SET` | listen | `LISTENED` | is let go of by the end |
//! | any | hold | `HOLDS` | keeps the slot, if it was `TAKEN`; else whoever takes the closure frees it |
//! | `SET` | empty | `EMPTY` | has taken the outcome |
//!
//! # Ordering
//!
//! The closure is put in before the cell is shared, so taking it orders nothing: the word only says
//! who does. The outcome goes from the end to the waiter, and the waker from the waiter to the end:
//! both are published by the transition that gives them away and acquired by the one that finds
//! them.

use crate::loom::atomic::{AtomicU8, Ordering};

/// The word.
pub(super) struct State {
    bits: AtomicU8,
}

/// What a waiter that cancels finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(super) enum Withdraw {
    /// It was queued: the caller owns the closure, and ends the job.
    Owner,
    /// It can be asked to stop.
    Running,
    /// It has ended, or somebody is about to end it.
    Ended,
}

/// What the end of a job finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(super) struct End {
    /// The waiter is gone: the outcome still is the caller's.
    pub(super) is_gone: bool,
    /// The waker is the caller's, to wake it.
    pub(super) is_waiting: bool,
    /// There are listeners to let go of.
    pub(super) is_listened: bool,
}

/// What a waiter that goes finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(super) enum Leave {
    /// It was queued: the caller owns the closure.
    Queued { is_waiting: bool },
    /// It runs on, or somebody is about to end it.
    Taken { is_waiting: bool, is_running: bool },
    /// The outcome is there, and the caller's.
    Ended,
}

/// What a waiter that looks finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(super) enum Look {
    /// The outcome is not there.
    Unset { is_waiting: bool },
    /// The outcome is the waiter's.
    Set,
    /// The outcome was taken.
    Empty,
}

/// Where a job is on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Queued,
    Running,
    Ended,
}

impl State {
    #[inline]
    pub(super) fn new() -> Self {
        Self {
            bits: AtomicU8::new(0),
        }
    }

    /// Takes the closure in order to run it.
    #[inline]
    pub(super) fn begin_run(&self) -> bool {
        self.take(TAKEN | RUNNING).is_ok()
    }

    /// Takes the closure in order not to run it.
    pub(super) fn reject(&self) -> bool {
        self.take(TAKEN).is_ok()
    }

    /// Does the same for a waiter.
    pub(super) fn withdraw(&self) -> Withdraw {
        match self.take(TAKEN) {
            Ok(()) => Withdraw::Owner,
            Err(bits) if bits & (RUNNING | SET) == RUNNING => Withdraw::Running,
            Err(_) => Withdraw::Ended,
        }
    }

    #[inline]
    fn take(&self, with: u8) -> Result<(), u8> {
        // Relaxed: the closure was there before the cell was shared.
        let mut bits = self.bits.load(Ordering::Relaxed);
        loop {
            if bits & TAKEN != 0 {
                return Err(bits);
            }
            let taken = self.bits.compare_exchange_weak(
                bits,
                bits | with,
                Ordering::Relaxed,
                Ordering::Relaxed,
            );
            match taken {
                Ok(_) => return Ok(()),
                Err(other) => bits = other,
            }
        }
    }

    /// Gives the outcome to the waiter, if there is one.
    #[inline]
    pub(super) fn end(&self) -> End {
        // Ordering: releases the outcome to `look`, `begin_wait`, `end_wait` and `leave`; acquires
        // the waker from `begin_wait`.
        let before = self.bits.fetch_or(SET, Ordering::AcqRel);
        debug_assert_eq!(
            before & (TAKEN | SET),
            TAKEN,
            "it is taken once, and ended once"
        );
        let is_gone = before & GONE != 0;
        End {
            is_gone,
            is_waiting: !is_gone && before & WAITING != 0,
            is_listened: before & LISTENED != 0,
        }
    }

    /// For the waiter: looks for the outcome.
    #[inline]
    pub(super) fn look(&self) -> Look {
        // Ordering: acquires the outcome from `end`.
        let bits = self.bits.load(Ordering::Acquire);
        if bits & SET == 0 {
            Look::Unset {
                is_waiting: bits & WAITING != 0,
            }
        } else if bits & EMPTY == 0 {
            Look::Set
        } else {
            Look::Empty
        }
    }

    /// For the waiter: gives its waker away, or finds the outcome and returns `false`.
    #[inline]
    pub(super) fn begin_wait(&self) -> bool {
        // Ordering: releases the waker to `end`, or acquires the outcome from it.
        self.bits.fetch_or(WAITING, Ordering::AcqRel) & SET == 0
    }

    /// For the waiter: gets its waker back, or finds the outcome and returns `false`.
    pub(super) fn end_wait(&self) -> bool {
        // Ordering: acquires the outcome from `end`. Its own waker needs no order.
        self.bits.fetch_and(!WAITING, Ordering::Acquire) & SET == 0
    }

    /// For the waiter: it has taken the outcome.
    #[inline]
    pub(super) fn empty(&self) {
        // Relaxed, and not one step: nobody but the waiter changes a word that is `SET` in a way that
        // matters (a hold finds out by its own step), and nobody else looks at the bit.
        let bits = self.bits.load(Ordering::Relaxed);
        self.bits.store(bits | EMPTY, Ordering::Relaxed);
    }

    /// For the waiter: goes, and takes the closure along if nobody has it.
    pub(super) fn leave(&self) -> Leave {
        // Ordering: acquires the outcome from `end`. What the waiter leaves behind is nothing.
        let before = self.bits.fetch_or(TAKEN | GONE, Ordering::Acquire);
        let is_waiting = before & WAITING != 0;
        if before & SET != 0 {
            Leave::Ended
        } else if before & TAKEN != 0 {
            Leave::Taken {
                is_waiting,
                is_running: before & RUNNING != 0,
            }
        } else {
            Leave::Queued { is_waiting }
        }
    }

    /// Says that the wish has listeners; `false` if the job has ended, which lets go of no more.
    pub(super) fn listen(&self) -> bool {
        // Relaxed: the lock around the listeners orders the accesses to them.
        let mut bits = self.bits.load(Ordering::Relaxed);
        loop {
            if bits & SET != 0 {
                return false;
            }
            let listened = self.bits.compare_exchange_weak(
                bits,
                bits | LISTENED,
                Ordering::Relaxed,
                Ordering::Relaxed,
            );
            match listened {
                Ok(_) => return true,
                Err(other) => bits = other,
            }
        }
    }

    /// Says that there is a slot for the one who takes the closure to free; `false` if it was taken.
    pub(super) fn hold(&self) -> bool {
        // Relaxed: the lock around the slot orders the accesses to it.
        self.bits.fetch_or(HOLDS, Ordering::Relaxed) & TAKEN == 0
    }

    /// Whether there may be a slot.
    pub(super) fn holds(&self) -> bool {
        // Relaxed: for the one who took the closure, the word is at least as new as its transition.
        self.bits.load(Ordering::Relaxed) & HOLDS != 0
    }

    /// Whether somebody runs, has run or has ended the job.
    pub(super) fn is_taken(&self) -> bool {
        self.bits.load(Ordering::Relaxed) & TAKEN != 0
    }

    /// Where the job was a moment ago.
    pub(super) fn phase(&self) -> Phase {
        let bits = self.bits.load(Ordering::Relaxed);
        match (bits & TAKEN != 0, bits & (RUNNING | SET) == RUNNING) {
            (false, _) => Phase::Queued,
            (true, true) => Phase::Running,
            (true, false) => Phase::Ended,
        }
    }
}

const TAKEN: u8 = 1;
const RUNNING: u8 = 1 << 1;
const WAITING: u8 = 1 << 2;
const LISTENED: u8 = 1 << 3;
const GONE: u8 = 1 << 4;
const SET: u8 = 1 << 5;
const EMPTY: u8 = 1 << 6;
const HOLDS: u8 = 1 << 7;
