use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc as StdArc;
use std::sync::atomic::AtomicUsize as StdAtomicUsize;
use std::task::{Context, Poll, Wake, Waker};

use ::loom::model::Builder;
use ::loom::sync::Arc;
use ::loom::sync::atomic::{AtomicUsize, Ordering};
use ::loom::thread;

use super::super::AtomicWaker;
use crate::{Driver, ThreadDriver, Unparker};

/// A waker that ends the park of a driver.
struct Alarm(Unparker);

impl Wake for Alarm {
    fn wake(self: StdArc<Self>) {
        self.0.unpark();
    }
}

fn block_on<F: Future>(future: F) -> F::Output {
    let mut driver = ThreadDriver::new();
    let waker = Waker::from(StdArc::new(Alarm(driver.unparker())));
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
        driver.park(None).unwrap();
        // A registration during a wake asks for another poll, until that wake has ended. Loom has
        // to be told that somebody else should run meanwhile.
        thread::yield_now();
    }
}

/// A waker that counts, invisibly to loom, so that it adds no interleavings.
#[derive(Default)]
struct Count(StdAtomicUsize);

impl Count {
    fn new() -> (StdArc<Self>, Waker) {
        let count = StdArc::new(Self::default());
        (StdArc::clone(&count), Waker::from(count))
    }

    fn get(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl Wake for Count {
    fn wake(self: StdArc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

fn model(body: impl Fn() + Send + Sync + 'static) {
    let mut builder = Builder::new();
    if builder.preemption_bound.is_none() {
        builder.preemption_bound = Some(3);
    }
    builder.check(body);
}

/// What is waited for, beside its waker. Relaxed on purpose: the waker has to order it.
struct Shared {
    done: AtomicUsize,
    waiter: AtomicWaker,
}

impl Shared {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            done: AtomicUsize::new(0),
            waiter: AtomicWaker::new(),
        })
    }

    fn add(&self, step: usize) {
        self.done.fetch_add(step, Ordering::Relaxed);
        self.waiter.wake();
    }

    fn wait_done(&self, target: usize) -> impl Future<Output = ()> {
        poll_fn(move |cx| {
            self.waiter.register(cx.waker());
            match self.done.load(Ordering::Relaxed) == target {
                true => Poll::Ready(()),
                false => Poll::Pending,
            }
        })
    }
}

#[test]
fn no_wake_is_lost() {
    model(|| {
        let shared = Shared::new();
        let other = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || shared.add(1))
        };
        block_on(shared.wait_done(1));
        other.join().unwrap();
    });
}

/// A wake that is left to another thread's wake still shows what came before it.
#[test]
fn two_wakes_show_what_both_threads_did() {
    model(|| {
        let shared = Shared::new();
        let others = [1, 2].map(|step| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || shared.add(step))
        });
        block_on(shared.wait_done(3));
        for other in others {
            other.join().unwrap();
        }
    });
}

/// Whoever registered last and saw nothing is the one who is woken.
#[test]
fn the_last_waker_is_woken() {
    model(|| {
        let shared = Shared::new();
        let other = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || shared.add(1))
        };
        let (_first, first_waker) = Count::new();
        let (second, second_waker) = Count::new();
        shared.waiter.register(&first_waker);
        shared.waiter.register(&second_waker);
        let seen = shared.done.load(Ordering::Relaxed) == 1;
        other.join().unwrap();
        assert!(seen || second.get() > 0);
    });
}

/// Two registrations and a wake at once: no access to the cell overlaps another, and each waker
/// was woken, or is in place, or was replaced by the one in place.
#[test]
fn registrations_of_two_threads_are_sound() {
    model(|| {
        let shared = Shared::new();
        let others = [(); 2].map(|()| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                let (count, waker) = Count::new();
                shared.waiter.register(&waker);
                drop(waker);
                count
            })
        });
        shared.add(1);
        let counts = others.map(|other| other.join().unwrap());
        let placed = counts
            .iter()
            .filter(|count| StdArc::strong_count(count) > 1)
            .count();
        assert!(placed <= 1);
        let woken: usize = counts.iter().map(|count| count.get()).sum();
        assert!(placed + woken >= 1);
        let rest = shared.waiter.take();
        assert_eq!(rest.is_some(), placed == 1);
    });
}

/// Of a take and a wake at once, exactly one gets the waker.
#[test]
fn a_waker_is_handed_out_once() {
    model(|| {
        let shared = Shared::new();
        let (count, waker) = Count::new();
        shared.waiter.register(&waker);
        let other = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || shared.waiter.wake())
        };
        let taken = shared.waiter.take().is_some();
        other.join().unwrap();
        assert_eq!(usize::from(taken) + count.get(), 1);
    });
}
