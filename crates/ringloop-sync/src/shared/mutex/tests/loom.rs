use std::time::Duration;

use ::loom::cell::UnsafeCell;
use ::loom::sync::Arc;
use ::loom::thread;

use crate::shared::Mutex;
use crate::shared::tests::{Polled, block_on, model};

/// A value, and a cell by which loom notices accesses that overlap.
type Shared = Arc<Mutex<(UnsafeCell<()>, u32)>>;

fn shared() -> Shared {
    Arc::new(Mutex::new((UnsafeCell::new(()), 0)))
}

fn visit(guard: &mut (UnsafeCell<()>, u32)) {
    guard.0.with_mut(|_| ());
    guard.1 += 1;
}

#[test]
fn threads_and_a_task_exclude_each_other() {
    model(|| {
        let mutex = shared();
        let others = [(); 2].map(|()| {
            let mutex = Arc::clone(&mutex);
            thread::spawn(move || visit(&mut mutex.blocking_lock()))
        });
        block_on(async { visit(&mut *mutex.lock().await) });
        for other in others {
            other.join().unwrap();
        }
        assert_eq!(mutex.try_lock().unwrap().1, 3);
    });
}

/// A waiter goes while the lock is handed to it, with another one behind it.
#[test]
fn lock_passes_by_who_is_gone() {
    model(|| {
        let mutex = shared();
        let mut held = mutex.try_lock().unwrap();
        let other = {
            let mutex = Arc::clone(&mutex);
            thread::spawn(move || {
                let mut first = Polled::new(mutex.lock());
                let got = first.poll().is_ready();
                drop(first);
                got
            })
        };
        let last = {
            let mutex = Arc::clone(&mutex);
            thread::spawn(move || visit(&mut mutex.blocking_lock()))
        };
        visit(&mut held);
        drop(held);
        other.join().unwrap();
        last.join().unwrap();
        assert!(!mutex.is_locked());
        assert_eq!(mutex.try_lock().unwrap().1, 2);
    });
}

/// A lock is tried while it is handed over: nobody gets in between.
#[test]
fn nobody_barges_in() {
    model(|| {
        let mutex = shared();
        let held = mutex.try_lock().unwrap();
        let mut waiter = Polled::new(mutex.lock());
        assert!(waiter.poll().is_pending());
        let other = {
            let mutex = Arc::clone(&mutex);
            thread::spawn(move || mutex.try_lock().is_some())
        };
        drop(held);
        assert!(waiter.is_woken());
        assert!(!other.join().unwrap());
        assert!(waiter.poll().is_ready());
    });
}

/// The waker is replaced while the lock is handed over.
#[test]
fn a_waiter_that_moves_is_woken() {
    model(|| {
        let mutex = shared();
        let held = mutex.try_lock().unwrap();
        let other = {
            let mutex = Arc::clone(&mutex);
            thread::spawn(move || {
                let mut lock = Box::pin(mutex.lock());
                let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
                if lock.as_mut().poll(&mut cx).is_pending() {
                    visit(&mut block_on(lock));
                }
            })
        };
        drop(held);
        other.join().unwrap();
        assert!(!mutex.is_locked());
    });
}

/// A thread gives up while the lock is handed to it, with another one behind it.
#[test]
fn who_gives_up_keeps_no_lock() {
    model(|| {
        let mutex = shared();
        let mut held = mutex.try_lock().unwrap();
        let gives_up = {
            let mutex = Arc::clone(&mutex);
            thread::spawn(move || {
                let guard = mutex.blocking_lock_timeout(Duration::ZERO);
                guard.is_some_and(|mut guard| {
                    visit(&mut guard);
                    true
                })
            })
        };
        let stays = {
            let mutex = Arc::clone(&mutex);
            thread::spawn(move || visit(&mut mutex.blocking_lock()))
        };
        visit(&mut held);
        drop(held);
        let visits = 2 + u32::from(gives_up.join().unwrap());
        stays.join().unwrap();
        assert!(!mutex.is_locked());
        assert_eq!(mutex.try_lock().unwrap().1, visits);
    });
}
