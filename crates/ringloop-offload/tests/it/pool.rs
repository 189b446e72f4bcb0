//! How a pool grows, bounds itself, and in which order it works.

use std::error::Error;
use std::sync::{Arc, Barrier, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use ringloop_offload::{Limiter, PoolError, ThreadPool, offload_on};

use crate::support::{Busy, announce_thread_end, block_on};

#[test]
fn jobs_start_in_the_order_of_submission() {
    let pool = ThreadPool::fixed(1);
    let busy = Busy::start(&pool, || ());
    let order = Arc::new(Mutex::new(Vec::new()));
    let offloads: Vec<_> = (0..100)
        .map(|number| {
            let order = Arc::clone(&order);
            offload_on(&pool, move || order.lock().unwrap().push(number))
        })
        .collect();
    busy.finish().unwrap();
    for offload in offloads {
        block_on(offload).unwrap();
    }
    assert_eq!(*order.lock().unwrap(), (0..100).collect::<Vec<_>>());
}

#[test]
fn it_grows_to_its_bound_and_no_further() {
    let pool = ThreadPool::builder().max_threads(3).build();
    assert_eq!(
        pool.stats().threads,
        0,
        "a pool without jobs has no threads"
    );
    // Each job ends only when all three run.
    let barrier = Arc::new(Barrier::new(4));
    let together: Vec<_> = (0..3)
        .map(|_| {
            let barrier = Arc::clone(&barrier);
            let (started, has_started) = mpsc::channel();
            let offload = offload_on(&pool, move || {
                started.send(()).unwrap();
                barrier.wait()
            });
            has_started.recv().unwrap();
            offload
        })
        .collect();
    let fourth = offload_on(&pool, || ());
    let stats = pool.stats();
    assert_eq!((stats.threads, stats.threads_max, stats.idle), (3, 3, 0));
    assert!(fourth.is_queued());
    barrier.wait();
    for offload in together {
        block_on(offload).unwrap();
    }
    block_on(fourth).unwrap();
    assert_eq!(pool.stats().threads, 3);
    assert_eq!(pool.stats().accepted, 4);
}

#[test]
fn idle_threads_leave() {
    let pool = ThreadPool::builder()
        .keep_alive(Duration::from_nanos(1))
        .build();
    let (sender, ended) = mpsc::channel();
    block_on(offload_on(&pool, move || announce_thread_end(sender))).unwrap();
    ended.recv().unwrap();
    assert_eq!(pool.stats().threads, 0);
    assert_eq!(block_on(offload_on(&pool, || 1)).unwrap(), 1);
}

#[test]
fn a_fixed_pool_has_as_many_threads_as_it_is_told() {
    let pool = ThreadPool::fixed(2);
    let busy = [Busy::start(&pool, || ()), Busy::start(&pool, || ())];
    let third = offload_on(&pool, || ());
    assert!(third.is_queued());
    assert_eq!((pool.stats().threads, pool.stats().running), (2, 2));
    for busy in busy {
        busy.finish().unwrap();
    }
    block_on(third).unwrap();
    assert_eq!(pool.stats().threads, 2);
}

#[test]
fn threads_have_names() {
    let pool = ThreadPool::builder()
        .name("resolver")
        .max_threads(1)
        .build();
    let name = block_on(offload_on(&pool, || {
        thread::current().name().map(str::to_owned)
    }));
    assert_eq!(name.unwrap().as_deref(), Some("resolver-0"));
    assert!(format!("{pool:?}").contains("resolver"), "{pool:?}");
}

#[test]
#[should_panic(expected = "a pool without threads")]
fn a_pool_of_no_threads_is_a_mistake() {
    drop(ThreadPool::fixed(0));
}

#[test]
#[should_panic(expected = "null byte")]
fn a_name_with_a_null_byte_is_a_mistake() {
    drop(ThreadPool::builder().name("a\0b"));
}

#[test]
fn a_job_may_wait_for_another_one_while_a_thread_is_free() {
    let pool = Arc::new(ThreadPool::fixed(2));
    let inner_pool = Arc::clone(&pool);
    let outer = offload_on(&pool, move || {
        block_on(offload_on(&inner_pool, || 20)).unwrap() + 1
    });
    assert_eq!(block_on(outer).unwrap(), 21);
}

#[test]
fn a_handle_is_a_way_in_and_keeps_nothing_open() {
    let pool = ThreadPool::fixed(1);
    let handle = pool.handle();
    let clone = handle.clone();
    assert_eq!(block_on(offload_on(&handle, || 1)).unwrap(), 1);
    assert_eq!(handle.stats().accepted, pool.stats().accepted);
    drop((pool, handle));
    let error = block_on(offload_on(&clone, || ())).unwrap_err();
    let reason = error.source().unwrap().downcast_ref::<PoolError>().unwrap();
    assert!(matches!(reason, PoolError::Closed), "{reason:?}");
}

#[test]
fn a_job_may_own_the_last_handle_of_its_pool() {
    let pool = Arc::new(ThreadPool::fixed(1));
    let last = Arc::clone(&pool);
    let (sender, ended) = mpsc::channel();
    let busy = Busy::start(&pool, move || {
        announce_thread_end(sender);
        drop(last);
        9
    });
    drop(pool);
    assert_eq!(busy.finish().unwrap(), 9);
    ended.recv().unwrap();
}

/// The end of a job that was cancelled in the queue may bring the next one: nothing is locked when
/// the pool throws it away.
#[test]
fn jobs_that_are_swept_out_may_make_room_for_others() {
    for bound in [usize::MAX, 128] {
        let pool = ThreadPool::builder()
            .max_threads(1)
            .queue_bound(bound)
            .build();
        let busy = Busy::start(&pool, || ());
        let limited = Limiter::new(100).over(pool.handle());
        let cancelled: Vec<_> = (0..100).map(|_| offload_on(&limited, || 0)).collect();
        let next: Vec<_> = (0..10).map(|_| offload_on(&limited, || 1)).collect();
        drop(cancelled);
        let direct: Vec<_> = (0..100).map(|_| offload_on(&pool, || 2)).collect();
        busy.finish().unwrap();
        for offload in next {
            assert_eq!(block_on(offload).unwrap(), 1);
        }
        for offload in direct {
            assert_eq!(block_on(offload).unwrap(), 2);
        }
    }
}
