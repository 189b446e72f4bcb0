//! A place among those that may run, on its way from job to job.

use std::iter;
use std::ptr;
use std::sync::Arc;

use crate::contain::{Payload, catch, drop_quietly};
use crate::executor::Executor;
use crate::job::{Home, Job};

use super::held::Held;
use super::state::{Shared, Waiting};
use super::turn::Turn;

/// A slot of a limiter that is in use. [`end`](Self::end) gives it back.
pub(crate) struct Slot {
    shared: Arc<Shared>,
    /// The slot of another limiter that the same job holds.
    outer: Option<Box<Self>>,
    /// The one below on a stack of free slots.
    below: Option<Box<Self>>,
}

/// Slots that came back and wait to be passed on: a stack without an allocation.
#[derive(Default)]
#[must_use = "the slots have to be passed on"]
pub(super) struct Free {
    top: Option<Box<Slot>>,
}

/// What became of a job that was forwarded with a slot.
pub(super) enum Forwarded {
    Taken,
    /// A job is back, without the slot.
    Refused(Job),
    /// The executor panicked, and the job is gone.
    Panicked(Payload),
}

impl Slot {
    /// Stands for a slot that was taken in `shared`.
    pub(super) fn taken(shared: &Arc<Shared>) -> Box<Self> {
        Box::new(Self {
            shared: Arc::clone(shared),
            outer: None,
            below: None,
        })
    }

    /// Hands jobs that wait to their executors, as long as slots are free.
    pub(super) fn grant_all(shared: &Arc<Shared>) {
        while let Some(waiting) = shared.grant().waiting() {
            Self::taken(shared).forward_waiting(waiting);
        }
    }

    /// The job has ended: its slots go on to those who wait for them.
    pub(crate) fn end(mut self: Box<Self>) {
        let outer = self.outer.take();
        if !self.shared.give_back_unwanted()
            && let Err(slot) = Turn::give_back(self)
        {
            slot.pass_on();
        }
        if let Some(outer) = outer {
            outer.end();
        }
    }

    /// Hands a job that has waited to its executor, with this slot.
    pub(super) fn forward_waiting(self: Box<Self>, waiting: Waiting) {
        let mut free = Free::default();
        self.hand_on(waiting, &mut free);
        free.pass_on();
    }

    /// Hands `job` to `executor`, with this slot.
    pub(super) fn forward(
        self: Box<Self>,
        job: Job,
        executor: &(impl Executor + ?Sized),
    ) -> Forwarded {
        let mut free = Free::default();
        let forwarded = self.hand_over(job, executor, &mut free);
        free.pass_on();
        forwarded
    }

    fn pass_on(self: Box<Self>) {
        let mut free = Free::default();
        free.push(self);
        free.pass_on();
    }

    fn hand_on(self: Box<Self>, waiting: Waiting, free: &mut Free) {
        let Waiting { job, executor } = waiting;
        match self.hand_over(job, &*executor, free) {
            Forwarded::Taken => {}
            Forwarded::Refused(job) => {
                let _was_queued = job.reject();
            }
            Forwarded::Panicked(payload) => drop_quietly(payload),
        }
        drop_quietly(executor);
    }

    /// Does so, and puts into `free` what came back meanwhile, this slot or others.
    fn hand_over(
        mut self: Box<Self>,
        mut job: Job,
        executor: &(impl Executor + ?Sized),
        free: &mut Free,
    ) -> Forwarded {
        let id = self.id();
        self.outer = job.replace_slot(None);
        let _none = job.replace_slot(Some(self));
        let turn = Turn::begin(id);
        let result = catch(|| executor.execute(job));
        free.append(turn.end());
        match result {
            Ok(Ok(())) => Forwarded::Taken,
            Ok(Err(mut job)) => {
                if let Some(slot) = Self::take_from(&mut job, id) {
                    free.push(slot);
                }
                Forwarded::Refused(job)
            }
            Err(payload) => Forwarded::Panicked(payload),
        }
    }

    /// Takes the slot with this id from a job; nothing if the job is another one, and keeps its
    /// own.
    fn take_from(job: &mut Job, id: usize) -> Option<Box<Self>> {
        let mut slot = job.replace_slot(None)?;
        if slot.id() == id {
            let _none = job.replace_slot(slot.outer.take());
            return Some(slot);
        }
        let _none = job.replace_slot(Some(slot));
        None
    }

    /// Says that a job with this slot runs on this thread, until the guard is dropped.
    pub(crate) fn hold(&self) -> Held {
        Held::enter(self)
    }

    /// The limiters of this slot and of those behind it.
    pub(super) fn limiters(&self) -> impl Iterator<Item = Home> {
        let slots = iter::successors(Some(self), |slot| slot.outer.as_deref());
        slots.map(|slot| slot.shared.home())
    }

    /// What tells this slot from all others that exist.
    pub(super) fn id(&self) -> usize {
        ptr::from_ref(self).addr()
    }
}

impl Free {
    pub(super) const NONE: Self = Self { top: None };

    pub(super) fn push(&mut self, mut slot: Box<Slot>) {
        slot.below = self.top.take();
        self.top = Some(slot);
    }

    fn append(&mut self, mut others: Self) {
        while let Some(slot) = others.pop() {
            self.push(slot);
        }
    }

    fn pop(&mut self) -> Option<Box<Slot>> {
        let mut slot = self.top.take()?;
        self.top = slot.below.take();
        Some(slot)
    }

    /// Passes slots on until nobody waits for them.
    ///
    /// One loop: what comes back inside of a hand-over is served by the next round.
    fn pass_on(mut self) {
        while let Some(slot) = self.pop() {
            if let Some(waiting) = slot.shared.pass_on().waiting() {
                slot.hand_on(waiting, &mut self);
            }
        }
    }
}
