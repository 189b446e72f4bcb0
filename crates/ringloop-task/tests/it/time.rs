//! Timers.

use std::time::Duration;

use ringloop_core::{Driver, ThreadDriver};
use ringloop_task::{Scheduler, task, time};

use crate::driver::{Log, VirtualDriver, run, secs};

#[test]
fn sleeps_end_in_the_order_of_their_deadlines_and_ties_in_that_of_their_calls() {
    let log = Log::default();
    run(async {
        let start = time::now();
        let mut tasks = Vec::new();
        for (name, delay) in [("c", 3), ("a", 1), ("b1", 2), ("b2", 2), ("b3", 2)] {
            let log = log.clone();
            tasks.push(task::spawn(async move {
                time::sleep(secs(delay)).await.unwrap();
                log.add(format!("{name}@{}", (time::now() - start).as_secs()));
            }));
        }
        for task in tasks {
            task.await.unwrap();
        }
    });
    log.check(&["a@1", "b1@2", "b2@2", "b3@2", "c@3"]);
}

#[test]
fn sleep_counts_from_its_call() {
    run(async {
        let start = time::now();
        let sleep = time::sleep(secs(3));
        time::sleep(secs(2)).await.unwrap();
        sleep.await.unwrap();
        assert_eq!(time::now() - start, secs(3));
    });
}

#[test]
fn zero_is_exactly_one_turn() {
    let mut scheduler = Scheduler::new(VirtualDriver::new());
    scheduler.block_on(time::sleep(Duration::ZERO)).unwrap();
    let stats = scheduler.stats();
    assert_eq!((stats.polls, stats.turns), (2, 1));
    scheduler
        .block_on(async { time::sleep_until(time::now()).await })
        .unwrap();
}

#[test]
fn sleep_made_outside_of_the_loop_counts_from_its_first_poll() {
    let sleep = time::sleep(secs(4));
    run(async {
        let start = time::now();
        sleep.await.unwrap();
        assert_eq!(time::now() - start, secs(4));
    });
}

#[test]
fn far_deadlines_never_come() {
    run(async {
        for far in [
            Duration::MAX,
            Duration::from_secs(u64::MAX / 2),
            secs(86_400 * 365 * 1000),
        ] {
            let late = time::timeout(secs(86_400), time::sleep(far)).await;
            assert!(late.is_err());
        }
    });
}

#[test]
fn dropped_sleep_takes_its_timer_along() {
    let mut scheduler = Scheduler::new(VirtualDriver::new());
    scheduler.block_on(async {
        for _ in 0..100 {
            let mut sleep = Box::pin(time::sleep(secs(9)));
            let polled = std::future::poll_fn(|cx| std::task::Poll::Ready(sleep.as_mut().poll(cx)));
            assert!(polled.await.is_pending());
        }
    });
    assert_eq!(scheduler.stats().timers_len, 0);
}

#[test]
fn cancelled_sleep_takes_its_timer_along() {
    let mut scheduler = Scheduler::new(VirtualDriver::new());
    scheduler.block_on(async {
        let mut sleep = Box::pin(time::sleep(secs(9)));
        let polled = std::future::poll_fn(|cx| std::task::Poll::Ready(sleep.as_mut().poll(cx)));
        assert!(polled.await.is_pending());
        task::current().unwrap().cancel("enough");
        assert!(sleep.as_mut().await.is_err());
        // The future is still there; its timer is not.
        drop(task::spawn(async {}));
    });
    assert_eq!(scheduler.stats().timers_len, 0);
}

#[test]
fn thousands_of_timers_fire_in_bounded_batches() {
    let mut scheduler = Scheduler::new(VirtualDriver::new());
    scheduler.block_on(async {
        let tasks: Vec<_> = (0..5000)
            .map(|_| task::spawn(time::sleep(secs(1))))
            .collect();
        for task in tasks {
            task.await.unwrap().unwrap();
        }
    });
    assert!(scheduler.stats().turns >= 5);
}

#[test]
fn clock_is_fresh_within_one_poll() {
    use std::cell::Cell;
    use std::time::Instant;
    /// Time passes with every look.
    struct Ticking(Cell<Instant>, VirtualDriver);
    impl Driver for Ticking {
        fn now(&self) -> Instant {
            self.0.set(self.0.get() + secs(1));
            self.0.get()
        }
        fn park(&mut self, timeout: Option<Duration>) -> std::io::Result<()> {
            self.0.set(self.0.get() + timeout.unwrap_or_default());
            Ok(())
        }
        fn unparker(&self) -> ringloop_core::Unparker {
            self.1.unparker()
        }
    }
    let base = VirtualDriver::new();
    Scheduler::new(Ticking(Cell::new(base.now()), base)).block_on(async {
        let first = time::now();
        assert_eq!(time::now() - first, secs(1));
    });
}

#[test]
fn real_sleep_is_never_early() {
    Scheduler::new(ThreadDriver::new()).block_on(async {
        for _ in 0..5 {
            let before = time::now();
            time::sleep(Duration::from_micros(300)).await.unwrap();
            assert!(time::now() - before >= Duration::from_micros(300));
        }
    });
}
