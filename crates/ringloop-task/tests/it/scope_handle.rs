//! Scopes that are looked at and changed while they run.

use std::pin::pin;
use std::time::Duration;

use ringloop_core::future::{join, race};
use ringloop_task::cancel::{
    CancelScope, CancelToken, Cancelled, ScopeExit, effective_deadline, shield, shield_for,
};
use ringloop_task::{task, time};

use crate::driver::{collected, run, secs};

#[test]
fn deadline_moves_from_inside_and_from_another_task() {
    for from_inside in [false, true] {
        // From, to; `None` is no deadline, which another second ends by hand.
        for (to, expected) in [(Some(9), 9), (Some(2), 2), (Some(0), 1), (None, 20)] {
            run(async move {
                let start = time::now();
                let scope = CancelScope::new().deadline_in(secs(5));
                let handle = scope.handle();
                let there = handle.clone();
                let change = async move {
                    time::sleep(secs(1)).await?;
                    assert_eq!(there.deadline(), Some(start + secs(5)));
                    assert!(there.set_deadline(to.map(|to| start + secs(to))));
                    assert_eq!(there.deadline(), to.map(|to| start + secs(to)));
                    Ok::<_, Cancelled>(())
                };
                let end = handle.clone();
                drop(task::spawn(async move {
                    time::sleep(secs(20)).await?;
                    end.cancel("by hand");
                    Ok::<_, Cancelled>(())
                }));
                let exit = if from_inside {
                    scope
                        .run(async {
                            change.await?;
                            time::sleep(Duration::MAX).await
                        })
                        .await
                } else {
                    drop(task::spawn(change));
                    scope.run(time::sleep(Duration::MAX)).await
                };
                assert!(exit.is_cancelled());
                assert_eq!(time::now() - start, secs(expected), "{from_inside} {to:?}");
                assert!(handle.is_cancel_called() && handle.is_caught());
                assert!(!handle.set_deadline(None), "it has been left");
            });
        }
    }
}

#[test]
fn deadline_that_is_added_counts() {
    run(async {
        let start = time::now();
        let scope = CancelScope::new();
        let handle = scope.handle();
        assert!(handle.set_deadline(Some(start + secs(3))), "before it runs");
        assert!(scope.run(time::sleep(Duration::MAX)).await.is_cancelled());
        assert_eq!(time::now() - start, secs(3));
    });
}

#[test]
fn called_and_caught_are_not_the_same() {
    run(async {
        let scope = CancelScope::new();
        let handle = scope.handle();
        assert!(!handle.is_cancel_called() && handle.reason().is_none());
        let exit = scope.run(async {
            assert!(handle.cancel("enough"));
            assert!(!handle.cancel("more than enough"));
            7
        });
        assert_eq!(exit.await, ScopeExit::Done(7));
        assert!(handle.is_cancel_called() && !handle.is_caught());
        assert_eq!(handle.reason().unwrap().text(), "enough");
    });
}

#[test]
fn scope_that_is_cancelled_before_it_runs_gives_no_wait() {
    run(async {
        let scope = CancelScope::new();
        let handle = scope.handle();
        handle.cancel("early");
        let exit = scope.run(async { time::sleep(secs(1)).await });
        assert!(exit.await.is_cancelled());
        assert!(handle.is_caught());
    });
}

#[test]
fn lifted_shield_lets_a_request_in_at_once() {
    // The sleeper is polled with the task's waker, or with one of its own.
    for with_own_waker in [false, true] {
        run(async move {
            let token = CancelToken::new();
            let inner = CancelScope::new().shielded();
            let handle = inner.handle();
            let outer = CancelScope::with_token(token.clone());
            let child = task::spawn(async move {
                let sleep = async {
                    if with_own_waker {
                        collected(time::sleep(Duration::MAX)).await
                    } else {
                        time::sleep(Duration::MAX).await
                    }
                };
                outer.run(inner.run(sleep)).await
            });
            task::yield_now().await.unwrap();
            token.cancel("enough");
            time::sleep(secs(1)).await.unwrap();
            assert!(!child.is_finished() && handle.is_shielded());
            handle.set_shielded(false);
            let exit = child.await.unwrap();
            assert!(exit.is_cancelled(), "{with_own_waker}: {exit:?}");
            assert!(!handle.is_caught() && !handle.is_cancel_called());
        });
    }
}

#[test]
fn lifted_shield_lets_in_what_comes_later() {
    // The request is to the task, or to the scope outside.
    for to_task in [false, true] {
        run(async move {
            let token = CancelToken::new();
            let inner = CancelScope::new().shielded();
            let handle = inner.handle();
            let outer = CancelScope::with_token(token.clone());
            let sleep = collected(inner.run(collected(time::sleep(Duration::MAX))));
            let child = task::spawn(outer.run(sleep));
            task::yield_now().await.unwrap();
            handle.set_shielded(false);
            time::sleep(secs(1)).await.unwrap();
            assert!(!child.is_finished());
            if to_task {
                child.cancel("enough");
            } else {
                token.cancel("enough");
            }
            let start = time::now();
            drop(child.await.unwrap());
            assert_eq!(time::now(), start, "{to_task}");
        });
    }
}

#[test]
fn shield_that_is_put_up_late_keeps_out_what_comes_later() {
    run(async {
        let inner = CancelScope::new();
        let handle = inner.handle();
        let child = task::spawn(inner.run(time::sleep(secs(5))));
        task::yield_now().await.unwrap();
        handle.set_shielded(true);
        child.cancel("enough");
        assert!(child.await.unwrap().done().unwrap().is_ok());
    });
}

#[test]
fn shield_with_a_bound_ends_in_time() {
    run(async {
        let start = time::now();
        let child = task::spawn(async {
            let told = time::sleep(Duration::MAX).await;
            let cleaned = shield_for(secs(2), time::sleep(secs(1))).await;
            let cut_off = shield_for(secs(2), time::sleep(Duration::MAX)).await;
            (told.is_ok(), cleaned.is_ok(), cut_off.is_ok())
        });
        child.cancel("enough");
        assert_eq!(child.await.unwrap(), (false, true, false));
        assert_eq!(time::now() - start, secs(3));
    });
}

#[test]
fn effective_deadline_is_the_earliest_up_to_a_shield() {
    run(async {
        let start = time::now();
        let seconds = || effective_deadline().map(|deadline| (deadline - start).as_secs());
        assert_eq!(seconds(), None);
        let body = async {
            assert_eq!(seconds(), Some(10));
            let later = time::timeout(secs(20), async { seconds() });
            let sooner = time::timeout(secs(5), async { seconds() });
            assert_eq!((later.await, sooner.await), (Ok(Some(10)), Ok(Some(5))));
            assert_eq!(shield(async { seconds() }).await, None);
            let bounded = shield_for(secs(30), async { seconds() });
            assert_eq!(bounded.await, Ok(Some(30)));
            time::sleep(secs(1)).await?;
            task::current().unwrap().cancel("enough");
            assert_eq!(seconds(), Some(1), "now");
            assert_eq!(shield(async { seconds() }).await, None);
            Ok::<_, Cancelled>(())
        };
        assert_eq!(
            time::timeout(secs(10), body).await.map(|done| done.is_ok()),
            Ok(true)
        );
    });
}

#[test]
fn signal_of_a_token_knows_no_scopes_and_may_be_sent() {
    fn is_send<T: Send>(value: T) -> T {
        value
    }
    run(async {
        let token = CancelToken::new();
        let signal = is_send(token.signal());
        task::current().unwrap().cancel("the task");
        let cancel = async { token.cancel("the token") };
        let (reason, _) = join(signal, cancel).await;
        assert_eq!(reason.text(), "the token");
        // One that goes leaves nothing behind.
        let mut other = pin!(CancelToken::new().signal());
        let raced = race(other.as_mut(), async {}).await;
        assert!(raced.right().is_some());
    });
}
