//! The orderly end.

use std::cell::RefCell;
use std::future::pending;
use std::rc::Rc;
use std::time::Duration;

use ringloop_task::cancel::{ReasonKind, shield};
use ringloop_task::{Scheduler, UnhandledKind, task, time};

use crate::driver::{Drops, Log, VirtualDriver, secs};

#[test]
fn tasks_are_asked_and_may_clean_up() {
    let log = Log::default();
    let mut scheduler = Scheduler::new(VirtualDriver::new());
    scheduler.block_on(async {
        for name in ["a", "b"] {
            let log = log.clone();
            drop(task::spawn(async move {
                let cancelled = time::sleep(Duration::MAX).await.unwrap_err();
                assert_eq!(cancelled.reason().kind(), ReasonKind::Shutdown);
                shield(time::sleep(secs(1))).await.unwrap();
                log.add(name);
            }));
        }
        task::yield_now().await.unwrap();
    });
    let report = scheduler.shutdown(secs(10));
    log.check(&["a", "b"]);
    assert_eq!(
        (report.cancelled, report.aborted, report.panicked),
        (2, 0, 0)
    );
    assert_eq!(
        scheduler.shutdown(secs(10)),
        Default::default(),
        "a second end is none"
    );
}

#[test]
fn those_who_stay_are_dropped_and_reported_when_the_grace_is_over() {
    let reports = Rc::new(RefCell::new(Vec::new()));
    let hooked = reports.clone();
    let mut scheduler = Scheduler::builder()
        .on_unhandled(move |unhandled| {
            assert_eq!(unhandled.kind(), UnhandledKind::Aborted);
            assert!(
                unhandled
                    .spawned_at()
                    .unwrap()
                    .file()
                    .ends_with("shutdown.rs")
            );
            hooked
                .borrow_mut()
                .push(unhandled.name().map(|name| name.to_string()));
        })
        .build(VirtualDriver::new());
    let drops = Drops::default();
    scheduler.block_on(async {
        for name in ["first", "second"] {
            let value = drops.value();
            drop(task::Builder::new().name(name).spawn(async move {
                let _value = value;
                shield(time::sleep(secs(20))).await
            }));
        }
        drop(task::Builder::new().name("blind").spawn(pending::<()>()));
        drop(task::spawn(time::sleep(secs(20))));
        task::yield_now().await.unwrap();
    });
    let report = scheduler.shutdown(secs(10));
    // What waits for something that cannot be told is dropped when it is asked.
    assert_eq!((report.cancelled, report.aborted), (2, 2));
    assert_eq!(drops.count(), 2);
    let names = ["first", "second"].map(|name| Some(name.to_owned()));
    assert_eq!(reports.take(), names);
}

#[test]
fn tasks_spawned_during_the_grace_are_asked_at_once() {
    let mut scheduler = Scheduler::new(VirtualDriver::new());
    scheduler.block_on(async {
        drop(task::spawn(async {
            time::sleep(Duration::MAX).await.unwrap_err();
            let child = task::spawn(time::sleep(Duration::MAX));
            assert_eq!(
                child.await.unwrap().unwrap_err().reason().kind(),
                ReasonKind::Shutdown
            );
        }));
        task::yield_now().await.unwrap();
    });
    let report = scheduler.shutdown(secs(1));
    assert_eq!(
        (report.cancelled, report.aborted, report.panicked),
        (1, 0, 0)
    );
}

#[test]
fn tasks_spawned_after_the_grace_are_refused() {
    struct Spawns(Rc<RefCell<Option<task::JoinHandle<()>>>>, Drops);
    impl Drop for Spawns {
        fn drop(&mut self) {
            let value = self.1.value();
            let refused = task::spawn(async move {
                let _value = value;
            });
            self.0.replace(Some(refused));
        }
    }
    let (drops, kept) = (Drops::default(), Rc::new(RefCell::new(None)));
    let spawns = Spawns(kept.clone(), drops.clone());
    let mut scheduler = Scheduler::new(VirtualDriver::new());
    scheduler.block_on(async move {
        drop(task::spawn(async move {
            let _spawns = spawns;
            pending::<()>().await;
        }));
        task::yield_now().await.unwrap();
    });
    let report = scheduler.shutdown(Duration::ZERO);
    assert_eq!((report.cancelled, report.aborted), (0, 1));
    assert_eq!(drops.count(), 1);
    drop(scheduler);
    let refused: task::JoinHandle<()> = kept.take().unwrap();
    assert!(crate::driver::run(refused).unwrap_err().is_gone());
}

#[test]
fn panics_during_the_end_are_counted() {
    let mut scheduler = Scheduler::new(VirtualDriver::new());
    scheduler.block_on(async {
        drop(task::spawn(async {
            time::sleep(Duration::MAX).await.expect("panics");
        }));
        task::yield_now().await.unwrap();
    });
    let report = scheduler.shutdown(secs(1));
    assert_eq!((report.cancelled, report.panicked), (1, 1));
}

#[test]
#[should_panic(expected = "the scheduler has been shut down")]
fn nothing_runs_afterwards() {
    let mut scheduler = Scheduler::new(VirtualDriver::new());
    scheduler.shutdown(Duration::ZERO);
    scheduler.block_on(async {});
}

#[test]
fn scheduler_may_be_dropped_inside_another_loop() {
    let drops = Drops::default();
    let value = drops.value();
    let mut inner = Scheduler::new(VirtualDriver::new());
    inner.block_on(async move {
        drop(task::spawn(async move {
            let _value = value;
            pending::<()>().await;
        }));
        task::yield_now().await.unwrap();
    });
    crate::driver::run(async {
        let before = task::current().unwrap().id();
        drop(inner);
        assert_eq!(task::current().unwrap().id(), before);
        task::spawn(async {}).await.unwrap();
    });
    assert_eq!(drops.count(), 1);
}

#[test]
fn sleeps_that_outlive_their_scheduler_begin_again_in_the_next_loop() {
    let mut scheduler = Scheduler::new(VirtualDriver::new());
    let sleep = scheduler.block_on(async {
        let mut sleep = Box::pin(time::sleep(secs(5)));
        let polled = std::future::poll_fn(|cx| std::task::Poll::Ready(sleep.as_mut().poll(cx)));
        assert!(polled.await.is_pending());
        sleep
    });
    drop(scheduler);
    crate::driver::run(sleep).unwrap();
}
