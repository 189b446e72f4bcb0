//! Children that say when they are ready.

use std::cell::Cell;
use std::future::{pending, poll_fn};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use ringloop_core::future::race;
use ringloop_task::cancel::{Cancelled, shield};
use ringloop_task::group::{Ready, StartError, group};
use ringloop_task::{task, time};

use crate::driver::{Drops, run, secs};
use crate::group::Failure;

#[test]
fn start_waits_for_the_report_and_the_child_goes_on() {
    run(async {
        let before = time::now();
        let result = group(async |g| {
            let started = g.start(async |ready: Ready<&str>| {
                time::sleep(secs(1)).await?;
                ready.report("port");
                time::sleep(secs(2)).await?;
                Ok("done")
            });
            let (value, handle) = started.await.unwrap();
            assert_eq!((value, time::now() - before), ("port", secs(1)));
            assert!(!handle.is_finished());
            assert_eq!(handle.await.unwrap(), "done");
            Ok::<_, Cancelled>(())
        });
        result.await.unwrap();
        assert_eq!(time::now() - before, secs(3));
    });
}

#[test]
fn error_before_the_report_is_the_starts_and_after_it_the_groups() {
    for is_ready in [false, true] {
        run(async move {
            let result = group(async |g| {
                let started = g.start(async move |ready: Ready<()>| {
                    let ready = if is_ready {
                        ready.report(());
                        None
                    } else {
                        Some(ready)
                    };
                    time::sleep(secs(1)).await?;
                    drop(ready);
                    Err::<(), _>(Failure::Text("oops"))
                });
                match started.await {
                    Ok(((), handle)) => {
                        assert!(is_ready);
                        assert!(handle.await.unwrap_err().is_failed());
                    }
                    Err(error) => {
                        assert!(!is_ready);
                        let failed = error.into_failed().unwrap();
                        assert!(matches!(failed, Failure::Text("oops")));
                    }
                }
                assert_eq!(g.is_cancelled(), is_ready);
                Ok(())
            });
            assert_eq!(result.await.is_err(), is_ready);
        });
    }
}

#[test]
fn report_counts_also_if_the_child_ends_or_fails_in_the_same_poll() {
    for fails in [false, true] {
        run(async move {
            let result = group(async |g| {
                let started = g.start(async move |ready: Ready<u8>| {
                    ready.report(7);
                    if fails {
                        return Err(Failure::Text("oops"));
                    }
                    Ok(())
                });
                let (value, handle) = started.await.unwrap();
                assert_eq!((value, handle.is_finished()), (7, true));
                assert_eq!(handle.await.is_err(), fails);
                Ok(())
            });
            assert_eq!(result.await.is_err(), fails);
        });
    }
}

#[test]
fn child_that_never_reports_is_an_error() {
    for act in 0..3 {
        run(async move {
            let drops = Drops::default();
            let value = drops.value();
            let result = group(async |g| {
                let started = g.start(async move |ready: Ready<()>| {
                    let _value = value;
                    match act {
                        0 => drop(ready),
                        // Goes on without it: it is asked to cancel, and waited for.
                        1 => {
                            drop(ready);
                            time::sleep(Duration::MAX).await?;
                        }
                        _ => {
                            drop(ready);
                            pending::<()>().await;
                        }
                    }
                    Ok::<_, Cancelled>(())
                });
                let error = started.await.unwrap_err();
                assert!(matches!(error, StartError::NotReady), "{act} {error:?}");
                assert_eq!(drops.count(), 1);
                Ok(())
            });
            result.await.unwrap();
        });
    }
}

#[test]
fn start_that_is_cancelled_cancels_the_child_and_waits_for_it() {
    for reports in [false, true] {
        run(async move {
            let before = time::now();
            let result = group(async |g| {
                let started = g.start(async move |ready: Ready<()>| {
                    let cancelled = time::sleep(Duration::MAX).await.unwrap_err();
                    shield(time::sleep(secs(2))).await?;
                    if reports {
                        ready.report(());
                    }
                    Err::<(), _>(cancelled)
                });
                let bounded = time::timeout(secs(1), started).await;
                assert_eq!(time::now() - before, secs(3));
                // The report wins; else the timeout recognizes its own.
                assert_eq!(bounded.is_ok(), reports);
                assert!(!g.is_cancelled(), "the child alone was cancelled");
                Ok(())
            });
            result.await.unwrap();
        });
    }
}

#[test]
fn handle_of_a_start_that_was_cancelled_does_not_keep_scopes_open() {
    run(async {
        let before = time::now();
        let result = group(async |g| {
            let bounded = time::timeout(secs(1), async {
                let started = g.start(async |ready: Ready<()>| {
                    time::sleep(Duration::MAX).await.unwrap_err();
                    ready.report(());
                    shield(time::sleep(secs(9))).await
                });
                let _started = started.await;
                pending::<()>().await;
            });
            assert!(bounded.await.is_err());
            assert_eq!(time::now() - before, secs(1));
            Ok::<_, Cancelled>(())
        });
        result.await.unwrap();
        assert_eq!(time::now() - before, secs(10));
    });
}

#[test]
fn start_that_is_dropped_aborts_the_child() {
    run(async {
        let drops = Drops::default();
        let value = drops.value();
        let result = group(async |g| {
            let started = g.start(async move |ready: Ready<()>| {
                let _value = value;
                time::sleep(Duration::MAX).await?;
                ready.report(());
                Ok::<_, Cancelled>(())
            });
            race(started, time::sleep(secs(1))).await;
            assert_eq!((drops.count(), g.len()), (1, 0));
            Ok(())
        });
        result.await.unwrap();
    });
}

#[test]
fn cancel_of_the_group_reaches_a_child_that_starts() {
    run(async {
        let result = group(async |g| {
            let killer = g.clone();
            g.spawn(async move {
                time::sleep(secs(1)).await?;
                killer.cancel("enough");
                Ok(())
            });
            let started = g.start(async |ready: Ready<()>| {
                time::sleep(Duration::MAX).await?;
                ready.report(());
                Ok(())
            });
            let error = started.await.unwrap_err();
            assert!(matches!(&error, StartError::Ended(error) if error.is_cancelled()));
            Err::<(), _>(io::Error::from(error))
        });
        let error = result.await.unwrap_err();
        assert!(error.is_cancelled(), "{error:?}");
    });
}

#[test]
fn group_stays_open_while_a_start_is_pending() {
    run(async {
        let done = Rc::new(Cell::new(false));
        let flag = Rc::clone(&done);
        let result = group(async |g| {
            let siblings = g.clone();
            g.spawn(async move {
                let started = siblings.start(async |ready: Ready<()>| {
                    time::sleep(secs(1)).await?;
                    ready.report(());
                    Ok(())
                });
                started.await.unwrap();
                flag.set(true);
                Ok(())
            });
            Ok::<_, Cancelled>(())
        });
        result.await.unwrap();
        assert!(done.get());
    });
}

#[test]
fn start_in_a_group_that_is_over_is_an_error() {
    run(async {
        let over = group(async |g| Ok::<_, Cancelled>(g.clone()))
            .await
            .unwrap();
        let error = over.start(async |ready: Ready<()>| {
            ready.report(());
            Ok(())
        });
        let error = error.await.unwrap_err();
        assert!(matches!(&error, StartError::Ended(error) if error.is_aborted()));
        assert!(error.to_string().ends_with("was aborted"));
    });
}

#[test]
fn panic_before_the_report_goes_on_where_the_start_is_awaited() {
    run(async {
        let result = group(async |g| {
            let started = g.start(async |_: Ready<()>| {
                task::yield_now().await?;
                panic!("early");
                #[expect(unreachable_code, reason = "the type is wanted")]
                Ok::<(), Cancelled>(())
            });
            let mut started = pin!(started);
            let caught = poll_fn(|cx| {
                let polled = catch_unwind(AssertUnwindSafe(|| started.as_mut().poll(cx)));
                match polled {
                    Ok(Poll::Pending) => Poll::Pending,
                    Ok(Poll::Ready(_)) => unreachable!("it panics"),
                    Err(payload) => Poll::Ready(payload),
                }
            });
            let payload = caught.await;
            assert_eq!(payload.downcast_ref::<&str>(), Some(&"early"));
            assert!(!g.is_cancelled());
            Ok(())
        });
        result.await.unwrap();
    });
}
