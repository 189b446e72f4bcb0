//! Futures that are polled first in one place and then in another.

use std::cell::{Cell, RefCell};
use std::future::{pending, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use ringloop_core::future::join;
use ringloop_core::{AtomicWaker, postbox};
use ringloop_task::cancel::{CancelScope, Cancelled, ScopeExit, shield};
use ringloop_task::{Scheduler, task, time};

use crate::driver::{Drops, VirtualDriver, collected, run, secs};

type Boxed<T> = Pin<Box<dyn Future<Output = T>>>;

/// Polls a future once, which is not done then.
async fn begin<T>(future: &mut Boxed<T>) {
    poll_fn(|cx| {
        assert!(future.as_mut().poll(cx).is_pending());
        Poll::Ready(())
    })
    .await;
}

/// Polls a future with a waker that stays the same, whoever polls this, and only when it was woken.
async fn gathered<F: Future>(future: F) -> F::Output {
    #[derive(Default)]
    struct Flag {
        is_set: AtomicBool,
        waker: AtomicWaker,
    }
    impl Wake for Flag {
        fn wake(self: Arc<Self>) {
            self.is_set.store(true, Ordering::Relaxed);
            self.waker.wake();
        }
    }
    let mut future = pin!(future);
    let flag = Arc::new(Flag::default());
    flag.is_set.store(true, Ordering::Relaxed);
    poll_fn(|cx| {
        flag.waker.register(cx.waker());
        if !flag.is_set.swap(false, Ordering::Relaxed) {
            return Poll::Pending;
        }
        let waker = Waker::from(flag.clone());
        future.as_mut().poll(&mut Context::from_waker(&waker))
    })
    .await
}

#[test]
fn shield_that_was_begun_in_another_task_is_not_cut_off() {
    // Below a scope that moves along, too.
    for is_below in [false, true] {
        run(async move {
            let cleaned = Rc::new(Cell::new(false));
            let flag = cleaned.clone();
            let cleanup = async move {
                shield(time::sleep(secs(5))).await.unwrap();
                flag.set(true);
            };
            let mut cleanup: Boxed<()> = if is_below {
                Box::pin(async move {
                    let _exit = CancelScope::new().run(cleanup).await;
                })
            } else {
                Box::pin(cleanup)
            };
            let (setter, postbox) = postbox();
            let first = task::spawn(async move {
                begin(&mut cleanup).await;
                assert!(setter.set(cleanup).is_ok());
                pending::<()>().await;
            });
            let second = task::spawn(async move {
                let cleanup = postbox.await.unwrap();
                let _both = join(cleanup, pending::<()>()).await;
            });
            time::sleep(secs(1)).await.unwrap();
            let before = time::now();
            first.cancel("enough");
            assert!(first.await.unwrap_err().is_cancelled());
            assert_eq!(time::now(), before, "nothing in it is waited for");
            second.cancel("enough");
            assert!(second.await.unwrap_err().is_cancelled());
            assert!(cleaned.get(), "{is_below}");
            assert_eq!(time::now() - before, secs(4));
        });
    }
}

#[test]
fn await_of_a_child_that_was_told_in_another_task_is_not_cut_off() {
    run(async {
        let drops = Drops::default();
        let value = drops.value();
        let child = task::spawn(async move {
            let _value = value;
            let slept = time::sleep(Duration::MAX).await;
            shield(time::sleep(secs(5))).await.unwrap();
            slept
        });
        let (setter, postbox) = postbox();
        let first = task::spawn(async move {
            let mut child: Boxed<_> = Box::pin(child);
            task::current().unwrap().cancel("first");
            begin(&mut child).await;
            assert!(setter.set(child).is_ok());
            pending::<()>().await;
        });
        let second = task::spawn(async move {
            let child = postbox.await.unwrap();
            let _both = join(child, pending::<()>()).await;
        });
        let before = time::now();
        assert!(first.await.unwrap_err().is_cancelled());
        assert_eq!(time::now(), before);
        second.cancel("second");
        assert!(second.await.unwrap_err().is_cancelled());
        assert_eq!(drops.count(), 1);
        assert_eq!(time::now() - before, secs(5));
    });
}

#[test]
fn wait_of_a_collection_is_told_in_the_scope_that_its_own_was_moved_to() {
    run(async {
        let told = Rc::new(Cell::new(false));
        let flag = told.clone();
        let sleep = async move {
            flag.set(time::sleep(Duration::MAX).await.is_err());
        };
        let mut scope: Boxed<_> = Box::pin(CancelScope::new().run(gathered(sleep)));
        begin(&mut scope).await;
        let (setter, postbox) = postbox();
        let second = task::spawn(async move {
            let scope = postbox.await.unwrap();
            time::timeout(secs(2), scope).await.is_err()
        });
        assert!(setter.set(scope).is_ok());
        assert!(second.await.is_ok());
        assert!(told.get());
    });
}

#[test]
fn deadline_holds_in_the_loop_that_a_scope_was_moved_to() {
    let driver = || VirtualDriver::new().patience(Duration::ZERO);
    let (mut first, mut second) = (Scheduler::new(driver()), Scheduler::new(driver()));
    let mut scope: Boxed<_> = Box::pin(time::timeout(secs(5), pending::<()>()));
    first.block_on(begin(&mut scope));
    assert!(second.block_on(scope).is_err());
    drop(first);
}

#[test]
fn deadline_that_is_moved_before_the_first_poll_is_moved() {
    for deadline in [Some(1), Some(9), None] {
        run(async move {
            let before = time::now();
            let scope = CancelScope::new().deadline_in(secs(5));
            let handle = scope.handle();
            assert!(handle.set_deadline(deadline.map(|deadline| before + secs(deadline))));
            let exit = scope.run(time::sleep(secs(20))).await;
            let took = (time::now() - before).as_secs();
            assert_eq!(took, deadline.unwrap_or(20));
            assert_eq!(exit.is_cancelled(), deadline.is_some());
        });
    }
}

#[test]
fn shield_that_is_lifted_between_two_runs_of_the_loop_lets_requests_in() {
    let mut scheduler = Scheduler::new(VirtualDriver::new().patience(Duration::ZERO));
    let scope = CancelScope::new().shielded();
    let handle = scope.handle();
    let told = Rc::new(Cell::new(false));
    let flag = told.clone();
    let child = scheduler.block_on(async {
        let child = task::spawn(async move {
            let sleep = async { flag.set(time::sleep(Duration::MAX).await.is_err()) };
            let _exit = scope.run(collected(sleep)).await;
        });
        time::sleep(secs(1)).await.unwrap();
        child
    });
    handle.set_shielded(false);
    scheduler.block_on(async {
        time::sleep(secs(1)).await.unwrap();
        child.cancel("enough");
        assert!(child.await.is_ok());
    });
    assert!(told.get());
}

#[test]
fn shield_that_is_toggled_in_the_first_poll_is_known_around() {
    for is_up in [true, false] {
        run(async move {
            let (setter, postbox) = postbox();
            let scope = CancelScope::new();
            let handle = scope.handle();
            handle.set_shielded(!is_up);
            let body = async move {
                handle.set_shielded(is_up);
                postbox.await.unwrap()
            };
            drop(task::spawn(async move {
                time::sleep(secs(5)).await.unwrap();
                setter.set(7).is_ok()
            }));
            let before = time::now();
            let result = time::timeout(secs(1), collected(scope.run(body))).await;
            assert_eq!(time::now() - before, secs(if is_up { 5 } else { 1 }));
            assert_eq!(result.ok(), is_up.then_some(ScopeExit::Done(7)));
        });
    }
}

#[test]
fn what_is_done_and_kept_no_longer_holds_the_task() {
    for is_shield in [false, true] {
        run(async move {
            let child = task::spawn(async {
                let slept = time::sleep(Duration::MAX).await;
                shield(time::sleep(secs(5))).await.unwrap();
                slept
            });
            let waiter = task::spawn(async move {
                let mut child = child;
                let mut cleanup = Box::pin(shield(time::sleep(secs(5))));
                if is_shield {
                    (&mut cleanup).await.unwrap();
                } else {
                    assert!((&mut child).await.unwrap().is_err());
                }
                pending::<()>().await;
                drop((child, cleanup));
            });
            task::yield_now().await.unwrap();
            waiter.cancel("enough");
            let before = time::now();
            assert!(waiter.await.unwrap_err().is_cancelled());
            assert_eq!(time::now() - before, secs(5));
        });
    }
}

#[test]
fn stay_that_is_given_up_elsewhere_no_longer_holds_the_task() {
    run(async {
        let child = task::spawn(async {
            let slept = time::sleep(Duration::MAX).await;
            shield(time::sleep(secs(5))).await.unwrap();
            slept
        });
        let child = Rc::new(RefCell::new(Some(child)));
        let shared = child.clone();
        let waiter = task::spawn(poll_fn(move |cx| -> Poll<()> {
            if let Some(child) = &mut *shared.borrow_mut() {
                assert!(Pin::new(child).poll(cx).is_pending());
            }
            Poll::Pending
        }));
        waiter.cancel("enough");
        time::sleep(secs(1)).await.unwrap();
        assert!(!waiter.is_finished());
        drop(child.take());
        assert!(waiter.await.unwrap_err().is_cancelled());
        Ok::<(), Cancelled>(())
    })
    .unwrap();
}
