//! The condition variable: who is notified, that the mutex is locked again in any case, and where a
//! notice goes whose receiver is gone.

use std::cell::Cell;

use ringloop_sync::{MutexGuard, hosted};

use crate::support::{Cancelled, Log, Task, TestHost};

type Mutex<T> = hosted::Mutex<T, TestHost>;
type Condvar = hosted::Condvar<TestHost>;
type Outcome = Result<(), Cancelled>;

/// A task that locks, waits once, and notes its name when it has the mutex again.
fn waiter<'a>(
    mutex: &'a Mutex<u32>,
    condvar: &'a Condvar,
    log: &Log,
    name: char,
) -> Task<'a, Outcome> {
    let log = log.clone();
    Task::new(async move {
        let guard = mutex.lock().await?;
        let (guard, outcome) = condvar.wait(guard).await;
        assert!(mutex.try_lock().is_none(), "the guard is one");
        log.note(name);
        drop(guard);
        outcome
    })
}

#[test]
fn notices_go_to_those_who_wait_in_order() {
    let notify: [fn(&Condvar, usize); 2] = [
        |condvar, count| condvar.notify(count),
        |condvar, count| (0..count).for_each(|_| condvar.notify_one()),
    ];
    for notify in notify {
        for count in 0..5 {
            let (mutex, condvar, log) = (Mutex::new(0), Condvar::new(), Log::default());
            let mut tasks = ['a', 'b', 'c'].map(|name| waiter(&mutex, &condvar, &log, name));
            tasks.iter_mut().for_each(Task::waits);
            assert!(!mutex.is_locked(), "it was given up");
            assert_eq!(condvar.statistics().waiting, 3);
            notify(&condvar, count);
            assert_eq!(condvar.statistics().waiting, 3 - count.min(3));
            for (place, task) in tasks.iter_mut().enumerate() {
                assert_eq!(task.is_woken(), place < count);
                if task.is_woken() {
                    assert_eq!(task.ends(), Ok(()));
                }
            }
            condvar.notify_all();
            for task in tasks.iter_mut().skip(count) {
                assert_eq!(task.ends(), Ok(()));
            }
            assert_eq!(log.take(), "a b c");
        }
    }
}

/// How far the first of two waiters has come when it leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reached {
    Waiting,
    Notified,
    /// It was notified, and waits for the mutex.
    Locking,
    /// It has been given the mutex.
    Given,
}

const ALL: [Reached; 4] = [
    Reached::Waiting,
    Reached::Notified,
    Reached::Locking,
    Reached::Given,
];

#[test]
fn waiter_that_leaves_keeps_neither_the_mutex_nor_the_notice() {
    for reached in ALL {
        for is_cancelled in [true, false] {
            for is_single in [true, false] {
                leaves(reached, is_cancelled, is_single);
            }
        }
    }
}

fn leaves(reached: Reached, is_cancelled: bool, is_single: bool) {
    let case = format!("{reached:?} {is_cancelled} {is_single}");
    let (mutex, condvar, log) = (Mutex::new(0), Condvar::new(), Log::default());
    let mut first = waiter(&mutex, &condvar, &log, 'a');
    first.waits();
    let is_notified = reached != Reached::Waiting;
    let mut held = None;
    if is_notified {
        if is_single {
            condvar.notify_one();
        } else {
            condvar.notify_all();
        }
    }
    // It comes after the notice, and gets only what is passed on.
    let mut second = waiter(&mutex, &condvar, &log, 'b');
    second.waits();
    if matches!(reached, Reached::Locking | Reached::Given) {
        held = mutex.try_lock();
        first.waits();
        assert_eq!(mutex.statistics().waiting, 1, "{case}");
    }
    if reached == Reached::Given {
        held = None;
    }
    if is_cancelled {
        first.cancel();
        if reached == Reached::Locking {
            first.waits();
            held = None;
        }
        let expected = if is_notified { Ok(()) } else { Err(Cancelled) };
        assert_eq!(first.ends(), expected, "{case}: the value wins");
        assert!(!second.is_woken(), "{case}");
        condvar.notify_one();
    } else {
        first.abort();
        assert_eq!(second.is_woken(), is_notified && is_single, "{case}");
        condvar.notify_one();
    }
    drop(held);
    assert_eq!(mutex.statistics().waiting, 0, "{case}");
    assert!(!mutex.is_locked(), "{case}");
    assert_eq!(second.ends(), Ok(()), "{case}");
}

#[test]
fn a_cancelled_wait_locks_the_mutex_again() {
    for is_dropped in [false, true] {
        let (mutex, condvar, log) = (Mutex::new(0), Condvar::new(), Log::default());
        let mut task = waiter(&mutex, &condvar, &log, 'a');
        task.waits();
        let held = mutex.try_lock().unwrap();
        let mut next = Task::new(async { mutex.lock().await.map(drop) });
        task.cancel();
        task.waits();
        task.waits();
        next.waits();
        assert_eq!(condvar.statistics().waiting, 0);
        condvar.notify_one(); // Too late: there is nobody.
        if is_dropped {
            task.abort();
            drop(held);
        } else {
            drop(held);
            assert!(!next.is_woken());
            assert_eq!(task.ends(), Err(Cancelled));
            assert_eq!(log.take(), "a");
        }
        assert_eq!(next.ends(), Ok(()));
        assert!(!mutex.is_locked());
    }
}

#[test]
fn a_cancelled_task_keeps_the_lock_and_waits_for_nothing() {
    for is_conditional in [false, true] {
        let (mutex, condvar) = (Mutex::new(0), Condvar::new());
        let gate = Cell::new(false);
        let mut task = Task::new(async {
            let guard = mutex.lock().await.unwrap();
            std::future::poll_fn(|_| {
                if gate.get() {
                    std::task::Poll::Ready(())
                } else {
                    std::task::Poll::Pending
                }
            })
            .await;
            if is_conditional {
                // The condition is not even asked.
                condvar.wait_while(guard, |_| unreachable!()).await
            } else {
                condvar.wait(guard).await
            }
        });
        task.waits();
        let mut next = Task::new(async { mutex.lock().await.map(drop) });
        next.waits();
        gate.set(true);
        task.cancel();
        let (guard, outcome) = task.ends();
        assert_eq!(outcome, Err(Cancelled));
        assert!(!next.is_woken(), "the mutex was not given up");
        drop(guard);
        assert_eq!(next.ends(), Ok(()));
    }
}

#[test]
fn each_wait_locks_its_own_mutex() {
    let (one, other, condvar) = (Mutex::new(1), Mutex::new(2), Condvar::new());
    let wait = |mutex| {
        let condvar = &condvar;
        Task::new(async move {
            let guard = Mutex::lock(mutex).await.unwrap();
            let (mut guard, outcome) = condvar.wait(guard).await;
            *guard += 10;
            outcome
        })
    };
    let mut tasks = [wait(&one), wait(&other)];
    tasks.iter_mut().for_each(Task::waits);
    let held = one.try_lock().unwrap();
    condvar.notify_all();
    tasks[0].waits();
    assert_eq!(tasks[1].ends(), Ok(()));
    drop(held);
    assert_eq!(tasks[0].ends(), Ok(()));
    drop(tasks);
    assert_eq!((one.into_inner(), other.into_inner()), (11, 12));
}

#[test]
fn condition_is_asked_first_and_after_every_notice() {
    let (mutex, condvar, asked) = (Mutex::new(0), Condvar::new(), Cell::new(0));
    let set = |value| *mutex.try_lock().unwrap() = value;
    let new = || {
        Task::new(async {
            let guard = mutex.lock().await?;
            let low = |value: &mut u32| {
                asked.set(asked.get() + 1);
                *value < 2
            };
            let (guard, outcome) = condvar.wait_while(guard, low).await;
            assert!(outcome.is_err() || *guard == 2);
            outcome
        })
    };
    let mut task = new();
    task.waits();
    for round in 1..3 {
        assert_eq!(asked.get(), round);
        assert!(!mutex.is_locked());
        condvar.notify_one();
        set(1);
        task.waits();
    }
    set(2);
    task.waits();
    assert_eq!(asked.get(), 3, "nobody has notified it");
    condvar.notify_one();
    assert_eq!(task.ends(), Ok(()));
    assert_eq!(new().ends_at_once(), Ok(()), "it need not wait");

    // Notified and then cancelled: what counts is the condition.
    for (value, expected) in [(2, Ok(())), (1, Err(Cancelled))] {
        set(0);
        let mut task = new();
        task.waits();
        set(value);
        condvar.notify_one();
        task.cancel();
        assert_eq!(task.ends(), expected);
        assert_eq!(condvar.statistics().waiting, 0);
        assert!(!mutex.is_locked());
    }
}

#[test]
fn condition_that_panics_leaves_the_mutex_to_others() {
    let (mutex, condvar) = (Mutex::new(0), Condvar::new());
    let mut task = Task::new(async {
        let guard = mutex.lock().await.unwrap();
        let (_guard, _outcome) = condvar.wait_while(guard, |_| panic!("expected")).await;
    });
    let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| task.waits()));
    assert!(panic.is_err());
    assert!(!mutex.is_locked());
}

#[test]
fn wait_that_was_never_polled_gives_the_mutex_up() {
    let (mutex, condvar) = (Mutex::new(0), Condvar::new());
    let guard: MutexGuard<'_, u32> = mutex.try_lock().unwrap();
    let wait = condvar.wait(guard);
    assert!(mutex.is_locked());
    assert!(format!("{wait:?} {condvar:?}").contains("held"));
    drop(wait);
    assert!(!mutex.is_locked());
}
