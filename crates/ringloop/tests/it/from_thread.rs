//! What a job knows of its loop: values, reasons, and the way back.

use std::cell::Cell;
use std::future::pending;
use std::rc::Rc;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use ringloop::cancel::{CancelScope, CancelToken, Reason, ReasonKind, ScopeExit, shield};
use ringloop::offload::{
    Builder, FromThreadError, Interrupt, OffloadError, Offloaded, ThreadPool, cpu, offload_on,
};
use ringloop::task::yield_now;
use ringloop::{Cancelled, Runtime, offload, sleep, spawn, task_local, timeout};

use crate::offload::AtOnce;
use crate::rig::{cancelled_while_pending, run};

task_local! {
    traveling static REQUEST: u32 = 0;
    static STAYS: u32 = 0;
}

/// All ways out of the loop.
async fn everywhere<T: Send + 'static>(
    work: impl Fn() -> T + Send + Clone + 'static,
) -> [Result<T, OffloadError>; 4] {
    let pool = ThreadPool::fixed(1);
    let own = Builder::new().name("own").offload_on(&pool, work.clone());
    [
        offload(work.clone()).await,
        cpu(work.clone()).await,
        own.await,
        offload_on(&AtOnce, work).await,
    ]
}

/// Why the job that runs here was asked to stop.
fn reason() -> Option<Reason> {
    let reason = Interrupt::current().reason()?;
    let cancelled: &Cancelled = reason.downcast_ref().expect("it comes from a scope");
    Some(cancelled.reason().clone())
}

/// Waits until the job that runs here is asked to stop.
fn until_asked() {
    while !Interrupt::current().is_requested() {
        thread::yield_now();
    }
}

#[test]
fn marked_values_are_in_the_job() {
    run(async {
        REQUEST.set(7);
        STAYS.set(7);
        let pool = ThreadPool::fixed(1);
        let see = || (REQUEST.get(), STAYS.try_with(|_| ()).is_ok());
        for found in [
            offload(see).await,
            cpu(see).await,
            offload_on(&pool, see).await,
        ] {
            assert_eq!(found.unwrap(), (7, false));
        }
        // An executor that runs it in the call: the values that stay are those of the caller.
        assert_eq!(offload_on(&AtOnce, see).await.unwrap(), (7, true));
        for changed in everywhere(|| REQUEST.set(8)).await {
            changed.unwrap();
        }
        assert_eq!(REQUEST.get(), 7, "what is set there stays there");
        let scoped = REQUEST.scope(9, offload(|| ())).await;
        scoped.unwrap();
        let inner = REQUEST.scope(9, async { offload(|| REQUEST.get()).await });
        assert_eq!(inner.await.unwrap(), 9);
        // Jobs of one thread, one after the other.
        let alone = spawn(offload_on(&pool, || REQUEST.get()));
        REQUEST.set(0);
        let next = offload_on(&pool, || REQUEST.get());
        assert_eq!((alone.await.unwrap().unwrap(), next.await.unwrap()), (7, 0));
    });
    let pool = ThreadPool::fixed(1);
    let outside = offload_on(&pool, || REQUEST.get());
    assert_eq!(
        outside.wait().unwrap(),
        0,
        "a job is a place for values, whoever offloads"
    );
}

#[test]
fn a_job_knows_the_way_back() {
    assert!(offload::remote().is_none());
    run(async {
        let home = thread::current().id();
        for came in everywhere(move || {
            let (sender, called) = mpsc::channel();
            let remote = offload::remote().unwrap();
            let elsewhere = thread::current().id() != home;
            remote
                .call_soon(move || sender.send(thread::current().id()).unwrap())
                .unwrap();
            (elsewhere, called)
        })
        .await
        {
            let (elsewhere, called) = came.unwrap();
            while elsewhere && called.try_recv() != Ok(home) {
                yield_now().await.unwrap();
            }
        }
        // What a job offloads has the same way back, and it may use the same pools.
        let nested = offload(|| {
            REQUEST.set(5);
            let both = [cpu(see_home).wait(), offload(see_home).wait()];
            both.map(Result::unwrap)
        });
        assert_eq!(nested.await.unwrap(), [(home, 5); 2]);
    });
    let pool = ThreadPool::fixed(1);
    let from_loop = run(async { offload_on(&pool, || offload::remote().is_some()).await });
    assert!(from_loop.unwrap());
    let from_nowhere = offload_on(&pool, || offload::remote().is_none());
    assert!(
        from_nowhere.wait().unwrap(),
        "nothing is left on the thread"
    );
    let refused = offload_on(&pool, || drop(offload(|| ())))
        .wait()
        .map(drop)
        .unwrap_err();
    assert!(
        refused
            .panic_message()
            .unwrap()
            .contains("running ringloop")
    );
}

/// The loop's thread, and a value there, as a job finds them.
fn see_home() -> (thread::ThreadId, u32) {
    offload::block_on(|| async { (thread::current().id(), REQUEST.get()) }).unwrap()
}

#[test]
fn a_job_runs_futures_on_its_loop() {
    run(async {
        REQUEST.set(3);
        STAYS.set(3);
        let value = offload(|| {
            offload::block_on(|| async {
                let local = Rc::new(Cell::new(1));
                sleep(Duration::from_millis(1)).await.unwrap();
                local.set(local.get() + REQUEST.get() + STAYS.get());
                // It is a task like others, with work of its own to offload.
                local.get() + offload(|| REQUEST.get()).await.unwrap()
            })
        });
        assert_eq!(
            value.await.unwrap().unwrap(),
            7,
            "values that stay are not here"
        );
        let panicked = offload(|| offload::block_on(|| async { panic!("on the loop") }));
        let error = panicked.await.unwrap().map(|(): ()| ()).unwrap_err();
        assert!(
            error.is_panic() && error.to_string().contains("on the loop"),
            "{error}"
        );
        let resumed = offload(|| {
            let outcome = offload::block_on(|| async { panic!("on the loop") });
            outcome.unwrap_or_else(|error: FromThreadError| error.resume());
        });
        assert_eq!(
            resumed.await.map(|(): ()| ()).unwrap_err().panic_message(),
            Some("on the loop")
        );
    });
}

#[test]
fn outside_of_jobs_there_is_no_loop_to_run_on() {
    let error = offload::block_on(|| async { unreachable!() })
        .map(|(): ()| ())
        .unwrap_err();
    assert!(error.is_outside() && !error.is_cancelled() && !error.is_gone());
    run(async {
        assert!(offload::block_on(|| async {}).unwrap_err().is_outside());
        let here = offload_on(&AtOnce, || offload::block_on(|| async {})).await;
        let message = here.unwrap_err().panic_message().unwrap().to_owned();
        assert!(message.contains("on this same thread"), "{message}");
    });
}

/// What the body does when it is told × what comes of it.
#[test]
fn a_future_on_the_loop_is_cancelled_with_the_await_of_its_job() {
    for body in ["aware", "unaware", "shielded", "deaf"] {
        run(async {
            let (parked, is_parked) = mpsc::channel();
            let job = offload(move || {
                let outcome = offload::block_on(move || async move {
                    parked.send(()).unwrap();
                    match body {
                        "aware" => sleep(Duration::MAX).await?,
                        "unaware" => pending().await,
                        "shielded" => shield(sleep(Duration::from_millis(1))).await.unwrap(),
                        _ => drop(sleep(Duration::MAX).await),
                    }
                    Ok::<_, Cancelled>("a value")
                });
                (outcome, reason())
            });
            let task = spawn(job);
            while is_parked.try_recv().is_err() {
                yield_now().await.unwrap();
            }
            task.cancel("enough");
            let (outcome, reason) = task.await.unwrap().unwrap();
            match body {
                "aware" | "unaware" => {
                    let error = outcome.unwrap_err();
                    assert_eq!(error.reason().unwrap().text(), "enough", "{body}");
                    assert_eq!(error.to_string(), "the job was asked to stop: enough");
                }
                _ => assert_eq!(outcome.unwrap().unwrap(), "a value", "{body}"),
            }
            assert_eq!(reason.unwrap().text(), "enough");
        });
    }
}

#[test]
fn a_job_that_was_asked_to_stop_begins_nothing_on_the_loop() {
    run(async {
        let (running, runs) = mpsc::channel();
        let job = offload(move || {
            running.send(()).unwrap();
            until_asked();
            offload::block_on(|| async { unreachable!("nothing is begun") })
        });
        runs.recv().unwrap();
        let outcome = cancelled_while_pending(job).await.unwrap().unwrap();
        let error = outcome.map(|(): ()| ()).unwrap_err();
        assert_eq!(error.reason().unwrap().text(), "while it waits");
    });
}

/// How the runtime goes, while a job waits for a future there.
#[test]
fn a_loop_that_goes_away_leaves_no_job_hanging() {
    for grace in [Duration::ZERO, Duration::from_millis(10)] {
        for is_shielded in [true, false] {
            let (parked, is_parked) = mpsc::channel();
            let (told, was_told) = mpsc::channel();
            let mut runtime = Runtime::builder().grace(grace).build().unwrap();
            let job = runtime.block_on(async move {
                let job = offload(move || {
                    let outcome = offload::block_on(move || async move {
                        parked.send(()).unwrap();
                        match is_shielded {
                            true => shield(pending()).await,
                            false => sleep(Duration::MAX).await.unwrap_err().reason().kind(),
                        }
                    });
                    told.send(outcome).unwrap();
                });
                while is_parked.try_recv().is_err() {
                    yield_now().await.unwrap();
                }
                job
            });
            drop(runtime);
            match was_told.recv().unwrap() {
                Ok(kind) => {
                    assert!(!is_shielded && !grace.is_zero());
                    assert_eq!(kind, ReasonKind::Shutdown);
                }
                Err(error) => assert!(error.is_gone(), "{error}"),
            }
            job.wait().unwrap();
        }
    }
}

/// Who stops the await × the reason that the job finds.
#[test]
fn the_reason_of_a_cancellation_travels() {
    async fn with(stop: &str) -> Option<Reason> {
        let (running, runs) = mpsc::channel();
        let (sender, reasons) = mpsc::channel();
        let job = offload(move || {
            running.send(()).unwrap();
            until_asked();
            sender.send(reason()).unwrap();
        });
        runs.recv().unwrap();
        match stop {
            "token" => cancelled_while_pending(job).await.unwrap().unwrap(),
            "left behind" => drop(cancelled_while_pending(job.abandon_on_cancel()).await),
            "deadline" => drop(timeout(Duration::from_millis(1), job).await),
            "task" => {
                let task = spawn(job);
                task.cancel("enough");
                task.await.unwrap().unwrap();
            }
            "aborted" => {
                let task = spawn(job);
                yield_now().await.unwrap();
                task.abort();
                drop(task.await);
            }
            _ => drop(job),
        }
        reasons.recv().unwrap()
    }
    run(async {
        let text = |reason: Option<Reason>| reason.unwrap().text().to_owned();
        assert_eq!(text(with("token").await), "while it waits");
        assert_eq!(text(with("left behind").await), "while it waits");
        assert_eq!(with("deadline").await.unwrap().kind(), ReasonKind::Deadline);
        let by_task = with("task").await.unwrap();
        assert_eq!(by_task.text(), "enough");
        assert_eq!(
            by_task.by(),
            ringloop::task::current().map(|task| task.id())
        );
        assert_eq!(with("aborted").await, None, "nobody has said why");
        assert_eq!(with("dropped").await, None);
    });
}

#[test]
fn a_reason_that_a_job_keeps_is_not_taken_for_an_error_of_the_scope() {
    run(async {
        let (keep, kept) = mpsc::channel();
        let (running, runs) = mpsc::channel();
        let scope = CancelScope::new();
        let token = scope.token().clone();
        let job = offload(move || {
            running.send(()).unwrap();
            until_asked();
            keep.send(Interrupt::current().reason().unwrap()).unwrap();
            "the value wins"
        });
        runs.recv().unwrap();
        let exit = scope.run(async move {
            token.cancel("enough");
            job.await.unwrap()
        });
        assert!(matches!(exit.await, ScopeExit::Done("the value wins")));
        assert_eq!(kept.recv().unwrap().to_string(), "cancelled: enough");
    });
}

#[test]
fn results_that_are_there_at_once_do_not_hold_the_loop() {
    run(async {
        let other = spawn(async {});
        let mut jobs = 0;
        while !other.is_finished() {
            offload_on(&AtOnce, || ()).await.unwrap();
            jobs += 1;
            assert!(jobs <= ringloop::task::POLL_BUDGET + 1);
        }
    });
}

#[test]
fn errors_may_go_anywhere() {
    fn both<T: Send + Sync>() {}
    both::<FromThreadError>();
    let error = std::io::Error::from(offload::block_on(|| async {}).unwrap_err());
    assert!(error.to_string().contains("no job"));
    let token = CancelToken::new();
    let job = run(async {
        token.cancel("early");
        let scope = CancelScope::with_token(token);
        let begun: Rc<Cell<Option<Offloaded<()>>>> = Rc::default();
        let place = Rc::clone(&begun);
        drop(
            scope
                .run(async move { place.set(Some(offload(|| unreachable!()))) })
                .await,
        );
        begun.take().unwrap()
    });
    assert!(
        job.wait().unwrap_err().is_cancelled(),
        "also for a thread that waits"
    );
}
