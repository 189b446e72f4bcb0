//! At most so many at a time, in the order in which they came.

use std::error::Error;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use ringloop_offload::{Executor, Limited, Limiter, Offload, PoolError, ThreadPool, offload_on};

use crate::support::{Busy, Drops, Shelf, block_on};

/// A limiter over a pool with more threads than it lets through.
fn setup(limit: usize) -> (Limiter, Limited<Arc<ThreadPool>>) {
    let limiter = Limiter::new(limit);
    let limited = limiter.over(Arc::new(ThreadPool::fixed(4)));
    (limiter, limited)
}

/// The slot of a job is free a moment after its result has come home.
fn wait_unused(limiter: &Limiter) {
    while limiter.stats().in_use > 0 {
        thread::yield_now();
    }
}

#[test]
fn a_job_beyond_the_limit_waits_without_a_thread() {
    let (limiter, limited) = setup(1);
    let busy = Busy::start(&limited, || 1);
    let second = offload_on(&limited, || 2);
    let stats = limiter.stats();
    assert_eq!((stats.in_use, stats.waiting, stats.granted), (1, 1, 1));
    assert_eq!(limited.executor().stats().queued, 0);
    // The pool is free for others.
    assert_eq!(block_on(offload_on(limited.executor(), || 3)).unwrap(), 3);
    assert!(second.is_queued());
    assert_eq!(busy.finish().unwrap(), 1);
    assert_eq!(block_on(second).unwrap(), 2);
    wait_unused(&limiter);
    let stats = limiter.stats();
    assert_eq!((stats.granted, stats.delayed, stats.waiting_max), (2, 1, 1));
}

#[test]
fn jobs_are_let_through_in_their_order() {
    let (_limiter, limited) = setup(1);
    let busy = Busy::start(&limited, || ());
    let order = Arc::new(Mutex::new(Vec::new()));
    let offloads: Vec<_> = (0..50)
        .map(|number| {
            let order = Arc::clone(&order);
            offload_on(&limited, move || order.lock().unwrap().push(number))
        })
        .collect();
    busy.finish().unwrap();
    for offload in offloads {
        block_on(offload).unwrap();
    }
    let order = order.lock().unwrap();
    assert!(order.iter().copied().eq(0..50), "{order:?}");
}

#[test]
fn a_slot_is_kept_by_a_job_whose_waiter_has_left() {
    let (limiter, limited) = setup(1);
    let Busy { offload, release } = Busy::start(&limited, || ());
    drop(offload);
    let second = offload_on(&limited, || ());
    assert_eq!((limiter.stats().in_use, limiter.stats().waiting), (1, 1));
    assert!(second.is_queued());
    drop(release);
    block_on(second).unwrap();
}

#[test]
fn a_job_that_panics_frees_its_slot() {
    let (limiter, limited) = setup(1);
    for _ in 0..3 {
        let error = block_on(offload_on(&limited, || panic!("a job"))).unwrap_err();
        assert_eq!(error.panic_message(), Some("a job"));
    }
    wait_unused(&limiter);
    assert_eq!(limiter.stats().granted, 3);
}

#[test]
fn cancelled_while_waiting_it_drops_its_captures_at_once_and_takes_no_slot() {
    let (limiter, limited) = setup(1);
    let busy = Busy::start(&limited, || ());
    let drops = Drops::default();
    let offloads: Vec<_> = (0..100)
        .map(|_| {
            let probe = drops.probe();
            offload_on(&limited, move || drop(probe))
        })
        .collect();
    assert_eq!(limiter.stats().waiting, 100);
    drop(offloads);
    assert_eq!((drops.count(), limiter.stats().waiting), (100, 0));
    busy.finish().unwrap();
    wait_unused(&limiter);
    assert_eq!(limiter.stats().granted, 1);
}

#[test]
fn what_is_cancelled_while_waiting_does_not_pile_up() {
    let (limiter, limited) = setup(0);
    for _ in 0..10_000 {
        drop(offload_on(&limited, || ()));
    }
    assert!(limiter.stats().waiting_max < 200, "{:?}", limiter.stats());
    assert_eq!(limiter.stats().waiting, 0);
}

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
fn one_limiter_over_two_executors() {
    let limiter = Limiter::new(1);
    let first = limiter.over(ThreadPool::fixed(1));
    let second = limiter.over(ThreadPool::builder().name("second").build());
    let busy = Busy::start(&first, || ());
    let name = offload_on(&second, || thread::current().name().map(str::to_owned));
    assert!(name.is_queued());
    busy.finish().unwrap();
    let name = block_on(name).unwrap();
    assert_eq!(name.as_deref(), Some("second-0"));
}

#[test]
fn a_job_refused_when_it_is_forwarded_says_why_and_passes_its_slot_on() {
    let limiter = Limiter::new(1);
    let (gone, alive) = (Arc::new(ThreadPool::fixed(1)), ThreadPool::fixed(1));
    let (to_gone, to_alive) = (limiter.over(Arc::clone(&gone)), limiter.over(alive));
    let busy = Busy::start(&to_alive, || ());
    let refused = offload_on(&to_gone, || ());
    let last = offload_on(&to_alive, || 7);
    gone.shutdown(Duration::MAX);
    assert!(refused.is_queued());
    busy.finish().unwrap();
    assert_eq!(block_on(last).unwrap(), 7);
    let error = block_on(refused).unwrap_err();
    assert!(error.is_rejected());
    let reason = error.source().unwrap().downcast_ref::<PoolError>();
    assert!(matches!(reason, Some(PoolError::Closed)));
}

#[test]
fn jobs_that_wait_outlive_the_handles() {
    let pool = Arc::new(ThreadPool::fixed(1));
    let limited = Limiter::new(1).over(Arc::clone(&pool));
    let busy = Busy::start(&limited, || ());
    let waiting = offload_on(&limited, || 5);
    drop(limited);
    busy.finish().unwrap();
    assert_eq!(block_on(waiting).unwrap(), 5);
}

#[test]
fn jobs_that_nobody_can_let_through_are_rejected() {
    let drops = Drops::default();
    let limiter = Limiter::new(0);
    let limited = limiter.over(Shelf::default());
    let probe = drops.probe();
    let waiting = offload_on(&limited, move || drop(probe));
    drop(limited);
    assert!(waiting.is_queued());
    drop(limiter);
    assert_eq!(drops.count(), 1);
    let error = block_on(waiting).unwrap_err();
    assert!(error.is_rejected());
    assert_eq!(
        error.source().unwrap().to_string(),
        "the limiter was dropped while its limit was 0"
    );
}

#[test]
fn a_job_may_wait_for_a_job_of_its_own_limiter() {
    let (limiter, limited) = setup(1);
    let other = Limiter::new(1);
    for depth in 1..4 {
        // The inner jobs go through both limiters, in either order.
        let one = limiter.over(other.over(limited.executor().handle()));
        fn nest(executor: &(impl Executor + Clone + 'static), depth: usize) -> usize {
            let inner = executor.clone();
            let offload = offload_on(executor, move || match depth {
                0 => 0,
                _ => 1 + nest(&inner, depth - 1),
            });
            offload.wait().unwrap()
        }
        assert_eq!(nest(&one, depth), depth);
    }
    wait_unused(&limiter);
    wait_unused(&other);
    assert_eq!(
        limiter.stats().granted,
        3,
        "the inner ones ran in the slot of the outer one"
    );
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

#[test]
fn the_types_can_be_shared_and_printed() {
    fn is_shared<T: Send + Sync + Clone>(value: &T) -> &T {
        value
    }

    let (limiter, limited) = setup(2);
    let text = format!("{:?} {:?}", is_shared(&limiter), is_shared(&limited));
    assert!(
        text.contains("limit: 2") && text.contains("ThreadPool"),
        "{text}"
    );
    assert_eq!(limited.limiter().limit(), 2);
    let as_dyn: &dyn Executor = &limited;
    block_on(offload_on(as_dyn, || ())).unwrap();
}

const SUBMITTERS: usize = 4;
const BATCHES: usize = 60;
const BATCH: usize = 20;

/// The only thread of the pool is in `outer`, so it does not come across a job that nobody needs any
/// more: its slot comes back without that.
#[test]
fn a_slot_comes_back_when_the_waiter_ends_the_job() {
    let ways: [fn(Offload<u8>); 4] = [
        |offload| assert_eq!(offload.wait().unwrap(), 1),
        |offload| assert!(offload.cancel()),
        drop,
        |offload| {
            assert!(offload.cancel());
            assert!(offload.wait().unwrap_err().is_cancelled());
        },
    ];
    for way in ways {
        let pool = ThreadPool::fixed(1);
        let limiter = Limiter::new(1);
        let limited = limiter.over(pool.handle());
        let outer = offload_on(&pool, move || {
            for _ in 0..3 {
                let inner = offload_on(&limited, || 1);
                assert_eq!(limiter.stats().in_use, 1);
                way(inner);
                assert_eq!(limiter.stats().in_use, 0);
            }
            offload_on(&limited, || 2).wait()
        });
        assert_eq!(outer.wait().unwrap().unwrap(), 2);
    }
}

/// A job that its waiter runs still holds its slot: an inner job of the same limiter runs in it.
#[test]
fn a_job_run_by_its_waiter_lends_its_slot_to_inner_jobs() {
    let pool = ThreadPool::fixed(1);
    let limiter = Limiter::new(1);
    let limited = limiter.over(pool.handle());
    let (sender, receiver) = mpsc::channel();
    let outer = offload_on(&pool, move || {
        // It has the slot, and its turn never comes: this is the only thread.
        let middle = offload_on(&limited.clone(), move || {
            let inner = offload_on(&limited, || 7);
            assert!(inner.is_queued());
            inner.wait()
        });
        sender.send(middle.wait()).unwrap();
    });
    let seen = receiver.recv_timeout(Duration::from_secs(5));
    assert_eq!(seen.expect("nobody waits in vain").unwrap().unwrap(), 7);
    outer.wait().unwrap();
}

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
        fn execute(&self, job: ringloop_offload::Job) -> Result<(), ringloop_offload::Job> {
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

    let named = |name| ringloop_offload::Builder::new().name(name);
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
