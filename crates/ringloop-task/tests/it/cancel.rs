//! The rules of cancellation, C1 to C10, as far as they concern tasks.

use std::cell::Cell;
use std::future::{pending, poll_fn};
use std::rc::Rc;
use std::task::{Poll, Waker};
use std::time::Duration;

use ringloop_task::cancel::{CancelWatch, Cancelled, ReasonKind, check_cancelled, shield};
use ringloop_task::{task, time};

use crate::driver::{Log, collected, run, secs};

/// A wait with a value: what is put into the slot.
fn wait_for(
    slot: Rc<Cell<Option<u32>>>,
    lend: Rc<Cell<Option<Waker>>>,
) -> impl Future<Output = Result<u32, Cancelled>> {
    let mut watch = CancelWatch::new();
    let mut is_begun = false;
    poll_fn(move |cx| {
        if is_begun && let Some(value) = slot.take() {
            return Poll::Ready(Ok(value));
        }
        watch.poll_cancelled(cx)?;
        is_begun = true;
        lend.set(Some(cx.waker().clone()));
        Poll::Pending
    })
}

#[test]
fn c1_request_is_delivered_by_the_wait_and_cleanup_may_wait() {
    let log = Log::default();
    run(async {
        let inner = log.clone();
        let child = task::spawn(async move {
            let result = time::sleep(Duration::MAX).await;
            inner.add(result.as_ref().unwrap_err());
            shield(time::sleep(secs(5))).await.unwrap();
            inner.add("cleaned up");
            result
        });
        task::yield_now().await.unwrap();
        assert!(child.cancel("enough"));
        let before = time::now();
        let cancelled = child.await.unwrap().unwrap_err();
        assert_eq!(cancelled.reason().text(), "enough");
        assert_eq!(time::now() - before, secs(5));
    });
    log.check(&["cancelled: enough", "cleaned up"]);
}

#[test]
fn c2_every_later_wait_fails_at_once() {
    run(async {
        let child = task::spawn(async {
            let mut count = 0;
            for _ in 0..3 {
                count += u32::from(time::sleep(secs(1)).await.is_err());
                count += u32::from(task::yield_now().await.is_err());
                count += u32::from(task::checkpoint().await.is_err());
                count += u32::from(check_cancelled().is_err());
            }
            count
        });
        child.cancel("enough");
        let before = time::now();
        assert_eq!(child.await.unwrap(), 12);
        assert_eq!(time::now(), before);
    });
}

#[test]
fn c3_value_wins_and_the_next_wait_is_cancelled() {
    let (slot, lent) = (Rc::new(Cell::new(None)), Rc::new(Cell::new(None)));
    run(async {
        let wait = wait_for(slot.clone(), lent.clone());
        let child = task::spawn(async move {
            let value = wait.await;
            (value.ok(), task::yield_now().await.is_err())
        });
        task::yield_now().await.unwrap();
        child.cancel("too late");
        slot.set(Some(7));
        lent.take().unwrap().wake();
        assert_eq!(child.await.unwrap(), (Some(7), true));
    });
}

#[test]
fn c3_sleep_that_is_over_is_over() {
    run(async {
        let child = task::spawn(async { time::sleep(secs(1)).await.is_ok() });
        task::yield_now().await.unwrap();
        // Both timers fire in one turn, the child's first; the request comes before its poll.
        time::sleep(secs(1)).await.unwrap();
        child.cancel("too late");
        assert!(child.await.unwrap());
    });
}

#[test]
fn c4_wait_begun_when_cancelled_does_nothing() {
    let (slot, lent) = (Rc::new(Cell::new(Some(7))), Rc::new(Cell::new(None)));
    run(async {
        let wait = wait_for(slot.clone(), lent.clone());
        let child = task::spawn(wait);
        child.cancel("enough");
        assert!(child.await.unwrap().is_err());
    });
    assert_eq!(slot.take(), Some(7), "nothing was taken");
    assert!(lent.take().is_none(), "nothing was filed");
}

#[test]
fn c6_awaiting_a_task_passes_the_request_on_and_waits_for_its_end() {
    let log = Log::default();
    run(async {
        let inner = log.clone();
        let parent = task::spawn(async move {
            let child = task::spawn(async move {
                let result = time::sleep(Duration::MAX).await;
                shield(time::sleep(secs(3))).await.unwrap();
                inner.add("child ends");
                result
            });
            child.await.unwrap()
        });
        task::yield_now().await.unwrap();
        task::yield_now().await.unwrap();
        parent.cancel("from above");
        let cancelled = parent.await.unwrap().unwrap_err();
        log.add("parent ended");
        assert_eq!(cancelled.reason().text(), "from above");
    });
    log.check(&["child ends", "parent ended"]);
}

#[test]
fn c6_request_is_passed_on_once() {
    run(async {
        let parent = task::spawn(async {
            let child = task::spawn(async {
                let first = time::sleep(Duration::MAX).await.is_err();
                let shielded = shield(async {
                    task::yield_now().await.unwrap();
                    task::yield_now().await.unwrap();
                });
                shielded.await;
                first
            });
            let task = child.task();
            (child.await.unwrap(), task.is_cancel_requested())
        });
        task::yield_now().await.unwrap();
        task::yield_now().await.unwrap();
        assert!(parent.cancel("first"));
        assert!(!parent.cancel("second"));
        assert_eq!(parent.await.unwrap(), (true, true));
    });
}

#[test]
fn c6_wait_does_not_pass_the_request_on() {
    run(async {
        let child = Rc::new(task::spawn(time::sleep(secs(10))));
        let waited = child.clone();
        let parent = task::spawn(async move { waited.wait().await });
        task::yield_now().await.unwrap();
        parent.cancel("enough");
        assert!(parent.await.unwrap().is_err());
        assert!(!child.task().is_cancel_requested());
        Rc::into_inner(child).unwrap().await.unwrap().unwrap();
    });
}

#[test]
fn c6_shielded_join_does_not_pass_the_request_on() {
    run(async {
        let parent = task::spawn(async { shield(task::spawn(time::sleep(secs(1)))).await });
        task::yield_now().await.unwrap();
        parent.cancel("enough");
        assert!(parent.await.unwrap().unwrap().is_ok());
    });
}

#[test]
fn c8_task_cancelled_before_its_first_poll_runs_to_its_first_wait() {
    let log = Log::default();
    run(async {
        let inner = log.clone();
        let child = task::spawn(async move {
            inner.add("ran");
            time::sleep(secs(1)).await?;
            inner.add("not here");
            Ok::<(), Cancelled>(())
        });
        assert!(child.cancel("early"));
        assert!(child.await.unwrap().is_err());
    });
    log.check(&["ran"]);
}

#[test]
fn c9_first_reason_is_kept_with_whom() {
    run(async {
        let child = task::spawn(time::sleep(Duration::MAX));
        let own = task::current().unwrap().id();
        assert!(child.cancel("first"));
        assert!(!child.cancel(String::from("second")));
        let cancelled = child.await.unwrap().unwrap_err();
        assert_eq!(cancelled.reason().kind(), ReasonKind::Explicit);
        assert_eq!(cancelled.reason().text(), "first");
        assert_eq!(cancelled.reason().by(), Some(own));
    });
}

#[test]
fn task_that_has_ended_refuses_requests() {
    run(async {
        let child = task::spawn(async {});
        task::yield_now().await.unwrap();
        assert!(!child.cancel("too late"));
        child.await.unwrap();
    });
}

#[test]
fn main_task_is_cancelled_like_others() {
    let result = run(async {
        let main = task::current().unwrap();
        drop(task::spawn(async move { main.cancel("from a child") }));
        time::sleep(Duration::MAX).await
    });
    assert_eq!(result.unwrap_err().reason().text(), "from a child");
}

#[test]
fn task_that_ignores_requests_does_not_hold_the_loop() {
    run(async {
        let stubborn = task::spawn(async {
            loop {
                drop(time::sleep(secs(1)).await);
            }
        });
        stubborn.cancel("please");
        for _ in 0..3 {
            task::yield_now().await.unwrap();
        }
        stubborn.abort();
        let ended: Result<(), _> = stubborn.await;
        assert!(ended.unwrap_err().is_aborted());
    });
}

#[test]
fn foreign_wakers_hear_of_requests_and_are_withdrawn() {
    run(async {
        // Through the task.
        let child = task::spawn(collected(time::sleep(Duration::MAX)));
        task::yield_now().await.unwrap();
        child.cancel("to the task");
        assert_eq!(
            child.await.unwrap().unwrap_err().reason().text(),
            "to the task"
        );
        // Through a scope around the collection.
        let timed = time::timeout(secs(1), collected(time::sleep(Duration::MAX)));
        assert!(timed.await.is_err());
        // Through a scope inside the collection.
        let timed = collected(time::timeout(secs(1), time::sleep(Duration::MAX)));
        assert!(timed.await.is_err());
        // Of a join handle inside a collection.
        let child = task::spawn(time::sleep(Duration::MAX));
        let timed = time::timeout(secs(1), collected(child));
        assert!(timed.await.is_err());
        // A token's scope inside the collection.
        let scope = ringloop_task::cancel::CancelScope::new();
        let token = scope.token();
        let child = task::spawn(collected(scope.run(collected(time::sleep(Duration::MAX)))));
        task::yield_now().await.unwrap();
        token.cancel("through the token");
        assert!(child.await.unwrap().is_cancelled());
    });
}

#[test]
fn waits_outside_of_tasks_are_never_cancelled() {
    assert!(check_cancelled().is_ok());
    let mut watch = CancelWatch::new();
    let mut cx = std::task::Context::from_waker(Waker::noop());
    assert!(watch.poll_cancelled(&mut cx).is_ok());
}

#[test]
fn wait_for_a_task_is_withdrawn_when_dropped() {
    run(async {
        let child = task::spawn(pending::<()>());
        for _ in 0..10 {
            assert!(time::timeout(secs(1), child.wait()).await.is_err());
        }
        child.abort();
        child.wait().await.unwrap();
    });
}

#[test]
fn what_is_filed_for_foreign_wakers_goes_with_the_wait() {
    use std::sync::Arc;
    struct Counted;
    impl std::task::Wake for Counted {
        fn wake(self: Arc<Self>) {}
    }

    run(async {
        let counted = Arc::new(Counted);
        let waker = Waker::from(counted.clone());
        let waker_count = Arc::strong_count(&counted);
        let other = task::spawn(pending::<()>());
        let token = ringloop_task::cancel::CancelToken::new();
        for _ in 0..3 {
            let mut scoped = std::pin::pin!(time::timeout(secs(1), async {
                ringloop_core::future::join(time::sleep(secs(1)), other.wait()).await
            }));
            let mut wait = std::pin::pin!(token.cancelled());
            let mut cx = std::task::Context::from_waker(&waker);
            assert!(scoped.as_mut().poll(&mut cx).is_pending());
            assert!(scoped.as_mut().poll(&mut cx).is_pending());
            assert!(wait.as_mut().poll(&mut cx).is_pending());
            assert!(Arc::strong_count(&counted) > waker_count);
        }
        assert_eq!(Arc::strong_count(&counted), waker_count);
        // In a scope that outlives the waits.
        let scoped = time::timeout(secs(9), async {
            for _ in 0..3 {
                let mut sleep = std::pin::pin!(time::sleep(secs(1)));
                let mut cx = std::task::Context::from_waker(&waker);
                assert!(sleep.as_mut().poll(&mut cx).is_pending());
            }
            assert_eq!(Arc::strong_count(&counted), waker_count);
        });
        scoped.await.unwrap();
        other.abort();
    });
}
