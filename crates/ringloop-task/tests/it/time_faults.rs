//! What timers get wrong elsewhere: overflows, borders of the wheel, early ends, crowds.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::LocalKey;
use std::time::{Duration, Instant};

use ringloop_core::{Driver, ThreadDriver, Unparker};
use ringloop_task::cancel::{CancelScope, Cancelled, shield_for};
use ringloop_task::testing::VirtualDriver;
use ringloop_task::time::Sleep;
use ringloop_task::{Scheduler, task, time};

use crate::driver::{run, secs};

async fn is_pending(future: Pin<&mut impl Future>) -> bool {
    let mut future = future;
    poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx).is_pending())).await
}

/// Durations at which something could overflow, wrap or be rounded.
fn durations() -> Vec<Duration> {
    let mut durations = vec![Duration::ZERO, Duration::MAX, Duration::MAX - nanos(1)];
    for bit in 0..64 {
        let power = 1_u64 << bit;
        for value in [power - 1, power, power.saturating_add(1)] {
            durations.extend([nanos(value), Duration::from_secs(value)]);
        }
    }
    for value in [u64::MAX, i64::MAX as u64, u64::from(u32::MAX)] {
        durations.extend([
            nanos(value),
            Duration::from_micros(value),
            Duration::from_millis(value),
            Duration::from_secs(value),
            Duration::new(value, 999_999_999),
        ]);
    }
    durations
}

const DAY: Duration = secs(86_400);

/// How many ways there are to wait.
const WAYS: usize = 10;

/// Waits for a duration in one of all ways.
async fn wait(way: usize, duration: Duration) -> Result<(), Cancelled> {
    let never = std::future::pending::<()>;
    // An instant that does not exist cannot be waited for.
    let deadline = time::now().checked_add(duration);
    let at = async || match deadline {
        Some(deadline) => deadline,
        None => std::future::pending().await,
    };
    match way {
        0 => time::sleep(duration).await?,
        1 => time::sleep_until(at().await).await?,
        2 => drop(time::timeout(duration, never()).await),
        3 => drop(time::timeout_at(at().await, never()).await),
        4 => drop(time::move_on_after(duration, never()).await),
        5 => drop(CancelScope::new().deadline_in(duration).run(never()).await),
        6 if duration <= DAY => drop(shield_for(duration, never()).await),
        6 => {
            // A shield for so long keeps out the timeout that ends this test.
            assert!(is_pending(pin!(shield_for(duration, never()))).await);
            never().await;
        }
        7 => {
            let mut sleep = time::sleep(Duration::MAX);
            sleep.reset(at().await);
            sleep.await?;
        }
        8 => {
            let mut interval = time::interval(duration.max(nanos(1)));
            interval.tick().await?;
            if !duration.is_zero() {
                interval.tick().await?;
            }
        }
        _ => drop(time::interval_at(at().await, secs(1)).tick().await?),
    }
    Ok(())
}

#[test]
fn f67_every_duration_by_every_way_ends_at_its_time_or_never() {
    for duration in durations() {
        run(async {
            for way in 0..WAYS {
                let start = time::now();
                let ended = time::timeout(DAY, wait(way, duration)).await;
                let slept = time::now() - start;
                assert_eq!(slept, duration.min(DAY), "way {way}");
                assert_eq!(ended.is_ok(), duration < DAY, "way {way}, {duration:?}");
            }
        });
    }
}

#[test]
fn f67_a_shutdown_waits_for_any_grace() {
    for grace in durations() {
        let mut scheduler = Scheduler::new(VirtualDriver::new());
        scheduler.block_on(async {
            drop(task::spawn(async {
                drop(time::sleep(Duration::MAX).await);
                ringloop_task::cancel::shield(time::sleep(secs(1))).await
            }));
            task::yield_now().await.unwrap();
        });
        let report = scheduler.shutdown(grace);
        let is_enough = grace >= secs(1);
        assert_eq!(report.aborted, usize::from(!is_enough), "{grace:?}");
    }
}

#[test]
fn f68_borders_of_levels_from_all_positions() {
    let mut borders = Vec::new();
    for digit in 0..9 {
        let border = 1_u64 << (6 * digit);
        borders.extend(border.saturating_sub(2)..=border + 2);
    }
    for &position in &borders {
        run(async {
            time::sleep(nanos(position)).await.unwrap();
            let start = time::now();
            // One by one, then all at once.
            for &after in &borders {
                let before = time::now();
                time::sleep(nanos(after)).await.unwrap();
                assert_eq!(time::now() - before, nanos(after));
            }
            let start = start + (time::now() - start);
            let all: Vec<_> = borders
                .iter()
                .map(|&after| {
                    task::spawn(async move {
                        time::sleep_until(start + nanos(after)).await.unwrap();
                        assert_eq!(time::now() - start, nanos(after));
                    })
                })
                .collect();
            for one in all {
                one.await.unwrap();
            }
        });
    }
}

/// Numbers that are the same in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

/// Sleeps too long, or not at all: a park may return early for no reason.
struct Sloppy {
    now: Instant,
    numbers: Numbers,
    slack: Duration,
    inner: VirtualDriver,
}

impl Driver for Sloppy {
    fn now(&self) -> Instant {
        self.now
    }

    fn park(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        let timeout = timeout.expect("something is to come");
        if timeout.is_zero() {
            return Ok(());
        }
        self.now += match self.numbers.below(4) {
            0 => Duration::ZERO,
            1 => timeout / 2,
            2 => timeout,
            _ => timeout + nanos(self.numbers.below(1000)).min(self.slack),
        };
        Ok(())
    }

    fn unparker(&self) -> Unparker {
        self.inner.unparker()
    }
}

#[test]
fn f69_no_sleep_ends_early_and_none_later_than_the_driver() {
    for seed in 1..40 {
        let inner = VirtualDriver::new();
        let slack = nanos(seed * 100 % 1001);
        let driver = Sloppy {
            now: inner.now(),
            numbers: Numbers(seed),
            slack,
            inner,
        };
        Scheduler::new(driver).block_on(async {
            let mut tasks = Vec::new();
            for number in 0..30 {
                let mut numbers = Numbers(seed * 1000 + number);
                tasks.push(task::spawn(async move {
                    for _ in 0..20 {
                        let bits = numbers.below(40);
                        let duration = nanos(numbers.below(1 << bits));
                        let start = time::now();
                        time::sleep(duration).await.unwrap();
                        let slept = time::now() - start;
                        assert!(duration <= slept && slept <= duration + slack);
                    }
                }));
            }
            for task in tasks {
                task.await.unwrap();
            }
        });
    }
}

#[test]
fn f70_a_million_timers_at_one_instant_fire_in_order_and_in_batches() {
    const COUNT: usize = 1_000_000;
    let driver = VirtualDriver::new();
    let clock = driver.clock();
    Scheduler::new(driver).block_on(async {
        let deadline = time::now() + secs(30);
        let mut sleeps: Vec<Sleep> = (0..COUNT).map(|_| time::sleep_until(deadline)).collect();
        poll_fn(|cx| {
            let mut pending = sleeps.iter_mut();
            assert!(pending.all(|sleep| Pin::new(sleep).poll(cx).is_pending()));
            Poll::Ready(())
        })
        .await;
        time::sleep_until(deadline - nanos(1)).await.unwrap();
        // This task is always ready: it sees every turn of the loop, and the clock never jumps.
        clock.advance_to(deadline);
        let (mut fired, mut turns) = (0, 0);
        poll_fn(|cx| {
            let before = fired;
            fired += sleeps[before..]
                .iter()
                .take_while(|sleep| sleep.is_elapsed())
                .count();
            assert!(fired - before <= 1024, "others are served in between");
            let mut rest = sleeps[fired..].iter().take(5000);
            assert!(rest.all(|sleep| !sleep.is_elapsed()), "first in, first out");
            turns += 1;
            cx.waker().wake_by_ref();
            if fired == COUNT {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
        assert_eq!(time::now(), deadline);
        assert!(turns <= COUNT / 1024 + 11 * COUNT / 4096 + 10, "linear");
    });
}

#[test]
fn f71_time_counts_from_the_making_whenever_the_first_poll_is() {
    run(async {
        let start = time::now();
        let sleep = time::sleep(secs(10));
        let mut interval = time::interval(secs(10));
        // These say in their documentation that they count from the first poll.
        let timeout = time::timeout(secs(10), std::future::pending::<()>());
        time::sleep(secs(4)).await.unwrap();
        sleep.await.unwrap();
        assert_eq!(time::now() - start, secs(10));
        assert_eq!(interval.tick().await.unwrap(), start);
        assert!(timeout.await.is_err());
        assert_eq!(time::now() - start, secs(20));
    });
}

#[test]
fn f71_a_sleep_that_leaves_its_loop_keeps_its_deadline() {
    // Made in one loop; that loop runs, has ended, is shut down, is gone; polled there or not.
    for state in 0..3 {
        for is_polled in [false, true] {
            let driver = VirtualDriver::new();
            let clock = driver.clock();
            let mut first = Scheduler::new(driver);
            let mut sleep = first.block_on(async {
                let mut sleep = time::sleep(secs(10));
                if is_polled {
                    assert!(is_pending(Pin::new(&mut sleep)).await);
                }
                sleep
            });
            let deadline = clock.now() + secs(10);
            // Had it not been told at the end of the run, this would move the deadline.
            clock.advance(secs(3));
            assert_eq!(sleep.deadline(), Some(deadline));
            match state {
                0 => {}
                1 => drop(first.shutdown(secs(1))),
                _ => drop(first),
            }
            let second = VirtualDriver::new();
            let start = second.now();
            Scheduler::new(second).block_on(async {
                (&mut sleep).await.unwrap();
                assert_eq!(time::now(), deadline.max(start));
                assert!(sleep.is_elapsed());
            });
        }
    }
}

#[test]
fn f73_short_sleeps_of_the_real_clock_come_back_soon_and_never_early() {
    Scheduler::new(ThreadDriver::new()).block_on(async {
        for micros in [1, 10, 100, 1000] {
            let mut least = Duration::MAX;
            for _ in 0..20 {
                let (start, duration) = (time::now(), Duration::from_micros(micros));
                time::sleep(duration).await.unwrap();
                let slept = time::now() - start;
                assert!(slept >= duration);
                least = least.min(slept - duration);
            }
            // Of a busy machine one asks no more than one good try.
            assert!(least < Duration::from_millis(8), "a tick, or a lost wake");
        }
    });
}

/// Does things to timers whenever it is cloned, woken or dropped.
struct Meddler;

thread_local! {
    static SLEEPS: RefCell<Vec<Sleep>> = const { RefCell::new(Vec::new()) };
    static MEDDLED: Cell<u32> = const { Cell::new(0) };
}

fn meddle() {
    fn bump(count: &'static LocalKey<Cell<u32>>) -> u32 {
        count.set(count.get() + 1);
        count.get()
    }
    let count = bump(&MEDDLED);
    let new = time::sleep(secs(u64::from(count)));
    let old = SLEEPS.with_borrow_mut(|sleeps| {
        sleeps.push(new);
        count.is_multiple_of(3).then(|| sleeps.remove(0))
    });
    drop(old);
}

impl Wake for Meddler {
    fn wake(self: Arc<Self>) {
        meddle();
    }
}

impl Drop for Meddler {
    fn drop(&mut self) {
        meddle();
    }
}

#[test]
fn wakers_may_use_the_timers_they_are_filed_with() {
    run(async {
        let mut sleeps: Vec<_> = (1..6).map(|n| Box::pin(time::sleep(secs(n)))).collect();
        for sleep in &mut sleeps {
            let waker = Waker::from(Arc::new(Meddler));
            let mut cx = Context::from_waker(&waker);
            assert!(sleep.as_mut().poll(&mut cx).is_pending());
            // Another one: the first is dropped.
            let waker = Waker::from(Arc::new(Meddler));
            let mut cx = Context::from_waker(&waker);
            assert!(sleep.as_mut().poll(&mut cx).is_pending());
        }
        time::sleep(secs(3)).await.unwrap();
        sleeps.clear();
        time::sleep(secs(100)).await.unwrap();
        SLEEPS.take().clear();
        assert!(MEDDLED.get() >= 13, "ten drops, three wakes");
    });
}

#[test]
fn order_of_filing_decides_among_equals_however_they_were_filed() {
    // By duration or instant, all orders; polled at once or later.
    for kinds in 0..3_u32.pow(5) {
        run(async {
            let deadline = time::now() + secs(10);
            let log = Rc::new(RefCell::new(Vec::new()));
            let mut tasks = Vec::new();
            for place in 0..5 {
                let log = log.clone();
                let kind = kinds / 3_u32.pow(place) % 3;
                tasks.push(task::spawn(async move {
                    match kind {
                        0 => time::sleep(secs(10)).await.unwrap(),
                        1 => time::sleep_until(deadline).await.unwrap(),
                        _ => assert!(
                            time::timeout(secs(10), std::future::pending::<()>())
                                .await
                                .is_err()
                        ),
                    }
                    log.borrow_mut().push(place);
                }));
            }
            for task in tasks {
                task.await.unwrap();
            }
            assert_eq!(time::now(), deadline);
            assert_eq!(log.take(), [0, 1, 2, 3, 4]);
        });
    }
}

#[test]
fn dropped_and_moved_timers_are_gone_from_the_count() {
    let mut scheduler = Scheduler::new(VirtualDriver::new());
    scheduler.block_on(async {
        let mut sleep = pin!(time::sleep(secs(9)));
        assert!(is_pending(sleep.as_mut()).await);
        let other = time::sleep(secs(5));
        sleep.reset(time::now() + secs(1));
        drop(other);
        sleep.await.unwrap();
        drop((time::sleep(Duration::MAX), time::sleep(Duration::ZERO)));
    });
    assert_eq!(scheduler.stats().timers_len, 0);
}

const fn nanos(nanos: u64) -> Duration {
    Duration::from_nanos(nanos)
}
