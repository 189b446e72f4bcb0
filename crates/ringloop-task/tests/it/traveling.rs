//! Task locals that leave the loop's thread with the work that does.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;

use ringloop_core::ThreadDriver;
use ringloop_task::cancel::CancelToken;
use ringloop_task::local::{Context, Traveling};
use ringloop_task::{Scheduler, task, task_local};

use crate::driver::run;

task_local! {
    traveling static REQUEST: u64 = 0;
    static STAYS: u64 = 0;
    /// Without an initial value.
    pub(crate) traveling static USER: String;
    /// Counts where it is.
    traveling static COUNT: AtomicU32 = AtomicU32::new(10);
    traveling static VALUE: Noting;
    traveling static LAST: Option<Noisy> = None
}

/// Notes on which thread it is dropped.
struct Noting(Arc<Mutex<Vec<thread::ThreadId>>>);

impl Drop for Noting {
    fn drop(&mut self) {
        self.0.lock().unwrap().push(thread::current().id());
    }
}

struct Noisy;

impl Drop for Noisy {
    fn drop(&mut self) {
        std::panic::panic_any("in drop");
    }
}

/// Runs `f` on a thread of its own with the values of the code that runs.
fn elsewhere<T: Send + 'static>(f: impl FnOnce() -> T + Send + 'static) -> T {
    let mut traveling = Traveling::capture();
    let thread = thread::spawn(move || traveling.run(f));
    thread.join().unwrap()
}

#[test]
fn marked_values_are_there_and_others_are_not() {
    run(async {
        REQUEST.set(7);
        STAYS.set(7);
        USER.set("ada".into());
        elsewhere(|| {
            assert_eq!(REQUEST.get(), 7);
            assert_eq!(REQUEST.with(|request| *request), 7);
            assert!(USER.with(|user| user == "ada"));
            let error = STAYS.try_with(|_| ()).unwrap_err();
            assert!(error.to_string().contains("`traveling`"), "{error}");
        });
        // Whatever the others set meanwhile, and at whichever moment it runs.
        let mut then = Traveling::capture();
        REQUEST.set(8);
        let found = thread::spawn(move || then.run(|| REQUEST.get()));
        assert_eq!(found.join().unwrap(), 7);
        assert_eq!(elsewhere(|| REQUEST.get()), 8);
    });
}

#[test]
fn the_values_are_those_of_the_code_that_captures() {
    run(async {
        REQUEST.set(1);
        let inner = REQUEST.scope(2, async { elsewhere(|| REQUEST.get()) });
        assert_eq!(inner.await, 2);
        assert_eq!(REQUEST.sync_scope(3, || elsewhere(|| REQUEST.get())), 3);
        let child = task::spawn(async { elsewhere(|| REQUEST.get()) });
        assert_eq!(child.await.unwrap(), 1);
        assert_eq!(Context::new().run(|| elsewhere(|| REQUEST.get())), 0);
    });
}

#[test]
fn what_is_set_over_there_stays_there() {
    run(async {
        REQUEST.set(1);
        let mut traveling = Traveling::capture();
        let mut traveling = thread::spawn(move || {
            traveling.run(|| {
                REQUEST.set(2);
                USER.set("grace".into());
                // The next thread has them, too.
                assert_eq!(
                    elsewhere(|| (REQUEST.get(), USER.get())),
                    (2, "grace".into())
                );
                assert_eq!(REQUEST.sync_scope(3, || elsewhere(|| REQUEST.get())), 3);
                assert_eq!(REQUEST.get(), 2);
            });
            assert!(REQUEST.try_with(|_| ()).is_err(), "the run is over");
            traveling
        })
        .join()
        .unwrap();
        assert_eq!(REQUEST.get(), 1);
        assert!(USER.try_with(|_| ()).is_err());
        assert_eq!(traveling.run(|| REQUEST.get()), 2, "kept in there");
    });
}

#[test]
fn initial_values_are_made_once_for_each_run() {
    run(async {
        let count = || COUNT.with(|count| count.fetch_add(1, Ordering::Relaxed));
        let mut traveling = Traveling::capture();
        let found = thread::spawn(move || {
            let first = traveling.run(|| (count(), count()));
            (first, Traveling::default().run(count))
        });
        assert_eq!(found.join().unwrap(), ((10, 11), 10));
        let unset = elsewhere(|| USER.try_with(|_| ()).unwrap_err());
        assert!(unset.to_string().contains("was not set"));
        // A value that is there is shared, not copied.
        COUNT.with(|count| count.store(0, Ordering::Relaxed));
        elsewhere(count);
        assert_eq!(COUNT.with(|count| count.load(Ordering::Relaxed)), 1);
    });
}

#[test]
fn without_marked_values_there_is_nothing_to_carry() {
    assert!(Traveling::capture().is_empty());
    run(async {
        STAYS.set(1);
        assert!(Traveling::capture().is_empty());
        REQUEST.set(1);
        assert!(!Traveling::capture().is_empty());
    });
}

#[test]
fn outside_of_runs_and_loops_there_is_no_place_for_values() {
    assert!(REQUEST.try_with(|_| ()).is_err());
    catch_unwind(|| REQUEST.set(1)).unwrap_err();
    let refused = catch_unwind(|| STAYS.sync_scope(1, || ())).unwrap_err();
    let message = refused.downcast_ref::<String>().unwrap();
    assert!(message.contains("running loop"), "{message}");
    // But a scope is a place.
    assert_eq!(REQUEST.sync_scope(1, || elsewhere(|| REQUEST.get())), 1);
    assert!(REQUEST.try_with(|_| ()).is_err());
}

#[test]
fn runs_nest_and_panics_end_them() {
    let (mut outer, mut inner) = (Traveling::default(), Traveling::default());
    inner.run(|| REQUEST.set(2));
    outer.run(|| {
        REQUEST.set(1);
        assert_eq!(inner.run(|| REQUEST.get()), 2);
        assert_eq!(REQUEST.get(), 1);
        let panicked = catch_unwind(AssertUnwindSafe(|| inner.run(|| panic!("out"))));
        panicked.map(|(): ()| ()).unwrap_err();
        assert_eq!(REQUEST.get(), 1);
    });
    let panicked = catch_unwind(AssertUnwindSafe(|| outer.run(|| panic!("out"))));
    panicked.map(|(): ()| ()).unwrap_err();
    assert!(REQUEST.try_with(|_| ()).is_err());
    assert_eq!(
        (outer.run(|| REQUEST.get()), inner.run(|| REQUEST.get())),
        (1, 2)
    );
}

/// An executor that runs work in another task of a loop.
#[test]
fn in_a_loop_they_take_the_place_of_those_that_are_there() {
    run(async {
        REQUEST.set(1);
        let mut traveling = Traveling::capture();
        let child = task::spawn(async move {
            REQUEST.set(5);
            STAYS.set(5);
            USER.set("child".into());
            let found = traveling.run(|| {
                let found = (REQUEST.get(), STAYS.get(), USER.try_with(|_| ()).is_err());
                REQUEST.set(6);
                STAYS.set(6);
                found
            });
            assert_eq!(found, (1, 5, true));
            assert_eq!((REQUEST.get(), STAYS.get()), (5, 5));
            assert!(USER.with(|user| user == "child"));
            traveling
        });
        let mut traveling = child.await.unwrap();
        assert_eq!(elsewhere(move || traveling.run(|| REQUEST.get())), 6);
    });
}

#[test]
fn a_loop_in_a_run_has_its_own() {
    REQUEST.sync_scope(1, || {
        run(async {
            assert_eq!(REQUEST.get(), 0);
            REQUEST.set(2);
        });
        assert_eq!(REQUEST.get(), 1);
    });
}

/// Ways into a loop × whether the caller has values.
#[test]
fn a_remote_brings_them_along() {
    for request in [0, 9] {
        let mut scheduler = Scheduler::new(ThreadDriver::new());
        let remote = scheduler.remote();
        let done = CancelToken::new();
        let finish = done.clone();
        scheduler.enter(|| STAYS.set(3));
        let work = move || {
            let (sender, called) = mpsc::channel();
            remote
                .call_soon(move || sender.send((REQUEST.get(), STAYS.get())).unwrap())
                .unwrap();
            let see = || async {
                task::yield_now().await.unwrap();
                let child = task::spawn(async { REQUEST.get() });
                (child.await.unwrap(), STAYS.get())
            };
            let spawned = remote.spawn(see).unwrap();
            let found = [
                called.recv().unwrap(),
                spawned.wait().unwrap(),
                remote.block_on(see).unwrap(),
            ];
            assert_eq!(found, [(request, 3); 3]);
            finish.cancel("done");
        };
        let thread = thread::spawn(move || match request {
            0 => work(),
            request => REQUEST.sync_scope(request, work),
        });
        scheduler.block_on(done.cancelled()).unwrap();
        thread.join().unwrap();
        scheduler.enter(|| assert_eq!(REQUEST.get(), 0, "they leave nothing behind"));
    }
}

/// Who has the value last × where it is dropped.
#[test]
fn a_value_goes_with_whoever_has_it_last() {
    for is_kept in [true, false] {
        let log = Arc::new(Mutex::new(Vec::new()));
        let value = Noting(Arc::clone(&log));
        let home = thread::current().id();
        let last = run(async move {
            VALUE.set(value);
            let mut traveling = Traveling::capture();
            if is_kept {
                elsewhere(|| ());
                traveling = Traveling::default();
            }
            traveling
        });
        let thread = thread::spawn(move || drop(last));
        let other = thread.thread().id();
        thread.join().unwrap();
        let expected = if is_kept { home } else { other };
        assert_eq!(*log.lock().unwrap(), [expected]);
    }
}

#[test]
fn a_panic_in_the_drop_of_a_value_is_reported_at_home() {
    let mut scheduler = Scheduler::new(ThreadDriver::new());
    scheduler.block_on(async {
        let child = task::spawn(async { LAST.set(Some(Noisy)) });
        child.await.unwrap();
    });
    assert_eq!(scheduler.stats().unhandled, 1);
}

#[test]
fn traveling_values_may_go_anywhere() {
    fn both<T: Send + Sync>() {}
    both::<Traveling>();
    let cell = Cell::new(false);
    Traveling::default().run(|| cell.set(true));
    assert!(cell.get(), "what runs may borrow");
}
