//! The thread that looks after jobs that wait too long.
//!
//! It exists only while a pool that is told to be watched has more to do than threads: whoever
//! sees that first starts it, and it leaves a moment after there is nothing more to see.
//!
//! A stall is reported once: again only when it has turned into a deadlock, or when no job had
//! waited too long in between.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use crate::clock::Tick;
use crate::job::{JobId, Name, Tag, Watch};
use crate::pool::config::StallHook;
use crate::pool::ledger::Queued;
use crate::pool::stall::{QueuedJob, Stall};

use super::{Books, Crew};

/// Whether somebody watches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::pool) enum Watching {
    #[default]
    Off,
    On,
    /// Nothing is to be seen, and nothing has been for less than [`LINGER`].
    Lingering,
}

/// What the last report of a stall said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    Nothing,
    Stall,
    Deadlock,
}

impl Crew {
    /// Sees to it that the pool is watched while jobs wait for its threads, and no longer.
    pub(super) fn look_after(self: &Arc<Self>) {
        let Some(hook) = &self.config.on_stall else {
            return;
        };
        let mut state = self.roster.lock();
        let is_saturated = self.roster.is_saturated(&state);
        match (state.book.watching, is_saturated) {
            (Watching::Off, true) => {
                state.book.watching = Watching::On;
                drop(state);
                self.start_watch(hook.clone());
            }
            (Watching::Lingering, true) | (Watching::On, false) => {
                drop(state);
                self.watch_bell.ring();
            }
            (Watching::Off | Watching::Lingering, false) | (Watching::On, true) => {}
        }
    }

    fn start_watch(self: &Arc<Self>, hook: StallHook) {
        let crew = Arc::clone(self);
        let builder = thread::Builder::new().name(format!("{}-watch", self.name()));
        if builder.spawn(move || crew.watch(&hook)).is_err() {
            // Unwatched, until somebody else tries.
            self.roster.lock().book.watching = Watching::Off;
        }
    }

    /// The life of the thread.
    fn watch(&self, hook: &StallHook) {
        let mut told = Told::Nothing;
        let mut state = self.roster.lock();
        while state.book.watching != Watching::Off {
            if !self.roster.is_saturated(&state) {
                told = Told::Nothing;
                state = self.linger(state);
                continue;
            }
            state.book.watching = Watching::On;
            let now = self.roster.clock.now();
            let patience = match self.find_stall(&state, now, hook.bound) {
                Err(rest) => {
                    told = Told::Nothing;
                    rest
                }
                Ok(stall) if told.is_news(&stall) => {
                    told = Told::by(&stall);
                    drop(state);
                    hook.call(&stall);
                    state = self.roster.lock();
                    continue;
                }
                Ok(_known) => hook.bound.max(LINGER),
            };
            state = self.roster.doze(state, &self.watch_bell, patience);
        }
        self.roster.note_change();
    }

    /// Waits for work to pile up again, and gives up the watch if it does not.
    fn linger<'a>(&'a self, mut state: Books<'a>) -> Books<'a> {
        state.book.watching = match state.book.watching {
            Watching::On if !state.is_closed() => Watching::Lingering,
            Watching::On | Watching::Lingering | Watching::Off => Watching::Off,
        };
        if state.book.watching == Watching::Lingering {
            state = self.roster.doze(state, &self.watch_bell, LINGER);
        }
        state
    }

    /// Describes the stall, if a job has waited for `bound`; or returns how long it takes until
    /// one can have.
    fn find_stall(&self, state: &Books<'_>, now: Tick, bound: Duration) -> Result<Stall, Duration> {
        let mut oldest: Option<(Duration, QueuedJob)> = None;
        // Jobs of running jobs, and jobs that wait: who is the parent of whom.
        let mut parents: Vec<JobId> = Vec::new();
        let mut queued_ids: Vec<JobId> = Vec::new();
        self.roster.for_each(state, |queued: &Queued| {
            if queued.job.is_cancelled() {
                return;
            }
            let tag = queued.job.tag();
            queued_ids.push(queued.job.id());
            parents.extend(tag.parent().map(|parent| parent.id));
            oldest.get_or_insert_with(|| (now.since(queued.since), describe(tag)));
        });
        let (waited, queued) = oldest.ok_or(bound)?;
        if waited < bound {
            return Err(bound - waited);
        }
        let is_stuck = |job: &Watch| {
            let awaited = job.head().is_waiting_for();
            parents.contains(&job.head().id()) || awaited.is_some_and(|id| queued_ids.contains(&id))
        };
        Ok(Stall {
            pool: self.name().to_owned(),
            waited,
            queued,
            running: state.book.running_jobs(self.name(), now),
            is_deadlock: state.book.all_running(is_stuck),
        })
    }
}

impl Told {
    fn by(stall: &Stall) -> Self {
        if stall.is_deadlock {
            Self::Deadlock
        } else {
            Self::Stall
        }
    }

    /// Whether `stall` is worth a report.
    fn is_news(self, stall: &Stall) -> bool {
        match self {
            Self::Nothing => true,
            Self::Stall => stall.is_deadlock,
            Self::Deadlock => false,
        }
    }
}

fn describe(tag: &Tag) -> QueuedJob {
    QueuedJob {
        name: tag.name().map(|name| Name::as_str(name).to_owned()),
        location: tag.location(),
        parent: tag.parent().map(|parent| parent.location),
    }
}

/// How long a watch goes on without need, and at least between two looks at a known stall.
const LINGER: Duration = Duration::from_millis(20);
