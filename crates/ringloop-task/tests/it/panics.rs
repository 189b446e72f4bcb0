//! A panic reaches whoever can hear it, once.

use std::cell::{Cell, RefCell};
use std::future::{pending, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use ringloop_task::{Scheduler, UnhandledKind, task, time};

use crate::driver::{VirtualDriver, run};

type Reports = Rc<RefCell<Vec<(UnhandledKind, String)>>>;

fn reporting() -> (Scheduler<VirtualDriver>, Reports) {
    let reports = Reports::default();
    let hooked = reports.clone();
    let scheduler = Scheduler::builder()
        .on_unhandled(move |unhandled| {
            hooked
                .borrow_mut()
                .push((unhandled.kind(), unhandled.to_string()));
        })
        .build(VirtualDriver::new());
    (scheduler, reports)
}

struct PanicsInDrop;

impl Drop for PanicsInDrop {
    fn drop(&mut self) {
        panic_any("in drop");
    }
}

#[test]
fn joiner_gets_the_payload() {
    let (mut scheduler, reports) = reporting();
    let error = scheduler.block_on(async {
        task::spawn(async { panic_any(42_u8) })
            .await
            .map(|(): ()| ())
            .unwrap_err()
    });
    assert!(error.is_panic());
    assert_eq!(*error.into_panic().unwrap().downcast::<u8>().unwrap(), 42);
    drop(scheduler);
    assert!(reports.borrow().is_empty());
}

#[test]
fn unread_panic_is_reported_once() {
    let (mut scheduler, reports) = reporting();
    scheduler.block_on(async {
        drop(
            task::Builder::new()
                .name("detached")
                .spawn(async { panic!("one") }),
        );
        let dropped_later = task::spawn(async { panic!("two") });
        task::yield_now().await.unwrap();
        assert_eq!(reports.borrow().len(), 1);
        drop(dropped_later);
        assert_eq!(reports.borrow().len(), 2);
    });
    let outside = scheduler.block_on(async {
        let outside = task::spawn(async { panic!("three") });
        task::yield_now().await.unwrap();
        outside
    });
    drop(outside);
    drop(scheduler);
    let reports = reports.take();
    assert_eq!(reports.len(), 3);
    for ((kind, text), word) in reports.iter().zip(["one", "two", "three"]) {
        assert_eq!(*kind, UnhandledKind::Panic);
        assert!(text.contains(word), "{text}");
    }
    assert!(reports[0].1.contains("\"detached\"") && reports[0].1.contains("panics.rs"));
}

#[test]
fn panic_of_the_main_future_is_that_of_block_on() {
    let mut scheduler = Scheduler::new(VirtualDriver::new());
    let caught = catch_unwind(AssertUnwindSafe(|| {
        scheduler.block_on(async { panic_any("main") })
    }));
    assert_eq!(*caught.unwrap_err().downcast::<&str>().unwrap(), "main");
    assert_eq!(
        scheduler.block_on(async { 1 }),
        1,
        "the scheduler is not harmed"
    );
}

#[test]
fn panic_in_the_drop_of_a_future_leaves_the_output() {
    let (mut scheduler, reports) = reporting();
    struct Ends(PanicsInDrop);
    impl Future for Ends {
        type Output = u8;
        fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<u8> {
            Poll::Ready(7)
        }
    }
    let output = scheduler.block_on(async { task::spawn(Ends(PanicsInDrop)).await.unwrap() });
    assert_eq!(output, 7);
    assert_eq!(reports.borrow()[0].0, UnhandledKind::DropPanic);
    assert_eq!(scheduler.stats().tasks_live, 0);
}

#[test]
fn panic_in_the_drop_of_an_unread_output_is_reported() {
    let (mut scheduler, reports) = reporting();
    scheduler.block_on(async {
        drop(task::spawn(async { PanicsInDrop }));
        task::yield_now().await.unwrap();
    });
    assert_eq!(reports.borrow()[0].0, UnhandledKind::DropPanic);
}

#[test]
fn panic_in_the_drop_of_an_aborted_future_is_reported() {
    let (mut scheduler, reports) = reporting();
    let value = PanicsInDrop;
    scheduler.block_on(async {
        let handle = task::spawn(async move {
            let _value = value;
        });
        handle.abort();
        assert!(handle.await.unwrap_err().is_aborted());
    });
    assert_eq!(reports.borrow()[0].0, UnhandledKind::DropPanic);
}

#[test]
fn hook_that_panics_does_not_stop_the_loop() {
    let mut scheduler = Scheduler::builder()
        .on_unhandled(|_| panic!("the hook as well"))
        .build(VirtualDriver::new());
    scheduler.block_on(async {
        drop(task::spawn(async { panic!("first") }));
        task::yield_now().await.unwrap();
    });
    assert_eq!(scheduler.stats().unhandled, 1);
}

#[test]
fn loop_inside_a_loop_is_refused_and_the_outer_one_goes_on() {
    let value = run(async {
        let inner = catch_unwind(|| run(async {}));
        let message = *inner.unwrap_err().downcast::<&str>().unwrap();
        assert_eq!(message, "cannot start a loop inside a loop");
        task::spawn(async { 5 }).await.unwrap()
    });
    assert_eq!(value, 5);
}

#[test]
#[should_panic(expected = "there is no loop running on this thread")]
fn spawn_outside_of_a_loop() {
    drop(task::spawn(async {}));
}

/// A waker that is not a task's, and panics when it is woken.
struct PanicsInWake;

impl Wake for PanicsInWake {
    fn wake(self: Arc<Self>) {
        panic_any("in wake");
    }
}

/// Foreign wakers of a join handle, of a wait for the end and of a wait inside the task panic: the
/// task ends all the same, the others are told, and the panics are reported.
#[test]
fn wakers_that_panic_do_not_keep_a_task_from_ending() {
    let (mut scheduler, reports) = reporting();
    let called = Rc::new(Cell::new(0));
    let counter = called.clone();
    scheduler.block_on(async move {
        let waker = Waker::from(Arc::new(PanicsInWake));
        let mut joined = task::spawn(task::yield_now());
        let waited = task::spawn(task::yield_now());
        assert!(
            pin!(&mut joined)
                .poll(&mut Context::from_waker(&waker))
                .is_pending()
        );
        let mut wait = pin!(waited.wait());
        assert!(
            wait.as_mut()
                .poll(&mut Context::from_waker(&waker))
                .is_pending()
        );
        for handle in [&joined, &waited] {
            let counter = counter.clone();
            handle
                .task()
                .on_done(move |_| counter.set(counter.get() + 1));
        }
        waited.wait().await.unwrap();
        assert!(joined.is_finished());
        task::yield_now().await.unwrap();
        assert!(joined.await.is_ok());
    });
    assert_eq!(called.get(), 2);
    let kinds: Vec<_> = reports.borrow().iter().map(|report| report.0).collect();
    assert_eq!(kinds, [UnhandledKind::Panic; 2]);
    assert_eq!(scheduler.stats().tasks_live, 0);
}

/// Polls a sleep once with a waker that panics.
async fn begin_with_panicking_waker(sleep: &mut Pin<Box<time::Sleep>>) {
    let waker = Waker::from(Arc::new(PanicsInWake));
    poll_fn(|_| {
        let mut cx = Context::from_waker(&waker);
        assert!(sleep.as_mut().poll(&mut cx).is_pending());
        Poll::Ready(())
    })
    .await;
}

#[test]
fn waker_of_a_timer_that_panics_does_not_stop_the_loop() {
    let (mut scheduler, reports) = reporting();
    scheduler.block_on(async {
        let later = Duration::from_millis(1);
        let mut sleep = Box::pin(time::sleep(later));
        begin_with_panicking_waker(&mut sleep).await;
        time::sleep(2 * later).await.unwrap();
        assert!(sleep.is_elapsed());
    });
    let kinds: Vec<_> = reports.borrow().iter().map(|report| report.0).collect();
    assert_eq!(kinds, [UnhandledKind::Panic]);
}

#[test]
fn waker_that_panics_does_not_stop_a_shutdown() {
    let (mut scheduler, reports) = reporting();
    scheduler.block_on(async {
        for _ in 0..2 {
            drop(task::spawn(async {
                let mut sleep = Box::pin(time::sleep(Duration::MAX));
                begin_with_panicking_waker(&mut sleep).await;
                pending::<()>().await;
            }));
        }
        task::yield_now().await.unwrap();
    });
    let report = scheduler.shutdown(Duration::from_secs(1));
    assert_eq!((report.cancelled, report.aborted), (2, 0));
    let kinds: Vec<_> = reports.borrow().iter().map(|report| report.0).collect();
    assert_eq!(kinds, [UnhandledKind::Panic; 2]);
}
