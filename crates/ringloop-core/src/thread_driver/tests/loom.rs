use ::loom::cell::UnsafeCell;
use ::loom::sync::Arc;
use ::loom::sync::atomic::{AtomicUsize, Ordering};
use ::loom::thread;

use super::super::ThreadDriver;
use crate::driver::Driver;

/// An unpark before, during or after the check ends the park: loom reports a deadlock otherwise.
#[test]
fn no_unpark_is_lost() {
    ::loom::model(|| {
        let mut driver = ThreadDriver::new();
        let unparker = driver.unparker();
        let done = Arc::new(AtomicUsize::new(0));
        let other = {
            let done = Arc::clone(&done);
            thread::spawn(move || {
                done.store(1, Ordering::Relaxed);
                unparker.unpark();
            })
        };
        driver.park(None).unwrap();
        assert_eq!(done.load(Ordering::Relaxed), 1);
        other.join().unwrap();
    });
}

/// Unparks of two threads may coalesce, but whoever parks until both are done gets there.
#[test]
fn coalesced_unparks_show_what_both_threads_did() {
    let mut model = ::loom::model::Builder::new();
    // With more there are too many interleavings.
    model.preemption_bound = model.preemption_bound.or(Some(3));
    model.check(|| {
        let mut driver = ThreadDriver::new();
        let done = Arc::new(AtomicUsize::new(0));
        let others = [1, 2].map(|step| {
            let unparker = driver.unparker();
            let done = Arc::clone(&done);
            thread::spawn(move || {
                done.fetch_add(step, Ordering::Relaxed);
                unparker.unpark();
            })
        });
        while done.load(Ordering::Relaxed) != 3 {
            driver.park(None).unwrap();
        }
        for other in others {
            other.join().unwrap();
        }
    });
}

/// Unparks are used up by looks as well as by sleeps, and none of them is lost in between.
#[test]
fn no_unpark_is_lost_between_looks_and_sleeps() {
    let mut model = ::loom::model::Builder::new();
    model.preemption_bound = model.preemption_bound.or(Some(3));
    model.check(|| {
        let mut driver = ThreadDriver::new();
        let done = Arc::new(AtomicUsize::new(0));
        let others = [1, 2].map(|step| {
            let unparker = driver.unparker();
            let done = Arc::clone(&done);
            thread::spawn(move || {
                done.fetch_add(step, Ordering::Relaxed);
                unparker.unpark();
            })
        });
        loop {
            driver.park(Some(std::time::Duration::ZERO)).unwrap();
            if done.load(Ordering::Relaxed) == 3 {
                break;
            }
            driver.park(None).unwrap();
        }
        for other in others {
            other.join().unwrap();
        }
    });
}

/// A park shows what was done before the unpark that ended it, without any other ordering.
#[test]
fn a_park_shows_what_came_before_its_unpark() {
    ::loom::model(|| {
        let mut driver = ThreadDriver::new();
        let written = Arc::new(UnsafeCell::new(0));
        let unparker = driver.unparker();
        let other = {
            let written = Arc::clone(&written);
            thread::spawn(move || {
                written.with_mut(|_| ());
                unparker.unpark();
            })
        };
        driver.park(None).unwrap();
        written.with(|_| ());
        other.join().unwrap();
    });
}
