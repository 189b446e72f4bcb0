//! Tokens: a tree that only wakes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use ringloop_core::ThreadDriver;
use ringloop_task::cancel::{CancelScope, CancelToken, Cancelled, Reason};
use ringloop_task::{Scheduler, task, time};

use crate::driver::{Drops, run, secs};

#[test]
fn descendants_are_cancelled_and_ancestors_are_not() {
    let root = CancelToken::new();
    let child = root.child();
    let (left, right) = (child.child(), child.child());
    assert!(left.cancel("left"));
    assert!(!right.is_cancelled() && !child.is_cancelled() && !root.is_cancelled());
    assert!(root.cancel("all"));
    assert!(!root.cancel("again"));
    assert_eq!(left.reason().unwrap().text(), "left");
    assert_eq!(right.reason().unwrap().text(), "all");
    assert!(child.child().is_cancelled(), "born cancelled");
}

#[test]
fn deep_trees_are_cancelled_and_dropped_without_recursion() {
    let root = CancelToken::new();
    let mut leaf = root.clone();
    for _ in 0..200_000 {
        leaf = leaf.child();
    }
    root.cancel("all");
    assert!(leaf.is_cancelled());
    drop(root);
    drop(leaf);
}

#[test]
fn finished_waits_and_children_leave_no_trace() {
    struct Nothing;
    impl Wake for Nothing {
        fn wake(self: Arc<Self>) {}
    }
    let token = CancelToken::new();
    let nothing = Arc::new(Nothing);
    let waker = Waker::from(nothing.clone());
    for _ in 0..1000 {
        let mut wait = std::pin::pin!(token.cancelled());
        assert!(
            wait.as_mut()
                .poll(&mut Context::from_waker(&waker))
                .is_pending()
        );
        let _child = token.child();
    }
    assert_eq!(Arc::strong_count(&nothing), 2, "no waker is left");
}

#[test]
fn all_waiters_on_all_threads_are_woken() {
    let token = CancelToken::new();
    let ready = Arc::new(AtomicUsize::new(0));
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let (token, ready) = (token.child(), ready.clone());
            thread::spawn(move || {
                Scheduler::new(ThreadDriver::new()).block_on(async {
                    let waits = (0..3)
                        .map(|_| task::spawn(token.cancelled()))
                        .collect::<Vec<_>>();
                    task::yield_now().await.unwrap();
                    ready.fetch_add(1, Ordering::Release);
                    for wait in waits {
                        assert_eq!(wait.await.unwrap().unwrap().text(), "stop");
                    }
                });
            })
        })
        .collect();
    while ready.load(Ordering::Acquire) < 4 {
        thread::yield_now();
    }
    token.cancel("stop");
    for thread in threads {
        thread.join().unwrap();
    }
}

#[test]
fn wait_for_a_token_is_cancelled_with_its_task() {
    run(async {
        let token = CancelToken::new();
        let child = task::spawn(token.cancelled());
        task::yield_now().await.unwrap();
        child.cancel("the task");
        assert_eq!(
            child.await.unwrap().unwrap_err().reason().text(),
            "the task"
        );
    });
}

#[test]
fn run_drops_what_knows_nothing_of_scopes() {
    run(async {
        let drops = Drops::default();
        let value = drops.value();
        let token = CancelToken::new();
        let blind = async move {
            let _value = value;
            std::future::pending::<()>().await;
        };
        let other = token.clone();
        let canceller = task::spawn(async move { other.cancel("stop") });
        let cancelled = token.run(blind).await.unwrap_err();
        assert_eq!(cancelled.reason().text(), "stop");
        assert_eq!(drops.count(), 1);
        canceller.await.unwrap();
        // Scopes and tasks around reach it as well.
        let token = CancelToken::new();
        let blind = token.run(std::future::pending::<()>());
        assert!(time::timeout(secs(1), blind).await.is_err());
        let child = task::spawn(async move { token.run(std::future::pending::<()>()).await });
        task::yield_now().await.unwrap();
        child.cancel("the task");
        assert!(child.await.unwrap().is_err());
        // The value wins.
        let token = CancelToken::new();
        let same = token.clone();
        let value = token.run(std::future::poll_fn(move |_| {
            same.cancel("too late");
            Poll::Ready(7)
        }));
        assert_eq!(value.await.unwrap(), 7);
    });
}

#[test]
fn scopes_file_no_more_than_they_are() {
    run(async {
        let token = CancelToken::new();
        for _ in 0..100 {
            let scope = CancelScope::with_token(token.child());
            scope
                .run(time::sleep(Duration::from_millis(1)))
                .await
                .done()
                .unwrap()
                .unwrap();
        }
        let error = std::io::Error::from(Cancelled::new(Reason::from("by hand")));
        assert!(ringloop_task::cancel::is_cancelled(&error));
    });
}
