//! Groups: children, failures, panics, memory.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::time::Duration;

use ringloop_task::cancel::{Cancelled, ReasonKind, shield};
use ringloop_task::group::{GroupError, group};
use ringloop_task::testing::settle;
use ringloop_task::{Scheduler, task, time};

use crate::driver::{Drops, Log, VirtualDriver, run, secs};

/// An error that is a text, or the cancellation that was told.
#[derive(Debug)]
pub(crate) enum Failure {
    Text(&'static str),
    Cancelled(#[expect(dead_code, reason = "it is kept alive")] Cancelled),
}

impl From<Cancelled> for Failure {
    fn from(cancelled: Cancelled) -> Self {
        Self::Cancelled(cancelled)
    }
}

#[test]
fn children_end_before_the_group_those_of_children_included() {
    run(async {
        let drops = Drops::default();
        let before = time::now();
        let value = drops.value();
        let result = group(async |g| {
            let siblings = g.clone();
            g.spawn(async move {
                time::sleep(secs(1)).await?;
                let inner = siblings.clone();
                siblings.spawn(async move {
                    time::sleep(secs(1)).await?;
                    inner.spawn(async move {
                        let _value = value;
                        time::sleep(secs(1)).await
                    });
                    Ok(())
                });
                Ok(())
            });
            Ok::<_, Cancelled>("body")
        });
        assert_eq!(result.await.unwrap(), "body");
        assert_eq!((time::now() - before, drops.count()), (secs(3), 1));
    });
}

#[test]
fn results_come_through_handles() {
    run(async {
        let sum = group(async |g| {
            let one = g.spawn(async { Ok(1) });
            let two = g.spawn(async { task::yield_now().await.map(|()| 2) });
            Ok::<_, Cancelled>(one.await.unwrap() + two.await.unwrap())
        });
        assert_eq!(sum.await.unwrap(), 3);
    });
}

#[test]
fn first_failure_cancels_the_rest_and_the_body() {
    run(async {
        let log = Log::default();
        let lines = log.clone();
        let result = group(async |g| {
            for name in ["a", "b"] {
                let log = log.clone();
                g.spawn(async move {
                    let cancelled = time::sleep(secs(9)).await.unwrap_err();
                    log.add(format!("{name}: {}", cancelled.reason().kind() as u8));
                    Err::<(), _>(Failure::from(cancelled))
                });
            }
            let failing = task::Builder::new().name("failing").spawn_in(g, async {
                time::sleep(secs(1)).await?;
                Err::<(), _>(Failure::Text("oops"))
            });
            let id = failing.id();
            let cancelled = time::sleep(secs(9)).await.unwrap_err();
            let text = format!("task {id} \"failing\" of the group failed");
            assert_eq!(cancelled.reason().text(), text);
            assert_eq!(cancelled.reason().kind(), ReasonKind::Group);
            assert_eq!(cancelled.reason().by(), Some(id));
            let told = failing.await.unwrap_err();
            assert!(told.is_failed() && !told.is_cancelled() && !told.is_panic());
            let text = format!("task {id} failed; its group has the error");
            assert_eq!(told.to_string(), text);
            log.add("body");
            Err::<(), _>(cancelled.into())
        });
        let error = result.await.unwrap_err();
        assert!(matches!(error.errors(), [Failure::Text("oops")]));
        assert!(error.cancelled().is_none());
        let kind = ReasonKind::Group as u8;
        lines.check(&["body", &format!("a: {kind}"), &format!("b: {kind}")]);
    });
}

#[test]
fn errors_are_collected_in_the_order_of_failing() {
    run(async {
        let result = group(async |g| {
            for (delay, text) in [(3, "third"), (1, "first"), (2, "second")] {
                g.spawn(async move {
                    // Fails all the same, each at its time.
                    shield(time::sleep(secs(delay))).await.unwrap();
                    Err::<(), _>(text)
                });
            }
            shield(time::sleep(Duration::from_millis(2500)))
                .await
                .unwrap();
            Err::<(), _>("body")
        });
        let errors = result.await.unwrap_err().into_errors();
        assert_eq!(errors, ["first", "second", "body", "third"]);
    });
}

#[test]
fn failure_of_the_body_cancels_the_children() {
    run(async {
        let reason = Rc::new(RefCell::new(None));
        let told = Rc::clone(&reason);
        let result = group(async |g| {
            g.spawn(async move {
                let cancelled = time::sleep(Duration::MAX).await.unwrap_err();
                told.replace(Some(cancelled.reason().clone()));
                Err::<(), _>(Failure::from(cancelled))
            });
            task::yield_now().await?;
            Err::<(), _>(Failure::Text("body"))
        });
        let errors = result.await.unwrap_err().into_errors();
        assert!(matches!(errors[..], [Failure::Text("body")]));
        let reason = reason.take().unwrap();
        assert_eq!(reason.text(), "the body of the group failed");
    });
}

#[test]
fn child_that_is_cancelled_or_aborted_alone_does_not_fail_the_group() {
    run(async {
        let result = group(async |g| {
            let told = g.spawn(time::sleep(Duration::MAX));
            let blind = g.spawn(async {
                std::future::pending::<()>().await;
                Ok(())
            });
            let aborted = g.spawn(time::sleep(Duration::MAX));
            let other = g.spawn(time::sleep(secs(5)));
            task::yield_now().await?;
            told.cancel("not you");
            blind.cancel("nor you");
            aborted.abort();
            let error = told.await.unwrap_err();
            assert!(error.is_cancelled());
            assert_eq!(error.reason().unwrap().text(), "not you");
            assert!(blind.await.unwrap_err().is_cancelled());
            assert!(aborted.await.unwrap_err().is_aborted());
            assert!(!g.is_cancelled());
            other.await.unwrap();
            Ok::<_, Cancelled>(())
        });
        result.await.unwrap();
    });
}

#[test]
fn child_that_fails_while_it_is_cancelled_fails() {
    run(async {
        let result = group(async |g| {
            let child = g.spawn(async {
                time::sleep(Duration::MAX).await.unwrap_err();
                Err::<(), _>("cleanup")
            });
            task::yield_now().await.unwrap();
            child.cancel("enough");
            Ok(())
        });
        assert_eq!(result.await.unwrap_err().into_errors(), ["cleanup"]);
    });
}

#[test]
fn panic_of_a_child_goes_on_after_all_have_ended() {
    let log = Log::default();
    let lines = log.clone();
    let seen = log.clone();
    let unhandled = Rc::new(Cell::new(0));
    let count = Rc::clone(&unhandled);
    let mut scheduler = Scheduler::builder()
        .on_unhandled(move |unhandled| {
            count.set(count.get() + 1);
            seen.add(unhandled.to_string().rsplit(' ').next().unwrap());
        })
        .build(VirtualDriver::new());
    let caught = catch_unwind(AssertUnwindSafe(|| {
        scheduler.block_on(group(async |g| {
            let first = g.spawn(async {
                time::sleep(secs(1)).await?;
                panic!("first");
                #[expect(unreachable_code, reason = "the type is wanted")]
                Ok::<(), Cancelled>(())
            });
            let log = log.clone();
            g.spawn(async move {
                time::sleep(Duration::MAX).await.unwrap_err();
                shield(time::sleep(secs(1))).await?;
                log.add("cleaned up");
                panic!("second");
                #[expect(unreachable_code, reason = "the type is wanted")]
                Ok::<(), Cancelled>(())
            });
            assert!(first.await.unwrap_err().is_failed());
            time::sleep(Duration::MAX).await
        }))
    }));
    let payload = caught.map(drop).unwrap_err();
    assert_eq!(payload.downcast_ref::<&str>(), Some(&"first"));
    lines.check(&["cleaned up", "second"]);
    assert_eq!(unhandled.get(), 1);
}

#[test]
fn panic_of_the_body_goes_on_after_the_children_have_ended() {
    let drops = Drops::default();
    let value = drops.value();
    let caught = catch_unwind(AssertUnwindSafe(|| {
        run(group(async |g| {
            g.spawn(async move {
                let _value = value;
                time::sleep(Duration::MAX).await.unwrap_err();
                shield(time::sleep(secs(1))).await
            });
            task::yield_now().await?;
            panic!("body");
            #[expect(unreachable_code, reason = "the type is wanted")]
            Ok::<(), Cancelled>(())
        }))
    }));
    let payload = caught.map(drop).unwrap_err();
    assert_eq!(payload.downcast_ref::<&str>(), Some(&"body"));
    assert_eq!(drops.count(), 1);
}

#[test]
fn drop_of_a_child_that_panics_is_reported_and_does_not_hang_the_group() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("bomb");
        }
    }
    let count = Rc::new(Cell::new(0));
    let reports = Rc::clone(&count);
    let mut scheduler = Scheduler::builder()
        .on_unhandled(move |_| reports.set(reports.get() + 1))
        .build(VirtualDriver::new());
    let result = scheduler.block_on(group(async |g| {
        let child = g.spawn(async {
            let _bomb = Bomb;
            time::sleep(Duration::MAX).await
        });
        task::yield_now().await?;
        child.abort();
        Ok::<_, Cancelled>(())
    }));
    result.unwrap();
    assert_eq!(count.get(), 1);
}

#[test]
fn finished_children_are_released_while_the_group_runs() {
    run(async {
        let result = group(async |g| {
            let drops = Drops::default();
            for _ in 0..10 {
                for _ in 0..100 {
                    let value = drops.value();
                    drop(g.spawn(async move {
                        let _value = value;
                        Ok(())
                    }));
                }
                task::yield_now().await?;
                assert_eq!(g.len(), 0);
            }
            assert_eq!(drops.count(), 1000);
            Ok::<_, Cancelled>(())
        });
        result.await.unwrap();
    });
}

#[test]
fn spawn_into_a_group_that_is_over_gives_the_future_back_or_an_error() {
    run(async {
        let escaped = group(async |g| Ok::<_, Cancelled>(g.clone()))
            .await
            .unwrap();
        assert!(escaped.is_over() && escaped.is_empty());
        let drops = Drops::default();
        let value = drops.value();
        let future = async move {
            let _value = value;
            Ok(7)
        };
        let rejected = escaped.try_spawn(future).unwrap_err();
        assert_eq!(rejected.to_string(), "the group is over");
        assert!(!rejected.is_full());
        for builder in [task::Builder::new(), task::Builder::new().eager(true)] {
            let value = drops.value();
            let handle = builder.spawn_in(&escaped, async move {
                drop(value);
                unreachable!("it never runs");
                #[expect(unreachable_code, reason = "the type is wanted")]
                Ok::<(), _>(())
            });
            assert!(handle.await.unwrap_err().is_aborted());
        }
        assert_eq!(drops.count(), 2);
        assert_eq!(rejected.into_inner().await.unwrap(), 7);
        assert!(!escaped.cancel("after the end"));
        assert!(!escaped.is_cancelled());
    });
}

#[test]
fn groups_nest_and_their_errors_too() {
    run(async {
        let result = group(async |outer| {
            outer.spawn(group(async |inner| {
                inner.spawn(async { Err::<(), _>("a") });
                time::sleep(Duration::MAX).await.map_err(|_| "b")
            }));
            time::sleep(Duration::MAX).await.unwrap_err();
            Ok(())
        });
        let error: GroupError<GroupError<&str>> = result.await.unwrap_err();
        assert_eq!(error.errors().len(), 1);
        assert_eq!(error.flatten().errors(), ["a", "b"]);
    });
}

#[test]
fn handle_shows_what_the_group_does() {
    run(async {
        let result = group(async |g| {
            g.spawn(time::sleep(secs(1)));
            g.spawn(time::sleep(secs(2)));
            let text = format!("{g:?}");
            assert!(
                text.contains("TaskGroup") && text.contains("len: 2"),
                "{text}"
            );
            assert!(!g.is_empty() && !g.is_cancelled() && !g.is_over());
            settle().await?;
            Ok::<_, Cancelled>(())
        });
        result.await.unwrap();
    });
}
