//! Join handles.

use std::pin::pin;
use std::task::{Context, Waker};

use ringloop_core::future::join;
use ringloop_task::{Scheduler, task};

use crate::driver::{VirtualDriver, run, secs};

#[test]
fn output_comes_out_whenever_it_is_awaited() {
    run(async {
        let early = task::spawn(async { 1 });
        task::yield_now().await.unwrap();
        assert!(early.is_finished());
        let late = task::spawn(async {
            task::yield_now().await.unwrap();
            2
        });
        let (early, late) = join(early, late).await;
        assert_eq!((early.unwrap(), late.unwrap()), (1, 2));
    });
}

#[test]
fn detached_task_runs_on() {
    let (setter, postbox) = ringloop_core::postbox();
    run(async {
        drop(task::spawn(async move {
            ringloop_task::time::sleep(secs(1)).await.unwrap();
            setter.set(3).unwrap();
        }));
        assert_eq!(postbox.await, Ok(3));
    });
}

#[test]
fn handle_may_be_polled_by_reference_and_lose_races() {
    run(async {
        let mut handle = task::spawn(async {
            ringloop_task::time::sleep(secs(5)).await.unwrap();
            4
        });
        for _ in 0..3 {
            let mut polled = pin!(&mut handle);
            let once = std::future::poll_fn(|cx| std::task::Poll::Ready(polled.as_mut().poll(cx)));
            assert!(once.await.is_pending());
        }
        assert_eq!(handle.await.unwrap(), 4);
    });
}

#[test]
fn abort_of_an_ended_task_leaves_its_output() {
    run(async {
        let handle = task::spawn(async { 5 });
        task::yield_now().await.unwrap();
        handle.abort();
        assert_eq!(handle.await.unwrap(), 5);
    });
}

#[test]
fn abort_outside_of_the_loop_waits_for_it() {
    let mut scheduler = Scheduler::new(VirtualDriver::new());
    let handle = scheduler.block_on(async {
        let handle = task::spawn(std::future::pending::<()>());
        task::yield_now().await.unwrap();
        handle
    });
    handle.abort();
    assert!(!handle.is_finished());
    assert!(scheduler.block_on(handle).unwrap_err().is_aborted());
}

#[test]
fn handle_of_a_task_that_never_ran_resolves_after_the_scheduler() {
    let mut scheduler = Scheduler::new(VirtualDriver::new());
    let handle = scheduler.block_on(async { task::spawn(std::future::pending::<()>()) });
    drop(scheduler);
    assert!(handle.is_finished());
    let mut handle = pin!(handle);
    let polled = handle
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()));
    assert!(
        polled
            .map(|ended| ended.unwrap_err().is_aborted())
            .is_ready()
    );
}

#[test]
fn awaiting_in_another_loop_hears_of_the_end_of_the_first() {
    let mut first = Scheduler::new(VirtualDriver::new());
    let handle = first.block_on(async { task::spawn(std::future::pending::<()>()) });
    let mut second = Scheduler::new(VirtualDriver::new());
    second.block_on(async move {
        let waiting = task::spawn(handle);
        task::yield_now().await.unwrap();
        drop(first);
        assert!(waiting.await.unwrap().unwrap_err().is_aborted());
    });
}

#[test]
fn several_may_wait_for_one_task() {
    run(async {
        let handle = std::rc::Rc::new(task::spawn(async {
            ringloop_task::time::sleep(secs(1)).await.unwrap();
        }));
        let waits: Vec<_> = (0..3)
            .map(|_| {
                let handle = handle.clone();
                task::spawn(async move { handle.wait().await })
            })
            .collect();
        for wait in waits {
            wait.await.unwrap().unwrap();
        }
        handle.wait().await.expect("also after its end");
    });
}

#[test]
#[should_panic(expected = "polled after it gave the output")]
fn polled_after_the_end() {
    run(async {
        let mut handle = task::spawn(async {});
        (&mut handle).await.unwrap();
        drop(handle.await);
    });
}
