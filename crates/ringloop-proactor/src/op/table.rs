//! The op table: owner of every operation in flight, at addresses that do not move.
//!
//! Slots live in chunks that are never reallocated and are reused through a free list, so in a
//! steady state an operation allocates nothing.
//!
//! The invariants I1 to I6 are those of [`op`](super).

#![expect(
    unsafe_code,
    reason = "operations of all types are stored in untyped slots"
)]

use std::cell::UnsafeCell;
use std::fmt;
use std::marker::PhantomData;
use std::mem;
use std::task::Waker;
use std::time::Duration;

use super::erased::{FREE, Hooks, OneShot, Payload, VTable};
use super::key::{OpKey, next_generation};
use super::report::{OpReport, OpState};
use super::{Flow, Operation, RETIRED, Service};
use crate::ring::{Cqe, Sqe};

/// Owns operations from the staging of their entries to their last completions.
pub(crate) struct OpTable {
    chunks: Vec<Box<[Slot; CHUNK]>>,
    first_free: u32,
    live: u32,
    in_flight: u32,
    lingering: u32,
}

/// A one-shot operation's claim on its slot. Given out once (I3).
pub(crate) struct Ticket<O> {
    key: OpKey,
    kind: PhantomData<O>,
}

/// A resource's claim on the slot of its service. Given out once (I3).
#[derive(Debug)]
pub(crate) struct ServiceKey(OpKey);

/// Where an operation is; the table of [`op`](super) says what leads where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Free,
    Idle,
    Staged,
    InFlight,
    Completed,
}

/// What became of an operation that its owner gave up.
pub(crate) enum Disposition {
    /// It was not in flight: drop this, with no borrow of the table alive (I5).
    Gone(Detached),
    /// It ends by itself; the table frees it. Whether the kernel should be asked to end it now.
    Left { ask: bool },
}

/// An operation on its way out of the table: nothing refers to it any more.
pub(crate) struct Detached {
    vtable: &'static VTable,
    payload: Payload,
    /// The result to dispose of; `None` if it was never submitted.
    cqe: Option<Cqe>,
}

impl OpTable {
    pub(crate) fn new() -> Self {
        Self {
            chunks: Vec::new(),
            first_free: NONE,
            live: 0,
            in_flight: 0,
            lingering: 0,
        }
    }

    /// Stores a one-shot operation in state "staged".
    pub(crate) fn insert<O: Operation>(&mut self, op: O, waker: Waker) -> Ticket<O> {
        let key = self.allocate(&OneShot::<O>::VTABLE, Payload::new(op));
        let slot = self.slot(key);
        slot.state = State::Staged;
        slot.waker = Some(waker);
        Ticket {
            key,
            kind: PhantomData,
        }
    }

    /// Stores a service in state "idle".
    pub(crate) fn insert_service<S: Service>(&mut self, service: S) -> ServiceKey {
        ServiceKey(self.allocate(&Hooks::<S>::VTABLE, Payload::new(service)))
    }

    /// The operation behind a ticket, to be prepared. It does not move while the ticket is held.
    pub(crate) fn pinned<O: Operation>(&mut self, ticket: &Ticket<O>) -> *mut O {
        Payload::pointer(self.slot(ticket.key).payload.get())
    }

    /// Takes a completed operation out.
    pub(crate) fn take<O: Operation>(&mut self, ticket: &Ticket<O>) -> Option<(O, Cqe)> {
        let slot = self.slot(ticket.key);
        if slot.state != State::Completed {
            return None;
        }
        let cqe = slot.cqe;
        let payload = self.free(ticket.key);
        // SAFETY: I3, this slot held an `O`, and the slot is free now, so it is read once.
        let op = unsafe { payload.into_inner::<O>() };
        Some((op, cqe))
    }

    /// The waker that a completion will wake.
    pub(crate) fn waker<O>(&mut self, ticket: &Ticket<O>) -> &mut Option<Waker> {
        &mut self.slot(ticket.key).waker
    }

    /// Ends a staged operation with `cqe` before it was submitted. `false`: it is not staged.
    pub(crate) fn complete_staged<O>(&mut self, ticket: &Ticket<O>, cqe: Cqe) -> bool {
        let slot = self.slot(ticket.key);
        if slot.state == State::Staged {
            slot.state = State::Completed;
            slot.cqe = cqe;
        }
        slot.state == State::Completed
    }

    /// Gives up a one-shot operation. Its waker has been taken.
    pub(crate) fn abandon<O>(&mut self, ticket: &Ticket<O>) -> Disposition {
        let slot = self.slot(ticket.key);
        debug_assert!(slot.waker.is_none(), "I5: a waker is not dropped here");
        match slot.state {
            State::InFlight => {
                slot.abandoned = true;
                Disposition::Left {
                    ask: !mem::replace(&mut slot.cancel_asked, true),
                }
            }
            State::Completed => Disposition::Gone(self.detach(ticket.key, true)),
            State::Free | State::Idle | State::Staged => {
                Disposition::Gone(self.detach(ticket.key, false))
            }
        }
    }

    /// Stages a service that is idle. `false`: it is under way already.
    pub(crate) fn stage(&mut self, key: &ServiceKey) -> bool {
        let slot = self.slot(key.0);
        let idle = slot.state == State::Idle;
        if idle {
            slot.state = State::Staged;
        }
        idle
    }

    /// Gives up a service. If it may `finish`, it goes on until it rests.
    pub(crate) fn release(&mut self, key: &ServiceKey, finish: bool) -> Disposition {
        let slot = self.slot(key.0);
        match slot.state {
            State::InFlight | State::Staged if finish => {
                slot.abandoned = true;
                slot.lingers = true;
                self.lingering += 1;
                Disposition::Left { ask: false }
            }
            State::InFlight => {
                slot.abandoned = true;
                Disposition::Left {
                    ask: !mem::replace(&mut slot.cancel_asked, true),
                }
            }
            State::Free | State::Idle | State::Staged | State::Completed => {
                Disposition::Gone(self.detach(key.0, false))
            }
        }
    }

    /// Where the operation that `key` names is; free if it names none any more.
    #[inline]
    pub(crate) fn state(&mut self, key: OpKey) -> State {
        self.live_slot(key).map_or(State::Free, |slot| slot.state)
    }

    /// Marks that the kernel has been asked to end `key`. `false`: it was asked before, or there
    /// is nothing to end.
    pub(crate) fn ask_cancel(&mut self, key: OpKey) -> bool {
        if self.state(key) != State::InFlight {
            return false;
        }
        !mem::replace(&mut self.slot(key).cancel_asked, true)
    }

    /// Writes the entry of a staged service, which counts as in flight from `now` on. `false`: it
    /// is not staged any more.
    #[inline]
    pub(crate) fn submit_service(&mut self, key: OpKey, sqe: &mut Sqe, now: u64) -> bool {
        let staged = self
            .live_slot(key)
            .filter(|slot| slot.state == State::Staged);
        let Some(slot) = staged else { return false };
        let Some(prepare) = slot.vtable.prepare else {
            return false;
        };
        slot.state = State::InFlight;
        slot.cancel_asked = false;
        // SAFETY: I3, the vtable is that of the payload's type; the service is not in flight.
        unsafe { prepare(slot.payload.get(), sqe) };
        sqe.user_data = key.to_user_data();
        slot.fd = sqe.fd;
        slot.since = now;
        self.in_flight += 1;
        true
    }

    /// Counts a staged one-shot operation on `fd` as in flight from `now` on. `false`: it is not
    /// staged any more.
    #[inline]
    pub(crate) fn submit(&mut self, key: OpKey, fd: i32, now: u64) -> bool {
        let staged = self
            .live_slot(key)
            .filter(|slot| slot.state == State::Staged);
        let is_staged = staged.map(|slot| {
            slot.state = State::InFlight;
            slot.cancel_asked = false;
            slot.fd = fd;
            slot.since = now;
        });
        self.in_flight += u32::from(is_staged.is_some());
        is_staged.is_some()
    }

    /// Takes back that an operation was submitted: its entry found no room.
    #[cold]
    pub(crate) fn unsubmit(&mut self, key: OpKey) {
        self.slot(key).state = State::Staged;
        self.in_flight -= 1;
    }

    /// Handles a completion. Wakers go into `wakes`, what the table gives up into `gone`.
    ///
    /// Returns what a service asks for next, [`Flow::Rest`] for everything else, and `None` if
    /// nothing that `key` names is in flight.
    #[inline]
    pub(crate) fn completed(
        &mut self,
        key: OpKey,
        cqe: Cqe,
        wakes: &mut Vec<Waker>,
        gone: &mut Vec<Detached>,
    ) -> Option<Flow> {
        let slot = self
            .live_slot(key)
            .filter(|slot| slot.state == State::InFlight)?;
        let Some(hook) = slot.vtable.on_completion else {
            if cqe.is_last() {
                self.one_shot_completed(key, cqe, wakes, gone);
            } else {
                // The result; the notification that the memory is free again comes later.
                slot.cqe = cqe;
            }
            return Some(Flow::Rest);
        };
        // SAFETY: I3, the vtable is that of the payload's type; I2 lets the hook at its own state.
        let flow = unsafe { hook(slot.payload.get(), cqe.res, cqe.flags, wakes) };
        if !cqe.is_last() {
            return Some(flow);
        }
        // What was given up is not started again, unless it was left to finish.
        let rests = flow != Flow::Again || (slot.abandoned && !slot.lingers);
        slot.state = if rests { State::Idle } else { State::Staged };
        let is_over = rests && slot.abandoned;
        self.in_flight -= 1;
        if is_over {
            gone.push(self.detach(key, false));
        }
        Some(if rests { Flow::Rest } else { Flow::Again })
    }

    fn one_shot_completed(
        &mut self,
        key: OpKey,
        cqe: Cqe,
        wakes: &mut Vec<Waker>,
        gone: &mut Vec<Detached>,
    ) {
        self.in_flight -= 1;
        let slot = self.slot(key);
        slot.cqe = if cqe.is_notification() {
            slot.cqe.notified(cqe)
        } else {
            cqe
        };
        slot.state = State::Completed;
        if slot.abandoned {
            gone.push(self.detach(key, true));
        } else if let Some(waker) = slot.waker.take() {
            wakes.push(waker);
        }
    }

    /// Ends a staged one-shot operation with `answer`, unsubmitted; returns who waits for it.
    pub(crate) fn refuse(&mut self, key: OpKey, answer: Cqe) -> Option<Waker> {
        let slot = self
            .live_slot(key)
            .filter(|slot| slot.state == State::Staged)?;
        slot.cqe = answer;
        slot.state = State::Completed;
        slot.waker.take()
    }

    /// Tells a staged service [`RETIRED`]: at shutdown nothing is started.
    pub(crate) fn rest(&mut self, key: OpKey, wakes: &mut Vec<Waker>, gone: &mut Vec<Detached>) {
        let staged = self
            .live_slot(key)
            .filter(|slot| slot.state == State::Staged);
        let Some(slot) = staged else { return };
        slot.state = State::Idle;
        if let Some(hook) = slot.vtable.on_completion {
            // SAFETY: I3, the vtable is that of the payload's type; the service is not in flight.
            unsafe { hook(slot.payload.get(), -RETIRED, 0, wakes) };
        }
        if slot.abandoned {
            gone.push(self.detach(key, false));
        }
    }

    /// What is known of the operation that `key` names, for people to read.
    pub(crate) fn report(&self, key: OpKey, now: u64) -> Option<OpReport> {
        let slot = self
            .chunks
            .get(key.index() / CHUNK)?
            .get(key.index() % CHUNK)?;
        (slot.generation == key.generation()).then(|| slot.report(now))?
    }

    /// Reports of all operations in the table.
    pub(crate) fn reports(&self, now: u64) -> impl Iterator<Item = OpReport> + '_ {
        let slots = self.chunks.iter().flat_map(|chunk| chunk.iter());
        slots.filter_map(move |slot| slot.report(now))
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

    fn allocate(&mut self, vtable: &'static VTable, payload: Payload) -> OpKey {
        if self.first_free == NONE {
            self.grow();
        }
        let index = self.first_free;
        let slot = &mut self.chunks[index as usize / CHUNK][index as usize % CHUNK];
        let key = OpKey::new(index, slot.generation);
        let next_free = slot.next_free;
        slot.state = State::Idle;
        slot.vtable = vtable;
        slot.payload = UnsafeCell::new(payload);
        self.first_free = next_free;
        self.live += 1;
        key
    }

    #[cold]
    fn grow(&mut self) {
        let start = u32::try_from(self.chunks.len() * CHUNK).expect("fewer than 2^32 slots");
        let end = start + u32::try_from(CHUNK).expect("a chunk is small");
        let chunk = std::array::from_fn(|at| {
            let next = start + u32::try_from(at).expect("a chunk is small") + 1;
            Slot::free(if next == end { NONE } else { next })
        });
        self.chunks.push(Box::new(chunk));
        self.first_free = start;
    }

    /// Frees the slot; its generation changes (I3).
    fn free(&mut self, key: OpKey) -> Payload {
        let first_free = self.first_free;
        let slot = self.slot(key);
        slot.generation = next_generation(slot.generation);
        slot.state = State::Free;
        slot.abandoned = false;
        slot.cancel_asked = false;
        slot.since = 0;
        slot.next_free = first_free;
        let lingered = mem::replace(&mut slot.lingers, false);
        let payload = mem::replace(&mut slot.payload, UnsafeCell::new(Payload::EMPTY));
        self.lingering -= u32::from(lingered);
        self.first_free = u32::try_from(key.index()).expect("the index came from a u32");
        self.live -= 1;
        payload.into_inner()
    }

    fn detach(&mut self, key: OpKey, completed: bool) -> Detached {
        let slot = self.slot(key);
        let vtable = slot.vtable;
        let cqe = completed.then_some(slot.cqe);
        Detached {
            vtable,
            payload: self.free(key),
            cqe,
        }
    }

    /// The slot that `key` names, if it still does.
    #[inline]
    fn live_slot(&mut self, key: OpKey) -> Option<&mut Slot> {
        let chunk = self.chunks.get_mut(key.index() / CHUNK)?;
        let slot = &mut chunk[key.index() % CHUNK];
        (slot.generation == key.generation()).then_some(slot)
    }

    /// The slot of a key that is held by its owner.
    #[inline]
    fn slot(&mut self, key: OpKey) -> &mut Slot {
        self.live_slot(key).expect("I3: a held key names its slot")
    }
}

impl Drop for OpTable {
    fn drop(&mut self) {
        if self.in_flight > 0 {
            // I6: the kernel may still write into these slots.
            Vec::leak(mem::take(&mut self.chunks));
        }
    }
}

impl<O> Ticket<O> {
    pub(crate) fn key(&self) -> OpKey {
        self.key
    }
}

impl ServiceKey {
    pub(crate) fn key(&self) -> OpKey {
        self.0
    }
}

impl Drop for Detached {
    fn drop(&mut self) {
        // SAFETY: I3, the vtable is that of the payload's type; it left the table, so it is
        // completed or dropped here and nowhere else.
        unsafe { (self.vtable.dispose)(&raw mut self.payload, self.cqe) };
    }
}

struct Slot {
    payload: UnsafeCell<Payload>,
    waker: Option<Waker>,
    vtable: &'static VTable,
    cqe: Cqe,
    /// When it was submitted, on the clock of the ring.
    since: u64,
    fd: i32,
    generation: u32,
    next_free: u32,
    state: State,
    abandoned: bool,
    lingers: bool,
    cancel_asked: bool,
}

impl Slot {
    fn free(next_free: u32) -> Self {
        Self {
            payload: UnsafeCell::new(Payload::EMPTY),
            waker: None,
            vtable: &FREE,
            cqe: Cqe {
                user_data: 0,
                res: 0,
                flags: 0,
            },
            since: 0,
            fd: -1,
            generation: 1,
            next_free,
            state: State::Free,
            abandoned: false,
            lingers: false,
            cancel_asked: false,
        }
    }
}

impl Slot {
    fn report(&self, now: u64) -> Option<OpReport> {
        let state = match self.state {
            State::Free => return None,
            State::Idle => OpState::Idle,
            State::Staged => OpState::Staged,
            State::InFlight if self.abandoned => OpState::Abandoned,
            State::InFlight => OpState::InFlight,
            State::Completed => OpState::Completed,
        };
        let was_submitted = self.state != State::Staged && self.since > 0;
        Some(OpReport::new(
            self.vtable.name,
            state,
            was_submitted.then_some(self.fd),
            Duration::from_nanos(now.saturating_sub(self.since)),
        ))
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

/// End of the free list.
const NONE: u32 = u32::MAX;
const CHUNK: usize = 64;

const _: () = assert!(size_of::<Slot>() <= 128, "a slot is two cache lines");
