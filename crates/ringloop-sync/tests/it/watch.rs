//! The watch: the latest value reaches everybody, and the last one before the end.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;

use ringloop_sync::hosted;
use ringloop_sync::watch::RecvError;

use crate::support::{Cancelled, Log, Task, TestHost};
use crate::wakers::{Act, with_hook};

type Sender<T> = hosted::watch::Sender<T, TestHost>;
type Receiver<T> = hosted::watch::Receiver<T, TestHost>;

fn channel<T>(initial: T) -> (Sender<T>, Receiver<T>) {
    hosted::watch::channel(initial)
}

#[test]
fn everybody_sees_the_latest_value_once() {
    let (sender, receiver) = channel(0);
    let log = Log::default();
    let mut tasks = ["a", "b", "c"].map(|name| {
        let (mut receiver, log) = (receiver.clone(), log.clone());
        Task::new(async move {
            while receiver.changed().await.is_ok() {
                log.note(format_args!("{name}{}", *receiver.borrow()));
            }
            log.note(format_args!("{name}."));
        })
    });
    drop(receiver);
    tasks.iter_mut().for_each(Task::waits);
    assert_eq!(sender.statistics().waiting, 3);
    sender.send(1).unwrap();
    sender.clone().send(2).unwrap();
    tasks.iter_mut().for_each(Task::waits);
    assert_eq!(log.take(), "a2 b2 c2");
    // The last one is seen, too, and then the end.
    sender.send(3).unwrap();
    let other = sender.clone();
    drop(sender);
    tasks[0].waits();
    assert_eq!(log.take(), "a3");
    drop(other);
    tasks.iter_mut().for_each(|task| task.ends());
    assert_eq!(log.take(), "a. b3 b. c3 c.");
}

#[test]
fn what_counts_as_seen() {
    let (sender, mut receiver) = channel(0);
    assert_eq!(receiver.has_changed(), Ok(false));
    sender.send(1).unwrap();
    let mut late = sender.subscribe();
    let clone = receiver.clone();
    assert_eq!(late.has_changed(), Ok(false));
    assert!(receiver.borrow().has_changed() && !sender.borrow().has_changed());
    assert_eq!(receiver.has_changed(), Ok(true), "a look does not count");
    {
        let value = receiver.borrow_and_update();
        assert!(*value == 1 && value.has_changed());
    }
    assert_eq!(receiver.has_changed(), Ok(false));
    assert_eq!(clone.has_changed(), Ok(true), "clones see for themselves");
    late.mark_changed();
    assert_eq!(Task::new(late.changed()).ends_at_once(), Ok(()));
    assert_eq!(late.has_changed(), Ok(false));
    drop(sender);
    assert_eq!(clone.has_changed(), Ok(true), "the last value is left");
    assert_eq!(receiver.has_changed(), Err(RecvError::Closed));
    assert_eq!(*receiver.borrow(), 1);
}

#[test]
fn changes_in_place_are_told_if_they_are_some() {
    let (sender, mut receiver) = channel(vec![1]);
    let mut task = Task::new(receiver.changed());
    task.waits();
    assert!(!sender.send_if_modified(|_| false));
    assert!(!task.is_woken());
    let panic = catch_unwind(AssertUnwindSafe(|| sender.send_modify(|_| panic!("no"))));
    assert!(panic.is_err() && !task.is_woken());
    assert!(sender.send_if_modified(|list| {
        list.push(2);
        true
    }));
    assert_eq!(task.ends(), Ok(()));
    drop(task);
    sender.send_modify(|list| list.push(3));
    assert_eq!(receiver.has_changed(), Ok(true));
    assert_eq!(sender.send_replace(vec![]), [1, 2, 3]);
    assert!(receiver.borrow_and_update().is_empty());
}

#[test]
fn wait_for_passes_over_what_is_not_wanted() {
    let (sender, mut receiver) = channel(1);
    let odd = |value: &i32| value % 2 == 1;
    assert_eq!(
        *Task::new(receiver.wait_for(odd)).ends_at_once().unwrap(),
        1,
        "the value of now will do"
    );
    sender.send(3).unwrap();
    drop(Task::new(receiver.wait_for(odd)).ends_at_once());
    assert_eq!(receiver.has_changed(), Ok(false), "it was seen");
    let mut other = sender.subscribe();
    sender.send(2).unwrap();
    let mut task = Task::new(async { receiver.wait_for(odd).await.map(|value| *value) });
    let mut vain = Task::new(async { other.wait_for(|&value| value > 9).await.map(|_| ()) });
    task.waits();
    vain.waits();
    sender.send(4).unwrap();
    assert!(task.is_woken());
    task.waits();
    vain.waits();
    sender.send(5).unwrap();
    drop(sender);
    assert_eq!(task.ends(), Ok(5), "the last value is looked at");
    assert_eq!(vain.ends(), Err(RecvError::Closed));
}

#[test]
fn a_wait_that_ends_early_takes_nothing_with_it() {
    for is_cancelled in [true, false] {
        for is_sent in [true, false] {
            let (sender, mut receiver) = channel(0);
            let mut other = receiver.clone();
            let mut first = Task::new(receiver.changed());
            let mut second = Task::new(other.changed());
            first.waits();
            second.waits();
            if is_sent {
                sender.send(1).unwrap();
            }
            if is_cancelled {
                first.cancel();
                let cancelled = Err(RecvError::Cancelled(Cancelled));
                let expected = if is_sent { Ok(()) } else { cancelled };
                assert_eq!(first.ends(), expected, "the value wins");
            } else {
                first.abort();
            }
            drop(first);
            let is_left = is_sent && !is_cancelled;
            assert_eq!(receiver.has_changed(), Ok(is_left));
            assert_eq!(second.is_woken(), is_sent);
            if !is_sent {
                sender.send(1).unwrap();
            }
            assert_eq!(second.ends(), Ok(()));
            assert_eq!(sender.statistics().waiting, 0);
        }
    }
}

#[test]
fn a_cancelled_task_sees_nothing() {
    let (sender, mut receiver) = channel(0);
    sender.send(1).unwrap();
    let mut task = Task::new(receiver.changed());
    task.cancel();
    assert_eq!(task.ends(), Err(RecvError::Cancelled(Cancelled)));
    drop(task);
    assert_eq!(receiver.has_changed(), Ok(true));
    let mut task = Task::new(async { receiver.wait_for(|_| true).await.map(|_| ()) });
    task.cancel();
    assert_eq!(task.ends(), Err(RecvError::Cancelled(Cancelled)));
    let mut task = Task::new(sender.closed());
    task.cancel();
    assert_eq!(task.ends(), Err(Cancelled));
}

#[test]
fn senders_learn_that_nobody_is_left() {
    let (sender, receiver) = channel(0);
    let other = sender.clone();
    let mut tasks = [&sender, &other].map(|sender| Task::new(sender.closed()));
    let second = receiver.clone();
    assert_eq!(sender.receiver_count(), 2);
    tasks.iter_mut().for_each(Task::waits);
    drop(receiver);
    assert!(!tasks[0].is_woken() && !sender.is_closed());
    drop(second);
    assert!(sender.is_closed());
    assert_eq!(sender.send(1).unwrap_err().into_inner(), 1);
    assert_eq!(*sender.borrow(), 0);
    assert_eq!(sender.send_replace(2), 0);
    tasks[0].cancel();
    // It was so, whoever came since.
    let late = sender.subscribe();
    for mut task in tasks {
        assert_eq!(task.ends(), Ok(()));
    }
    assert_eq!(*late.borrow(), 2);
    assert_eq!(late.has_changed(), Ok(false));
}

#[test]
fn old_values_may_use_the_watch_as_they_are_dropped() {
    struct Old(Rc<RefCell<Option<Sender<Option<Self>>>>>);

    impl Drop for Old {
        fn drop(&mut self) {
            if let Some(sender) = self.0.take() {
                sender.send(None).unwrap();
            }
        }
    }

    let (sender, receiver) = channel(None);
    let place = Rc::new(RefCell::new(Some(sender.clone())));
    sender.send(Some(Old(Rc::clone(&place)))).unwrap();
    sender.send(Some(Old(Rc::default()))).unwrap();
    assert!(receiver.borrow().is_none(), "the destructor was the last");
    assert_eq!(sender.statistics().version, 3);
    assert_eq!(sender.statistics().senders, 1);
}

#[test]
fn a_waker_may_use_its_watch() {
    for act in [Act::Clone, Act::Wake, Act::Drop] {
        let (sender, mut receiver) = channel(0);
        let sender = Rc::new(sender);
        let uses = {
            let sender = Rc::clone(&sender);
            move || {
                sender.send_replace(1);
            }
        };
        let mut other = receiver.clone();
        let mut before = Task::new(other.changed());
        before.waits();
        let mut hooked = pin!(receiver.wait_for(|&value| value == 1));
        with_hook(act, uses, |cx| {
            let is_seen = hooked.as_mut().poll(cx).is_ready();
            assert_eq!(is_seen, act == Act::Clone);
            if !is_seen {
                sender.send(1).unwrap();
                assert!(hooked.as_mut().poll(cx).is_ready());
            }
        });
        assert_eq!(before.ends(), Ok(()));
        assert_eq!(sender.statistics().waiting, 0);
    }
}

#[test]
fn the_ends_may_go_as_a_waker_is_cloned() {
    let (sender, mut receiver) = channel(0);
    let last = RefCell::new(Some(sender));
    let mut changed = pin!(receiver.changed());
    let closed = with_hook(
        Act::Clone,
        move || drop(last.take()),
        |cx| changed.as_mut().poll(cx),
    );
    assert_eq!(closed, Poll::Ready(Err(RecvError::Closed)));

    let (sender, receiver) = channel(0);
    let last = RefCell::new(Some(receiver));
    let mut closed = pin!(sender.closed());
    let polled = with_hook(
        Act::Clone,
        move || drop(last.take()),
        |cx| closed.as_mut().poll(cx),
    );
    assert_eq!(polled, Poll::Ready(Ok(())));
}

#[test]
fn a_look_that_is_kept_is_named() {
    let (sender, receiver) = channel(0);
    let kept = receiver.borrow();
    let panic = catch_unwind(AssertUnwindSafe(|| sender.send(1))).unwrap_err();
    let text = panic.downcast_ref::<&str>().unwrap();
    assert!(text.contains("drop the `Ref` before the next `.await`"));
    drop(kept);
    sender.send(2).unwrap();
    assert_eq!(*receiver.borrow(), 2);
    assert_eq!(
        format!("{receiver:?}"),
        "Receiver { value: 2, senders: 1, receivers: 1, waiting: 0, has_changed: true }"
    );
}
