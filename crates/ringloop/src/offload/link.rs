//! The way from a job back to the runtime that it came from.

use std::cell::Cell;
use std::fmt;
use std::mem;
use std::panic::Location;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use ringloop_core::panics::{Payload, drop_quietly};
use ringloop_offload::Interrupt;
use ringloop_task::{Remote, Unhandled, UnhandledKind};

use super::pools::Pools;
use crate::context;

/// What the jobs of a runtime share with it. It keeps nothing of the runtime alive.
#[derive(Debug)]
pub(crate) struct Link {
    remote: Remote,
    pools: Weak<Pools>,
    /// Panics that nobody has read, on their way to the hook; `None` when the runtime has gone.
    unread: Mutex<Option<Vec<Unread>>>,
}

/// What a panic of a job was, and whose.
struct Unread {
    /// What the job is called.
    name: Option<Arc<str>>,
    /// Where it was offloaded.
    at: &'static Location<'static>,
    payload: Payload,
}

impl Link {
    pub(crate) fn new(remote: Remote, pools: &Arc<Pools>) -> Arc<Self> {
        Arc::new(Self {
            remote,
            pools: Arc::downgrade(pools),
            unread: Mutex::new(Some(Vec::new())),
        })
    }

    /// Returns the link of the runtime that runs on this thread, or that has offloaded the job that
    /// does.
    pub(super) fn here() -> Option<Arc<Self>> {
        context::look(|context| Arc::clone(&context.link)).or_else(Self::of_job)
    }

    /// Returns the link of the job that runs on this thread.
    pub(super) fn of_job() -> Option<Arc<Self>> {
        JOB.try_with(|job| {
            let link = job.take();
            job.set(link.clone());
            link
        })
        .ok()
        .flatten()
    }

    pub(super) fn remote(&self) -> &Remote {
        &self.remote
    }

    /// Returns the runtime's pools, unless it has gone.
    pub(super) fn pools(&self) -> Option<Arc<Pools>> {
        self.pools.upgrade()
    }

    /// Sees to it that the hook is told of a panic that nobody will read: by the loop, or by the end
    /// of the runtime.
    #[cold]
    fn lose(self: &Arc<Self>, panic: Unread) {
        let mut unread = self.unread();
        let Some(waiting) = &mut *unread else {
            drop(unread);
            // Nobody is left to be told.
            return drop_quietly(panic);
        };
        waiting.push(panic);
        drop(unread);
        let link = Arc::clone(self);
        // A loop that has closed leaves it to the end of the runtime.
        let _closed = self
            .remote
            .call_soon(move || link.report_unread(Unhandled::report));
    }

    /// Tells of the panics that nobody has read.
    fn report_unread(&self, tell: impl Fn(Unhandled)) {
        let waiting = self.unread().as_mut().map(mem::take);
        waiting
            .into_iter()
            .flatten()
            .for_each(|unread| unread.report(&tell));
    }

    /// Does so for the last time: what comes later is dropped.
    pub(crate) fn close(&self, tell: impl Fn(Unhandled)) {
        let waiting = self.unread().take();
        waiting
            .into_iter()
            .flatten()
            .for_each(|unread| unread.report(&tell));
    }

    fn unread(&self) -> MutexGuard<'_, Option<Vec<Unread>>> {
        // No foreign code runs under the lock.
        self.unread.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Unread {
    fn report(self, tell: impl Fn(Unhandled)) {
        let Self { name, at, payload } = self;
        let kind = UnhandledKind::Panic;
        tell(Unhandled::of_work(kind, name, at, Some(payload)));
    }
}

impl fmt::Debug for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unread")
            .field("name", &self.name)
            .field("at", &format_args!("{}", self.at))
            .finish_non_exhaustive()
    }
}

/// The payload of a job's panic until somebody reads it. Its drop tells the hook.
pub(super) struct UnreadPanic {
    link: Arc<Link>,
    panic: Option<Unread>,
}

impl UnreadPanic {
    /// Makes the payload of the job that runs on this thread.
    #[cold]
    pub(super) fn new(link: Arc<Link>, payload: Payload) -> Self {
        let job = Interrupt::current();
        let panic = Some(Unread {
            name: job.name().map(Arc::from),
            at: job.location().unwrap_or(Location::caller()),
            payload,
        });
        Self { link, panic }
    }

    /// Returns the payload to somebody who reads it.
    pub(super) fn read(mut self) -> Option<Payload> {
        self.panic.take().map(|panic| panic.payload)
    }
}

impl Drop for UnreadPanic {
    fn drop(&mut self) {
        if let Some(panic) = self.panic.take() {
            self.link.lose(panic);
        }
    }
}

/// Says that a job of the runtime of `link` runs on this thread.
pub(super) fn enter(link: Option<Arc<Link>>) -> Entered {
    let outer = JOB.try_with(|job| job.replace(link)).ok().flatten();
    Entered { outer }
}

/// A job runs. Jobs nest where an executor runs them within the call.
#[must_use = "the job has to be left"]
pub(super) struct Entered {
    outer: Option<Arc<Link>>,
}

impl Entered {
    /// Says that the job does not run any more, and returns its link.
    pub(super) fn leave(self) -> Option<Arc<Link>> {
        let own = JOB.try_with(|job| job.replace(self.outer));
        own.ok().flatten()
    }
}

thread_local! {
    static JOB: Cell<Option<Arc<Link>>> = const { Cell::new(None) };
}
