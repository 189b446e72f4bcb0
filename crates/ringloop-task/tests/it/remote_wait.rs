//! Threads that block until a task of a loop elsewhere has ended.

use std::future::pending;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use ringloop_core::ThreadDriver;
use ringloop_task::cancel::{ReasonKind, shield};
use ringloop_task::task::JoinError;
use ringloop_task::{Remote, Scheduler, task, time};

/// Runs `work` on another thread while a scheduler here runs, and has it shut down afterwards.
#[expect(clippy::unwrap_used, reason = "the scheduler is there")]
fn beside<T: Send + 'static>(work: impl FnOnce(&Remote) -> T + Send + 'static) -> T {
    let mut scheduler = Scheduler::new(ThreadDriver::new());
    let remote = scheduler.remote();
    let thread = thread::spawn(move || {
        let result = catch_unwind(AssertUnwindSafe(|| work(&remote)));
        remote.stop().unwrap();
        result
    });
    scheduler
        .block_on(time::sleep(Duration::MAX))
        .expect_err("it is stopped");
    thread.join().unwrap().unwrap()
}

#[test]
fn the_output_comes_back_and_the_future_stays_there() {
    beside(|remote| {
        let there = remote.block_on(|| async {
            let local = Rc::new(7);
            time::sleep(Duration::from_millis(1)).await.unwrap();
            (*local, thread::current().id())
        });
        let (value, id) = there.unwrap();
        assert_eq!(value, 7);
        assert_ne!(id, thread::current().id());
        let joins: Vec<_> = (0..10)
            .map(|n| remote.spawn(move || async move { n }).unwrap())
            .collect();
        let outputs: Result<Vec<_>, _> = joins.into_iter().map(|join| join.wait()).collect();
        assert_eq!(outputs.unwrap(), (0..10).collect::<Vec<_>>());
    });
}

#[test]
fn a_panic_over_there_is_an_error_here() {
    beside(|remote| {
        let in_future = remote.block_on(|| async { panic!("over there") });
        let make = || -> std::future::Pending<()> { panic!("over there") };
        for outcome in [in_future, remote.block_on(make)] {
            let error = outcome.unwrap_err();
            assert!(error.is_panic() && error.to_string().contains("over there"));
        }
        assert_eq!(
            remote.block_on(|| async { 1 }).unwrap(),
            1,
            "the loop goes on"
        );
    });
}

#[test]
fn a_task_that_is_cancelled_gives_what_it_returns() {
    beside(|remote| {
        let outcome = remote.block_on(|| async {
            task::current().unwrap().cancel("enough");
            time::sleep(Duration::MAX).await
        });
        assert_eq!(outcome.unwrap().unwrap_err().reason().text(), "enough");
    });
}

/// How far the task has come × how the scheduler goes.
#[test]
fn a_loop_that_goes_away_lets_nobody_hang() {
    for stage in ["gone before", "queued", "parked", "shielded"] {
        for grace in [None, Some(Duration::ZERO), Some(Duration::from_millis(1))] {
            let mut scheduler = Scheduler::new(ThreadDriver::new());
            let remote = scheduler.remote();
            let (note, has_begun) = mpsc::channel();
            let posted = note.clone();
            let begin = move || {
                thread::spawn(move || {
                    posted.send("thread").unwrap();
                    remote.block_on(move || async move {
                        note.send("task").unwrap();
                        match stage {
                            "parked" => time::sleep(Duration::MAX)
                                .await
                                .map_err(|c| c.reason().kind()),
                            _ => shield(pending()).await,
                        }
                    })
                })
            };
            let end = |mut scheduler: Scheduler<_>| match grace {
                None => drop(scheduler),
                Some(grace) => drop(scheduler.shutdown(grace)),
            };
            let thread = match stage {
                "gone before" => {
                    end(scheduler);
                    begin()
                }
                _ => {
                    let thread = begin();
                    assert_eq!(has_begun.recv(), Ok("thread"));
                    while stage != "queued" && has_begun.try_recv() != Ok("task") {
                        let _turn = scheduler.turn(Some(Duration::from_millis(1))).unwrap();
                    }
                    end(scheduler);
                    thread
                }
            };
            let outcome = thread.join().unwrap();
            let is_told = stage == "parked" && grace.is_some_and(|grace| !grace.is_zero());
            match outcome {
                Ok(told) => {
                    assert!(is_told, "{stage} {grace:?}");
                    assert_eq!(told, Err(ReasonKind::Shutdown));
                }
                Err(error) => assert!(error.is_gone() && !is_told, "{stage} {grace:?}: {error}"),
            }
        }
    }
}

#[test]
fn waiting_for_one_s_own_loop_panics_instead_of_hanging() {
    #[track_caller]
    fn check<T>(call: impl FnOnce() -> Result<T, JoinError>) {
        let panicked = catch_unwind(AssertUnwindSafe(call)).map(drop).unwrap_err();
        let message = panicked.downcast_ref::<&str>().unwrap();
        assert!(message.contains("runs on this same thread"), "{message}");
    }
    let mut scheduler = Scheduler::new(ThreadDriver::new());
    let remote = scheduler.remote();
    // Inside of the loop, and where the loop would have to run for it.
    let inside = remote.clone();
    scheduler.block_on(async move {
        check(|| inside.block_on(|| async {}));
        check(|| inside.spawn(|| async {}).unwrap().wait());
    });
    check(|| remote.block_on(|| async {}));
    let early = remote.spawn(|| async { 7 }).unwrap();
    let late = remote.spawn(|| async { 8 }).unwrap();
    check(|| early.wait());
    scheduler.block_on(task::yield_now()).unwrap();
    assert_eq!(late.wait().unwrap(), 8, "what has ended is not waited for");
    drop(scheduler);
    assert!(remote.block_on(|| async {}).unwrap_err().is_gone());
}

#[test]
fn a_thread_with_a_loop_of_its_own_may_wait_for_another() {
    beside(|remote| {
        let remote = remote.clone();
        Scheduler::new(ThreadDriver::new()).block_on(async move {
            assert_eq!(remote.block_on(|| async { 7 }).unwrap(), 7);
        });
    });
}

#[test]
fn the_current_remote_is_that_of_the_loop() {
    assert!(Remote::current().is_none());
    let mut scheduler = Scheduler::new(ThreadDriver::new());
    let remote = scheduler.block_on(async { Remote::current().unwrap() });
    assert!(Remote::current().is_none());
    remote
        .call_soon(|| task::current().map_or((), |_| unreachable!()))
        .unwrap();
    let asked = remote
        .spawn(|| async { Remote::current().is_some() })
        .unwrap();
    assert!(scheduler.block_on(asked).unwrap());
    drop(scheduler);
    assert!(remote.is_closed());
}
