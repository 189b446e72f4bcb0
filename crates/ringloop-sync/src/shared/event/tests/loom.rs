use std::time::Duration;

use ::loom::cell::UnsafeCell;
use ::loom::sync::Arc;
use ::loom::thread;

use crate::shared::Event;
use crate::shared::tests::{Polled, block_on, model};

type Shared = Arc<(Event, UnsafeCell<()>)>;

fn shared() -> Shared {
    Arc::new((Event::new(), UnsafeCell::new(())))
}

/// A thread and a task wait; both go on, and see what was done before.
#[test]
fn a_set_is_seen_by_all() {
    model(|| {
        let shared = shared();
        let waits = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                shared.0.blocking_wait();
                shared.1.with(|_| ());
            })
        };
        let sets = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                shared.1.with_mut(|_| ());
                shared.0.set();
            })
        };
        block_on(shared.0.wait());
        shared.1.with(|_| ());
        waits.join().unwrap();
        sets.join().unwrap();
    });
}

/// A clear takes nothing back from those who waited.
#[test]
fn a_clear_takes_nothing_back() {
    model(|| {
        let shared = shared();
        let mut waits = Polled::new(shared.0.wait());
        assert!(waits.poll().is_pending());
        let clears = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || shared.0.clear())
        };
        shared.0.set();
        assert!(waits.is_woken());
        clears.join().unwrap();
        assert!(waits.poll().is_ready());
    });
}

/// The pattern of a consumer: clear, look, wait. Nothing that was done before a set is missed.
#[test]
fn what_came_before_a_set_is_found_after_a_clear() {
    model(|| {
        let shared = Arc::new((Event::new(), ::loom::sync::atomic::AtomicUsize::new(0)));
        let others = [(); 2].map(|()| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                shared.1.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                shared.0.set();
            })
        });
        loop {
            shared.0.clear();
            if shared.1.load(std::sync::atomic::Ordering::Relaxed) == 2 {
                break;
            }
            shared.0.blocking_wait();
        }
        for other in others {
            other.join().unwrap();
        }
    });
}

/// A waiter goes while the event is set, another one stays.
#[test]
fn who_goes_keeps_nobody() {
    model(|| {
        let shared = shared();
        let goes = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || Polled::new(shared.0.wait()).poll().is_ready())
        };
        let sets = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || shared.0.set())
        };
        shared.0.blocking_wait();
        goes.join().unwrap();
        sets.join().unwrap();
        assert_eq!(shared.0.statistics().waiting, 0);
    });
}

/// A set and a clear pass while one begins to wait and another one gives up: a set before the clear
/// may be missed, one after it is not.
#[test]
fn the_last_set_is_missed_by_nobody() {
    model(|| {
        let shared = shared();
        let gives_up = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                if shared.0.blocking_wait_timeout(Duration::ZERO) {
                    shared.1.with(|_| ());
                }
            })
        };
        let sets = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                shared.1.with_mut(|_| ());
                shared.0.set();
                shared.0.clear();
                shared.0.set();
            })
        };
        shared.0.blocking_wait();
        shared.1.with(|_| ());
        gives_up.join().unwrap();
        sets.join().unwrap();
        assert_eq!(shared.0.statistics().waiting, 0);
    });
}
