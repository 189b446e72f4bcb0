//! The end of a runtime whose jobs still run, and panics of jobs that nobody awaits.

use std::cell::RefCell;
use std::future::pending;
use std::rc::Rc;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use ringloop::cancel::shield;
use ringloop::offload::{Builder, Interrupt, Offloaded, ThreadPool, cpu, offload_on};
use ringloop::runtime::{Unhandled, UnhandledKind};
use ringloop::task::yield_now;
use ringloop::{Runtime, offload, spawn};
use ringloop_core::{Driver, ThreadDriver};

use crate::rig::{again, cancelled_while_pending, is_child, run};

/// What the hook was told: what, of whom, and in which file.
type Log = Rc<RefCell<Vec<(UnhandledKind, Option<String>)>>>;

fn logging(builder: ringloop::runtime::Builder) -> (ringloop::runtime::Builder, Log) {
    let log = Log::default();
    let lines = Rc::clone(&log);
    let note = move |unhandled: &Unhandled| {
        let name = unhandled.name().map(|name| name.to_string());
        let at = unhandled.spawned_at().expect("work has a place");
        assert!(at.file().ends_with("jobs_end.rs"), "{at}");
        assert!(unhandled.to_string().contains(at.file()), "{unhandled}");
        lines.borrow_mut().push((unhandled.kind(), name));
    };
    (builder.on_unhandled(note), log)
}

fn with_grace(grace: Duration) -> (Runtime, Log) {
    let (builder, log) = logging(Runtime::builder().grace(grace));
    (builder.build().unwrap(), log)
}

/// A job that runs until the sender is dropped, whatever it is asked.
fn stubborn<T: Send + 'static>(
    result: impl FnOnce() -> T + Send + 'static,
) -> (
    mpsc::Sender<()>,
    impl FnOnce() -> T + Send + 'static,
    mpsc::Receiver<()>,
) {
    let (release, released) = mpsc::channel::<()>();
    let (running, runs) = mpsc::channel();
    let job = move || {
        running.send(()).unwrap();
        released.recv().ok();
        result()
    };
    (release, job, runs)
}

type Work = Box<dyn FnOnce() + Send>;

/// Both pools. Closures, so that the place is here.
const POOLS: [fn(Work) -> Offloaded<()>; 2] = [|work| offload(work), |work| cpu(work)];

/// Drops itself on a thread, and says on which.
struct Noting(mpsc::Sender<thread::ThreadId>);

impl Drop for Noting {
    fn drop(&mut self) {
        self.0.send(thread::current().id()).ok();
    }
}

fn until_asked() {
    while !Interrupt::current().is_requested() {
        thread::yield_now();
    }
}

#[test]
fn what_still_runs_is_named_and_told_once() {
    let (mut runtime, log) = with_grace(Duration::from_millis(1));
    let (release, first, first_runs) = stubborn(|| ());
    let (also, second, second_runs) = stubborn(|| ());
    let jobs = runtime.block_on(async {
        let jobs = [
            Builder::new().name("backup").offload(first),
            Builder::new().cpu(second),
        ];
        first_runs.recv().unwrap();
        second_runs.recv().unwrap();
        jobs
    });
    let stats = runtime.stats();
    assert_eq!((stats.blocking.running, stats.cpu.running), (1, 1));
    let report = runtime.shutdown();
    assert!(!report.is_clean());
    assert_eq!(report.still_running.len(), 2);
    assert_eq!(report.still_running[0].name.as_deref(), Some("backup"));
    assert_eq!(report.still_running[1].name, None);
    assert!(
        report
            .to_string()
            .contains("2 still running\n  `backup`, offloaded at "),
        "{report}"
    );
    let left = |name: Option<&str>| (UnhandledKind::LeftRunning, name.map(str::to_owned));
    assert_eq!(log.take(), [left(Some("backup")), left(None)]);
    // F86: what comes now finds nobody, or whoever has kept the future.
    drop((release, also));
    for job in jobs {
        job.wait().unwrap();
    }
    assert!(log.take().is_empty());
}

#[test]
fn tasks_and_both_pools_share_one_grace() {
    let grace = Duration::from_millis(300);
    let clock = ThreadDriver::new();
    let (mut runtime, log) = with_grace(grace);
    let (release, blocking, blocking_runs) = stubborn(|| ());
    let (also, computing, computing_runs) = stubborn(|| ());
    let jobs = runtime.block_on(async {
        spawn(shield(pending::<()>()));
        let jobs = [offload(blocking), cpu(computing)];
        blocking_runs.recv().unwrap();
        computing_runs.recv().unwrap();
        yield_now().await.unwrap();
        jobs
    });
    let before = clock.now();
    let report = runtime.shutdown();
    let took = clock.now() - before;
    assert!(took >= grace && took < grace * 2, "{took:?}");
    assert_eq!((report.aborted, report.still_running.len()), (1, 2));
    assert_eq!(log.borrow().len(), 3);
    drop((release, also, jobs));
}

#[test]
fn the_end_waits_no_longer_than_the_jobs() {
    let (mut runtime, log) = with_grace(Duration::from_secs(3600));
    let held = runtime.block_on(async {
        let (queue, is_asked) = mpsc::channel();
        let jobs = POOLS.map(|on_pool| {
            let queue = queue.clone();
            on_pool(Box::new(move || {
                queue.send(()).unwrap();
                until_asked();
            }))
        });
        is_asked.recv().unwrap();
        is_asked.recv().unwrap();
        jobs.map(|job: Offloaded<()>| spawn(job))
    });
    let report = runtime.shutdown();
    assert!(report.is_clean() && report.cancelled == 2, "{report}");
    assert!(log.take().is_empty());
    drop(held);
}

#[test]
fn queued_work_is_dropped_and_its_waiter_told() {
    let (builder, log) = logging(Runtime::builder().grace(Duration::from_millis(1)));
    let mut runtime = builder
        .offload(|pool| pool.max_threads(1))
        .cpu_threads(1)
        .build()
        .unwrap();
    let mut held = Vec::new();
    let queued: Vec<_> = runtime
        .block_on(async {
            for on_pool in POOLS {
                let (release, job, runs) = stubborn(|| ());
                held.push((release, on_pool(Box::new(job))));
                runs.recv().unwrap();
            }
            POOLS.map(|on_pool| on_pool(Box::new(|| unreachable!("the pool is busy"))))
        })
        .into();
    let report = runtime.shutdown();
    assert_eq!((report.jobs_dropped, report.still_running.len()), (2, 2));
    for job in queued {
        let result: Result<(), _> = job.wait();
        assert!(result.unwrap_err().is_rejected());
    }
    assert_eq!(log.take().len(), 2);
}

#[test]
fn without_a_hook_it_is_said_on_the_standard_error() {
    const TEST: &str = "jobs_end::without_a_hook_it_is_said_on_the_standard_error";
    if is_child() {
        let (release, job, runs) = stubborn(|| ());
        let runtime = Runtime::builder().grace(Duration::from_millis(1));
        let mut runtime = runtime.debug(Some(false)).build().unwrap();
        runtime.block_on(async {
            let job = Builder::new().name("backup").offload(job);
            runs.recv().unwrap();
            drop(job);
        });
        drop(runtime);
        drop(release);
        return;
    }
    let output = again(TEST);
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{errors}");
    assert_eq!(errors.lines().count(), 1, "{errors}");
    assert!(
        errors.starts_with("ringloop: work `backup`, offloaded at "),
        "{errors}"
    );
    assert!(errors.contains("jobs_end.rs:"), "{errors}");
    assert!(
        errors.ends_with("was still running when its runtime had ended\n"),
        "{errors}"
    );
}

#[test]
fn a_runtime_that_is_dropped_in_a_loop_waits_for_nothing_and_says_so() {
    let (mut runtime, log) = with_grace(Duration::from_secs(3600));
    let (release, job, runs) = stubborn(|| ());
    let job = runtime.block_on(async {
        let job = offload(job);
        runs.recv().unwrap();
        job
    });
    run(async move { drop(runtime) });
    assert_eq!(log.take(), [(UnhandledKind::LeftRunning, None)]);
    drop(release);
    job.wait().unwrap();
}

/// F83: how a job that panics comes to be without a reader × how often the hook is told.
#[test]
fn a_panic_that_nobody_reads_is_told_once() {
    let read = ["awaited", "waited for"];
    let unread = [
        "dropped",
        "left behind",
        "aborted",
        "never polled",
        "at the end",
    ];
    for fate in read.into_iter().chain(unread) {
        let (builder, log) = logging(Runtime::builder().grace(Duration::from_secs(60)));
        let mut runtime = builder.offload(|pool| pool.max_threads(1)).build().unwrap();
        let remote = runtime.remote();
        let (release, work, runs) = stubborn(|| panic!("oops"));
        runtime.block_on(async {
            let job: Offloaded<()> = Builder::new().name("careless").offload(work);
            runs.recv().unwrap();
            match fate {
                "awaited" => {
                    drop(release);
                    assert_eq!(job.await.unwrap_err().panic_message(), Some("oops"));
                }
                "waited for" => {
                    drop(release);
                    assert_eq!(job.wait().unwrap_err().panic_message(), Some("oops"));
                }
                "dropped" => drop((job, release)),
                "left behind" => {
                    let exit = cancelled_while_pending(job.abandon_on_cancel()).await;
                    assert!(exit.is_none());
                    drop(release);
                }
                "aborted" => {
                    let task = spawn(job);
                    yield_now().await.unwrap();
                    task.abort();
                    drop(release);
                }
                "never polled" => {
                    drop(release);
                    // The only thread is free again: the panic is at home, and goes unread.
                    offload(|| ()).await.unwrap();
                    assert!(log.borrow().is_empty());
                    drop(job);
                }
                _ => {
                    // It panics when the loop has closed and tells nobody any more.
                    thread::spawn(move || {
                        while !remote.is_closed() {
                            thread::yield_now();
                        }
                        drop(release);
                    });
                    return drop(job);
                }
            }
            offload(|| ()).await.unwrap();
            yield_now().await.unwrap();
            assert_eq!(
                log.borrow().len(),
                usize::from(!read.contains(&fate)),
                "{fate}"
            );
        });
        assert_eq!(runtime.shutdown().panicked, 0, "{fate}");
        let expected = match read.contains(&fate) {
            true => vec![],
            false => vec![(UnhandledKind::Panic, Some("careless".to_owned()))],
        };
        assert_eq!(log.take(), expected, "{fate}");
    }
}

/// F86: a panic of a job that its runtime has left behind.
#[test]
fn a_panic_after_the_end_is_nobody_s_any_more() {
    for is_kept in [true, false] {
        let (mut runtime, log) = with_grace(Duration::ZERO);
        let pool = ThreadPool::fixed(1);
        let (release, work, runs) = stubborn(|| panic!("oops"));
        let kept: Option<Offloaded<()>> = runtime.block_on(async {
            let job = offload_on(&pool, work);
            runs.recv().unwrap();
            is_kept.then_some(job)
        });
        drop(runtime);
        drop(release);
        if let Some(job) = kept {
            assert_eq!(job.wait().unwrap_err().panic_message(), Some("oops"));
        }
        assert!(pool.shutdown(Duration::from_secs(60)).is_clean());
        assert!(log.take().is_empty());
    }
}

/// F85: who does not want the result any more.
#[test]
fn a_result_that_nobody_wants_is_dropped_on_the_worker() {
    for fate in ["dropped", "left behind", "aborted", "its runtime is gone"] {
        let (note, dropped) = mpsc::channel();
        let (release, work, runs) = stubborn(|| Noting(note));
        let mut runtime = Runtime::builder().grace(Duration::ZERO).build().unwrap();
        let pool = ThreadPool::fixed(1);
        runtime.block_on(async {
            let job = offload_on(&pool, work);
            runs.recv().unwrap();
            match fate {
                "dropped" => drop(job),
                "left behind" => {
                    let exit = cancelled_while_pending(job.abandon_on_cancel()).await;
                    assert!(exit.is_none());
                }
                "aborted" => {
                    let task = spawn(job);
                    yield_now().await.unwrap();
                    task.abort();
                }
                _ => drop(spawn(job)),
            }
        });
        if fate == "its runtime is gone" {
            drop(runtime);
        }
        drop(release);
        assert!(pool.shutdown(Duration::from_secs(60)).is_clean());
        assert_ne!(dropped.recv(), Ok(thread::current().id()), "{fate}");
    }
}

#[test]
fn statistics_count_the_jobs_of_both_pools() {
    let mut runtime = Runtime::builder().cpu_threads(1).build().unwrap();
    assert_eq!(runtime.stats().cpu.accepted, 0);
    runtime.block_on(async {
        offload(|| ()).await.unwrap();
        cpu(|| panic!("oops")).await.unwrap_err();
        // The only thread has counted the one before.
        cpu(|| ()).await.unwrap();
    });
    let stats = runtime.stats();
    assert_eq!((stats.blocking.accepted, stats.cpu.accepted), (1, 2));
    assert_eq!(stats.cpu.threads_max, 1);
    assert_eq!(stats.cpu.panicked, 1, "the pool sees the panic as it is");
}

#[test]
#[should_panic(expected = "a pool needs a thread")]
fn a_pool_without_threads_is_refused() {
    drop(Runtime::builder().cpu_threads(0));
}

#[test]
fn the_end_closes_a_pool_that_was_not_used_before() {
    let (mut runtime, _log) = with_grace(Duration::from_secs(20));
    let (sender, receiver) = mpsc::channel();
    runtime.block_on(async {
        let (running, runs) = mpsc::channel();
        let abandoned = offload(move || {
            running.send(()).unwrap();
            while offload(|| ()).wait().is_ok() {
                thread::yield_now();
            }
            // One pool is closed by now, and the other at the same time.
            let is_refused = (0..10_000).any(|_| cpu(|| ()).wait().is_err());
            sender.send(is_refused).unwrap();
        });
        runs.recv().unwrap();
        drop(abandoned);
    });
    let report = runtime.shutdown();
    assert!(receiver.recv().unwrap(), "{report}");
    assert!(report.still_running.is_empty(), "{report}");
}
