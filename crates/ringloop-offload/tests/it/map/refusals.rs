//! Executors that refuse the runners, lose them, or panic; and iterators that panic.

use std::error::Error;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use ringloop_offload::{Executor, Job, PoolError, ThreadPool, from_fn, map_on};

use super::in_order;
use crate::support::{Drops, Shelf, Wakes, block_on};

fn is_closed(error: &(dyn Error + 'static)) -> bool {
    let source = error.source().and_then(|source| source.downcast_ref());
    matches!(source, Some(PoolError::Closed))
}

#[test]
fn each_item_gets_the_refusal_of_a_closed_pool() {
    let pool = ThreadPool::fixed(1);
    pool.shutdown(Duration::MAX);
    for is_ordered in [true, false] {
        for limit in [1, 4] {
            let mut map = in_order(is_ordered, map_on(&pool, limit, 0..100, |n| n));
            for _ in 0..100 {
                let error = block_on(map.next()).unwrap().unwrap_err();
                assert!(error.is_rejected() && is_closed(&error));
            }
            assert!(block_on(map.next()).is_none());
        }
    }
    let error = block_on(map_on(&pool, 2, 0.., |n: u64| n).collect()).unwrap_err();
    assert!(is_closed(&error));
}

#[test]
fn an_executor_that_refuses_is_not_asked_over_and_over() {
    let calls = AtomicUsize::new(0);
    let executor = from_fn(|job| {
        calls.fetch_add(1, Ordering::Relaxed);
        Err(job)
    });
    let mut map = map_on(&executor, 16, 0..100, |n| n);
    while let Some(result) = block_on(map.next()) {
        assert!(result.unwrap_err().is_rejected());
    }
    drop(map);
    let calls = calls.into_inner();
    assert!((100..200).contains(&calls), "about once per item: {calls}");
}

/// What an executor does with a job, call by call.
#[derive(Clone, Copy, Debug)]
enum Deed {
    Refuse,
    Drop,
    DropLater,
    Run,
    RunElsewhere,
}

const DEEDS: [Deed; 5] = [
    Deed::Refuse,
    Deed::Drop,
    Deed::DropLater,
    Deed::Run,
    Deed::RunElsewhere,
];

fn do_one(deed: Deed, job: Job) -> Result<(), Job> {
    match deed {
        Deed::Refuse => return Err(job.refused("not now")),
        Deed::Drop => drop(job),
        Deed::DropLater => drop(thread::spawn(|| drop(job))),
        Deed::Run => job.run(),
        Deed::RunElsewhere => drop(thread::spawn(|| job.run())),
    }
    Ok(())
}

#[test]
fn whatever_becomes_of_the_runners_each_item_has_a_result() {
    for number in 0..DEEDS.len().pow(3) {
        let deeds = [number, number / 5, number / 25].map(|n| DEEDS[n % 5]);
        for is_ordered in [true, false] {
            for limit in [1, 3] {
                let calls = AtomicUsize::new(0);
                let executor = from_fn(|job| {
                    let call = calls.fetch_add(1, Ordering::Relaxed);
                    do_one(deeds[call % 3], job)
                });
                let mut map =
                    in_order(is_ordered, map_on(&executor, limit, 0..12, |n| n).buffer(3));
                let (mut values, mut errors) = (Vec::new(), 0);
                while let Some(result) = block_on(map.next()) {
                    match result {
                        Ok(n) => values.push(n),
                        Err(error) => {
                            assert!(error.is_rejected(), "{error:?}");
                            errors += 1;
                        }
                    }
                }
                assert_eq!(values.len() + errors, 12, "{deeds:?}");
                values.sort_unstable();
                values.dedup();
                assert_eq!(values.len() + errors, 12, "{deeds:?}");
            }
        }
    }
}

#[test]
fn a_runner_that_is_lost_wakes_the_consumer() {
    let (wakes, waker) = Wakes::new();
    let mut cx = Context::from_waker(&waker);
    let shelf = Shelf::default();
    let mut map = map_on(&shelf, 2, 0..5, |n| n);
    assert!(map.poll_next(&mut cx).is_pending());
    drop(shelf.pop());
    assert_eq!(wakes.take(), 0, "there is another one");
    drop(shelf.pop().refused("swept out"));
    assert!(wakes.take() > 0);
    let Poll::Ready(Some(Err(error))) = map.poll_next(&mut cx) else {
        panic!("the first item has no runner");
    };
    assert!(error.is_rejected());
    // The next ones have new runners.
    assert!(map.poll_next(&mut cx).is_pending());
    shelf.run_all();
    for n in 1..5 {
        assert_eq!(block_on(map.next()).unwrap().unwrap(), n);
    }
}

#[test]
fn a_pool_that_is_shut_down_with_queued_runners() {
    let pool = ThreadPool::fixed(1);
    let busy = crate::support::Busy::start(&pool, || ());
    let mut collect = pin!(map_on(&pool, 2, 0..1000, |n| n).collect());
    let (wakes, waker) = Wakes::new();
    assert!(
        collect
            .as_mut()
            .poll(&mut Context::from_waker(&waker))
            .is_pending()
    );
    pool.shutdown(Duration::ZERO);
    assert!(wakes.take() > 0);
    assert!(is_closed(&block_on(collect).unwrap_err()));
    busy.finish().unwrap();
}

#[test]
fn an_iterator_that_panics_has_ended() {
    for is_ordered in [true, false] {
        let drops = Drops::default();
        let shelf = Shelf::default();
        let items = (0..10).map(|n| {
            assert!(n < 3, "the iterator");
            (n, drops.probe())
        });
        let mut map = in_order(is_ordered, map_on(&shelf, 2, items, |(n, _probe)| n));
        let mut cx = Context::from_waker(Waker::noop());
        let poll = std::panic::AssertUnwindSafe(|| map.poll_next(&mut cx).is_ready());
        let payload = std::panic::catch_unwind(poll).unwrap_err();
        assert_eq!(payload.downcast_ref(), Some(&"the iterator"));
        // What was pulled before is run.
        shelf.run_all();
        for n in 0..3 {
            assert_eq!(block_on(map.next()).unwrap().unwrap(), n);
        }
        assert!(block_on(map.next()).is_none());
        assert_eq!(drops.count(), 3);
    }
}

#[test]
fn an_executor_that_panics_leaks_nothing() {
    let drops = Drops::default();
    let calls = AtomicUsize::new(0);
    let executor = from_fn(|job| {
        assert!(
            calls.fetch_add(1, Ordering::Relaxed) % 2 == 1,
            "the executor"
        );
        job.run();
        Ok(())
    });
    let items = (0..4).map(|n| (n, drops.probe()));
    let mut map = map_on(&executor, 1, items, |(n, _probe)| n).buffer(2);
    let (mut values, mut panics, mut errors) = (0, 0, 0);
    loop {
        let poll = std::panic::AssertUnwindSafe(|| block_on(map.next()));
        match std::panic::catch_unwind(poll) {
            Ok(Some(Ok(_))) => values += 1,
            Ok(Some(Err(_))) => errors += 1,
            Ok(None) => break,
            Err(_) => panics += 1,
        }
    }
    assert!(panics > 0);
    assert_eq!(values + errors, 4);
    assert_eq!(drops.count(), 4);
}

#[test]
fn a_closed_queue_of_ones_own() {
    struct Dedicated(Mutex<mpsc::Sender<Job>>);

    impl Executor for Dedicated {
        fn execute(&self, job: Job) -> Result<(), Job> {
            let sender = self.0.lock().unwrap();
            sender.send(job).map_err(|unsent| unsent.0)
        }
    }

    let (sender, jobs) = mpsc::channel::<Job>();
    let dedicated = Arc::new(Dedicated(Mutex::new(sender)));
    let mut map = map_on(Arc::clone(&dedicated), 1, 0..3, |n| n);
    let mut cx = Context::from_waker(Waker::noop());
    assert!(map.poll_next(&mut cx).is_pending());
    drop(jobs);
    for _ in 0..3 {
        assert!(block_on(map.next()).unwrap().unwrap_err().is_rejected());
    }
    assert!(block_on(map.next()).is_none());
}
