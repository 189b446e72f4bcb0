//! The work of a scheduler of one thread, but for wakes.

use std::cell::Cell;
use std::future;
use std::hint::black_box;
use std::io;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::time::Duration;

use super::LocalLoop;
use crate::allocations;
use crate::clock;
use crate::contestants::{Footprint, Start, far_delay, poll_once};

/// Spawns a task that is polled at once, and awaits it, `count` times.
pub(super) async fn spawn_eager<L: LocalLoop>(count: u32) -> Option<Duration> {
    let start = clock::now();
    for number in 0..count {
        black_box(L::spawn_eager(async move { black_box(number) })?.await);
    }
    Some(clock::now() - start)
}

/// Spawns a task and awaits it, `count` times.
pub(super) async fn spawn_join<L: LocalLoop>(count: u32) -> Duration {
    let start = clock::now();
    for number in 0..count {
        black_box(L::spawn(async move { black_box(number) }).await);
    }
    clock::now() - start
}

/// Spawns `size` tasks, then awaits them all, `batches` times.
pub(super) async fn spawn_batch<L: LocalLoop>(batches: u32, size: u32) -> Duration {
    let mut handles = Vec::with_capacity(size as usize);
    let start = clock::now();
    for _ in 0..batches {
        for number in 0..size {
            handles.push(L::spawn(async move { black_box(number) }));
        }
        for handle in handles.drain(..) {
            black_box(handle.await);
        }
    }
    clock::now() - start
}

/// Gives way `count` times in each of `tasks` tasks.
pub(super) async fn yields<L: LocalLoop>(tasks: u32, count: u32) -> Duration {
    let start = clock::now();
    let spawn = |_| {
        L::spawn(async move {
            for _ in 0..count {
                let _yielded = L::yield_now().await;
            }
        })
    };
    let handles: Vec<_> = (0..tasks).map(spawn).collect();
    for handle in handles {
        handle.await;
    }
    clock::now() - start
}

/// A message that carries the way to answer it: each one takes a one-shot of its own.
struct Ball<L: LocalLoop>(Option<L::Setter<Self>>);

/// Two tasks hand over `count` messages each. Returns the time of all.
pub(in super::super) async fn ping_pong<L: LocalLoop>(count: u32) -> Duration {
    let (serve, first) = L::one_shot::<Ball<L>>();
    let partner = L::spawn(async move {
        let mut ball = first.await;
        while let Some(back) = ball.0.take() {
            let (setter, next) = L::one_shot();
            L::set(back, Ball(Some(setter)));
            ball = next.await;
        }
    });
    settled::<L>(|| true).await;
    let start = clock::now();
    let mut to_partner = serve;
    for _ in 0..count {
        let (setter, answer) = L::one_shot();
        L::set(to_partner, Ball(Some(setter)));
        let Ball(back) = answer.await;
        to_partner = back.expect("the partner ends after this task");
    }
    let elapsed = clock::now() - start;
    L::set(to_partner, Ball(None));
    partner.await;
    elapsed
}

/// Files a timer and drops it, `count` times, beside `outstanding` others of other tasks.
pub(super) async fn timers<L: LocalLoop>(count: u32, outstanding: u32) -> Duration {
    let filed = Rc::new(Cell::new(0));
    let mut owners = Vec::new();
    // Not all by one task: glommio's have room for 32,767 wakers each.
    for first in (0..outstanding).step_by(TIMERS_EACH as usize) {
        let numbers = first..outstanding.min(first + TIMERS_EACH);
        let filed = Rc::clone(&filed);
        owners.push(L::spawn(L::unbudgeted(async move {
            let file = |number| Box::pin(L::sleep(far_delay(number)));
            let mut timers: Vec<Pin<Box<_>>> = numbers.map(file).collect();
            for timer in &mut timers {
                poll_once(timer.as_mut()).await;
                filed.set(filed.get() + 1);
            }
            future::pending::<()>().await;
        })));
    }
    // The loop sleeps at least once, so that it knows its next deadline.
    settled::<L>(|| filed.get() == outstanding).await;
    let start = clock::now();
    for number in 0..count {
        poll_once(pin!(L::sleep(far_delay(number)))).await;
    }
    let elapsed = clock::now() - start;
    drop(owners);
    elapsed
}

/// Puts `count` tasks to sleep and looks at what they have taken.
pub(super) async fn sleepers<L: LocalLoop>(count: u32) -> Footprint {
    let asleep = Rc::new(Cell::new(0));
    let mut handles = Vec::with_capacity(count as usize);
    let mut future = 0;
    let calls = allocations::count();
    let bytes = allocations::watch();
    for number in 0..count {
        let asleep = Rc::clone(&asleep);
        let sleeper = async move {
            asleep.set(asleep.get() + 1);
            let _slept = L::sleep(far_delay(number)).await;
        };
        future = size_of_val(&sleeper);
        handles.push(L::spawn(sleeper));
    }
    settled::<L>(|| asleep.get() == count).await;
    Footprint {
        bytes: bytes.read(),
        allocations: allocations::count() - calls,
        future,
    }
}

/// Makes loops and drops them, without a task and with one, for `duration` each at least.
pub(super) fn starts<L: LocalLoop>(duration: Duration) -> io::Result<Start> {
    Ok(Start {
        bare: seconds_of(duration, |_| {
            drop(black_box(L::make()?));
            Ok(())
        })?,
        with_a_task: seconds_of(duration, |number| {
            let mut scheduler = L::make()?;
            let task = async { L::spawn(async move { black_box(number) }).await };
            black_box(L::block_on(&mut scheduler, task));
            Ok(())
        })?,
    })
}

/// Does something again and again for `duration` at least; returns the seconds of each.
fn seconds_of(duration: Duration, mut once: impl FnMut(u32) -> io::Result<()>) -> io::Result<f64> {
    let start = clock::now();
    let (mut done, mut batch) = (0, 1);
    loop {
        for number in 0..batch {
            once(number)?;
        }
        done += batch;
        let elapsed = clock::now() - start;
        if elapsed >= duration {
            return Ok(elapsed.as_secs_f64() / f64::from(done));
        }
        // A look at the clock is cheap beside what is done between two of them.
        batch = done;
    }
}

/// Sleeps until all other tasks are done with what is ready, and `is_true` of them.
pub(super) async fn settled<L: LocalLoop>(is_true: impl Fn() -> bool) {
    loop {
        let _slept = L::sleep(Duration::from_millis(1)).await;
        if is_true() {
            return;
        }
    }
}

/// How many timers one task keeps.
const TIMERS_EACH: u32 = 1000;
