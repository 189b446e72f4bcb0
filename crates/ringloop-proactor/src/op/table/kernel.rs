//! What is between the table and the kernel: entries to submit, completions to take in.

use std::mem;

use super::{Detached, OpTable, Staged};
use crate::op::key::OpKey;
use crate::op::slot::{OpPointer, ServicePointer, State};
use crate::op::{Flow, RETIRED};
use crate::ring::{Cqe, Sqe};
use crate::wakes::Wakes;

impl OpTable {
    /// Marks that the kernel has been asked to end `key`. `false`: it was asked before, or there
    /// is nothing to end.
    pub(crate) fn ask_cancel(&mut self, key: OpKey) -> bool {
        let Some(at) = self.find(key) else {
            return false;
        };
        let slot = self.slot(at);
        slot.state == State::InFlight && !mem::replace(&mut slot.cancel_asked, true)
    }

    /// Marks that the kernel is asked to end everything that it was not asked to end.
    pub(crate) fn ask_all(&mut self, mut ask: impl FnMut(OpKey)) {
        let slots: Vec<_> = self.all().collect();
        for at in slots {
            if self.look(at).state != State::InFlight {
                continue; // It may be describing itself (T1).
            }
            let slot = self.slot(at);
            if !mem::replace(&mut slot.cancel_asked, true) {
                ask(slot.key);
            }
        }
    }

    /// The entry to submit, which a service writes now; `None` if it is not staged any more.
    #[inline]
    pub(crate) fn entry(&mut self, staged: Staged, now: u64) -> Option<&Sqe> {
        let slot = self.slot(staged.slot);
        if slot.state != State::Staged || slot.key != staged.key {
            return None;
        }
        if let Some(at) = staged.op() {
            return Some(&self.op(at).sqe);
        }
        let at = staged.service()?;
        let service = self.service_slot(at);
        service.since = now;
        let (vtable, payload) = (service.slot.vtable, service.payload.get());
        self.service_entry = Sqe::default();
        // SAFETY: I3, the vtable is that of the payload's type; it is not in flight.
        unsafe { (vtable.prepare)(payload, &mut self.service_entry) };
        self.service_entry.user_data = staged.key.to_user_data();
        // A service works on descriptors of its own proactor, or somebody has looked.
        self.service_entry.pad = 0;
        self.slot(staged.slot).fd = self.service_entry.fd;
        Some(&self.service_entry)
    }

    /// Counts what is staged as in flight from `now` on: its entry is in the queue.
    #[inline]
    pub(crate) fn submitted(&mut self, staged: Staged, now: u64) {
        let slot = self.slot(staged.slot);
        slot.state = State::InFlight;
        slot.cancel_asked = false;
        self.in_flight += 1;
        if let Some(at) = staged.op() {
            self.op(at).sqe.pad = now;
        }
    }

    /// Handles a completion. Wakers go into `wakes`, what the table gives up into `gone`. Mostly that
    /// is all; what a service wants otherwise is for [`service_completed`](Self::service_completed).
    // The loop that calls it exists twice, with and without an observer, and pays 30 instructions for
    // the call otherwise.
    #[inline(always)]
    pub(crate) fn completed(
        &mut self,
        key: OpKey,
        cqe: Cqe,
        wakes: &mut Wakes,
        gone: &mut Vec<Detached>,
    ) -> Result<(), Rest> {
        if key.is_service() {
            return self.told(key, cqe, wakes);
        }
        let Some(at) = self.find_op(key) else {
            return Err(Rest::Stray);
        };
        let op = self.op(at);
        if op.slot.state != State::InFlight {
            return Err(Rest::Stray);
        }
        if op.slot.abandoned || cqe.says_more() {
            self.one_shot_completed(at, cqe.res, cqe.flags, wakes, gone);
            return Ok(());
        }
        op.set_answer(cqe);
        op.slot.state = State::Completed;
        if let Some(waker) = op.waker.take() {
            wakes.push(waker);
        }
        self.in_flight -= 1;
        Ok(())
    }

    /// Tells a service of a completion.
    #[inline(always)]
    fn told(&mut self, key: OpKey, cqe: Cqe, wakes: &mut Wakes) -> Result<(), Rest> {
        let Some(at) = self.find_service(key) else {
            return stray();
        };
        let service = self.service_slot(at);
        if service.slot.state != State::InFlight {
            return stray();
        }
        let hook = service.slot.vtable.on_completion;
        // SAFETY: I3, the hook is that of the payload's type; I2 lets it at its own state.
        let flow = unsafe { hook(service.payload.get(), cqe.res, cqe.flags, wakes) };
        if !cqe.is_last() {
            if flow != Flow::Stop && !service.slot.cancel_asked {
                return Ok(());
            }
        } else if flow == Flow::Rest && !service.slot.abandoned {
            service.slot.state = State::Idle;
            self.in_flight -= 1;
            return Ok(());
        }
        let is_last = cqe.is_last();
        Err(Rest::Service(Step { at, flow, is_last }))
    }

    /// A completion of an operation that nobody waits for, or that has two, or one that brings a
    /// buffer.
    // The completion comes in registers: it would have to be written first otherwise.
    #[cold]
    fn one_shot_completed(
        &mut self,
        at: OpPointer,
        res: i32,
        flags: u32,
        wakes: &mut Wakes,
        gone: &mut Vec<Detached>,
    ) {
        let cqe = Cqe {
            user_data: 0,
            res,
            flags,
        };
        let op = self.op(at);
        if cqe.buffer_id().is_some() {
            // SAFETY: I3, the vtable is that of the payload's type; the kernel has done its part.
            unsafe { (op.slot.vtable.lease)(op.payload.get(), cqe) };
        }
        if cqe.is_notification() {
            op.note = cqe.res.cast_unsigned();
        } else {
            op.set_answer(cqe);
        }
        if !cqe.is_last() {
            // The result; the notification that the memory is free again comes later.
            return;
        }
        op.slot.state = State::Completed;
        if op.slot.abandoned {
            gone.push(self.detach(at, true));
        } else {
            wakes.extend(op.waker.take());
        }
        self.in_flight -= 1;
    }

    /// A completion after which a service goes on, is to end, or is given up.
    pub(crate) fn service_completed(&mut self, step: Step, gone: &mut Vec<Detached>) -> Next {
        let Step { at, flow, is_last } = step;
        let slot = self.slot(at.any());
        if !is_last {
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
            gone.push(self.detach_service(at));
        }
        if rests {
            Next::Nothing
        } else {
            Next::Submit(Staged {
                slot: at.any(),
                key,
            })
        }
    }

    /// Ends a staged one-shot operation with `answer`, unsubmitted; returns who waits for it. A
    /// staged service is told [`RETIRED`].
    pub(crate) fn refuse(
        &mut self,
        staged: Staged,
        answer: Cqe,
        wakes: &mut Wakes,
        gone: &mut Vec<Detached>,
    ) {
        let slot = self.slot(staged.slot);
        if slot.state != State::Staged || slot.key != staged.key {
            return;
        }
        if let Some(at) = staged.op() {
            let op = self.op(at);
            op.set_answer(answer);
            op.slot.state = State::Completed;
            wakes.extend(op.waker.take());
        } else if let Some(at) = staged.service() {
            let service = self.service_slot(at);
            service.slot.state = State::Idle;
            let hook = service.slot.vtable.on_completion;
            // SAFETY: I3, the vtable is that of the payload's type; the service is not in flight.
            unsafe { hook(service.payload.get(), -RETIRED, 0, wakes) };
            if service.slot.abandoned {
                gone.push(self.detach_service(at));
            }
        }
    }
}

/// A call, so that the usual completion does not prepare for this.
#[cold]
#[inline(never)]
fn stray() -> Result<(), Rest> {
    Err(Rest::Stray)
}

/// What a look at a completion leaves to be looked at.
#[derive(Debug)]
pub(crate) enum Rest {
    /// Nothing that it names is in flight.
    Stray,
    /// A service wants something.
    Service(Step),
}

/// What a service has said to a completion.
#[derive(Debug)]
pub(crate) struct Step {
    at: ServicePointer,
    flow: Flow,
    is_last: bool,
}

/// What a completion leaves to be done.
#[derive(Debug)]
pub(crate) enum Next {
    Nothing,
    /// A service wants to be submitted again.
    Submit(Staged),
    /// A service wants the kernel to be asked for its end.
    Cancel(OpKey),
    /// The kernel was asked, and there is more. The request may have come when the kernel had the
    /// operation in its hands and did not find it, as a timeout that goes off.
    Insist(OpKey),
}
