//! Bodies that wait for futures which know nothing of scopes, when they are cancelled.

use std::cell::Cell;
use std::future::{pending, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use ringloop_core::future::{join, race};
use ringloop_core::postbox;
use ringloop_task::cancel::{CancelScope, CancelToken, CancelWatch, ScopeExit, shield, shield_for};
use ringloop_task::{task, time};

use crate::driver::{Drops, run, secs};

#[test]
fn timeout_drops_a_body_that_cannot_be_told() {
    run(async {
        let drops = Drops::default();
        let value = drops.value();
        let before = time::now();
        let blind = async move {
            let _value = value;
            pending::<()>().await;
        };
        assert!(time::timeout(secs(3), blind).await.is_err());
        assert_eq!((time::now() - before, drops.count()), (secs(3), 1));
        let (_setter, postbox) = postbox::<u32>();
        assert!(time::move_on_after(secs(1), postbox).await.is_none());
    });
}

#[test]
fn value_that_came_in_the_same_turn_wins() {
    run(async {
        let (setter, postbox) = postbox();
        let token = CancelToken::new();
        let scope = CancelScope::with_token(token.clone()).run(postbox);
        let child = task::spawn(scope);
        task::yield_now().await.unwrap();
        token.cancel("late");
        setter.set(7).unwrap();
        assert_eq!(child.await.unwrap(), ScopeExit::Done(Ok(7)));
    });
}

#[test]
fn nested_timeouts_end_at_the_earlier_deadline_and_the_outer_reports_a_tie() {
    for (outer, inner) in [(1, 2), (2, 1), (2, 2), (0, 0), (0, 1), (1, 0)] {
        run(async {
            let before = time::now();
            let nested = time::timeout(secs(inner), pending::<()>());
            let result = time::timeout(secs(outer), nested).await;
            assert_eq!(time::now() - before, secs(outer.min(inner)));
            assert_eq!(result.is_err(), outer <= inner, "{outer} {inner}");
        });
    }
}

#[test]
fn cancelled_task_that_cannot_be_told_ends_and_says_why() {
    run(async {
        let drops = Drops::default();
        let value = drops.value();
        let child = task::spawn(async move {
            let _value = value;
            pending::<()>().await;
        });
        task::yield_now().await.unwrap();
        child.cancel("enough");
        assert_eq!(drops.count(), 0, "a request is no drop");
        let error = child.await.unwrap_err();
        assert!(error.is_cancelled() && !error.is_aborted());
        assert_eq!(error.reason().unwrap().text(), "enough");
        assert!(error.to_string().ends_with("was cancelled: enough"));
        assert_eq!(drops.count(), 1);
    });
}

#[test]
fn timeout_recognizes_its_cancellation_in_a_child_that_was_dropped() {
    run(async {
        let child = task::spawn(pending::<()>());
        let result = time::timeout(secs(1), child).await;
        assert!(result.is_err(), "the request came from the timeout");
    });
}

#[test]
fn cleanup_behind_a_shield_is_not_cut_off() {
    // The shield is alone, beside something blind, inside something blind, below another scope.
    for place in 0..4 {
        run(async move {
            let cleaned = Rc::new(Cell::new(false));
            let flag = cleaned.clone();
            let cleanup = async move {
                assert!(shield(time::sleep(secs(5))).await.is_ok());
                flag.set(true);
            };
            let before = time::now();
            let body = async {
                match place {
                    0 => cleanup.await,
                    1 => drop(join(cleanup, pending::<()>()).await),
                    2 => drop(race(cleanup, pending::<()>()).await),
                    _ => drop(time::timeout(secs(60), join(cleanup, pending::<()>())).await),
                }
            };
            let result = time::timeout(secs(1), body).await;
            assert!(cleaned.get());
            assert_eq!(time::now() - before, secs(5));
            let has_blind_rest = place % 2 == 1;
            assert_eq!(result.is_err(), has_blind_rest, "{place}");
        });
    }
}

#[test]
fn await_of_a_child_that_cleans_up_is_not_cut_off() {
    run(async {
        let child = task::spawn(async {
            let slept = time::sleep(Duration::MAX).await;
            shield(time::sleep(secs(5))).await.unwrap();
            slept
        });
        let before = time::now();
        let both = join(child, pending::<()>());
        assert!(time::timeout(secs(1), both).await.is_err());
        assert_eq!(time::now() - before, secs(6));
    });
}

#[test]
fn wait_that_goes_on_without_saying_so_is_dropped() {
    for stays in [false, true] {
        run(async move {
            let (setter, mut answer) = postbox();
            drop(task::spawn(async move {
                time::sleep(secs(3)).await.unwrap();
                setter.set("in the end").is_ok()
            }));
            let mut watch = CancelWatch::new();
            let mut is_told = false;
            let stubborn = poll_fn(move |cx| {
                if !is_told && watch.poll_cancelled(cx).is_err() {
                    is_told = true;
                    if stays {
                        watch.stay();
                    }
                }
                Pin::new(&mut answer).poll(cx).map(Result::unwrap)
            });
            let result = time::timeout(secs(1), stubborn).await;
            assert_eq!(result.ok(), stays.then_some("in the end"));
        });
    }
}

#[test]
fn body_that_wakes_itself_is_polled_again_but_not_for_ever() {
    run(async {
        // A foreign yield in a cleanup: it comes to its end.
        let value = time::timeout(secs(1), async {
            let _told = time::sleep(Duration::MAX).await;
            for _ in 0..100 {
                foreign_yield().await;
            }
            "cleaned up"
        });
        assert_eq!(value.await, Ok("cleaned up"));
        // Nothing but yields: it does not.
        let endless = async {
            loop {
                foreign_yield().await;
            }
        };
        assert!(time::timeout(Duration::ZERO, endless).await.is_err());
        let endless = task::spawn(async {
            loop {
                foreign_yield().await;
            }
        });
        endless.cancel("enough");
        assert!(endless.await.unwrap_err().is_cancelled());
    });
}

#[test]
fn main_task_is_never_dropped_by_a_request() {
    run(async {
        let (setter, postbox) = postbox();
        task::current().unwrap().cancel("enough");
        drop(task::spawn(async move {
            shield(time::sleep(secs(1))).await.unwrap();
            setter.set(7).unwrap();
        }));
        assert_eq!(postbox.await, Ok(7));
        // A timeout inside works all the same.
        assert!(time::timeout(secs(1), pending::<()>()).await.is_err());
    });
}

/// Gives way as other libraries do it.
async fn foreign_yield() {
    let mut has_yielded = false;
    poll_fn(|cx| {
        if has_yielded {
            return Poll::Ready(());
        }
        has_yielded = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

#[test]
fn shield_with_a_deadline_drops_a_body_that_cannot_be_told_in_a_cancelled_task() {
    run(async {
        let child = task::spawn(async {
            let before = time::now();
            assert!(time::sleep(Duration::MAX).await.is_err());
            assert!(shield_for(secs(3), pending::<()>()).await.is_err());
            time::now() - before
        });
        task::yield_now().await.unwrap();
        child.cancel("enough");
        assert_eq!(child.await.unwrap(), secs(3));
    });
}

#[test]
fn scope_that_is_used_again_does_not_end_alone() {
    run(async {
        // The scope of a combinator does, and is kept for the next one.
        task::scope(async |_| ()).await;
        let drops = Drops::default();
        let value = drops.value();
        let inner = time::timeout(secs(1), async move {
            let _value = value;
            pending::<()>().await;
        });
        assert!(time::timeout(secs(1), inner).await.is_err(), "the outer");
        assert_eq!(drops.count(), 1);
    });
}
