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

use std::fmt;
use std::marker::PhantomData;
use std::mem;
use std::ptr::{self, NonNull};
use std::task::Waker;

use super::erased::{Hooks, OneShot, Payload, VTable};
use super::key::OpKey;
use super::report::OpReport;
use super::slot::{Slot, SlotPointer, State};
use super::{Flow, Operation, RETIRED, Service};
use crate::ring::{Cqe, Sqe, TickClock, ticks};

/// Owns operations from the staging of their entries to their last completions.
pub(crate) struct OpTable {
    chunks: Vec<NonNull<[Slot; CHUNK]>>,
    first_free: Option<SlotPointer>,
    live: u32,
    in_flight: u32,
    lingering: u32,
}

/// A one-shot operation's claim on its slot. Given out once (I3).
pub(crate) struct Ticket<O> {
    slot: SlotPointer,
    kind: PhantomData<O>,
}

/// Where an operation waits to describe itself, and where to.
pub(crate) struct Unprepared<O> {
    pub(crate) op: *mut O,
    pub(crate) sqe: *mut Sqe,
}

/// A resource's claim on the slot of its service. Given out once (I3).
#[derive(Debug)]
pub(crate) struct ServiceKey(SlotPointer);

/// An operation whose entry waits for the next flush, if it still has the slot.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Staged {
    slot: SlotPointer,
    key: OpKey,
}

/// What became of an operation that its owner gave up.
pub(crate) enum Disposition {
    /// It was not in flight: drop this, with no borrow of the table alive (I5).
    Gone(#[expect(dead_code, reason = "it is there to be dropped")] Detached),
    /// It ends by itself; the table frees it. The kernel should be asked to end what is named.
    Left { ask: Option<OpKey> },
}

/// An operation on its way out of the table: nothing refers to it any more.
pub(crate) struct Detached {
    vtable: &'static VTable,
    payload: Payload,
    /// The result to dispose of; `None` if it was never submitted.
    cqe: Option<Cqe>,
}

impl Staged {
    pub(crate) fn key(self) -> OpKey {
        self.key
    }
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

    /// Stores a one-shot operation. It counts as staged, and its entry is still to be described.
    #[inline]
    pub(crate) fn insert<O: Operation>(&mut self, op: O, waker: Waker) -> Ticket<O> {
        let at = self.allocate(&OneShot::<O>::VTABLE, State::Staged);
        let slot = self.slot(at);
        Payload::store(slot.payload.get(), op);
        debug_assert!(slot.waker.is_none(), "a free slot holds no waker");
        // SAFETY: the place is valid; what it held, nothing, needs no drop.
        unsafe { ptr::write(&raw mut slot.waker, Some(waker)) };
        Ticket {
            slot: at,
            kind: PhantomData,
        }
    }

    /// Stores a service in state "idle".
    pub(crate) fn insert_service<S: Service>(&mut self, service: S) -> ServiceKey {
        let at = self.allocate(&Hooks::<S>::VTABLE, State::Idle);
        Payload::store(self.slot(at).payload.get(), service);
        ServiceKey(at)
    }

    /// The operation behind a ticket, and the place of its entry, to be prepared. They do not move
    /// while the ticket is held.
    #[inline]
    pub(crate) fn unprepared<O: Operation>(&mut self, ticket: &Ticket<O>) -> Unprepared<O> {
        let slot = self.slot(ticket.slot);
        Unprepared {
            op: Payload::pointer(slot.payload.get()),
            sqe: &raw mut slot.sqe,
        }
    }

    /// Names the entry of a staged operation, which has been written; returns it with what the
    /// entry says of the descriptor's home.
    #[inline]
    pub(crate) fn described<O>(&mut self, ticket: &Ticket<O>) -> (Staged, &Sqe, u64) {
        let slot = self.slot(ticket.slot);
        slot.sqe.user_data = slot.key.to_user_data();
        let home = mem::take(&mut slot.sqe.pad);
        let staged = Staged {
            slot: ticket.slot,
            key: slot.key,
        };
        (staged, &slot.sqe, home)
    }

    /// The entry of what is staged, to be changed; `None` if it is not staged any more.
    pub(crate) fn staged_entry(&mut self, key: OpKey) -> Option<(Staged, &mut Sqe)> {
        let at = self.find(key)?;
        let slot = self.slot(at);
        let staged = Staged {
            slot: at,
            key: slot.key,
        };
        (slot.state == State::Staged).then_some((staged, &mut slot.sqe))
    }

    /// Takes a completed operation out.
    #[inline]
    pub(crate) fn take<O: Operation>(&mut self, ticket: &Ticket<O>) -> Option<(O, Cqe)> {
        let slot = self.slot(ticket.slot);
        if slot.state != State::Completed {
            return None;
        }
        let cqe = slot.cqe();
        let payload = slot.payload.get();
        self.free(ticket.slot);
        // SAFETY: I3, this slot held an `O`, and the slot is free now, so it is read once.
        let op = unsafe { Payload::take::<O>(payload) };
        Some((op, cqe))
    }

    /// The waker that a completion will wake.
    #[inline]
    pub(crate) fn waker<O>(&mut self, ticket: &Ticket<O>) -> &mut Option<Waker> {
        &mut self.slot(ticket.slot).waker
    }

    /// The name of the operation behind a ticket.
    pub(crate) fn key<O>(&mut self, ticket: &Ticket<O>) -> OpKey {
        self.slot(ticket.slot).key
    }

    /// Ends a staged operation with `cqe` before it was submitted. `false`: it is not staged.
    pub(crate) fn complete_staged<O>(&mut self, ticket: &Ticket<O>, cqe: Cqe) -> bool {
        let slot = self.slot(ticket.slot);
        if slot.state == State::Staged {
            slot.state = State::Completed;
            slot.set_answer(cqe);
        }
        slot.state == State::Completed
    }

    /// Gives up a one-shot operation. Its waker has been taken.
    pub(crate) fn abandon<O>(&mut self, ticket: &Ticket<O>) -> Disposition {
        let slot = self.slot(ticket.slot);
        debug_assert!(slot.waker.is_none(), "I5: a waker is not dropped here");
        match slot.state {
            State::InFlight => {
                slot.abandoned = true;
                let was_asked = mem::replace(&mut slot.cancel_asked, true);
                Disposition::Left {
                    ask: (!was_asked).then_some(slot.key),
                }
            }
            State::Completed => Disposition::Gone(self.detach(ticket.slot, true)),
            State::Free | State::Idle | State::Staged => {
                Disposition::Gone(self.detach(ticket.slot, false))
            }
        }
    }

    /// Stages a service that is idle. `None`: it is under way already.
    #[inline]
    pub(crate) fn stage(&mut self, key: &ServiceKey) -> Option<Staged> {
        let slot = self.slot(key.0);
        if slot.state != State::Idle {
            return None;
        }
        slot.state = State::Staged;
        Some(Staged {
            slot: key.0,
            key: slot.key,
        })
    }

    /// Takes back a service that waits for the next flush. `false`: it does not.
    pub(crate) fn unstage(&mut self, key: &ServiceKey) -> bool {
        let slot = self.slot(key.0);
        let was_staged = slot.state == State::Staged;
        if was_staged {
            slot.state = State::Idle;
        }
        was_staged
    }

    /// Gives up a service. If it may `finish`, it goes on until it rests.
    pub(crate) fn release(&mut self, key: &ServiceKey, finish: bool) -> Disposition {
        let slot = self.slot(key.0);
        match slot.state {
            State::InFlight | State::Staged if finish => {
                slot.abandoned = true;
                slot.lingers = true;
                self.lingering += 1;
                Disposition::Left { ask: None }
            }
            State::InFlight => {
                slot.abandoned = true;
                let was_asked = mem::replace(&mut slot.cancel_asked, true);
                Disposition::Left {
                    ask: (!was_asked).then_some(slot.key),
                }
            }
            State::Free | State::Idle | State::Staged | State::Completed => {
                Disposition::Gone(self.detach(key.0, false))
            }
        }
    }

    /// Where the operation that `key` names is; free if it names none any more.
    pub(crate) fn state(&mut self, key: OpKey) -> State {
        self.find(key).map_or(State::Free, |at| self.slot(at).state)
    }

    /// Marks that the kernel has been asked to end `key`. `false`: it was asked before, or there
    /// is nothing to end.
    pub(crate) fn ask_cancel(&mut self, key: OpKey) -> bool {
        let Some(at) = self.find(key) else {
            return false;
        };
        let slot = self.slot(at);
        slot.state == State::InFlight && !mem::replace(&mut slot.cancel_asked, true)
    }

    /// What the operation in flight that `key` names is called, and the descriptor it is on.
    pub(crate) fn in_words(&mut self, key: OpKey) -> Option<(&'static str, Option<i32>)> {
        let at = self.find(key)?;
        let slot = self.slot(at);
        (slot.state == State::InFlight).then(|| (slot.vtable.name, slot.fd()))
    }

    /// Marks that the kernel is asked to end everything that it was not asked to end.
    pub(crate) fn ask_all(&mut self, mut ask: impl FnMut(OpKey)) {
        for index in 0..self.chunks.len() * CHUNK {
            let Some(at) = self.at(index) else { return };
            let slot = self.slot(at);
            if slot.state == State::InFlight && !mem::replace(&mut slot.cancel_asked, true) {
                ask(slot.key);
            }
        }
    }

    /// The name of a service's slot.
    pub(crate) fn service(&mut self, key: &ServiceKey) -> OpKey {
        self.slot(key.0).key
    }

    /// The entry to submit, which a service writes now; `None` if it is not staged any more.
    #[inline]
    pub(crate) fn entry(&mut self, staged: Staged) -> Option<&Sqe> {
        let slot = self.slot(staged.slot);
        if slot.state != State::Staged || slot.key != staged.key {
            return None;
        }
        if slot.hook.is_some()
            && let Some(prepare) = slot.vtable.prepare
        {
            slot.sqe = Sqe::default();
            // SAFETY: I3, the vtable is that of the payload's type; it is not in flight.
            unsafe { prepare(slot.payload.get(), &mut slot.sqe) };
            slot.sqe.user_data = slot.key.to_user_data();
            // A service works on descriptors of its own proactor.
            slot.sqe.pad = 0;
        }
        Some(&slot.sqe)
    }

    /// Counts what is staged as in flight from now on: its entry is in the queue.
    #[inline]
    pub(crate) fn submitted(&mut self, staged: Staged) {
        let slot = self.slot(staged.slot);
        slot.state = State::InFlight;
        slot.cancel_asked = false;
        slot.sqe.pad = ticks();
        self.in_flight += 1;
    }

    /// Handles a completion. Wakers go into `wakes`, what the table gives up into `gone`.
    // The loop that calls it exists twice, with and without an observer, and pays 30 instructions for
    // the call otherwise.
    #[inline(always)]
    pub(crate) fn completed(
        &mut self,
        key: OpKey,
        cqe: Cqe,
        wakes: &mut Vec<Waker>,
        gone: &mut Vec<Detached>,
    ) -> Next {
        let Some(at) = self.find(key) else {
            return Next::Stray;
        };
        let slot = self.slot(at);
        if slot.state != State::InFlight {
            return Next::Stray;
        }
        if let Some(hook) = slot.hook {
            // SAFETY: I3, the hook is that of the payload's type; I2 lets it at its own state.
            let flow = unsafe { hook(slot.payload.get(), cqe.res, cqe.flags, wakes) };
            return self.service_completed(at, cqe, flow, gone);
        }
        if slot.abandoned || cqe.says_more() {
            self.one_shot_completed(at, cqe, wakes, gone);
            return Next::Nothing;
        }
        slot.set_answer(cqe);
        slot.state = State::Completed;
        if let Some(waker) = slot.waker.take() {
            wakes.push(waker);
        }
        self.in_flight -= 1;
        Next::Nothing
    }

    /// A completion of an operation that nobody waits for, or that has two, or one that brings a
    /// buffer.
    #[cold]
    fn one_shot_completed(
        &mut self,
        at: SlotPointer,
        cqe: Cqe,
        wakes: &mut Vec<Waker>,
        gone: &mut Vec<Detached>,
    ) {
        let slot = self.slot(at);
        if cqe.buffer_id().is_some() {
            // SAFETY: I3, the vtable is that of the payload's type; the kernel has done its part.
            unsafe { (slot.vtable.lease)(slot.payload.get(), cqe) };
        }
        if cqe.is_notification() {
            slot.note = cqe.res.cast_unsigned();
        } else {
            slot.set_answer(cqe);
        }
        if !cqe.is_last() {
            // The result; the notification that the memory is free again comes later.
            return;
        }
        slot.state = State::Completed;
        if slot.abandoned {
            gone.push(self.detach(at, true));
        } else {
            wakes.extend(slot.waker.take());
        }
        self.in_flight -= 1;
    }

    #[inline]
    fn service_completed(
        &mut self,
        at: SlotPointer,
        cqe: Cqe,
        flow: Flow,
        gone: &mut Vec<Detached>,
    ) -> Next {
        let slot = self.slot(at);
        if !cqe.is_last() {
            if flow != Flow::Stop && !slot.cancel_asked {
                return Next::Nothing;
            }
            return if mem::replace(&mut slot.cancel_asked, true) {
                Next::Insist(slot.key)
            } else {
                Next::Cancel(slot.key)
            };
        }
        // What was given up is not started again, unless it was left to finish.
        let rests = flow != Flow::Again || (slot.abandoned && !slot.lingers);
        slot.state = if rests { State::Idle } else { State::Staged };
        let is_over = rests && slot.abandoned;
        let key = slot.key;
        self.in_flight -= 1;
        if is_over {
            gone.push(self.detach(at, false));
        }
        if rests {
            Next::Nothing
        } else {
            Next::Submit(Staged { slot: at, key })
        }
    }

    /// Ends a staged one-shot operation with `answer`, unsubmitted; returns who waits for it. A
    /// staged service is told [`RETIRED`].
    pub(crate) fn refuse(
        &mut self,
        staged: Staged,
        answer: Cqe,
        wakes: &mut Vec<Waker>,
        gone: &mut Vec<Detached>,
    ) {
        let slot = self.slot(staged.slot);
        if slot.state != State::Staged || slot.key != staged.key {
            return;
        }
        let Some(hook) = slot.hook else {
            slot.set_answer(answer);
            slot.state = State::Completed;
            wakes.extend(slot.waker.take());
            return;
        };
        slot.state = State::Idle;
        // SAFETY: I3, the vtable is that of the payload's type; the service is not in flight.
        unsafe { hook(slot.payload.get(), -RETIRED, 0, wakes) };
        if slot.abandoned {
            gone.push(self.detach(staged.slot, false));
        }
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
        let start = u32::try_from(self.chunks.len() * CHUNK).expect("fewer than 2^32 slots");
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

/// What a completion leaves to be done.
#[derive(Debug)]
pub(crate) enum Next {
    Nothing,
    /// Nothing that the completion names is in flight.
    Stray,
    /// A service wants to be submitted again.
    Submit(Staged),
    /// A service wants the kernel to be asked for its end.
    Cancel(OpKey),
    /// The kernel was asked, and there is more. The request may have come when the kernel had the
    /// operation in its hands and did not find it, as a timeout that goes off.
    Insist(OpKey),
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

impl Drop for Detached {
    fn drop(&mut self) {
        // SAFETY: I3, the vtable is that of the payload's type; it left the table, so it is
        // completed or dropped here and nowhere else.
        unsafe { (self.vtable.dispose)(&raw mut self.payload, self.cqe) };
    }
}

impl fmt::Debug for Detached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Detached").field(&self.vtable.name).finish()
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
