//! Whole schedulers under loom: wakers on other threads against the loop and its end.

use std::cell::Cell;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};

use loom::sync::Arc;
use loom::sync::atomic::{AtomicBool, Ordering};
use loom::thread;
use ringloop_core::ThreadDriver;

use crate::{Scheduler, task};

fn model(f: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = builder.preemption_bound.or(Some(2));
    builder.check(f);
}

/// Polls until `flag` is set, and hands its waker to `lend` at the first poll.
async fn until(flag: Arc<AtomicBool>, lend: impl FnOnce(Waker)) {
    let mut lend = Some(lend);
    poll_fn(|cx| {
        if let Some(lend) = lend.take() {
            lend(cx.waker().clone());
        }
        if flag.load(Ordering::Relaxed) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
}

#[test]
fn wake_by_value_is_not_lost() {
    model(|| {
        let mut scheduler = Scheduler::new(ThreadDriver::new());
        let flag = Arc::new(AtomicBool::new(false));
        let setter = flag.clone();
        let wait = until(flag, move |waker| {
            thread::spawn(move || {
                setter.store(true, Ordering::Relaxed);
                waker.wake();
            });
        });
        scheduler.block_on(wait);
    });
}

#[test]
fn wake_by_reference_is_not_lost() {
    model(|| {
        let mut scheduler = Scheduler::new(ThreadDriver::new());
        let flag = Arc::new(AtomicBool::new(false));
        let setter = flag.clone();
        let wait = until(flag, move |waker| {
            thread::spawn(move || {
                setter.store(true, Ordering::Relaxed);
                waker.wake_by_ref();
            });
        });
        scheduler.block_on(wait);
    });
}

#[test]
fn two_wakers_and_a_drop() {
    model(|| {
        let mut scheduler = Scheduler::new(ThreadDriver::new());
        let flag = Arc::new(AtomicBool::new(false));
        let setter = flag.clone();
        let wait = until(flag, move |waker| {
            let idle = waker.clone();
            thread::spawn(move || drop(idle));
            thread::spawn(move || {
                setter.store(true, Ordering::Relaxed);
                waker.wake();
            });
        });
        scheduler.block_on(wait);
    });
}

#[test]
fn last_reference_against_the_end_of_the_scheduler() {
    model(|| {
        let mut scheduler = Scheduler::new(ThreadDriver::new());
        let lent = Rc::new(Cell::new(None));
        let lend = lent.clone();
        scheduler.block_on(async move {
            drop(task::spawn(until(
                Arc::new(AtomicBool::new(false)),
                move |waker| {
                    lend.set(Some(waker));
                },
            )));
            task::yield_now().await.unwrap();
        });
        let waker = lent.take().unwrap();
        let other = thread::spawn(move || {
            waker.wake_by_ref();
            waker.clone().wake();
            drop(waker);
        });
        drop(scheduler);
        other.join().unwrap();
    });
}

#[test]
fn reference_given_back_while_the_task_ends() {
    model(|| {
        let mut scheduler = Scheduler::new(ThreadDriver::new());
        let captured = Arc::new(());
        scheduler.block_on(async move {
            let child = task::spawn(poll_fn(move |cx| {
                let _ = &captured;
                let waker = cx.waker().clone();
                thread::spawn(move || drop(waker));
                Poll::Ready(())
            }));
            child.await.unwrap();
        });
        drop(scheduler);
    });
}

#[test]
fn two_last_references_of_an_orphan() {
    model(|| {
        let mut scheduler = Scheduler::new(ThreadDriver::new());
        let lent = Rc::new(Cell::new(None));
        let lend = lent.clone();
        scheduler.block_on(async move {
            poll_fn(move |cx| {
                lend.set(Some(cx.waker().clone()));
                Poll::Ready(())
            })
            .await;
        });
        drop(scheduler);
        let first = lent.take().unwrap();
        let second = first.clone();
        let other = thread::spawn(move || first.wake());
        drop(second);
        other.join().unwrap();
    });
}
