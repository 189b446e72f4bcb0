//! The event between threads: who goes on, and who does not.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use ringloop_sync::shared::{self, hosted};

use crate::support::{Task, assert_send, assert_send_sync, is_long};
use crate::test_host::{Cancelled, TestHost};

type Event = hosted::Event<TestHost>;

#[test]
fn a_set_lets_all_go_on_and_a_clear_takes_nothing_back() {
    let event = Event::new();
    let mut tasks = [(); 4].map(|()| Task::new(event.wait()));
    tasks.iter_mut().for_each(Task::waits);
    assert_eq!(event.statistics().waiting, 4);
    event.set();
    assert!(event.is_set());
    assert_eq!(Task::new(event.wait()).ends_at_once(), Ok(()));
    event.clear();
    let mut late = Task::new(event.wait());
    late.waits();
    for task in &mut tasks {
        assert_eq!(task.ends(), Ok(()));
    }
    assert!(!late.is_woken() && !event.is_set());
    event.set();
    assert_eq!(late.ends(), Ok(()));
}

#[test]
fn who_goes_is_in_nobodys_way() {
    for is_cancelled in [true, false] {
        for is_set in [true, false] {
            let event = Event::new();
            let mut first = Task::new(event.wait());
            let mut second = Task::new(event.wait());
            first.waits();
            second.waits();
            if is_set {
                event.set();
            }
            if is_cancelled {
                first.cancel();
                let expected = if is_set { Ok(()) } else { Err(Cancelled) };
                assert_eq!(first.ends(), expected, "the value wins");
            } else {
                first.abort();
            }
            event.set();
            assert_eq!(second.ends(), Ok(()));
            assert_eq!(event.statistics().waiting, 0);
        }
    }
    let event = Event::new();
    event.set();
    let mut task = Task::new(event.wait());
    task.cancel();
    assert_eq!(task.ends(), Err(Cancelled));
}

#[test]
fn timeouts_say_whether_it_was_set() {
    let event = Event::new();
    for timeout in [Duration::ZERO, Duration::from_millis(1)] {
        assert!(!event.blocking_wait_timeout(timeout));
        assert_eq!(event.statistics().waiting, 0);
        event.set();
        assert!(event.blocking_wait_timeout(timeout));
        event.clear();
    }
    event.set();
    assert!(event.blocking_wait_timeout(Duration::MAX));
    assert!(format!("{event:?}").contains("is_set: true"));
    let event = shared::Event::default();
    assert_send_sync(&event);
    assert_send(&event.wait());
}

/// Two threads take turns, by an event for each.
#[test]
fn threads_take_turns() {
    let rounds = if is_long() { 100_000 } else { 1_000 };
    let events = [shared::Event::new(), shared::Event::new()];
    let count = AtomicU64::new(0);
    thread::scope(|scope| {
        for name in 0..2 {
            let (events, count) = (&events, &count);
            scope.spawn(move || {
                for round in 0..rounds {
                    events[name].blocking_wait();
                    events[name].clear();
                    let turn = 2 * round + u64::from(name == 1);
                    assert_eq!(count.fetch_add(1, Ordering::Relaxed), turn);
                    events[1 - name].set();
                }
            });
        }
        events[0].set();
    });
    assert_eq!(count.into_inner(), 2 * rounds);
}

/// Many wait for each set.
#[test]
fn many_threads_go_on_together() {
    let rounds = if is_long() { 100_000 } else { 200 };
    let events: Vec<_> = (0..rounds).map(|_| shared::Event::new()).collect();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| events.iter().for_each(shared::Event::blocking_wait));
        }
        events.iter().for_each(shared::Event::set);
    });
}
