//! A closure on its way to a thread, and the postbox that carries its result or panic home.
//!
//! One allocation, the [`Cell`], is shared by three ends: the [`Job`] that the executor holds, the
//! [`Offload`](crate::Offload) that waits, and the [`Interrupt`] that the running closure sees.
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

use std::error::Error;
use std::fmt;
use std::panic::Location;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use ringloop_core::{RemotePostbox, RemoteSetter, remote_postbox};

use crate::contain::{catch, drop_quietly, lock};
use crate::error::{OffloadError, Refusal};
use crate::interrupt::{self, Flag, Interrupt};

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
    pub(crate) fn new<F, T>(f: F) -> (Self, Arc<dyn Work>, RemotePostbox<Outcome<T>>)
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let (setter, postbox) = remote_postbox();
        let cell: Arc<dyn Work> = Arc::new(Cell {
            stage: Mutex::new(Stage {
                load: Some(Load { f, setter }),
                is_running: false,
            }),
            interrupt: AtomicBool::new(false),
            location: Location::caller(),
        });
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
        self.work.location()
    }

    /// Runs the closure and returns whether there was something to run.
    pub(crate) fn perform(self) -> bool {
        Arc::clone(&self.work).run()
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
            .field("location", &format_args!("{}", self.work.location()))
            .finish_non_exhaustive()
    }
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
    /// Runs the closure, unless it has ended, and returns whether it ran.
    fn run(self: Arc<Self>) -> bool;

    /// Ends a queued job on the executor's behalf; returns whether it was queued.
    fn reject(&self, refusal: Option<Refusal>) -> bool;

    /// Ends a queued job on the waiter's behalf, or asks a running one to stop; returns whether it
    /// was queued.
    fn cancel(&self) -> bool;

    fn phase(&self) -> Phase;

    fn location(&self) -> &'static Location<'static>;
}

/// What the ends of a job share.
struct Cell<F, T> {
    stage: Mutex<Stage<F, T>>,
    // Relaxed throughout: it carries a wish and publishes nothing.
    interrupt: AtomicBool,
    location: &'static Location<'static>,
}

struct Stage<F, T> {
    load: Option<Load<F, T>>,
    is_running: bool,
}

struct Load<F, T> {
    f: F,
    setter: RemoteSetter<Outcome<T>>,
}

impl<F, T> Cell<F, T> {
    /// Takes the load out of a queued job: what follows is up to the caller.
    fn take(&self, is_running: bool) -> Option<Load<F, T>> {
        let mut stage = lock(&self.stage);
        let load = stage.load.take()?;
        stage.is_running = is_running;
        Some(load)
    }
}

impl<F, T> Work for Cell<F, T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    fn run(self: Arc<Self>) -> bool {
        let Some(Load { f, setter }) = self.take(true) else {
            return false;
        };
        let entered = interrupt::enter(Interrupt::of(Arc::clone(&self) as Arc<dyn Flag>));
        let result = catch(f);
        drop(entered);
        lock(&self.stage).is_running = false;
        send(setter, result.map_err(OffloadError::panicked));
        true
    }

    fn reject(&self, refusal: Option<Refusal>) -> bool {
        let Some(Load { f, setter }) = self.take(false) else {
            return false;
        };
        let error = match catch(move || drop(f)) {
            Ok(()) => OffloadError::rejected(refusal),
            Err(payload) => OffloadError::panicked(payload),
        };
        send(setter, Err(error));
        true
    }

    fn cancel(&self) -> bool {
        let mut stage = lock(&self.stage);
        let load = stage.load.take();
        if stage.is_running {
            self.interrupt.store(true, Ordering::Relaxed);
        }
        drop(stage);
        let Some(Load { f, setter }) = load else {
            return false;
        };
        send(setter, Err(OffloadError::cancelled()));
        drop(f);
        true
    }

    fn phase(&self) -> Phase {
        let stage = lock(&self.stage);
        match (&stage.load, stage.is_running) {
            (Some(_), _) => Phase::Queued,
            (None, true) => Phase::Running,
            (None, false) => Phase::Ended,
        }
    }

    fn location(&self) -> &'static Location<'static> {
        self.location
    }
}

impl<F: Send, T: Send> Flag for Cell<F, T> {
    fn is_raised(&self) -> bool {
        self.interrupt.load(Ordering::Relaxed)
    }
}

/// Sends a result home. If nobody is there to take it, it is dropped here.
fn send<T: Send>(setter: RemoteSetter<Outcome<T>>, outcome: Outcome<T>) {
    match catch(move || setter.set(outcome)) {
        Ok(Ok(())) => {}
        Ok(Err(unwanted)) => drop_quietly(unwanted),
        // The waker panicked; the result has arrived.
        Err(payload) => drop_quietly(payload),
    }
}

#[cfg(test)]
mod tests;
