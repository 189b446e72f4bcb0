//! Very many tasks and wakes: a binary of its own, because it counts memory.
//!
//! With `RINGLOOP_LONG=1` the numbers are those of the promises, which want a release build;
//! otherwise a tenth or a hundredth of them.

#![expect(unsafe_code, reason = "an allocator that counts")]
#![expect(clippy::unwrap_used, reason = "the helpers of tests fail as tests do")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Poll, Waker};
use std::thread;
use std::time::Duration;

use ringloop_core::ThreadDriver;
use ringloop_task::cancel::{CancelScope, CancelToken, shield};
use ringloop_task::group::group;
use ringloop_task::{Scheduler, task, time};

struct Counting;

thread_local! {
    /// Of this thread: the test program's own allocates at times of its own.
    static LIVE_BYTES: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: everything is the system allocator's; the count is a plain thread-local.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LIVE_BYTES.set(LIVE_BYTES.get().wrapping_add(layout.size()));
        // SAFETY: as the caller promised.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        LIVE_BYTES.set(LIVE_BYTES.get().wrapping_sub(layout.size()));
        // SAFETY: as the caller promised.
        unsafe { System.dealloc(ptr, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The tests want the machine for themselves, so they take turns.
static TURN: Mutex<()> = Mutex::new(());

/// Returns the promised number, or a part of it.
fn scaled(promised: usize, divisor: usize) -> usize {
    let is_long = std::env::var_os("RINGLOOP_LONG").is_some_and(|value| value == "1");
    if is_long {
        promised
    } else {
        promised / divisor
    }
}

fn live_bytes() -> usize {
    LIVE_BYTES.get()
}

/// How tasks may sleep when they are cancelled.
#[derive(Debug, Clone, Copy)]
enum Parked {
    Timer,
    /// In a scope of its own, cancelled by a common token.
    Token,
    /// On nothing that can be told.
    Blind,
    /// Cleans up for a while after the request.
    Cleanup,
    Group,
}

#[test]
fn million_tasks_cancelled_at_once_end_and_give_their_memory_back() {
    let _turn = TURN.lock().unwrap();
    for parked in [
        Parked::Timer,
        Parked::Token,
        Parked::Blind,
        Parked::Cleanup,
        Parked::Group,
    ] {
        // What the process allocates once is not counted.
        cancel_all(parked, 10);
        cancel_all(parked, scaled(1_000_000, 20));
    }
}

fn cancel_all(parked: Parked, count: usize) {
    let before = live_bytes();
    let mut scheduler = Scheduler::new(ThreadDriver::new());
    let ended = Rc::new(Cell::new(0));
    scheduler.block_on(cancel_many(parked, count, Rc::clone(&ended)));
    assert_eq!(ended.get(), count, "{parked:?}");
    // F20: linear, so the work for each is the same however many there are.
    let polls = usize::try_from(scheduler.stats().polls).unwrap();
    assert!(polls <= 4 * count + 20, "{parked:?}: {polls} polls");
    // An idle turn is when the loop gives back what it does not need.
    let _idle = scheduler.turn(Some(Duration::ZERO)).unwrap();
    let kept = live_bytes() - before;
    assert!(kept < 100_000, "{parked:?}: {kept} bytes are kept");
    drop(scheduler);
    drop(ended);
    if count > 10 {
        assert_eq!(live_bytes(), before, "{parked:?}");
    }
}

async fn cancel_many(parked: Parked, count: usize, ended: Rc<Cell<usize>>) {
    let token = CancelToken::new();
    if let Parked::Group = parked {
        let cancelled = group(async |g| {
            for _ in 0..count {
                let count_end = CountEnd(Rc::clone(&ended));
                drop(g.spawn(async move {
                    let _count_end = count_end;
                    time::sleep(Duration::MAX).await
                }));
            }
            task::yield_now().await?;
            g.cancel("all of you");
            Ok::<_, ringloop_task::cancel::Cancelled>(())
        });
        cancelled.await.unwrap();
        return;
    }
    let mut children = Vec::with_capacity(count);
    for _ in 0..count {
        let count_end = CountEnd(Rc::clone(&ended));
        let token = token.clone();
        children.push(task::spawn(async move {
            let _count_end = count_end;
            match parked {
                Parked::Token => {
                    let sleep = time::sleep(Duration::MAX);
                    drop(CancelScope::with_token(token).run(sleep).await);
                }
                Parked::Blind => std::future::pending().await,
                Parked::Cleanup => {
                    drop(time::sleep(Duration::from_secs(3600)).await);
                    drop(shield(time::sleep(Duration::from_millis(1))).await);
                }
                Parked::Timer | Parked::Group => {
                    drop(time::sleep(Duration::from_secs(3600)).await);
                }
            }
        }));
    }
    task::yield_now().await.unwrap();
    if let Parked::Token = parked {
        token.cancel("all of you");
    } else {
        for child in &children {
            child.cancel("all of you");
        }
    }
    for child in children {
        let _cancelled = child.await;
    }
}

/// Counts when it is dropped.
struct CountEnd(Rc<Cell<usize>>);

impl Drop for CountEnd {
    fn drop(&mut self) {
        self.0.set(self.0.get() + 1);
    }
}

#[test]
fn ten_million_wakes_from_four_threads_lose_none() {
    const THREADS: usize = 4;
    let _turn = TURN.lock().unwrap();
    let rounds = scaled(10_000_000, 100) / THREADS;
    let counters: Vec<_> = (0..THREADS)
        .map(|_| Arc::new(AtomicUsize::new(0)))
        .collect();
    let (lend, wakers) = mpsc::channel::<(usize, Waker)>();
    let wakers = Arc::new(Mutex::new(wakers));
    let threads: Vec<_> = (0..THREADS)
        .map(|_| {
            let wakers = Arc::clone(&wakers);
            let counters = counters.clone();
            thread::spawn(move || {
                loop {
                    let next = wakers.lock().unwrap().recv();
                    let Ok((n, waker)) = next else { return };
                    // What is written before the wake is seen by the poll.
                    counters[n].fetch_add(1, Ordering::Relaxed);
                    waker.wake();
                }
            })
        })
        .collect();
    Scheduler::new(ThreadDriver::new()).block_on(async {
        let tasks: Vec<_> = counters
            .iter()
            .enumerate()
            .map(|(n, counter)| task::spawn(be_woken(n, Arc::clone(counter), lend.clone(), rounds)))
            .collect();
        drop(lend);
        for task in tasks {
            task.await.unwrap();
        }
    });
    for thread in threads {
        thread.join().unwrap();
    }
}

/// Lends out a waker, waits for the wake, and so on: one that is lost is a hang.
async fn be_woken(
    n: usize,
    counter: Arc<AtomicUsize>,
    lend: mpsc::Sender<(usize, Waker)>,
    rounds: usize,
) {
    for round in 0..rounds {
        let mut is_lent = false;
        poll_fn(|cx| {
            if counter.load(Ordering::Relaxed) > round {
                return Poll::Ready(());
            }
            if !is_lent {
                is_lent = true;
                lend.send((n, cx.waker().clone())).unwrap();
            }
            Poll::Pending
        })
        .await;
    }
}

#[test]
fn hundred_thousand_waiters_of_one_event_are_woken_in_order() {
    let _turn = TURN.lock().unwrap();
    let count = scaled(1_000_000, 20);
    Scheduler::new(ThreadDriver::new()).block_on(async {
        let list = Rc::new(ringloop_core::WaitList::new());
        let order = Rc::new(RefCell::new(Vec::with_capacity(count)));
        let tasks: Vec<_> = (0..count)
            .map(|n| {
                let (list, order) = (Rc::clone(&list), Rc::clone(&order));
                task::spawn(async move {
                    let mut key = None;
                    poll_fn(|cx| match &key {
                        Some(key) if !list.is_waiting(key) => Poll::Ready(()),
                        Some(_) => Poll::Pending,
                        None => {
                            key = Some(list.push(cx.waker()));
                            Poll::Pending
                        }
                    })
                    .await;
                    order.borrow_mut().push(n);
                })
            })
            .collect();
        task::yield_now().await.unwrap();
        list.wake_all();
        for task in tasks {
            task.await.unwrap();
        }
        assert!(order.borrow().iter().copied().eq(0..count));
    });
}
