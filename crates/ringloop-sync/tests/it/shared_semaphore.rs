//! The semaphore between threads: order, many at once, and permits whose new owner is gone.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use ringloop_sync::shared::{self, hosted};

use crate::support::{Log, Task, assert_send, assert_send_sync, is_long};
use crate::test_host::{Cancelled, TestHost};

type Semaphore = hosted::Semaphore<TestHost>;

#[test]
fn permits_go_to_those_who_wait_in_order() {
    let semaphore = Semaphore::new(2);
    let log = Log::default();
    let visit = |(name, permits)| {
        let (semaphore, log) = (&semaphore, log.clone());
        Task::new(async move {
            let permit = semaphore.acquire_many(permits).await.unwrap();
            log.note(name);
            permit.forget();
        })
    };
    let held = semaphore.try_acquire_many(2).unwrap();
    let mut tasks = [("one", 1), ("three", 3), ("two", 2), ("last", 1)].map(visit);
    tasks.iter_mut().for_each(Task::waits);
    assert_eq!(semaphore.statistics().waiting, 4);
    drop(held);
    tasks[0].ends();
    assert_eq!(semaphore.available(), 1);
    assert!(semaphore.try_acquire().is_none(), "nobody barges in");
    assert_eq!(semaphore.try_acquire_many(0).unwrap().num_permits(), 0);
    assert!(tasks[1..].iter().all(|task| !task.is_woken()));
    semaphore.add_permits(4);
    tasks[1].ends();
    tasks[2].ends();
    assert!(!tasks[3].is_woken());
    semaphore.add_permits(2);
    tasks[3].ends();
    assert_eq!(log.take(), "one three two last");
    assert_eq!(semaphore.available(), 1);
    assert!(semaphore.try_acquire().is_some());
}

#[test]
fn permits_pass_by_who_is_cancelled_or_gone() {
    for is_cancelled in [true, false] {
        for is_given in [true, false] {
            for wanted in [1, 2] {
                let semaphore = Semaphore::new(wanted);
                let mut held = semaphore.try_acquire_many(wanted);
                let mut first = Task::new(async { semaphore.acquire_many(wanted).await.map(drop) });
                let mut second = Task::new(async { semaphore.acquire().await.map(drop) });
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
                assert_eq!(semaphore.available(), wanted);
                assert_eq!(semaphore.statistics().waiting, 0);
            }
        }
    }
}

/// Whoever wants more than there is holds back those behind, until it goes.
#[test]
fn who_goes_holds_nobody_back() {
    for is_cancelled in [true, false] {
        let semaphore = Semaphore::new(1);
        let mut wants_two = Task::new(async { semaphore.acquire_many(2).await.map(drop) });
        let mut wants_one = Task::new(async { semaphore.acquire().await.map(drop) });
        wants_two.waits();
        wants_one.waits();
        if is_cancelled {
            wants_two.cancel();
            assert_eq!(wants_two.ends(), Err(Cancelled));
        } else {
            wants_two.abort();
        }
        assert_eq!(wants_one.ends(), Ok(()));
        assert!(semaphore.try_acquire().is_some(), "nobody waits");
    }
}

#[test]
fn a_cancelled_task_takes_nothing() {
    let semaphore = Semaphore::new(1);
    let mut task = Task::new(async { semaphore.acquire().await.map(drop) });
    task.cancel();
    assert_eq!(task.ends(), Err(Cancelled));
    assert_eq!(semaphore.available(), 1);
}

#[test]
fn owned_permits_keep_their_semaphore() {
    let semaphore = Arc::new(shared::Semaphore::new(3));
    let mut permit = Task::new(Arc::clone(&semaphore).acquire_many_owned(2)).ends_at_once();
    assert_eq!((permit.num_permits(), semaphore.available()), (2, 1));
    let other = permit.split(1).unwrap();
    assert!(permit.split(2).is_none());
    assert_eq!(permit.num_permits(), 1);
    permit.merge(other);
    assert_eq!(permit.num_permits(), 2);
    assert!(Arc::ptr_eq(permit.semaphore(), &semaphore));
    assert_send_sync(&permit);

    let mut waits = Task::new(Arc::clone(&semaphore).acquire_many_owned(3));
    waits.waits();
    assert!(Arc::clone(&semaphore).try_acquire_owned().is_none());
    thread::spawn(move || drop(permit)).join().unwrap();
    waits.abort();
    assert_eq!(semaphore.available(), 3, "it is passed on");
    Arc::clone(&semaphore).try_acquire_owned().unwrap().forget();
    assert_eq!(semaphore.available(), 2);
    assert_eq!(Arc::strong_count(&semaphore), 1);
}

#[test]
fn permits_are_split_and_merged() {
    let semaphore = shared::Semaphore::new(5);
    let mut permit = semaphore.blocking_acquire_many(4);
    assert_send_sync(&permit);
    let other = permit.split(3).unwrap();
    assert!(permit.split(2).is_none());
    drop(other);
    assert_eq!(semaphore.available(), 4);
    permit.merge(semaphore.try_acquire().unwrap());
    assert_eq!((permit.num_permits(), semaphore.available()), (2, 3));
    assert!(format!("{permit:?}").contains("permits: 2"));
    assert!(format!("{semaphore:?}").contains("available: 3"));
    assert_send_sync(&semaphore);
    assert_send(&semaphore.acquire());
}

#[test]
#[should_panic(expected = "permits of one semaphore are merged")]
fn permits_of_two_semaphores_do_not_merge() {
    let (first, second) = (shared::Semaphore::new(1), shared::Semaphore::new(1));
    first.blocking_acquire().merge(second.blocking_acquire());
}

#[test]
fn too_many_permits_are_refused() {
    const MAX: usize = usize::MAX / 2;
    for is_awaited in [true, false] {
        let semaphore = Semaphore::new(if is_awaited { 0 } else { 1 });
        let mut waits = Task::new(semaphore.acquire_many(MAX));
        if is_awaited {
            waits.waits();
            semaphore.add_permits(1);
        }
        let add = || semaphore.add_permits(MAX);
        let refused = std::panic::catch_unwind(std::panic::AssertUnwindSafe(add));
        assert!(refused.is_err());
        assert_eq!(semaphore.available(), 1, "nothing has changed");
        assert!(!waits.is_woken());
        semaphore.add_permits(MAX - 1);
        assert_eq!(waits.is_woken(), is_awaited);
    }
}

#[test]
fn timeouts_give_up_the_place() {
    let semaphore = Semaphore::new(1);
    for timeout in [Duration::ZERO, Duration::from_millis(1)] {
        let held = semaphore.blocking_acquire_timeout(timeout);
        assert!(held.is_some(), "one is there");
        assert!(semaphore.blocking_acquire_timeout(timeout).is_none());
        assert!(
            semaphore
                .blocking_acquire_many_timeout(2, timeout)
                .is_none()
        );
        assert_eq!(semaphore.statistics().waiting, 0);
    }
    assert!(semaphore.blocking_acquire_timeout(Duration::MAX).is_some());
}

#[test]
fn many_threads_keep_to_the_number() {
    let rounds = if is_long() { 100_000 } else { 1_000 };
    let semaphore = shared::Semaphore::new(3);
    let held = AtomicUsize::new(0);
    thread::scope(|scope| {
        for name in 0..4 {
            let (semaphore, held) = (&semaphore, &held);
            scope.spawn(move || {
                for round in 0..rounds {
                    let wanted = 1 + (round + name) % 3;
                    // Comes and goes.
                    drop(semaphore.blocking_acquire_many_timeout(wanted, Duration::ZERO));
                    let permit = semaphore.blocking_acquire_many(wanted);
                    assert!(held.fetch_add(wanted, Ordering::Relaxed) + wanted <= 3);
                    held.fetch_sub(wanted, Ordering::Relaxed);
                    drop(permit);
                }
            });
        }
    });
    assert_eq!(semaphore.available(), 3);
}
