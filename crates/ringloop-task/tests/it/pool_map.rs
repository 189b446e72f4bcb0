//! Maps over the tasks of a pool.

use std::cell::Cell;
use std::future::pending;
use std::rc::Rc;
use std::time::Duration;

use ringloop_task::cancel::{Cancelled, shield};
use ringloop_task::group::{Pool, group};
use ringloop_task::testing::settle;
use ringloop_task::{task, time};

use crate::driver::{Drops, run, secs};
use crate::pool::with_pool;

/// All orders of so many delays.
fn permutations(len: u64) -> Vec<Vec<u64>> {
    if len == 0 {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for shorter in permutations(len - 1) {
        for place in 0..=shorter.len() {
            let mut longer = shorter.clone();
            longer.insert(place, len);
            all.push(longer);
        }
    }
    all
}

#[test]
fn map_gives_results_in_the_order_of_items_whatever_order_they_end_in() {
    for delays in permutations(4) {
        for limit in 1..=5 {
            let items = delays.clone();
            let results = with_pool(limit, async move |pool| {
                let mut map = pool.map(items, |delay| async move {
                    time::sleep(secs(delay)).await.map(|()| delay)
                });
                let mut results = Vec::new();
                while let Some(result) = map.next().await {
                    results.push(result.unwrap().unwrap());
                }
                assert!(map.next().await.is_none(), "it stays so");
                assert!(pool.is_empty());
                results
            });
            assert_eq!(results, delays);
        }
    }
}

#[test]
fn map_unordered_gives_results_as_they_come() {
    for delays in permutations(4) {
        for limit in 1..=5 {
            let items = delays.clone();
            let (results, times) = with_pool(limit, async move |pool| {
                let before = time::now();
                let mut map = pool.map_unordered(items, |delay| async move {
                    time::sleep(secs(delay)).await.map(|()| delay)
                });
                let (mut results, mut times) = (Vec::new(), Vec::new());
                while let Some(result) = map.next().await {
                    results.push(result.unwrap().unwrap());
                    times.push((time::now() - before).as_secs());
                }
                (results, times)
            });
            // A model: each item begins when a slot is free.
            let mut slots = vec![0; limit];
            let mut ends: Vec<_> = delays
                .iter()
                .map(|delay| {
                    let slot = slots.iter_mut().min().unwrap();
                    *slot += delay;
                    (*slot, *delay)
                })
                .collect();
            ends.sort_by_key(|&(end, _)| end);
            let expected: Vec<_> = ends.iter().map(|&(end, _)| end).collect();
            assert_eq!(times, expected, "{delays:?} {limit}");
            let mut sorted = results.clone();
            sorted.sort_unstable();
            assert_eq!(sorted, [1, 2, 3, 4]);
            if limit >= 4 {
                assert_eq!(results, [1, 2, 3, 4]);
            }
        }
    }
}

#[test]
fn maps_do_not_run_ahead_of_a_slow_consumer() {
    for ordered in [false, true] {
        let started = Rc::new(Cell::new(0_u64));
        let count = Rc::clone(&started);
        with_pool(3, async move |pool| {
            let mut map = if ordered {
                pool.map(1.., work(&count))
            } else {
                pool.map_unordered(1.., work(&count))
            };
            settle().await.unwrap();
            assert_eq!(count.get(), 0, "nothing runs before it is asked for");
            for taken in 1..20 {
                assert_eq!(map.next().await.unwrap().unwrap(), taken);
                // A slow consumer: everything that could run ahead would.
                time::sleep(secs(9)).await.unwrap();
                assert_eq!(count.get(), taken + 3);
            }
        });
        assert!(started.get() <= 23);
    }
}

/// Counts and gives back the numbers it is called with.
fn work(count: &Rc<Cell<u64>>) -> impl FnMut(u64) -> Counted + use<> {
    let count = Rc::clone(count);
    move |number| {
        count.set(count.get() + 1);
        Box::pin(async move { number })
    }
}

type Counted = std::pin::Pin<Box<dyn Future<Output = u64>>>;

#[test]
fn map_that_is_dropped_cancels_what_runs_and_the_group_waits_for_it() {
    for ordered in [false, true] {
        let drops = Drops::default();
        let values = drops.clone();
        run(async {
            let before = time::now();
            let result = group(async |g| {
                let pool = Pool::new(g, 3);
                let work = |_| {
                    let value = values.value();
                    async move {
                        let _value = value;
                        assert!(time::sleep(secs(60)).await.is_err());
                        shield(time::sleep(secs(2))).await.unwrap();
                    }
                };
                let mut map = if ordered {
                    pool.map(0.., work)
                } else {
                    pool.map_unordered(0.., work)
                };
                let asked = time::timeout(secs(1), async {
                    match map.next().await {
                        Some(Err(error)) => Err(error),
                        other => Ok(other),
                    }
                });
                assert!(asked.await.is_err(), "the timeout recognizes its own");
                assert_eq!(pool.len(), 3, "a wait that is cancelled has no effect");
                Ok::<_, Cancelled>(())
            });
            result.await.unwrap();
            assert_eq!((time::now() - before, drops.count()), (secs(3), 3));
        });
    }
}

#[test]
fn value_that_is_there_wins_in_a_cancelled_scope_and_the_end_is_told() {
    with_pool(2, async |pool| {
        let mut map = pool.map(0..3, |number| async move { number });
        assert_eq!(map.next().await.unwrap().unwrap(), 0);
        settle().await.unwrap();
        let told = time::timeout(Duration::ZERO, async {
            assert_eq!(map.next().await.unwrap().unwrap(), 1);
            assert_eq!(map.next().await.unwrap().unwrap(), 2);
            let error = map.next().await.unwrap().unwrap_err();
            assert!(
                error.is_cancelled(),
                "nobody has looked whether there are more"
            );
        });
        told.await.unwrap();
        assert!(map.next().await.is_none());
    });
}

#[test]
fn item_that_is_aborted_or_cancelled_blind_is_an_error_and_the_rest_goes_on() {
    for ordered in [false, true] {
        with_pool(2, async move |pool| {
            let work = |number: u32| async move {
                match number {
                    1 => task::current().unwrap().abort(),
                    2 => drop(task::current().unwrap().cancel("enough")),
                    _ => return number,
                }
                pending().await
            };
            let mut map = if ordered {
                pool.map(0..4, work)
            } else {
                pool.map_unordered(0..4, work)
            };
            let mut seen = [0; 3];
            while let Some(result) = map.next().await {
                match result {
                    Ok(_) => seen[0] += 1,
                    Err(error) if error.is_aborted() => seen[1] += 1,
                    Err(error) => {
                        assert!(error.is_cancelled());
                        seen[2] += 1;
                    }
                }
            }
            assert_eq!(seen, [2, 1, 1]);
        });
    }
}

#[test]
fn panic_of_an_item_is_the_groups() {
    let result = std::panic::catch_unwind(|| {
        run(group(async |g| {
            let pool = Pool::new(g, 2);
            let mut map = pool.map(0..3, |number| async move { assert_ne!(number, 1, "item") });
            assert!(map.next().await.unwrap().is_ok());
            let error = map.next().await.unwrap().unwrap_err();
            assert!(error.is_failed());
            Ok::<_, Cancelled>(())
        }))
    });
    let payload = result.unwrap_err();
    let text = payload.downcast_ref::<String>().unwrap();
    assert!(text.contains("item"), "{text}");
}

#[test]
fn maps_share_the_slots_of_a_pool_with_others() {
    with_pool(2, async |pool| {
        let before = time::now();
        let long = pool.try_spawn(time::sleep(secs(10))).unwrap();
        let mut map = pool.map(0..4, |_| async { time::sleep(secs(1)).await });
        while let Some(result) = map.next().await {
            result.unwrap().unwrap();
            assert!(pool.len() <= 2);
        }
        assert_eq!(time::now() - before, secs(4));
        long.cancel("enough");
    });
}

#[test]
fn slot_is_not_kept_for_a_map_that_nobody_asks() {
    with_pool(1, async |pool| {
        let first = pool.try_spawn(time::sleep(secs(2))).unwrap();
        let mut map = pool.map(0..1, |_| async {});
        let asked = time::timeout(secs(1), async {
            match map.next().await {
                Some(Err(error)) => Err(error),
                other => Ok(other),
            }
        });
        assert!(asked.await.is_err());
        first.await.unwrap();
        let other = pool.try_spawn(async { Ok(()) });
        assert!(other.is_ok(), "the map has left the line");
        assert!(map.next().await.unwrap().is_ok());
    });
}
