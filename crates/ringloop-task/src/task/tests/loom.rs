//! Whole schedulers under loom: wakers on other threads against the loop and its end.

use std::cell::Cell;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};

use loom::sync::Arc;
use loom::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
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

/// Whether a thread wakes by reference or by value, and whether its wake, or both threads', come
/// before, during or after the poll and the park: the task sees what both have done.
#[test]
fn two_wakers_against_poll_and_park() {
    for by_value in [[false, false], [false, true], [true, true]] {
        model(move || {
            let mut scheduler = Scheduler::new(ThreadDriver::new());
            let done = Arc::new(AtomicUsize::new(0));
            let wait = async {
                let mut lent = false;
                poll_fn(|cx| {
                    if !lent {
                        lent = true;
                        for by_value in by_value {
                            let (done, waker) = (done.clone(), cx.waker().clone());
                            thread::spawn(move || {
                                done.fetch_add(1, Ordering::Relaxed);
                                if by_value {
                                    waker.wake();
                                } else {
                                    waker.wake_by_ref();
                                }
                            });
                        }
                    }
                    if done.load(Ordering::Relaxed) == 2 {
                        Poll::Ready(())
                    } else {
                        Poll::Pending
                    }
                })
                .await;
            };
            scheduler.block_on(wait);
        });
    }
}

/// A closure that another thread leaves between the loop's last look and its park ends the park,
/// and is run.
#[test]
fn a_call_from_elsewhere_ends_the_park() {
    model(|| {
        let mut scheduler = Scheduler::new(ThreadDriver::new());
        let remote = scheduler.remote();
        let flag = Arc::new(AtomicBool::new(false));
        let setter = flag.clone();
        let wait = until(flag, move |waker| {
            thread::spawn(move || {
                let call = move || {
                    setter.store(true, Ordering::Relaxed);
                    waker.wake();
                };
                remote.call_soon(call).unwrap();
            });
        });
        scheduler.block_on(wait);
    });
}

/// A call and a wake from two threads, whose unparks may be one: both are seen.
#[test]
fn a_call_and_a_wake_share_an_unpark() {
    model(|| {
        let mut scheduler = Scheduler::new(ThreadDriver::new());
        let remote = scheduler.remote();
        let flag = Arc::new(AtomicBool::new(false));
        let called = Arc::new(AtomicBool::new(false));
        let (setter, caller) = (flag.clone(), called.clone());
        let wait = async {
            until(flag, move |waker| {
                let other = waker.clone();
                thread::spawn(move || {
                    setter.store(true, Ordering::Relaxed);
                    waker.wake();
                });
                thread::spawn(move || {
                    let call = move || {
                        caller.store(true, Ordering::Relaxed);
                        other.wake();
                    };
                    remote.call_soon(call).unwrap();
                });
            })
            .await;
            until(called, |_| ()).await;
        };
        scheduler.block_on(wait);
    });
}

/// A call against the end of the scheduler: it is run, dropped or refused, and not kept.
#[test]
fn a_call_against_the_end_of_the_scheduler() {
    model(|| {
        let scheduler = Scheduler::new(ThreadDriver::new());
        let remote = scheduler.remote();
        let captured = std::sync::Arc::new(());
        let other = {
            let captured = captured.clone();
            thread::spawn(move || drop(remote.call_soon(move || drop(captured))))
        };
        drop(scheduler);
        other.join().unwrap();
        assert_eq!(std::sync::Arc::strong_count(&captured), 1);
    });
}
