//! Offloaded work and cancellation.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use ringloop::cancel::{CancelScope, ScopeExit};
use ringloop::offload::{Executor, Interrupt, Job, ThreadPool, cpu, offload_on};
use ringloop::task::yield_now;
use ringloop::{offload, spawn, timeout};

use crate::rig::{cancelled_while_pending, in_cancelled_scope, run};

/// A pool of one thread that is busy until the sender is dropped.
fn busy_pool() -> (ThreadPool, mpsc::Sender<()>, offload::Offloaded<()>) {
    let pool = ThreadPool::fixed(1);
    let (release, released) = mpsc::channel::<()>();
    let (running, runs) = mpsc::channel();
    let job = offload_on(&pool, move || {
        running.send(()).unwrap();
        released.recv().ok();
    });
    runs.recv().unwrap();
    (pool, release, job)
}

/// An executor without threads.
pub(crate) struct AtOnce;

impl Executor for AtOnce {
    fn execute(&self, job: Job) -> Result<(), Job> {
        job.run();
        Ok(())
    }
}

/// A closure that notes that it ran.
fn noting() -> (Arc<AtomicBool>, impl FnOnce() + Send + 'static) {
    let has_run = Arc::new(AtomicBool::new(false));
    let note = Arc::clone(&has_run);
    (has_run, move || note.store(true, Ordering::SeqCst))
}

#[test]
fn results_and_panics_come_home() {
    run(async {
        assert_eq!(offload(|| 6 * 7).await.unwrap(), 42);
        assert_eq!(cpu(|| 6 * 7).await.unwrap(), 42);
        let error = offload(|| std::panic::panic_any("oh no"))
            .await
            .unwrap_err();
        assert_eq!(error.panic_message(), Some("oh no"));
        assert_eq!(offload(|| 1).await.unwrap(), 1, "the thread is unharmed");
    });
}

#[test]
fn work_begun_in_a_cancelled_scope_goes_to_no_executor() {
    run(async {
        let (has_run, note) = noting();
        let ended = in_cancelled_scope(async { offload_on(&AtOnce, note).await }).await;
        assert!(ended.is_none());
        assert!(!has_run.load(Ordering::SeqCst));
        let (has_run, note) = noting();
        offload_on(&AtOnce, note).await.unwrap();
        assert!(
            has_run.load(Ordering::SeqCst),
            "without a cancellation it does"
        );
    });
}

#[test]
fn queued_work_that_is_cancelled_never_runs() {
    run(async {
        let (pool, release, busy) = busy_pool();
        let (has_run, note) = noting();
        assert!(
            cancelled_while_pending(offload_on(&pool, note))
                .await
                .is_none()
        );
        drop(release);
        busy.await.unwrap();
        offload_on(&pool, || ()).await.unwrap();
        assert!(!has_run.load(Ordering::SeqCst));
    });
}

#[test]
fn queued_work_that_is_dropped_never_runs() {
    run(async {
        let (pool, release, busy) = busy_pool();
        let (has_run, note) = noting();
        drop(offload_on(&pool, note));
        drop(release);
        busy.await.unwrap();
        offload_on(&pool, || ()).await.unwrap();
        assert!(!has_run.load(Ordering::SeqCst));
    });
}

#[test]
fn running_work_is_told_and_waited_for_and_its_value_wins() {
    run(async {
        let (running, runs) = mpsc::channel();
        let job = offload(move || {
            running.send(()).unwrap();
            let interrupt = Interrupt::current();
            while !interrupt.is_requested() {
                std::thread::yield_now();
            }
            "told"
        });
        runs.recv().unwrap();
        let value = cancelled_while_pending(job).await;
        assert_eq!(value.expect("the value wins").unwrap(), "told");
    });
}

#[test]
fn work_that_is_done_and_kept_holds_up_no_cancellation() {
    run(async {
        let (running, runs) = mpsc::channel();
        let task = spawn(async move {
            let mut job = offload(move || {
                running.send(()).unwrap();
                let interrupt = Interrupt::current();
                while !interrupt.is_requested() {
                    std::thread::yield_now();
                }
            });
            (&mut job).await.unwrap();
            // Cancelled, with nothing inside that has to be waited for: this is where it ends.
            std::future::pending::<()>().await;
            drop(job);
        });
        yield_now().await.unwrap();
        runs.recv().unwrap();
        task.cancel("enough");
        assert!(task.await.unwrap_err().is_cancelled());
    });
}

#[test]
fn running_work_may_be_left_behind() {
    run(async {
        let (pool, release, busy) = busy_pool();
        // The only thread is busy, and stays so: nobody releases it before the await has ended.
        let exit = cancelled_while_pending(busy.abandon_on_cancel()).await;
        assert!(exit.is_none());
        assert_eq!(pool.stats().running, 1);
        drop(release);
        offload_on(&pool, || ()).await.unwrap();
    });
}

#[test]
fn a_timeout_around_queued_work_says_elapsed() {
    run(async {
        let (pool, release, busy) = busy_pool();
        let (has_run, note) = noting();
        let result = timeout(Duration::from_millis(1), offload_on(&pool, note)).await;
        assert!(result.is_err());
        let late = timeout(Duration::from_millis(1), busy.abandon_on_cancel()).await;
        assert!(late.is_err());
        drop(release);
        assert!(pool.shutdown(Duration::from_secs(10)).is_clean());
        assert!(!has_run.load(Ordering::SeqCst));
    });
}

#[test]
fn work_does_not_hold_up_the_loop() {
    run(async {
        let (_pool, release, mut busy) = busy_pool();
        for _ in 0..100 {
            yield_now().await.unwrap();
        }
        assert!(crate::rig::polled_once(&mut busy).await.is_none());
        drop(release);
        busy.await.unwrap();
    });
}

#[test]
fn work_goes_on_without_being_awaited() {
    run(async {
        let (ran, runs) = mpsc::channel();
        let job = offload(move || ran.send(()).unwrap());
        runs.recv().unwrap();
        job.await.unwrap();
    });
}

#[test]
fn a_cancelled_scope_absorbs_its_own_offload_error() {
    run(async {
        let scope = CancelScope::new();
        scope.token().cancel("enough");
        let exit = scope.run(async { offload(|| ()).await }).await;
        assert!(matches!(exit, ScopeExit::Cancelled(reason) if reason.text() == "enough"));
    });
}
