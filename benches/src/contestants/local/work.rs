//! The work of a scheduler of one thread, but for wakes.

use std::cell::Cell;
use std::hint::black_box;
use std::io;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::time::Duration;

use super::LocalLoop;
use crate::allocations;
use crate::clock;
use crate::contestants::{Footprint, Start, far_delay, poll_once};

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
pub(super) async fn ping_pong<L: LocalLoop>(count: u32) -> Duration {
    let (serve, first) = L::one_shot::<Ball<L>>();
    let partner = L::spawn(async move {
        let mut ball = first.await;
        while let Some(back) = ball.0.take() {
            let (setter, next) = L::one_shot();
            L::set(back, Ball(Some(setter)));
            ball = next.await;
        }
    });
    let _yielded = L::yield_now().await;
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

/// Files a timer and drops it, `count` times, beside `outstanding` others.
pub(super) async fn timers<L: LocalLoop>(count: u32, outstanding: u32) -> Duration {
    let file = |number| Box::pin(L::sleep(far_delay(number)));
    let mut others: Vec<Pin<Box<_>>> = (0..outstanding).map(file).collect();
    for other in &mut others {
        poll_once(other.as_mut()).await;
    }
    // Lets the loop sleep once, so that it knows its next deadline.
    let _slept = L::sleep(Duration::from_millis(1)).await;
    let start = clock::now();
    for number in 0..count {
        poll_once(pin!(L::sleep(far_delay(number)))).await;
    }
    clock::now() - start
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
    while asleep.get() < count {
        let _yielded = L::yield_now().await;
    }
    Footprint {
        bytes: bytes.read(),
        allocations: allocations::count() - calls,
        future,
    }
}

/// Makes `count` loops and drops them, without a task and with one.
pub(super) fn starts<L: LocalLoop>(count: u32) -> io::Result<Start> {
    let start = clock::now();
    for _ in 0..count {
        drop(black_box(L::make()?));
    }
    let bare = clock::now() - start;
    let start = clock::now();
    for number in 0..count {
        let mut scheduler = L::make()?;
        let task = async { L::spawn(async move { black_box(number) }).await };
        black_box(L::block_on(&mut scheduler, task));
    }
    Ok(Start {
        bare,
        with_a_task: clock::now() - start,
    })
}
