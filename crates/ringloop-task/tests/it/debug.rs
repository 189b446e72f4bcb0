//! Debug mode, and errors that nobody reads.

use std::cell::RefCell;
use std::error::Error;
use std::fmt;
use std::future::pending;
use std::io;
use std::panic::panic_any;
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use ringloop_task::cancel::{Cancelled, Reason};
use ringloop_task::observe::Report;
use ringloop_task::testing::VirtualClock;
use ringloop_task::{Scheduler, SchedulerBuilder, UnhandledKind, call, task, time};

use crate::driver::{VirtualDriver, secs};

type Reports = Arc<Mutex<Vec<Report>>>;

const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// A scheduler in debug mode, without a watchdog, its clock and its reports.
fn debugging(
    settings: impl FnOnce(SchedulerBuilder) -> SchedulerBuilder,
) -> (Scheduler<VirtualDriver>, VirtualClock, Reports) {
    let reports = Reports::default();
    let hooked = reports.clone();
    let builder = Scheduler::builder()
        .debug(Some(true))
        .watchdog(Duration::MAX)
        .on_report(move |report| lock(&hooked).push(report.clone()));
    let driver = VirtualDriver::new().patience(Duration::ZERO);
    let clock = driver.clock();
    (settings(builder).build(driver), clock, reports)
}

fn lock(reports: &Reports) -> MutexGuard<'_, Vec<Report>> {
    reports.lock().expect("no hook panics")
}

fn take(reports: &Reports) -> Vec<Report> {
    std::mem::take(&mut lock(reports))
}

fn named(name: &str) -> task::Builder {
    task::Builder::new().name(name)
}

#[test]
fn slow_polls_are_reported_with_who_and_how_long() {
    let (mut scheduler, clock, reports) = debugging(|builder| builder.slow_poll(millis(50)));
    let busy = |took| {
        let clock = clock.clone();
        async move { clock.advance(took) }
    };
    scheduler.block_on(async {
        for took in [millis(49), millis(50), millis(70), millis(20)] {
            named("slow").spawn(busy(took)).await.unwrap();
        }
        // Time that passes while the task waits is not its poll's.
        time::sleep(secs(100)).await.unwrap();
    });
    let took: Vec<_> = take(&reports)
        .into_iter()
        .map(|report| {
            let line = report.to_string();
            let Report::SlowPoll { task, took } = report else {
                panic!("{report}")
            };
            assert_eq!(task.name(), Some("slow"));
            assert!(task.spawned_at().file().ends_with("debug.rs"));
            assert!(line.contains("\"slow\", spawned at"), "{line}");
            assert!(line.ends_with(&format!("a poll took {took:?}")), "{line}");
            took
        })
        .collect();
    assert_eq!(took, [millis(50), millis(70)]);
    let stats = scheduler.stats();
    assert_eq!((stats.longest_poll, stats.reports), (Some(millis(70)), 2));
}

#[test]
fn usual_limit_is_that_of_asyncio() {
    let (mut scheduler, clock, reports) = debugging(|builder| builder);
    for (took, count) in [(millis(99), 0), (millis(100), 1)] {
        scheduler.block_on(async { clock.advance(took) });
        assert_eq!(take(&reports).len(), count);
    }
}

#[test]
fn busy_time_is_that_of_the_polls() {
    let (mut scheduler, clock, _) = debugging(|builder| builder);
    let task = scheduler.block_on(async {
        let busy = named("busy").spawn(async move {
            for _ in 0..3 {
                clock.advance(millis(7));
                time::sleep(secs(1)).await.unwrap();
            }
        });
        let busy = busy.task();
        for polls in 0..3 {
            assert_eq!(busy.busy_time(), Some(millis(7 * polls)));
            assert_eq!(busy.snapshot().busy, busy.busy_time());
            time::sleep(millis(999)).await.unwrap();
        }
        time::sleep(secs(3)).await.unwrap();
        assert_eq!(busy.busy_time(), None);
        drop(named("later").spawn(time::sleep(secs(1))));
        task::yield_now().await.unwrap();
        let later = task::all_tasks().remove(1);
        assert_eq!(later.busy_time(), Some(Duration::ZERO));
        later
    });
    assert_eq!(task.busy_time(), None, "outside of the loop");
    let mut plain = Scheduler::builder()
        .debug(Some(false))
        .build(VirtualDriver::new());
    plain.block_on(async { assert_eq!(task::current().unwrap().busy_time(), None) });
}

#[test]
fn slow_calls_are_reported_as_what_they_are() {
    let (mut scheduler, clock, reports) = debugging(|builder| builder);
    scheduler.block_on(async {
        call::call_later(secs(1), move || clock.advance(secs(1)));
        time::sleep(secs(3)).await.unwrap();
    });
    let reports = take(&reports);
    let Report::SlowPoll { task, took } = &reports[0] else {
        panic!("{reports:?}")
    };
    assert_eq!((reports.len(), *took), (1, secs(1)));
    assert!(
        task.to_string().starts_with("a call that was made at "),
        "{task}"
    );
}

#[test]
fn hook_that_panics_does_not_stop_the_loop() {
    let mut scheduler = Scheduler::builder()
        .debug(Some(true))
        .slow_poll(Duration::ZERO)
        .on_report(|_| panic_any("the hook as well"))
        .build(VirtualDriver::new());
    scheduler.block_on(async { task::yield_now().await.unwrap() });
    assert_eq!(scheduler.stats().reports, 2);
}

#[test]
fn livelock_is_reported_once_and_again_after_an_event() {
    let (mut scheduler, _, reports) = debugging(|builder| builder.livelock(100));
    scheduler.block_on(async {
        for round in 0..2 {
            let spinner = named("spinner").spawn(async {
                loop {
                    task::yield_now().await?;
                }
                #[expect(unreachable_code, reason = "the type of the output")]
                Ok::<(), Cancelled>(())
            });
            for _ in 0..300 {
                task::yield_now().await.unwrap();
            }
            let report = take(&reports);
            assert_eq!(report.len(), 1, "round {round}: {report:?}");
            let Report::Livelock { polls, busiest } = &report[0] else {
                panic!("{report:?}")
            };
            assert_eq!(*polls, 100);
            let counts: Vec<_> = busiest
                .iter()
                .map(|(task, count)| (task.name(), *count))
                .collect();
            assert_eq!(counts, [(None, 5), (Some("spinner"), 5)]);
            assert!(
                report[0]
                    .to_string()
                    .starts_with("100 polls without an event; task")
            );
            spinner.abort();
            // An event: the next livelock is another one.
            time::sleep(secs(1)).await.unwrap();
        }
    });
}

/// What may come from outside.
#[derive(Debug, Clone, Copy)]
enum Outside {
    Nothing,
    Timer,
    /// A timer that calls a function, and nothing else.
    Call,
    /// A closure of another thread that wakes a task.
    Remote,
}

#[test]
fn events_from_outside_are_progress() {
    for (outside, is_livelock) in [
        (Outside::Nothing, true),
        (Outside::Timer, false),
        (Outside::Call, false),
        (Outside::Remote, false),
    ] {
        let (mut scheduler, clock, reports) = debugging(|builder| builder.livelock(100));
        let remote = scheduler.remote();
        scheduler.block_on(async {
            for _ in 0..10 {
                for _ in 0..40 {
                    task::yield_now().await.unwrap();
                }
                match outside {
                    Outside::Nothing => {}
                    Outside::Timer => {
                        let timer = task::spawn(time::sleep(secs(1)));
                        task::yield_now().await.unwrap();
                        clock.advance(secs(1));
                        timer.await.unwrap().unwrap();
                    }
                    Outside::Call => {
                        call::call_later(secs(1), || {});
                        clock.advance(secs(1));
                    }
                    Outside::Remote => remote.spawn(|| async {}).unwrap().await.unwrap(),
                }
            }
        });
        let reports = take(&reports);
        let livelocks = reports
            .iter()
            .filter(|report| matches!(report, Report::Livelock { .. }));
        assert_eq!(
            livelocks.count() == 1,
            is_livelock,
            "{outside:?}: {reports:?}"
        );
    }
}

#[test]
fn tasks_that_are_never_polled_are_reported_at_the_end() {
    let (mut scheduler, _, reports) = debugging(|builder| builder);
    scheduler.block_on(async {
        drop(named("polled").spawn(pending::<()>()));
        task::yield_now().await.unwrap();
        // An abort is somebody's wish.
        named("aborted").spawn(pending::<()>()).abort();
        drop(named("never").spawn(pending::<()>()));
    });
    assert_eq!(take(&reports), []);
    scheduler.shutdown(Duration::ZERO);
    let reports = take(&reports);
    let Report::NeverPolled { task } = &reports[0] else {
        panic!("{reports:?}")
    };
    assert_eq!((task.name(), reports.len()), (Some("never"), 1));
}

#[test]
fn tasks_that_were_pending_at_the_end_are_named_with_their_park_site() {
    let lines = Rc::new(RefCell::new(Vec::new()));
    let hooked = lines.clone();
    let mut scheduler = Scheduler::builder()
        .on_unhandled(move |unhandled| {
            assert_eq!(unhandled.kind(), UnhandledKind::Aborted);
            let place = unhandled.parked_at().map(|place| place.line());
            hooked.borrow_mut().push((place, unhandled.to_string()));
        })
        .build(VirtualDriver::new());
    let line = line!() + 2;
    scheduler.block_on(async {
        drop(named("sleeper").spawn(async { time::sleep(secs(1)).await }));
        task::yield_now().await.unwrap();
    });
    drop(scheduler);
    let (place, text) = &lines.borrow()[0];
    assert_eq!(*place, Some(line));
    assert!(text.contains("\"sleeper\""), "{text}");
    assert!(
        text.contains(&format!("parked at {}:{line}:", file!())),
        "{text}"
    );
}

/// An error that can be told from others.
#[derive(Debug)]
struct Broken;

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it is broken")
    }
}

impl Error for Broken {}

/// What becomes of the handle of a task that fails.
#[derive(Debug, Clone, Copy)]
enum Handle {
    DroppedBefore,
    DroppedAfter,
    /// Kept until the scheduler's tasks are gone, then dropped inside of the loop.
    Awaited,
    Tried,
    Aborts,
}

#[test]
fn errors_are_reported_exactly_when_nobody_has_read_them() {
    for (what, count) in [
        (Handle::DroppedBefore, 1),
        (Handle::DroppedAfter, 1),
        (Handle::Awaited, 0),
        (Handle::Tried, 0),
        (Handle::Aborts, 0),
    ] {
        for is_debug in [false, true] {
            let (mut scheduler, _, reports) = debugging(|builder| builder.debug(Some(is_debug)));
            scheduler.block_on(async {
                let handle = named("fails").spawn_reporting(async {
                    task::yield_now().await.unwrap();
                    Err::<(), _>(Broken)
                });
                match what {
                    Handle::DroppedBefore => drop(handle),
                    Handle::DroppedAfter => {
                        time::sleep(secs(1)).await.unwrap();
                        assert_eq!(take(&reports), []);
                        drop(handle);
                    }
                    Handle::Awaited | Handle::Tried => drop(handle.await.unwrap().unwrap_err()),
                    Handle::Aborts => {
                        handle.abort();
                        drop(handle);
                    }
                }
                time::sleep(secs(1)).await.unwrap();
            });
            drop(scheduler);
            let reports = take(&reports);
            assert_eq!(reports.len(), count, "{what:?}: {reports:?}");
            for report in reports {
                let Report::UnreadError { task, error } = report else {
                    panic!("{report}")
                };
                assert_eq!((task.name(), &*error), (Some("fails"), "it is broken"));
                assert!(task.spawned_at().file().ends_with("debug.rs"));
            }
        }
    }
}

#[test]
fn values_and_cancellations_are_no_errors() {
    let cancelled = || Cancelled::new(Reason::from("asked for"));
    let (mut scheduler, _, reports) = debugging(|builder| builder);
    scheduler.block_on(async {
        drop(task::spawn_reporting(async { Ok::<_, Broken>(1) }));
        drop(task::spawn_reporting(
            async move { Err::<(), _>(cancelled()) },
        ));
        drop(task::spawn_reporting(async move {
            Err::<(), _>(io::Error::from(cancelled()))
        }));
        drop(task::spawn_reporting(async move {
            Err::<(), Box<dyn Error>>(cancelled().into())
        }));
        drop(task::spawn_reporting(async move {
            Err::<(), Box<dyn Error + Send + Sync>>(cancelled().into())
        }));
        task::yield_now().await.unwrap();
        assert_eq!(take(&reports), []);
        drop(task::spawn_reporting(async {
            Err::<(), _>(io::Error::other("disk"))
        }));
        drop(task::spawn_reporting(async { Err::<(), _>("text") }));
        task::yield_now().await.unwrap();
    });
    let errors: Vec<_> = take(&reports)
        .into_iter()
        .map(|report| {
            let Report::UnreadError { error, .. } = report else {
                panic!("{report}")
            };
            error
        })
        .collect();
    assert_eq!(errors, ["disk", "text"]);
}

#[test]
fn error_whose_text_panics_is_contained() {
    struct Rude;
    impl fmt::Display for Rude {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            panic_any("no text")
        }
    }
    let (mut scheduler, _, reports) = debugging(|builder| builder.on_unhandled(|_| {}));
    scheduler.block_on(async {
        drop(task::spawn_reporting(async { Err::<(), _>(Rude) }));
        task::yield_now().await.unwrap();
    });
    assert_eq!(take(&reports), []);
    assert_eq!(scheduler.stats().unhandled, 1);
}

#[test]
fn stats_count_wakes_and_timers() {
    let (mut scheduler, _, _) = debugging(|builder| builder);
    scheduler.block_on(async {
        let child = task::spawn(time::sleep(secs(1))); // Woken by its timer: 1.
        for _ in 0..5 {
            task::yield_now().await.unwrap(); // 5 more.
        }
        child.await.unwrap().unwrap(); // The main task: 1 more.
    });
    let stats = scheduler.stats();
    assert_eq!((stats.wakes, stats.timers_fired), (7, 1));
    assert_eq!((stats.remote_wakes, stats.polls), (0, 9));
}

#[test]
fn environment_decides_where_the_program_does_not() {
    // Not set here, and a test cannot change the environment of its process: it runs itself.
    let is_on = |debug| {
        let scheduler = Scheduler::builder()
            .debug(debug)
            .build(VirtualDriver::new());
        scheduler.stats().longest_poll.is_some()
    };
    if let Some(expected) = std::env::var_os("OBSERVE_TEST_EXPECTS") {
        assert_eq!(is_on(None), expected == "on");
        assert!(is_on(Some(true)));
        assert!(!is_on(Some(false)));
        return;
    }
    for (value, expected) in [
        (Some("1"), "on"),
        (Some("yes"), "on"),
        (Some("0"), "off"),
        (Some(""), "off"),
        (None, "off"),
    ] {
        let program = std::env::current_exe().unwrap();
        let mut command = std::process::Command::new(program);
        command
            .args([
                "--exact",
                "debug::environment_decides_where_the_program_does_not",
            ])
            .env("OBSERVE_TEST_EXPECTS", expected)
            .env_remove("RINGLOOP_DEBUG");
        if let Some(value) = value {
            command.env("RINGLOOP_DEBUG", value);
        }
        let output = command.output().unwrap();
        assert!(output.status.success(), "{value:?}: {output:?}");
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(text.contains("1 passed"), "{text}");
    }
}
