//! What tasks exist, and what they do.

use std::future::pending;

use ringloop_core::ThreadDriver;
use ringloop_task::task::{self, TaskState};
use ringloop_task::{Scheduler, time};

use crate::driver::{run, secs};

#[test]
fn nothing_outside_of_a_loop() {
    assert!(task::current().is_none());
    assert!(task::all_tasks().is_empty());
}

#[test]
fn current_is_the_task_that_is_polled_and_restored_after_drops() {
    struct Asks(task::TaskId);
    impl Drop for Asks {
        fn drop(&mut self) {
            assert_eq!(
                task::current().unwrap().id(),
                self.0,
                "the task whose future it is"
            );
        }
    }
    run(async {
        let main = task::current().unwrap().id();
        let child = task::spawn(async {
            let own = task::current().unwrap().id();
            let _asks = Asks(own);
            pending::<()>().await;
        });
        task::yield_now().await.unwrap();
        assert_ne!(child.id(), main);
        child.abort();
        assert_eq!(task::current().unwrap().id(), main);
    });
}

#[test]
fn all_tasks_are_listed_in_spawn_order_with_what_is_known() {
    run(async {
        let sleeper = task::Builder::new()
            .name("sleeper")
            .spawn(time::sleep(secs(1)));
        let idle = task::Builder::new().name("idle").spawn(pending::<()>());
        let ended = task::spawn(async {});
        task::yield_now().await.unwrap();
        let fresh = task::Builder::new().name("fresh").spawn(async {});
        let tasks = task::all_tasks();
        let names: Vec<_> = tasks.iter().map(task::TaskRef::name).collect();
        let names: Vec<_> = names.iter().map(Option::as_deref).collect();
        assert_eq!(names, [None, Some("sleeper"), Some("idle"), Some("fresh")]);
        let states: Vec<_> = tasks.iter().map(task::TaskRef::state).collect();
        let waiting = TaskState::Waiting;
        assert_eq!(
            states,
            [TaskState::Running, waiting, waiting, TaskState::Ready]
        );
        assert_eq!(ended.task().state(), TaskState::Done);
        assert!(tasks.is_sorted_by_key(task::TaskRef::id));
        for task in &tasks[1..] {
            assert!(task.spawned_at().file().ends_with("introspect.rs"));
        }
        let parked = tasks[1]
            .parked_at()
            .expect("a sleep says where it was begun");
        assert_eq!(parked.line(), tasks[1].spawned_at().line());
        assert!(tasks[2].parked_at().is_none(), "it does not say");
        assert!(format!("{:?}", tasks[1]).contains("sleeper"));
        idle.abort();
        drop((sleeper, fresh));
    });
}

#[test]
fn references_keep_what_is_known_after_the_end() {
    let mut scheduler = Scheduler::new(ThreadDriver::new());
    let (id, child) = scheduler.block_on(async {
        let child = task::Builder::new().name("short").spawn(async {});
        let (id, reference) = (child.id(), child.task());
        child.await.unwrap();
        (id, reference)
    });
    drop(scheduler);
    let copy = child.clone();
    drop(child);
    assert_eq!(
        (copy.id(), copy.name().as_deref(), copy.state()),
        (id, Some("short"), TaskState::Done)
    );
    assert!(!copy.cancel("too late"));
}

#[test]
fn stats_count() {
    let mut scheduler = Scheduler::new(ThreadDriver::new());
    scheduler.block_on(async {
        drop(task::spawn(pending::<()>()));
        drop(task::spawn(time::sleep(secs(100))));
        task::yield_now().await.unwrap();
    });
    let stats = scheduler.stats();
    assert_eq!(
        (stats.tasks_live, stats.tasks_spawned, stats.timers_len),
        (2, 3, 1)
    );
    assert_eq!((stats.polls, stats.ready_len, stats.unhandled), (4, 0, 0));
}
