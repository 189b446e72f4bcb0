use std::sync::mpsc;
use std::time::Duration;

use ringloop_core::Driver;

use crate::rig::proactor;

#[test]
fn an_unpark_ends_the_next_park_and_they_coalesce() {
    let mut proactor = proactor();
    let unparker = proactor.unparker();
    unparker.unpark();
    unparker.unpark();
    proactor.park(None).unwrap();
    let before = proactor.now();
    proactor.park(Some(Duration::from_millis(2))).unwrap();
    assert!(
        proactor.now() - before >= Duration::from_millis(2),
        "two unparks were one"
    );
}

#[test]
fn a_sleeping_loop_is_woken_from_other_threads() {
    let mut proactor = proactor();
    let unparker = proactor.unparker();
    let (go, gone) = mpsc::channel();
    let waker = std::thread::spawn(move || {
        for () in gone {
            unparker.unpark();
        }
    });
    for _ in 0..2000 {
        go.send(()).unwrap();
        proactor.park(None).unwrap();
    }
    drop(go);
    waker.join().unwrap();
}

#[test]
fn a_running_loop_is_woken_without_a_system_call() {
    let mut proactor = proactor();
    proactor.park(Some(Duration::ZERO)).unwrap();
    let before = proactor.stats();
    proactor.unparker().unpark();
    proactor.park(None).unwrap();
    let after = proactor.stats();
    assert_eq!(after.enters, before.enters);
    assert_eq!(after.completions, before.completions);
}
