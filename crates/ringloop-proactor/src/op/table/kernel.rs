//! What is between the table and the kernel: entries to submit, completions to take in.

use std::mem;

use super::{CHUNK, Detached, OpTable, Staged};
use crate::op::key::OpKey;
use crate::op::slot::{SlotPointer, State};
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
        for index in 0..self.chunks.len() * CHUNK {
            let Some(at) = self.at(index) else { return };
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
            // A service works on descriptors of its own proactor, or somebody has looked.
            slot.sqe.pad = 0;
        }
        Some(&slot.sqe)
    }

    /// Whether it is a service that is staged.
    pub(crate) fn is_service(&mut self, staged: Staged) -> bool {
        self.slot(staged.slot).hook.is_some()
    }

    /// Handles a completion that names no operation: that of an entry in a batch, which has failed.
    #[cold]
    pub(crate) fn completed_in_batch(
        &mut self,
        cqe: Cqe,
        wakes: &mut Wakes,
        gone: &mut Vec<Detached>,
    ) -> Next {
        let entry = OpKey::from_user_data(cqe.user_data).and_then(OpKey::split_batch);
        let Some((key, place)) = entry else {
            return Next::Stray;
        };
        match self.completed(key, cqe.of_batch(place), wakes, gone) {
            Ok(()) => Next::Nothing,
            Err(Rest::Stray) => Next::Stray,
            Err(Rest::Service(step)) => self.service_completed(step, gone),
        }
    }

    /// Counts what is staged as in flight from `now` on: its entry is in the queue.
    #[inline]
    pub(crate) fn submitted(&mut self, staged: Staged, now: u64) {
        let slot = self.slot(staged.slot);
        slot.state = State::InFlight;
        slot.cancel_asked = false;
        slot.sqe.pad = now;
        self.in_flight += 1;
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
        let Some(at) = self.find(key) else {
            return Err(Rest::Stray);
        };
        let slot = self.slot(at);
        if slot.state != State::InFlight {
            return Err(Rest::Stray);
        }
        if let Some(hook) = slot.hook {
            // SAFETY: I3, the hook is that of the payload's type; I2 lets it at its own state.
            let flow = unsafe { hook(slot.payload.get(), cqe.res, cqe.flags, wakes) };
            if !cqe.is_last() {
                if flow != Flow::Stop && !slot.cancel_asked {
                    return Ok(());
                }
            } else if flow == Flow::Rest && !slot.abandoned {
                slot.state = State::Idle;
                self.in_flight -= 1;
                return Ok(());
            }
            let is_last = cqe.is_last();
            return Err(Rest::Service(Step { at, flow, is_last }));
        }
        if slot.abandoned || cqe.says_more() {
            self.one_shot_completed(at, cqe.res, cqe.flags, wakes, gone);
            return Ok(());
        }
        slot.set_answer(cqe);
        slot.state = State::Completed;
        if let Some(waker) = slot.waker.take() {
            wakes.push(waker);
        }
        self.in_flight -= 1;
        Ok(())
    }

    /// A completion of an operation that nobody waits for, or that has two, or one that brings a
    /// buffer.
    // The completion comes in registers: it would have to be written first otherwise.
    #[cold]
    fn one_shot_completed(
        &mut self,
        at: SlotPointer,
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

    /// A completion after which a service goes on, is to end, or is given up.
    pub(crate) fn service_completed(&mut self, step: Step, gone: &mut Vec<Detached>) -> Next {
        let Step { at, flow, is_last } = step;
        let slot = self.slot(at);
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
        wakes: &mut Wakes,
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
    at: SlotPointer,
    flow: Flow,
    is_last: bool,
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
