//! When a slot is taken and when it comes back, however its job ends.

use std::sync::mpsc;
use std::time::Duration;

use ringloop_offload::{Executor, Limiter, Offload, ThreadPool, offload_on};

use crate::support::{Busy, Drops, block_on};

use super::{setup, wait_unused};

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
