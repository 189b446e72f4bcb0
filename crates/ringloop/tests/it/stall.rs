//! Work that waits too long for a thread, as debug mode tells of it; and closures that borrow.

use std::sync::{Mutex, mpsc};
use std::time::Duration;

use ringloop::observe::Report;
use ringloop::offload::{Builder, Interrupt, Offloaded, cpu, scope};
use ringloop::runtime::SchedulerBuilder;
use ringloop::{Runtime, offload};

use crate::rig::run;

/// What a runtime with one thread in each pool is told of stalls.
fn watched(
    set: impl Fn(SchedulerBuilder) -> SchedulerBuilder,
) -> (Runtime, mpsc::Receiver<Report>) {
    let (sender, reports) = mpsc::channel();
    let sender = Mutex::new(sender);
    let builder = Runtime::builder().scheduler(|scheduler| {
        set(scheduler).on_report(move |report| {
            if let Report::Stalled { .. } = report {
                sender.lock().unwrap().send(report.clone()).unwrap();
            }
        })
    });
    let builder = builder.offload(|pool| pool.max_threads(1).name("io"));
    (builder.cpu_threads(1).build().unwrap(), reports)
}

/// Both pools. Closures, so that the place is here.
const POOLS: [fn(Builder, Work) -> Offloaded<()>; 2] =
    [|job, work| job.offload(work), |job, work| job.cpu(work)];

type Work = Box<dyn FnOnce() + Send>;

#[test]
fn work_that_waits_too_long_is_reported_with_what_it_waits_for() {
    for (on_pool, name) in POOLS.into_iter().zip(["io", "cpu"]) {
        let (mut runtime, reports) = watched(|loop_| loop_.watchdog(Duration::from_millis(1)));
        runtime.block_on(async {
            let (release, released) = mpsc::channel::<()>();
            let busy = Builder::new().name("busy");
            let busy = on_pool(busy, Box::new(move || _ = released.recv()));
            let late = on_pool(Builder::new().name("late"), Box::new(|| ()));
            let report = reports.recv().unwrap();
            let text = report.to_string();
            let Report::Stalled {
                pool,
                at,
                is_deadlock,
                ..
            } = report
            else {
                unreachable!("others are not sent")
            };
            assert_eq!((pool.as_str(), is_deadlock), (name, false));
            assert!(at.file().ends_with("stall.rs"));
            assert!(text.contains("`late`") && text.contains("`busy`"), "{text}");
            drop(release);
            busy.await.unwrap();
            late.await.unwrap();
        });
    }
}

#[test]
fn work_that_waits_for_itself_is_a_deadlock() {
    let (mut runtime, reports) = watched(|loop_| loop_.watchdog(Duration::from_millis(1)));
    runtime.block_on(async {
        let job = offload(|| {
            let (sender, value) = mpsc::channel();
            let inner = offload(move || sender.send(7).unwrap());
            // Not with `inner.wait()`, which would run it here.
            while !Interrupt::current().is_requested() {
                if let Ok(value) = value.try_recv() {
                    return value;
                }
                std::thread::yield_now();
            }
            drop(inner);
            0
        });
        while !matches!(
            reports.recv().unwrap(),
            Report::Stalled {
                is_deadlock: true,
                ..
            }
        ) {}
        let task = ringloop::spawn(job);
        task.cancel("it would never end");
        assert_eq!(task.await.unwrap().unwrap(), 0);
    });
}

#[test]
fn without_debug_mode_nobody_watches() {
    let (mut runtime, reports) = watched(|loop_| loop_.debug(Some(false)));
    runtime.block_on(async {
        let job = offload(|| offload(|| 7).wait());
        assert_eq!(
            job.await.unwrap().unwrap(),
            7,
            "a job that waits runs what it waits for"
        );
    });
    drop(runtime);
    assert!(reports.recv().is_err());
}

#[test]
fn a_scope_in_a_job_borrows_and_is_told_to_stop() {
    run(async {
        let job = offload(|| {
            let numbers: Vec<u32> = (0..100).collect();
            let sums: u32 = scope(|s| {
                let parts: Vec<_> = numbers
                    .chunks(7)
                    .map(|part| s.spawn(|| part.iter().sum::<u32>()))
                    .collect();
                parts.into_iter().map(|part| part.join().unwrap()).sum()
            });
            sums
        });
        assert_eq!(job.await.unwrap(), 4950);
        let (running, runs) = mpsc::channel();
        let job = cpu(move || {
            scope(|s| {
                s.spawn(move || {
                    running.send(()).unwrap();
                    while !Interrupt::current().is_requested() {
                        std::thread::yield_now();
                    }
                });
            });
            Interrupt::current().reason().unwrap().to_string()
        });
        runs.recv().unwrap();
        let told = crate::rig::cancelled_while_pending(job)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(told, "cancelled: while it waits");
    });
}
