//! Wakers on other threads, and wakers that live longer than what they wake.

use std::cell::Cell;
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc;
use std::task::{Poll, Waker};
use std::thread;

use ringloop_core::ThreadDriver;
use ringloop_task::{Scheduler, task};

use crate::driver::Drops;

/// Parks once and gives the waker away.
async fn park(lend: impl FnOnce(Waker)) {
    let mut lend = Some(lend);
    poll_fn(|cx| match lend.take() {
        None => Poll::Ready(()),
        Some(lend) => {
            lend(cx.waker().clone());
            Poll::Pending
        }
    })
    .await;
}

#[test]
fn thousands_of_wakes_from_other_threads_all_arrive() {
    let (sender, receiver) = mpsc::channel::<Waker>();
    let receiver = Arc::new(std::sync::Mutex::new(receiver));
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let receiver = receiver.clone();
            thread::spawn(move || {
                loop {
                    let next = receiver.lock().unwrap().recv();
                    let Ok(waker) = next else { break };
                    waker.wake_by_ref();
                    waker.clone().wake();
                    drop(waker);
                }
            })
        })
        .collect();
    let mut scheduler = Scheduler::new(ThreadDriver::new());
    let count = scheduler.block_on(async {
        let mut tasks = Vec::new();
        for _ in 0..50 {
            let sender = sender.clone();
            tasks.push(task::spawn(async move {
                for _ in 0..200 {
                    park(|waker| sender.send(waker).unwrap()).await;
                }
                1
            }));
        }
        drop(sender);
        let mut count = 0;
        for task in tasks {
            count += task.await.unwrap();
        }
        count
    });
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!(count, 50);
    drop(scheduler);
}

#[test]
fn wake_ends_the_park_of_an_idle_loop() {
    let mut scheduler = Scheduler::new(ThreadDriver::new());
    let mut thread = None;
    scheduler.block_on(park(|waker| {
        thread = Some(thread::spawn(move || waker.wake()));
    }));
    thread.unwrap().join().unwrap();
    assert_eq!(scheduler.stats().remote_wakes, 1);
}

#[test]
fn waker_may_outlive_its_scheduler_anywhere() {
    let lent = Rc::new(Cell::new(None));
    let lend = lent.clone();
    let drops = Drops::default();
    let value = drops.value();
    let mut scheduler = Scheduler::new(ThreadDriver::new());
    scheduler.block_on(async move {
        drop(task::spawn(async move {
            let _value = value;
            park(move |waker| lend.set(Some(waker))).await;
        }));
        task::yield_now().await.unwrap();
    });
    let waker: Waker = lent.take().unwrap();
    drop(scheduler);
    assert_eq!(
        drops.count(),
        1,
        "the future is dropped here, not with its last waker"
    );
    let copy = waker.clone();
    copy.wake_by_ref();
    let elsewhere = waker.clone();
    thread::spawn(move || {
        elsewhere.wake_by_ref();
        let last = elsewhere.clone();
        elsewhere.wake();
        drop(last);
    })
    .join()
    .unwrap();
    copy.wake();
    thread::spawn(move || drop(waker)).join().unwrap();
}

#[test]
fn wakers_race_the_end_of_the_scheduler() {
    for _ in 0..200 {
        let lent = Rc::new(Cell::new(None));
        let lend = lent.clone();
        let mut scheduler = Scheduler::new(ThreadDriver::new());
        scheduler.block_on(async move {
            drop(task::spawn(park(move |waker| lend.set(Some(waker)))));
            task::yield_now().await.unwrap();
        });
        let waker: Waker = lent.take().unwrap();
        let threads: Vec<_> = (0..2)
            .map(|_| {
                let waker = waker.clone();
                thread::spawn(move || {
                    waker.wake_by_ref();
                    waker.clone().wake();
                    drop(waker);
                })
            })
            .collect();
        drop(scheduler);
        drop(waker);
        for thread in threads {
            thread.join().unwrap();
        }
    }
}

#[test]
fn wake_between_two_runs_is_kept() {
    let lent = Rc::new(Cell::new(None));
    let lend = lent.clone();
    let mut scheduler = Scheduler::new(ThreadDriver::new());
    let handle = scheduler.block_on(async move {
        let handle = task::spawn(park(move |waker| lend.set(Some(waker))));
        task::yield_now().await.unwrap();
        handle
    });
    lent.take().unwrap().wake();
    assert!(!handle.is_finished());
    scheduler.block_on(handle).unwrap();
}

#[test]
fn two_schedulers_on_one_thread_wake_each_other() {
    let lent = Rc::new(Cell::new(None));
    let lend = lent.clone();
    let mut first = Scheduler::new(ThreadDriver::new());
    let mut second = Scheduler::new(ThreadDriver::new());
    let handle = first.block_on(async move {
        let handle = task::spawn(park(move |waker| lend.set(Some(waker))));
        task::yield_now().await.unwrap();
        handle
    });
    second.block_on(async { lent.take().unwrap().wake() });
    first.block_on(handle).unwrap();
}

#[test]
fn late_wakes_of_ended_tasks_do_nothing() {
    let mut scheduler = Scheduler::new(ThreadDriver::new());
    let (first, second) = scheduler.block_on(async {
        let lent = Rc::new(Cell::new(None));
        let lend = lent.clone();
        let child = task::spawn(poll_fn(move |cx| {
            lend.set(Some((cx.waker().clone(), cx.waker().clone())));
            Poll::Ready(())
        }));
        child.await.unwrap();
        lent.take().unwrap()
    });
    let before = scheduler.stats().polls;
    thread::spawn(move || {
        first.wake_by_ref();
        first.wake();
    })
    .join()
    .unwrap();
    scheduler.block_on(async {
        second.wake();
        task::yield_now().await.unwrap();
    });
    assert_eq!(scheduler.stats().polls - before, 2, "the main task alone");
}

#[test]
fn scheduler_and_handles_may_go_with_their_thread() {
    /// Dropped in this order.
    type Kept = (
        Waker,
        task::JoinHandle<Arc<()>>,
        Scheduler<ThreadDriver>,
        Waker,
    );
    thread_local! {
        static KEPT: Cell<Option<Kept>> = const { Cell::new(None) };
    }
    let captured = Arc::new(());
    let value = captured.clone();
    let thread = thread::spawn(move || {
        let lent = Rc::new(Cell::new(None));
        let lend = lent.clone();
        let mut scheduler = Scheduler::new(ThreadDriver::new());
        let handle = scheduler.block_on(async move {
            let handle = task::spawn(async move {
                park(move |waker| lend.set(Some(waker))).await;
                value
            });
            task::yield_now().await.unwrap();
            handle
        });
        let waker: Waker = lent.take().unwrap();
        let second = waker.clone();
        KEPT.set(Some((waker, handle, scheduler, second)));
    });
    thread.join().unwrap();
    assert_eq!(Arc::strong_count(&captured), 1);
}
