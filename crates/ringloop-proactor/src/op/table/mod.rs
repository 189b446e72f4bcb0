//! The op table: owner of every operation in flight, at addresses that do not move.
//!
//! Slots live in chunks that are never reallocated and are reused, so in a steady state an operation
//! allocates nothing. Those of services are much smaller than those of one-shot operations. Whoever owns an operation holds the address of its
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
//! - **T2** The name of a slot tells its kind, always the same one. A [`SlotPointer`] is made of a
//!   pointer to the whole slot, so that it can become one again.

#![expect(
    unsafe_code,
    reason = "operations of all types are stored in untyped slots"
)]

mod claim;
mod kernel;
mod owner;
mod slab;

use std::fmt;
use std::ptr;

use super::erased::{Payload, VTable};
use super::key::OpKey;
use super::report::OpReport;
use super::slot::{OpPointer, OpSlot, ServicePointer, ServiceSlot, Slot, SlotPointer, State};
use crate::ring::{Sqe, TickClock};
use slab::Slab;

pub(crate) use claim::{Detached, Disposition, ServiceKey, Staged, Ticket, Unprepared};
pub(crate) use kernel::{Next, Rest, Step};

/// Owns operations from the staging of their entries to their last completions.
pub(crate) struct OpTable {
    ops: Slab<OpSlot>,
    first_free: Option<OpPointer>,
    services: Slab<ServiceSlot>,
    free_services: Vec<ServicePointer>,
    /// The entry of the service that was described last.
    service_entry: Sqe,
    live: u32,
    in_flight: u32,
    lingering: u32,
}

impl OpTable {
    pub(crate) fn new() -> Self {
        Self {
            ops: Slab::new(),
            first_free: None,
            services: Slab::new(),
            free_services: Vec::new(),
            service_entry: Sqe::default(),
            live: 0,
            in_flight: 0,
            lingering: 0,
        }
    }

    /// Where the operation that `key` names is; free if it names none any more.
    pub(crate) fn state(&self, key: OpKey) -> State {
        self.find(key).map_or(State::Free, |at| self.look(at).state)
    }

    /// What the operation in flight that `key` names is called, and the descriptor it is on.
    pub(crate) fn in_words(&self, key: OpKey) -> Option<(&'static str, Option<i32>)> {
        let slot = self.look(self.find(key)?);
        (slot.state == State::InFlight).then(|| (slot.vtable.name, slot.fd()))
    }

    /// What is known of the operation that `key` names, for people to read.
    pub(crate) fn report(&self, key: OpKey, clock: &TickClock) -> Option<OpReport> {
        self.report_at(self.find(key)?, clock)
    }

    /// Reports of all operations in the table.
    pub(crate) fn reports(&self, clock: &TickClock) -> Vec<OpReport> {
        let slots = self.all();
        slots.filter_map(|at| self.report_at(at, clock)).collect()
    }

    fn report_at(&self, at: SlotPointer, clock: &TickClock) -> Option<OpReport> {
        let slot = self.look(at);
        // Before, it may be about to describe itself (T1).
        let since = match slot.was_submitted() {
            false => 0,
            // SAFETY: T1 and T2.
            true if slot.key.is_service() => unsafe { at.0.cast::<ServiceSlot>().as_ref() }.since,
            // SAFETY: T1 and T2.
            true => unsafe { at.0.cast::<OpSlot>().as_ref() }.sqe.pad,
        };
        slot.report(since, clock)
    }

    /// All slots, the services' last.
    fn all(&self) -> impl Iterator<Item = SlotPointer> + use<'_> {
        let ops = (0..self.ops.len()).filter_map(|index| self.op_at(index));
        let services = (0..self.services.len()).filter_map(|index| self.service_at(index));
        let services = services.map(ServicePointer::any);
        ops.map(OpPointer::any).chain(services)
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
    fn allocate(&mut self, vtable: &'static VTable) -> OpPointer {
        let at = match self.first_free {
            Some(at) => at,
            None => self.grow(),
        };
        let op = self.op(at);
        op.slot.begin(vtable, State::Staged);
        op.note = 0;
        let next_free = op.next_free;
        self.first_free = next_free;
        self.live += 1;
        at
    }

    /// Makes more slots for one-shot operations; returns the first.
    #[cold]
    fn grow(&mut self) -> OpPointer {
        let mut first = self.first_free;
        for slot in self.ops.grow(OpSlot::free) {
            let next_free = first.replace(OpPointer(slot));
            self.op(OpPointer(slot)).next_free = next_free;
        }
        self.first_free = first;
        first.expect("a chunk is not empty")
    }

    fn allocate_service(&mut self, vtable: &'static VTable) -> ServicePointer {
        if self.free_services.is_empty() {
            let slots = self.services.grow(ServiceSlot::free);
            self.free_services.extend(slots.map(ServicePointer));
        }
        let at = self.free_services.pop();
        let at = at.expect("a chunk is not empty");
        self.slot(at.any()).begin(vtable, State::Idle);
        self.live += 1;
        at
    }

    /// Frees the slot; its generation changes (I3). Its payload is the caller's.
    #[inline]
    fn free(&mut self, at: OpPointer) {
        let first_free = self.first_free;
        let op = self.op(at);
        op.slot.key = op.slot.key.next();
        op.slot.state = State::Free;
        op.next_free = first_free;
        self.first_free = Some(at);
        self.live -= 1;
    }

    fn detach(&mut self, at: OpPointer, completed: bool) -> Detached {
        let op = self.op(at);
        let vtable = op.slot.vtable;
        let cqe = completed.then_some(op.cqe());
        // SAFETY: the payload is moved out; the slot is freed, so nobody reads it here again.
        let payload = unsafe { ptr::read(op.payload.get()) };
        self.free(at);
        Detached {
            vtable,
            payload,
            cqe,
        }
    }

    /// The same with a service.
    fn detach_service(&mut self, at: ServicePointer) -> Detached {
        let service = self.service_slot(at);
        let vtable = service.slot.vtable;
        // SAFETY: the payload is moved out; the slot is freed, so nobody reads it here again.
        let payload = unsafe { Payload::of_service(service.payload.get()) };
        service.slot.key = service.slot.key.next();
        service.slot.state = State::Free;
        let lingered = service.slot.lingers;
        self.lingering -= u32::from(lingered);
        self.free_services.push(at);
        self.live -= 1;
        Detached {
            vtable,
            payload,
            cqe: None,
        }
    }

    /// The slot that `key` names, if it still does.
    #[inline]
    fn find(&self, key: OpKey) -> Option<SlotPointer> {
        if key.is_service() {
            self.find_service(key).map(ServicePointer::any)
        } else {
            self.find_op(key).map(OpPointer::any)
        }
    }

    #[inline]
    fn find_op(&self, key: OpKey) -> Option<OpPointer> {
        let at = self.op_at(key.index() as usize)?;
        (self.look(at.any()).key == key).then_some(at)
    }

    #[inline]
    fn find_service(&self, key: OpKey) -> Option<ServicePointer> {
        let at = self.service_at(key.index() as usize)?;
        (self.look(at.any()).key == key).then_some(at)
    }

    #[inline]
    fn op_at(&self, index: usize) -> Option<OpPointer> {
        self.ops.get(index).map(OpPointer)
    }

    #[inline]
    fn service_at(&self, index: usize) -> Option<ServicePointer> {
        self.services.get(index).map(ServicePointer)
    }

    #[inline]
    fn look(&self, at: SlotPointer) -> &Slot {
        // SAFETY: T1; the operation is not in this part of its slot.
        unsafe { at.0.as_ref() }
    }

    #[inline]
    fn slot(&mut self, at: SlotPointer) -> &mut Slot {
        let mut slot = at.0;
        // SAFETY: T1.
        unsafe { slot.as_mut() }
    }

    #[inline]
    fn op(&mut self, at: OpPointer) -> &mut OpSlot {
        let mut slot = at.0;
        // SAFETY: T1.
        unsafe { slot.as_mut() }
    }

    #[inline]
    fn service_slot(&mut self, at: ServicePointer) -> &mut ServiceSlot {
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
        // SAFETY: whoever holds a slot's address holds the table (T1).
        unsafe { self.ops.free() };
        // SAFETY: as above.
        unsafe { self.services.free() };
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
