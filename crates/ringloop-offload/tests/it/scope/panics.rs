//! Panics in a scope: whose they are, and who drops what nobody gets.

use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::sync::atomic::{AtomicUsize, Ordering};

use ringloop_offload::{Job, from_fn, scope};

use crate::support::Drops;

use super::{Any, ExecutorDoes};

#[test]
fn the_first_panic_is_the_one_that_is_resumed() {
    let ended = catch_unwind(|| {
        scope(&Any::new(ExecutorDoes::Refuse), |s| {
            for number in 0..3 {
                s.spawn(move || panic_any(number));
            }
        });
    });
    assert_eq!(ended.unwrap_err().downcast_ref(), Some(&0));
}

/// Panics when it is dropped.
struct Bomb(&'static str);

impl Drop for Bomb {
    fn drop(&mut self) {
        panic_any(self.0);
    }
}

#[test]
fn destructors_that_panic_are_panics_of_their_closures() {
    for does in [ExecutorDoes::Run, ExecutorDoes::Refuse] {
        let others = AtomicUsize::new(0);
        let ended = catch_unwind(AssertUnwindSafe(|| {
            scope(&Any::new(does), |s| {
                s.spawn(|| Bomb("a result"));
                for _ in 0..10 {
                    s.spawn(|| others.fetch_add(1, Ordering::Relaxed));
                }
            });
        }));
        assert_eq!(ended.unwrap_err().downcast_ref(), Some(&"a result"));
        assert_eq!(others.into_inner(), 10);
    }
}

#[test]
fn a_value_and_payloads_that_nobody_gets_are_dropped() {
    let drops = Drops::default();
    let ended = catch_unwind(AssertUnwindSafe(|| {
        scope(&Any::new(ExecutorDoes::Refuse), |s| {
            s.spawn(|| panic_any("first"));
            s.spawn(|| panic_any(drops.probe()));
            drops.probe()
        })
    }));
    assert_eq!(ended.err().unwrap().downcast_ref(), Some(&"first"));
    assert_eq!(drops.count(), 2);
}

#[test]
fn a_result_that_panics_when_its_handle_is_dropped_is_a_panic_of_the_scope() {
    struct Fuse;

    impl Drop for Fuse {
        fn drop(&mut self) {
            panic_any(58);
        }
    }

    // It has run when `spawn` returns, so nobody else has a hold of the result.
    let inline = from_fn(|job: Job| {
        job.run();
        Ok(())
    });
    let spawn_and_drop = || scope(&inline, |s| drop(s.spawn(|| Fuse)));
    let payload = catch_unwind(AssertUnwindSafe(spawn_and_drop)).unwrap_err();
    assert_eq!(payload.downcast_ref(), Some(&58));
}
