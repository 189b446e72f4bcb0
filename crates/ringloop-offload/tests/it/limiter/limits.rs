//! The limit holds while it is changed.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;

use ringloop_offload::{Builder, Executor, Job, Limiter, offload_on};

use crate::support::{Busy, Shelf, block_on};

use super::{setup, wait_unused};

#[test]
fn a_limit_that_grows_lets_jobs_through_at_once() {
    let (limiter, limited) = setup(0);
    let (sender, receiver) = mpsc::channel();
    let offloads: Vec<_> = (0..4)
        .map(|number| {
            let sender = sender.clone();
            offload_on(&limited, move || sender.send(number).unwrap())
        })
        .collect();
    assert!(receiver.try_recv().is_err());
    limiter.set_limit(usize::MAX);
    let mut numbers: Vec<i32> = receiver.iter().take(4).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, [0, 1, 2, 3]);
    drop(offloads);
}

#[test]
fn a_limit_that_shrinks_takes_effect_as_jobs_end() {
    let (limiter, limited) = setup(2);
    let (one, two) = (Busy::start(&limited, || ()), Busy::start(&limited, || ()));
    limiter.set_limit(1);
    let third = offload_on(&limited, || ());
    assert_eq!((limiter.stats().in_use, limiter.stats().waiting), (2, 1));
    one.finish().unwrap();
    while limiter.stats().in_use > 1 {
        thread::yield_now();
    }
    assert!(third.is_queued());
    two.finish().unwrap();
    block_on(third).unwrap();
}

#[test]
fn never_more_than_the_limit_at_once() {
    const LIMIT: usize = 3;
    let (limiter, limited) = setup(LIMIT);
    let (running, running_max) = (Arc::new(AtomicUsize::new(0)), AtomicUsize::new(0));
    let running_max = Arc::new(running_max);
    let ran = Arc::new(AtomicUsize::new(0));
    let cancelled = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..SUBMITTERS {
            scope.spawn(|| {
                let job = |number: usize| {
                    let (running, running_max) = (Arc::clone(&running), Arc::clone(&running_max));
                    let ran = Arc::clone(&ran);
                    offload_on(&limited, move || {
                        let now = running.fetch_add(1, Ordering::SeqCst) + 1;
                        running_max.fetch_max(now, Ordering::SeqCst);
                        if number.is_multiple_of(7) {
                            thread::yield_now();
                        }
                        running.fetch_sub(1, Ordering::SeqCst);
                        ran.fetch_add(1, Ordering::SeqCst);
                    })
                };
                for batch in 0..BATCHES {
                    let offloads: Vec<_> = (0..BATCH).map(job).collect();
                    if batch.is_multiple_of(3) {
                        // Between 1 and the limit: what is let through stays below it.
                        limiter.set_limit(1 + batch % LIMIT);
                    }
                    for (number, offload) in offloads.into_iter().enumerate() {
                        if number.is_multiple_of(5) && offload.cancel() {
                            cancelled.fetch_add(1, Ordering::SeqCst);
                        } else {
                            block_on(offload).unwrap();
                        }
                    }
                }
            });
        }
    });
    wait_unused(&limiter);
    let (ran, cancelled) = (ran.load(Ordering::SeqCst), cancelled.into_inner());
    assert_eq!(ran + cancelled, SUBMITTERS * BATCHES * BATCH);
    assert!(running_max.load(Ordering::SeqCst) <= LIMIT);
    let stats = limiter.stats();
    assert_eq!((stats.in_use, stats.waiting), (0, 0));
    // Those that were cancelled on their way had a slot; those that were cancelled before, none.
    assert!(stats.granted >= ran as u64 && stats.granted <= (ran + cancelled) as u64);
}

const SUBMITTERS: usize = 4;
const BATCHES: usize = 60;
const BATCH: usize = 20;

#[test]
fn a_job_that_comes_while_the_limit_grows_does_not_overtake_those_that_wait() {
    type Hook = Box<dyn FnOnce() + Send>;

    /// Notes who comes, and offloads one more job while the first is forwarded.
    #[derive(Clone, Default)]
    struct Notes {
        names: Arc<Mutex<Vec<String>>>,
        meanwhile: Arc<Mutex<Option<Hook>>>,
        jobs: Arc<Shelf>,
    }

    impl Executor for Notes {
        fn execute(&self, job: Job) -> Result<(), Job> {
            self.names
                .lock()
                .unwrap()
                .extend(job.name().map(str::to_owned));
            let meanwhile = self.meanwhile.lock().unwrap().take();
            if let Some(meanwhile) = meanwhile {
                meanwhile();
            }
            self.jobs.execute(job)
        }
    }

    let named = |name| Builder::new().name(name);
    let notes = Notes::default();
    let limiter = Limiter::new(0);
    let limited = limiter.over(notes.clone());
    let waiting = ["first", "second"].map(|name| named(name).offload_on(&limited, || ()));
    let (late, names) = (limited.clone(), Arc::clone(&notes.names));
    let (sender, receiver) = mpsc::channel();
    *notes.meanwhile.lock().unwrap() = Some(Box::new(move || {
        let offload = named("late").offload_on(&late, || ());
        sender
            .send((offload, names.lock().unwrap().clone()))
            .unwrap();
    }));
    limiter.set_limit(4);
    // Nor does it wait for the executor that has the first in its hands.
    let (offload, seen) = receiver.recv().unwrap();
    assert_eq!(seen, ["first", "second", "late"]);
    assert_eq!(notes.jobs.run_all(), 3);
    assert_eq!((limiter.stats().in_use, limiter.stats().waiting), (0, 0));
    drop((waiting, offload));
}
