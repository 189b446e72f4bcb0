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
