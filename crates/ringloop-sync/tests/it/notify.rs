//! The word to one or to all: order, what is kept, and what is passed on.

use std::pin::pin;
use std::rc::Rc;

use ringloop_sync::hosted;

use crate::support::{Cancelled, Task, TestHost};
use crate::wakers::{Act, with_hook};

type Notify = hosted::Notify<TestHost>;

#[test]
fn a_word_to_nobody_is_kept_once() {
    let notify = Notify::new();
    for _ in 0..3 {
        notify.notify_one();
    }
    assert!(notify.statistics().has_permit);
    assert_eq!(Task::new(notify.notified()).ends_at_once(), Ok(()));
    Task::new(notify.notified()).waits();
}

#[test]
fn words_to_one_go_to_those_who_wait_in_order() {
    let notify = Notify::new();
    let mut tasks = [(); 3].map(|()| Task::new(notify.notified()));
    tasks.iter_mut().for_each(Task::waits);
    for woken in 1..=3 {
        notify.notify_one();
        assert!(!notify.statistics().has_permit);
        let are_woken = tasks.each_ref().map(Task::is_woken);
        assert_eq!(are_woken, [1, 2, 3].map(|place| place <= woken));
    }
    Task::new(notify.notified()).waits();
    assert!(tasks.iter_mut().all(|task| task.ends().is_ok()));
}

#[test]
fn a_word_to_all_is_for_those_who_are_there() {
    let notify = Notify::new();
    let mut polled = Task::new(notify.notified());
    let mut made = Task::new(notify.notified());
    polled.waits();
    notify.notify_waiters();
    assert!(!notify.statistics().has_permit);
    let mut late = Task::new(notify.notified());
    late.waits();
    assert_eq!(polled.ends(), Ok(()));
    assert_eq!(made.ends_at_once(), Ok(()));
    assert!(!late.is_woken());
}

/// A future that was there for a word to all leaves the word to one for others.
#[test]
fn a_word_to_all_spares_the_one_that_is_kept() {
    let notify = Notify::new();
    notify.notify_one();
    let mut made = Task::new(notify.notified());
    notify.notify_waiters();
    assert_eq!(made.ends_at_once(), Ok(()));
    assert_eq!(Task::new(notify.notified()).ends_at_once(), Ok(()));
    Task::new(notify.notified()).waits();
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Given {
    Nothing,
    ToOne,
    ToAll,
}

/// The first who waits is cancelled or dropped, before and after each kind of word, with and without
/// another behind.
#[test]
fn a_word_to_one_is_passed_on_by_who_is_gone() {
    for is_cancelled in [true, false] {
        for has_second in [true, false] {
            for given in [Given::Nothing, Given::ToOne, Given::ToAll] {
                let case = format!("{is_cancelled} {has_second} {given:?}");
                let notify = Notify::new();
                let mut first = Task::new(notify.notified());
                let mut second = Task::new(notify.notified());
                first.waits();
                if has_second {
                    second.waits();
                }
                match given {
                    Given::Nothing => {}
                    Given::ToOne => notify.notify_one(),
                    Given::ToAll => notify.notify_waiters(),
                }
                if is_cancelled {
                    first.cancel();
                    let expected = match given {
                        Given::Nothing => Err(Cancelled),
                        Given::ToOne | Given::ToAll => Ok(()),
                    };
                    assert_eq!(first.ends(), expected, "{case}");
                } else {
                    first.abort();
                }
                let is_passed_on = given == Given::ToOne && !is_cancelled;
                let is_kept = is_passed_on && !has_second;
                assert_eq!(notify.statistics().has_permit, is_kept, "{case}");
                let goes_on = is_passed_on || given == Given::ToAll;
                if has_second {
                    assert_eq!(second.is_woken(), goes_on, "{case}");
                }
                assert_eq!(second.poll().is_ready(), goes_on, "{case}");
            }
        }
    }
}

#[test]
fn a_cancelled_task_takes_no_word() {
    let notify = Notify::new();
    notify.notify_one();
    let mut task = Task::new(notify.notified());
    task.cancel();
    assert_eq!(task.ends(), Err(Cancelled));
    assert!(notify.statistics().has_permit);
}

/// Whatever is done to a waker may notify: no word is lost.
#[test]
fn a_waker_may_notify() {
    for act in [Act::Clone, Act::Wake, Act::Drop] {
        for is_for_all in [true, false] {
            let notify = Rc::new(Notify::new());
            let uses = {
                let notify = Rc::clone(&notify);
                move || {
                    if is_for_all {
                        notify.notify_waiters();
                    } else {
                        notify.notify_one();
                    }
                }
            };
            let mut hooked = pin!(notify.notified());
            let mut after = with_hook(act, uses, |cx| {
                let is_ready = hooked.as_mut().poll(cx).is_ready();
                assert_eq!(is_ready, act == Act::Clone);
                let mut after = Task::new(notify.notified());
                after.waits();
                notify.notify_one();
                assert!(is_ready || hooked.as_mut().poll(cx).is_ready());
                after
            });
            assert_eq!(after.ends(), Ok(()), "{act:?} {is_for_all}");
            assert_eq!(notify.statistics().waiting, 0);
        }
    }
}

#[test]
fn it_says_how_things_stand() {
    let notify = Notify::default();
    notify.notify_one();
    assert_eq!(
        format!("{notify:?}"),
        "Notify { has_permit: true, waiting: 0 }"
    );
}
