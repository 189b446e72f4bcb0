//! What is offered to tests: virtual time, settling, sequences.

use std::cell::{Cell, RefCell};
use std::future::{pending, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::rc::Rc;
use std::sync::mpsc;
use std::task::Poll;
use std::thread;
use std::time::Duration;

use ringloop_core::Driver;
use ringloop_task::cancel::{CancelToken, Cancelled};
use ringloop_task::testing::{SequenceError, Sequencer, VirtualClock, VirtualDriver, settle};
use ringloop_task::{Scheduler, task, time};

use crate::driver::{Log, run, secs};

/// A scheduler on a clock that stands still.
fn standing() -> (Scheduler<VirtualDriver>, VirtualClock) {
    let driver = VirtualDriver::new()
        .autojump(false)
        .patience(Duration::ZERO);
    let clock = driver.clock();
    (Scheduler::new(driver), clock)
}

/// Returns the message of the panic of `f`.
fn panic_of(f: impl FnOnce()) -> String {
    let payload = catch_unwind(AssertUnwindSafe(f)).expect_err("it panics");
    let message = payload.downcast_ref::<String>();
    message.expect("the message was formatted").clone()
}

#[test]
fn clock_jumps_to_the_deadlines_and_no_further() {
    let driver = VirtualDriver::new();
    let clock = driver.clock();
    let start = clock.now();
    let mut scheduler = Scheduler::new(driver);
    scheduler.block_on(async {
        assert_eq!(time::now(), start);
        time::sleep(Duration::from_nanos(1)).await.unwrap();
        assert_eq!(clock.elapsed(), Duration::from_nanos(1));
        time::sleep(secs(1_000_000)).await.unwrap();
        assert_eq!(clock.elapsed(), secs(1_000_000) + Duration::from_nanos(1));
    });
    assert_eq!(clock.now(), start + clock.elapsed());
}

#[test]
fn driver_parks_as_the_trait_says() {
    let mut driver = VirtualDriver::new().patience(Duration::ZERO);
    let start = driver.now();
    // Unparks coalesce, and an unpark is used up before the clock moves.
    driver.unparker().unpark();
    driver.unparker().unpark();
    driver.park(None).unwrap();
    driver.park(Some(secs(2))).unwrap();
    assert_eq!(driver.now(), start + secs(2));
    driver.unparker().unpark();
    driver.park(Some(secs(2))).unwrap();
    assert_eq!(driver.now(), start + secs(2));
    driver.unparker().unpark();
    driver.park(Some(Duration::ZERO)).unwrap();
    let error = driver.park(None).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::Deadlock);
    // A timeout beyond the end of time is none.
    assert!(driver.park(Some(Duration::MAX)).is_err());
    assert_eq!(driver.now(), start + secs(2));
}

#[test]
fn deadlock_is_a_panic_that_says_so() {
    let mut scheduler = Scheduler::new(VirtualDriver::new().patience(Duration::ZERO));
    let message = panic_of(|| scheduler.block_on(pending()));
    assert!(message.contains("every task waits and no timer is set"));
    // The loop is not harmed.
    scheduler.block_on(task::yield_now()).unwrap();

    let (mut scheduler, _clock) = standing();
    let message = panic_of(|| scheduler.block_on(time::sleep(secs(1))).unwrap());
    assert!(message.contains("nobody advances the clock"));
}

#[test]
fn other_threads_are_waited_for() {
    let done = CancelToken::new();
    let (ask, asked) = mpsc::channel::<()>();
    let thread = thread::spawn({
        let done = done.clone();
        move || {
            asked.recv().unwrap();
            done.cancel("by the thread");
        }
    });
    let reason = Scheduler::new(VirtualDriver::new()).block_on(async {
        ask.send(()).unwrap();
        done.cancelled().await.unwrap()
    });
    assert_eq!(reason.text(), "by the thread");
    thread.join().unwrap();
}

#[test]
fn standing_clock_moves_by_hand_only() {
    let (mut scheduler, clock) = standing();
    scheduler.block_on(async {
        let sleeper = task::spawn(time::sleep(secs(10)));
        settle().await.unwrap();
        for (by, is_over) in [(0, false), (9, false), (0, false), (1, true)] {
            clock.advance(secs(by));
            settle().await.unwrap();
            assert_eq!(sleeper.is_finished(), is_over);
        }
        assert_eq!(clock.elapsed(), secs(10));
        clock.advance_to(clock.now() + secs(5));
        clock.advance_to(clock.now() - secs(3));
        assert_eq!(clock.elapsed(), secs(15));
        assert_eq!(time::now(), clock.now());
    });
}

#[test]
fn sleeps_count_from_their_call_also_if_the_clock_moves_in_the_same_turn() {
    let (mut scheduler, clock) = standing();
    scheduler.block_on(async {
        let start = time::now();
        let first = task::spawn(time::sleep(secs(10)));
        clock.advance(secs(4));
        let second = task::spawn(time::sleep(secs(10)));
        clock.advance_to(start + secs(9));
        settle().await.unwrap();
        clock.advance(secs(1));
        settle().await.unwrap();
        assert_eq!((first.is_finished(), second.is_finished()), (true, false));
        clock.advance(secs(4));
        settle().await.unwrap();
        assert!(second.is_finished());
    });
}

#[test]
fn settle_waits_for_all_that_is_due_however_much_that_is() {
    let (mut scheduler, clock) = standing();
    scheduler.block_on(async {
        let done = Rc::new(Cell::new(0));
        for _ in 0..20_000 {
            let done = done.clone();
            drop(task::spawn(async move {
                time::sleep(secs(30)).await.unwrap();
                done.set(done.get() + 1);
            }));
        }
        settle().await.unwrap();
        clock.advance(secs(30));
        settle().await.unwrap();
        assert_eq!(done.get(), 20_000);
    });
}

#[test]
fn advance_by_another_thread_wakes_the_loop() {
    let driver = VirtualDriver::new().autojump(false);
    let clock = driver.clock();
    let start = clock.now();
    let mut scheduler = Scheduler::new(driver);
    let (ask, asked) = mpsc::channel::<()>();
    let thread = thread::spawn({
        let clock = clock.clone();
        move || {
            asked.recv().unwrap();
            for _ in 0..10 {
                clock.advance(secs(1));
            }
        }
    });
    scheduler.block_on(async {
        let asks = task::spawn(async move {
            settle().await.unwrap();
            ask.send(()).unwrap();
        });
        time::sleep_until(start + secs(10)).await.unwrap();
        asks.await.unwrap();
    });
    assert_eq!(clock.elapsed(), secs(10));
    thread.join().unwrap();
}

#[test]
fn clock_does_not_go_beyond_the_end_of_time() {
    let clock = VirtualDriver::new().clock();
    assert!(catch_unwind(|| clock.advance(Duration::MAX)).is_err());
    assert_eq!(clock.elapsed(), Duration::ZERO);
    assert_eq!(clock.now(), clock.now());
}

#[test]
fn settle_waits_for_all_that_can_run_and_for_no_timer() {
    run(async {
        let log = Log::default();
        for (name, turns) in [("a", 1), ("b", 300), ("c", 20)] {
            let log = log.clone();
            drop(task::spawn(async move {
                for _ in 0..turns {
                    task::yield_now().await.unwrap();
                }
                log.add(name);
                // A chain: one more task becomes ready when nothing else is.
                task::spawn(async {}).await.unwrap();
                time::sleep(Duration::ZERO).await.unwrap();
                time::sleep_until(time::now()).await.unwrap();
                log.add(name);
                time::sleep(Duration::from_nanos(1)).await.unwrap();
                log.add("late");
            }));
        }
        let before = time::now();
        settle().await.unwrap();
        log.check(&["a", "a", "c", "c", "b", "b"]);
        settle().await.unwrap();
        assert_eq!(time::now(), before);
        log.check(&[]);
        time::sleep(Duration::from_nanos(1)).await.unwrap();
        settle().await.unwrap();
        log.check(&["late", "late", "late"]);
    });
}

#[test]
fn settlers_go_on_together_in_order() {
    run(async {
        let log = Log::default();
        for name in ["a", "b", "c"] {
            let log = log.clone();
            drop(task::spawn(async move {
                settle().await.unwrap();
                log.add(name);
                settle().await.unwrap();
                log.add(name);
            }));
        }
        settle().await.unwrap();
        log.add("main");
        settle().await.unwrap();
        log.check(&["main", "a", "b", "c"]);
        settle().await.unwrap();
        log.check(&["a", "b", "c"]);
    });
}

#[test]
fn settle_lets_posted_closures_and_remote_wakes_run() {
    let mut scheduler = Scheduler::new(VirtualDriver::new());
    let remote = scheduler.remote();
    scheduler.block_on(async {
        let token = CancelToken::new();
        let waiter = task::spawn({
            let token = token.clone();
            async move { token.cancelled().await.unwrap() }
        });
        settle().await.unwrap();
        let posted = token.clone();
        remote
            .call_soon(move || assert!(posted.cancel("posted")))
            .unwrap();
        settle().await.unwrap();
        assert!(waiter.is_finished());
    });
}

#[test]
fn settle_that_is_given_up_leaves_nothing_behind() {
    let mut scheduler = Scheduler::new(VirtualDriver::new());
    scheduler.block_on(async {
        {
            let mut dropped = pin!(settle());
            let polled = poll_fn(|cx| Poll::Ready(dropped.as_mut().poll(cx)));
            assert!(polled.await.is_pending());
        }
        let child = task::spawn(async {
            task::current().unwrap().cancel("enough");
            settle().await
        });
        assert_eq!(child.await.unwrap().unwrap_err().reason().text(), "enough");
        // A list that is not empty would be looked at without sleeping, in a turn of its own.
        time::sleep(secs(1)).await.unwrap();
    });
    // One for the join, one for the sleep.
    assert_eq!(scheduler.stats().turns, 2);
}

#[test]
fn settle_is_cancelled_while_it_waits() {
    run(async {
        let child = task::spawn(async {
            let busy = task::spawn(async {
                loop {
                    task::yield_now().await?;
                }
                #[expect(unreachable_code, reason = "names the type")]
                Ok::<(), Cancelled>(())
            });
            let settled = settle().await;
            drop(busy.await);
            settled
        });
        for _ in 0..5 {
            task::yield_now().await.unwrap();
        }
        assert!(!child.is_finished());
        child.cancel("enough");
        assert!(child.await.unwrap().is_err());
    });
}

#[test]
fn sequence_orders_tasks_in_every_spawn_order() {
    for order in permutations(4) {
        run(async {
            let (sequence, log) = (Sequencer::new(), Log::default());
            let mut tasks = Vec::new();
            for number in order {
                let (sequence, log) = (sequence.clone(), log.clone());
                tasks.push(task::spawn(async move {
                    let _step = sequence.step(number).await.unwrap();
                    log.add(format!("{number}("));
                    time::sleep(secs(1)).await.unwrap();
                    log.add(format!("){number}"));
                }));
            }
            for task in tasks {
                task.await.unwrap();
            }
            log.check(&["0(", ")0", "1(", ")1", "2(", ")2", "3(", ")3"]);
        });
    }
}

#[test]
fn number_used_twice_is_an_error_and_the_sequence_goes_on() {
    run(async {
        let sequence = Sequencer::new();
        let first = sequence.step(0);
        assert!(matches!(
            sequence.step(0).await,
            Err(SequenceError::UsedTwice(0))
        ));
        drop(first.await.unwrap());
        assert!(matches!(
            sequence.step(0).await,
            Err(SequenceError::UsedTwice(0))
        ));
        sequence.step(1).await.unwrap();
    });
}

#[test]
fn step_that_is_given_up_breaks_what_comes_after_it_and_nothing_before() {
    run(async {
        let sequence = Sequencer::new();
        let wait = |number| {
            let sequence = sequence.clone();
            task::spawn(async move { sequence.step(number).await })
        };
        let (one, two, three) = (wait(1), wait(2), wait(3));
        settle().await.unwrap();
        two.cancel("enough");
        assert!(matches!(
            two.await.unwrap(),
            Err(SequenceError::Cancelled(_))
        ));
        assert!(matches!(
            three.await.unwrap(),
            Err(SequenceError::Broken(2))
        ));
        assert!(!one.is_finished());
        sequence.step(0).await.unwrap();
        one.await.unwrap().unwrap();
        for late in [4, 5] {
            let never = sequence.step(late).await;
            assert!(matches!(never, Err(SequenceError::Broken(2))));
        }
    });
}

#[test]
fn dropped_waits_break_the_sequence_polled_or_not() {
    for is_polled in [false, true] {
        run(async {
            let sequence = Sequencer::new();
            let mut wait = Box::pin(sequence.step(1));
            if is_polled {
                let polled = poll_fn(|cx| Poll::Ready(wait.as_mut().poll(cx)));
                assert!(polled.await.is_pending());
            }
            drop(wait);
            sequence.step(0).await.unwrap();
            let never = sequence.step(2).await;
            assert!(matches!(never, Err(SequenceError::Broken(1))));
        });
    }
}

#[test]
fn step_ends_with_the_panic_of_its_task() {
    run(async {
        let sequence = Sequencer::new();
        let panics = task::spawn({
            let sequence = sequence.clone();
            async move {
                let _step = sequence.step(0).await.unwrap();
                panic!("in the step");
            }
        });
        sequence.step(1).await.unwrap();
        assert!(panics.await.is_err());
    });
}

#[test]
fn settle_inside_a_shutdown_is_not_forgotten() {
    let mut scheduler = Scheduler::new(VirtualDriver::new());
    let settled = Rc::new(Cell::new(false));
    scheduler.block_on(async {
        let settled = settled.clone();
        drop(task::spawn(async move {
            drop(time::sleep(Duration::MAX).await);
            ringloop_task::cancel::shield(settle()).await.unwrap();
            settled.set(true);
        }));
        task::yield_now().await.unwrap();
    });
    let report = scheduler.shutdown(secs(1));
    assert_eq!((report.cancelled, report.aborted), (1, 0));
    assert!(settled.get());
}

fn permutations(len: u32) -> Vec<Vec<u32>> {
    let found = RefCell::new(Vec::new());
    fn extend(prefix: &mut Vec<u32>, len: u32, found: &RefCell<Vec<Vec<u32>>>) {
        let is_whole = prefix.len() == len as usize;
        if is_whole {
            found.borrow_mut().push(prefix.clone());
        }
        for number in (0..len).filter(|_| !is_whole) {
            if !prefix.contains(&number) {
                prefix.push(number);
                extend(prefix, len, found);
                prefix.pop();
            }
        }
    }
    extend(&mut Vec::new(), len, &found);
    found.into_inner()
}
