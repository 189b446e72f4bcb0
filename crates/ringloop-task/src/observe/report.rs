//! What debug mode, the watchdog and reporting tasks have to say.

use std::fmt;
use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

use crate::task::{TaskId, TaskRef};

/// Something about the program that its author should know; see
/// [`SchedulerBuilder::on_report`](crate::SchedulerBuilder::on_report).
///
/// It is plain data and may be sent to another thread. Its `Display` is one line, but for
/// [`Deadlock`](Self::Deadlock) and [`Stalled`](Self::Stalled).
///
/// # Examples
///
/// ```
/// use ringloop_core::ThreadDriver;
/// use ringloop_task::observe::Report;
/// use ringloop_task::{Scheduler, task};
/// use std::sync::mpsc;
/// use std::time::Duration;
///
/// let (log, reports) = mpsc::channel();
/// let mut scheduler = Scheduler::builder()
///     .debug(Some(true))
///     .slow_poll(Duration::ZERO) // Every poll is slow.
///     .on_report(move |report| log.send(report.clone()).unwrap())
///     .build(ThreadDriver::new());
/// scheduler.block_on(async {});
/// assert!(matches!(reports.recv(), Ok(Report::SlowPoll { .. })));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Report {
    /// A poll took at least the time of
    /// [`slow_poll`](crate::SchedulerBuilder::slow_poll): it held the loop, and everything else
    /// had to wait. Counterpart: `loop.slow_callback_duration`.
    SlowPoll {
        /// Whose poll.
        task: TaskInfo,
        /// How long it took.
        took: Duration,
    },
    /// A poll has not returned for the time of
    /// [`watchdog`](crate::SchedulerBuilder::watchdog). Reported by the watchdog's thread while
    /// the loop is held.
    Stuck {
        /// Whose poll.
        task: TaskInfo,
        /// For how long it has been running.
        running: Duration,
    },
    /// A poll that was reported as stuck has returned.
    Unstuck {
        /// Whose poll.
        task: TaskInfo,
        /// How long it took.
        took: Duration,
    },
    /// Tasks keep waking each other, and nothing else happens: no timer, no driver's event, no
    /// other thread. Reported once, until something happens.
    Livelock {
        /// So many polls without an event.
        polls: u64,
        /// Who was polled most lately, and how often.
        busiest: Vec<(TaskInfo, u64)>,
    },
    /// A task of [`spawn_reporting`](crate::task::Builder::spawn_reporting) ended with an error
    /// that nobody read.
    UnreadError {
        /// Whose error.
        task: TaskInfo,
        /// What the error says.
        error: String,
    },
    /// A task was dropped at the shutdown and had never been polled. Counterpart: "coroutine was
    /// never awaited".
    NeverPolled {
        /// Which one.
        task: TaskInfo,
    },
    /// Tasks wait for each other, in a circle, or one waits for itself. They wait on, and may be
    /// cancelled. Reported in debug mode, by the locks that they wait for, when the circle is closed.
    Deadlock {
        /// Each waits for the next one, and the last for the first.
        tasks: Vec<TaskInfo>,
        /// Who waits where, and for what, in several lines.
        text: String,
    },
    /// Offloaded work has been waiting for a thread for the time of
    /// [`watchdog`](crate::SchedulerBuilder::watchdog), because all threads of its pool are busy, or
    /// wait for each other. Reported by a thread of the pool.
    Stalled {
        /// The name of the pool.
        pool: String,
        /// Where the work that waits longest was offloaded.
        at: &'static Location<'static>,
        /// Whether the threads wait for the work that waits for them.
        is_deadlock: bool,
        /// What waits, and for what, in several lines.
        text: String,
    },
    /// An observer panicked, and is told nothing any more.
    ObserverPanicked {
        /// What the panic said, if it was text.
        message: Option<String>,
    },
    /// There is no watchdog: its thread could not be started.
    NoWatchdog {
        /// Why.
        error: String,
    },
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SlowPoll { task, took } => write!(f, "{task}: a poll took {took:?}"),
            Self::Stuck { task, running } => {
                write!(f, "{task}: a poll has not returned for {running:?}")
            }
            Self::Unstuck { task, took } => {
                write!(f, "{task}: the poll that was stuck returned after {took:?}")
            }
            Self::Livelock { polls, busiest } => {
                write!(f, "{polls} polls without an event")?;
                for (task, count) in busiest {
                    write!(f, "; {task}: {count} of the last ones")?;
                }
                Ok(())
            }
            Self::UnreadError { task, error } => {
                write!(f, "{task}: ended with an error that nobody read: {error}")
            }
            Self::NeverPolled { task } => write!(f, "{task}: dropped without a single poll"),
            Self::Deadlock { text, .. } | Self::Stalled { text, .. } => f.write_str(text),
            Self::ObserverPanicked { message } => {
                let message = message.as_deref().unwrap_or("no message");
                write!(f, "an observer panicked and is disabled: {message}")
            }
            Self::NoWatchdog { error } => write!(f, "the watchdog could not be started: {error}"),
        }
    }
}

/// A task, or a [call](crate::call), as reports name it. It says nothing of what the task does now, and keeps nothing alive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskInfo {
    id: TaskId,
    name: Option<Arc<str>>,
    spawned_at: &'static Location<'static>,
    is_call: bool,
}

impl TaskInfo {
    /// Returns the task's number.
    #[must_use]
    pub fn id(&self) -> TaskId {
        self.id
    }

    /// Returns the task's name.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Returns where the task was spawned, or the call made.
    #[must_use]
    pub fn spawned_at(&self) -> &'static Location<'static> {
        self.spawned_at
    }
}

impl From<&TaskRef> for TaskInfo {
    fn from(task: &TaskRef) -> Self {
        Self {
            id: task.id(),
            name: task.name(),
            spawned_at: task.spawned_at(),
            is_call: task.is_call(),
        }
    }
}

impl fmt::Display for TaskInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_call {
            return write!(f, "a call that was made at {}", self.spawned_at);
        }
        write!(f, "task {}", self.id)?;
        if let Some(name) = &self.name {
            write!(f, " \"{name}\"")?;
        }
        write!(f, ", spawned at {}", self.spawned_at)
    }
}
