//! Pools: slots, their line, waiting for the last.

use std::cell::Cell;
use std::future::pending;
use std::rc::Rc;
use std::time::Duration;

use ringloop_core::future::race;
use ringloop_task::cancel::{Cancelled, check_cancelled};
use ringloop_task::group::{Pool, group};
use ringloop_task::testing::settle;
use ringloop_task::{task, time};

use crate::driver::{Drops, Log, run, secs};

/// Runs `body` with a pool of a group that must not fail.
pub(crate) fn with_pool<T>(limit: usize, body: impl AsyncFnOnce(&Pool<Cancelled>) -> T) -> T {
    let result = run(group(async |g| {
        let pool = Pool::new(g, limit);
        let value = body(&pool).await;
        Ok::<_, Cancelled>(value)
    }));
    result.expect("nothing in the group fails")
}

#[test]
fn at_most_so_many_run_at_a_time_and_the_rest_in_order() {
    for limit in 1..5 {
        let (running, log) = (Rc::new(Cell::new(0)), Log::default());
        let (count, lines) = (Rc::clone(&running), log.clone());
        with_pool(limit, async move |pool| {
            let before = time::now();
            for number in 0..8 {
                let (running, lines) = (Rc::clone(&count), lines.clone());
                let child = pool.spawn(async move {
                    lines.add(number);
                    running.set(running.get() + 1);
                    assert!(running.get() <= limit);
                    time::sleep(secs(1)).await?;
                    running.set(running.get() - 1);
                    Ok(())
                });
                drop(child.await.unwrap());
                assert!(pool.len() <= limit);
            }
            assert!(!pool.is_empty());
            pool.join().await.unwrap();
            assert!(pool.is_empty());
            let rounds = 8_u64.div_ceil(limit as u64);
            assert_eq!(time::now() - before, secs(rounds));
        });
        assert_eq!(running.get(), 0);
        log.check(&["0", "1", "2", "3", "4", "5", "6", "7"]);
    }
}

#[test]
fn waiters_get_slots_first_come_first_served_and_nobody_barges_in() {
    let log = Log::default();
    let lines = log.clone();
    with_pool(1, async move |pool| {
        let child = pool.try_spawn(time::sleep(secs(1))).unwrap();
        for name in ["a", "b"] {
            let (pool, lines) = (pool.clone(), lines.clone());
            task::spawn(async move {
                let work = async move {
                    lines.add(name);
                    time::sleep(secs(1)).await
                };
                drop(pool.spawn(work).await.unwrap());
            });
        }
        settle().await.unwrap();
        assert_eq!((pool.len(), pool.waiting()), (1, 2));
        child.await.unwrap();
        // The slot belongs to `a`, which has not run yet.
        let rejected = pool.try_spawn(async { Ok(()) }).unwrap_err();
        assert!(rejected.is_full());
        assert_eq!(rejected.to_string(), "the pool is full");
        let late = lines.clone();
        let late = pool.spawn(async move {
            late.add("late");
            Ok(())
        });
        late.await.unwrap().await.unwrap();
    });
    log.check(&["a", "b", "late"]);
}

#[test]
fn slot_of_a_waiter_that_is_gone_passes_on() {
    // Dropped or cancelled; before or after the slot was handed over.
    for (cancels, is_granted) in [(false, false), (false, true), (true, false), (true, true)] {
        let drops = Drops::default();
        let values = drops.clone();
        with_pool(1, async move |pool| {
            let stop = Rc::new(Cell::new(false));
            let first = {
                let stop = Rc::clone(&stop);
                pool.try_spawn(async move {
                    while !stop.get() {
                        task::yield_now().await?;
                    }
                    Ok(())
                })
            };
            let waiter = |number: u32| {
                let (pool, value) = (pool.clone(), values.value());
                task::spawn(async move {
                    let work = async move {
                        drop(value);
                        Ok(number)
                    };
                    pool.spawn(work).await.map(drop)
                })
            };
            let (gone, next) = (waiter(1), waiter(2));
            for _ in 0..3 {
                task::yield_now().await.unwrap();
            }
            assert_eq!(pool.waiting(), 2);
            if is_granted {
                stop.set(true);
                while pool.waiting() == 2 {
                    task::yield_now().await.unwrap();
                }
                assert!(!gone.is_finished());
            }
            if cancels {
                gone.cancel("enough");
                let result = gone.await.unwrap();
                // The slot that was handed over before the request is taken: the value wins.
                assert_eq!(result.is_ok(), is_granted);
            } else {
                gone.abort();
                assert!(gone.await.unwrap_err().is_aborted());
            }
            stop.set(true);
            assert!(next.await.unwrap().is_ok());
            first.unwrap().await.unwrap();
            pool.join().await.unwrap();
            assert!(pool.is_empty() && pool.waiting() == 0);
        });
        assert_eq!(drops.count(), 2);
    }
}

#[test]
fn spawn_in_a_cancelled_scope_starts_nothing() {
    let drops = Drops::default();
    let value = drops.value();
    with_pool(1, async move |pool| {
        let spawned = time::timeout(Duration::ZERO, async {
            let work = async move {
                let _value = value;
                unreachable!("it never runs");
                #[expect(unreachable_code, reason = "the type is wanted")]
                Ok::<(), _>(())
            };
            pool.spawn(work).await.map(drop)
        });
        assert!(spawned.await.is_err());
        assert!(pool.is_empty());
    });
    assert_eq!(drops.count(), 1);
}

#[test]
fn slots_come_back_however_a_child_ends() {
    for end in 0..4 {
        let result = run(group(async |g| {
            let pool = Pool::<&str>::new(g, 1);
            let child = pool.try_spawn(async move {
                match end {
                    0 => {}
                    1 => drop(time::sleep(Duration::MAX).await),
                    2 => pending().await,
                    _ => return Err("oops"),
                }
                Ok(())
            });
            let child = child.unwrap();
            task::yield_now().await.ok();
            match end {
                1 => drop(child.cancel("enough")),
                2 => child.abort(),
                _ => {}
            }
            // In a group that has failed nothing can be waited for.
            while !pool.is_empty() {
                drop(check_cancelled());
                ringloop_task::cancel::shield(task::yield_now()).await.ok();
            }
            Ok(())
        }));
        assert_eq!(result.is_err(), end == 3);
    }
}

#[test]
fn join_waits_for_those_who_wait_and_may_be_dropped() {
    with_pool(1, async |pool| {
        assert!(pool.join().await.is_ok(), "nothing runs");
        let before = time::now();
        drop(pool.try_spawn(time::sleep(secs(1))));
        let queue = pool.clone();
        task::spawn(async move {
            let work = async { time::sleep(secs(1)).await };
            queue.spawn(work).await.map(drop)
        });
        settle().await.unwrap();
        race(pool.join(), task::yield_now()).await;
        let both = (task::spawn(pool.join()), task::spawn(pool.join()));
        pool.join().await.unwrap();
        assert_eq!(time::now() - before, secs(2));
        both.0.await.unwrap().unwrap();
        both.1.await.unwrap().unwrap();
        let told = time::timeout(Duration::ZERO, async {
            drop(pool.try_spawn(time::sleep(secs(1))));
            pool.join().await
        });
        assert!(told.await.is_err());
    });
}

#[test]
fn pool_of_a_group_that_is_over_starts_nothing() {
    run(async {
        let pool = group(async |g| Ok::<_, Cancelled>(Pool::new(g, 1))).await;
        let pool = pool.unwrap();
        let rejected = pool.try_spawn(async { Ok(()) }).unwrap_err();
        assert!(!rejected.is_full());
        let handle = pool.spawn(async { Ok(()) }).await.unwrap();
        assert!(handle.await.unwrap_err().is_aborted());
        assert!(pool.is_empty() && pool.group().is_over());
        assert!(format!("{pool:?}").starts_with("Pool { limit: 1, len: 0, waiting: 0, group: "));
    });
}

#[test]
#[should_panic(expected = "at least one slot")]
fn pool_without_slots_is_refused() {
    with_pool(0, async |_| ());
}
