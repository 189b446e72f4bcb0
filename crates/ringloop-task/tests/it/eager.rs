//! Tasks that are polled in the call that spawns them.

use std::cell::{Cell, RefCell};
use std::future::{pending, poll_fn, ready};
use std::panic::panic_any;
use std::rc::Rc;
use std::task::Poll;

use ringloop_core::postbox;
use ringloop_task::cancel::{CancelScope, check_cancelled, shield};
use ringloop_task::group::{TaskGroup, group};
use ringloop_task::task::{EAGER_DEPTH_MAX, TaskState};
use ringloop_task::{Scheduler, UnhandledKind, task, time};

use crate::driver::{Drops, Log, VirtualDriver, run, secs};

fn ready_len() -> usize {
    task::all_tasks()
        .iter()
        .filter(|task| task.state() == TaskState::Ready)
        .count()
}

#[test]
fn the_first_poll_is_inside_the_spawn_and_the_rest_is_queued() {
    let log = Log::default();
    let lines = log.clone();
    run(async move {
        let queued = task::spawn({
            let log = lines.clone();
            async move { log.add("queued") }
        });
        let eager = task::spawn_eager({
            let log = lines.clone();
            async move {
                log.add("eager");
                task::yield_now().await.unwrap();
                log.add("eager, after the yield");
            }
        });
        lines.add("spawner");
        assert!(!eager.is_finished());
        eager.await.unwrap();
        queued.await.unwrap();
    });
    log.check(&["eager", "spawner", "queued", "eager, after the yield"]);
}

#[test]
fn a_task_that_ends_at_once_never_touches_the_ready_queue() {
    let mut scheduler = Scheduler::new(VirtualDriver::new());
    scheduler.block_on(async {
        let mut first = task::spawn_eager(async { 1 });
        assert!(first.is_finished());
        assert_eq!(ready_len(), 0);
        assert_eq!(first.try_result().unwrap().unwrap(), 1);
        // The handle is ready in its first poll.
        let mut second = task::Builder::new().eager(true).name("two").spawn(ready(2));
        let now = poll_fn(|cx| Poll::Ready(std::pin::Pin::new(&mut second).poll(cx))).await;
        assert!(matches!(now, Poll::Ready(Ok(2))));
        assert!(
            !task::Builder::new()
                .eager(false)
                .spawn(ready(3))
                .is_finished()
        );
        assert_eq!(task::all_tasks().len(), 2, "the main task and the last");
    });
    let stats = scheduler.stats();
    assert_eq!((stats.polls, stats.tasks_spawned), (3, 4));
}

#[test]
fn the_current_task_changes_and_comes_back() {
    run(async {
        let main = task::current().unwrap().id();
        let inner = task::spawn_eager(async move {
            let outer = task::current().unwrap();
            assert_ne!(outer.id(), main);
            assert_eq!(outer.state(), TaskState::Running);
            let running = task::all_tasks();
            let running = running.iter().filter(|t| t.state() == TaskState::Running);
            assert_eq!(running.count(), 2, "the spawner runs, too");
            let nested = task::spawn_eager(async { task::current().unwrap().id() });
            assert_eq!(task::current().unwrap().id(), outer.id());
            (outer.id(), nested.await.unwrap())
        });
        assert_eq!(task::current().unwrap().id(), main);
        let id = inner.id();
        let (outer, nested) = inner.await.unwrap();
        assert_eq!(outer, id);
        assert_ne!(nested, outer);
    });
}

#[test]
fn outside_of_tasks_it_works_too() {
    let mut scheduler = Scheduler::new(VirtualDriver::new());
    let mut handle = scheduler.enter(|| {
        let handle = task::spawn_eager(async { task::current().is_some() });
        assert!(task::current().is_none());
        handle
    });
    assert!(handle.try_result().unwrap().unwrap());
}

/// What the first poll does × whether the spawner is in a cancelled scope: the spawner's scopes
/// reach nobody, and are back afterwards.
#[test]
fn scopes_of_the_spawner_stay_with_the_spawner() {
    for is_cancelled in [false, true] {
        for ends in [false, true] {
            run(async move {
                let scope = CancelScope::new();
                let handle = scope.handle();
                let exit = scope
                    .run(async move {
                        if is_cancelled {
                            handle.cancel("enough");
                        }
                        let child = task::spawn_eager(async move {
                            check_cancelled()?;
                            let inside = CancelScope::new();
                            inside.token().cancel("the child's own");
                            let exit = inside.run(async { task::yield_now().await }).await;
                            assert!(exit.is_cancelled());
                            if !ends {
                                task::yield_now().await?;
                            }
                            Ok::<(), ringloop_task::cancel::Cancelled>(())
                        });
                        assert_eq!(child.is_finished(), ends);
                        assert_eq!(check_cancelled().is_err(), is_cancelled);
                        shield(child).await.unwrap().unwrap();
                        check_cancelled()
                    })
                    .await;
                assert_eq!(exit.is_cancelled(), is_cancelled);
            });
        }
    }
}

#[test]
fn the_count_of_refused_waits_is_the_spawners_own() {
    run(async {
        // The task is cancelled and ignores it: at some wait it is let through, and not before
        // the same wait as without eager spawns in between.
        let refused = |spawns: bool| {
            task::spawn(async move {
                task::current().unwrap().cancel("ignored");
                let mut refused = 0;
                while task::yield_now().await.is_err() {
                    refused += 1;
                    if spawns {
                        drop(task::spawn_eager(async {
                            drop(check_cancelled());
                        }));
                    }
                }
                refused
            })
        };
        let plain = refused(false).await.unwrap();
        assert!(plain > 0);
        assert_eq!(refused(true).await.unwrap(), plain);
    });
}

#[test]
fn a_panic_in_the_first_poll_is_the_handles() {
    let reports = Rc::new(RefCell::new(Vec::new()));
    let hooked = Rc::clone(&reports);
    let mut scheduler = Scheduler::builder()
        .on_unhandled(move |unhandled| hooked.borrow_mut().push(unhandled.kind()))
        .build(VirtualDriver::new());
    scheduler.block_on(async {
        let main = task::current().unwrap().id();
        let read = task::spawn_eager(async { panic_any("read") });
        assert_eq!(task::current().unwrap().id(), main);
        assert!(check_cancelled().is_ok());
        let error: task::JoinError = read.await.map(|(): ()| ()).unwrap_err();
        assert!(error.is_panic());
        assert!(reports.borrow().is_empty());
        let unread = task::spawn_eager(async { panic_any("unread") });
        drop::<task::JoinHandle<()>>(unread);
        assert_eq!(*reports.borrow(), [UnhandledKind::Panic]);
    });
    drop(scheduler);
    assert_eq!(reports.borrow().len(), 1);
}

/// What a task does to itself in its first poll, and whether it then waits or ends.
#[test]
fn a_task_may_end_itself_in_its_first_poll() {
    for aborts in [false, true] {
        for waits in [false, true] {
            run(async move {
                let drops = Drops::default();
                let value = drops.value();
                let child = task::spawn_eager(async move {
                    let _value = value;
                    let me = task::current().unwrap();
                    if aborts {
                        me.abort();
                    } else {
                        assert!(me.cancel("by itself"));
                    }
                    if waits {
                        pending::<()>().await;
                    }
                });
                // The request is a wake, too: it is served in the next poll.
                let dropped_at_once = u32::from(aborts || !waits);
                assert_eq!(drops.count(), dropped_at_once, "{aborts} {waits}");
                let result = child.await;
                assert_eq!(drops.count(), 1);
                match (waits, aborts) {
                    (false, _) => result.unwrap(),
                    (true, true) => assert!(result.unwrap_err().is_aborted()),
                    (true, false) => assert!(result.unwrap_err().is_cancelled()),
                }
            });
        }
    }
}

#[test]
fn the_spawner_may_be_aborted_by_its_eager_child() {
    run(async {
        let drops = Drops::default();
        let value = drops.value();
        let parent = task::spawn(async move {
            let _value = value;
            let me = task::current().unwrap();
            let child = task::spawn_eager(async move { me.abort() });
            assert!(child.is_finished(), "the parent goes on to its next wait");
            pending::<()>().await;
        });
        assert!(parent.await.unwrap_err().is_aborted());
        assert_eq!(drops.count(), 1);
    });
}

#[test]
fn nested_eager_spawns_end_at_a_depth() {
    fn nest(left: u32, deepest: Rc<Cell<u32>>, depth: u32) {
        deepest.set(deepest.get().max(depth));
        if left > 0 {
            drop(task::spawn_eager(async move {
                nest(left - 1, deepest, depth + 1);
            }));
        }
    }
    run(async {
        let wanted = 3 * EAGER_DEPTH_MAX;
        let deepest = Rc::new(Cell::new(0));
        nest(wanted, Rc::clone(&deepest), 0);
        assert_eq!(deepest.get(), EAGER_DEPTH_MAX, "the next one is queued");
        task::yield_now().await.unwrap();
        assert_eq!(deepest.get(), 2 * EAGER_DEPTH_MAX + 1, "and begins anew");
        task::yield_now().await.unwrap();
        assert_eq!(deepest.get(), wanted, "the rest");
    });
}

#[test]
fn wakes_and_timers_of_the_first_poll_count() {
    let log = Log::default();
    let lines = log.clone();
    run(async move {
        let (setter, postbox) = postbox();
        let receiver = task::spawn_eager(async move { postbox.await.unwrap() });
        let sleeper = task::spawn_eager({
            let log = lines.clone();
            async move {
                time::sleep(secs(1)).await.unwrap();
                log.add("slept");
            }
        });
        // Sets the value inside its own first poll: the receiver is woken, not polled.
        let sender = task::spawn_eager(async move { setter.set(5).unwrap() });
        assert!(sender.is_finished());
        assert!(!receiver.is_finished());
        lines.add(receiver.await.unwrap());
        sleeper.await.unwrap();
    });
    log.check(&["5", "slept"]);
}

#[test]
fn during_a_shutdown_the_task_is_queued_and_asked_to_cancel() {
    let mut scheduler = Scheduler::new(VirtualDriver::new());
    let late = Rc::new(Cell::new(None));
    let slot = Rc::clone(&late);
    scheduler.block_on(async move {
        drop(task::spawn(async move {
            time::sleep(secs(9)).await.unwrap_err();
            let child = task::spawn_eager(async { check_cancelled().is_err() });
            assert!(!child.is_finished());
            slot.set(Some(shield(child).await.unwrap()));
        }));
        task::yield_now().await.unwrap();
    });
    let report = scheduler.shutdown(secs(1));
    assert_eq!(report.aborted, 0);
    assert_eq!(late.get(), Some(true));
    let mut refused = scheduler.enter(|| task::spawn_eager(async {}));
    assert!(refused.try_result().unwrap().unwrap_err().is_gone());
}

/// How a child of a group ends in its first poll, which is inside the spawn: the group hears of it
/// as of any other end.
#[test]
fn children_of_groups_may_be_eager() {
    for end in [
        "waits",
        "returns",
        "fails",
        "panics",
        "cancels the group",
        "spawns",
    ] {
        let log = Log::default();
        let lines = log.clone();
        let ran = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            run(group(async |g: &TaskGroup<&'static str>| {
                let inner = g.clone();
                let log = lines.clone();
                let child = task::Builder::new().eager(true).spawn_in(g, async move {
                    match end {
                        "waits" => task::yield_now().await.unwrap(),
                        "fails" => return Err("failed"),
                        "panics" => panic_any("oops"),
                        "cancels the group" => drop(inner.cancel("enough")),
                        "spawns" => {
                            let nested = task::Builder::new().eager(true);
                            let nested = nested.spawn_in(&inner, async { Ok(3) });
                            assert_eq!(nested.await.unwrap(), 3);
                        }
                        _ => {}
                    }
                    log.add("child");
                    Ok(1)
                });
                let is_over = task::yield_now().await.is_err();
                lines.add(if is_over { "body, cancelled" } else { "body" });
                Ok(child.await.is_ok())
            }))
        }));
        match end {
            "panics" => {
                assert_eq!(*ran.unwrap_err().downcast::<&str>().unwrap(), "oops");
                log.check(&["body, cancelled"]);
            }
            "fails" => {
                assert_eq!(ran.unwrap().unwrap_err().errors(), ["failed"]);
                log.check(&["body, cancelled"]);
            }
            "cancels the group" => {
                drop(ran.unwrap());
                log.check(&["child", "body, cancelled"]);
            }
            _ => {
                assert!(ran.unwrap().unwrap());
                log.check(&["child", "body"]);
            }
        }
    }
}
