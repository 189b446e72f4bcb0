//! What the owners of operations do: put them in, look, give them up, take them out.

use std::marker::PhantomData;
use std::mem;
use std::ptr;
use std::task::Waker;

use super::{Disposition, OpTable, ServiceKey, Staged, Ticket, Unprepared};
use crate::op::erased::{Hooks, OneShot, Payload, ServiceRoom};
use crate::op::key::OpKey;
use crate::op::slot::{OpSlot, State};
use crate::op::{Operation, Service};
use crate::ring::{Cqe, Sqe};

impl OpTable {
    /// Stores a one-shot operation. It counts as staged, and its entry is still to be described.
    #[inline]
    pub(crate) fn insert<O: Operation>(&mut self, op: O, waker: Waker) -> Ticket<O> {
        let at = self.allocate(&OneShot::<O>::VTABLE);
        let slot = self.op(at);
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
        let at = self.allocate_service(&Hooks::<S>::VTABLE);
        ServiceRoom::store(self.service_slot(at).payload.get(), service);
        ServiceKey(at)
    }

    /// The operation behind a ticket, and the place of its entry, to be prepared. They do not move
    /// while the ticket is held.
    #[inline]
    pub(crate) fn unprepared<O: Operation>(&mut self, ticket: &Ticket<O>) -> Unprepared<O> {
        let op = self.op(ticket.slot);
        Unprepared {
            op: Payload::pointer(op.payload.get()),
            sqe: &raw mut op.sqe,
        }
    }

    /// Names the entry of a staged operation, which has been written; returns it with what the
    /// entry says of the descriptor's home.
    #[inline]
    pub(crate) fn described<O>(&mut self, ticket: &Ticket<O>) -> (Staged, &Sqe, u64) {
        let OpSlot { slot, sqe, .. } = self.op(ticket.slot);
        sqe.user_data = slot.key.to_user_data();
        slot.fd = sqe.fd;
        let home = mem::take(&mut sqe.pad);
        let staged = Staged {
            slot: ticket.slot.any(),
            key: slot.key,
        };
        (staged, sqe, home)
    }

    /// The entry of a one-shot operation that is staged, to be changed; `None` if it is not any more.
    pub(crate) fn staged_entry(&mut self, key: OpKey) -> Option<(Staged, &mut Sqe)> {
        let at = self.find_op(key).filter(|_| !key.is_service())?;
        let OpSlot { slot, sqe, .. } = self.op(at);
        let staged = Staged {
            slot: at.any(),
            key: slot.key,
        };
        (slot.state == State::Staged).then_some((staged, sqe))
    }

    /// Takes a completed operation out.
    #[inline]
    pub(crate) fn take<O: Operation>(&mut self, ticket: &Ticket<O>) -> Option<(O, Cqe)> {
        let op = self.op(ticket.slot);
        if op.slot.state != State::Completed {
            return None;
        }
        let cqe = op.cqe();
        let payload = op.payload.get();
        self.free(ticket.slot);
        // SAFETY: I3, this slot held an `O`, and the slot is free now, so it is read once.
        let op = unsafe { Payload::take::<O>(payload) };
        Some((op, cqe))
    }

    /// The waker that a completion will wake.
    #[inline]
    pub(crate) fn waker<O>(&mut self, ticket: &Ticket<O>) -> &mut Option<Waker> {
        &mut self.op(ticket.slot).waker
    }

    /// The name of the operation behind a ticket.
    pub(crate) fn key<O>(&mut self, ticket: &Ticket<O>) -> OpKey {
        self.op(ticket.slot).slot.key
    }

    /// Ends a staged operation with `cqe` before it was submitted. `false`: it is not staged.
    pub(crate) fn complete_staged<O>(&mut self, ticket: &Ticket<O>, cqe: Cqe) -> bool {
        let op = self.op(ticket.slot);
        if op.slot.state == State::Staged {
            op.slot.state = State::Completed;
            op.set_answer(cqe);
        }
        op.slot.state == State::Completed
    }

    /// Gives up a one-shot operation. Its waker has been taken.
    pub(crate) fn abandon<O>(&mut self, ticket: &Ticket<O>) -> Disposition {
        let op = self.op(ticket.slot);
        debug_assert!(op.waker.is_none(), "I5: a waker is not dropped here");
        let slot = &mut op.slot;
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
        let slot = self.slot(key.0.any());
        if slot.state != State::Idle {
            return None;
        }
        slot.state = State::Staged;
        Some(Staged {
            slot: key.0.any(),
            key: slot.key,
        })
    }

    /// Takes back a service that waits for the next flush. `false`: it does not.
    pub(crate) fn unstage(&mut self, key: &ServiceKey) -> bool {
        let slot = self.slot(key.0.any());
        let was_staged = slot.state == State::Staged;
        if was_staged {
            slot.state = State::Idle;
        }
        was_staged
    }

    /// Gives up a service. If it may `finish`, it goes on until it rests.
    pub(crate) fn release(&mut self, key: &ServiceKey, finish: bool) -> Disposition {
        let slot = self.slot(key.0.any());
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
                Disposition::Gone(self.detach_service(key.0))
            }
        }
    }

    /// The name of a service's slot.
    pub(crate) fn service(&mut self, key: &ServiceKey) -> OpKey {
        self.slot(key.0.any()).key
    }
}
