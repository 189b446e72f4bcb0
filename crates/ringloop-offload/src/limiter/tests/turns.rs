//! Slots that come back within a hand-over: loops, not recursion, and nobody waits in vain.

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use super::Shelf;
use crate::contain::catch;
use crate::executor::Executor;
use crate::from_fn::from_fn;
use crate::job::{Job, Phase};
use crate::limiter::Limiter;
use crate::limiter::slot::Slot;
use crate::limiter::state::{Admission, Shared};
use crate::offload::{Offload, offload_on};

thread_local! {
    static DEPTH: Cell<usize> = const { Cell::new(0) };
}

/// Runs `f` and returns how many calls of this function it is inside of.
fn nested(f: impl FnOnce()) -> usize {
    let depth = DEPTH.get() + 1;
    DEPTH.set(depth);
    f();
    DEPTH.set(depth - 1);
    depth
}

const JOBS: usize = 100_000;

#[test]
fn an_executor_that_runs_jobs_inline_does_not_recurse() {
    let depth_max = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&depth_max);
    let inline = from_fn(move |job| {
        seen.fetch_max(nested(|| job.run()), Ordering::Relaxed);
        Ok(())
    });
    let limiter = Limiter::new(0);
    let limited = limiter.over(inline);
    let ran = Arc::new(AtomicUsize::new(0));
    let offloads: Vec<_> = (0..JOBS).map(|_| count(&limited, &ran)).collect();
    limiter.set_limit(1);
    assert_eq!(ran.load(Ordering::Relaxed), JOBS);
    assert_eq!(depth_max.load(Ordering::Relaxed), 1);
    assert_eq!(limiter.stats().in_use, 0);
    drop(offloads);
}

fn count(executor: &impl Executor, ran: &Arc<AtomicUsize>) -> Offload<()> {
    let ran = Arc::clone(ran);
    offload_on(executor, move || {
        ran.fetch_add(1, Ordering::Relaxed);
    })
}

/// Runs the previous job, then keeps the one it is given.
#[derive(Default)]
struct Late(Mutex<Option<Job>>);

impl Executor for Late {
    fn execute(&self, job: Job) -> Result<(), Job> {
        let previous = self.0.lock().unwrap().replace(job);
        if let Some(previous) = previous {
            assert!(nested(|| previous.run()) <= 32);
        }
        Ok(())
    }
}

#[test]
fn an_executor_that_runs_another_job_inline_has_bounded_depth() {
    let limiter = Limiter::new(0);
    let late = Arc::new(Late::default());
    let limited = limiter.over(Arc::clone(&late));
    let ran = Arc::new(AtomicUsize::new(0));
    let offloads: Vec<_> = (0..JOBS).map(|_| count(&limited, &ran)).collect();
    limiter.set_limit(2);
    assert_eq!(ran.load(Ordering::Relaxed), JOBS - 1);
    let last = late.0.lock().unwrap().take().unwrap();
    last.run();
    assert_eq!(limiter.stats().in_use, 0);
    drop(offloads);
}

#[test]
fn a_slot_that_comes_back_within_a_job_is_passed_on_within_that_job() {
    // The outer job runs inside of `execute`, gets a job forwarded, and sees it run.
    let shelf = Arc::new(Shelf::default());
    let limiter = Limiter::new(2);
    let (limited, on_shelf) = (
        limiter.over(from_fn(|job: Job| {
            job.run();
            Ok(())
        })),
        limiter.over(Arc::clone(&shelf)),
    );
    let outer = {
        let (limited, shelf, limiter) = (limited.clone(), Arc::clone(&shelf), limiter.clone());
        offload_on(&limited, move || {
            let first = offload_on(&on_shelf, || ());
            let second = offload_on(&on_shelf, || ());
            assert_eq!((shelf.len(), limiter.stats().waiting), (1, 1));
            shelf.take().unwrap().run();
            assert_eq!((shelf.len(), limiter.stats().waiting), (1, 0));
            shelf.take().unwrap().run();
            drop((first, second));
        })
    };
    assert!(!outer.is_queued() && !outer.is_running());
    assert_eq!(limiter.stats().granted, 3);
    assert_eq!(limiter.stats().in_use, 0);
}

#[test]
fn a_job_under_two_limiters_gives_both_slots_back() {
    let shelf = Arc::new(Shelf::default());
    let (inner, outer) = (Limiter::new(1), Limiter::new(2));
    let limited = outer.over(inner.over(Arc::clone(&shelf)));
    for end in [Job::run, drop] {
        let offloads: Vec<_> = (0..4).map(|_| offload_on(&limited, || ())).collect();
        assert_eq!((outer.stats().in_use, outer.stats().waiting), (2, 2));
        assert_eq!((inner.stats().in_use, inner.stats().waiting), (1, 1));
        for _ in 0..4 {
            assert_eq!(shelf.len(), 1);
            end(shelf.take().unwrap());
        }
        assert_eq!((outer.stats().in_use, inner.stats().in_use), (0, 0));
        drop(offloads);
    }
}

#[test]
fn a_job_that_is_refused_behind_two_limiters_holds_no_slot() {
    let (inner, outer) = (Limiter::new(1), Limiter::new(1));
    let limited = outer.over(inner.over(from_fn(Err)));
    let (job, _waiter) = Job::new(None, || ());
    let mut job = limited.execute(job).unwrap_err();
    assert!(job.replace_slot(None).is_none());
    assert_eq!((outer.stats().in_use, inner.stats().in_use), (0, 0));
}

#[test]
fn an_executor_that_gives_another_job_back_takes_no_slot_from_it() {
    let kept = Mutex::new(None);
    let swap = from_fn(move |job: Job| match kept.lock().unwrap().replace(job) {
        Some(other) => Err(other),
        None => Ok(()),
    });
    let limiter = Limiter::new(2);
    let limited = limiter.over(swap);
    let (first, first_waiter) = Job::new(None, || ());
    let (second, second_waiter) = Job::new(None, || ());
    assert!(limited.execute(first).is_ok());
    assert_eq!(limiter.stats().in_use, 1);
    let first = limited.execute(second).unwrap_err();
    // Each has its own, until it ends.
    assert_eq!(limiter.stats().in_use, 2);
    assert_eq!(first_waiter.phase(), Phase::Queued);
    first.run();
    assert_eq!(limiter.stats().in_use, 1);
    assert_eq!(second_waiter.phase(), Phase::Queued);
    drop(limited);
    assert_eq!(second_waiter.phase(), Phase::Ended);
    assert_eq!(limiter.stats().in_use, 0);
}

#[test]
fn an_executor_that_panics_costs_the_job_and_no_slot() {
    let calls = AtomicUsize::new(0);
    let shaky = from_fn(
        move |job: Job| match calls.fetch_add(1, Ordering::Relaxed) {
            1 => panic!("the second call"),
            _ => {
                job.run();
                Ok(())
            }
        },
    );
    let limiter = Limiter::new(0);
    let limited = limiter.over(shaky);
    let ran = Arc::new(AtomicUsize::new(0));
    let offloads: Vec<_> = (0..3).map(|_| count(&limited, &ran)).collect();
    limiter.set_limit(1);
    assert_eq!(ran.load(Ordering::Relaxed), 2);
    assert_eq!((limiter.stats().in_use, limiter.stats().granted), (0, 3));
    drop(offloads);

    // Let through at once, the caller hears of it as if there were no limiter.
    let limited = limiter.over(from_fn(|_job| panic!("the first call")));
    let payload = catch(|| offload_on(&limited, || ())).unwrap_err();
    assert_eq!(payload.downcast_ref(), Some(&"the first call"));
    assert_eq!(limiter.stats().in_use, 0);
}

#[test]
fn only_a_job_that_holds_a_slot_may_run_one_that_waits() {
    let shelf = Arc::new(Shelf::default());
    let (limiter, other) = (Limiter::new(1), Limiter::new(1));
    let (limited, otherwise) = (
        limiter.over(Arc::clone(&shelf)),
        other.over(Arc::clone(&shelf)),
    );
    let may_run_here = |executor: &dyn Executor| {
        let busy = offload_on(&limited, || ());
        let inside = limited.clone();
        let asks = offload_on(executor, move || {
            let waits = offload_on(&inside, || ());
            (waits.is_queued(), waits.waiter().may_run_here())
        });
        let jobs = [
            shelf.take().unwrap(),
            shelf.take().unwrap_or_else(|| Job::new(None, || ()).0),
        ];
        // Busy ends last, unless it is what `asks` waits for.
        let [first, second] = jobs;
        second.run();
        first.run();
        while let Some(job) = shelf.take() {
            job.run();
        }
        drop(busy);
        asks.wait().unwrap()
    };
    assert_eq!(may_run_here(&shelf), (true, false));
    assert_eq!(may_run_here(&otherwise), (true, false));
    assert_eq!(may_run_here(&limited), (true, true));
    assert_eq!(may_run_here(&other.over(limited.clone())), (true, true));
    assert_eq!(may_run_here(&limiter.over(otherwise.clone())), (true, true));
}

#[test]
fn a_job_that_is_cancelled_between_its_grant_and_its_slot_gives_the_slot_back() {
    let shared = Arc::new(Shared::new(0));
    let shelf = Arc::new(Shelf::default());
    let (job, waiter) = Job::new(None, || ());
    let to_shelf = Arc::clone(&shelf);
    let admission = shared.admit(job, move || to_shelf);
    assert!(matches!(
        admission,
        Admission::Queued { is_free: false, .. }
    ));
    shared.set_limit(1);
    let waiting = shared.grant().waiting().expect("it is the first");
    assert!(waiter.cancel(None));
    assert_eq!(shared.stats().in_use, 1);
    Slot::taken(&shared).forward_waiting(waiting);
    assert_eq!((shared.stats().in_use, shelf.len()), (0, 1));
}
