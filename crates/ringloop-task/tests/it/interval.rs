//! Intervals, and sleeps whose deadline moves.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::{Duration, Instant};

use ringloop_task::testing::{VirtualDriver, settle};
use ringloop_task::time::{self, Interval, MissedTicks};
use ringloop_task::{Scheduler, task};

use crate::driver::{run, secs};

async fn is_pending(future: Pin<&mut impl Future>) -> bool {
    let mut future = future;
    poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx).is_pending())).await
}

/// Asks for a tick that is there: it takes a turn and no time.
async fn tick_at_once(interval: &mut Interval) -> Instant {
    let before = time::now();
    let tick = interval.tick().await.expect("nothing is cancelled");
    assert_eq!(time::now(), before);
    tick
}

#[test]
fn first_tick_is_at_once_and_the_others_do_not_drift() {
    run(async {
        let start = time::now();
        let mut interval = time::interval(secs(10));
        assert_eq!(interval.period(), secs(10));
        for n in 0..50 {
            assert_eq!(interval.deadline(), Some(start + n * secs(10)));
            assert_eq!(interval.tick().await.unwrap(), start + n * secs(10));
            assert_eq!(time::now(), start + n * secs(10));
            time::sleep(secs(u64::from(n) % 10)).await.unwrap();
        }
    });
}

#[test]
fn interval_may_start_later_or_in_the_past() {
    run(async {
        let start = time::now();
        let mut later = time::interval_at(start + secs(3), secs(5));
        assert_eq!(later.tick().await.unwrap(), start + secs(3));
        assert_eq!(later.tick().await.unwrap(), start + secs(8));
        let mut past = time::interval_at(start, secs(5));
        for tick in [0, 5] {
            assert_eq!(tick_at_once(&mut past).await, start + secs(tick));
        }
        assert_eq!(past.tick().await.unwrap(), start + secs(10));
        assert_eq!(time::now(), start + secs(10));
    });
}

/// Ticks that come back after the work took so long, for every policy, period 10 seconds.
#[test]
fn missed_ticks_by_policy_and_length_of_the_work() {
    let cases = [
        // Work, then the instants of the ticks by burst, delay, skip.
        (9, [10, 20, 30], [10, 20, 30], [10, 20, 30]),
        (10, [10, 20, 30], [10, 20, 30], [10, 20, 30]),
        (11, [11, 20, 30], [11, 21, 31], [11, 20, 30]),
        (19, [19, 20, 30], [19, 29, 39], [19, 20, 30]),
        (20, [20, 20, 30], [20, 30, 40], [20, 30, 40]),
        (35, [35, 35, 35], [35, 45, 55], [35, 40, 50]),
    ];
    for (work, burst, delay, skip) in cases {
        let policies = [
            (MissedTicks::Burst, burst),
            (MissedTicks::Delay, delay),
            (MissedTicks::Skip, skip),
        ];
        for (missed, expected) in policies {
            run(async {
                let start = time::now();
                let mut interval = time::interval(secs(10)).missed_ticks(missed);
                interval.tick().await.unwrap();
                time::sleep(secs(work)).await.unwrap();
                for expected in expected {
                    interval.tick().await.unwrap();
                    let now = (time::now() - start).as_secs();
                    assert_eq!(now, expected, "{missed:?} after work of {work}");
                }
            });
        }
    }
}

#[test]
fn delay_forgives_what_a_busy_loop_is_late() {
    run(async {
        let start = time::now();
        let mut interval = time::interval(secs(10)).missed_ticks(MissedTicks::Delay);
        interval.tick().await.unwrap();
        for (late, next) in [(4_999_999, secs(20)), (5_000_000, secs(30) + ms(5))] {
            time::sleep_until(interval.deadline().unwrap() + Duration::from_nanos(late))
                .await
                .unwrap();
            interval.tick().await.unwrap();
            assert_eq!(interval.deadline(), Some(start + next));
        }
    });
}

#[test]
fn burst_lets_others_run_between_its_ticks() {
    run(async {
        let mut interval = time::interval(ms(1));
        interval.tick().await.unwrap();
        time::sleep(ms(50)).await.unwrap();
        let other = task::spawn(async {
            for _ in 0..40 {
                task::yield_now().await.unwrap();
            }
        });
        for _ in 0..50 {
            tick_at_once(&mut interval).await;
        }
        assert!(other.is_finished());
    });
}

#[test]
fn tick_that_is_dropped_or_cancelled_is_not_lost() {
    run(async {
        let start = time::now();
        let mut interval = time::interval(secs(10));
        interval.tick().await.unwrap();
        assert!(is_pending(pin!(interval.tick())).await);
        assert!(time::timeout(secs(3), interval.tick()).await.is_err());
        // Due, but not asked for before it is dropped.
        {
            let mut tick = pin!(interval.tick());
            assert!(is_pending(tick.as_mut()).await);
            time::sleep(secs(9)).await.unwrap();
        }
        assert_eq!(interval.tick().await.unwrap(), start + secs(10));
        assert_eq!(time::now(), start + secs(12));
        assert_eq!(interval.tick().await.unwrap(), start + secs(20));
    });
}

#[test]
fn reset_starts_anew_in_every_state() {
    run(async {
        // Never asked, ticked, waiting, overdue.
        for state in 0..4 {
            let mut interval = time::interval(secs(10));
            if state > 0 {
                interval.tick().await.unwrap();
            }
            if state > 1 {
                assert!(is_pending(pin!(interval.tick())).await);
            }
            if state > 2 {
                time::sleep(secs(25)).await.unwrap();
            }
            let start = time::now();
            interval.reset();
            assert_eq!(interval.tick().await.unwrap(), start + secs(10));
            assert_eq!(time::now(), start + secs(10));
            interval.reset_at(start + secs(13));
            assert_eq!(interval.tick().await.unwrap(), start + secs(13));
            assert_eq!(interval.tick().await.unwrap(), start + secs(23));
        }
    });
}

#[test]
fn interval_that_takes_for_ever_ticks_once() {
    run(async {
        for missed in [MissedTicks::Burst, MissedTicks::Delay, MissedTicks::Skip] {
            let mut interval = time::interval(Duration::MAX).missed_ticks(missed);
            interval.tick().await.unwrap();
            assert_eq!(interval.deadline(), None);
            assert!(time::timeout(secs(9), interval.tick()).await.is_err());
            interval.reset();
            assert!(time::timeout(secs(9), interval.tick()).await.is_err());
            interval.reset_at(time::now());
            tick_at_once(&mut interval).await;
        }
    });
}

#[test]
fn interval_without_a_period_is_refused() {
    run(async {
        let refused = catch_unwind(AssertUnwindSafe(|| time::interval(Duration::ZERO)));
        assert!(refused.is_err());
    });
}

#[test]
fn sleep_is_moved_in_every_state() {
    run(async {
        for to in [0, 5, 15, 60] {
            for state in 0..6 {
                let start = time::now();
                let deadline = start + secs(10);
                let mut sleep = match state {
                    0 => time::sleep(secs(10)),
                    1 => time::sleep_until(deadline),
                    2 => time::sleep(Duration::MAX),
                    _ => time::sleep(secs(10)),
                };
                if state >= 3 {
                    assert!(is_pending(Pin::new(&mut sleep)).await);
                }
                if state >= 4 {
                    time::sleep(secs(10)).await.unwrap();
                    assert!(sleep.is_elapsed());
                }
                if state >= 5 {
                    (&mut sleep).await.unwrap();
                }
                let new = time::now() + secs(to);
                sleep.reset(new);
                assert_eq!(sleep.deadline(), Some(new));
                assert_eq!(sleep.is_elapsed(), to == 0 && !matches!(state, 0 | 3));
                (&mut sleep).await.unwrap();
                assert_eq!(time::now(), new, "state {state}, to {to}");
                assert!(sleep.is_elapsed());
                assert_eq!(sleep.deadline(), Some(new));
            }
        }
    });
}

#[test]
fn moved_sleep_wakes_its_task_without_another_poll() {
    run(async {
        let start = time::now();
        let mut sleep = pin!(time::sleep(secs(100)));
        assert!(is_pending(sleep.as_mut()).await);
        sleep.reset(start + secs(7));
        // Nothing polls the sleep until the task is woken by it.
        let mut polls = 0;
        poll_fn(|_| {
            polls += 1;
            if polls == 1 {
                Poll::Pending
            } else {
                Poll::Ready(())
            }
        })
        .await;
        assert_eq!(time::now(), start + secs(7));
        assert!(sleep.is_elapsed());
    });
}

#[test]
fn sleep_is_small() {
    assert!(size_of::<time::Sleep>() <= 40);
}

#[test]
fn sleep_tells_when_it_ends() {
    let outside = time::sleep(secs(3));
    assert_eq!(outside.deadline(), None);
    assert!(!outside.is_elapsed());
    run(async {
        let start = time::now();
        assert_eq!(time::sleep(secs(3)).deadline(), Some(start + secs(3)));
        assert_eq!(time::sleep(Duration::ZERO).deadline(), Some(start));
        assert_eq!(time::sleep(Duration::MAX).deadline(), None);
        assert_eq!(time::sleep_until(start).deadline(), Some(start));
        assert!(time::sleep_until(start).is_elapsed());
        assert!(!time::sleep(Duration::from_nanos(1)).is_elapsed());
        let sleep = time::sleep(secs(3));
        time::sleep(secs(1)).await.unwrap();
        assert_eq!(sleep.deadline(), Some(start + secs(3)));
    });
}

#[test]
fn sleep_made_long_before_its_first_poll_takes_one_turn() {
    let mut scheduler = Scheduler::new(VirtualDriver::new());
    scheduler.block_on(async {
        let (sleep, other) = (time::sleep(secs(3)), time::sleep(secs(4)));
        time::sleep(secs(5)).await.unwrap();
        let before = time::now();
        other.await.unwrap();
        let mut sleep = pin!(sleep);
        assert!(sleep.is_elapsed());
        assert!(is_pending(sleep.as_mut()).await, "others get a turn");
        sleep.await.unwrap();
        assert_eq!(time::now(), before);
        settle().await.unwrap();
    });
}

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}
