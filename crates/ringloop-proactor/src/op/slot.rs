//! A slot of the op table: an operation, its entry, and where it stands.
//!
//! The invariants I1 to I6 are those of [`op`](super), the invariant T1 is that of
//! [`table`](super::table).

use std::cell::UnsafeCell;
use std::ptr::NonNull;
use std::task::Waker;
use std::time::Duration;

use super::erased::{CompletionHook, FREE, Payload, VTable};
use super::key::OpKey;
use super::report::{OpReport, OpState};
use crate::ring::{Cqe, Sqe, TickClock};

/// Where an operation is; the table of [`op`](super) says what leads where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Free,
    Idle,
    Staged,
    InFlight,
    Completed,
}

/// Room for one operation, at an address that never changes.
pub(super) struct Slot {
    pub(super) payload: UnsafeCell<Payload>,
    /// What the kernel is asked, from the staging on. Once it has been copied into the queue, the
    /// descriptor in it is kept for reports, and `pad` tells when that was.
    pub(super) sqe: Sqe,
    pub(super) waker: Option<Waker>,
    pub(super) vtable: &'static VTable,
    /// That of the vtable: a service has one.
    pub(super) hook: Option<CompletionHook>,
    pub(super) answer: Answered,
    pub(super) next_free: Option<SlotPointer>,
    /// The name of the operation in the slot, or of the next one (I3).
    pub(super) key: OpKey,
    pub(super) state: State,
    pub(super) abandoned: bool,
    pub(super) lingers: bool,
    pub(super) cancel_asked: bool,
    /// What a notification said after the answer.
    pub(super) note: u32,
}

/// The part of a completion that its operation needs.
#[derive(Clone, Copy)]
pub(super) struct Answered {
    pub(super) res: i32,
    pub(super) flags: u32,
}

/// Where a slot is. Slots live as long as their table (T1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SlotPointer(pub(super) NonNull<Slot>);

impl Slot {
    pub(super) fn free(index: u32, next_free: Option<SlotPointer>) -> Self {
        Self {
            payload: UnsafeCell::new(Payload::EMPTY),
            sqe: Sqe::new(0, -1),
            waker: None,
            vtable: &FREE,
            hook: None,
            answer: Answered { res: 0, flags: 0 },
            note: 0,
            next_free,
            key: OpKey::first(index),
            state: State::Free,
            abandoned: false,
            lingers: false,
            cancel_asked: false,
        }
    }

    /// The completion of the operation, with the note in place of the name, which has done its
    /// service.
    #[inline]
    pub(super) fn cqe(&self) -> Cqe {
        Cqe {
            user_data: self.note.into(),
            res: self.answer.res,
            flags: self.answer.flags,
        }
    }

    #[inline]
    pub(super) fn set_answer(&mut self, cqe: Cqe) {
        self.answer = Answered {
            res: cqe.res,
            flags: cqe.flags,
        };
    }

    /// The descriptor in its entry.
    pub(super) fn fd(&self) -> Option<i32> {
        Some(self.sqe.fd).filter(|&fd| self.vtable.has_fd && fd >= 0)
    }

    /// What is known of the operation in the slot; `None` if there is none.
    pub(super) fn report(&self, clock: &TickClock) -> Option<OpReport> {
        let state = match self.state {
            State::Free => return None,
            State::Idle => OpState::Idle,
            State::Staged => OpState::Staged,
            State::InFlight if self.abandoned => OpState::Abandoned,
            State::InFlight => OpState::InFlight,
            State::Completed => OpState::Completed,
        };
        let was_submitted = matches!(self.state, State::InFlight | State::Completed);
        let age = if was_submitted {
            clock.since(self.sqe.pad)
        } else {
            Duration::ZERO
        };
        let fd = self.fd().filter(|_| was_submitted);
        Some(OpReport::new(self.vtable.name, state, fd, age))
    }
}

const _: () = assert!(size_of::<Slot>() <= 192, "a slot is three cache lines");
