//! The mutex between threads: the rules of the mutex of one thread, and what threads add.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use ringloop_sync::shared::{self, hosted};

use crate::support::{Cancelled, Log, Task, TestHost, assert_send, assert_send_sync, is_long};

type Mutex<T> = hosted::Mutex<T, TestHost>;

#[test]
fn lock_goes_to_those_who_wait_in_order() {
    let mutex = Mutex::new(0);
    let log = Log::default();
    let visit = |name| {
        let (mutex, log) = (&mutex, log.clone());
        Task::new(async move {
            *mutex.lock().await.unwrap() += 1;
            log.note(name);
        })
    };
    let held = mutex.try_lock().unwrap();
    let mut tasks = ["a", "b", "c"].map(visit);
    tasks.iter_mut().for_each(Task::waits);
    assert_eq!(mutex.statistics().waiting, 3);
    drop(held);
    for task in &mut tasks {
        assert!(
            mutex.is_locked() && mutex.try_lock().is_none(),
            "it is handed over"
        );
        task.ends();
    }
    assert_eq!(log.take(), "a b c");
    assert!(!mutex.is_locked());
    assert_eq!(mutex.try_lock().as_deref(), Some(&3));
}

#[test]
fn lock_passes_by_who_is_cancelled_or_gone() {
    for is_cancelled in [true, false] {
        for is_given in [true, false] {
            let mutex = Mutex::new(());
            let mut held = mutex.try_lock();
            let mut first = Task::new(async { mutex.lock().await.map(drop) });
            let mut second = Task::new(async { mutex.lock().await.map(drop) });
            first.waits();
            second.waits();
            if is_given {
                held = None;
            }
            if is_cancelled {
                first.cancel();
                let expected = if is_given { Ok(()) } else { Err(Cancelled) };
                assert_eq!(first.ends(), expected, "the value wins");
            } else {
                first.abort();
            }
            drop(held);
            assert_eq!(second.ends(), Ok(()));
            assert!(!mutex.is_locked());
        }
    }
}

#[test]
fn a_cancelled_task_does_not_lock() {
    let mutex = Mutex::new(());
    let mut task = Task::new(async { mutex.lock().await.map(drop) });
    task.cancel();
    assert_eq!(task.ends(), Err(Cancelled));
    assert!(!mutex.is_locked());
}

#[test]
fn the_last_waiter_that_goes_leaves_a_lock_as_before() {
    let mutex = Mutex::new(());
    let held = mutex.try_lock();
    let mut task = Task::new(mutex.lock());
    task.waits();
    task.abort();
    drop(held);
    assert!(!mutex.is_locked());
    assert!(mutex.try_lock().is_some());
}

#[test]
fn a_thread_waits_in_line_with_tasks() {
    let mutex = Mutex::new(Vec::new());
    let mut held = mutex.try_lock().unwrap();
    held.push("main");
    let mut before = Task::new(async { mutex.lock().await.map(|mut log| log.push("before")) });
    before.waits();
    thread::scope(|scope| {
        let thread = scope.spawn(|| mutex.blocking_lock().push("thread"));
        while mutex.statistics().waiting < 2 {
            thread::yield_now();
        }
        let mut after = Task::new(async { mutex.lock().await.map(|mut log| log.push("after")) });
        after.waits();
        drop(held);
        before.ends().unwrap();
        thread.join().unwrap();
        after.ends().unwrap();
    });
    let log = mutex.try_lock().unwrap();
    assert_eq!(*log, ["main", "before", "thread", "after"]);
}

#[test]
fn a_timeout_gives_up_the_place() {
    let mutex = Mutex::new(());
    for timeout in [Duration::ZERO, Duration::from_millis(1)] {
        let held = mutex.blocking_lock_timeout(timeout);
        assert!(held.is_some(), "it is free");
        assert!(mutex.blocking_lock_timeout(timeout).is_none());
        assert_eq!(mutex.statistics().waiting, 0);
    }
    assert!(mutex.blocking_lock_timeout(Duration::MAX).is_some());
}

#[test]
fn guards_and_futures_go_to_other_threads() {
    let mutex = shared::Mutex::new(1);
    let lock = mutex.lock();
    assert_send(&lock);
    drop(lock);
    let guard = mutex.blocking_lock();
    assert_send_sync(&guard);
    thread::scope(|scope| {
        scope.spawn(move || drop(guard));
    });
    assert!(!mutex.is_locked());
    // A value that only moves is enough.
    assert_send_sync(&shared::Mutex::new(std::cell::Cell::new(1)));
}

#[test]
fn unsized_values_are_locked() {
    let mutex: Arc<shared::Mutex<[i32]>> = Arc::new(shared::Mutex::new([1, 2]));
    mutex.blocking_lock()[0] = 3;
    assert_eq!(*mutex.blocking_lock(), [3, 2]);
    assert!(format!("{mutex:?}").contains("[3, 2]"));
    let held = mutex.try_lock().unwrap();
    assert!(format!("{mutex:?}").contains("<locked>"));
    assert!(format!("{held:?}").contains("waiting: 0"));
}

#[test]
fn many_threads_count_together() {
    let rounds = if is_long() { 200_000 } else { 2_000 };
    let mutex = shared::Mutex::new(0_u64);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for round in 0..rounds {
                    if round % 3 == 0 {
                        // Comes and goes.
                        drop(mutex.blocking_lock_timeout(Duration::ZERO));
                    }
                    *mutex.blocking_lock() += 1;
                }
            });
        }
    });
    assert_eq!(mutex.into_inner(), 4 * rounds);
}
