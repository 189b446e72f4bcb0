//! Functions that the loop calls: soon, later, at a task's end.

use std::cell::RefCell;
use std::future::pending;
use std::panic::panic_any;
use std::rc::Rc;
use std::time::Duration;

use ringloop_core::postbox;
use ringloop_task::call::{CallHandle, call_at, call_later, call_soon};
use ringloop_task::cancel::check_cancelled;
use ringloop_task::task::{TaskRef, TaskState};
use ringloop_task::{Scheduler, Unhandled, UnhandledKind, is_running, task, time};

use crate::driver::{Drops, Log, VirtualDriver, run, secs};

type Reports = Rc<RefCell<Vec<(UnhandledKind, String)>>>;

fn reporting() -> (Scheduler<VirtualDriver>, Reports) {
    let reports = Reports::default();
    let hooked = reports.clone();
    let hook = move |unhandled: &Unhandled| {
        let text = unhandled.to_string();
        hooked.borrow_mut().push((unhandled.kind(), text));
    };
    let driver = VirtualDriver::new().patience(Duration::ZERO);
    let scheduler = Scheduler::builder().on_unhandled(hook).build(driver);
    (scheduler, reports)
}

/// Returns a closure that adds a line to the log.
fn line(log: &Log, text: &'static str) -> impl FnOnce() + use<> {
    let log = log.clone();
    move || log.add(text)
}

struct PanicsInDrop;

impl Drop for PanicsInDrop {
    fn drop(&mut self) {
        panic_any("in drop");
    }
}

#[test]
fn calls_stand_in_line_with_tasks() {
    let log = Log::default();
    let lines = log.clone();
    run(async move {
        call_soon(line(&lines, "call 1"));
        let child = line(&lines, "task");
        drop(task::spawn(async { child() }));
        let inner = lines.clone();
        call_soon(move || {
            inner.add("call 2");
            call_soon(line(&inner, "call of a call"));
        });
        lines.add("main");
        task::yield_now().await.unwrap();
        lines.add("main again");
        task::yield_now().await.unwrap();
    });
    let first = ["main", "call 1", "task", "call 2", "main again"];
    log.check(&[&first[..], &["call of a call"]].concat());
}

#[test]
fn what_a_call_calls_comes_after_the_driver() {
    fn again(left: u64, parks: Rc<RefCell<Vec<u64>>>, count: Rc<dyn Fn() -> u64>) {
        parks.borrow_mut().push(count());
        if left > 0 {
            call_soon(move || again(left - 1, parks, count));
        }
    }
    let clock = Rc::new(std::cell::Cell::new(0));
    let seen = Rc::new(RefCell::new(Vec::new()));
    let driver = crate::driver::CountingDriver::new(Rc::clone(&clock));
    let mut scheduler = Scheduler::new(driver);
    let parks = Rc::clone(&seen);
    scheduler.enter(|| {
        call_soon(move || again(3, parks, Rc::new(move || clock.get())));
    });
    for _ in 0..5 {
        let _turn = scheduler.turn(Some(Duration::ZERO)).unwrap();
    }
    assert_eq!(*seen.borrow(), [0, 1, 2, 3]);
}

#[test]
fn a_call_is_outside_of_any_task() {
    let mut scheduler = Scheduler::new(VirtualDriver::new());
    scheduler.block_on(async {
        let me = task::current().unwrap();
        let (setter, postbox) = postbox();
        let call = call_soon(move || {
            assert!(is_running());
            assert!(task::current().is_none());
            assert!(check_cancelled().is_ok());
            let eager = task::spawn_eager(async { task::current().is_some() });
            assert!(task::current().is_none());
            setter.set((task::all_tasks().len(), eager)).unwrap();
        });
        let shown: Vec<_> = task::all_tasks().iter().map(TaskRef::id).collect();
        assert_eq!(shown, [me.id()]);
        let (tasks, eager) = postbox.await.unwrap();
        assert_eq!(tasks, 1, "a call is no task");
        assert!(eager.await.unwrap());
        assert!(!call.is_cancelled());
    });
    let stats = scheduler.stats();
    assert_eq!((stats.tasks_spawned, stats.tasks_live), (2, 0));
}

#[test]
fn timed_calls_come_in_order_and_never_early() {
    let log = Log::default();
    let lines = log.clone();
    run(async move {
        let start = time::now();
        let at = |offset: u64, text: &'static str| {
            let log = lines.clone();
            call_at(start + secs(offset), move || {
                assert!(time::now() >= start + secs(offset));
                log.add(text);
            })
        };
        at(3, "3");
        at(1, "1, first");
        at(1, "1, second");
        assert_eq!(at(2, "2").when(), Some(start + secs(2)));
        let zero = lines.clone();
        assert_eq!(
            call_later(Duration::ZERO, line(&zero, "zero")).when(),
            Some(start)
        );
        call_soon(line(&zero, "soon"));
        let never = call_later(Duration::MAX, || panic!("never"));
        assert_eq!(never.when(), None);
        time::sleep(secs(9)).await.unwrap();
        assert!(never.cancel());
    });
    log.check(&["soon", "zero", "1, first", "1, second", "2", "3"]);
}

/// Which call × when it is taken back × from where.
#[test]
fn a_call_can_be_taken_back_until_it_begins() {
    type Make = fn(Box<dyn FnOnce()>) -> CallHandle;
    let makes: [Make; 3] = [
        |f| call_soon(f),
        |f| call_later(secs(1), f),
        |f| call_at(time::now() + secs(1), f),
    ];
    for make in makes {
        for is_outside in [false, true] {
            for is_late in [false, true] {
                let mut scheduler = Scheduler::new(VirtualDriver::new());
                let (drops, calls) = (Drops::default(), Drops::default());
                let (value, called) = (drops.value(), calls.value());
                let call = scheduler.block_on(async {
                    let call = make(Box::new(move || drop((value, called))));
                    if is_late {
                        time::sleep(secs(2)).await.unwrap();
                    }
                    if !is_outside {
                        assert_eq!(call.cancel(), !is_late);
                        assert_eq!(drops.count(), 1, "the closure is dropped at once");
                    }
                    call
                });
                if is_outside {
                    assert_eq!(call.clone().cancel(), !is_late);
                }
                assert!(!call.cancel(), "once");
                assert_eq!(call.is_cancelled(), !is_late);
                scheduler.block_on(async { time::sleep(secs(3)).await.unwrap() });
                assert_eq!((drops.count(), calls.count()), (1, 1));
                assert_eq!(scheduler.stats().timers_len, 0);
            }
        }
    }
}

#[test]
fn a_call_cannot_take_itself_back() {
    run(async {
        let slot = Rc::new(RefCell::new(None::<CallHandle>));
        let handle = Rc::clone(&slot);
        let call = call_soon(move || assert!(!handle.borrow().as_ref().unwrap().cancel()));
        *slot.borrow_mut() = Some(call);
        task::yield_now().await.unwrap();
        let call = slot.take().unwrap();
        assert!(!call.is_cancelled());
    });
}

#[test]
fn panics_of_calls_are_reported_once() {
    let (mut scheduler, reports) = reporting();
    scheduler.block_on(async {
        let kept = call_soon(|| panic!("soon"));
        call_later(secs(1), || panic!("later"));
        let captured = PanicsInDrop;
        call_later(secs(2), move || {
            let _captured = captured;
        });
        let captured = PanicsInDrop;
        let withdrawn = call_soon(move || drop(captured));
        assert!(withdrawn.cancel());
        time::sleep(secs(3)).await.unwrap();
        assert!(!kept.is_cancelled());
    });
    drop(scheduler);
    let reports = reports.take();
    let kinds: Vec<_> = reports.iter().map(|(kind, _)| *kind).collect();
    let (panic, in_drop) = (UnhandledKind::Panic, UnhandledKind::DropPanic);
    assert_eq!(kinds, [in_drop, panic, panic, panic]);
    assert!(reports[1].1.starts_with("a call that was made at "));
    assert!(reports[1].1.contains("callbacks.rs") && reports[1].1.ends_with("soon"));
    assert!(reports[2].1.ends_with("later"));
}

#[test]
fn a_shutdown_waits_for_no_call_and_drops_it_without_a_word() {
    let (mut scheduler, reports) = reporting();
    let drops = Drops::default();
    let (early, value) = (drops.value(), drops.value());
    let mut log = Log::default();
    let clock = scheduler.driver().clock();
    scheduler.enter(|| {
        call_soon(line(&log, "queued before"));
        call_later(secs(60), move || drop(early));
    });
    let report = scheduler.shutdown(secs(9));
    assert_eq!(
        (report.cancelled, report.aborted, report.panicked),
        (0, 0, 0)
    );
    assert_eq!(clock.elapsed(), Duration::ZERO);
    assert_eq!(drops.count(), 1);
    log.check(&["queued before"]);
    log = Log::default();
    scheduler.enter(|| {
        call_soon(line(&log, "after"));
        call_later(secs(1), move || drop(value));
    });
    assert_eq!(drops.count(), 2, "refused");
    drop(scheduler);
    log.check(&[]);
    assert!(reports.borrow().is_empty());
}

#[test]
#[should_panic(expected = "no loop running on this thread")]
fn outside_of_a_loop_there_is_nothing_to_call_from() {
    call_soon(|| {});
}

#[test]
fn callbacks_of_a_task_come_after_its_end_in_order() {
    let log = Log::default();
    let lines = log.clone();
    run(async move {
        let (setter, postbox) = postbox::<()>();
        let child = task::spawn(async move { postbox.await.unwrap() });
        let add = |text: &'static str| {
            let log = lines.clone();
            child.on_done(move |task| {
                assert!(task::current().is_none());
                assert_eq!(task.state(), TaskState::Done);
                log.add(text);
            })
        };
        let (_a, b, _c) = (add("a"), add("b"), add("c"));
        assert!(child.remove_on_done(b));
        assert!(!child.remove_on_done(b));
        task::yield_now().await.unwrap();
        lines.add("not before the end");
        setter.set(()).unwrap();
        child.wait().await.unwrap();
        lines.add("waiter");
        task::yield_now().await.unwrap();
        let late = add("late");
        assert!(!child.remove_on_done(late), "it is in the queue already");
        lines.add("never at once");
        task::yield_now().await.unwrap();
        child.await.unwrap();
    });
    let early = ["not before the end", "waiter", "a", "c"];
    log.check(&[&early[..], &["never at once", "late"]].concat());
}

/// How the task ends × where the callback is registered: it is called exactly once.
#[test]
fn every_end_is_told_once() {
    for end in ["returns", "panics", "aborted", "cancelled", "eager"] {
        for is_outside in [false, true] {
            for is_late in [false, true] {
                let (mut scheduler, reports) = reporting();
                let told = Rc::new(RefCell::new(Vec::new()));
                let count = Rc::clone(&told);
                let callback = move |task: &TaskRef| count.borrow_mut().push(task.id());
                let handle = scheduler.enter(|| {
                    let is_eager = end == "eager";
                    task::Builder::new().eager(is_eager).spawn(async move {
                        match end {
                            "returns" | "eager" => {}
                            "panics" => panic_any("oops"),
                            _ => pending().await,
                        }
                    })
                });
                let ending = async {
                    task::yield_now().await.unwrap();
                    match end {
                        "aborted" => handle.abort(),
                        "cancelled" => drop(handle.cancel("enough")),
                        _ => {}
                    }
                    while !handle.is_finished() {
                        task::yield_now().await.unwrap();
                    }
                };
                if is_late {
                    scheduler.block_on(ending);
                    if is_outside {
                        handle.on_done(callback);
                    } else {
                        scheduler.enter(|| handle.on_done(callback));
                    }
                    assert!(told.borrow().is_empty());
                } else {
                    if is_outside {
                        handle.on_done(callback);
                    } else {
                        scheduler.enter(|| handle.on_done(callback));
                    }
                    scheduler.block_on(ending);
                }
                scheduler.block_on(async { task::yield_now().await.unwrap() });
                assert_eq!(
                    *told.borrow(),
                    [handle.id()],
                    "{end} {is_outside} {is_late}"
                );
                assert_eq!(Rc::strong_count(&told), 1, "the callback is gone");
                drop(handle);
                drop(scheduler);
                let unread = usize::from(end == "panics");
                assert_eq!(reports.borrow().len(), unread);
            }
        }
    }
}

#[test]
fn callbacks_may_panic_and_register_others() {
    let (mut scheduler, reports) = reporting();
    let log = Log::default();
    let lines = log.clone();
    scheduler.block_on(async move {
        let child = task::spawn(async {});
        child.on_done(|_| panic!("one"));
        let inner = lines.clone();
        child.on_done(move |task| {
            let inner_log = inner.clone();
            task.on_done(move |_| inner_log.add("registered by a callback"));
            inner.add("after the panic");
        });
        let captured = PanicsInDrop;
        let id = child.on_done(move |_| drop(captured));
        let removed =
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| child.remove_on_done(id)));
        removed.unwrap_err();
        child.await.unwrap();
        for _ in 0..3 {
            task::yield_now().await.unwrap();
        }
    });
    log.check(&["after the panic", "registered by a callback"]);
    assert_eq!(reports.borrow().len(), 1);
}

/// A callback that never runs is dropped on its thread, with the scheduler or at once.
#[test]
fn callbacks_that_never_run_are_dropped_at_home() {
    let drops = Drops::default();
    let values: [_; 4] = std::array::from_fn(|_| drops.value());
    let [parked, late, gone, spare] = values;
    let mut scheduler = Scheduler::new(VirtualDriver::new());
    let waits = scheduler.spawn(pending::<()>());
    let ended = scheduler.spawn(async {});
    scheduler.block_on(async { task::yield_now().await.unwrap() });
    waits.on_done(move |_| drop(parked));
    ended.on_done(move |_| drop(late));
    assert_eq!(drops.count(), 0);
    drop(scheduler);
    assert_eq!(drops.count(), 2, "refused with the scheduler");
    ended.on_done(move |_| drop(gone));
    assert_eq!(drops.count(), 3, "dropped at once");
    drop((waits, ended, spare));
    assert_eq!(drops.count(), 4);
}

#[test]
fn names_can_change_and_polls_are_counted() {
    run(async {
        let child = task::Builder::new().name("before").spawn(async {
            let me = task::current().unwrap();
            me.set_name(format!("request {}", 17));
            task::yield_now().await.unwrap();
            me.poll_count()
        });
        let seen = child.name();
        assert_eq!(child.task().poll_count(), 0);
        task::yield_now().await.unwrap();
        assert_eq!(seen.as_deref(), Some("before"));
        assert_eq!(child.name().as_deref(), Some("request 17"));
        assert_eq!(child.task().poll_count(), 1);
        let task = child.task();
        assert_eq!(child.await.unwrap(), 2);
        assert_eq!(task.poll_count(), 2);
        let eager = task::spawn_eager(async { task::yield_now().await.unwrap() });
        assert_eq!(eager.task().poll_count(), 1);
    });
}

#[test]
fn other_threads_see_the_tasks() {
    let driver = ringloop_core::ThreadDriver::new();
    let mut scheduler = Scheduler::new(driver);
    let remote = scheduler.remote();
    let (parked, is_parked) = std::sync::mpsc::channel();
    let thread = std::thread::spawn(move || {
        is_parked.recv().unwrap();
        let tasks = remote.tasks().unwrap();
        let mut here = Scheduler::new(ringloop_core::ThreadDriver::new());
        let tasks = here.block_on(tasks).unwrap();
        remote.stop().unwrap();
        (tasks, remote)
    });
    scheduler.block_on(async {
        let _idle = task::Builder::new().name("idle").spawn(pending::<()>());
        call_later(secs(60), || {});
        call_soon(move || parked.send(()).unwrap());
        time::sleep(Duration::MAX).await.unwrap_err();
    });
    let (tasks, remote) = thread.join().unwrap();
    let names: Vec<_> = tasks.iter().map(|task| task.name.as_deref()).collect();
    assert_eq!(names, [None, Some("idle")]);
    assert_eq!(tasks[0].state, TaskState::Waiting);
    assert!(tasks[0].parked_at.is_some());
    assert!(tasks[0].id < tasks[1].id);
    // Asked for, and the scheduler goes.
    let asked = remote.tasks().unwrap();
    drop(scheduler);
    let mut here = Scheduler::new(ringloop_core::ThreadDriver::new());
    here.block_on(asked).unwrap_err();
    remote.tasks().unwrap_err();
}
