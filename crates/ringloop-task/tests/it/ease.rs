//! What a poll inside another poll was allowed is not left to the outer one.

use std::future::pending;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use ringloop_task::cancel::CancelWatch;
use ringloop_task::task::{self, JoinHandle};
use ringloop_task::time::move_on_after;
use ringloop_task::{Scheduler, time};

use crate::driver::{VirtualDriver, run};

/// A task that owns another, which ends with it.
struct AbortsOnDrop(JoinHandle<()>);

impl Drop for AbortsOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A task with a child that is aborted when it is.
fn parent() -> JoinHandle<()> {
    task::spawn(async {
        let _child = AbortsOnDrop(task::spawn(pending()));
        pending::<()>().await;
    })
}

#[test]
fn a_cancelled_task_that_aborts_another_is_still_cancelled() {
    run(async {
        let cancelled = task::spawn(async {
            let parent = parent();
            let told = time::sleep(HOUR).await;
            assert!(told.is_err());
            parent.abort();
            time::sleep(HOUR).await.is_err()
        });
        task::yield_now().await.unwrap();
        task::yield_now().await.unwrap();
        cancelled.cancel("enough");
        assert!(cancelled.await.unwrap(), "the wait is not begun");
    });
}

#[test]
fn a_scope_that_is_over_stays_over_when_a_task_is_aborted() {
    run(async {
        let parent = parent();
        task::yield_now().await.unwrap();
        let moved_on = move_on_after(Duration::ZERO, async {
            let first = time::sleep(HOUR).await.is_err();
            parent.abort();
            (first, time::sleep(HOUR).await.is_err())
        });
        let told = moved_on.await;
        assert_eq!(told, Some((true, true)));
    });
}

#[test]
fn a_loop_that_has_ended_leaves_nothing_to_the_thread() {
    let mut scheduler = Scheduler::new(VirtualDriver::new());
    scheduler.block_on(async {
        drop(parent());
        task::yield_now().await.unwrap();
        task::yield_now().await.unwrap();
    });
    drop(scheduler);
    assert!(!CancelWatch::try_begin(), "no loop runs");
    let mut wait = pin!(pending::<()>());
    let mut cx = Context::from_waker(Waker::noop());
    assert!(CancelWatch::new().poll_cancelled(&mut cx).is_ok());
    assert_eq!(wait.as_mut().poll(&mut cx), Poll::Pending);
}

const HOUR: Duration = Duration::from_secs(3600);
