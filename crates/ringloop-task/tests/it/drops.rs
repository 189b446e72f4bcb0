//! What a task holds is dropped exactly once, on its own thread, however it ends.

use std::future::pending;

use ringloop_core::ThreadDriver;
use ringloop_task::{Scheduler, task};

use crate::driver::{Drops, VirtualDriver, run};

#[test]
fn completed() {
    let drops = Drops::default();
    let (captured, returned) = (drops.value(), drops.value());
    run(async {
        let handle = task::spawn(async move {
            drop(captured);
            returned
        });
        let returned = handle.await.unwrap();
        assert_eq!(drops.count(), 1);
        drop(returned);
    });
    assert_eq!(drops.count(), 2);
}

#[test]
fn future_is_dropped_when_it_completes_and_not_with_the_handle() {
    let drops = Drops::default();
    let captured = drops.value();
    run(async {
        let handle = task::spawn(async move {
            let _captured = captured;
        });
        task::yield_now().await.unwrap();
        assert_eq!(drops.count(), 1);
        handle.await.unwrap();
    });
    assert_eq!(drops.count(), 1);
}

#[test]
fn output_that_nobody_reads() {
    let drops = Drops::default();
    let (early, late) = (drops.value(), drops.value());
    run(async {
        drop(task::spawn(async move { early }));
        let handle = task::spawn(async move { late });
        task::yield_now().await.unwrap();
        assert_eq!(drops.count(), 1, "detached: dropped at the end of the task");
        assert!(handle.is_finished());
        drop(handle);
        assert_eq!(drops.count(), 2, "dropped with the handle");
    });
}

#[test]
fn aborted() {
    let drops = Drops::default();
    let (parked, fresh) = (drops.value(), drops.value());
    run(async {
        let parked = task::spawn(async move {
            let _parked = parked;
            pending::<()>().await;
        });
        task::yield_now().await.unwrap();
        let fresh = task::spawn(async move {
            let _fresh = fresh;
        });
        parked.abort();
        fresh.abort();
        assert_eq!(drops.count(), 2, "at once");
        assert!(parked.await.unwrap_err().is_aborted());
        assert!(fresh.await.unwrap_err().is_aborted());
    });
    assert_eq!(drops.count(), 2);
}

#[test]
fn task_that_aborts_itself_ends_after_its_poll() {
    let drops = Drops::default();
    let value = drops.value();
    run(async {
        let (setter, handle) = ringloop_core::postbox::<task::JoinHandle<()>>();
        let seen = drops.clone();
        let child = task::spawn(async move {
            let _value = value;
            let own = handle.await.unwrap();
            own.abort();
            assert_eq!(seen.count(), 0);
            pending::<()>().await;
        });
        let task = child.task();
        setter.set(child).ok().unwrap();
        task::yield_now().await.unwrap();
        assert_eq!(task.state(), task::TaskState::Done);
        assert_eq!(drops.count(), 1);
    });
}

#[test]
fn cancelled_before_the_first_poll() {
    let drops = Drops::default();
    let value = drops.value();
    run(async {
        let handle = task::spawn(async move {
            let _value = value;
            task::yield_now().await
        });
        handle.cancel("too early");
        assert_eq!(drops.count(), 0);
        assert!(handle.await.unwrap().is_err());
    });
    assert_eq!(drops.count(), 1);
}

#[test]
fn dropped_with_the_scheduler_in_spawn_order() {
    let log = crate::driver::Log::default();
    struct Says(crate::driver::Log, u32);
    impl Drop for Says {
        fn drop(&mut self) {
            self.0.add(self.1);
        }
    }
    let mut scheduler = Scheduler::new(VirtualDriver::new());
    scheduler.block_on(async {
        let mut gone = Vec::new();
        for n in 0..6 {
            let says = Says(log.clone(), n);
            let handle = task::spawn(async move {
                let _says = says;
                pending::<()>().await;
            });
            if n % 3 == 0 {
                gone.push(handle);
            }
        }
        task::yield_now().await.unwrap();
        gone.iter().for_each(task::JoinHandle::abort);
    });
    log.check(&["0", "3"]);
    drop(scheduler);
    log.check(&["1", "2", "4", "5"]);
}

#[test]
fn main_future_is_dropped_inside_the_loop() {
    struct Asks;
    impl Drop for Asks {
        fn drop(&mut self) {
            let _ = ringloop_task::time::now();
        }
    }
    let asks = Asks;
    run(async move {
        let _asks = asks;
    });
}

#[test]
fn drop_of_a_future_may_use_the_scheduler() {
    struct Spawns(Drops);
    impl Drop for Spawns {
        fn drop(&mut self) {
            let value = self.0.value();
            let handle = task::spawn(async move {
                let _value = value;
            });
            drop(handle);
        }
    }
    let drops = Drops::default();
    let spawns = Spawns(drops.clone());
    let mut scheduler = Scheduler::new(VirtualDriver::new());
    scheduler.block_on(async move {
        drop(task::spawn(async move {
            let _spawns = spawns;
            pending::<()>().await;
        }));
        task::yield_now().await.unwrap();
    });
    drop(scheduler);
    assert_eq!(drops.count(), 1, "refused, and dropped all the same");
}

#[test]
fn handle_dropped_outside_of_the_loop() {
    let drops = Drops::default();
    let value = drops.value();
    let mut scheduler = Scheduler::new(ThreadDriver::new());
    let handle = scheduler.block_on(async {
        let handle = task::spawn(async move { value });
        task::yield_now().await.unwrap();
        handle
    });
    drop(handle);
    scheduler.block_on(async {});
    assert_eq!(drops.count(), 1);
}

#[test]
fn handle_with_an_output_outlives_the_scheduler() {
    let drops = Drops::default();
    let (read, unread) = (drops.value(), drops.value());
    let mut scheduler = Scheduler::new(ThreadDriver::new());
    let (read, unread) = scheduler.block_on(async {
        let handles = (
            task::spawn(async move { read }),
            task::spawn(async move { unread }),
        );
        task::yield_now().await.unwrap();
        handles
    });
    drop(scheduler);
    assert_eq!(drops.count(), 0);
    drop(unread);
    assert_eq!(drops.count(), 1);
    let value = run(read).unwrap();
    assert_eq!(drops.count(), 1);
    drop(value);
    assert_eq!(drops.count(), 2);
}
