//! Executors made of other things: closures, and rayon's pools.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use ringloop_offload::{from_fn, offload_on};

use crate::support::{Drops, block_on};

#[test]
fn a_closure_runs_jobs() {
    let jobs = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&jobs);
    let threads = from_fn(move |job| {
        counter.fetch_add(1, Ordering::Relaxed);
        thread::spawn(|| job.run());
        Ok(())
    });
    let caller = thread::current().id();
    let ran_on = block_on(offload_on(&threads, || thread::current().id())).unwrap();
    assert_ne!(ran_on, caller);
    assert_eq!(jobs.load(Ordering::Relaxed), 1);
    assert!(format!("{threads:?}").contains("FromFn"));
}

#[test]
fn a_closure_gives_jobs_back_or_drops_them() {
    let drops = Drops::default();
    let refusing = from_fn(|job| Err(job.refused("closed today")));
    let probe = drops.probe();
    let error = block_on(offload_on(&refusing, move || drop(probe))).unwrap_err();
    assert!(error.is_rejected());
    let source = std::error::Error::source(&error).unwrap();
    assert_eq!(source.to_string(), "closed today");

    let losing = from_fn(|job| {
        drop(job);
        Ok(())
    });
    let probe = drops.probe();
    let error = block_on(offload_on(&losing, move || drop(probe))).unwrap_err();
    assert!(error.is_rejected());
    assert_eq!(drops.count(), 2);
}

#[cfg(feature = "rayon")]
mod rayon_pool {
    use std::sync::{Mutex, mpsc};

    use ringloop_offload::{Interrupt, Rayon};

    use super::{Arc, Drops, block_on, offload_on, thread};
    use crate::support::Busy;

    fn pool(threads: usize) -> rayon::ThreadPool {
        let builder = rayon::ThreadPoolBuilder::new().num_threads(threads);
        let builder = builder.thread_name(|n| format!("rayon-{n}"));
        builder.build().expect("threads can be started")
    }

    #[test]
    fn a_job_runs_on_a_thread_of_the_pool() {
        let name = || thread::current().name().map(str::to_owned);
        let name = block_on(offload_on(&pool(2), name)).unwrap().unwrap();
        assert!(name.starts_with("rayon-"), "{name}");
        // And rayon knows where it is.
        let threads = block_on(offload_on(&pool(2), rayon::current_num_threads)).unwrap();
        assert_eq!(threads, 2);
    }

    #[test]
    fn the_global_pool() {
        let index = block_on(offload_on(&Rayon, rayon::current_thread_index)).unwrap();
        assert!(index.is_some());
    }

    #[test]
    fn cancelled_while_queued_it_never_runs() {
        let (pool, drops) = (pool(1), Drops::default());
        let busy = Busy::start(&pool, || ());
        let probe = drops.probe();
        let offload = offload_on(&pool, move || {
            drop(probe);
            panic!("it was cancelled and ran");
        });
        assert!(offload.cancel());
        assert_eq!(drops.count(), 1);
        assert!(block_on(offload).unwrap_err().is_cancelled());
        busy.finish().unwrap();
        block_on(offload_on(&pool, || ())).unwrap();
    }

    #[test]
    fn cancelled_while_running_it_is_told() {
        let pool = pool(1);
        let busy = Busy::start(&pool, || Interrupt::current().is_requested());
        assert!(!busy.offload.cancel());
        assert!(busy.finish().unwrap());
    }

    #[test]
    fn a_panic_comes_home_and_the_thread_goes_on() {
        let pool = pool(1);
        let error = block_on(offload_on(&pool, || panic!("in rayon"))).unwrap_err();
        assert_eq!(error.panic_message(), Some("in rayon"));
        assert_eq!(block_on(offload_on(&pool, || 1)).unwrap(), 1);
    }

    #[test]
    fn a_pool_that_is_dropped_runs_what_it_has_taken() {
        let pool = pool(1);
        let busy = Busy::start(&pool, || 1);
        let offloads: Vec<_> = (2..10).map(|n| offload_on(&pool, move || n)).collect();
        drop(pool);
        assert_eq!(busy.finish().unwrap(), 1);
        for (offload, n) in offloads.into_iter().zip(2..) {
            assert_eq!(block_on(offload).unwrap(), n);
        }
    }

    #[test]
    fn jobs_run_in_the_order_in_which_one_job_offloads_them() {
        let pool = Arc::new(pool(1));
        let order = Arc::new(Mutex::new(Vec::new()));
        let (sender, receiver) = mpsc::channel();
        let job = {
            let (pool, order) = (Arc::clone(&pool), Arc::clone(&order));
            offload_on(&*pool.clone(), move || {
                for n in 0..20 {
                    let order = Arc::clone(&order);
                    let offload = offload_on(&*pool, move || order.lock().unwrap().push(n));
                    sender.send(offload).unwrap();
                }
            })
        };
        block_on(job).unwrap();
        receiver
            .iter()
            .for_each(|offload| block_on(offload).unwrap());
        assert!(order.lock().unwrap().iter().copied().eq(0..20));
    }
}
