//! Locks whose waits belong to tasks, timeouts and scopes.

use std::rc::Rc;
use std::sync::mpsc;
use std::time::Duration;

use ringloop::cancel::Cancelled;
use ringloop::observe::Report;
use ringloop::sync::{Condvar, Mutex, RwLock};
use ringloop::{Runtime, future, sleep, spawn, task, testing, timeout};

use crate::rig::run_virtual;

/// A timeout drops what does not heed it, but not a wait that has to lock its mutex again.
#[test]
fn wait_for_a_condition_that_times_out_has_the_mutex_again() {
    run_virtual(async {
        let shared = Rc::new((Mutex::new(0), Condvar::new()));
        let other = Rc::clone(&shared);
        let holder = spawn(async move {
            let mut guard = other.0.lock().await?;
            sleep(Duration::from_millis(20)).await?;
            *guard = 7;
            Ok::<(), Cancelled>(())
        });
        let guard = shared.0.lock().await?;
        let seen = timeout(Duration::from_millis(2), async {
            let (guard, outcome) = shared.1.wait(guard).await;
            assert!(outcome.is_err());
            Ok::<_, Cancelled>(*guard)
        })
        .await;
        assert_eq!(seen.unwrap()?, 7, "the other one had to be waited for");
        holder.await.unwrap()
    })
    .unwrap();
}

/// A runtime in debug mode, or not, and what it reports.
fn debugged(is_debug: bool) -> (Runtime, mpsc::Receiver<Report>) {
    let (sender, reports) = mpsc::channel();
    let sender = std::sync::Mutex::new(sender);
    let builder = Runtime::builder().scheduler(|scheduler| {
        let scheduler = scheduler.debug(Some(is_debug)).watchdog(Duration::MAX);
        scheduler.on_report(move |report| {
            if let Report::Deadlock { .. } = report {
                sender.lock().unwrap().send(report.clone()).unwrap();
            }
        })
    });
    (builder.build().unwrap(), reports)
}

/// Each of two tasks has one lock and wants the other one's.
async fn wait_for_each_other() {
    let locks = Rc::new([Mutex::new(0), Mutex::new(0)]);
    let spawn = |name, own, next| {
        let locks = Rc::clone(&locks);
        task::Builder::new().name(name).spawn(async move {
            let _own = Mutex::lock(&locks[own]).await?;
            task::yield_now().await?;
            let _next = Mutex::lock(&locks[next]).await?;
            Ok::<(), Cancelled>(())
        })
    };
    let left = spawn("left", 0, 1);
    let right = spawn("right", 1, 0);
    testing::settle().await.unwrap();
    assert!(!left.is_finished() && !right.is_finished());
    // They can be helped.
    left.cancel("enough");
    assert!(left.await.unwrap().is_err());
    right.await.unwrap().unwrap();
}

#[test]
fn tasks_that_wait_for_each_other_are_reported_in_debug_mode() {
    let (mut runtime, reports) = debugged(true);
    runtime.block_on(wait_for_each_other());
    let reports: Vec<_> = reports.try_iter().collect();
    let [Report::Deadlock { tasks, text }] = &reports[..] else {
        panic!("one report: {reports:?}");
    };
    let names: Vec<_> = tasks.iter().map(|task| task.name()).collect();
    assert_eq!(names, [Some("right"), Some("left")]);
    for task in tasks {
        let name = format!("task {} {:?} waits at ", task.id(), task.name().unwrap());
        assert!(text.contains(&name), "{text}");
    }
    assert_eq!(text.lines().count(), 3);
    assert_eq!(text.matches("locks.rs:").count(), 4);
    assert_eq!(&reports[0].to_string(), text);

    let (mut runtime, reports) = debugged(false);
    runtime.block_on(wait_for_each_other());
    assert_eq!(reports.try_iter().count(), 0, "nobody looks");
}

#[test]
fn task_that_waits_for_itself_is_reported_unless_parts_of_it_take_turns() {
    let (mut runtime, reports) = debugged(true);
    runtime.block_on(async {
        let lock = RwLock::new(0);
        let held = lock.write().await.unwrap();
        let again = timeout(Duration::from_millis(1), lock.read()).await;
        assert!(again.is_err());
        drop(held);
    });
    let report = reports.try_recv().unwrap();
    assert!(report.to_string().contains("waits for itself"), "{report}");

    // Each part has a waker of its own, so they are not taken for one.
    runtime.block_on(async {
        let lock = Rc::new(Mutex::new(0));
        let visits = (0..3).map(|_| {
            let lock = Rc::clone(&lock);
            async move {
                let mut value = lock.lock().await?;
                task::yield_now().await?;
                *value += 1;
                Ok::<(), Cancelled>(())
            }
        });
        future::try_join_all(visits).await.unwrap();
        assert_eq!(*lock.lock().await.unwrap(), 3);
    });
    assert_eq!(reports.try_iter().count(), 0);
}
