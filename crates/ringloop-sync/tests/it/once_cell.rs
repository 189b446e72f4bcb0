//! The cell that is set once: one initializer at a time, and who is next when it does not succeed.

use std::cell::{Cell, RefCell};
use std::future::{Future, pending, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;

use ringloop_sync::hosted;

use crate::support::{Cancelled, Log, Task, TestHost};
use crate::wakers::{Act, with_hook};

type OnceCell<T> = hosted::OnceCell<T, TestHost>;

/// What an initializer does when it is polled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Course {
    Runs,
    Succeeds,
    Fails,
    Panics,
}

type Outcome = Result<Result<char, ()>, Cancelled>;

/// A task that asks for the value, which is its name if it has to make it. Its initializer does
/// what the cell says.
fn asker<'a>(
    cell: &'a OnceCell<char>,
    log: &Log,
    name: char,
) -> (Task<'a, Outcome>, Rc<Cell<Course>>) {
    let course = Rc::new(Cell::new(Course::Runs));
    let (follow, log) = (Rc::clone(&course), log.clone());
    let init = move || {
        log.note(name);
        poll_fn(move |_| match follow.get() {
            Course::Runs => Poll::Pending,
            Course::Succeeds => Poll::Ready(Ok(name)),
            Course::Fails => Poll::Ready(Err(())),
            Course::Panics => panic!("expected"),
        })
    };
    let value = cell.get_or_try_init(init);
    let task = Task::new(async { Ok(value.await?.copied()) });
    (task, course)
}

#[test]
fn those_who_come_second_wait_for_the_first() {
    let (cell, log) = (OnceCell::new(), Log::default());
    let (mut first, course) = asker(&cell, &log, 'a');
    let (mut second, _) = asker(&cell, &log, 'b');
    let mut onlooker = Task::new(async { cell.wait().await.copied() });
    first.waits();
    second.waits();
    onlooker.waits();
    assert!(cell.statistics().is_initializing && !cell.statistics().is_set);
    assert_eq!((cell.statistics().waiting, cell.get()), (2, None));
    assert_eq!(cell.set('x'), Err('x'), "one is being made");
    course.set(Course::Succeeds);
    assert_eq!(first.ends_at_once(), Ok(Ok('a')));
    assert_eq!(second.ends(), Ok(Ok('a')));
    assert_eq!(onlooker.ends(), Ok('a'));
    assert_eq!(asker(&cell, &log, 'c').0.ends_at_once(), Ok(Ok('a')));
    assert_eq!(log.take(), "a", "one initializer was made");
    assert_eq!(cell.set('x'), Err('x'));
    assert!(cell.statistics().is_set && !cell.statistics().is_initializing);
}

/// How the turn of a task ends without a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Fails,
    Panics,
    IsDropped,
    /// It was given the turn, and is dropped before it takes it.
    IsDroppedBefore,
    /// It leaves the line before it is given the turn.
    IsCancelledBefore,
}

const FIRST: [End; 3] = [End::Fails, End::Panics, End::IsDropped];
const SECOND: [End; 5] = [
    End::Fails,
    End::Panics,
    End::IsDropped,
    End::IsDroppedBefore,
    End::IsCancelledBefore,
];

#[test]
fn next_in_line_initializes_when_one_does_not_succeed() {
    for first in FIRST {
        for second in SECOND {
            let (cell, log) = (OnceCell::new(), Log::default());
            let (mut a, a_course) = asker(&cell, &log, 'a');
            let (mut b, b_course) = asker(&cell, &log, 'b');
            let (mut c, c_course) = asker(&cell, &log, 'c');
            let mut onlooker = Task::new(async { cell.wait().await.copied() });
            a.waits();
            b.waits();
            c.waits();
            onlooker.waits();
            if second == End::IsCancelledBefore {
                b.cancel();
                assert_eq!(b.ends(), Err(Cancelled));
            }
            ends(&mut a, &a_course, first);
            if second == End::IsDroppedBefore {
                b.abort();
            } else if second != End::IsCancelledBefore {
                assert!(b.is_woken() && !c.is_woken(), "{first:?} {second:?}");
                assert!(cell.statistics().is_initializing, "it is handed over");
                b.waits();
                ends(&mut b, &b_course, second);
            }
            assert!(c.is_woken(), "{first:?} {second:?}");
            c_course.set(Course::Succeeds);
            assert_eq!(c.ends(), Ok(Ok('c')), "{first:?} {second:?}");
            assert_eq!(onlooker.ends(), Ok('c'));
            let made = match second {
                End::IsDroppedBefore | End::IsCancelledBefore => "a c",
                End::Fails | End::Panics | End::IsDropped => "a b c",
            };
            assert_eq!(log.take(), made, "each runs its own");
        }
    }
}

fn ends(task: &mut Task<'_, Outcome>, course: &Cell<Course>, end: End) {
    match end {
        End::Fails => {
            course.set(Course::Fails);
            assert_eq!(task.ends_at_once(), Ok(Err(())));
        }
        End::Panics => {
            course.set(Course::Panics);
            assert!(catch_unwind(AssertUnwindSafe(|| task.waits())).is_err());
        }
        End::IsDropped => task.abort(),
        End::IsDroppedBefore | End::IsCancelledBefore => unreachable!("it has no turn"),
    }
}

#[test]
fn value_wins_over_a_cancellation() {
    let (cell, log) = (OnceCell::new(), Log::default());
    let (mut first, course) = asker(&cell, &log, 'a');
    let (mut second, _) = asker(&cell, &log, 'b');
    let mut onlooker = Task::new(async { cell.wait().await.copied() });
    first.waits();
    second.waits();
    onlooker.waits();
    second.cancel();
    onlooker.cancel();
    course.set(Course::Succeeds);
    assert_eq!(first.ends_at_once(), Ok(Ok('a')));
    assert_eq!(second.ends(), Ok(Ok('a')));
    assert_eq!(onlooker.ends(), Ok('a'));
}

#[test]
fn cancelled_and_dropped_waits_leave_nothing_behind() {
    for is_cancelled in [true, false] {
        let cell = OnceCell::<char>::new();
        let mut onlooker = Task::new(async { cell.wait().await.copied() });
        onlooker.waits();
        if is_cancelled {
            onlooker.cancel();
            assert_eq!(onlooker.ends(), Err(Cancelled));
        } else {
            onlooker.abort();
        }
        assert_eq!(cell.statistics().waiting, 0);
    }
    // One that is cancelled already does not begin.
    let (cell, log) = (OnceCell::new(), Log::default());
    let (mut task, _) = asker(&cell, &log, 'a');
    task.cancel();
    assert_eq!(task.ends(), Err(Cancelled));
    assert_eq!(log.take(), "");
}

#[test]
fn set_wakes_those_who_wait() {
    let cell = OnceCell::new();
    let mut onlooker = Task::new(async { cell.wait().await.copied() });
    onlooker.waits();
    assert_eq!(cell.set('x'), Ok(()));
    assert_eq!(onlooker.ends(), Ok('x'));
    drop(onlooker);
    let mut cell = cell;
    assert_eq!(cell.take(), Some('x'));
    assert_eq!(cell.set('y'), Ok(()));
    assert_eq!(format!("{cell:?}"), "OnceCell { value: 'y', waiting: 0 }");
    assert_eq!(OnceCell::from('z').into_inner(), Some('z'));
}

/// Whatever is done to a waker may end the turn that is waited for, and set the value.
#[test]
fn a_waker_may_use_its_cell() {
    for act in [Act::Clone, Act::Wake, Act::Drop] {
        for (sets, is_first) in [(true, true), (true, false), (false, true), (false, false)] {
            let cell = Rc::new(OnceCell::new());
            let owned = Rc::clone(&cell);
            let mut holder = Task::new(async move {
                owned.get_or_init(pending::<char>).await.map(drop).unwrap();
            });
            holder.waits();
            let holder = Rc::new(RefCell::new(Some(holder)));
            let uses = {
                let (cell, holder) = (Rc::clone(&cell), Rc::clone(&holder));
                move || {
                    drop(holder.take());
                    if sets {
                        let _is_set_before = cell.set('x');
                    }
                }
            };
            let mut hooked = pin!(cell.get_or_init(async || 'h'));
            let mut onlooker = pin!(cell.wait());
            with_hook(act, uses, |cx| {
                let mut is_seen = is_first && onlooker.as_mut().poll(cx).is_ready();
                let is_ready = hooked.as_mut().poll(cx).is_ready();
                is_seen = is_seen || !is_first && onlooker.as_mut().poll(cx).is_ready();
                drop(holder.take());
                assert!(is_ready || hooked.as_mut().poll(cx).is_ready());
                assert!(is_seen || onlooker.as_mut().poll(cx).is_ready());
            });
            assert_eq!(cell.statistics().waiting, 0, "{act:?} {sets}");
        }
    }
}
