//! A closure on its way to a thread, and its result or panic on the way home.
//!
//! One allocation is shared by three ends: the [`Job`] that the executor holds, the [`Waiter`] in an
//! [`Offload`](crate::Offload), and any number of [`Watch`]es, one of them in the
//! [`Interrupt`](crate::Interrupt) that the running closure sees. It has a [state word](state), a
//! [head] that is the same for all jobs, and a [cell] that holds the closure first and its
//! outcome later. Whoever takes the closure out decides what becomes of the job, and it can be taken
//! once; so a job runs at most once, a cancelled one never, and what the closure captured is
//! dropped exactly once.
//!
//! # States
//!
//! | from | event | to | who drops the closure |
//! |---|---|---|---|
//! | queued | [`Job::run`] | running, then ended | the call itself |
//! | queued | cancelled, or its waiter is gone | ended | the caller who cancels |
//! | queued | [`Job`] dropped | ended, rejected | whoever drops the job |
//! | running | cancelled, or its waiter is gone | running, interrupt requested | — |
//! | ended | any | ended | — |
//!
//! No lock is held while foreign code runs: closures, destructors and wakers are all called after
//! they have left the cell. A panic of a result's destructor or of a waker goes to the panic hook
//! and no further; so does that of a closure whose waiter is gone, and its payload is dropped where
//! it panicked.

mod name;
mod tag;

mod cell;
mod head;
mod state;
mod work;

mod current;
mod helper;
mod waiter;
mod watch;
mod wish;

use std::error::Error;
use std::fmt;
use std::panic::Location;
use std::sync::Arc;

use crate::error::Refusal;
use crate::limiter::Slot;
use cell::Cell;

pub(crate) use current::{block_for, current, is_asked};
pub(crate) use helper::{Hands, Help, Helper};
pub(crate) use name::Name;
pub(crate) use state::Phase;
pub(crate) use tag::{Home, JobId, Tag};
pub(crate) use waiter::Waiter;
pub(crate) use watch::Watch;
pub(crate) use wish::{ListenerKey, Reason};
pub(crate) use work::{Outcome, Performed, Work};

/// A closure to be run once, on some thread, by an [`Executor`](crate::Executor).
///
/// A job knows the future that waits for it: running it sends the result home, or the panic, and
/// dropping it unrun tells the waiter that it will never run. A job that has been cancelled in the
/// meantime does nothing when it is run.
///
/// # Examples
///
/// A queue that somebody else empties:
///
/// ```
/// use ringloop_offload::{Executor, Job, offload_on};
/// use std::sync::Mutex;
///
/// #[derive(Default)]
/// struct Later(Mutex<Vec<Job>>);
///
/// impl Executor for Later {
///     fn execute(&self, job: Job) -> Result<(), Job> {
///         self.0.lock().unwrap().push(job);
///         Ok(())
///     }
/// }
///
/// let later = Later::default();
/// let offload = offload_on(&later, || 6 * 7);
/// let job = later.0.lock().unwrap().pop().unwrap();
/// assert!(offload.is_queued());
/// job.run();
/// assert!(!offload.is_queued());
/// ```
#[must_use = "dropping a job rejects it"]
pub struct Job {
    work: Arc<dyn Work>,
    // Boxed: hardly any job has one, and queues are made of jobs.
    refusal: Option<Box<Refusal>>,
}

impl Job {
    /// Makes a job of `f`, and the end that waits for it.
    #[track_caller]
    pub(crate) fn new<F, T>(name: Option<Name>, f: F) -> (Self, Waiter<T>)
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        Self::at(Location::caller(), name, f)
    }

    /// Does the same for somebody who was called at `location`.
    pub(crate) fn at<F, T>(
        location: &'static Location<'static>,
        name: Option<Name>,
        f: F,
    ) -> (Self, Waiter<T>)
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let tag = Tag::new(location, name, current::parent());
        let cell = Arc::new(Cell::new(tag, f));
        let job = Self {
            work: Arc::<Cell<F, T>>::clone(&cell),
            refusal: None,
        };
        (job, Waiter::new(cell))
    }

    /// Makes a job of something that is no single closure.
    pub(crate) fn of(work: Arc<dyn Work>) -> Self {
        Self {
            work,
            refusal: None,
        }
    }

    /// Runs the closure on this thread and sends its result home.
    ///
    /// It never panics. A panic of the closure goes to whoever awaits the result; if nobody does any
    /// more, the panic hook has heard of it, and its payload is dropped here. A panic of a result's
    /// destructor or of a waker goes no further than the panic hook either.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait by itself; it takes as long as the closure.
    pub fn run(self) {
        let _ran = self.perform();
    }

    /// Attaches the reason why an executor does not take the job.
    ///
    /// It shows up as the [source](Error::source) of the waiter's
    /// [`OffloadError`](crate::OffloadError), unless another executor takes the job after all.
    pub fn refused(mut self, reason: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.refusal = Some(Box::new(reason.into()));
        self
    }

    /// Forgets the reason of an executor that was asked before.
    #[inline]
    pub(crate) fn without_refusal(mut self) -> Self {
        if self.refusal.is_some() {
            self.refusal = None;
        }
        self
    }

    /// Exchanges the slot of a limiter, which is free again when the job is gone.
    ///
    /// If somebody else has taken the job, it is free at once.
    pub(crate) fn replace_slot(&mut self, slot: Option<Box<Slot>>) -> Option<Box<Slot>> {
        self.work.head().replace_slot(slot)
    }

    /// Takes the reason of an executor that was asked before.
    pub(crate) fn take_refusal(&mut self) -> Option<Box<Refusal>> {
        self.refusal.take()
    }

    /// Returns whether running the job would do nothing, because it has been cancelled, or because
    /// the one who [waits](crate::Offload::wait) for it has run it.
    ///
    /// An executor may drop such jobs from its queue.
    pub fn is_cancelled(&self) -> bool {
        self.work.head().state.is_taken()
    }

    /// Returns where the job was offloaded.
    pub fn location(&self) -> &'static Location<'static> {
        self.work.head().tag().location()
    }

    /// Returns the name that a [`Builder`](crate::Builder) gave the job.
    pub fn name(&self) -> Option<&str> {
        self.work.head().tag().name().map(Name::as_str)
    }

    /// Runs the closure and returns what became of it.
    pub(crate) fn perform(self) -> Performed {
        let _held = self.work.head().hold_slot();
        self.work.run(&self.work)
    }

    /// Lets threads of the pool `home` run the job out of turn, when a job of theirs waits for it;
    /// or jobs that hold a slot of the limiter `home`.
    pub(crate) fn set_home(&self, home: Home) {
        self.work.head().tag().set_home(Some(home));
    }

    /// Takes that back, when the pool does not take the job: another executor may.
    pub(crate) fn leave_home(&self) {
        self.work.head().tag().set_home(None);
    }

    /// Returns what stays known of the job while it runs.
    pub(crate) fn watch(&self) -> Watch {
        Watch(Arc::clone(&self.work))
    }

    /// Returns what tells the job from others.
    pub(crate) fn id(&self) -> JobId {
        self.work.head().id()
    }

    /// Returns who the job is.
    pub(crate) fn tag(&self) -> &Tag {
        self.work.head().tag()
    }

    /// Tells the waiter that the job never runs, and returns whether it would have.
    pub(crate) fn reject(mut self) -> bool {
        let refusal = self.refusal.take();
        self.work.reject(refusal.map(|refusal| *refusal))
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        if !self.work.head().state.is_taken() {
            let refusal = self.refusal.take();
            let _was_queued = self.work.reject(refusal.map(|refusal| *refusal));
        }
    }
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job")
            .field("phase", &self.work.head().state.phase())
            .field("id", &self.id())
            .field("tag", self.tag())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
