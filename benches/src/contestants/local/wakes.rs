//! Wakes: of a loop that sleeps, and of many tasks of a loop that does not.

use std::cell::{Cell, RefCell};
use std::future;
use std::io;
use std::rc::Rc;
use std::sync::{Arc, mpsc};
use std::task::{Poll, Waker};
use std::thread;
use std::time::Duration;

use super::work::settled;
use super::{Bell, LocalLoop};
use crate::clock;
use crate::process;
use crate::samples::Samples;

/// Is woken from sleep by a thread on `ringer_cpu`, `count` times.
pub(super) fn from_sleep<L: LocalLoop>(ringer_cpu: usize, count: u32) -> io::Result<Samples> {
    let bell = Arc::new(Bell::default());
    let ringer = thread::spawn({
        let bell = Arc::clone(&bell);
        move || bell.ring_often(ringer_cpu, count, no_listener)
    });
    let samples = L::run(async move {
        let mut samples = Samples::default();
        for _ in 0..count {
            samples.push(bell.heard().await);
        }
        samples
    });
    ringer
        .join()
        .map_err(|_| io::Error::other("the ringer panicked"))??;
    samples
}

/// Wakes `batch` parked tasks from another task of their loop, `count` times each. Returns the time
/// from the first wake to the last poll of the woken.
pub(super) async fn near<L: LocalLoop>(batch: u32, count: u32) -> Duration {
    let (parked, tasks) = Parked::spawn::<L>(batch, count).await;
    let wakers = parked.wakers.take();
    let start = clock::now();
    for round in 1..=count {
        for waker in &wakers {
            waker.wake_by_ref();
        }
        parked.all_polled(batch * round).await;
    }
    let elapsed = clock::now() - start;
    drop(tasks);
    elapsed
}

/// The same from a thread on `waker_cpu`. Returns the time of the wakes on that thread, and of
/// taking them in and polling the woken, without the time between the two.
pub(super) async fn far<L: LocalLoop>(
    waker_cpu: usize,
    batch: u32,
    count: u32,
) -> io::Result<Duration> {
    let (parked, tasks) = Parked::spawn::<L>(batch, count).await;
    let wakers = parked.wakers.take();
    let (go, orders) = mpsc::channel();
    let (done, reports) = mpsc::channel();
    let thread = thread::spawn(move || {
        process::pin_once(waker_cpu);
        for () in orders {
            let start = clock::now();
            for waker in &wakers {
                waker.wake_by_ref();
            }
            // Whoever does not listen has an error of its own.
            let _heard = done.send(clock::now() - start);
        }
    });
    let mut elapsed = Duration::ZERO;
    for round in 1..=count {
        go.send(()).map_err(io::Error::other)?;
        // The loop does not run meanwhile, so that all wakes are taken in together.
        elapsed += reports.recv().map_err(io::Error::other)?;
        let start = clock::now();
        parked.all_polled(batch * round).await;
        elapsed += clock::now() - start;
    }
    drop((go, tasks));
    thread
        .join()
        .map_err(|_| io::Error::other("the waking thread panicked"))?;
    Ok(elapsed)
}

/// Tasks that do nothing but count how often they are woken.
#[derive(Default)]
struct Parked {
    wakers: RefCell<Vec<Waker>>,
    polls: Cell<u32>,
    /// At how many polls the waiter is woken.
    target: Cell<u32>,
    waiter: Cell<Option<Waker>>,
}

impl Parked {
    /// Spawns `tasks` of them, which end when they have been woken `count` times, and waits until
    /// all are parked. On some loops a task ends with its handle, which is returned therefore.
    async fn spawn<L: LocalLoop>(tasks: u32, count: u32) -> (Rc<Self>, Vec<L::Join<()>>) {
        let parked = Rc::new(Self::default());
        let spawn = |_| {
            let parked = Rc::clone(&parked);
            let mut left = count;
            let mut is_new = true;
            L::spawn(future::poll_fn(move |context| {
                if std::mem::take(&mut is_new) {
                    parked.wakers.borrow_mut().push(context.waker().clone());
                    return Poll::Pending;
                }
                parked.count_poll();
                left -= 1;
                if left == 0 {
                    Poll::Ready(())
                } else {
                    Poll::Pending
                }
            }))
        };
        let handles = (0..tasks).map(spawn).collect();
        settled::<L>(|| parked.wakers.borrow().len() == tasks as usize).await;
        (parked, handles)
    }

    fn count_poll(&self) {
        self.polls.set(self.polls.get() + 1);
        if self.polls.get() == self.target.get()
            && let Some(waiter) = self.waiter.take()
        {
            waiter.wake();
        }
    }

    /// Waits until there have been `polls` polls: giving way would not do on every loop.
    async fn all_polled(&self, polls: u32) {
        self.target.set(polls);
        future::poll_fn(|context| {
            if self.polls.get() >= polls {
                return Poll::Ready(());
            }
            self.waiter.set(Some(context.waker().clone()));
            Poll::Pending
        })
        .await;
    }
}

fn no_listener() -> io::Result<()> {
    Err(io::Error::other("rung before a waker was left"))
}
