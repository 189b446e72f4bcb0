//! Observers are told of everything, in order, and cannot do harm.

use std::cell::{Cell, RefCell};
use std::future::pending;
use std::panic::panic_any;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use ringloop_core::postbox;
use ringloop_task::observe::{Observer, Report};
use ringloop_task::task::{self, TaskRef, TaskState};
use ringloop_task::{Scheduler, SchedulerBuilder, call, time};

use crate::driver::{Log, VirtualDriver, secs};

/// Writes down everything, with names instead of numbers.
struct Scribe(Log);

fn name(task: &TaskRef) -> String {
    task.name().as_deref().unwrap_or("main").to_owned()
}

impl Observer for Scribe {
    fn task_spawned(&self, task: &TaskRef) {
        self.0
            .add(format_args!("spawned {} {:?}", name(task), task.state()));
    }

    fn task_woken(&self, task: &TaskRef) {
        let by = task::current().map_or("the loop".to_owned(), |task| name(&task));
        self.0.add(format_args!("{} woken by {by}", name(task)));
    }

    fn before_poll(&self, task: &TaskRef) {
        let outer = task::current();
        assert!(outer.is_none_or(|outer| outer.id() != task.id()));
        self.0.add(format_args!("poll {}", name(task)));
    }

    fn after_poll(&self, task: &TaskRef, state: TaskState) {
        assert_eq!(task.state(), state);
        self.0.add(format_args!("polled {} {state:?}", name(task)));
    }

    fn task_ended(&self, task: &TaskRef) {
        assert_eq!(task.state(), TaskState::Done);
        self.0.add(format_args!("ended {}", name(task)));
    }

    fn parked(&self, timeout: Option<Duration>) {
        self.0.add(format_args!("park {timeout:?}"));
    }

    fn unparked(&self, timeout: Option<Duration>, slept: Duration) {
        self.0.add(format_args!("unpark {timeout:?} {slept:?}"));
    }
}

fn observed(observer: impl Observer + 'static) -> Scheduler<VirtualDriver> {
    let driver = VirtualDriver::new().patience(Duration::ZERO);
    Scheduler::builder().observer(observer).build(driver)
}

fn named(name: &str) -> task::Builder {
    task::Builder::new().name(name)
}

#[test]
fn the_whole_story_in_order() {
    let log = Log::default();
    observed(Scribe(log.clone())).block_on(async {
        let (setter, postbox) = postbox();
        let child = named("child").spawn(async move { postbox.await.unwrap() });
        task::yield_now().await.unwrap();
        setter.set(5).unwrap();
        assert_eq!(child.await.unwrap(), 5);
        time::sleep(secs(3)).await.unwrap();
    });
    log.check(&[
        "spawned main Ready",
        "poll main",
        "spawned child Ready",
        "main woken by main",
        "polled main Ready",
        "poll child",
        "polled child Waiting",
        "park Some(0ns)",
        "unpark Some(0ns) 0ns",
        "poll main",
        "child woken by main",
        "polled main Waiting",
        "poll child",
        "main woken by the loop",
        "polled child Done",
        "ended child",
        "park Some(0ns)",
        "unpark Some(0ns) 0ns",
        "poll main",
        "polled main Waiting",
        "park Some(3s)",
        "unpark Some(3s) 3s",
        "main woken by the loop",
        "poll main",
        "polled main Done",
        "ended main",
    ]);
}

/// How a task may end.
#[derive(Debug, Clone, Copy)]
enum End {
    Returns,
    Panics,
    /// Aborted by another task, before its first poll.
    AbortedFresh,
    /// Aborted by another task, when it waits.
    AbortedWaiting,
    /// Aborts itself, and is dropped after the poll.
    AbortsItself,
    /// Dropped by the shutdown.
    ShutDown,
    /// Cancelled, and dropped because it cannot be told.
    Unaware,
}

const ENDS: [End; 7] = [
    End::Returns,
    End::Panics,
    End::AbortedFresh,
    End::AbortedWaiting,
    End::AbortsItself,
    End::ShutDown,
    End::Unaware,
];

async fn body(end: End, own: Rc<RefCell<Option<task::JoinHandle<()>>>>) {
    match end {
        End::Returns => {}
        End::Panics => panic_any("over"),
        End::AbortsItself => {
            if let Some(own) = &*own.borrow() {
                own.abort();
            }
            pending::<()>().await;
        }
        End::AbortedFresh | End::AbortedWaiting | End::ShutDown | End::Unaware => {
            pending::<()>().await;
        }
    }
}

#[test]
fn every_end_is_told_once_and_last() {
    for end in ENDS {
        let log = Log::default();
        let mut scheduler = observed(Scribe(log.clone()));
        scheduler.block_on(async {
            let own = Rc::new(RefCell::new(None));
            let child = named("child").spawn(body(end, own.clone()));
            own.replace(Some(child));
            if !matches!(end, End::AbortedFresh) {
                task::yield_now().await.unwrap();
            }
            let child = own.take().unwrap();
            match end {
                End::AbortedFresh | End::AbortedWaiting => child.abort(),
                End::Unaware => drop(child.cancel("told in vain")),
                End::Returns | End::Panics | End::AbortsItself | End::ShutDown => {}
            }
            task::yield_now().await.unwrap();
        });
        scheduler.shutdown(Duration::ZERO);
        drop(scheduler);
        let story = log.take();
        let of_child = |line: &&String| line.ends_with("child") || line.contains(" child ");
        let story: Vec<_> = story.iter().filter(of_child).collect();
        let ends = story.iter().filter(|line| ***line == "ended child").count();
        assert_eq!(ends, 1, "{end:?}: {story:?}");
        assert_eq!(*story.last().unwrap(), "ended child", "{end:?}: {story:?}");
    }
}

/// What an observer may be asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Event {
    Spawned,
    Woken,
    BeforePoll,
    AfterPoll,
    Ended,
    Parked,
    Unparked,
}

const EVENTS: [Event; 7] = [
    Event::Spawned,
    Event::Woken,
    Event::BeforePoll,
    Event::AfterPoll,
    Event::Ended,
    Event::Parked,
    Event::Unparked,
];

/// Calls a closure at one event.
struct At<F>(Event, F);

impl<F: Fn(Option<&TaskRef>)> At<F> {
    fn call(&self, event: Event, task: Option<&TaskRef>) {
        if self.0 == event {
            (self.1)(task);
        }
    }
}

impl<F: Fn(Option<&TaskRef>)> Observer for At<F> {
    fn task_spawned(&self, task: &TaskRef) {
        self.call(Event::Spawned, Some(task));
    }

    fn task_woken(&self, task: &TaskRef) {
        self.call(Event::Woken, Some(task));
    }

    fn before_poll(&self, task: &TaskRef) {
        self.call(Event::BeforePoll, Some(task));
    }

    fn after_poll(&self, task: &TaskRef, _state: TaskState) {
        self.call(Event::AfterPoll, Some(task));
    }

    fn task_ended(&self, task: &TaskRef) {
        self.call(Event::Ended, Some(task));
    }

    fn parked(&self, _timeout: Option<Duration>) {
        self.call(Event::Parked, None);
    }

    fn unparked(&self, _timeout: Option<Duration>, _slept: Duration) {
        self.call(Event::Unparked, None);
    }
}

/// A program with all events.
async fn program() -> u32 {
    let child = named("child").spawn(async {
        let slept = time::sleep(secs(1)).await;
        task::yield_now().await.and(slept).map_or(0, |()| 7)
    });
    child.await.unwrap_or_default()
}

#[test]
fn observer_that_panics_is_reported_once_and_told_no_more() {
    for event in EVENTS {
        let reports = Arc::new(Mutex::new(Vec::new()));
        let (calls, others) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
        let (counted, hooked) = (calls.clone(), reports.clone());
        let panics = At(event, move |_: Option<&TaskRef>| {
            counted.set(counted.get() + 1);
            panic_any("in the observer");
        });
        let counted = others.clone();
        let counts = At(event, move |_: Option<&TaskRef>| {
            counted.set(counted.get() + 1);
        });
        let mut scheduler = Scheduler::builder()
            .observer(panics)
            .observer(counts)
            .on_report(move |report| hooked.lock().unwrap().push(report.clone()))
            .build(VirtualDriver::new());
        assert_eq!(scheduler.block_on(program()), 7, "{event:?}");
        assert_eq!(calls.get(), 1, "{event:?}");
        assert!(others.get() > 1, "{event:?}: the second observer is told");
        let message = Some("in the observer".to_owned());
        let reports = std::mem::take(&mut *reports.lock().unwrap());
        assert_eq!(reports, [Report::ObserverPanicked { message }], "{event:?}");
        assert_eq!(scheduler.stats().reports, 1);
    }
}

/// What an observer does to the task that it is told of.
#[derive(Debug, Clone, Copy)]
enum Deed {
    Abort,
    Cancel,
    Spawn,
    Keep,
}

#[test]
fn observers_may_act_on_tasks_at_every_event() {
    for event in EVENTS {
        for deed in [Deed::Abort, Deed::Cancel, Deed::Spawn, Deed::Keep] {
            let kept = Rc::new(RefCell::new(Vec::new()));
            let (keeps, spawns) = (kept.clone(), Cell::new(0));
            let acts = At(event, move |task: Option<&TaskRef>| {
                let of_child = task.filter(|task| task.name().as_deref() == Some("child"));
                match (deed, of_child) {
                    (Deed::Cancel, Some(child)) => drop(child.cancel("observed")),
                    (Deed::Spawn, _) if spawns.get() < 9 => {
                        spawns.set(spawns.get() + 1);
                        drop(task::spawn(async {}));
                    }
                    (Deed::Keep, Some(child)) => keeps.borrow_mut().push(child.clone()),
                    _ => {}
                }
            });
            let aborts = Rc::new(RefCell::new(None::<task::JoinHandle<()>>));
            let aborted = aborts.clone();
            let abort = At(event, move |task: Option<&TaskRef>| {
                if matches!(deed, Deed::Abort)
                    && task.is_some_and(|task| task.name().as_deref() == Some("child"))
                    && let Some(child) = &*aborted.borrow()
                {
                    child.abort();
                }
            });
            let driver = VirtualDriver::new();
            let mut scheduler = Scheduler::builder()
                .observer(acts)
                .observer(abort)
                .build(driver);
            scheduler.block_on(async {
                let child = named("child").spawn(async {
                    let _ended = time::sleep(secs(1)).await;
                });
                aborts.replace(Some(child));
                time::sleep(secs(2)).await.unwrap();
                let child = aborts.take().unwrap();
                assert!(child.is_finished(), "{event:?} {deed:?}");
                drop(child);
            });
            // What the observers have spawned last.
            let report = scheduler.shutdown(secs(1));
            assert_eq!(report.aborted, 0, "{event:?} {deed:?}");
            drop(scheduler);
            let done = |task: &TaskRef| task.state() == TaskState::Done;
            assert!(kept.borrow().iter().all(done));
        }
    }
}

#[test]
fn what_an_observer_does_is_not_told() {
    let told = Rc::new(Cell::new(0));
    let counts = told.clone();
    let spawns = At(Event::Spawned, move |_: Option<&TaskRef>| {
        counts.set(counts.get() + 1);
        drop(task::spawn(async {}));
    });
    observed(spawns).block_on(async { task::spawn(async {}).await.unwrap() });
    assert_eq!(told.get(), 2, "no endless spawning");
}

#[test]
fn calls_are_no_tasks() {
    let log = Log::default();
    observed(Scribe(log.clone())).block_on(async {
        call::call_soon(|| {});
        call::call_later(secs(1), || {});
        task::current().unwrap().on_done(|_| {});
        time::sleep(secs(2)).await.unwrap();
    });
    let is_of_a_task = |line: &&String| !line.contains("park");
    let story = log.take();
    let story: Vec<_> = story.iter().filter(is_of_a_task).collect();
    let lines = [
        "spawned main Ready",
        "poll main",
        "polled main Waiting",
        "main woken by the loop",
        "poll main",
        "polled main Done",
        "ended main",
    ];
    assert_eq!(story, lines);
}

#[test]
fn eager_tasks_are_told_like_others() {
    let log = Log::default();
    observed(Scribe(log.clone())).block_on(async {
        let spawn = |name, duration| named(name).eager(true).spawn(time::sleep(duration));
        drop(spawn("waits", secs(1)));
        let ends = named("ends").eager(true).spawn(async {});
        assert!(ends.is_finished());
    });
    let story = log.take();
    let lines = [
        "spawned main Ready",
        "poll main",
        "spawned waits Waiting",
        "poll waits",
        "polled waits Waiting",
        "spawned ends Waiting",
        "poll ends",
        "polled ends Done",
        "ended ends",
        "polled main Done",
        "ended main",
        "ended waits",
    ];
    assert_eq!(story, lines);
}

#[test]
fn wakes_from_other_threads_are_told() {
    let log = Log::default();
    let driver = VirtualDriver::new().autojump(false);
    let mut scheduler = Scheduler::builder()
        .observer(Scribe(log.clone()))
        .build(driver);
    let remote = scheduler.remote();
    let (setter, postbox) = ringloop_core::remote_postbox();
    let thread = thread::spawn(move || setter.set(()).unwrap());
    scheduler.block_on(postbox).unwrap();
    thread.join().unwrap();
    drop(remote);
    let story = log.take();
    // Unless the other thread was first.
    let was_parked = story.iter().any(|line| line == "park None");
    let was_woken = story.iter().any(|line| line == "main woken by the loop");
    assert_eq!(was_parked, was_woken, "{story:?}");
}

#[test]
fn builders_are_observed_without_a_cost_to_others() {
    let builder: SchedulerBuilder = Scheduler::builder();
    assert!(!format!("{builder:?}").is_empty());
    let stats = {
        let mut plain = builder.debug(Some(false)).build(VirtualDriver::new());
        assert_eq!(plain.block_on(program()), 7);
        plain.stats()
    };
    assert_eq!((stats.longest_poll, stats.reports), (None, 0));
}
