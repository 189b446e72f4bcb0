//! The state word of an `AtomicWaker`: who may touch its cell.
//!
//! # States
//!
//! | from | transition | to | the caller then |
//! |---|---|---|---|
//! | `IDLE` | begin register | `REGISTERING` | owns the cell |
//! | `REGISTERING` | end register | `IDLE` | owned the cell |
//! | `REGISTERING`, `WAKING` | end register | `REGISTERING`, `WAKING` | owns the cell, takes the waker, ends the take |
//! | `WAKING` | begin register | `WAKING` | wakes its own waker: the wake under way is not for it |
//! | `REGISTERING` | begin register | `REGISTERING` | wakes its own waker: another one registers |
//! | `IDLE` | begin take | `WAKING` | owns the cell |
//! | `REGISTERING` | begin take | `REGISTERING`, `WAKING` | leaves the wake to who registers |
//! | `WAKING` | begin take | `WAKING` | leaves the wake to who takes |
//! | `WAKING` | end take | `IDLE` | owned the cell |
//!
//! # Ordering
//!
//! Every transition that changes the word is one read-modify-write of it, acquire and release, so
//! the changes form one release sequence: who begins has seen what every earlier one did before its
//! transition. That orders the accesses to the cell, and it orders what a waking thread did before
//! its wake against what the registering one does after its registration, also when the wake
//! itself was left to somebody else. A compare-exchange that fails changes nothing and is relaxed.

use crate::loom::atomic::{AtomicU8, Ordering};

/// The word. All bits zero: the cell belongs to nobody.
#[derive(Debug)]
pub(super) struct State {
    bits: AtomicU8,
}

/// What a registration has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(super) enum BeginRegister {
    /// Owns the cell; end it with [`State::end_register`].
    Owner,
    /// A wake or another registration is under way: wake the waker at once.
    Busy,
}

/// How a registration ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(super) enum EndRegister {
    /// The waker waits in the cell, which belongs to nobody.
    Registered,
    /// A wake came meanwhile. The caller still owns the cell: it takes the waker out, calls
    /// [`State::end_take`], and wakes.
    Woken,
}

/// What a wake has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(super) enum BeginTake {
    /// Owns the cell; end it with [`State::end_take`].
    Owner,
    /// Who owns the cell does the wake.
    Left,
}

impl State {
    #[cfg(not(loom))]
    pub(super) const fn new() -> Self {
        Self {
            bits: AtomicU8::new(IDLE),
        }
    }

    #[cfg(loom)]
    pub(super) fn new() -> Self {
        Self {
            bits: AtomicU8::new(IDLE),
        }
    }

    /// Tries to get the cell in order to put a waker in.
    pub(super) fn begin_register(&self) -> BeginRegister {
        // Ordering: acquires from whichever `end_register` or `end_take` left the word idle. A
        // failure orders nothing: the caller wakes its task, which registers once more.
        let won =
            self.bits
                .compare_exchange(IDLE, REGISTERING, Ordering::AcqRel, Ordering::Relaxed);
        match won {
            Ok(_) => BeginRegister::Owner,
            Err(_) => BeginRegister::Busy,
        }
    }

    /// Gives the cell back, unless a wake came since [`begin_register`](Self::begin_register).
    pub(super) fn end_register(&self) -> EndRegister {
        // Ordering: releases the cell to the next `begin_take` or `begin_register`. A failure
        // orders nothing: the `end_take` that follows acquires from the `begin_take` that came.
        let ended =
            self.bits
                .compare_exchange(REGISTERING, IDLE, Ordering::AcqRel, Ordering::Relaxed);
        match ended {
            Ok(_) => EndRegister::Registered,
            Err(bits) => {
                debug_assert_eq!(bits, REGISTERING | WAKING, "only wakes join a registration");
                EndRegister::Woken
            }
        }
    }

    /// Tries to get the cell in order to take the waker out.
    pub(super) fn begin_take(&self) -> BeginTake {
        // Ordering: acquires from the `end_register` that put the waker in; releases what the
        // waking thread did to whoever begins next, or owns the cell and ends.
        match self.bits.fetch_or(WAKING, Ordering::AcqRel) {
            IDLE => BeginTake::Owner,
            _ => BeginTake::Left,
        }
    }

    /// Gives the cell back.
    pub(super) fn end_take(&self) {
        // Ordering: releases the cell to the next begin. A swap and not a store, so that it goes
        // on with the release sequence of the wakes that were left to this one.
        let before = self.bits.swap(IDLE, Ordering::AcqRel);
        debug_assert_ne!(before & WAKING, 0, "only an owner who takes ends a take");
    }
}

const IDLE: u8 = 0;
const REGISTERING: u8 = 0b01;
const WAKING: u8 = 0b10;
