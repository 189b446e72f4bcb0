//! What is told of everything that tasks do.

use std::cell::Cell;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use super::report::Report;
use super::reporter::Reporter;
use crate::task::{TaskRef, TaskState, panic_message};
use crate::unhandled::Payload;

/// Is told of everything that tasks do; set by
/// [`SchedulerBuilder::observer`](crate::SchedulerBuilder::observer).
///
/// All methods do nothing unless implemented. They run on the loop's thread, in the middle of
/// things: they should be short. They may look at tasks, spawn, cancel and wake; what an observer
/// does itself is not told to observers. One that panics is reported
/// ([`Report::ObserverPanicked`]) and told nothing any more; the loop goes on.
///
/// Counterpart: `trio.abc.Instrument`.
///
/// # Examples
///
/// ```
/// use ringloop_core::ThreadDriver;
/// use ringloop_task::observe::Observer;
/// use ringloop_task::task::{self, TaskRef};
/// use ringloop_task::Scheduler;
/// use std::cell::Cell;
/// use std::rc::Rc;
///
/// /// Counts tasks.
/// struct Spawns(Rc<Cell<u32>>);
///
/// impl Observer for Spawns {
///     fn task_spawned(&self, _task: &TaskRef) {
///         self.0.set(self.0.get() + 1);
///     }
/// }
///
/// let count = Rc::new(Cell::new(0));
/// let mut scheduler = Scheduler::builder()
///     .observer(Spawns(Rc::clone(&count)))
///     .build(ThreadDriver::new());
/// scheduler.block_on(async { task::spawn(async {}).await })?;
/// assert_eq!(count.get(), 2, "the main task and its child");
/// # Ok::<(), task::JoinError>(())
/// ```
#[doc(alias = "Instrument")]
#[expect(
    unused_variables,
    reason = "the names of the arguments are documentation"
)]
pub trait Observer {
    /// A task was made. It has not been polled.
    fn task_spawned(&self, task: &TaskRef) {}

    /// A task that was waiting was put into the ready queue: a wake that had an effect.
    /// [`task::current`](crate::task::current) is the task that woke it, if one did so while it was
    /// polled; the end of a task wakes when that is over.
    #[doc(alias = "task_scheduled")]
    fn task_woken(&self, task: &TaskRef) {}

    /// A task is about to be polled.
    #[doc(alias = "before_task_step")]
    fn before_poll(&self, task: &TaskRef) {}

    /// A task was polled, and is in `state` now.
    #[doc(alias = "after_task_step")]
    fn after_poll(&self, task: &TaskRef, state: TaskState) {}

    /// A task has ended: it returned, panicked or was dropped. The last that is told of it.
    #[doc(alias = "task_exited")]
    fn task_ended(&self, task: &TaskRef) {}

    /// The loop is about to sleep, for `timeout` at most. Zero if there is work: the driver only
    /// looks whether something has happened.
    #[doc(alias = "before_io_wait")]
    fn parked(&self, timeout: Option<Duration>) {}

    /// The loop is back after `slept`, with the `timeout` that it was parked with.
    #[doc(alias = "after_io_wait")]
    fn unparked(&self, timeout: Option<Duration>, slept: Duration) {}
}

/// The observers of one scheduler.
#[derive(Default)]
pub(super) struct Observers {
    slots: Vec<Slot>,
    /// Whether one of them runs: what it does is not told.
    is_telling: Cell<bool>,
}

struct Slot {
    observer: Box<dyn Observer>,
    has_panicked: Cell<bool>,
}

impl Observers {
    pub(super) fn add(&mut self, observer: Box<dyn Observer>) {
        self.slots.push(Slot {
            observer,
            has_panicked: Cell::new(false),
        });
    }

    pub(super) fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Tells all observers, in the order they were set.
    pub(super) fn tell(&self, reporter: &Reporter, event: impl Fn(&dyn Observer)) {
        if self.slots.is_empty() || self.is_telling.replace(true) {
            return;
        }
        for slot in self.slots.iter().filter(|slot| !slot.has_panicked.get()) {
            let told = catch_unwind(AssertUnwindSafe(|| event(&*slot.observer)));
            if let Err(payload) = told {
                slot.has_panicked.set(true);
                report_panic(reporter, payload);
            }
        }
        self.is_telling.set(false);
    }
}

#[cold]
fn report_panic(reporter: &Reporter, payload: Payload) {
    let message = panic_message(&*payload).map(Into::into);
    reporter.report(&Report::ObserverPanicked { message });
    // The payload's drop may panic too, and there is nobody left to tell.
    drop(catch_unwind(AssertUnwindSafe(|| drop(payload))));
}

impl fmt::Debug for Observers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observers")
            .field("len", &self.slots.len())
            .finish_non_exhaustive()
    }
}
