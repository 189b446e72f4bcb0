//! The event: who goes on when it is set, and whom that does not concern.

use std::future::Future;
use std::pin::pin;
use std::rc::Rc;

use ringloop_sync::hosted;

use crate::support::{Cancelled, Log, Task, TestHost};
use crate::wakers::{Act, with_hook};

type Event = hosted::Event<TestHost>;

#[test]
fn all_who_wait_go_on_even_if_it_is_cleared_at_once() {
    for is_cleared in [false, true] {
        let event = Event::new();
        let log = Log::default();
        let visit = |name| {
            let (event, log) = (&event, log.clone());
            Task::new(async move {
                event.wait().await.unwrap();
                log.note(name);
            })
        };
        let mut tasks = ["a", "b", "c"].map(visit);
        tasks.iter_mut().for_each(Task::waits);
        assert_eq!(event.statistics().waiting, 3);
        event.set();
        if is_cleared {
            event.clear();
        }
        assert_eq!(
            (event.is_set(), event.statistics().waiting),
            (!is_cleared, 0)
        );

        let mut late = visit("late");
        if is_cleared {
            late.waits();
        } else {
            late.ends_at_once();
        }
        log.take();
        tasks.iter_mut().for_each(|task| task.ends());
        assert_eq!(log.take(), "a b c");
    }
}

#[test]
fn it_can_be_set_and_cleared_again_and_again() {
    let event = Event::new();
    for _ in 0..3 {
        event.clear();
        let mut task = Task::new(event.wait());
        task.waits();
        event.set();
        event.set();
        assert_eq!(task.ends(), Ok(()));
        assert_eq!(Task::new(event.wait()).ends_at_once(), Ok(()));
    }
}

#[test]
fn who_is_cancelled_or_gone_waits_no_more() {
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
            assert_eq!(event.statistics().waiting, usize::from(!is_set));
            event.set();
            assert_eq!(second.ends(), Ok(()));
        }
    }
}

#[test]
fn a_cancelled_task_does_not_wait_for_what_is_there() {
    let event = Event::new();
    event.set();
    let mut task = Task::new(event.wait());
    task.cancel();
    assert_eq!(task.ends(), Err(Cancelled));
}

/// Whatever is done to a waker may set and clear the event: before its task is in the list, while
/// others are woken, after it has gone.
#[test]
fn a_waker_may_use_its_event() {
    for act in [Act::Clone, Act::Wake, Act::Drop] {
        let event = Rc::new(Event::new());
        let mut before = Task::new(event.wait());
        before.waits();
        let mut hooked = pin!(event.wait());
        let mut after = Task::new(event.wait());
        let uses = {
            let event = Rc::clone(&event);
            move || {
                event.clear();
                event.set();
            }
        };
        let goes_on = with_hook(act, uses, |cx| {
            let is_set = hooked.as_mut().poll(cx).is_ready();
            assert_eq!(is_set, act == Act::Clone);
            if !is_set {
                after.waits();
            }
            event.set();
            is_set || hooked.as_mut().poll(cx).is_ready()
        });
        assert!(goes_on);
        assert_eq!(before.ends(), Ok(()));
        assert_eq!(after.ends_at_once(), Ok(()));
        assert_eq!(event.statistics().waiting, 0);
    }
}

#[test]
fn it_says_how_things_stand() {
    let event = Event::default();
    let mut task = Task::new(event.wait());
    task.waits();
    assert_eq!(format!("{event:?}"), "Event { is_set: false, waiting: 1 }");
}
