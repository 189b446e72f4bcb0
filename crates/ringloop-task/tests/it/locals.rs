//! Task locals: inherited at the spawn, changed for oneself only, dropped at home.

use std::cell::{Cell, RefCell};
use std::future::{pending, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Poll, Waker};
use std::thread::{self, ThreadId};

use ringloop_task::call::{call_later, call_soon};
use ringloop_task::local::{AccessError, Context};
use ringloop_task::{Scheduler, UnhandledKind, task, task_local, time};

use crate::driver::{Dropped, Drops, Log, VirtualDriver, run, secs};

task_local! {
    /// Without an initial value.
    static USER: &'static str;
    static COUNT: Cell<u32> = Cell::new(COUNT_START);
    static DEPTH: u32 = 0;
    static VALUE: Dropped;
    static NOISY: Option<PanicsInDrop> = None
}

const COUNT_START: u32 = 10;

struct PanicsInDrop;

impl Drop for PanicsInDrop {
    fn drop(&mut self) {
        panic_any("in drop");
    }
}

/// Panics if it is dropped on another thread than it was made on.
struct AtHome(ThreadId);

impl Drop for AtHome {
    fn drop(&mut self) {
        assert_eq!(self.0, thread::current().id());
    }
}

#[test]
fn a_child_has_the_values_of_the_moment_of_its_spawn() {
    for is_eager in [false, true] {
        run(async move {
            USER.set("ada");
            let child = task::Builder::new().eager(is_eager).spawn(async {
                let before = USER.get();
                task::yield_now().await.unwrap();
                let after = USER.get();
                USER.set("child");
                let grandchild = task::spawn(async { USER.get() });
                (before, after, grandchild.await.unwrap())
            });
            USER.set("grace");
            assert_eq!(child.await.unwrap(), ("ada", "ada", "child"));
            assert_eq!(USER.get(), "grace");
        });
    }
}

#[test]
fn a_value_that_was_never_set_is_an_error_or_the_initial_one() {
    let outside = USER.try_with(|_| ()).unwrap_err();
    assert!(outside.to_string().contains("running loop"));
    assert_eq!(DEPTH.try_with(|_| ()), Err(outside));
    for set in [|| USER.set("x"), || Context::new().run(|| ())] {
        catch_unwind(set).unwrap_err();
    }
    run(async move {
        let unset: AccessError = USER.try_with(|_| ()).unwrap_err();
        assert_ne!(unset, outside);
        catch_unwind(|| USER.get()).unwrap_err();
        COUNT.with(|count| count.set(count.get() + 1));
        assert_eq!(COUNT.with(Cell::get), COUNT_START + 1, "made once");
        // Made here, so the child inherits it: the value, not a copy of it.
        let child = task::spawn(async { COUNT.with(|count| count.set(count.get() + 1)) });
        child.await.unwrap();
        assert_eq!(COUNT.with(Cell::get), COUNT_START + 2);
        // Made in the child: it stays there.
        let child = task::spawn(async { DEPTH.set(DEPTH.get() + 1) });
        child.await.unwrap();
        assert_eq!(DEPTH.get(), 0);
    });
}

#[test]
fn the_value_may_change_while_somebody_looks() {
    run(async {
        USER.set("old");
        USER.with(|user| {
            USER.set("new");
            assert_eq!(*user, "old");
            USER.with(|user| assert_eq!(*user, "new"));
        });
    });
}

#[test]
fn scopes_end_and_what_is_set_inside_stays_inside() {
    let log = Log::default();
    let lines = log.clone();
    run(async move {
        USER.set("outer");
        let inside = USER.scope("inner", async {
            assert_eq!(USER.get(), "inner");
            task::yield_now().await.unwrap();
            assert_eq!(USER.get(), "inner", "also after a wait");
            DEPTH.set(7);
            USER.set("changed");
            task::yield_now().await.unwrap();
            let child = task::spawn(async { (USER.get(), DEPTH.get()) });
            child.await.unwrap()
        });
        let mut inside = Box::pin(inside);
        // Between the polls the values are those around.
        let found = poll_fn(|cx| {
            let polled = inside.as_mut().poll(cx);
            assert_eq!((USER.get(), DEPTH.get()), ("outer", 0));
            polled
        });
        assert_eq!(found.await, ("changed", 7));
        let nested = USER.sync_scope("sync", || DEPTH.sync_scope(1, || (USER.get(), DEPTH.get())));
        assert_eq!(nested, ("sync", 1));
        let panicked = catch_unwind(AssertUnwindSafe(|| USER.sync_scope("x", || panic!("out"))));
        panicked.map(|(): ()| ()).unwrap_err();
        assert_eq!((USER.get(), DEPTH.get()), ("outer", 0));

        // A future that is dropped in its scope sees its values.
        struct Says(Log);
        impl Drop for Says {
            fn drop(&mut self) {
                self.0.add(USER.get());
            }
        }
        let says = Says(lines);
        let mut dropped = Box::pin(USER.scope("dropped", async move {
            let _says = says;
            pending::<()>().await;
        }));
        poll_fn(|cx| Poll::Ready(dropped.as_mut().poll(cx).is_pending())).await;
        drop(dropped);
        assert_eq!(USER.get(), "outer");
    });
    log.check(&["dropped"]);
}

#[test]
fn two_scopes_of_one_task_do_not_meet() {
    run(async {
        let turns = |user| {
            USER.scope(user, async move {
                for _ in 0..3 {
                    assert_eq!(USER.get(), user);
                    task::yield_now().await.unwrap();
                }
            })
        };
        let (mut a, mut b) = (Box::pin(turns("a")), Box::pin(turns("b")));
        poll_fn(|cx| {
            let a = a.as_mut().poll(cx).is_ready();
            let b = b.as_mut().poll(cx).is_ready();
            if a && b {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
        assert!(USER.try_with(|_| ()).is_err());
    });
}

#[test]
fn calls_run_with_the_values_of_whoever_asked() {
    let log = Log::default();
    let lines = log.clone();
    run(async move {
        let ended = task::spawn(async {});
        let say = |log: &Log| {
            let log = log.clone();
            move || {
                log.add(USER.get());
                USER.set("changed by a call");
                let child = task::spawn(async { USER.get() });
                let child_log = log.clone();
                drop(task::spawn(
                    async move { child_log.add(child.await.unwrap()) },
                ));
            }
        };
        USER.set("soon");
        call_soon(say(&lines));
        USER.set("later");
        call_later(secs(1), say(&lines));
        USER.set("done");
        let on_done = say(&lines);
        ended.on_done(move |_| on_done());
        USER.set("now");
        time::sleep(secs(2)).await.unwrap();
        let child = task::spawn(async { USER.get() });
        assert_eq!(child.await.unwrap(), "now");
    });
    let changed = "changed by a call";
    let expected = ["soon", "done", changed, changed, "later", changed];
    log.check(&expected);
}

#[test]
fn contexts_are_copies_that_keep_what_is_set_in_them() {
    run(async {
        USER.set("then");
        let mut captured = Context::capture();
        let copy = captured.clone();
        USER.set("now");
        captured.run(|| {
            assert_eq!(USER.get(), "then");
            USER.set("in the context");
            assert!(task::current().is_some());
        });
        assert_eq!(captured.run(|| USER.get()), "in the context");
        assert_eq!(USER.get(), "now");
        for is_eager in [false, true] {
            let builder = || task::Builder::new().eager(is_eager);
            let child = builder().locals(copy.clone()).spawn(async { USER.get() });
            assert_eq!(child.await.unwrap(), "then");
            let empty = builder().locals(Context::new());
            let child = empty.spawn(async { USER.try_with(|_| ()).is_err() });
            assert!(child.await.unwrap());
        }
        // Where a context runs, another may run.
        let mut other = copy.clone();
        let inner = captured.run(|| (other.run(|| USER.get()), USER.get()));
        assert_eq!(inner, ("then", "in the context"));
        let panicked = catch_unwind(AssertUnwindSafe(|| captured.run(|| panic!("out"))));
        panicked.map(|(): ()| ()).unwrap_err();
        assert_eq!(USER.get(), "now");
    });
}

#[test]
fn the_main_task_and_what_is_outside_have_values_too() {
    let mut scheduler = Scheduler::new(VirtualDriver::new());
    scheduler.enter(|| USER.set("outside"));
    let child = scheduler.spawn(async { USER.get() });
    let main = scheduler.block_on(async {
        let found = USER.get();
        USER.set("main");
        found
    });
    assert_eq!(main, "outside");
    assert_eq!(scheduler.block_on(child).unwrap(), "outside");
    assert_eq!(scheduler.block_on(async { USER.get() }), "outside");
    assert_eq!(
        scheduler.block_on(USER.scope("scope", async { USER.get() })),
        "scope"
    );
    // What comes from other threads changes nothing for others.
    scheduler.remote().call_soon(|| USER.set("remote")).unwrap();
    let after = scheduler.block_on(async {
        task::yield_now().await.unwrap();
        task::spawn(async { USER.get() }).await.unwrap()
    });
    assert_eq!(after, "outside");
    scheduler.enter(|| assert_eq!(USER.get(), "outside"));
}

/// How a task ends × who still refers to it: its values are dropped at its end, at home.
#[test]
fn values_go_with_the_task_whoever_refers_to_it() {
    for end in ["returns", "panics", "aborted", "shutdown"] {
        for holds in ["nothing", "handle", "waker elsewhere"] {
            let drops = Drops::default();
            let value = drops.value();
            let mut scheduler = Scheduler::new(VirtualDriver::new());
            let waker = Rc::new(RefCell::new(None::<Waker>));
            let slot = Rc::clone(&waker);
            task_local!(static HOME: AtHome);
            let handle = scheduler.spawn(async move {
                VALUE.set(value);
                HOME.set(AtHome(thread::current().id()));
                poll_fn(|cx| {
                    *slot.borrow_mut() = Some(cx.waker().clone());
                    Poll::Ready(())
                })
                .await;
                match end {
                    "returns" => {}
                    "panics" => panic_any("oops"),
                    _ => pending().await,
                }
            });
            scheduler.block_on(async { task::yield_now().await.unwrap() });
            let waits = ["aborted", "shutdown"].contains(&end);
            assert_eq!(drops.count(), u32::from(!waits), "{end} {holds}");
            if end == "aborted" {
                scheduler.enter(|| handle.abort());
                assert_eq!(drops.count(), 1);
            }
            let handle = (holds == "handle").then_some(handle);
            let waker = (holds == "waker elsewhere").then(|| waker.take());
            drop(scheduler);
            assert_eq!(drops.count(), 1, "{end} {holds}");
            let elsewhere = thread::spawn(move || drop(waker));
            elsewhere.join().unwrap();
            drop(handle);
        }
    }
}

#[test]
fn an_unused_inheritance_is_shared_and_goes_with_the_last() {
    run(async {
        let drops = Drops::default();
        VALUE.set(drops.value());
        let child = task::spawn(async { pending::<()>().await });
        VALUE.set(Drops::default().value());
        assert_eq!(drops.count(), 0, "the child has it");
        child.abort();
        assert_eq!(drops.count(), 1);
    });
}

#[test]
fn panics_of_values_are_reported_once() {
    let reports = Rc::new(RefCell::new(Vec::new()));
    let hooked = Rc::clone(&reports);
    let mut scheduler = Scheduler::builder()
        .on_unhandled(move |unhandled| {
            let name = unhandled.name().map(|name| name.to_string());
            hooked.borrow_mut().push((unhandled.kind(), name));
        })
        .build(VirtualDriver::new());
    let drops = Drops::default();
    scheduler.block_on(async {
        let value = drops.value();
        let child = task::Builder::new().name("noisy").spawn(async move {
            NOISY.set(Some(PanicsInDrop));
            VALUE.set(value);
            3
        });
        assert_eq!(child.await.unwrap(), 3);
        assert_eq!(drops.count(), 1, "those after it are dropped, too");
        call_soon(|| NOISY.set(Some(PanicsInDrop)));
        task::yield_now().await.unwrap();
        USER.set("still works");
    });
    scheduler.enter(|| NOISY.set(Some(PanicsInDrop)));
    drop(scheduler);
    let noisy = Some(String::from("noisy"));
    let kind = UnhandledKind::DropPanic;
    assert_eq!(
        *reports.borrow(),
        [(kind, noisy), (kind, None), (kind, None)]
    );
}

#[test]
fn a_value_may_use_the_loop_in_its_drop() {
    struct Spawns(Log);
    impl Drop for Spawns {
        fn drop(&mut self) {
            let log = self.0.clone();
            let has_own = USER.try_with(|_| ()).is_ok();
            drop(task::spawn(async move { log.add(has_own) }));
        }
    }
    task_local!(static SPAWNS: Spawns);
    let log = Log::default();
    let lines = log.clone();
    run(async move {
        task::spawn(async move {
            USER.set("gone");
            SPAWNS.set(Spawns(lines));
        })
        .await
        .unwrap();
        task::yield_now().await.unwrap();
    });
    log.check(&["false"]);
}

#[test]
fn scopes_may_be_dropped_and_forgotten_outside_of_the_loop() {
    let drops = Drops::default();
    let value = drops.value();
    let scope = USER.scope("x", async move {
        let _value = value;
        pending::<()>().await;
    });
    let mut scope = Box::pin(scope);
    Scheduler::new(VirtualDriver::new()).block_on(poll_fn(|cx| {
        let polled = Pin::new(&mut scope).poll(cx);
        assert!(polled.is_pending());
        Poll::Ready(())
    }));
    drop(scope);
    assert_eq!(drops.count(), 1);
}
