//! The way in from other threads.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use ringloop::cancel::{CancelToken, ReasonKind};
use ringloop::net::TcpStream;
use ringloop::task::yield_now;
use ringloop::{Remote, Runtime, sleep};

use crate::rig::{listener, run, runtime};

#[test]
fn a_remote_may_go_anywhere() {
    fn both<T: Send + Sync>() {}
    both::<Remote>();
    both::<CancelToken>();
    both::<ringloop::SetupError>();
    both::<ringloop::Cancelled>();
}

#[test]
fn tasks_spawned_from_threads_run_on_the_loop_s_thread() {
    let mut runtime = runtime();
    let home = thread::current().id();
    let threads: Vec<_> = (0..4)
        .map(|n| {
            let remote = runtime.remote();
            thread::spawn(move || {
                let task = remote.spawn(move || async move {
                    // A future that is not `Send`, and input and output in it.
                    let n = std::rc::Rc::new(n);
                    let (listener, address) = listener().await;
                    let _client = TcpStream::connect(address).await.unwrap();
                    listener.accept().await.unwrap();
                    (thread::current().id(), *n)
                });
                run(task.unwrap()).unwrap()
            })
        })
        .collect();
    let results = runtime.block_on(async {
        let mut results = Vec::new();
        for thread in threads {
            results.push(
                ringloop::offload(move || thread.join().unwrap())
                    .await
                    .unwrap(),
            );
        }
        results
    });
    assert_eq!(results, [0, 1, 2, 3].map(|n| (home, n)));
}

#[test]
fn calls_come_in_order_and_wake_a_loop_that_sleeps() {
    let mut runtime = runtime();
    let remote = runtime.remote();
    let done = CancelToken::new();
    let finish = done.clone();
    let (log, lines) = mpsc::channel();
    let caller = thread::spawn(move || {
        for n in 0..1000 {
            let log = log.clone();
            remote.call_soon(move || log.send(n).unwrap()).unwrap();
        }
        remote
            .call_soon(move || assert!(finish.cancel("done")))
            .unwrap();
    });
    runtime.block_on(done.cancelled()).unwrap();
    caller.join().unwrap();
    assert!(lines.into_iter().eq(0..1000));
}

#[test]
fn every_wake_from_a_thread_arrives() {
    let mut runtime = runtime();
    let remote = runtime.remote();
    let (ping, pinged) = mpsc::channel::<ringloop::future::RemoteSetter<u32>>();
    // The loop sleeps, or is about to, whenever the other thread answers.
    let answering = thread::spawn(move || {
        for (n, setter) in (0..).zip(pinged) {
            setter.set(n).unwrap();
        }
    });
    runtime.block_on(async {
        for n in 0..2000 {
            let (setter, answer) = ringloop::future::remote_postbox();
            ping.send(setter).unwrap();
            assert_eq!(answer.await.unwrap(), n);
        }
    });
    drop(ping);
    answering.join().unwrap();
    assert!(!remote.is_closed());
}

#[test]
fn stop_cancels_the_main_task() {
    let mut runtime = runtime();
    let remote = runtime.remote();
    let stopper = thread::spawn(move || remote.stop().unwrap());
    let cancelled = runtime.block_on(sleep(Duration::MAX)).unwrap_err();
    assert_eq!(cancelled.reason().kind(), ReasonKind::Shutdown);
    stopper.join().unwrap();
    runtime.block_on(yield_now()).unwrap();
}

#[test]
fn stop_ends_a_wait_for_a_connection() {
    let mut runtime = runtime();
    let (listener, _address) = runtime.block_on(listener());
    let remote = runtime.remote();
    let stopper = thread::spawn(move || remote.stop().unwrap());
    let result = runtime.block_on(listener.accept());
    crate::rig::assert_cancelled(&result.map(drop));
    stopper.join().unwrap();
}

#[test]
fn a_remote_of_a_gone_runtime_says_so() {
    let runtime = runtime();
    let remote = runtime.remote();
    assert!(!remote.is_closed());
    drop(runtime);
    assert!(remote.is_closed());
    assert!(remote.stop().is_err());
    assert!(remote.call_soon(|| ()).is_err());
    assert!(remote.spawn(|| async {}).is_err());
}

#[test]
fn a_remote_join_of_a_gone_runtime_says_so() {
    let runtime = Runtime::builder().grace(Duration::ZERO).build().unwrap();
    let task = runtime.remote().spawn(std::future::pending::<()>).unwrap();
    drop(runtime);
    assert!(run(task).unwrap_err().is_gone());
}
