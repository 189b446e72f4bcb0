//! F77: a poll that does not return is reported while it is stuck.
//!
//! Nothing here depends on how long anything takes: the poll is stuck until the report is there.

use std::rc::Rc;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use ringloop_task::observe::{Report, TaskInfo};
use ringloop_task::{Scheduler, task};

use crate::driver::VirtualDriver;

const LIMIT: Duration = Duration::from_millis(5);

/// A scheduler with a watchdog, and its reports with the threads they came from.
fn guarded() -> (
    Scheduler<VirtualDriver>,
    Receiver<(Report, thread::ThreadId)>,
) {
    let (log, reports) = channel();
    let scheduler = Scheduler::builder()
        .watchdog(LIMIT)
        .on_report(move |report| {
            let report = (report.clone(), thread::current().id());
            log.send(report).expect("the test looks at all reports");
        })
        .build(VirtualDriver::new());
    (scheduler, reports)
}

fn named(name: &str) -> task::Builder {
    task::Builder::new().name(name)
}

/// Blocks the thread until the watchdog has reported, and returns whom.
fn be_stuck(reports: &Receiver<(Report, thread::ThreadId)>) -> (TaskInfo, Duration) {
    let (report, thread) = reports.recv().expect("a report comes");
    assert_ne!(thread, thread::current().id(), "this one is stuck");
    let Report::Stuck { task, running } = report else {
        panic!("{report}")
    };
    (task, running)
}

#[test]
fn stuck_poll_is_reported_from_outside_and_again_when_it_returns() {
    let (mut scheduler, reports) = guarded();
    let reports = scheduler.block_on(async {
        named("quick").spawn(async {}).await.unwrap();
        let stuck = named("stuck").spawn(async move {
            let own = task::current().unwrap();
            let (task, running) = be_stuck(&reports);
            assert_eq!((task.id(), task.name()), (own.id(), Some("stuck")));
            assert_eq!(task.spawned_at(), own.spawned_at());
            assert!(running >= LIMIT);
            // Once for each poll, however long it takes.
            assert!(reports.recv_timeout(LIMIT * 4).is_err());
            // A poll that is over is no part of the next one.
            task::yield_now().await.unwrap();
            (reports, own.id(), running)
        });
        let (reports, id, running) = stuck.await.unwrap();
        let (report, thread) = reports.recv().unwrap();
        assert_eq!(thread, thread::current().id());
        let Report::Unstuck { task, took } = report else {
            panic!("{report}")
        };
        assert_eq!(task.id(), id);
        assert!(took >= running + LIMIT * 4);
        reports
    });
    drop(scheduler);
    assert!(
        reports.recv().is_err(),
        "no more reports, and the hook is gone"
    );
}

#[test]
fn every_stuck_poll_is_reported_and_nothing_else() {
    let (mut scheduler, reports) = guarded();
    for _ in 0..3 {
        scheduler.block_on(async {
            for _ in 0..2 {
                be_stuck(&reports);
                task::yield_now().await.unwrap();
                assert!(matches!(reports.recv().unwrap().0, Report::Unstuck { .. }));
            }
            be_stuck(&reports);
        });
        assert!(matches!(reports.recv().unwrap().0, Report::Unstuck { .. }));
        // Nothing runs, for so long that the watchdog dozes; the next poll wakes it.
        assert!(reports.recv_timeout(LIMIT * 6).is_err());
    }
}

#[test]
fn polls_inside_of_polls_are_told_apart() {
    let (mut scheduler, reports) = guarded();
    let reports = Rc::new(reports);
    let shared = reports.clone();
    scheduler.block_on(async {
        let main = task::current().unwrap().id();
        let inner = named("inner").eager(true).spawn(async move {
            let (task, _) = be_stuck(&shared);
            assert_eq!(task.name(), Some("inner"));
        });
        assert!(matches!(reports.recv().unwrap().0, Report::Unstuck { .. }));
        let (task, _) = be_stuck(&reports);
        assert_eq!(task.id(), main);
        drop(inner);
    });
}
