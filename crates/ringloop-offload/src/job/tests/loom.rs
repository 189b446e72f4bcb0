//! Every interleaving of what the ends of a job do at the same time.
//!
//! What a closure captures and what it returns are clones of one `Arc`, which loom does not see: in
//! the end the test has the only one, or something was leaked; and something dropped twice would
//! not get that far. Accesses to the cells that are not ordered are found by loom.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Poll, Wake, Waker};

use ::loom::model::Builder;
use ::loom::thread;

use super::super::{Job, Performed, Waiter, current};
use crate::error::OffloadError;

/// A waker that counts, invisibly to loom, so that it adds no interleavings.
#[derive(Default)]
struct Count(AtomicUsize);

impl Count {
    fn new() -> (Arc<Self>, Waker) {
        let count = Arc::new(Self::default());
        (Arc::clone(&count), Waker::from(count))
    }

    fn get(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl Wake for Count {
    fn wake(self: Arc<Self>) {
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

/// Counts how often the closure runs, and what is left of it.
#[derive(Default)]
struct Traces {
    runs: AtomicUsize,
}

/// A job that captures one clone of the traces and returns another.
fn job(traces: &Arc<Traces>) -> (Job, Waiter<Arc<Traces>>) {
    let captured = Arc::clone(traces);
    Job::new(None, move || {
        captured.runs.fetch_add(1, Ordering::SeqCst);
        Arc::clone(&captured)
    })
}

fn check_nothing_left(traces: &Arc<Traces>) {
    assert_eq!(Arc::strong_count(traces), 1, "leaked");
}

fn is_cancelled<T>(polled: &Poll<Result<T, OffloadError>>) -> bool {
    matches!(polled, Poll::Ready(Err(error)) if error.is_cancelled())
}

/// Polls until the result is there. Whoever polls in vain has to be woken.
fn poll_twice<T>(waiter: &mut Waiter<T>, wakers: [&Waker; 2]) -> Poll<Result<T, OffloadError>> {
    let first = waiter.poll(wakers[0]);
    if first.is_ready() {
        return first;
    }
    waiter.poll(wakers[1])
}

#[test]
fn run_races_with_polls_and_the_waiter_going() {
    model(|| {
        let traces = Arc::default();
        let (job, mut waiter) = job(&traces);
        let worker = thread::spawn(move || job.perform());
        let (first, first_waker) = Count::new();
        let (last, last_waker) = Count::new();
        let polled = poll_twice(&mut waiter, [&first_waker, &last_waker]);
        let is_taken = polled.is_ready();
        drop((waiter, polled));
        match worker.join().unwrap() {
            Performed::NotRun => assert!(!is_taken),
            Performed::Ran {
                abandoned,
                panicked,
            } => assert!(!panicked && !(is_taken && abandoned)),
        }
        check_nothing_left(&traces);
        drop((first_waker, last_waker));
        assert_eq!(Arc::strong_count(&first), 1, "the first waker is gone");
        assert_eq!(Arc::strong_count(&last), 1, "the last waker is gone");
    });
}

/// Whoever polled last and got nothing is the one who is woken; once.
#[test]
fn the_waker_of_the_last_poll_is_woken() {
    model(|| {
        let traces = Arc::default();
        let (job, mut waiter) = job(&traces);
        let worker = thread::spawn(move || drop(job));
        let (_first, first_waker) = Count::new();
        let (last, last_waker) = Count::new();
        let polled = poll_twice(&mut waiter, [&first_waker, &last_waker]);
        worker.join().unwrap();
        assert_eq!(last.get(), usize::from(polled.is_pending()));
        if polled.is_pending() {
            let polled = waiter.poll(&last_waker);
            assert!(matches!(polled, Poll::Ready(Err(error)) if error.is_rejected()));
        }
        check_nothing_left(&traces);
    });
}

/// A cancel and the executor: one of them has the closure, and the waiter hears which.
fn cancel_races_with(executor: impl Fn(Job) -> bool + Copy + Send + Sync + 'static) {
    model(move || {
        let traces = Arc::<Traces>::default();
        let (job, waiter) = job(&traces);
        let waiter = Arc::new(waiter);
        let worker = thread::spawn(move || executor(job));
        let canceller = Arc::clone(&waiter);
        let other = thread::spawn(move || canceller.cancel(None));
        let cancelled_here = waiter.cancel(None);
        let cancelled_there = other.join().unwrap();
        let did = worker.join().unwrap();
        assert_eq!(
            u8::from(cancelled_here) + u8::from(cancelled_there) + u8::from(did),
            1
        );
        let mut waiter = Arc::into_inner(waiter).unwrap();
        let polled = waiter.poll(Waker::noop());
        assert!(polled.is_ready());
        assert_eq!(is_cancelled(&polled), !did);
        drop((waiter, polled));
        check_nothing_left(&traces);
    });
}

#[test]
fn two_cancels_race_with_run() {
    cancel_races_with(|job| job.perform() != Performed::NotRun);
}

#[test]
fn two_cancels_race_with_reject() {
    cancel_races_with(Job::reject);
}

#[test]
fn the_waiter_going_races_with_reject() {
    model(|| {
        let traces = Arc::default();
        let (job, mut waiter) = job(&traces);
        let (count, waker) = Count::new();
        assert!(waiter.poll(&waker).is_pending());
        let worker = thread::spawn(move || drop(job));
        drop(waiter);
        worker.join().unwrap();
        check_nothing_left(&traces);
        drop(waker);
        assert_eq!(Arc::strong_count(&count), 1, "the waker is gone");
    });
}

#[test]
fn the_waiter_runs_what_the_executor_runs_as_well() {
    model(|| {
        let traces = Arc::default();
        let (job, mut waiter) = job(&traces);
        let worker = thread::spawn(move || job.perform());
        waiter.run_here();
        let (count, waker) = Count::new();
        let mut polled = waiter.poll(&waker);
        let _performed = worker.join().unwrap();
        assert_eq!(count.get(), usize::from(polled.is_pending()));
        if polled.is_pending() {
            polled = waiter.poll(&waker);
        }
        assert!(matches!(&polled, Poll::Ready(Ok(_))));
        assert_eq!(traces.runs.load(Ordering::SeqCst), 1);
        drop((waiter, polled));
        check_nothing_left(&traces);
    });
}

#[test]
fn each_thread_is_in_its_own_job() {
    model(|| {
        let (jobs, waiters): (Vec<_>, Vec<_>) = (0..2)
            .map(|_| Job::new(None, || current().map(|watch| watch.head().id())))
            .unzip();
        let workers: Vec<_> = jobs
            .into_iter()
            .map(|job| thread::spawn(move || job.perform()))
            .collect();
        for worker in workers {
            let _performed = worker.join().unwrap();
        }
        for mut waiter in waiters {
            let id = waiter.id();
            assert!(
                matches!(waiter.poll(Waker::noop()), Poll::Ready(Ok(seen)) if seen == Some(id))
            );
        }
        assert!(current().is_none());
    });
}

/// A listener hears of the request, or is let go of by the end, whichever order they come in.
#[test]
fn a_listener_races_with_the_request_and_the_end() {
    model(|| {
        let traces = Arc::default();
        let (job, waiter) = job(&traces);
        let watch = job.watch();
        let worker = thread::spawn(move || job.perform());
        let canceller = thread::spawn(move || waiter.cancel(None));
        let (count, waker) = Count::new();
        let key = watch.listen(None, &waker);
        let was_withdrawn = canceller.join().unwrap();
        let has_run = worker.join().unwrap() != Performed::NotRun;
        assert_ne!(has_run, was_withdrawn);
        assert!(!(was_withdrawn && watch.is_asked()));
        assert_eq!(count.get(), usize::from(key.is_some() && watch.is_asked()));
        assert!(key.is_some() || watch.is_asked());
        drop(waker);
        assert_eq!(
            Arc::strong_count(&count),
            1,
            "nobody keeps a waker after the end"
        );
        check_nothing_left(&traces);
    });
}

#[test]
fn a_listener_that_goes_takes_its_waker_along() {
    model(|| {
        let traces = Arc::default();
        let (job, waiter) = job(&traces);
        let watch = job.watch();
        let worker = thread::spawn(move || job.perform());
        let canceller = thread::spawn(move || drop(waiter));
        let (count, waker) = Count::new();
        let other = Count::new().1;
        let key = watch.listen(None, &waker);
        let key = key.and_then(|key| watch.listen(Some(key), &other));
        if let Some(key) = key {
            watch.unlisten(key);
        }
        drop(waker);
        canceller.join().unwrap();
        let _performed = worker.join().unwrap();
        assert_eq!(Arc::strong_count(&count), 1);
        check_nothing_left(&traces);
    });
}
