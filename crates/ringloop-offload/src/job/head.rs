//! The part of a job's cell that is the same for every closure.
//!
//! It holds the waiter's waker, whose owner the [`State`] names, and a lock around what few jobs
//! have. A job of a small closure is one of 120 bytes at most, which the allocator of glibc serves
//! from a list of its own; beyond that, a burst of jobs costs twice as much there.
//!
//! # Invariants
//!
//! - **I1** The cell of the waker is full while `WAITING` is set in the state and `SET` and `GONE`
//!   are not, and empty before. Only the waiter fills it.
//! - **I2** The waker belongs to the waiter, but for one case: the end of the job that finds
//!   `WAITING` and not `GONE`, and by this transition sets `SET`, owns it from then on.
//! - **I3** While `WAITING` is set, both sides only read the cell: the waiter compares, the end moves
//!   the waker out. It is filled again only after `end_wait`, if that found no `SET`.
//! - **I4** One thread at a time is the waiter. This is the contract of the unsafe functions here.

#![expect(
    unsafe_code,
    reason = "the waker's cell is shared between threads, and the state word says whose it is"
)]

use std::mem::{self, MaybeUninit};
use std::task::Waker;

use super::state::{Leave, Look, State};
use super::tag::{JobId, Parent, Tag, next_id};
use super::wish::Wish;
use crate::contain::{catch, drop_quietly};
use crate::limiter::{Held, Slot};
use crate::loom::atomic::AtomicBool;
use crate::loom::{Mutex, UnsafeCell, lock};

pub(crate) struct Head {
    pub(super) state: State,
    // Relaxed throughout: it carries a wish and publishes nothing. The lock publishes the reason.
    pub(super) is_asked: AtomicBool,
    id: JobId,
    waker: WakerCell,
    tag: Tag,
    pub(super) rare: Mutex<Rare>,
}

/// What few jobs have. Not touched while a job has none of it.
#[derive(Default)]
pub(super) struct Rare {
    slot: Option<Box<Slot>>,
    pub(super) rarer: Option<Box<Rarer>>,
}

#[derive(Default)]
pub(super) struct Rarer {
    pub(super) wish: Wish,
    /// The job for which this one blocks its thread.
    awaited: Option<JobId>,
}

struct WakerCell(UnsafeCell<MaybeUninit<Waker>>);

// SAFETY: I1 to I3: one thread at a time uses the waker exclusively, which is `Send` and `Sync`.
unsafe impl Sync for WakerCell {}

impl Head {
    #[inline]
    pub(super) fn new(tag: Tag) -> Self {
        Self {
            state: State::new(),
            is_asked: AtomicBool::new(false),
            id: next_id(),
            waker: WakerCell(UnsafeCell::new(MaybeUninit::uninit())),
            tag,
            rare: Mutex::new(Rare {
                slot: None,
                rarer: None,
            }),
        }
    }

    pub(crate) fn tag(&self) -> &Tag {
        &self.tag
    }

    pub(crate) fn id(&self) -> JobId {
        self.id
    }

    /// This job as the parent of those that it offloads.
    pub(super) fn as_parent(&self) -> Parent {
        Parent {
            id: self.id,
            location: self.tag.location(),
        }
    }

    /// The job for which this one blocks its thread in [`Offload::wait`](crate::Offload::wait).
    pub(crate) fn is_waiting_for(&self) -> Option<JobId> {
        lock(&self.rare).rarer.as_ref()?.awaited
    }

    /// Says for which job this one blocks its thread.
    pub(super) fn set_waiting_for(&self, awaited: Option<JobId>) {
        lock(&self.rare).rarer.get_or_insert_default().awaited = awaited;
    }

    /// Ends the job and wakes the waiter; `false` if it is gone. For the one who took the closure.
    #[inline]
    pub(super) fn end(&self) -> bool {
        let end = self.state.end();
        if end.is_waiting {
            // SAFETY: I2: the waker became this side's by the transition.
            let waker = unsafe { self.read_waker() };
            if let Err(payload) = catch(move || waker.wake()) {
                // The outcome has arrived all the same.
                drop_quietly(payload);
            }
        }
        if end.is_listened {
            self.let_listeners_go();
        }
        !end.is_gone
    }

    /// Exchanges the slot of a limiter. One that comes too late is free at once.
    pub(super) fn replace_slot(&self, slot: Option<Box<Slot>>) -> Option<Box<Slot>> {
        if slot.is_none() && !self.state.holds() {
            return None;
        }
        let is_some = slot.is_some();
        let replaced = mem::replace(&mut lock(&self.rare).slot, slot);
        // Either this sees that the job was taken, or the one who takes it sees that it holds a slot.
        if is_some && !self.state.hold() {
            self.take_slot();
        }
        replaced
    }

    /// Says that a job with this slot runs on this thread, until the guard is dropped.
    #[inline]
    pub(super) fn hold_slot(&self) -> Option<Held> {
        if !self.state.holds() {
            return None;
        }
        self.hold_this_slot()
    }

    #[cold]
    fn hold_this_slot(&self) -> Option<Held> {
        lock(&self.rare).slot.as_deref().map(Slot::hold)
    }

    /// Gives the slot back, if there is one. For the one who took the closure, when nothing is left
    /// of it.
    #[inline]
    pub(super) fn free_slot(&self) {
        if self.state.holds() {
            self.take_slot();
        }
    }

    #[cold]
    fn take_slot(&self) {
        let slot = lock(&self.rare).slot.take();
        if let Some(slot) = slot {
            slot.end();
        }
    }

    /// Looks for the outcome, or registers `waker` for it. It never returns [`Look::Unset`] unless
    /// the waker is registered.
    ///
    /// # Safety
    ///
    /// The caller is the waiter (I4).
    #[inline]
    pub(super) unsafe fn poll(&self, waker: &Waker) -> Look {
        let look = self.state.look();
        let Look::Unset { is_waiting } = look else {
            return look;
        };
        if is_waiting {
            let is_known = self.waker.0.with(|cell| {
                // SAFETY: I1 and I3: the cell is full, and whoever else uses it only reads. The
                // waker in it may have been woken meanwhile; its two words, which are compared, are
                // still there.
                let known = unsafe { &*cell.cast::<Waker>() };
                known.will_wake(waker)
            });
            if is_known {
                return look;
            }
        }
        let clone = waker.clone();
        if is_waiting {
            if !self.state.end_wait() {
                // The cell is not to be touched: the end takes the waker out.
                return Look::Set;
            }
            // SAFETY: I2: the waker is the waiter's, which does not use it again.
            let replaced = unsafe { self.read_waker() };
            drop_quietly(replaced);
        }
        self.waker.0.with_mut(|cell| {
            // SAFETY: I3: `WAITING` is not set, so the cell is the waiter's alone (I4).
            unsafe { cell.cast::<Waker>().write(clone) };
        });
        if self.state.begin_wait() {
            return Look::Unset { is_waiting: true };
        }
        // SAFETY: I2: the end found no `WAITING`, so the waker still is the waiter's.
        let unneeded = unsafe { self.read_waker() };
        drop_quietly(unneeded);
        Look::Set
    }

    /// Says that the waiter goes, and drops its waker.
    ///
    /// # Safety
    ///
    /// The caller is the waiter (I4), and does not come again.
    pub(super) unsafe fn leave(&self) -> Leave {
        let leave = self.state.leave();
        if let Leave::Queued { is_waiting: true }
        | Leave::Taken {
            is_waiting: true, ..
        } = leave
        {
            // SAFETY: I2: the end finds `GONE`, so the waker still is the waiter's.
            let waker = unsafe { self.read_waker() };
            drop_quietly(waker);
        }
        leave
    }

    /// Moves the waker out of its cell. It only reads, because the other side may do so too.
    ///
    /// # Safety
    ///
    /// The cell is full (I1), and the waker belongs to the caller (I2), who moves it out once.
    unsafe fn read_waker(&self) -> Waker {
        self.waker.0.with(|cell| {
            // SAFETY: the contract of the function.
            unsafe { cell.cast::<Waker>().read() }
        })
    }
}
