//! F77: a poll that does not return is reported while it is stuck.
//!
//! The polls are stuck until their reports are there. A busy machine may hold up other polls too for
//! longer than the limit: what is reported of those is left aside.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::mpsc::{Receiver, channel};
use std::thread::{self, ThreadId};
use std::time::Duration;

use ringloop_task::observe::{Report, TaskInfo};
use ringloop_task::task::{self, TaskId};
use ringloop_task::{Scheduler, SchedulerBuilder};

use crate::driver::VirtualDriver;

const LIMIT: Duration = Duration::from_millis(5);

/// The reports so far, and the threads they came from.
#[derive(Clone)]
struct Reports {
    incoming: Rc<Receiver<(Report, ThreadId)>>,
    seen: Rc<RefCell<Vec<(Report, ThreadId)>>>,
}

/// Makes a scheduler with a watchdog.
fn guarded(
    settings: impl FnOnce(SchedulerBuilder) -> SchedulerBuilder,
) -> (Scheduler<VirtualDriver>, Reports) {
    let (log, reports) = channel();
    let builder = Scheduler::builder()
        .watchdog(LIMIT)
        .on_report(move |report| {
            let report = (report.clone(), thread::current().id());
            log.send(report).expect("the test looks at all reports");
        });
    let reports = Reports {
        incoming: Rc::new(reports),
        seen: Rc::default(),
    };
    (settings(builder).build(VirtualDriver::new()), reports)
}

impl Reports {
    /// Takes in what comes within the time. Returns false if nothing will ever come.
    fn listen(&self, time: Duration) -> bool {
        match self.incoming.recv_timeout(time) {
            Ok(report) => self.seen.borrow_mut().push(report),
            Err(error) => return error == std::sync::mpsc::RecvTimeoutError::Timeout,
        }
        true
    }

    /// Waits for the first report that `pick` picks.
    fn wait<T>(&self, pick: impl Fn(&Report, ThreadId) -> Option<T>) -> T {
        loop {
            let seen = self.seen.borrow();
            let found = seen
                .iter()
                .find_map(|(report, thread)| pick(report, *thread));
            if let Some(found) = found {
                return found;
            }
            let count = seen.len();
            drop(seen);
            self.listen(Duration::from_secs(20));
            assert!(self.seen.borrow().len() > count, "there is no report");
        }
    }

    /// Blocks the thread until the watchdog has reported the current task.
    fn be_stuck(&self) -> (TaskInfo, Duration) {
        let own = task::current().expect("a task is polled").id();
        self.wait(|report, thread| {
            let (task, running) = stuck(report).filter(|(task, _)| task.id() == own)?;
            assert_ne!(thread, thread::current().id(), "this one is stuck");
            Some((task.clone(), running))
        })
    }

    /// Returns how often a task was reported as stuck, and as returned.
    fn counts(&self, id: TaskId) -> (usize, usize) {
        let seen = self.seen.borrow();
        let count = |kind: fn(&Report) -> Option<(&TaskInfo, Duration)>| {
            let tasks = seen.iter().filter_map(|(report, _)| kind(report));
            tasks.filter(|(task, _)| task.id() == id).count()
        };
        (count(stuck), count(unstuck))
    }
}

fn stuck(report: &Report) -> Option<(&TaskInfo, Duration)> {
    let Report::Stuck { task, running } = report else {
        return None;
    };
    Some((task, *running))
}

fn unstuck(report: &Report) -> Option<(&TaskInfo, Duration)> {
    let Report::Unstuck { task, took } = report else {
        return None;
    };
    Some((task, *took))
}

fn named(name: &str) -> task::Builder {
    task::Builder::new().name(name)
}

#[test]
fn stuck_poll_is_reported_from_outside_and_again_when_it_returns() {
    let (mut scheduler, reports) = guarded(|builder| builder);
    scheduler.block_on(async {
        let shared = reports.clone();
        let stuck = named("stuck").spawn(async move {
            let own = task::current().unwrap();
            let (task, running) = shared.be_stuck();
            assert_eq!((task.id(), task.name()), (own.id(), Some("stuck")));
            assert_eq!(task.spawned_at(), own.spawned_at());
            assert!(running >= LIMIT);
            // Once for each poll, however long it takes.
            shared.listen(LIMIT * 4);
            assert_eq!(shared.counts(own.id()), (1, 0));
            (own.id(), running)
        });
        let (id, running) = stuck.await.unwrap();
        let took = reports.wait(|report, thread| {
            let (_, took) = unstuck(report).filter(|(task, _)| task.id() == id)?;
            assert_eq!(thread, thread::current().id());
            Some(took)
        });
        assert!(took > running);
        assert_eq!(reports.counts(id), (1, 1));
    });
    drop(scheduler);
    while reports.listen(Duration::from_secs(20)) {}
}

#[test]
fn every_stuck_poll_is_reported_once() {
    let (mut scheduler, reports) = guarded(|builder| builder);
    let mut ids = Vec::new();
    for _ in 0..3 {
        // Nothing runs, for so long that the watchdog dozes; the next poll wakes it.
        reports.listen(LIMIT * 6);
        ids.extend(scheduler.block_on(async {
            let shared = reports.clone();
            let stuck = || {
                let shared = shared.clone();
                task::spawn(async move {
                    shared.be_stuck();
                    task::current().unwrap().id()
                })
            };
            [stuck().await.unwrap(), stuck().await.unwrap()]
        }));
    }
    drop(scheduler);
    while reports.listen(Duration::from_secs(20)) {}
    for id in ids {
        assert_eq!(reports.counts(id), (1, 1));
    }
}

#[test]
fn polls_inside_of_polls_are_told_apart() {
    let (mut scheduler, reports) = guarded(|builder| builder);
    scheduler.block_on(async {
        let shared = reports.clone();
        let inner = named("inner").eager(true).spawn(async move {
            assert_eq!(shared.be_stuck().0.name(), Some("inner"));
            // For so long that the watchdog dozes: the outer poll is to be watched again.
            shared.listen(LIMIT * 6);
        });
        assert!(inner.is_finished());
        assert_eq!(reports.be_stuck().0.name(), None);
        reports.wait(|report, _| {
            unstuck(report)
                .filter(|(task, _)| task.id() == inner.id())
                .map(drop)
        });
        assert_eq!(reports.counts(inner.id()), (1, 1));
    });
}

#[test]
fn stuck_poll_is_not_reported_as_slow_as_well() {
    let (mut scheduler, reports) = guarded(|builder| {
        let builder = builder.debug(Some(true));
        builder.slow_poll(Duration::ZERO)
    });
    let id = scheduler.block_on(async {
        let shared = reports.clone();
        let stuck = task::spawn(async move { shared.be_stuck().0.id() });
        stuck.await.unwrap()
    });
    drop(scheduler);
    while reports.listen(Duration::from_secs(20)) {}
    assert_eq!(reports.counts(id), (1, 1));
    let is_slow =
        |report: &Report| matches!(report, Report::SlowPoll { task, .. } if task.id() == id);
    let seen = reports.seen.borrow();
    assert!(!seen.iter().any(|(report, _)| is_slow(report)));
}
