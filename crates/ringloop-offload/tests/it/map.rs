//! A closure over many items.

mod drops;
mod refusals;
mod wakes;

use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex, mpsc};
use std::task::{Context, Waker};
use std::thread;
use std::time::Duration;

use ringloop_offload::{Executor, Interrupt, Limiter, Map, ThreadPool, map_on};

use crate::support::{Shelf, block_on};

/// Chooses the order of a map.
fn in_order<E, I, T>(is_ordered: bool, map: Map<E, I, T>) -> Map<E, I, T>
where
    E: Executor,
    I: Iterator<Item: Send + 'static>,
    T: Send + 'static,
{
    match is_ordered {
        true => map.ordered(),
        false => map.unordered(),
    }
}

#[test]
fn results_come_in_the_order_of_the_items() {
    let pool = ThreadPool::fixed(4);
    for limit in [1, 2, 3, 100, usize::MAX] {
        for buffer in [1, 2, 7, 1000] {
            let map = map_on(&pool, limit, 0..200, |n| n * 2).buffer(buffer);
            let doubled = block_on(map.collect()).unwrap();
            assert!(doubled.iter().copied().eq((0..200).map(|n| n * 2)));

            let mut map = map_on(&pool, limit, 0..200, |n| n * 2).ordered();
            map = map.buffer(buffer);
            for n in 0..200 {
                assert_eq!(block_on(map.next()).unwrap().unwrap(), n * 2);
            }
            for _ in 0..3 {
                assert!(block_on(map.next()).is_none(), "it stays at its end");
            }
        }
    }
}

#[test]
fn unordered_results_come_as_they_are_ready() {
    let pool = ThreadPool::fixed(2);
    let (release, released) = mpsc::channel::<()>();
    let released = Mutex::new(released);
    let mut map = map_on(&pool, 2, 0..10, move |n| {
        if n == 0 {
            released.lock().unwrap().recv().unwrap();
        }
        n
    });
    map = map.unordered();
    let mut seen: Vec<_> = (0..9)
        .map(|_| block_on(map.next()).unwrap().unwrap())
        .collect();
    seen.sort_unstable();
    assert!(seen.iter().copied().eq(1..10), "{seen:?}");
    release.send(()).unwrap();
    assert_eq!(block_on(map.next()).unwrap().unwrap(), 0);
    assert!(block_on(map.next()).is_none());
}

#[test]
fn every_item_is_run_once_in_either_order() {
    let pool = ThreadPool::fixed(3);
    for is_ordered in [true, false] {
        let map = in_order(is_ordered, map_on(&pool, 3, 0..5000_u64, |n| n));
        let mut numbers = block_on(map.collect()).unwrap();
        numbers.sort_unstable();
        assert!(numbers.into_iter().eq(0..5000));
    }
}

#[test]
fn folds_and_calls() {
    let pool = ThreadPool::fixed(2);
    let words = ["a", "bc", "def"];
    let joined =
        map_on(&pool, 2, words, str::to_uppercase).fold(String::new(), |all, word| all + &word);
    assert_eq!(block_on(joined).unwrap(), "ABCDEF");
    let mut lengths = Vec::new();
    block_on(map_on(&pool, 2, words, str::len).for_each(|length| lengths.push(length))).unwrap();
    assert_eq!(lengths, [1, 2, 3]);
    assert_eq!(
        block_on(map_on(&pool, 2, [0; 0], |n| n).collect()).unwrap(),
        []
    );
    let failing = map_on(&pool, 1, words, |word| assert_ne!(word, "bc"));
    assert!(block_on(failing.for_each(drop)).unwrap_err().is_panic());
}

#[test]
fn never_more_than_the_limit_at_once() {
    let pool = ThreadPool::fixed(4);
    let running = Arc::new(AtomicUsize::new(0));
    let (max, seen) = (Arc::new(AtomicUsize::new(0)), Arc::clone(&running));
    let running_max = Arc::clone(&max);
    let map = map_on(&pool, 2, 0..2000, move |_| {
        running_max.fetch_max(seen.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        thread::yield_now();
        seen.fetch_sub(1, Ordering::SeqCst);
    });
    block_on(map.collect()).unwrap();
    assert!(max.load(Ordering::SeqCst) <= 2);
    assert!(
        pool.stats().accepted < 500,
        "items share jobs: {:?}",
        pool.stats()
    );
}

#[test]
fn the_iterator_stays_on_its_thread_and_may_borrow() {
    let pool = ThreadPool::fixed(1);
    let numbers = [1, 2, 3];
    let caller = thread::current().id();
    let local = Rc::new(10);
    let items = numbers.iter().map(|n| {
        assert_eq!(thread::current().id(), caller);
        *local + n
    });
    assert_eq!(
        block_on(map_on(&pool, 1, items, |n| n).collect()).unwrap(),
        [11, 12, 13]
    );
}

#[test]
fn nothing_happens_before_the_first_poll() {
    let pool = ThreadPool::fixed(1);
    let items = (0..3).inspect(|_| panic!("it was pulled"));
    let map = map_on(&pool, 1, items, |n| n);
    assert_eq!(map.progress().pulled, 0);
    drop(map);
    assert_eq!(pool.stats().accepted, 0);
}

#[test]
fn a_panic_is_the_result_of_its_item() {
    let pool = ThreadPool::fixed(2);
    for is_ordered in [true, false] {
        let mut map = in_order(
            is_ordered,
            map_on(&pool, 2, 0..100, |n| {
                assert!(n % 10 != 3, "item {n}");
                n
            }),
        );
        let (mut values, mut panics) = (Vec::new(), Vec::new());
        while let Some(result) = block_on(map.next()) {
            match result {
                Ok(n) => values.push(n),
                Err(error) => panics.push(error.panic_message().unwrap().to_owned()),
            }
        }
        values.sort_unstable();
        panics.sort_unstable();
        assert!(values.into_iter().eq((0..100).filter(|n| n % 10 != 3)));
        let expected: Vec<_> = (0..10).map(|n| format!("item {}", n * 10 + 3)).collect();
        assert_eq!(panics.len(), 10);
        assert!(expected.iter().all(|text| panics.contains(text)));
    }
}

#[test]
fn collecting_fails_with_the_first_error_and_drops_the_rest() {
    let pool = ThreadPool::fixed(1);
    let ran = Arc::new(AtomicUsize::new(0));
    let runs = Arc::clone(&ran);
    let map = map_on(&pool, 1, 0.., move |n| {
        assert!(n < 5, "item {n}");
        runs.fetch_add(1, Ordering::SeqCst);
    });
    // The iterator has no end; the error has to stop it.
    let error = block_on(map.collect()).unwrap_err();
    assert_eq!(error.panic_message(), Some("item 5"));
    assert_eq!(ran.load(Ordering::SeqCst), 5);
}

#[test]
fn an_error_is_collected_although_an_earlier_item_still_runs() {
    let pool = ThreadPool::fixed(2);
    let (started, has_started) = mpsc::channel();
    let has_started = Mutex::new(has_started);
    let (told, was_told) = mpsc::channel();
    let map = map_on(&pool, 2, 0..2, move |n| {
        if n == 1 {
            has_started.lock().unwrap().recv().unwrap();
            panic!("the second");
        }
        started.send(()).unwrap();
        while !Interrupt::current().is_requested() {
            thread::yield_now();
        }
        told.send(()).unwrap();
    });
    let error = block_on(map.collect()).unwrap_err();
    assert_eq!(error.panic_message(), Some("the second"));
    was_told.recv().unwrap();
}

#[test]
fn progress_is_seen_from_elsewhere() {
    let pool = ThreadPool::fixed(1);
    let (step, steps) = mpsc::channel::<()>();
    let steps = Mutex::new(steps);
    let (started, has_started) = mpsc::channel();
    let map = map_on(&pool, 1, 0..3, move |_| {
        started.send(()).unwrap();
        steps.lock().unwrap().recv().unwrap();
    });
    let meter = map.meter();
    let watcher = thread::spawn(move || {
        for done in 0..3 {
            has_started.recv().unwrap();
            let progress = meter.progress();
            assert_eq!((progress.pulled, progress.done), (3, done));
            step.send(()).unwrap();
        }
        meter
    });
    block_on(map.collect()).unwrap();
    let progress = watcher.join().unwrap().progress();
    assert_eq!(
        (progress.pulled, progress.done, progress.yielded),
        (3, 3, 3)
    );
    assert_eq!(progress.running, 0);
}

#[test]
fn a_map_under_a_limiter() {
    let limiter = Limiter::new(1);
    let limited = limiter.over(Arc::new(ThreadPool::fixed(4)));
    let numbers = block_on(map_on(&limited, 4, 0..100, |n| n).collect()).unwrap();
    assert!(numbers.into_iter().eq(0..100));
}

#[test]
fn a_map_over_a_handle_can_be_sent_and_kept() {
    fn kept<M: Send + Unpin + 'static>(map: M) -> M {
        map
    }

    let pool = ThreadPool::fixed(1);
    let map = kept(map_on(pool.handle(), 1, 0..3, |n| n));
    assert!(format!("{map:?}").contains("limit: 1"));
    let collected = thread::spawn(|| block_on(map.collect())).join().unwrap();
    assert_eq!(collected.unwrap(), [0, 1, 2]);
}

#[test]
fn runners_are_known_by_the_name_or_the_place_of_the_map() {
    let shelf = Shelf::default();
    let mut cx = Context::from_waker(Waker::noop());
    let mut map = map_on(&shelf, 1, 0..3, |n| n);
    assert!(map.poll_next(&mut cx).is_pending());
    let job = shelf.pop();
    assert!(job.location().file().ends_with("it/map.rs") && job.name().is_none());
    assert!(format!("{map:?}").contains(&job.location().to_string()));
    let mut map = map_on(&shelf, 1, 0..3, |n| n).name("thumbnails");
    assert!(map.poll_next(&mut cx).is_pending());
    assert_eq!(shelf.pop().name(), Some("thumbnails"));
}

#[test]
#[should_panic(expected = "a limit of 0 would run nothing")]
fn a_limit_of_zero_is_a_mistake() {
    drop(map_on(ThreadPool::fixed(1), 0, 0..3, |n| n));
}

#[test]
fn an_item_that_comes_while_another_one_runs_gets_a_thread_of_its_own() {
    let pool = ThreadPool::fixed(2);
    let (meet, wake) = (Arc::new(Barrier::new(2)), mpsc::channel());
    let (sender, receiver) = (wake.0, Mutex::new(wake.1));
    let map = map_on(&pool, 2, 1..=3, move |item| {
        match item {
            // The first two run side by side, and then the first one's thread finds nothing to do.
            1 => drop(meet.wait()),
            2 => {
                meet.wait();
                let third = receiver
                    .lock()
                    .unwrap()
                    .recv_timeout(Duration::from_secs(5));
                return (item, third.is_ok());
            }
            _ => sender.send(()).unwrap(),
        }
        (item, true)
    });
    let mut map = map.unordered().buffer(2);
    let mut results = Vec::new();
    block_on(async {
        while let Some(result) = map.next().await {
            results.push(result.unwrap());
        }
    });
    results.sort_unstable();
    assert_eq!(results, [(1, true), (2, true), (3, true)]);
}

#[test]
fn what_runs_when_its_map_is_dropped_is_counted_until_it_ends() {
    let pool = ThreadPool::fixed(1);
    let (started, has_started) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    let released = Mutex::new(released);
    let mut map = map_on(&pool, 1, [1], move |_item| {
        started.send(()).unwrap();
        let _either = released.lock().unwrap().recv();
    });
    let meter = map.meter();
    let mut cx = Context::from_waker(Waker::noop());
    assert!(map.poll_next(&mut cx).is_pending());
    has_started.recv().unwrap();
    drop(map);
    assert_eq!(meter.progress().running, 1);
    drop(release);
    pool.shutdown(Duration::MAX);
    assert_eq!(meter.progress().running, 0);
}
