//! A slot of the op table: an operation, its entry, and where it stands.
//!
//! There are two kinds. A one-shot operation is described when it is staged, waits with its entry, and
//! its result waits for whoever takes it. A service is described when its entry is copied into the
//! queue and handles its completions itself: it needs neither of the places, which are most of a slot,
//! and a connection has two services at any time.
//!
//! The invariants I1 to I6 are those of [`op`](super), the invariant T1 is that of
//! [`table`](super::table).

use std::cell::UnsafeCell;
use std::ptr::NonNull;
use std::task::Waker;
use std::time::Duration;

use super::erased::{FREE, Payload, ServiceRoom, VTable};
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

/// What every slot begins with.
#[repr(C)]
pub(super) struct Slot {
    pub(super) vtable: &'static VTable,
    /// The name of the operation in the slot, or of the next one (I3). It tells the kind of the slot.
    pub(super) key: OpKey,
    pub(super) state: State,
    pub(super) abandoned: bool,
    pub(super) lingers: bool,
    pub(super) cancel_asked: bool,
    /// The descriptor in its entry, once there is one.
    pub(super) fd: i32,
}

/// Room for a one-shot operation, at an address that never changes.
#[repr(C)]
pub(super) struct OpSlot {
    pub(super) slot: Slot,
    pub(super) next_free: Option<OpPointer>,
    pub(super) payload: UnsafeCell<Payload>,
    /// What the kernel is asked, from the staging on. Once it has been copied into the queue, `pad`
    /// tells when that was.
    pub(super) sqe: Sqe,
    pub(super) waker: Option<Waker>,
    pub(super) answer: Answered,
    /// What a notification said after the answer.
    pub(super) note: u32,
}

/// Room for a service, at an address that never changes.
#[repr(C)]
pub(super) struct ServiceSlot {
    pub(super) slot: Slot,
    /// When its entry was described, which is when it was copied into the queue.
    pub(super) since: u64,
    pub(super) payload: UnsafeCell<ServiceRoom>,
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

/// Where the slot of a one-shot operation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OpPointer(pub(super) NonNull<OpSlot>);

/// Where the slot of a service is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ServicePointer(pub(super) NonNull<ServiceSlot>);

impl OpPointer {
    #[inline]
    pub(super) fn any(self) -> SlotPointer {
        SlotPointer(self.0.cast())
    }
}

impl ServicePointer {
    #[inline]
    pub(super) fn any(self) -> SlotPointer {
        SlotPointer(self.0.cast())
    }
}

impl Slot {
    fn free(key: OpKey) -> Self {
        Self {
            vtable: &FREE,
            key,
            state: State::Free,
            abandoned: false,
            lingers: false,
            cancel_asked: false,
            fd: -1,
        }
    }

    /// Takes the slot for an operation.
    #[inline]
    pub(super) fn begin(&mut self, vtable: &'static VTable, state: State) {
        self.state = state;
        self.abandoned = false;
        self.lingers = false;
        self.cancel_asked = false;
        self.vtable = vtable;
    }

    /// The descriptor in its entry.
    pub(super) fn fd(&self) -> Option<i32> {
        Some(self.fd).filter(|&fd| self.vtable.has_fd && fd >= 0)
    }

    /// Whether the kernel has, or has had, what is in the slot now.
    pub(super) fn was_submitted(&self) -> bool {
        matches!(self.state, State::InFlight | State::Completed)
    }

    /// What is known of the operation in the slot, submitted when the clock showed `since`; `None` if
    /// there is none.
    pub(super) fn report(&self, since: u64, clock: &TickClock) -> Option<OpReport> {
        let state = match self.state {
            State::Free => return None,
            State::Idle => OpState::Idle,
            State::Staged => OpState::Staged,
            State::InFlight if self.abandoned => OpState::Abandoned,
            State::InFlight => OpState::InFlight,
            State::Completed => OpState::Completed,
        };
        let was_submitted = self.was_submitted();
        let age = if was_submitted {
            clock.since(since)
        } else {
            Duration::ZERO
        };
        let fd = self.fd().filter(|_| was_submitted);
        Some(OpReport::new(self.vtable.name, state, fd, age))
    }
}

impl OpSlot {
    pub(super) fn free(index: u32) -> Self {
        Self {
            slot: Slot::free(OpKey::first_op(index)),
            next_free: None,
            payload: UnsafeCell::new(Payload::EMPTY),
            sqe: Sqe::new(0, -1),
            waker: None,
            answer: Answered { res: 0, flags: 0 },
            note: 0,
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
}

impl ServiceSlot {
    pub(super) fn free(index: u32) -> Self {
        Self {
            slot: Slot::free(OpKey::first_service(index)),
            since: 0,
            payload: UnsafeCell::new(ServiceRoom::EMPTY),
        }
    }
}

const _: () = assert!(size_of::<OpSlot>() <= 192, "a slot is three cache lines");
const _: () = assert!(
    size_of::<ServiceSlot>() <= 48,
    "a connection has two of these"
);
