//! Groups whose members do what they should not.

use std::cell::{Cell, RefCell};
use std::future::{pending, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use ringloop_task::cancel::{Cancelled, shield};
use ringloop_task::group::{TaskGroup, group};
use ringloop_task::{task, time};

use crate::driver::{run, secs};

/// Runs `action` when it is dropped.
struct OnDrop<F: FnMut()>(F);

impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// A child that has a cleanup, and keeps what it was told meanwhile.
async fn tidy(cleaned: Rc<Cell<bool>>) -> Result<(), Cancelled> {
    let slept = time::sleep(Duration::MAX).await;
    shield(time::sleep(secs(5))).await?;
    cleaned.set(true);
    slept
}

#[test]
fn panic_of_the_body_is_not_lost_while_a_child_keeps_what_it_was_told() {
    let cleaned = Rc::new(Cell::new(false));
    let flag = cleaned.clone();
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        run(group(async move |g| {
            g.spawn(tidy(flag));
            g.cancel("enough");
            let _told = time::sleep(Duration::MAX).await;
            shield(time::sleep(secs(1))).await?;
            if g.is_cancelled() {
                panic!("the body");
            }
            Ok::<(), Cancelled>(())
        }))
    }));
    let payload = panicked.expect_err("the panic goes on");
    assert_eq!(*payload.downcast::<&str>().unwrap(), "the body");
    assert!(cleaned.get(), "the children are waited for");
}

#[test]
fn panic_in_the_drop_of_a_body_that_cannot_be_told_waits_for_the_children() {
    let cleaned = Rc::new(Cell::new(false));
    let flag = cleaned.clone();
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        run(group(async move |g| {
            g.spawn(tidy(flag));
            task::yield_now().await?;
            g.cancel("enough");
            let _bomb = OnDrop(|| panic!("the drop"));
            pending::<()>().await;
            Ok::<(), Cancelled>(())
        }))
    }));
    let payload = panicked.expect_err("the panic goes on");
    assert_eq!(*payload.downcast::<&str>().unwrap(), "the drop");
    assert!(cleaned.get(), "the children are waited for");
}

#[test]
fn waker_of_a_child_may_spawn_into_the_group_while_that_is_cancelled() {
    thread_local! {
        static GROUP: RefCell<Option<TaskGroup<Cancelled>>> = const { RefCell::new(None) };
    }
    struct Spawner;
    impl Wake for Spawner {
        fn wake(self: Arc<Self>) {
            GROUP.with_borrow(|group| {
                let group = group.as_ref().expect("it is there");
                drop(group.spawn(time::sleep(secs(1))));
            });
        }
    }
    let result = run(group(async |g| {
        GROUP.set(Some(g.clone()));
        g.spawn(async {
            let mut sleep = pin!(time::sleep(Duration::MAX));
            let waker = Waker::from(Arc::new(Spawner));
            poll_fn(|cx| {
                let polled = sleep.as_mut().poll(&mut Context::from_waker(&waker));
                assert!(polled.is_pending() || g_is_cancelled(), "{cx:?}");
                polled
            })
            .await
        });
        task::yield_now().await?;
        g.cancel("enough");
        assert_eq!(g.len(), 2, "the waker has spawned");
        Ok::<(), Cancelled>(())
    }));
    fn g_is_cancelled() -> bool {
        GROUP.with_borrow(|group| group.as_ref().is_some_and(TaskGroup::is_cancelled))
    }
    assert!(result.is_ok());
    GROUP.set(None);
}
