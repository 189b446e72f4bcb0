//! Faults that schedulers have had, one test each; docs/soundness.md says where the others are.

use std::cell::{Cell, RefCell};
use std::future::{pending, poll_fn};
use std::rc::Rc;
use std::task::{Poll, Waker};
use std::thread::{self, ThreadId};

use ringloop_core::ThreadDriver;
use ringloop_core::future::join;
use ringloop_task::call::call_soon;
use ringloop_task::cancel::{CancelScope, CancelToken};
use ringloop_task::group::group;
use ringloop_task::{Scheduler, is_running, task, task_local, time};

use crate::driver::{Drops, VirtualDriver, collected, run, secs};

/// A scope that is cancelled next to another wait of the same task, in both places and with both
/// kinds of wakers: the sibling does not hear of it.
#[test]
fn f23_siblings_of_a_scope_are_not_cancelled() {
    run(async {
        for (is_first, is_collected) in [(true, true), (true, false), (false, true), (false, false)]
        {
            let token = CancelToken::new();
            let scope = CancelScope::with_token(token.clone());
            let scoped = scope.run(time::sleep(secs(9)));
            let sibling = async move {
                time::sleep(secs(1)).await?;
                token.cancel("the scope alone");
                time::sleep(secs(1)).await?;
                task::checkpoint().await
            };
            let (scoped, sibling) = match (is_first, is_collected) {
                (true, false) => join(scoped, sibling).await,
                (true, true) => join(collected(scoped), collected(sibling)).await,
                (false, true) => {
                    let (sibling, scoped) = join(collected(sibling), collected(scoped)).await;
                    (scoped, sibling)
                }
                (false, false) => {
                    let (sibling, scoped) = join(sibling, scoped).await;
                    (scoped, sibling)
                }
            };
            assert!(scoped.is_cancelled(), "{is_first} {is_collected}");
            assert!(sibling.is_ok(), "{is_first} {is_collected}");
        }
    });
}

/// Wakes of all kinds, here and on another thread, in the middle of the drop of a scheduler: from
/// the destructor of a future that it drops.
#[test]
fn f47_wakes_during_the_drop_of_the_scheduler() {
    struct Wakes(Rc<RefCell<Vec<Waker>>>, Drops);
    impl Drop for Wakes {
        fn drop(&mut self) {
            let _dropped = self.1.value();
            let wakers = self.0.borrow().clone();
            for waker in &wakers {
                waker.wake_by_ref();
                waker.clone().wake();
            }
            let elsewhere = move || {
                for waker in wakers {
                    waker.wake_by_ref();
                    waker.wake();
                }
            };
            thread::spawn(elsewhere).join().unwrap();
        }
    }
    let (wakers, drops) = (Rc::<RefCell<Vec<Waker>>>::default(), Drops::default());
    let mut scheduler = Scheduler::new(ThreadDriver::new());
    scheduler.block_on(async {
        for _ in 0..3 {
            let wakes = Wakes(Rc::clone(&wakers), drops.clone());
            let lend = Rc::clone(&wakers);
            drop(task::spawn(async move {
                let _wakes = wakes;
                poll_fn::<(), _>(|cx| {
                    lend.borrow_mut().push(cx.waker().clone());
                    Poll::Pending
                })
                .await;
            }));
        }
        task::yield_now().await.unwrap();
    });
    assert_eq!(wakers.borrow().len(), 3);
    drop(scheduler);
    assert_eq!(drops.count(), 3);
    assert_eq!(Rc::strong_count(&wakers), 1);
}

/// Counts its drops, and panics on another thread than its own.
struct AtHome(ThreadId, Drops);

impl Drop for AtHome {
    fn drop(&mut self) {
        assert_eq!(self.0, thread::current().id(), "dropped elsewhere");
        let _dropped = self.1.value();
    }
}

task_local! {
    static LOCAL: Option<Rc<AtHome>> = None;
}

/// Whatever a task has, and whenever it ends, it is dropped at home, by the time that the scheduler
/// is gone, although other threads hold wakers of the task and drop the last ones.
#[test]
fn f50_payloads_are_dropped_at_home() {
    for end in ["ended", "aborted", "with the scheduler"] {
        for last in ["before", "after"] {
            let drops = Drops::default();
            let made = Rc::new(Cell::new(0));
            let make = {
                let (drops, made) = (drops.clone(), Rc::clone(&made));
                move || {
                    made.set(made.get() + 1);
                    AtHome(thread::current().id(), drops.clone())
                }
            };
            let mut scheduler = Scheduler::new(ThreadDriver::new());
            let lent = Rc::new(RefCell::new(Vec::new()));
            let token = CancelToken::new();
            scheduler.block_on(async {
                let children = fill(&make, &lent, &token);
                while lent.borrow().len() < 3 {
                    task::yield_now().await.unwrap();
                }
                match end {
                    "ended" => drop(token.cancel("end")),
                    "aborted" => children.iter().for_each(task::TaskRef::abort),
                    _ => {}
                }
                for _ in 0..5 {
                    task::yield_now().await.unwrap();
                }
            });
            let wakers = lent.take();
            let drop_elsewhere = || thread::spawn(move || drop(wakers)).join().unwrap();
            if last == "before" {
                drop_elsewhere();
                drop(scheduler);
                assert_eq!(drops.count(), made.get(), "{end} {last}");
            } else {
                drop(scheduler);
                assert_eq!(drops.count(), made.get(), "{end} {last}");
                drop_elsewhere();
            }
        }
    }
}

/// Starts tasks with payloads in all places, and lends out a waker of each.
fn fill(
    make: &(impl Fn() -> AtHome + Clone + 'static),
    lent: &Rc<RefCell<Vec<Waker>>>,
    token: &CancelToken,
) -> Vec<task::TaskRef> {
    let body = {
        let (make, lent, token) = (make.clone(), Rc::clone(lent), token.clone());
        move || {
            let (captured, make, lent) = (make(), make.clone(), Rc::clone(&lent));
            let signal = token.signal();
            async move {
                let _captured = captured;
                LOCAL.set(Some(Rc::new(make())));
                poll_fn(|cx| {
                    lent.borrow_mut().push(cx.waker().clone());
                    Poll::Ready(())
                })
                .await;
                signal.await;
                make()
            }
        }
    };
    let plain = task::spawn(body());
    let called = make();
    plain.on_done(move |_| drop(called));
    let in_group = body();
    let grouped = task::spawn(group(async |g| {
        let child = g.spawn(async { Ok::<_, ()>(in_group.await) });
        drop(child);
        Ok(())
    }));
    let in_scope = body();
    let scoped = task::spawn(task::scope(async |s| s.spawn(in_scope).await));
    let called = make();
    drop(call_soon(move || drop(called)));
    vec![plain.task(), grouped.task(), scoped.task()]
}

/// A destructor that spawns a task whose destructor spawns another, and so on: refused, one by one.
#[test]
fn f61_chain_of_spawns_by_destructors_ends() {
    struct Again(u32, Drops);
    impl Drop for Again {
        fn drop(&mut self) {
            let _dropped = self.1.value();
            if self.0 > 0 {
                let again = Self(self.0 - 1, self.1.clone());
                let refused = task::spawn(async move {
                    let _again = again;
                    pending::<()>().await;
                });
                assert!(refused.is_finished());
            }
        }
    }
    let drops = Drops::default();
    let again = Again(100, drops.clone());
    let mut scheduler = Scheduler::new(VirtualDriver::new());
    scheduler.block_on(async move {
        drop(task::spawn(async move {
            let _again = again;
            pending::<()>().await;
        }));
        task::yield_now().await.unwrap();
    });
    let report = scheduler.shutdown(std::time::Duration::ZERO);
    assert_eq!((report.aborted, report.panicked), (1, 0));
    assert_eq!(drops.count(), 101);
}

/// Everything that asks for a loop, from a destructor of a thread-local: there is none, and a new
/// one may be made.
#[test]
fn f65_use_from_the_end_of_a_thread() {
    struct Last(Option<task::JoinHandle<()>>);
    impl Drop for Last {
        fn drop(&mut self) {
            assert!(!is_running());
            assert!(task::current().is_none() && task::all_tasks().is_empty());
            assert!(std::panic::catch_unwind(|| drop(task::spawn(async {}))).is_err());
            assert!(std::panic::catch_unwind(|| drop(call_soon(|| ()))).is_err());
            let handle = self.0.take().unwrap();
            let ended = Scheduler::new(ThreadDriver::new()).block_on(async {
                time::sleep(std::time::Duration::from_micros(1))
                    .await
                    .unwrap();
                handle.await
            });
            assert!(ended.unwrap_err().is_aborted());
            DONE.store(true, std::sync::atomic::Ordering::Relaxed);
        }
    }
    static DONE: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(false);
    thread_local! {
        static LAST: RefCell<Option<Last>> = const { RefCell::new(None) };
    }
    let thread = thread::spawn(|| {
        // The thread-local is set up before and goes after what the scheduler uses.
        LAST.set(None);
        let mut scheduler = Scheduler::new(ThreadDriver::new());
        let handle = scheduler.block_on(async {
            let handle = task::spawn(pending());
            handle.abort();
            handle
        });
        drop(scheduler);
        LAST.set(Some(Last(Some(handle))));
    });
    thread.join().unwrap();
    assert!(DONE.load(std::sync::atomic::Ordering::Relaxed));
}
