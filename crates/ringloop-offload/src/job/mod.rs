//! A closure on its way to a thread, and the postbox that carries its result or panic home.
//!
//! One allocation, the [`Cell`], is shared by three ends: the [`Job`] that the executor holds, the
//! [`Offload`](crate::Offload) that waits, and the [`Interrupt`](crate::Interrupt) that the running
//! closure sees.
//! The closure and the postbox's setter are the *load* of the cell. Whoever takes the load out
//! decides what becomes of the job, and it can be taken once; so a job runs at most once, a
//! cancelled one never, and what the closure captured is dropped exactly once.
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
//! the load has left the cell.

mod name;
mod tag;

mod cell;
mod current;
mod wish;

use std::error::Error;
use std::fmt;
use std::panic::Location;
use std::sync::Arc;

use ringloop_core::{RemotePostbox, remote_postbox};

use crate::error::{OffloadError, Refusal};
use cell::Cell;

pub(crate) use current::{block_for, current, home};
pub(crate) use name::Name;
use tag::Home;
pub(crate) use tag::{JobId, Tag};
pub(crate) use wish::{ListenerKey, Reason, Wish};

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
    refusal: Option<Refusal>,
}

impl Job {
    /// Pairs `f` with the postbox for its result.
    #[track_caller]
    pub(crate) fn new<F, T>(
        name: Option<Name>,
        f: F,
    ) -> (Self, Arc<dyn Work>, RemotePostbox<Outcome<T>>)
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let (setter, postbox) = remote_postbox();
        let tag = Tag::new(Location::caller(), name, current::parent());
        let cell: Arc<dyn Work> = Arc::new(Cell::new(tag, f, setter));
        (
            Self {
                work: Arc::clone(&cell),
                refusal: None,
            },
            cell,
            postbox,
        )
    }

    /// Runs the closure on this thread and sends its result home.
    ///
    /// It never panics: a panic of the closure goes to whoever awaits the result, and a panic of
    /// a result's destructor or of a waker goes no further than the panic hook.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait by itself; it takes as long as the closure.
    pub fn run(self) {
        let _ran = self.perform();
    }

    /// Attaches the reason why an executor does not take the job.
    ///
    /// It shows up as the [source](Error::source) of the waiter's [`OffloadError`], unless
    /// another executor takes the job after all.
    pub fn refused(mut self, reason: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.refusal = Some(reason.into());
        self
    }

    /// Forgets the reason of an executor that was asked before.
    pub(crate) fn without_refusal(mut self) -> Self {
        self.refusal = None;
        self
    }

    /// Returns whether running the job would do nothing, because it has been cancelled.
    ///
    /// An executor may drop such jobs from its queue.
    pub fn is_cancelled(&self) -> bool {
        self.work.phase() == Phase::Ended
    }

    /// Returns where the job was offloaded.
    pub fn location(&self) -> &'static Location<'static> {
        self.work.tag().location()
    }

    /// Returns the name that a [`Builder`](crate::Builder) gave the job.
    pub fn name(&self) -> Option<&str> {
        self.work.tag().name().map(Name::as_str)
    }

    /// Runs the closure and returns what became of it.
    pub(crate) fn perform(self) -> Performed {
        self.work.run(&self.work)
    }

    /// Lets threads of the pool `home` run the job out of turn, when a job of theirs waits for it.
    pub(crate) fn set_home(&self, home: Home) {
        self.work.tag().set_home(home);
    }

    /// Returns what stays known of the job while it runs.
    pub(crate) fn watch(&self) -> Watch {
        Watch(Arc::clone(&self.work))
    }

    /// Returns who the job is.
    pub(crate) fn tag(&self) -> &Tag {
        self.work.tag()
    }

    /// Tells the waiter that the job never runs, and returns whether it would have.
    pub(crate) fn reject(mut self) -> bool {
        let refusal = self.refusal.take();
        self.work.reject(refusal)
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        let refusal = self.refusal.take();
        let _was_queued = self.work.reject(refusal);
    }
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job")
            .field("phase", &self.work.phase())
            .field("tag", self.tag())
            .finish_non_exhaustive()
    }
}

/// A view of a job from outside, for reports: it neither runs it nor waits for it.
#[derive(Clone)]
pub(crate) struct Watch(Arc<dyn Work>);

impl Watch {
    pub(crate) fn tag(&self) -> &Tag {
        self.0.tag()
    }

    pub(crate) fn wish(&self) -> &Wish {
        self.0.wish()
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.tag().fmt(f)
    }
}

/// What [`Job::perform`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Performed {
    /// The job had been cancelled, or somebody else ran it.
    NotRun,
    Ran {
        /// Nobody waited for the result at its end, and it was dropped on this thread.
        abandoned: bool,
        /// The closure panicked. If it was abandoned, the panic hook is all that was told.
        panicked: bool,
    },
}

/// What comes home.
pub(crate) type Outcome<T> = Result<T, OffloadError>;

/// Where a job is on its way. See the module's table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Queued,
    Running,
    Ended,
}

/// A cell whose closure and result types are forgotten.
pub(crate) trait Work: Send + Sync {
    /// Runs the closure, unless somebody else has taken it. `this` is the cell itself.
    fn run(&self, this: &Arc<dyn Work>) -> Performed;

    /// Ends a queued job on the executor's behalf; returns whether it was queued.
    fn reject(&self, refusal: Option<Refusal>) -> bool;

    /// Ends a queued job on the waiter's behalf, or asks a running one to stop; returns whether it
    /// was queued.
    fn cancel(&self, reason: Option<Reason>) -> bool;

    fn phase(&self) -> Phase;

    fn tag(&self) -> &Tag;

    fn wish(&self) -> &Wish;
}

#[cfg(test)]
mod tests;
