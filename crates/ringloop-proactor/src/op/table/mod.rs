//! The op table: owner of every operation in flight, at addresses that do not move.
//!
//! Slots live in chunks that are never reallocated and are reused through a free list, so in a
//! steady state an operation allocates nothing. Whoever owns an operation holds the address of its
//! slot; the kernel gets a number, which is looked up and checked when it comes back.
//!
//! The invariants I1 to I6 are those of [`op`](super).
//!
//! # Invariants
//!
//! - **T1** A chunk lives as long as the table, at one address. A [`Ticket`] or [`ServiceKey`] is
//!   used with the table that gave it out, by whoever has that table mutably borrowed; so a
//!   reference to a slot that borrows the table is the only one. Except while an operation in it
//!   describes itself, which may run a buffer's code: then the table only looks at the slot
//!   ([`OpTable::look`]), and the operation is in a cell.

#![expect(
    unsafe_code,
    reason = "operations of all types are stored in untyped slots"
)]

mod claim;
mod kernel;
mod owner;

use std::fmt;
use std::mem;
use std::ptr::{self, NonNull};

use super::erased::VTable;
use super::key::{INDEX_BITS, OpKey};
use super::report::OpReport;
use super::slot::{Slot, SlotPointer, State};
use crate::ring::TickClock;

pub(crate) use claim::{Detached, Disposition, ServiceKey, Staged, Ticket, Unprepared};
pub(crate) use kernel::{Next, Rest, Step};

/// Owns operations from the staging of their entries to their last completions.
pub(crate) struct OpTable {
    chunks: Vec<NonNull<[Slot; CHUNK]>>,
    first_free: Option<SlotPointer>,
    live: u32,
    in_flight: u32,
    lingering: u32,
}

impl OpTable {
    pub(crate) fn new() -> Self {
        Self {
            chunks: Vec::new(),
            first_free: None,
            live: 0,
            in_flight: 0,
            lingering: 0,
        }
    }

    /// Where the operation that `key` names is; free if it names none any more.
    pub(crate) fn state(&mut self, key: OpKey) -> State {
        self.find(key).map_or(State::Free, |at| self.slot(at).state)
    }

    /// What the operation in flight that `key` names is called, and the descriptor it is on.
    pub(crate) fn in_words(&mut self, key: OpKey) -> Option<(&'static str, Option<i32>)> {
        let at = self.find(key)?;
        let slot = self.slot(at);
        (slot.state == State::InFlight).then(|| (slot.vtable.name, slot.fd()))
    }

    /// What is known of the operation that `key` names, for people to read.
    pub(crate) fn report(&mut self, key: OpKey, clock: &TickClock) -> Option<OpReport> {
        let at = self.find(key)?;
        self.look(at).report(clock)
    }

    /// Reports of all operations in the table.
    pub(crate) fn reports(&mut self, clock: &TickClock) -> Vec<OpReport> {
        let indexes = 0..self.chunks.len() * CHUNK;
        indexes
            .filter_map(|index| {
                let at = self.at(index)?;
                self.look(at).report(clock)
            })
            .collect()
    }

    /// How many operations the kernel has not finished.
    pub(crate) fn in_flight(&self) -> usize {
        self.in_flight as usize
    }

    /// How many services go on although their owner is gone.
    pub(crate) fn lingering(&self) -> usize {
        self.lingering as usize
    }

    /// How many slots are taken.
    pub(crate) fn live(&self) -> usize {
        self.live as usize
    }

    #[inline]
    fn allocate(&mut self, vtable: &'static VTable, state: State) -> SlotPointer {
        let at = match self.first_free {
            Some(at) => at,
            None => self.grow(),
        };
        let slot = self.slot(at);
        slot.state = state;
        slot.abandoned = false;
        slot.lingers = false;
        slot.cancel_asked = false;
        slot.note = 0;
        slot.vtable = vtable;
        slot.hook = vtable.on_completion;
        let next_free = slot.next_free;
        self.first_free = next_free;
        self.live += 1;
        at
    }

    /// Makes a chunk of free slots; returns the first.
    #[cold]
    fn grow(&mut self) -> SlotPointer {
        let start = u32::try_from(self.chunks.len() * CHUNK)
            .ok()
            .filter(|start| start >> INDEX_BITS == 0);
        let start = start.expect("fewer than 2^26 slots");
        let chunk = std::array::from_fn(|at| {
            let offset = u32::try_from(at).expect("a chunk is small");
            Slot::free(start + offset, None)
        });
        let chunk = NonNull::from(Box::leak(Box::new(chunk)));
        self.chunks.push(chunk);
        let mut next_free = None;
        for index in (0..CHUNK).rev() {
            let at = self.at(start as usize + index);
            if let Some(at) = at {
                self.slot(at).next_free = next_free;
            }
            next_free = at;
        }
        self.first_free = next_free;
        next_free.expect("a chunk is not empty")
    }

    /// Frees the slot; its generation changes (I3). Its payload is the caller's.
    #[inline]
    fn free(&mut self, at: SlotPointer) {
        let first_free = self.first_free;
        let slot = self.slot(at);
        slot.key = slot.key.next();
        slot.state = State::Free;
        slot.next_free = first_free;
        let lingered = slot.lingers;
        self.first_free = Some(at);
        self.lingering -= u32::from(lingered);
        self.live -= 1;
    }

    fn detach(&mut self, at: SlotPointer, completed: bool) -> Detached {
        let slot = self.slot(at);
        let vtable = slot.vtable;
        let cqe = completed.then_some(slot.cqe());
        // SAFETY: the payload is moved out; the slot is freed, so nobody reads it here again.
        let payload = unsafe { ptr::read(slot.payload.get()) };
        self.free(at);
        Detached {
            vtable,
            payload,
            cqe,
        }
    }

    /// The slot that `key` names, if it still does.
    #[inline]
    fn find(&mut self, key: OpKey) -> Option<SlotPointer> {
        let at = self.at(key.index() as usize)?;
        (self.look(at).key == key).then_some(at)
    }

    #[inline]
    fn at(&self, index: usize) -> Option<SlotPointer> {
        let chunk = self.chunks.get(index / CHUNK)?.cast::<Slot>();
        // SAFETY: a chunk has `CHUNK` slots.
        Some(SlotPointer(unsafe { chunk.add(index % CHUNK) }))
    }

    #[inline]
    fn look(&self, at: SlotPointer) -> &Slot {
        // SAFETY: T1; what may be borrowed elsewhere is in a cell.
        unsafe { at.0.as_ref() }
    }

    #[inline]
    fn slot(&mut self, at: SlotPointer) -> &mut Slot {
        let mut slot = at.0;
        // SAFETY: T1.
        unsafe { slot.as_mut() }
    }
}

impl Drop for OpTable {
    fn drop(&mut self) {
        if self.in_flight > 0 {
            // I6: the kernel may still write into these slots.
            return;
        }
        for chunk in mem::take(&mut self.chunks) {
            // SAFETY: `grow` leaked it from a box; whoever holds a slot's address holds the table.
            drop(unsafe { Box::from_raw(chunk.as_ptr()) });
        }
    }
}

impl fmt::Debug for OpTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpTable")
            .field("live", &self.live)
            .field("in_flight", &self.in_flight)
            .finish_non_exhaustive()
    }
}

const CHUNK: usize = 64;
