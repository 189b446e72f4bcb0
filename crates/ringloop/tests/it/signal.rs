//! Ctrl-c. The tests send it to child processes of their own.

use std::time::Duration;

use ringloop::future::{Either, join, race};
use ringloop::signal::{CtrlC, ctrl_c};
use ringloop::task::yield_now;
use ringloop::{sleep, spawn, timeout};

use crate::kernel::interrupt_myself;
use crate::rig::{alone, assert_cancelled, cancelled_while_pending, polled_once, run, runtime};

#[test]
fn ctrl_c_ends_the_wait() {
    if !alone("signal::ctrl_c_ends_the_wait") {
        return;
    }
    run(async {
        for _ in 0..3 {
            let task = spawn(ctrl_c());
            yield_now().await.unwrap();
            interrupt_myself();
            task.await.unwrap().unwrap();
        }
    });
}

#[test]
fn a_listener_misses_none_between_its_waits() {
    if !alone("signal::a_listener_misses_none_between_its_waits") {
        return;
    }
    run(async {
        let mut listener = CtrlC::new().unwrap();
        for _ in 0..3 {
            // Several count as one.
            interrupt_myself();
            interrupt_myself();
            listener.wait().await.unwrap();
            assert!(cancelled_while_pending(listener.wait()).await.is_none());
        }
    });
}

#[test]
fn everybody_who_waits_is_told_in_all_runtimes() {
    if !alone("signal::everybody_who_waits_is_told_in_all_runtimes") {
        return;
    }
    let (ready, is_ready) = std::sync::mpsc::channel();
    let other = std::thread::spawn(move || {
        run(async {
            let mut listener = CtrlC::new().unwrap();
            ready.send(()).unwrap();
            listener.wait().await.unwrap();
        });
    });
    run(async {
        let (mut one, mut two) = (CtrlC::new().unwrap(), CtrlC::new().unwrap());
        is_ready.recv().unwrap();
        interrupt_myself();
        let (one, two) = join(one.wait(), two.wait()).await;
        one.unwrap();
        two.unwrap();
    });
    other.join().unwrap();
}

#[test]
fn a_wait_that_is_given_up_loses_no_ctrl_c() {
    if !alone("signal::a_wait_that_is_given_up_loses_no_ctrl_c") {
        return;
    }
    run(async {
        let mut listener = CtrlC::new().unwrap();
        for _ in 0..100 {
            interrupt_myself();
            assert!(polled_once(listener.wait()).await.is_none());
            match race(sleep(Duration::ZERO), listener.wait()).await {
                Either::Left(slept) => slept.unwrap(),
                Either::Right(told) => {
                    told.unwrap();
                    continue;
                }
            }
            assert!(timeout(Duration::ZERO, listener.wait()).await.is_err());
            listener.wait().await.unwrap();
        }
    });
}

#[test]
fn a_cancelled_task_is_told_so() {
    if !alone("signal::a_cancelled_task_is_told_so") {
        return;
    }
    let mut runtime = runtime();
    runtime.block_on(async {
        let task = spawn(ctrl_c());
        yield_now().await.unwrap();
        task.cancel("enough");
        assert_cancelled(&task.await.unwrap());
    });
    // From the first wait on, the signal ends no process, also while nobody waits.
    interrupt_myself();
    assert!(
        runtime
            .block_on(timeout(Duration::from_millis(1), ctrl_c()))
            .is_err()
    );
}

#[test]
fn the_table_of_those_who_wait_is_bounded() {
    if !alone("signal::the_table_of_those_who_wait_is_bounded") {
        return;
    }
    run(async {
        let all: Vec<_> = (0..64).map(|_| CtrlC::new().unwrap()).collect();
        let error = CtrlC::new().unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::ResourceBusy);
        drop(all);
        let mut listener = CtrlC::new().unwrap();
        interrupt_myself();
        listener.wait().await.unwrap();
    });
}
