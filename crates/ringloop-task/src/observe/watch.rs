//! The way of a task through a scheduler that is watched.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::time::Duration;

use super::observer::{Observer, Observers};
use super::quiet::Quiet;
use super::report::{Report, TaskInfo};
use super::watchdog::Watchdog;
use crate::home::{Home, Phase};
use crate::task::{Runnable, TaskId, TaskRef, Turn};

/// What watches the tasks of a scheduler. The scheduler calls it instead of polling, parking and
/// so on; one that is not watched has none.
#[derive(Debug)]
pub(crate) struct Watch {
    observers: Observers,
    debug: Option<Debug>,
    watchdog: Option<Watchdog>,
    /// The task that is being polled: its end is told after the poll.
    polled: Cell<Option<TaskId>>,
}

/// What debug mode looks at.
#[derive(Debug)]
pub(super) struct Debug {
    slow_poll: Duration,
    longest_poll: Cell<Duration>,
    /// What the polls of the tasks took that have not ended.
    busy: RefCell<BTreeMap<TaskId, Duration>>,
    quiet: Quiet,
}

impl Debug {
    pub(super) fn new(slow_poll: Duration, livelock: u64) -> Self {
        Self {
            slow_poll,
            longest_poll: Cell::default(),
            busy: RefCell::default(),
            quiet: Quiet::new(livelock),
        }
    }
}

impl Watch {
    pub(super) fn new(
        observers: Observers,
        debug: Option<Debug>,
        watchdog: Option<Watchdog>,
    ) -> Self {
        Self {
            observers,
            debug,
            watchdog,
            polled: Cell::new(None),
        }
    }

    /// Returns whether debug mode is on.
    pub(crate) fn is_debug(&self) -> bool {
        self.debug.is_some()
    }

    /// Returns how long the longest poll took, in debug mode.
    pub(crate) fn longest_poll(&self) -> Option<Duration> {
        self.debug.as_ref().map(|debug| debug.longest_poll.get())
    }

    /// Returns how long the polls of a task took that has not ended, in debug mode.
    pub(crate) fn busy_time(&self, task: TaskId) -> Option<Duration> {
        let debug = self.debug.as_ref()?;
        Some(debug.busy.borrow().get(&task).copied().unwrap_or_default())
    }

    /// A task was made and is in the ready queue.
    pub(crate) fn spawned(&self, home: &Home, task: &TaskRef) {
        task.set_watched();
        self.note_event();
        self.observers
            .tell(&home.reporter, |observer| observer.task_spawned(task));
    }

    /// A call was made, which is no task. Observers do not hear of it.
    pub(crate) fn called(&self, call: &TaskRef) {
        call.set_watched();
        self.note_event();
    }

    /// A task that waited was put into the ready queue.
    pub(crate) fn woken(&self, home: &Home, task: &TaskRef) {
        self.note_event();
        self.tell(home, task, |observer| observer.task_woken(task));
    }

    /// A task has ended. Told once, whoever comes first.
    pub(crate) fn ended(&self, home: &Home, task: &TaskRef) {
        if self.polled.get() == Some(task.id()) {
            return;
        }
        if let Some(debug) = &self.debug {
            debug.busy.borrow_mut().remove(&task.id());
            let is_new = task.poll_count() == 0 && !task.is_call();
            if is_new && home.phase.get() != Phase::Open {
                let task = TaskInfo::from(task);
                home.reporter.report(&Report::NeverPolled { task });
            }
        }
        self.tell(home, task, |observer| observer.task_ended(task));
    }

    /// Runs a task that has just left the ready queue.
    pub(crate) fn run(&self, home: &Home, runnable: Runnable, turn: Turn) {
        let task = runnable.task();
        if task.is_ending() {
            runnable.run(home, turn);
        } else {
            self.poll(home, &task, || runnable.run(home, turn));
        }
    }

    /// Polls a task: `poll` does.
    pub(crate) fn poll(&self, home: &Home, task: &TaskRef, poll: impl FnOnce()) {
        self.tell(home, task, |observer| observer.before_poll(task));
        let outer = self.polled.replace(Some(task.id()));
        let took = self.time(home, task, poll);
        self.polled.set(outer);
        if let Some(debug) = &self.debug {
            debug.longest_poll.set(debug.longest_poll.get().max(took));
            *debug.busy.borrow_mut().entry(task.id()).or_default() += took;
            self.count_quiet(home, debug, task);
        }
        let state = task.state();
        self.tell(home, task, |observer| observer.after_poll(task, state));
        if task.is_done() {
            self.ended(home, task);
        }
    }

    /// Polls, and reports a poll that took too long. Returns the time it took, in debug mode.
    fn time(&self, home: &Home, task: &TaskRef, poll: impl FnOnce()) -> Duration {
        let begin = self.debug.as_ref().map(|_| home.now());
        let stuck = match &self.watchdog {
            None => {
                poll();
                None
            }
            Some(watchdog) => {
                let outer = watchdog.begin(task);
                poll();
                watchdog.end(outer)
            }
        };
        let took = begin.map_or(Duration::ZERO, |begin| {
            home.now().saturating_duration_since(begin)
        });
        if let Some(took) = stuck {
            let task = TaskInfo::from(task);
            home.reporter.report(&Report::Unstuck { task, took });
        } else if self
            .debug
            .as_ref()
            .is_some_and(|debug| took >= debug.slow_poll)
        {
            let task = TaskInfo::from(task);
            home.reporter.report(&Report::SlowPoll { task, took });
        }
        took
    }

    /// Sleeps: `park` does.
    pub(crate) fn park<R>(
        &self,
        home: &Home,
        timeout: Option<Duration>,
        park: impl FnOnce() -> R,
    ) -> R {
        let reporter = &home.reporter;
        self.observers
            .tell(reporter, |observer| observer.parked(timeout));
        let begin = home.now();
        let parked = park();
        if timeout != Some(Duration::ZERO)
            && let Some(debug) = &self.debug
        {
            debug.quiet.interrupt();
        }
        let slept = home.now().saturating_duration_since(begin);
        self.observers
            .tell(reporter, |observer| observer.unparked(timeout, slept));
        parked
    }

    /// Tells the observers of a task, which calls are not.
    fn tell(&self, home: &Home, task: &TaskRef, event: impl Fn(&dyn Observer)) {
        if !task.is_call() {
            self.observers.tell(&home.reporter, event);
        }
    }

    /// Whatever wakes or makes a task while none is polled comes from outside.
    fn note_event(&self) {
        if self.polled.get().is_none()
            && let Some(debug) = &self.debug
        {
            debug.quiet.interrupt();
        }
    }

    fn count_quiet(&self, home: &Home, debug: &Debug, task: &TaskRef) {
        let Some(busiest) = debug.quiet.polled(task.id()) else {
            return;
        };
        let live = home.registry.live();
        let info = |id| {
            let task = live.iter().find(|task| task.id() == id)?;
            Some(TaskInfo::from(task))
        };
        let busiest = busiest.into_iter();
        let busiest = busiest.filter_map(|(id, count)| Some((info(id)?, count)));
        home.reporter.report(&Report::Livelock {
            polls: debug.quiet.limit(),
            busiest: busiest.collect(),
        });
    }
}
