//! Nobody holds the loop: a task has a budget for each poll, a turn of the loop one of polls.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker, ready};
use std::time::{Duration, Instant};

use ringloop_core::{Driver, Unparker};
use ringloop_task::call::call_soon;
use ringloop_task::cancel::{CancelScope, CancelToken, CancelWatch};
use ringloop_task::task::{JoinHandle, POLL_BUDGET};
use ringloop_task::{Scheduler, task, time};

use crate::driver::{VirtualDriver, run};

/// A wait that is over at once.
async fn leaf() {
    poll_fn(|cx| {
        ready!(task::poll_budget(cx)).spend();
        Poll::Ready(())
    })
    .await;
}

/// Counts the turns that others have had.
fn count_turns() -> (JoinHandle<()>, Rc<Cell<u32>>) {
    let turns = Rc::new(Cell::new(0));
    let count = Rc::clone(&turns);
    let counter = task::spawn(async move {
        count.set(1);
        while task::yield_now().await.is_ok() {
            count.set(count.get() + 1);
        }
    });
    (counter, turns)
}

#[test]
fn a_task_whose_waits_are_over_at_once_gives_way() {
    run(async {
        let (_counter, turns) = count_turns();
        task::yield_now().await.unwrap();
        let before = turns.get();
        for _ in 0..3 * POLL_BUDGET {
            leaf().await;
        }
        assert_eq!(
            turns.get() - before,
            2,
            "the third budget has just been spent"
        );
        leaf().await;
        assert_eq!(turns.get() - before, 3);
        task::yield_now().await.unwrap();
        for _ in 0..POLL_BUDGET {
            leaf().await;
        }
        assert_eq!(turns.get() - before, 4, "each poll has the whole budget");
    });
}

/// Waits of this crate that can be over at once, over and over.
#[test]
fn waits_of_this_crate_take_part() {
    type Again = fn(u32) -> Pin<Box<dyn Future<Output = ()>>>;
    let waits: [(&str, Again); 4] = [
        ("join", |_| {
            let child = task::spawn_eager(async {});
            Box::pin(async { child.await.unwrap() })
        }),
        ("wait", |_| {
            let child = task::spawn_eager(async {});
            Box::pin(async move { child.wait().await.unwrap() })
        }),
        ("consume", |_| {
            Box::pin(async { task::consume_budget().await.unwrap() })
        }),
        ("cancelled", |_| {
            let token = CancelToken::new();
            token.cancel("at once");
            Box::pin(async move { drop(token.cancelled().await.unwrap()) })
        }),
    ];
    for (name, wait) in waits {
        run(async move {
            let (_counter, turns) = count_turns();
            task::yield_now().await.unwrap();
            let before = turns.get();
            for n in 0..=4 * POLL_BUDGET {
                wait(n).await;
            }
            assert_eq!(turns.get() - before, 4, "{name}");
        });
    }
}

#[test]
fn what_does_not_complete_costs_nothing() {
    run(poll_fn(|cx| {
        for _ in 0..10 * POLL_BUDGET {
            assert!(task::poll_budget(cx).is_ready());
        }
        for _ in 0..POLL_BUDGET {
            task::spend_budget();
        }
        assert!(task::poll_budget(cx).is_pending());
        Poll::Ready(())
    }));
}

#[test]
fn an_eager_child_has_a_budget_of_its_own() {
    run(async {
        let (_counter, turns) = count_turns();
        for _ in 0..POLL_BUDGET - 1 {
            leaf().await;
        }
        let child = task::spawn_eager(async {
            for _ in 0..POLL_BUDGET {
                leaf().await;
            }
        });
        assert!(child.is_finished());
        let gives_way = task::spawn_eager(async {
            for _ in 0..=POLL_BUDGET {
                leaf().await;
            }
        });
        assert!(!gives_way.is_finished());
        leaf().await;
        assert_eq!(turns.get(), 0, "the last piece of the spawner");
        leaf().await;
        assert_eq!(turns.get(), 1);
    });
}

#[test]
fn outside_of_tasks_there_is_no_bound() {
    let waker = Waker::noop();
    let check = || {
        let mut cx = Context::from_waker(waker);
        for _ in 0..10 * POLL_BUDGET {
            let Poll::Ready(budget) = task::poll_budget(&mut cx) else {
                panic!("nobody waits for code outside of tasks");
            };
            budget.spend();
        }
    };
    check();
    let mut scheduler = Scheduler::new(VirtualDriver::new());
    scheduler.enter(check);
    let called = Rc::new(Cell::new(false));
    let is_called = Rc::clone(&called);
    scheduler.block_on(async move {
        call_soon(move || {
            check();
            is_called.set(true);
        });
        task::yield_now().await.unwrap();
    });
    assert!(called.get());
}

/// Begins a wait and says whether it may: `None` if the budget is used up.
fn begin(cx: &mut Context<'_>) -> Option<bool> {
    match CancelWatch::new().poll_begin(cx) {
        Poll::Ready(result) => Some(result.is_ok()),
        Poll::Pending => None,
    }
}

#[test]
fn a_request_in_the_middle_of_a_poll_is_seen_by_the_next_wait() {
    run(async {
        let child = task::spawn(poll_fn(|cx| {
            assert_eq!(begin(cx), Some(true));
            assert!(task::current().unwrap().cancel("by itself"));
            assert_eq!(begin(cx), Some(false));
            assert!(CancelWatch::new().poll_cancelled(cx).is_err());
            Poll::Ready(())
        }));
        child.await.unwrap();
    });
}

#[test]
fn a_poll_has_one_budget_inside_and_outside_of_scopes() {
    run(async {
        let scoped = CancelScope::new();
        let cancelled = CancelScope::new();
        cancelled.handle().cancel("from the start");
        let mut inside = Box::pin(scoped.run(poll_fn(|cx| {
            for _ in 0..POLL_BUDGET / 4 {
                assert_eq!(begin(cx), Some(true));
            }
            Poll::Ready(())
        })));
        let mut told = Box::pin(cancelled.run(poll_fn(|cx| {
            assert_eq!(begin(cx), Some(false), "a cancelled scope is seen at once");
            Poll::Ready(())
        })));
        let mut is_first = true;
        poll_fn(move |cx| {
            if !std::mem::take(&mut is_first) {
                return Poll::Ready(());
            }
            for _ in 0..POLL_BUDGET / 2 {
                assert_eq!(begin(cx), Some(true));
            }
            assert!(told.as_mut().poll(cx).is_ready());
            assert!(inside.as_mut().poll(cx).is_ready());
            for _ in 0..POLL_BUDGET / 4 {
                assert_eq!(begin(cx), Some(true));
            }
            assert_eq!(begin(cx), None, "all has been spent");
            Poll::Pending
        })
        .await;
    });
}

#[test]
fn a_loop_inside_a_poll_leaves_its_budget_alone() {
    run(async {
        let mut inner = Scheduler::new(VirtualDriver::new());
        let mut is_first = true;
        poll_fn(move |cx| {
            if !std::mem::take(&mut is_first) {
                return Poll::Ready(());
            }
            assert_eq!(begin(cx), Some(true));
            inner.enter(|| {
                for _ in 0..2 * POLL_BUDGET {
                    assert_eq!(begin(cx), Some(true), "code outside of tasks has no bound");
                }
                drop(inner_task());
            });
            assert_eq!(inner.turn(Some(Duration::ZERO)).unwrap().polled, 1);
            for _ in 1..POLL_BUDGET {
                assert_eq!(begin(cx), Some(true));
            }
            assert_eq!(begin(cx), None);
            Poll::Pending
        })
        .await;
    });
}

/// A task that uses up its budget at once.
fn inner_task() -> JoinHandle<()> {
    task::spawn(poll_fn(|cx| {
        for _ in 0..POLL_BUDGET {
            assert_eq!(begin(cx), Some(true));
        }
        assert_eq!(begin(cx), None);
        Poll::Ready(())
    }))
}

#[test]
fn the_waker_of_the_poll_is_woken() {
    struct Count(AtomicUsize);
    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
    run(async {
        let count = Arc::new(Count(AtomicUsize::new(0)));
        let waker = Waker::from(Arc::clone(&count));
        let mut cx = Context::from_waker(&waker);
        for _ in 0..POLL_BUDGET {
            leaf().await;
        }
        assert!(task::poll_budget(&mut cx).is_pending());
        assert_eq!(count.0.load(Ordering::Relaxed), 1);
    });
}

/// A cancelled task, or scope, that gives way is not parked on something that cannot be told: it
/// keeps its value, however often.
#[test]
fn giving_way_is_not_being_parked() {
    const LONG: u32 = 3000 * POLL_BUDGET;
    async fn work(waker: impl Fn()) -> u32 {
        let mut done = 0;
        for _ in 0..LONG {
            leaf().await;
            waker();
            done += 1;
        }
        done
    }
    run(async {
        let child = task::spawn(async {
            task::current().unwrap().cancel("ignored");
            work(|| {}).await
        });
        assert_eq!(child.await.unwrap(), LONG);
        let scope = CancelScope::new();
        scope.token().cancel("ignored");
        assert_eq!(scope.run(work(|| {})).await.done(), Some(LONG));
    });
}

#[test]
fn consuming_the_budget_is_a_wait() {
    run(async {
        let child = task::spawn(async {
            let mut rounds = 0;
            while task::consume_budget().await.is_ok() {
                rounds += 1;
            }
            rounds
        });
        task::yield_now().await.unwrap();
        child.cancel("enough");
        assert_eq!(child.await.unwrap(), POLL_BUDGET);
    });
}

/// A driver on which each park takes a millisecond, and something is ready each time: it wakes
/// whatever waker it is given, as a busy ring does.
struct BusyDriver {
    start: Instant,
    world: Rc<World>,
}

#[derive(Default)]
struct World {
    parks: Cell<u64>,
    wakers: RefCell<Vec<Waker>>,
}

impl World {
    /// Waits for the next park, as for a completion.
    async fn completion(&self) {
        let seen = self.parks.get();
        poll_fn(|cx| {
            if self.parks.get() > seen {
                return Poll::Ready(());
            }
            self.wakers.borrow_mut().push(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }
}

impl Driver for BusyDriver {
    fn now(&self) -> Instant {
        self.start + Duration::from_millis(self.world.parks.get())
    }

    fn park(&mut self, _timeout: Option<Duration>) -> io::Result<()> {
        self.world.parks.set(self.world.parks.get() + 1);
        let wakers = self.world.wakers.take();
        wakers.into_iter().for_each(Waker::wake);
        Ok(())
    }

    fn unparker(&self) -> Unparker {
        VirtualDriver::new().unparker()
    }
}

fn busy() -> (Scheduler<BusyDriver>, Rc<World>) {
    let world = Rc::new(World::default());
    let driver = BusyDriver {
        start: VirtualDriver::new().now(),
        world: Rc::clone(&world),
    };
    (Scheduler::new(driver), world)
}

/// So many polls at most between two looks at the driver and the timers (F74).
const POLLS_PER_TURN: u64 = 61;

#[test]
fn ready_tasks_starve_neither_timers_nor_completions() {
    const TASKS: u64 = 1000;
    let (mut scheduler, world) = busy();
    scheduler.block_on(async {
        let polls = Rc::new(Cell::new(0_u64));
        for _ in 0..TASKS {
            let polls = Rc::clone(&polls);
            drop(task::spawn(async move {
                while task::yield_now().await.is_ok() {
                    polls.set(polls.get() + 1);
                }
            }));
        }
        // A completion is seen in the park after 61 polls; its task stands behind the others.
        for _ in 0..3 {
            let (before, seen) = (polls.get(), world.parks.get());
            world.completion().await;
            let parks = world.parks.get() - seen;
            assert!(polls.get() - before <= TASKS + POLLS_PER_TURN);
            assert!(
                parks >= (TASKS / POLLS_PER_TURN),
                "{parks} parks in a round"
            );
        }
        // So is a deadline.
        let deadline = time::now() + Duration::from_millis(5);
        time::sleep_until(deadline).await.unwrap();
        let rounds_late = TASKS.div_ceil(POLLS_PER_TURN) + 1;
        assert!(time::now() - deadline <= Duration::from_millis(rounds_late));
    });
    let stats = scheduler.stats();
    assert!(stats.polls <= (stats.turns + 1) * POLLS_PER_TURN);
}

#[test]
fn tasks_that_wake_each_other_starve_neither_timers_nor_completions() {
    let (mut scheduler, world) = busy();
    scheduler.block_on(async {
        // A chain without an end: every task spawns the next one.
        fn next(count: Rc<Cell<u64>>) {
            count.set(count.get() + 1);
            drop(task::spawn(async move { next(count) }));
        }
        let count = Rc::new(Cell::new(0));
        next(Rc::clone(&count));
        for _ in 0..3 {
            let (before, seen) = (count.get(), world.parks.get());
            world.completion().await;
            assert_eq!(world.parks.get() - seen, 1);
            assert!(count.get() - before <= POLLS_PER_TURN);
        }
        time::timeout(Duration::from_millis(3), std::future::pending::<()>())
            .await
            .unwrap_err();
    });
}

#[test]
fn completions_starve_neither_timers_nor_tasks() {
    let (mut scheduler, world) = busy();
    scheduler.block_on(async {
        for _ in 0..500 {
            let world = Rc::clone(&world);
            drop(task::spawn(async move {
                loop {
                    world.completion().await;
                }
            }));
        }
        let start = time::now();
        let ticker = task::spawn(async {
            for _ in 0..10 {
                time::sleep(Duration::from_millis(2)).await.unwrap();
            }
        });
        let yielder = task::spawn(async {
            for _ in 0..10 {
                task::yield_now().await.unwrap();
            }
        });
        ticker.await.unwrap();
        assert!(yielder.is_finished());
        let late = time::now() - start - Duration::from_millis(20);
        // A sleep counts from the end of its turn.
        let round = Duration::from_millis(500 / POLLS_PER_TURN + 3);
        assert!(late <= 10 * round, "{late:?}");
    });
}

#[test]
fn timers_that_are_due_starve_neither_tasks_nor_completions() {
    const TIMERS: u64 = 20_000;
    let (mut scheduler, world) = busy();
    scheduler.block_on(async {
        let fired = Rc::new(Cell::new(0_u64));
        for _ in 0..TIMERS {
            let fired = Rc::clone(&fired);
            ringloop_task::call::call_later(Duration::from_millis(1), move || {
                fired.set(fired.get() + 1);
            });
        }
        // What was ready before the timers fired is polled before them.
        let seen = world.parks.get();
        task::yield_now().await.unwrap();
        assert_eq!((world.parks.get() - seen, fired.get()), (1, 0));
        world.completion().await;
        while fired.get() < TIMERS {
            task::yield_now().await.unwrap();
        }
    });
    let stats = scheduler.stats();
    assert!(stats.polls <= (stats.turns + 1) * POLLS_PER_TURN);
}

#[test]
fn a_budget_is_not_late_for_a_timer() {
    let (mut scheduler, _world) = busy();
    scheduler.block_on(async {
        let ended = Rc::new(Cell::new(false));
        let has_ended = Rc::clone(&ended);
        let hog = task::spawn(async move {
            while !has_ended.get() {
                leaf().await;
            }
        });
        let deadline = time::now() + Duration::from_millis(5);
        time::sleep_until(deadline).await.unwrap();
        assert!(time::now() - deadline <= Duration::from_millis(2));
        ended.set(true);
        hog.await.unwrap();
    });
}

/// A wait that begins where it is cancelled is put off now and then, never let through to what is
/// there for it.
#[test]
fn a_cancelled_wait_never_begins() {
    run(async {
        let begun = Rc::new(Cell::new(0));
        let count = Rc::clone(&begun);
        let (counter, turns) = count_turns();
        let stubborn = task::spawn(async move {
            for _ in 0..2500 {
                let mut watch = CancelWatch::new();
                if poll_fn(|cx| watch.poll_begin(cx)).await.is_ok() {
                    count.set(count.get() + 1);
                }
            }
        });
        stubborn.cancel("it does not listen");
        stubborn.await.unwrap();
        assert_eq!(begun.get(), 0);
        assert!(turns.get() >= 2, "the loop came round: {}", turns.get());
        counter.abort();
    });
}
