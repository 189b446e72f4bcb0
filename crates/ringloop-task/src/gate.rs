//! What other threads may touch of a scheduler.
//!
//! A task holds the address of its scheduler's gate: to push itself on the remote stack, and to
//! tell whether the current thread is its home, by comparing addresses. An orphan therefore keeps
//! the gate alive: the address stays its own.

use std::collections::VecDeque;
use std::fmt;
use std::mem;
use std::sync::PoisonError;
use std::thread::{self, ThreadId};

use ringloop_core::Unparker;

use crate::remote::Closed;
use crate::sync::{AtomicBool, Mutex, MutexGuard, Ordering, Tracked};
use crate::task::{Header, RemoteStack};

/// A closure that the loop runs for another thread.
pub(crate) type Job = Box<dyn FnOnce() + Send>;

/// The remote stack, the inbox for closures and the way to end a park.
pub(crate) struct Gate {
    /// Tasks that other threads have woken, or given references to back.
    pub(crate) stack: RemoteStack<Header>,
    /// Ends the driver's park.
    pub(crate) unparker: Unparker,
    /// The thread of the loop.
    pub(crate) home: ThreadId,
    inbox: Mutex<Inbox>,
    /// Whether the inbox holds something: spares the loop the lock.
    filled: AtomicBool,
    _tracked: Tracked,
}

/// Closures in the order of their arrival.
struct Inbox {
    jobs: VecDeque<Job>,
    is_closed: bool,
}

impl Gate {
    pub(crate) fn new(unparker: Unparker) -> Self {
        Self {
            stack: RemoteStack::new(),
            unparker,
            home: thread::current().id(),
            inbox: Mutex::new(Inbox {
                jobs: VecDeque::new(),
                is_closed: false,
            }),
            filled: AtomicBool::new(false),
            _tracked: Tracked::new(()),
        }
    }

    /// Leaves a closure for the loop and wakes it.
    ///
    /// # Errors
    ///
    /// After the scheduler has shut down.
    pub(crate) fn post(&self, job: Job) -> Result<(), Closed> {
        {
            let mut inbox = self.inbox();
            if inbox.is_closed {
                return Err(Closed::new());
            }
            inbox.jobs.push_back(job);
            // Relaxed: the loop looks again after the unpark below, which synchronizes.
            self.filled.store(true, Ordering::Relaxed);
        }
        self.unparker.unpark();
        Ok(())
    }

    /// Returns whether `take_jobs` would find something. One load.
    pub(crate) fn has_jobs(&self) -> bool {
        self.filled.load(Ordering::Relaxed)
    }

    /// Takes all closures that wait.
    pub(crate) fn take_jobs(&self) -> VecDeque<Job> {
        let mut inbox = self.inbox();
        self.filled.store(false, Ordering::Relaxed);
        mem::take(&mut inbox.jobs)
    }

    /// Refuses closures from here on, and returns those that have not run.
    pub(crate) fn close(&self) -> VecDeque<Job> {
        let mut inbox = self.inbox();
        inbox.is_closed = true;
        self.filled.store(false, Ordering::Relaxed);
        mem::take(&mut inbox.jobs)
    }

    /// Returns whether the scheduler has shut down.
    pub(crate) fn is_closed(&self) -> bool {
        self.inbox().is_closed
    }

    fn inbox(&self) -> MutexGuard<'_, Inbox> {
        // No user code runs under the lock, so a poisoned inbox is a consistent one.
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate")
            .field("is_closed", &self.is_closed())
            .finish_non_exhaustive()
    }
}
