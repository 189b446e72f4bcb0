//! Every order of what the executor and the waiter may do, times what the closure may do.

#[cfg(loom)]
mod loom;
mod stages;

use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use crate::executor::Executor;
use crate::interrupt::Interrupt;
use crate::offload::{Offload, offload_on};

use super::*;

#[derive(Clone, Copy, Debug, PartialEq)]
enum ExecutorDoes {
    Run,
    Drop,
    RunElsewhere,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum WaiterDoes {
    Wait,
    Cancel,
    CancelTwice,
    Drop,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum When {
    BeforeExecutor,
    WhileRunning,
    AfterExecutor,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum ClosureDoes {
    Return,
    Panic,
}

#[derive(Debug, PartialEq)]
enum Ending {
    Value,
    Panicked,
    Cancelled,
    Rejected,
    /// Nobody is there to see it.
    Unseen,
}

/// Keeps jobs until the test does something with them.
#[derive(Default)]
struct Shelf(Mutex<Vec<Job>>);

impl Executor for Shelf {
    fn execute(&self, job: Job) -> Result<(), Job> {
        self.0.lock().unwrap().push(job);
        Ok(())
    }
}

struct CountDrops(Arc<AtomicUsize>);

impl Drop for CountDrops {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// The waiter's end, within reach of the closure: it acts while the job runs.
type Seat = Arc<Mutex<Option<Offload<CountDrops>>>>;

fn act(seat: &Seat, does: WaiterDoes) -> Option<bool> {
    match does {
        WaiterDoes::Wait => None,
        WaiterDoes::Cancel => Some(seat.lock().unwrap().as_ref().unwrap().cancel()),
        WaiterDoes::CancelTwice => {
            let first = act(seat, WaiterDoes::Cancel);
            assert_eq!(
                act(seat, WaiterDoes::Cancel),
                Some(false),
                "it is cancelled only once"
            );
            first
        }
        WaiterDoes::Drop => {
            let offload = seat.lock().unwrap().take();
            drop(offload);
            None
        }
    }
}

fn end(seat: &Seat) -> Ending {
    let Some(mut offload) = seat.lock().unwrap().take() else {
        return Ending::Unseen;
    };
    match Pin::new(&mut offload).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Pending => panic!("the waiter hangs"),
        Poll::Ready(Ok(_value)) => Ending::Value,
        Poll::Ready(Err(error)) if error.is_cancelled() => Ending::Cancelled,
        Poll::Ready(Err(error)) if error.is_rejected() => Ending::Rejected,
        Poll::Ready(Err(error)) => {
            assert_eq!(error.panic_message(), Some("as told"));
            Ending::Panicked
        }
    }
}

fn check(executor: ExecutorDoes, waiter: WaiterDoes, when: When, closure: ClosureDoes) {
    let case = format!("{executor:?}, {waiter:?} {when:?}, {closure:?}");
    let captured = Arc::new(AtomicUsize::new(0));
    let results = Arc::new(AtomicUsize::new(0));
    let runs = Arc::new(AtomicUsize::new(0));
    let seat = Seat::default();
    let shelf = Shelf::default();

    let offload = offload_on(&shelf, {
        let captured = CountDrops(Arc::clone(&captured));
        let (results, runs, seat) = (Arc::clone(&results), Arc::clone(&runs), Arc::clone(&seat));
        move || {
            let _captured = captured;
            runs.fetch_add(1, Ordering::Relaxed);
            assert!(!Interrupt::current().is_requested());
            if when == When::WhileRunning {
                assert!(seat.lock().unwrap().as_ref().unwrap().is_running());
                assert_ne!(
                    act(&seat, waiter),
                    Some(true),
                    "a running job cannot be cancelled"
                );
            }
            let asked = when == When::WhileRunning && waiter != WaiterDoes::Wait;
            assert_eq!(Interrupt::current().is_requested(), asked);
            assert!(closure == ClosureDoes::Return, "as told");
            CountDrops(results)
        }
    });
    assert!(offload.is_queued() && !offload.is_running());
    *seat.lock().unwrap() = Some(offload);

    let withdrawn = when == When::BeforeExecutor && waiter != WaiterDoes::Wait;
    if when == When::BeforeExecutor {
        assert_ne!(act(&seat, waiter), Some(false), "{case}");
        // What is withdrawn is gone at once, not when the executor comes across the job.
        assert_eq!(
            captured.load(Ordering::Relaxed),
            usize::from(withdrawn),
            "{case}"
        );
    }
    let job = shelf.0.lock().unwrap().pop().unwrap();
    assert_eq!(job.is_cancelled(), withdrawn, "{case}");
    match executor {
        ExecutorDoes::Run => job.run(),
        ExecutorDoes::Drop => drop(job),
        ExecutorDoes::RunElsewhere => std::thread::spawn(move || job.run()).join().unwrap(),
    }
    if when == When::AfterExecutor {
        assert_ne!(act(&seat, waiter), Some(true), "{case}");
    }

    let ran = executor != ExecutorDoes::Drop && !withdrawn;
    let expected = match (waiter, ran, closure) {
        (WaiterDoes::Drop, true, _) => Ending::Unseen,
        (WaiterDoes::Drop, false, _) if when != When::WhileRunning => Ending::Unseen,
        (_, true, ClosureDoes::Return) => Ending::Value,
        (_, true, ClosureDoes::Panic) => Ending::Panicked,
        (_, false, _) if withdrawn => Ending::Cancelled,
        (_, false, _) => Ending::Rejected,
    };
    assert_eq!(end(&seat), expected, "{case}");
    assert_eq!(runs.load(Ordering::Relaxed), usize::from(ran), "{case}");
    assert_eq!(captured.load(Ordering::Relaxed), 1, "{case}");
    let made = ran && closure == ClosureDoes::Return;
    assert_eq!(results.load(Ordering::Relaxed), usize::from(made), "{case}");
    assert!(!Interrupt::current().is_requested(), "{case}");
}

#[test]
fn every_order_of_events_ends_well() {
    for executor in [
        ExecutorDoes::Run,
        ExecutorDoes::Drop,
        ExecutorDoes::RunElsewhere,
    ] {
        for waiter in [
            WaiterDoes::Wait,
            WaiterDoes::Cancel,
            WaiterDoes::CancelTwice,
            WaiterDoes::Drop,
        ] {
            for when in [
                When::BeforeExecutor,
                When::WhileRunning,
                When::AfterExecutor,
            ] {
                for closure in [ClosureDoes::Return, ClosureDoes::Panic] {
                    check(executor, waiter, when, closure);
                }
            }
        }
    }
}

/// What is asked of the allocator for a job: the counts of the `Arc`, and the cell.
#[cfg(all(not(loom), target_pointer_width = "64"))]
fn size_of_job<F: FnOnce() -> T, T>(_closure: &F) -> usize {
    2 * size_of::<usize>() + size_of::<Cell<F, T>>()
}

#[cfg(all(not(loom), target_pointer_width = "64"))]
#[test]
fn a_job_of_a_small_closure_is_small() {
    let three = [1_u64, 2, 3];
    let words = "three words here".to_owned();
    let sizes = [
        size_of_job(&|| ()),
        size_of_job(&move || three.len()),
        size_of_job(&move || three),
        size_of_job(&move || words),
    ];
    assert!(sizes.iter().all(|size| *size <= 120), "{sizes:?}");
}

#[test]
fn a_job_blocks_as_long_as_it_says() {
    let (job, waiter) = Job::new(None, || {
        let own = current().expect("this is a job");
        let awaited = JobId::new(7).expect("not zero");
        let blocked = block_for(awaited);
        assert_eq!(own.head().is_waiting_for(), Some(awaited));
        drop(blocked);
        assert_eq!(own.head().is_waiting_for(), None);
    });
    let Performed::Ran { panicked, .. } = job.perform() else {
        panic!("it has not run");
    };
    assert!(!panicked);
    drop(waiter);
}
