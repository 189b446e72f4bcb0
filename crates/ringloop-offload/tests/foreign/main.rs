//! Offloaded work under the runtimes of others, with this crate alone.
//!
//! Each test is one body that runs under each of them: only `std::task::Waker` is between.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod host;

use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::task::Poll;
use std::thread;
use std::time::Duration;

use ringloop_offload::{Interrupt, Offload, ThreadPool, offload_on};

use host::{Host, Smol, TokioOne, TokioTwo};

/// Makes one test of `body` for each runtime.
macro_rules! under_each {
    ($($name:ident)*) => {
        $(
            mod $name {
                use super::*;

                #[test]
                fn tokio_one() {
                    super::bodies::$name(&TokioOne::new());
                }

                #[test]
                fn tokio_two() {
                    super::bodies::$name(&TokioTwo::new());
                }

                #[test]
                fn smol() {
                    super::bodies::$name(&Smol::new());
                }
            }
        )*
    };
}

under_each! {
    results_and_panics_come_home
    a_task_that_sleeps_is_woken
    a_thousand_at_once_come_home
    a_cancelled_task_takes_its_queued_job_along
    a_cancelled_task_leaves_its_running_job_behind
    a_job_may_be_awaited_by_another_task_than_the_one_that_began
    a_runtime_may_go_while_its_jobs_run
}

mod bodies {
    use super::*;

    pub(super) fn results_and_panics_come_home(host: &dyn Host) {
        let pool = Arc::new(ThreadPool::blocking());
        host.block_on(Box::pin(async move {
            assert_eq!(offload_on(&*pool, || 6 * 7).await.unwrap(), 42);
            let error = offload_on(&*pool, || panic!("no such table")).await;
            let error: ringloop_offload::OffloadError = error.map(|never: ()| never).unwrap_err();
            assert_eq!(error.panic_message(), Some("no such table"));
        }));
    }

    pub(super) fn a_task_that_sleeps_is_woken(host: &dyn Host) {
        let pool = ThreadPool::fixed(1);
        let (release, offload) = busy(&pool, || "at last");
        host.block_on(Box::pin(async move {
            let mut offload = pin!(offload);
            let mut polls = 0;
            let value = poll_fn(|cx| {
                let poll = offload.as_mut().poll(cx);
                polls += 1;
                if polls == 1 {
                    assert!(poll.is_pending());
                    // From here on, only the job's end wakes this task.
                    release.send(()).unwrap();
                }
                poll
            });
            assert_eq!(value.await.unwrap(), "at last");
        }));
    }

    pub(super) fn a_thousand_at_once_come_home(host: &dyn Host) {
        let pool = Arc::new(ThreadPool::builder().max_threads(4).build());
        let done = Arc::new(AtomicUsize::new(0));
        let tasks: Vec<_> = (0..1000)
            .map(|number: usize| {
                let (pool, done) = (Arc::clone(&pool), Arc::clone(&done));
                host.spawn(Box::pin(async move {
                    let doubled = offload_on(&*pool, move || number * 2).await.unwrap();
                    assert_eq!(doubled, number * 2);
                    done.fetch_add(1, Ordering::Relaxed);
                }))
            })
            .collect();
        for task in tasks {
            host.join(task);
        }
        assert_eq!(done.load(Ordering::Relaxed), 1000);
    }

    pub(super) fn a_cancelled_task_takes_its_queued_job_along(host: &dyn Host) {
        let pool = Arc::new(ThreadPool::fixed(1));
        let (release, running) = busy(&pool, || ());
        let (captured, dropped) = mpsc::channel::<()>();
        let (queue, is_queued) = mpsc::channel();
        let task = host.spawn(Box::pin({
            let pool = Arc::clone(&pool);
            async move {
                let offload = offload_on(&*pool, move || {
                    drop(captured);
                    panic!("it was cancelled and ran")
                });
                queue.send(()).unwrap();
                let _never: Result<(), _> = offload.await;
            }
        }));
        host.until(&is_queued);
        host.cancel(task);
        dropped.recv().unwrap_err();
        drop(release);
        host.block_on(Box::pin(async move { running.await.unwrap() }));
        assert!(pool.shutdown(Duration::MAX).is_clean());
    }

    pub(super) fn a_cancelled_task_leaves_its_running_job_behind(host: &dyn Host) {
        let pool = Arc::new(ThreadPool::fixed(1));
        let (start, has_started) = mpsc::channel();
        let (release, released) = mpsc::channel::<()>();
        let (said, says) = mpsc::channel();
        let task = host.spawn(Box::pin({
            let pool = Arc::clone(&pool);
            async move {
                let offload = offload_on(&*pool, move || {
                    start.send(()).unwrap();
                    released.recv().unwrap_err();
                    said.send(Interrupt::current().is_requested()).unwrap();
                });
                offload.await.unwrap();
            }
        }));
        host.until(&has_started);
        host.cancel(task);
        assert_eq!(pool.stats().running, 1, "its thread is its own to the end");
        drop(release);
        assert!(says.recv().unwrap(), "it is asked to stop");
    }

    pub(super) fn a_job_may_be_awaited_by_another_task_than_the_one_that_began(host: &dyn Host) {
        let pool = ThreadPool::fixed(1);
        let (release, mut offload) = busy(&pool, || 7);
        let (begun, beginning) = mpsc::channel();
        let first = host.spawn(Box::pin(async move {
            poll_fn(|cx| {
                assert!(pin!(&mut offload).poll(cx).is_pending());
                Poll::Ready(())
            })
            .await;
            begun.send(offload).unwrap();
        }));
        host.join(first);
        let offload = beginning.recv().unwrap();
        let second = host.spawn(Box::pin(
            async move { assert_eq!(offload.await.unwrap(), 7) },
        ));
        drop(release);
        host.join(second);
    }

    pub(super) fn a_runtime_may_go_while_its_jobs_run(host: &dyn Host) {
        /// Says on which thread it is dropped.
        struct Unwanted(mpsc::Sender<thread::ThreadId>);

        impl Drop for Unwanted {
            fn drop(&mut self) {
                self.0.send(thread::current().id()).unwrap();
            }
        }

        let pool = ThreadPool::fixed(1);
        let (sender, receiver) = mpsc::channel();
        let (release, offload) = busy(&pool, move || Unwanted(sender));
        let (begin, has_begun) = mpsc::channel();
        let task = host.spawn(Box::pin(async move {
            let mut offload = pin!(offload);
            poll_fn(|cx| {
                assert!(offload.as_mut().poll(cx).is_pending());
                begin.send(()).unwrap();
                Poll::<()>::Pending
            })
            .await;
        }));
        host.until(&has_begun);
        host.end();
        drop(task);
        drop(release);
        let dropped_on = receiver.recv().unwrap();
        let worker = offload_on(&pool, || thread::current().id());
        assert_eq!(dropped_on, host::wait(worker), "where it was made");
    }
}

/// A job that runs until the sender is used or dropped.
fn busy<T: Send + 'static>(
    pool: &ThreadPool,
    last: impl FnOnce() -> T + Send + 'static,
) -> (mpsc::Sender<()>, Offload<T>) {
    let (start, has_started) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    let offload = offload_on(pool, move || {
        start.send(()).expect("the test waits");
        let _either = released.recv();
        last()
    });
    has_started.recv().expect("the job says that it runs");
    (release, offload)
}
