//! The life of a task on its home thread: references, wakes, the end, the release.
//!
//! A [`TaskPtr`] is a bare address; the counted and the queued owners around it
//! ([`TaskRef`], [`Runnable`], wakers, the registry) see to it
//! that the address is good.

#![expect(
    unsafe_code,
    reason = "tasks are reached through pointers to their headers"
)]

use std::fmt;
use std::ptr::NonNull;
use std::sync::Arc;
use std::task::Waker;

use super::cell::{Discarded, Polled};
use super::error::JoinError;
use super::header::{
    ABORT, CANCEL, Cold, DONE, HANDLE, Header, MAIN, OUTPUT, RUNNING, SCHEDULED, Turn, WATCHED,
};
use super::on_done;
use super::reference::{self, TaskRef};
use super::runnable::Runnable;
use super::waker;
use super::word::{Action, RemoteWord};
use crate::cancel::PATIENCE;
use crate::context;
use crate::gate::Gate;
use crate::home::Home;
use crate::observe::{Report, TaskInfo};
use crate::unhandled::UnhandledKind;
use crate::waker_set;

/// The address of a task.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct TaskPtr(pub(super) NonNull<Header>);

impl TaskPtr {
    /// Takes a task from the remote stack, which has its header.
    pub(crate) fn from_header(header: NonNull<Header>) -> Self {
        Self(header)
    }

    /// Returns the header. The borrow must not outlive what keeps the task alive: do not hold it
    /// across [`settle`](Self::settle).
    #[inline]
    pub(super) fn header(&self) -> &Header {
        // SAFETY: I1: a task pointer is kept only where something keeps the task alive.
        unsafe { self.0.as_ref() }
    }

    /// Returns the gate, for a look at its address.
    #[inline]
    pub(super) fn gate(self) -> *const Gate {
        // SAFETY: I1; I2 allows any thread to read this field.
        unsafe { (*self.0.as_ptr()).gate }
    }

    /// Returns the word that other threads write. Any thread.
    #[inline]
    fn word<'a>(self) -> &'a RemoteWord {
        // SAFETY: I1; I2 allows any thread to use this field. Callers use the borrow for one
        // transition.
        unsafe { &(*self.0.as_ptr()).word }
    }

    /// Counts one more reference. Any thread.
    #[inline]
    pub(super) fn retain(self) {
        let at_home = context::with_home_of(self.gate(), |_| {
            self.header().local_refs.add_one();
        });
        if at_home.is_none() {
            self.word().retain();
        }
    }

    /// Gives back a waker's reference. Any thread.
    #[inline]
    pub(super) fn release_waker(self) {
        if context::with_home_of(self.gate(), |home| self.release_at_home(home)).is_none() {
            let action = self.word().release();
            self.act(action);
        }
    }

    /// Gives back a handle's reference: the same, but the scheduler learns of it also when it does
    /// not run at the moment.
    #[inline]
    pub(super) fn release_handle(self) {
        if context::with_home_of(self.gate(), |home| self.release_at_home(home)).is_none() {
            let action = self.word().release_and_tell();
            self.act(action);
        }
    }

    #[inline]
    fn release_at_home(self, home: &Home) {
        let header = self.header();
        header.local_refs.remove_one();
        if header.flags.has(DONE) {
            self.settle(home);
        }
    }

    /// Asks for a poll. Any thread.
    #[inline]
    pub(super) fn wake(self) {
        if context::with_home_of(self.gate(), |home| self.schedule(home)).is_none() {
            self.wake_from_afar();
        }
    }

    #[inline(never)]
    fn wake_from_afar(self) {
        let action = self.word().wake();
        self.act(action);
    }

    /// Asks for a poll and gives back a waker's reference. Any thread.
    #[inline]
    pub(super) fn wake_and_release(self) {
        let at_home = context::with_home_of(self.gate(), |home| {
            self.schedule(home);
            self.release_at_home(home);
        });
        if at_home.is_none() {
            let action = self.word().wake_and_release();
            self.act(action);
        }
    }

    /// Does what a transition asks for. Any thread.
    fn act(self, action: Action) {
        match action {
            Action::Nothing => {}
            Action::Push => self.push_remote(),
            Action::Free => self.free_orphan(),
        }
    }

    /// Puts the task on the remote stack and unparks the loop. Any thread.
    #[cold]
    fn push_remote(self) {
        let gate = self.gate();
        // SAFETY: I5: the scheduler waits for the pop of a queued task, so its gate lives.
        unsafe { Arc::increment_strong_count(gate) };
        // SAFETY: the count has just been raised. From the push on, only this keeps the gate.
        let gate = unsafe { Arc::from_raw(gate) };
        // SAFETY: I6: this thread set `QUEUED`, so the task lives and nobody else pushes it.
        unsafe { gate.stack.push(self.0) };
        gate.unparker.unpark();
    }

    /// Frees an orphan that nobody refers to any more. Any thread.
    #[cold]
    fn free_orphan(self) {
        let gate = self.gate();
        self.free();
        // SAFETY: I5: the orphan held one count of its gate.
        drop(unsafe { Arc::from_raw(gate) });
    }

    fn free(self) {
        // SAFETY: I1; the field is never written after the allocation.
        let free = unsafe { (*self.0.as_ptr()).vtable.free };
        // SAFETY: callers have found that nobody else refers to the task (I1).
        unsafe { free(self.0) };
    }

    /// Puts the task into the ready queue, unless it is there or has ended.
    #[inline]
    pub(crate) fn schedule(self, home: &Home) {
        let flags = &self.header().flags;
        if !flags.has(SCHEDULED | DONE | WATCHED) {
            flags.set(SCHEDULED);
            Runnable(self).queue(&home.ready);
        } else if flags.has(WATCHED) {
            self.schedule_watched(home);
        }
    }

    #[cold]
    fn schedule_watched(self, home: &Home) {
        let flags = &self.header().flags;
        if flags.has(SCHEDULED | DONE) {
            return;
        }
        flags.set(SCHEDULED);
        Runnable(self).queue(&home.ready);
        if let Some(watch) = &home.watch {
            watch.woken(home, &TaskRef::retain(self));
        }
    }

    /// Takes over what other threads have said, after a pop from the remote stack.
    pub(crate) fn collect(self, home: &Home) {
        let header = self.header();
        let collected = header.word.collect();
        let remote_wakes = &home.counters.remote_wakes;
        remote_wakes.set(remote_wakes.get() + u64::from(collected.woken));
        header.local_refs.add(collected.delta);
        if collected.woken {
            self.schedule(home);
        }
        if header.flags.has(DONE) {
            on_done::tell(home, self);
            self.settle(home);
        } else if header.flags.has(ABORT) && !header.flags.has(RUNNING) {
            self.kill(home, JoinError::aborted(header.id));
        }
    }

    /// Returns whether the task was polled in this turn of the loop.
    #[inline]
    pub(super) fn was_polled_in(self, turn: Turn) -> bool {
        self.header().flags.was_polled_in(turn)
    }

    /// Polls the future once. The task has just left the ready queue.
    #[inline]
    pub(super) fn run(self, home: &Home, turn: Turn) {
        let header = self.header();
        if header.flags.has(DONE | ABORT) {
            header.flags.clear(SCHEDULED);
            return self.run_ended(home);
        }
        header.flags.begin_poll(turn);
        home.current.set(Some(self));
        home.begin_counts(header.flags.has(CANCEL));
        let polled = self.poll();
        home.current.set(None);
        context::replace_ease(0);
        self.after_poll(home, polled);
    }

    /// Polls the future of a task that was made just now, inside of what runs at the moment.
    pub(super) fn run_inside(self, home: &Home) {
        let aside = home.set_aside(Some(self));
        self.header().flags.set(RUNNING);
        home.lend();
        let polled = self.poll();
        home.current.set(None);
        context::replace_ease(0);
        self.after_poll(home, polled);
        home.take_up(aside);
    }

    /// Polls the future. It is present, marked as running, and the task is the current one.
    #[inline(always)]
    fn poll(self) -> Polled {
        let header = self.header();
        header.parked_at.set(None);
        header.count_poll();
        // SAFETY: I3: the future is present (not done) and not running: a task is polled by the
        // loop, or by whoever has just made it and has not told anybody of it.
        waker::with_context(self, |cx| unsafe { (header.vtable.poll)(self.0, cx) })
    }

    /// Goes by what the poll came to.
    #[inline(always)]
    fn after_poll(self, home: &Home, polled: Polled) {
        let header = self.header();
        match polled {
            Polled::Pending => {
                header.flags.clear(RUNNING);
                if header.flags.has(ABORT | CANCEL) {
                    self.park_unwanted(home);
                }
            }
            Polled::Done => self.complete(home),
            Polled::DoneDropPanicked(panic) => {
                let payload = panic.into_payload();
                home.report(self, UnhandledKind::DropPanic, Some(payload));
                self.complete(home);
            }
        }
    }

    /// After a poll of a task that somebody wants to end: drops its future if it is aborted, or
    /// cancelled and parked on nothing that can be told.
    #[cold]
    fn park_unwanted(self, home: &Home) {
        let header = self.header();
        if header.flags.has(ABORT) {
            return self.kill(home, JoinError::aborted(header.id));
        }
        let cold = header.cold();
        if header.flags.has(MAIN) || cold.stays.get() > 0 || home.has_let_through() {
            return;
        }
        if header.flags.has(SCHEDULED) && cold.wakes_of_its_own.get() < PATIENCE {
            cold.wakes_of_its_own.set(cold.wakes_of_its_own.get() + 1);
            return;
        }
        if let Some(cancelled) = reference::requested(self) {
            self.kill(home, JoinError::cancelled(Some(header.id), cancelled));
        }
    }

    /// What is left to do for a queued task that has ended meanwhile, or is to be aborted.
    #[cold]
    fn run_ended(self, home: &Home) {
        if self.header().flags.has(DONE) {
            self.settle(home);
        } else {
            self.kill(home, JoinError::aborted(self.header().id));
        }
    }

    /// Drops the future and ends the task with `error`. Does nothing to a task that has ended; the
    /// task must not be running.
    pub(crate) fn kill(self, home: &Home, error: JoinError) {
        let header = self.header();
        if header.flags.has(DONE) {
            return;
        }
        assert!(
            !header.flags.has(RUNNING),
            "I3: a running future is not dropped"
        );
        header.flags.set(RUNNING);
        let watch = home.watch.as_deref();
        let watched = watch.map(|watch| (watch, TaskRef::retain(self)));
        let aside = home.set_aside(Some(self));
        self.header().flags.set(RUNNING);
        // SAFETY: I3: the future is present and not running.
        let dropped = unsafe { (header.vtable.fail)(self.0, error) };
        home.take_up(aside);
        if let Err(payload) = dropped {
            home.report(self, UnhandledKind::DropPanic, Some(payload));
        }
        self.complete(home);
        if let Some((watch, task)) = watched {
            watch.ended(home, &task);
        }
    }

    /// The future is gone and the output in its place: tells everybody. `RUNNING` is set, which
    /// keeps the task alive meanwhile.
    #[inline]
    fn complete(self, home: &Home) {
        let header = self.header();
        header.flags.set(DONE | OUTPUT);
        home.counters.live.set(home.counters.live.get() - 1);
        if let Some(locals) = header.locals.replace(None) {
            home.release_locals(Some(self), Some(locals));
        }
        let handle = i64::from(header.flags.has(HANDLE));
        if header.word.snapshot() != (0, false) || header.local_refs.get() != handle {
            // Somebody has a waker, perhaps elsewhere.
            header.word.mark_done();
        }
        if let Some(joiner) = header.joiner.take() {
            wake_contained(home, joiner);
        }
        if let Some(cold) = header.cold.get() {
            self.complete_cold(home, cold);
        }
        header.flags.clear(RUNNING);
        self.settle(home);
    }

    /// Tells those whom few tasks have.
    fn complete_cold(self, home: &Home, cold: &Cold) {
        cold.request.replace(None);
        let foreign = cold.foreign.borrow_mut().close();
        home.contain(|| drop(foreign));
        let waiters = cold.waiters.borrow_mut().close();
        home.contain(|| waker_set::wake_all(waiters));
        on_done::tell(home, self);
    }

    /// Drops an output that nobody can read, and frees a task that nobody refers to.
    #[inline]
    pub(crate) fn settle(self, home: &Home) {
        let header = self.header();
        if header.flags.has(RUNNING | SCHEDULED) || !header.flags.has(DONE) {
            return;
        }
        if header.flags.has(OUTPUT) && !header.flags.has(HANDLE) {
            self.discard_output(home);
        }
        let (delta, is_queued) = header.word.snapshot();
        if is_queued || header.local_refs.get() + delta != 0 {
            return;
        }
        home.registry.remove(self);
        self.free();
    }

    fn discard_output(self, home: &Home) {
        let header = self.header();
        header.flags.clear(OUTPUT);
        header.flags.set(RUNNING);
        // SAFETY: I3: the output was there, and its flag is cleared.
        match unsafe { (header.vtable.discard)(self.0) } {
            Discarded::Quietly => {}
            Discarded::Error(error) => {
                let task = TaskInfo::from(&TaskRef::retain(self));
                home.reporter.report(&Report::UnreadError { task, error });
            }
            Discarded::Panic(payload) => home.report(self, UnhandledKind::Panic, Some(payload)),
            Discarded::DropPanicked(payload) => {
                home.report(self, UnhandledKind::DropPanic, Some(payload));
            }
        }
        header.flags.clear(RUNNING);
    }

    /// Leaves the task to those who refer to it: the scheduler goes. Returns false while another
    /// thread is about to push it.
    pub(crate) fn orphan(self) -> bool {
        let header = self.header();
        debug_assert!(header.flags.has(DONE), "I7: only ended tasks are orphaned");
        let (delta, is_queued) = header.word.snapshot();
        if is_queued {
            return false;
        }
        if header.local_refs.get() + delta == 0 {
            self.free();
            return true;
        }
        let gate = header.gate;
        // SAFETY: I5: the scheduler still holds the gate. The orphan's own count comes first,
        // because the orphan may be freed at once.
        unsafe { Arc::increment_strong_count(gate) };
        if header.word.orphan(header.local_refs.get()).is_err() {
            // SAFETY: gives back the count of three lines above; the scheduler has its own.
            unsafe { Arc::decrement_strong_count(gate) };
            return false;
        }
        true
    }
}

impl fmt::Debug for TaskPtr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TaskPtr({:p})", self.0)
    }
}

/// Wakes somebody, whose waker may be foreign code.
#[inline]
pub(crate) fn wake_contained(home: &Home, waker: Waker) {
    if waker::is_of_a_task(&waker) {
        waker.wake();
    } else {
        home.contain(|| waker.wake());
    }
}
