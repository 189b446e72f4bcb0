//! A thread that notices a poll that does not return.
//!
//! The loop's thread writes into a slot which poll it makes, and the watchdog's thread looks there.
//! It sleeps until the poll that it saw last would be too old. A poll that begins meanwhile is
//! younger than that one, so no poll outlives its limit unseen. When no poll was made for a whole
//! limit it sleeps until the next one begins, or one goes on that another was made inside of.
//!
//! It measures real time, whatever the driver's clock says: a thread that is stuck is stuck.

use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::report::{Report, TaskInfo};
use super::reporter::Reporter;
use crate::task::TaskRef;

/// The loop's end of the watchdog. Dropping it ends the thread.
pub(super) struct Watchdog {
    post: Arc<Post>,
    thread: Option<JoinHandle<()>>,
}

/// Where the two threads meet.
struct Post {
    slot: Mutex<Slot>,
    changed: Condvar,
    limit: Duration,
}

#[derive(Default)]
struct Slot {
    poll: Option<Poll>,
    /// Polls that were made: tells whether there were any while the watchdog slept.
    polls: u64,
    /// Whether the watchdog sleeps until a poll begins.
    is_dozing: bool,
    is_over: bool,
}

/// A poll that has not returned.
pub(super) struct Poll {
    task: TaskInfo,
    begin: Instant,
    is_reported: bool,
}

impl Watchdog {
    /// Starts the thread. Reports a failure, and returns `None`.
    pub(super) fn start(limit: Duration, reporter: &Reporter) -> Option<Self> {
        let post = Arc::new(Post {
            slot: Mutex::default(),
            changed: Condvar::new(),
            limit,
        });
        let (kept, to) = (Arc::clone(&post), reporter.clone());
        let thread = thread::Builder::new()
            .name("ringloop-watchdog".into())
            .spawn(move || kept.watch(&to));
        match thread {
            Ok(thread) => Some(Self {
                post,
                thread: Some(thread),
            }),
            Err(error) => {
                let error = error.to_string();
                reporter.report(&Report::NoWatchdog { error });
                None
            }
        }
    }

    /// A task is about to be polled. Returns the poll that this one happens inside of, to be given
    /// back to [`end`](Self::end).
    pub(super) fn begin(&self, task: &TaskRef) -> Option<Poll> {
        let poll = Poll {
            task: TaskInfo::from(task),
            begin: now(),
            is_reported: false,
        };
        let mut slot = self.post.lock();
        slot.polls += 1;
        if slot.is_dozing {
            self.awaken(&mut slot);
        }
        slot.poll.replace(poll)
    }

    /// The poll has returned. Returns how long it took if it was reported.
    pub(super) fn end(&self, outer: Option<Poll>) -> Option<Duration> {
        let mut slot = self.post.lock();
        if outer.is_some() {
            // It is older than what the watchdog waits for.
            self.awaken(&mut slot);
        }
        let poll = std::mem::replace(&mut slot.poll, outer)?;
        drop(slot);
        poll.is_reported.then(|| now() - poll.begin)
    }

    /// Has the watchdog look again.
    fn awaken(&self, slot: &mut Slot) {
        slot.is_dozing = false;
        self.post.changed.notify_one();
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        self.post.lock().is_over = true;
        self.post.changed.notify_one();
        if let Some(thread) = self.thread.take() {
            // It contains the panics of the hook, and has none of its own.
            drop(thread.join());
        }
    }
}

impl fmt::Debug for Watchdog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watchdog")
            .field("limit", &self.post.limit)
            .finish_non_exhaustive()
    }
}

impl Post {
    /// The thread.
    fn watch(&self, reporter: &Reporter) {
        let mut slot = self.lock();
        let mut seen = 0;
        while !slot.is_over {
            let polls = slot.polls;
            slot = match &mut slot.poll {
                Some(poll) if !poll.is_reported => {
                    let running = now() - poll.begin;
                    if running < self.limit {
                        self.wait_timeout(slot, self.limit - running)
                    } else {
                        poll.is_reported = true;
                        let task = poll.task.clone();
                        drop(slot);
                        reporter.report(&Report::Stuck { task, running });
                        self.lock()
                    }
                }
                // Nothing to see, or nothing new. A poll that begins from now on is young when
                // the wait is over.
                Some(_) | None if polls != seen => {
                    seen = polls;
                    self.wait_timeout(slot, self.limit)
                }
                Some(_) | None => self.doze(slot),
            };
        }
    }

    /// Sleeps until the next poll begins.
    fn doze<'a>(&'a self, mut slot: MutexGuard<'a, Slot>) -> MutexGuard<'a, Slot> {
        slot.is_dozing = true;
        while slot.is_dozing && !slot.is_over {
            let woken = self.changed.wait(slot);
            slot = woken.unwrap_or_else(PoisonError::into_inner);
        }
        slot
    }

    fn wait_timeout<'a>(
        &'a self,
        slot: MutexGuard<'a, Slot>,
        timeout: Duration,
    ) -> MutexGuard<'a, Slot> {
        let woken = self.changed.wait_timeout(slot, timeout);
        woken.unwrap_or_else(PoisonError::into_inner).0
    }

    fn lock(&self) -> MutexGuard<'_, Slot> {
        // No user code runs under the lock, so a poisoned slot is a consistent one.
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the watchdog measures real time, whatever the driver says"
)]
fn now() -> Instant {
    Instant::now()
}
