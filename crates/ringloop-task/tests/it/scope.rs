//! Scopes, timeouts and shields.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use ringloop_task::cancel::{CancelScope, CancelToken, Cancelled, ReasonKind, ScopeExit, shield};
use ringloop_task::{task, time};

use crate::driver::{Log, run, secs};

#[test]
fn timeout_cancels_and_absorbs_its_own() {
    run(async {
        let before = time::now();
        let late = time::timeout(secs(2), time::sleep(secs(5))).await;
        assert!(late.is_err());
        assert_eq!(time::now() - before, secs(2));
        task::yield_now()
            .await
            .expect("outside of the scope nothing is cancelled");
        time::timeout(secs(2), time::sleep(secs(1)))
            .await
            .unwrap()
            .unwrap();
    });
}

#[test]
fn value_in_time_wins_also_against_the_deadline_itself() {
    run(async {
        // The body's timer is older, so it fires first, at the same instant.
        let deadline = time::now() + secs(1);
        let mut sleep = std::pin::pin!(time::sleep_until(deadline));
        let polled = std::future::poll_fn(|cx| std::task::Poll::Ready(sleep.as_mut().poll(cx)));
        assert!(polled.await.is_pending());
        assert!(time::timeout_at(deadline, sleep).await.unwrap().is_ok());
    });
}

#[test]
fn body_that_swallows_the_cancellation_keeps_its_value() {
    run(async {
        let value = time::timeout(secs(1), async {
            assert!(time::sleep(Duration::MAX).await.is_err());
            assert!(task::yield_now().await.is_err(), "still cancelled inside");
            7
        });
        assert_eq!(value.await, Ok(7));
    });
}

#[test]
fn body_that_never_waits_keeps_its_value_after_the_deadline() {
    run(async {
        assert_eq!(time::timeout(Duration::ZERO, async { 7 }).await, Ok(7));
        assert_eq!(time::timeout_at(time::now(), async { 8 }).await, Ok(8));
    });
}

#[test]
fn deadline_that_is_past_cancels_the_first_wait() {
    run(async {
        let log = Log::default();
        let late = time::timeout(Duration::ZERO, async {
            log.add("began");
            task::yield_now().await?;
            log.add("not here");
            Ok::<(), Cancelled>(())
        });
        assert!(late.await.is_err());
        log.check(&["began"]);
    });
}

#[test]
fn equal_deadlines_the_outer_one_reports() {
    run(async {
        let deadline = time::now() + secs(1);
        let outer = time::timeout_at(deadline, async {
            let inner = time::timeout_at(deadline, time::sleep(Duration::MAX)).await;
            inner.expect("the inner one does not take what is the outer one's")
        });
        assert!(outer.await.is_err());
    });
}

#[test]
fn inner_deadline_leaves_the_outer_scope_alone() {
    run(async {
        let outer = time::timeout(secs(3), async {
            assert!(
                time::timeout(secs(1), time::sleep(Duration::MAX))
                    .await
                    .is_err()
            );
            time::sleep(secs(1)).await.unwrap();
            assert!(
                time::timeout(secs(5), time::sleep(Duration::MAX))
                    .await
                    .unwrap()
                    .is_err()
            );
            "own way"
        });
        assert_eq!(outer.await, Ok("own way"));
    });
}

#[test]
fn foreign_cancellation_passes_through_a_timeout() {
    run(async {
        let child = task::spawn(async {
            let slept = time::timeout(secs(9), time::sleep(secs(8))).await;
            slept.expect("it is the task's, not the timeout's")
        });
        task::yield_now().await.unwrap();
        child.cancel("the task");
        assert_eq!(
            child.await.unwrap().unwrap_err().reason().text(),
            "the task"
        );
    });
}

#[test]
fn task_request_reports_before_the_scopes_inside() {
    run(async {
        let child = task::spawn(async {
            let late = time::timeout(secs(1), async {
                let cancelled = time::sleep(Duration::MAX).await.unwrap_err();
                assert_eq!(cancelled.reason().kind(), ReasonKind::Deadline);
                task::current().unwrap().cancel("and the task");
                task::yield_now().await.unwrap_err()
            });
            late.await.unwrap().reason().text().to_owned()
        });
        assert_eq!(child.await.unwrap(), "and the task");
    });
}

#[test]
fn errors_of_the_body_pass_through() {
    run(async {
        let result = time::timeout(secs(1), async {
            time::sleep(Duration::MAX).await.map_err(|_| "translated")
        });
        assert_eq!(result.await, Ok(Err("translated")));
    });
}

#[test]
fn cancellation_comes_out_inside_other_errors() {
    run(async {
        let result = time::timeout(secs(1), async {
            time::sleep(Duration::MAX)
                .await
                .map_err(std::io::Error::from)
        });
        assert!(result.await.is_err());
        let result = time::timeout(secs(1), async {
            let child = task::spawn(time::sleep(Duration::MAX));
            child.await.unwrap().map_err(std::io::Error::from)
        });
        assert!(
            result.await.is_err(),
            "also through a task that was passed the request"
        );
    });
}

#[test]
fn request_that_a_detached_task_still_holds_is_not_the_bodys() {
    run(async {
        let child = Rc::new(RefCell::new(None));
        let kept = child.clone();
        let value = time::timeout(secs(1), async move {
            let mut handle = task::spawn(async {
                drop(time::sleep(Duration::MAX).await);
                shield(time::sleep(secs(9))).await
            });
            let joined = std::future::poll_fn(|cx| {
                drop(std::pin::Pin::new(&mut handle).poll(cx));
                if ringloop_task::cancel::check_cancelled().is_err() {
                    std::task::Poll::Ready(())
                } else {
                    std::task::Poll::Pending
                }
            });
            joined.await;
            kept.replace(Some(handle));
            7
        });
        assert_eq!(value.await, Ok(7));
        assert!(child.take().unwrap().await.unwrap().is_ok());
    });
}

#[test]
fn shield_keeps_cancellation_out_and_lets_its_own_through() {
    run(async {
        let before = time::now();
        let late = time::timeout(secs(1), async {
            let cancelled = time::sleep(Duration::MAX).await;
            shield(async {
                time::sleep(secs(2)).await.expect("shielded");
                assert!(time::timeout(secs(1), time::sleep(secs(9))).await.is_err());
            })
            .await;
            cancelled
        });
        assert!(late.await.is_err());
        assert_eq!(time::now() - before, secs(4));
    });
}

#[test]
fn shielded_scope_has_its_own_deadline() {
    run(async {
        let child = task::spawn(async {
            let exit = CancelScope::new().shielded().deadline_in(secs(3));
            exit.run(time::sleep(Duration::MAX)).await.is_cancelled()
        });
        let before = time::now();
        child.cancel("kept out");
        assert!(child.await.unwrap());
        assert_eq!(time::now() - before, secs(3));
    });
}

#[test]
fn scope_is_cancelled_through_its_token_from_inside_and_outside() {
    run(async {
        let scope = CancelScope::new();
        let token = scope.token();
        let exit = scope.run(async move {
            token.cancel("from inside");
            time::sleep(secs(1)).await
        });
        let ScopeExit::Cancelled(reason) = exit.await else {
            panic!("it was cancelled")
        };
        assert_eq!(reason.text(), "from inside");

        let token = CancelToken::new();
        let child = task::spawn(CancelScope::with_token(token.child()).run(time::sleep(secs(1))));
        task::yield_now().await.unwrap();
        token.cancel("from outside");
        assert!(child.await.unwrap().is_cancelled());

        let token = CancelToken::new();
        token.cancel("before the entry");
        let exit = CancelScope::with_token(token)
            .run(time::sleep(secs(1)))
            .await;
        assert!(exit.done().is_none());
    });
}

#[test]
fn two_scopes_of_one_token_absorb_their_own() {
    run(async {
        let token = CancelToken::new();
        let inner_token = token.clone();
        let outer = CancelScope::with_token(token.clone()).run(async move {
            let inner = CancelScope::with_token(inner_token)
                .run(async { time::sleep(Duration::MAX).await });
            match inner.await {
                ScopeExit::Done(result) => result,
                ScopeExit::Cancelled(_) => panic!("the outer one reports"),
            }
        });
        let canceller = task::spawn(async move { token.cancel("both") });
        assert!(outer.await.is_cancelled());
        canceller.await.unwrap();
    });
}

#[test]
fn move_on_gives_nothing_when_late() {
    run(async {
        assert!(
            time::move_on_after(secs(1), time::sleep(secs(2)))
                .await
                .is_none()
        );
        assert!(
            time::move_on_after(secs(2), time::sleep(secs(1)))
                .await
                .is_some()
        );
    });
}

#[test]
fn timeouts_without_end_are_fine() {
    run(async {
        time::timeout(Duration::MAX, time::sleep(secs(1)))
            .await
            .unwrap()
            .unwrap();
    });
}

#[test]
fn deadline_counts_from_the_first_poll() {
    run(async {
        let timed = time::timeout(secs(2), time::sleep(secs(3)));
        time::sleep(secs(2)).await.unwrap();
        // The sleep counts from its call: one second is left of it.
        timed.await.unwrap().unwrap();
    });
}

#[test]
fn abandoned_scope_leaves_nothing_behind() {
    run(async {
        for _ in 0..10 {
            let mut timed = Box::pin(time::timeout(secs(9), time::sleep(secs(8))));
            let polled = std::future::poll_fn(|cx| std::task::Poll::Ready(timed.as_mut().poll(cx)));
            assert!(polled.await.is_pending());
        }
        // The next deadline is this one: no abandoned timer is left.
        let before = time::now();
        time::sleep(secs(1)).await.unwrap();
        assert_eq!(time::now() - before, secs(1));
        assert!(ringloop_task::cancel::check_cancelled().is_ok());
    });
}
