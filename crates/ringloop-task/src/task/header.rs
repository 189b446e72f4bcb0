//! The part of a task that does not depend on its future's type.

use std::cell::{Cell, OnceCell, RefCell};
use std::panic::Location;
use std::sync::Arc;
use std::task::Waker;

use super::cell::VTable;
use super::id::TaskId;
use super::local_refs::LocalRefs;
use super::on_done::Callbacks;
use super::stack::Linked;
use super::word::RemoteWord;
use crate::cancel::Request;
use crate::gate::Gate;
use crate::local::Slot;
use crate::sync::{AtomicPtr, Tracked};
use crate::waker_set::WakerSet;

/// A task without its future. Threads other than the home thread touch the first four fields
/// only (I2 of [the module](super)).
#[repr(C)]
pub(crate) struct Header {
    /// What depends on the future's type.
    pub(super) vtable: &'static VTable,
    /// The scheduler's gate; an address, and a counted reference once the task is an orphan.
    pub(super) gate: *const Gate,
    /// What other threads have to say.
    pub(super) word: RemoteWord,
    /// The link of the remote stack.
    pub(super) link: AtomicPtr<Self>,
    /// The home thread's count: join handles, task references and wakers.
    pub(super) local_refs: LocalRefs,
    /// The state; see the constants.
    pub(super) flags: Flags,
    /// How often the future was polled: the low half.
    pub(super) polls: Cell<u32>,
    /// The place in the registry.
    pub(super) slot: Cell<u32>,
    pub(super) id: TaskId,
    /// The task's values of task locals, until it ends.
    pub(super) locals: Slot,
    pub(super) spawned_at: &'static Location<'static>,
    /// Where the wait was begun that the task is parked on, if that wait says so.
    pub(super) parked_at: Cell<Option<&'static Location<'static>>>,
    /// Who awaits the join handle.
    pub(super) joiner: Cell<Option<Waker>>,
    /// What few tasks have.
    pub(super) cold: OnceCell<Box<Cold>>,
    pub(super) _tracked: Tracked,
}

/// What few tasks have: a name, a request to cancel, unusual waiters.
#[derive(Debug, Default)]
pub(crate) struct Cold {
    pub(super) name: RefCell<Option<Arc<str>>>,
    /// The first request to cancel.
    pub(super) request: RefCell<Option<Request>>,
    /// Waits inside this task that are polled with wakers other than the task's own.
    pub(super) foreign: RefCell<WakerSet>,
    /// Who waits for the task's end without its output.
    pub(super) waiters: RefCell<WakerSet>,
    /// Who is called at the task's end.
    pub(super) callbacks: RefCell<Callbacks>,
    /// How many things inside have to be waited for, although the task is cancelled.
    pub(super) stays: Cell<u32>,
    /// How often the future was polled: the high half.
    pub(super) polls_high: Cell<u32>,
    /// How often the task woke itself when it was to be dropped, because it is cancelled.
    pub(super) wakes_of_its_own: Cell<u32>,
}

impl Header {
    /// Returns the cold part, which is made at its first use.
    pub(super) fn cold(&self) -> &Cold {
        self.cold.get_or_init(Box::default)
    }

    /// Counts one more poll.
    #[inline]
    pub(super) fn count_poll(&self) {
        let polls = self.polls.get().wrapping_add(1);
        self.polls.set(polls);
        if polls == 0 {
            let high = &self.cold().polls_high;
            high.set(high.get() + 1);
        }
    }

    /// Returns how often the future was polled.
    pub(super) fn poll_count(&self) -> u64 {
        let high = self.cold.get().map_or(0, |cold| cold.polls_high.get());
        u64::from(high) << 32 | u64::from(self.polls.get())
    }
}

impl Linked for Header {
    fn link(&self) -> &AtomicPtr<Self> {
        &self.link
    }
}

/// The state of a task as the home thread sees it.
#[derive(Debug)]
pub(super) struct Flags(Cell<u32>);

impl Flags {
    pub(super) fn new(flags: u32) -> Self {
        Self(Cell::new(flags))
    }

    #[inline]
    pub(super) fn has(&self, any: u32) -> bool {
        self.0.get() & any != 0
    }

    #[inline]
    pub(super) fn set(&self, flags: u32) {
        self.0.set(self.0.get() | flags);
    }

    #[inline]
    pub(super) fn clear(&self, flags: u32) {
        self.0.set(self.0.get() & !flags);
    }

    /// Notes the beginning of a poll.
    #[inline]
    pub(super) fn begin_poll(&self, turn: Turn) {
        let flags = self.0.get() & FLAGS & !SCHEDULED;
        self.0.set(flags | RUNNING | turn.0);
    }

    /// Has the task wait for the turn after this one.
    pub(super) fn wait_for_turn_after(&self, turn: Turn) {
        self.0.set(self.0.get() & FLAGS | turn.0);
    }

    /// Returns whether the last poll was in this turn, or a million turns before.
    #[inline]
    pub(super) fn was_polled_in(&self, turn: Turn) -> bool {
        self.0.get() & !FLAGS == turn.0
    }
}

/// The number of a turn of the loop, modulo a million, where the flags leave room for it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Turn(u32);

impl Turn {
    #[inline]
    pub(crate) fn next(self) -> Self {
        Self(self.0.wrapping_add(FLAGS + 1))
    }
}

/// The bits of the flags below; the turn is above them.
const FLAGS: u32 = (1 << 12) - 1;

/// The task is in the ready queue.
pub(super) const SCHEDULED: u32 = 1;
/// The task's future or output is being polled or dropped.
pub(super) const RUNNING: u32 = 1 << 1;
/// The future is gone.
pub(super) const DONE: u32 = 1 << 2;
/// The join handle exists.
pub(super) const HANDLE: u32 = 1 << 3;
/// The output is in the cell.
pub(super) const OUTPUT: u32 = 1 << 4;
/// The future is to be dropped as soon as it is not running.
pub(super) const ABORT: u32 = 1 << 5;
/// Somebody has asked the task to cancel.
pub(super) const CANCEL: u32 = 1 << 6;
/// The task is the main one of a `block_on`, which has to have its output.
pub(super) const MAIN: u32 = 1 << 7;
/// The task is a child of a group.
pub(super) const MEMBER: u32 = 1 << 8;
/// The scheduler is watched and wants to hear of wakes.
pub(super) const WATCHED: u32 = 1 << 10;
/// It is a call of a function, not a task that is shown.
pub(super) const CALL: u32 = 1 << 11;
