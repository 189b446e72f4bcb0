//! The way in from other threads.

use std::future::pending;
use std::rc::Rc;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use ringloop_core::ThreadDriver;
use ringloop_task::cancel::{CancelToken, ReasonKind};
use ringloop_task::{Remote, RemoteJoin, Scheduler, task, time};

fn assert_send<T: Send>(_: &T) {}

#[test]
fn remote_parts_may_go_anywhere() {
    fn both<T: Send + Sync>() {}
    both::<Remote>();
    both::<CancelToken>();
    both::<ringloop_task::cancel::Cancelled>();
    both::<task::JoinError>();
    assert_send::<Option<RemoteJoin<u8>>>(&None);
}

#[test]
fn local_parts_stay_on_their_thread() {
    /// Has one implementation for types that stay, and two for types that may go: then it is
    /// ambiguous which one is meant, and this does not compile.
    trait Stays<Which> {
        const STAYS: bool = true;
    }
    impl<T: ?Sized> Stays<()> for T {}
    impl<T: ?Sized + Send> Stays<u8> for T {}

    const _: bool = <Scheduler<ThreadDriver> as Stays<_>>::STAYS;
    const _: bool = <task::JoinHandle<u8> as Stays<_>>::STAYS;
    const _: bool = <task::TaskRef as Stays<_>>::STAYS;
}

#[test]
fn call_soon_keeps_the_order_and_runs_in_the_loop() {
    let mut scheduler = Scheduler::new(ThreadDriver::new());
    let remote = scheduler.remote();
    let (sender, receiver) = mpsc::channel();
    let done = CancelToken::new();
    let finish = done.clone();
    let thread = thread::spawn(move || {
        for n in 0..100 {
            let sender = sender.clone();
            remote.call_soon(move || {
                drop(task::spawn(async move { sender.send(n).unwrap() }));
            })?;
        }
        remote.call_soon(move || {
            drop(task::spawn(async move { finish.cancel("done") }));
        })
    });
    scheduler.block_on(done.cancelled()).unwrap();
    thread.join().unwrap().unwrap();
    assert_eq!(
        receiver.try_iter().collect::<Vec<_>>(),
        (0..100).collect::<Vec<_>>()
    );
}

#[test]
fn spawned_futures_need_not_be_send_and_outputs_come_back() {
    let mut scheduler = Scheduler::new(ThreadDriver::new());
    let remote = scheduler.remote();
    let thread = thread::spawn(move || {
        let local = remote.spawn(|| async {
            let local = Rc::new(7);
            task::yield_now().await.unwrap();
            *local
        });
        let panics = remote.spawn(|| async { panic!("over there") });
        let mut own = Scheduler::new(ThreadDriver::new());
        let value = own.block_on(local.unwrap()).unwrap();
        let error = own.block_on(panics.unwrap()).map(|(): ()| ()).unwrap_err();
        remote.stop().unwrap();
        (value, error)
    });
    scheduler.block_on(time::sleep(Duration::MAX)).unwrap_err();
    let (value, error) = thread.join().unwrap();
    assert_eq!(value, 7);
    assert!(error.is_panic() && error.task().is_some());
    assert!(error.to_string().contains("over there"));
    drop(scheduler);
}

#[test]
fn panic_that_no_remote_joiner_reads_is_reported() {
    let mut scheduler = Scheduler::new(ThreadDriver::new());
    let remote = scheduler.remote();
    drop(remote.spawn(|| async { panic!("nobody listens") }).unwrap());
    remote
        .call_soon(|| panic!("nobody listens either"))
        .unwrap();
    scheduler.block_on(async {
        for _ in 0..3 {
            task::yield_now().await.unwrap();
        }
    });
    assert_eq!(scheduler.stats().unhandled, 2);
}

#[test]
fn stop_cancels_the_main_task() {
    let mut scheduler = Scheduler::new(ThreadDriver::new());
    let remote = scheduler.remote();
    let thread = thread::spawn(move || remote.stop());
    let cancelled = scheduler.block_on(time::sleep(Duration::MAX)).unwrap_err();
    assert_eq!(cancelled.reason().kind(), ReasonKind::Shutdown);
    thread.join().unwrap().unwrap();
    scheduler
        .block_on(task::yield_now())
        .expect("the next one is not stopped");
    scheduler.remote().stop().unwrap();
    assert!(
        scheduler.block_on(time::sleep(Duration::MAX)).is_err(),
        "asked before it began"
    );
}

#[test]
fn remote_outlives_the_scheduler() {
    let mut scheduler = Scheduler::new(ThreadDriver::new());
    let remote = scheduler.remote();
    let unfinished = remote.spawn(pending::<()>).unwrap();
    let never_run = {
        scheduler.block_on(task::yield_now()).unwrap();
        remote.spawn(|| async {}).unwrap()
    };
    assert!(!remote.is_closed());
    drop(scheduler);
    assert!(remote.is_closed());
    assert_eq!(
        remote.call_soon(|| ()).unwrap_err().to_string(),
        "the scheduler has shut down"
    );
    assert!(remote.spawn(|| async {}).is_err());
    let mut other = Scheduler::new(ThreadDriver::new());
    assert!(other.block_on(unfinished).unwrap_err().is_gone());
    assert!(other.block_on(never_run).unwrap_err().is_gone());
}
