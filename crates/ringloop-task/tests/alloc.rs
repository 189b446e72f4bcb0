//! How often the hot paths allocate: a binary of its own, because it counts for the whole process.

#![expect(unsafe_code, reason = "an allocator that counts")]
#![expect(
    clippy::async_yields_async,
    reason = "handles that leave their loop are tested"
)]
#![expect(clippy::waker_clone_wake, reason = "all ways of waking are tested")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::{Cell, RefCell};
use std::future::{pending, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use ringloop_core::ThreadDriver;
use ringloop_task::cancel::{CancelScope, CancelToken, Cancelled};
use ringloop_task::group::group;
use ringloop_task::local::Traveling;
use ringloop_task::{Scheduler, task, task_local, time};

struct Counting;

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
    static BYTES: Cell<isize> = const { Cell::new(0) };
}

// SAFETY: everything is the system allocator's; the count is a plain thread-local.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.set(COUNT.get() + 1);
        BYTES.set(BYTES.get() + layout.size().cast_signed());
        // SAFETY: as the caller promised.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        BYTES.set(BYTES.get() - layout.size().cast_signed());
        // SAFETY: as the caller promised.
        unsafe { System.dealloc(ptr, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Runs `body` twice, and returns what the second run allocated.
async fn allocations<F: Future>(body: impl Fn() -> F) -> usize {
    body().await;
    let before = COUNT.get();
    body().await;
    COUNT.get() - before
}

#[test]
fn hot_paths() {
    Scheduler::new(ThreadDriver::new()).block_on(async {
        let spawn = allocations(async || {
            for n in 0..100 {
                assert_eq!(task::spawn(async move { n }).await.unwrap(), n);
            }
        });
        assert_eq!(spawn.await, 100, "one for each task");
        let yields = allocations(async || {
            for _ in 0..100 {
                task::yield_now().await.unwrap();
            }
        });
        assert_eq!(yields.await, 0, "none for a wake");
        let sleeps = allocations(async || {
            for _ in 0..10 {
                time::sleep(Duration::from_micros(10)).await.unwrap();
            }
        });
        assert_eq!(sleeps.await, 0, "none for a sleep");
        let interval = RefCell::new(time::interval(Duration::from_micros(10)));
        let ticks = allocations(async || {
            for _ in 0..10 {
                poll_fn(|cx| interval.borrow_mut().poll_tick(cx))
                    .await
                    .unwrap();
            }
        });
        assert_eq!(ticks.await, 0, "none for a tick");
        let timeouts = allocations(async || {
            for _ in 0..10 {
                let slow = time::timeout(Duration::from_secs(9), task::yield_now()).await;
                slow.unwrap().unwrap();
            }
        });
        assert_eq!(timeouts.await, 0, "none for a timeout");
    });
}

#[test]
fn memory_of_a_group_is_flat_however_many_children_it_has_had() {
    let result = Scheduler::new(ThreadDriver::new()).block_on(group(async |g| {
        let crowd = async || {
            for _ in 0..100 {
                drop(g.spawn(async { task::yield_now().await }));
            }
            while !g.is_empty() {
                task::yield_now().await?;
            }
            Ok::<_, Cancelled>(())
        };
        // The queues and the group grow to the size of a crowd.
        crowd().await?;
        let (count, bytes) = (COUNT.get(), BYTES.get());
        for _ in 0..1000 {
            crowd().await?;
        }
        assert_eq!(COUNT.get() - count, 100_000, "one for each child");
        assert_eq!(BYTES.get(), bytes, "nothing is left of them");
        Ok::<_, Cancelled>(())
    }));
    result.unwrap();
}

/// F24: operations of all kinds under one token, with the task's own waker and with another one.
#[test]
fn memory_of_a_token_is_flat_however_many_waits_it_has_had() {
    struct Foreign;
    impl Wake for Foreign {
        fn wake(self: Arc<Self>) {}
    }
    let foreign = Waker::from(Arc::new(Foreign));
    let token = CancelToken::new();
    let crowd = async || {
        for _ in 0..100 {
            let child = token.child();
            let scope = CancelScope::with_token(token.clone());
            let slept = scope.run(async {
                task::yield_now().await?;
                let mut sleep = pin!(time::sleep(Duration::MAX));
                let mut cx = Context::from_waker(&foreign);
                assert!(sleep.as_mut().poll(&mut cx).is_pending());
                task::yield_now().await
            });
            slept.await.done().unwrap().unwrap();
            let quick = CancelScope::with_token(child).run(task::yield_now());
            quick.await.done().unwrap().unwrap();
            let mut wait = pin!(token.cancelled());
            let mut signal = pin!(token.signal());
            poll_fn(|cx| {
                assert!(wait.as_mut().poll(cx).is_pending());
                assert!(signal.as_mut().poll(cx).is_pending());
                Poll::Ready(())
            })
            .await;
            token.run(task::yield_now()).await.unwrap().unwrap();
        }
    };
    Scheduler::new(ThreadDriver::new()).block_on(async {
        crowd().await;
        let bytes = BYTES.get();
        for _ in 0..100 {
            crowd().await;
        }
        assert_eq!(BYTES.get(), bytes, "nothing is left of them");
    });
}

/// F49: another thread may wake as often as it likes while the loop stands.
#[test]
fn wakes_of_a_loop_that_stands_allocate_nothing() {
    let lent = Rc::new(Cell::new(None));
    let mut scheduler = Scheduler::new(ThreadDriver::new());
    let lend = Rc::clone(&lent);
    let task = scheduler.block_on(async move {
        let mut is_woken = false;
        let task = task::spawn(poll_fn(move |cx| {
            lend.set(Some(cx.waker().clone()));
            match std::mem::replace(&mut is_woken, true) {
                false => Poll::Pending,
                true => Poll::Ready(()),
            }
        }));
        task::yield_now().await.unwrap();
        task
    });
    let waker: Waker = lent.take().unwrap();
    let elsewhere = std::thread::spawn(move || {
        let count = COUNT.get();
        for _ in 0..500_000 {
            waker.wake_by_ref();
            waker.clone().wake();
        }
        assert_eq!(COUNT.get(), count);
    });
    elsewhere.join().unwrap();
    let polls = scheduler.stats().polls;
    scheduler.block_on(task).unwrap();
    assert!(
        scheduler.stats().polls - polls <= 3,
        "one poll for them all"
    );
}

#[test]
fn values_travel_at_no_cost_where_there_are_none() {
    task_local! {
        static STAYS: u32 = 0;
        traveling static GOES: u32 = 0;
    }
    let carry = || {
        let mut traveling = Traveling::capture();
        drop(traveling.run(Traveling::capture));
    };
    carry();
    let before = COUNT.get();
    carry();
    assert_eq!(COUNT.get(), before, "outside of a loop");
    Scheduler::new(ThreadDriver::new()).block_on(async {
        STAYS.set(1);
        let before = COUNT.get();
        drop(Traveling::capture());
        assert_eq!(COUNT.get(), before, "in a task");
        GOES.set(1);
        drop(Traveling::capture());
        assert!(
            COUNT.get() > before,
            "with a value there is something to carry"
        );
    });
}

/// F51: tasks that hold on to themselves and to each other, in all places that a task has.
#[test]
fn cycles_of_tasks_end_with_their_scheduler() {
    task_local! {
        static OWN: Option<(task::TaskRef, Waker)> = None;
    }
    fn cycles() {
        let mut scheduler = Scheduler::new(ThreadDriver::new());
        scheduler.block_on(async {
            let handles = Rc::new(RefCell::new(Vec::<Option<task::JoinHandle<()>>>::new()));
            for n in 0..4_usize {
                let held = Rc::clone(&handles);
                let child = task::spawn(async move {
                    let own = task::current().unwrap();
                    let waker = poll_fn(|cx| Poll::Ready(cx.waker().clone())).await;
                    OWN.set(Some((own.clone(), waker)));
                    let again = own.clone();
                    own.on_done(move |_| drop(again));
                    // Each awaits the next, and holds all.
                    task::yield_now().await.unwrap();
                    let mut next = held.borrow_mut()[n].take().unwrap();
                    drop(time::timeout(Duration::MAX, &mut next).await);
                    pending::<()>().await;
                    drop(held);
                });
                handles.borrow_mut().push(Some(child));
            }
            handles.borrow_mut().rotate_left(1);
            task::yield_now().await.unwrap();
            task::yield_now().await.unwrap();
        });
    }
    cycles();
    let bytes = BYTES.get();
    cycles();
    assert_eq!(BYTES.get(), bytes);
}
