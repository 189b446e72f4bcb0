use std::sync::mpsc;
use std::thread;

use super::*;

#[test]
fn both_kinds_of_switches_are_counted() {
    let status = "Name:\tpool-1\nThreads:\t7\nvoluntary_ctxt_switches:\t12\nnonvoluntary_ctxt_switches:\t3\n";
    let thread = Thread::read(status);
    assert_eq!((thread.name.as_str(), thread.switches), ("pool-1", 15));
}

#[test]
fn a_thread_is_new_and_runs_when_it_is_woken() {
    let before = Threads::look().unwrap();
    let (wake, woken) = mpsc::channel::<()>();
    let (up, is_up) = mpsc::channel();
    let thread = thread::spawn(move || woken.iter().for_each(|()| up.send(()).unwrap()));
    wake.send(()).unwrap();
    is_up.recv().unwrap();
    let early = Threads::look().unwrap().since(&before, None);
    // Other tests may start threads at the same time.
    assert!(!early.is_empty());
    for _ in 0..3 {
        wake.send(()).unwrap();
        is_up.recv().unwrap();
    }
    let late = Threads::look().unwrap().since(&before, None);
    assert!(late.switches_since(&early) >= 1);
    let all = Threads::look().unwrap();
    assert!(all.clone().since(&all, None).is_empty());
    assert_eq!(all.clone().since(&all, Some("")).len(), all.len());
    drop(wake);
    thread.join().unwrap();
}
