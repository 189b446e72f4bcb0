//! The threads of a pool: how many stay, what they call, and that idle ones do nothing.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use ringloop_offload::{ThreadPool, offload_on};

use crate::support::{Busy, block_on};

/// The threads of this process whose name begins with `name`, with their `status(5)`.
fn threads_named(name: &str) -> Vec<String> {
    let tasks = fs::read_dir("/proc/self/task").unwrap();
    let statuses =
        tasks.filter_map(|task| fs::read_to_string(task.ok()?.path().join("status")).ok());
    statuses
        .filter(|status| status.starts_with(&format!("Name:\t{name}")))
        .collect()
}

fn voluntary_switches(status: &str) -> u64 {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
    line.unwrap().trim().parse().unwrap()
}

#[test]
fn an_idle_pool_has_no_thread_after_its_keep_alive() {
    let (sender, stopped) = mpsc::channel();
    let sender = Mutex::new(sender);
    let pool = ThreadPool::builder()
        .name("t-idle")
        .keep_alive(Duration::from_millis(1))
        .on_thread_stop(move || sender.lock().unwrap().send(()).unwrap())
        .build();
    let busy = [(); 3].map(|()| Busy::start(&pool, || ()));
    assert!(threads_named("t-idle").len() >= 3);
    for busy in busy {
        busy.finish().unwrap();
    }
    for _ in 0..3 {
        stopped.recv().unwrap();
    }
    // The kernel takes a moment to remove a thread that has done its last.
    while !threads_named("t-idle").is_empty() {
        thread::yield_now();
    }
    assert_eq!(pool.stats().threads, 0);
}

#[test]
fn idle_workers_sleep_undisturbed() {
    let pool = ThreadPool::builder()
        .name("t-sleep")
        .max_threads(2)
        .keep_alive(Duration::MAX)
        .build();
    for _ in 0..100 {
        block_on(offload_on(&pool, || ())).unwrap();
    }
    let switches = || -> Vec<u64> {
        let statuses = threads_named("t-sleep");
        statuses
            .iter()
            .map(|status| voluntary_switches(status))
            .collect()
    };
    // Until they have gone to sleep after the last job; then for as long as another pool takes for
    // a thousand jobs.
    let mut before = switches();
    let other = ThreadPool::fixed(1);
    for attempt in 0.. {
        for _ in 0..1000 {
            block_on(offload_on(&other, || ())).unwrap();
        }
        let after = switches();
        if after == before {
            break;
        }
        assert!(attempt < 5, "{before:?}, {after:?}");
        before = after;
    }
    assert!(!before.is_empty());
}

#[test]
fn the_least_number_of_threads_stays() {
    let stops = Arc::new(AtomicUsize::new(0));
    let builder = ThreadPool::builder()
        .max_threads(3)
        .keep_alive(Duration::from_millis(1));
    let pool = {
        let stops = Arc::clone(&stops);
        let count = move || {
            stops.fetch_add(1, Ordering::Relaxed);
        };
        builder.clone().min_threads(1).on_thread_stop(count).build()
    };
    assert_eq!(pool.stats().threads, 0, "none is started ahead");
    let busy = [(); 3].map(|()| Busy::start(&pool, || ()));
    for busy in busy {
        busy.finish().unwrap();
    }
    wait_until(&pool, 1);
    let stops_before = stops.load(Ordering::Relaxed);
    assert!(stops_before >= 2, "{stops_before}");
    // As long as it takes threads that need not stay to leave, five times over.
    let other = builder.build();
    for _ in 0..5 {
        block_on(offload_on(&other, || ())).unwrap();
        wait_until(&other, 0);
    }
    assert_eq!(pool.stats().threads, 1);
    assert_eq!(stops.load(Ordering::Relaxed), stops_before);
    pool.shutdown(Duration::MAX);
    assert_eq!(stops.load(Ordering::Relaxed), stops_before + 1);
}

/// Waits until all threads but so many have left.
fn wait_until(pool: &ThreadPool, threads: usize) {
    while pool.stats().threads > threads {
        thread::yield_now();
    }
}

#[test]
fn threads_whose_time_is_up_together_do_not_all_leave() {
    let (sender, stopped) = mpsc::channel();
    let sender = Mutex::new(sender);
    let pool = ThreadPool::builder()
        .min_threads(1)
        .max_threads(2)
        .keep_alive(Duration::from_millis(1))
        .on_thread_stop(move || sender.lock().unwrap().send(()).unwrap())
        .build();
    for _ in 0..3 {
        let busy = [(); 2].map(|()| Busy::start(&pool, || ()));
        // Both are released before one is waited for.
        for offload in busy.map(|busy| busy.offload) {
            block_on(offload).unwrap();
        }
        stopped.recv().unwrap();
        // The other one's time is up by then, too.
        stopped.recv_timeout(Duration::from_millis(20)).unwrap_err();
    }
    assert_eq!(pool.stats().threads, 1);
}

#[test]
fn hooks_run_on_the_worker_around_its_jobs() {
    thread_local! {
        static IS_READY: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
    }
    let log = Arc::new(Mutex::new(Vec::new()));
    let [at_start, in_job, at_stop] = [(); 3].map(|()| Arc::clone(&log));
    let pool = ThreadPool::builder()
        .max_threads(1)
        .on_thread_start(move || {
            IS_READY.set(true);
            at_start.lock().unwrap().push("start");
        })
        .on_thread_stop(move || at_stop.lock().unwrap().push("stop"))
        .build();
    let job = offload_on(&pool, move || {
        in_job.lock().unwrap().push("job");
        IS_READY.get()
    });
    assert!(block_on(job).unwrap());
    pool.shutdown(Duration::MAX);
    assert_eq!(*log.lock().unwrap(), ["start", "job", "stop"]);
}

#[test]
fn hooks_that_panic_stop_nothing() {
    let pool = ThreadPool::builder()
        .max_threads(1)
        .on_thread_start(|| panic!("the start hook"))
        .on_thread_stop(|| panic!("the stop hook"))
        .build();
    assert_eq!(block_on(offload_on(&pool, || 3)).unwrap(), 3);
    pool.shutdown(Duration::MAX);
    assert_eq!(pool.stats().threads, 0);
}

#[test]
fn a_thread_in_its_start_hook_holds_up_no_job() {
    // Only the second thread's hook blocks.
    let (release, released) = mpsc::channel::<()>();
    let released = Mutex::new(released);
    let starts = AtomicUsize::new(0);
    let pool = ThreadPool::builder()
        .max_threads(3)
        .on_thread_start(move || {
            if starts.fetch_add(1, Ordering::Relaxed) == 1 {
                let _either = released.lock().unwrap().recv();
            }
        })
        .build();
    let first = Busy::start(&pool, || ());
    // The second thread is started for this one, which goes to the third.
    let second = offload_on(&pool, || 2);
    let third = offload_on(&pool, || 3);
    assert_eq!(block_on(second).unwrap(), 2);
    assert_eq!(block_on(third).unwrap(), 3);
    first.finish().unwrap();
    drop(release);
}
