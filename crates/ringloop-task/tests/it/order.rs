//! First in, first out, wherever it can be seen.

use std::cell::RefCell;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};

use ringloop_core::ThreadDriver;
use ringloop_task::{Scheduler, task};

use crate::driver::{Log, run};

#[test]
fn tasks_run_in_spawn_order_after_the_spawner() {
    let log = Log::default();
    run(async {
        for name in ["a", "b", "c"] {
            let log = log.clone();
            drop(task::spawn(async move {
                log.add(name);
                task::yield_now().await.unwrap();
                log.add(format!("{name}2"));
            }));
        }
        log.add("main");
        task::yield_now().await.unwrap();
        log.add("main2");
        task::yield_now().await.unwrap();
    });
    log.check(&["main", "a", "b", "c", "main2", "a2", "b2", "c2"]);
}

#[test]
fn woken_tasks_run_in_the_order_of_their_first_wakes() {
    let log = Log::default();
    let wakers = Rc::new(RefCell::new(Vec::<Waker>::new()));
    run(async {
        for name in ["a", "b", "c"] {
            let (log, wakers) = (log.clone(), wakers.clone());
            let mut is_parked = false;
            drop(task::spawn(poll_fn(move |cx| {
                if is_parked {
                    log.add(name);
                    return Poll::Ready(());
                }
                is_parked = true;
                wakers.borrow_mut().push(cx.waker().clone());
                Poll::Pending
            })));
        }
        task::yield_now().await.unwrap();
        for index in [2, 0, 2, 1] {
            wakers.borrow()[index].wake_by_ref();
        }
        task::yield_now().await.unwrap();
    });
    log.check(&["c", "a", "b"]);
}

#[test]
fn wakes_during_the_own_poll_queue_the_task_once() {
    let mut polls = 0;
    run(poll_fn(|cx| {
        polls += 1;
        for _ in 0..3 {
            cx.waker().wake_by_ref();
            cx.waker().clone().wake();
        }
        if polls == 5 {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }));
    assert_eq!(polls, 5);
}

#[test]
fn budget_bounds_the_polls_of_one_turn() {
    let mut scheduler = Scheduler::builder()
        .poll_budget(10)
        .build(ThreadDriver::new());
    let log = Log::default();
    scheduler.block_on(async {
        for n in 0..25 {
            let log = log.clone();
            drop(task::spawn(async move { log.add(n) }));
        }
        task::yield_now().await.unwrap();
    });
    // The main task, then 25 others, then the main task: 10 and 10 polls, a park after each, and 7.
    let stats = scheduler.stats();
    assert_eq!((stats.polls, stats.turns), (1 + 25 + 1, 2));
    let expected: Vec<_> = (0..25).map(|n| n.to_string()).collect();
    log.check(&expected.iter().map(String::as_str).collect::<Vec<_>>());
}

#[test]
fn chain_of_tasks_that_wake_each_other_takes_one_turn() {
    let mut scheduler = Scheduler::new(ThreadDriver::new());
    scheduler.block_on(async {
        let mut last = task::spawn(async {});
        for _ in 0..20 {
            last = task::spawn(async move { last.await.unwrap() });
        }
        last.await.unwrap();
    });
    // The main task wakes nobody; the last of the chain wakes it, for the next turn.
    let stats = scheduler.stats();
    assert_eq!((stats.polls, stats.turns), (1 + 21 + 1, 1));
}

#[test]
fn task_is_polled_once_in_a_turn() {
    let mut scheduler = Scheduler::new(ThreadDriver::new());
    scheduler.block_on(async {
        for _ in 0..7 {
            task::yield_now().await.unwrap();
        }
    });
    let stats = scheduler.stats();
    assert_eq!((stats.polls, stats.turns), (8, 7));
}

#[test]
fn nothing_else_is_polled_once_the_main_task_is_done() {
    let mut scheduler = Scheduler::new(ThreadDriver::new());
    let log = Log::default();
    scheduler.block_on(async {
        let log = log.clone();
        drop(task::spawn(async move { log.add("polled") }));
    });
    log.check(&[]);
    assert_eq!(scheduler.stats().ready_len, 1);
}
