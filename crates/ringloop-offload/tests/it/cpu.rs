//! The pool for work that computes: how many threads it has, and when.

use std::collections::BTreeSet;
use std::env;
use std::process::Command;
use std::sync::{Arc, Barrier, mpsc};
use std::thread;
use std::time::Duration;

use ringloop_offload::{CpuPool, offload_on};

use crate::support::{Busy, Drops, announce_thread_end, block_on};

const RESTRICTED: &str = "RINGLOOP_TEST_ONE_CORE";

#[test]
fn it_has_a_thread_per_core() {
    let cores = thread::available_parallelism().unwrap().get();
    assert_eq!(CpuPool::new().stats().threads_max, cores);
    assert_eq!(CpuPool::default().stats().threads_max, cores);
}

/// Runs itself in a process that may use one core.
#[test]
fn it_has_one_thread_where_the_process_may_use_one_core() {
    if env::var_os(RESTRICTED).is_some() {
        assert_eq!(CpuPool::new().stats().threads_max, 1);
        return;
    }
    let output = Command::new("taskset")
        .arg("--cpu-list")
        .arg(first_allowed_core())
        .arg(env::current_exe().unwrap())
        .args([
            "--exact",
            "cpu::it_has_one_thread_where_the_process_may_use_one_core",
        ])
        .env(RESTRICTED, "1")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}{output:?}");
    assert!(text.contains("1 passed"), "{text}");
}

fn first_allowed_core() -> String {
    let status = std::fs::read_to_string("/proc/self/status").expect("a proc file system");
    let mut lines = status.lines();
    let list = lines
        .find_map(|line| line.strip_prefix("Cpus_allowed_list:"))
        .expect("a list of cores, as in proc_pid_status(5)");
    let digits = list.trim().chars().take_while(char::is_ascii_digit);
    digits.collect()
}

#[test]
fn it_starts_threads_as_jobs_come() {
    let pool = CpuPool::with_threads(2);
    assert_eq!(pool.stats().threads, 0);
    let first = Busy::start(&pool, || 1);
    assert_eq!(pool.stats().threads, 1);
    let second = Busy::start(&pool, || 2);
    assert_eq!((pool.stats().threads, pool.stats().running), (2, 2));
    let third = offload_on(&pool, || 3);
    assert!(third.is_queued());
    assert_eq!(first.finish().unwrap(), 1);
    assert_eq!(block_on(third).unwrap(), 3);
    assert_eq!(second.finish().unwrap(), 2);
    assert_eq!(pool.stats().threads, 2);
}

#[test]
fn idle_threads_leave_and_come_back() {
    let pool = CpuPool::builder()
        .threads(2)
        .keep_alive(Duration::from_nanos(1))
        .build();
    for round in 0..10 {
        let (sender, ended) = mpsc::channel();
        let together = Arc::new(Barrier::new(2));
        let offloads: Vec<_> = (0..2)
            .map(|_| {
                let (sender, together) = (sender.clone(), Arc::clone(&together));
                offload_on(&pool, move || {
                    announce_thread_end(sender);
                    together.wait();
                })
            })
            .collect();
        for offload in offloads {
            block_on(offload).unwrap();
        }
        ended.recv().unwrap();
        ended.recv().unwrap();
        assert_eq!(pool.stats().threads, 0, "round {round}");
    }
}

#[test]
fn threads_have_names() {
    let pool = CpuPool::builder().name("thumbs").threads(1).build();
    let name = offload_on(&pool, || thread::current().name().map(str::to_owned));
    assert_eq!(block_on(name).unwrap().as_deref(), Some("thumbs-0"));
    let pool = CpuPool::with_threads(1);
    let name = offload_on(&pool, || thread::current().name().map(str::to_owned));
    assert_eq!(block_on(name).unwrap().as_deref(), Some("cpu-0"));
}

#[test]
fn each_job_runs_once() {
    let pool = CpuPool::with_threads(3);
    let offloads: Vec<_> = (0..1000)
        .map(|number| offload_on(&pool, move || number))
        .collect();
    let numbers: BTreeSet<i32> = offloads.into_iter().map(|o| block_on(o).unwrap()).collect();
    assert_eq!(numbers.len(), 1000);
    assert_eq!(pool.stats().accepted, 1000);
}

#[test]
fn a_handle_does_not_keep_the_pool_open() {
    let pool = CpuPool::with_threads(1);
    let handle = pool.handle();
    assert_eq!(block_on(offload_on(&handle, || 4)).unwrap(), 4);
    let busy = Busy::start(&handle, || 5);
    let queued = offload_on(&handle.clone(), || unreachable!("the pool goes"));
    drop(pool);
    let late = offload_on(&handle, || unreachable!("the pool is gone"));
    assert!(block_on(late).unwrap_err().is_rejected());
    assert!(block_on(queued).unwrap_err().is_rejected());
    assert_eq!(busy.finish().unwrap(), 5);
}

#[test]
fn shutdown_waits_for_what_runs_and_drops_what_is_queued() {
    let pool = CpuPool::with_threads(1);
    let busy = Busy::start(&pool, || 1);
    let drops = Drops::default();
    let probe = drops.probe();
    let queued = offload_on(&pool, move || drop(probe));
    let report = pool.shutdown(Duration::ZERO);
    assert_eq!(
        (report.finished, report.detached, report.dropped),
        (0, 1, 1)
    );
    assert_eq!(drops.count(), 1);
    assert!(block_on(queued).unwrap_err().is_rejected());
    assert_eq!(busy.finish().unwrap(), 1);
    let report = pool.shutdown(Duration::MAX);
    assert!(report.is_clean());
    assert_eq!(pool.stats().threads, 0);
}

#[test]
#[should_panic(expected = "a pool without threads")]
fn a_pool_of_no_threads_is_a_mistake() {
    drop(CpuPool::with_threads(0));
}
