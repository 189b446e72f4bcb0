//! Race and join.

use std::cell::Cell;
use std::future::{pending, poll_fn, ready};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use ringloop_core::future::{Either, join, race};
use ringloop_core::{Abandoned, postbox};

use crate::block_on::block_on;
use crate::wakers::Count;

/// Pending until its last poll, counting its polls, and telling when it is dropped.
struct Countdown {
    polls_left: usize,
    dropped: Rc<Cell<bool>>,
}

impl Countdown {
    fn new(polls_left: usize) -> (Rc<Cell<bool>>, Self) {
        let dropped = Rc::new(Cell::new(false));
        let countdown = Self {
            polls_left,
            dropped: Rc::clone(&dropped),
        };
        (dropped, countdown)
    }
}

impl Future for Countdown {
    type Output = &'static str;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        match self.polls_left.checked_sub(1) {
            Some(left) => {
                self.polls_left = left;
                Poll::Pending
            }
            None => Poll::Ready("done"),
        }
    }
}

impl Drop for Countdown {
    fn drop(&mut self) {
        self.dropped.set(true);
    }
}

#[test]
fn the_first_to_be_done_wins() {
    for (left_polls, right_polls, winner) in [
        (0, 1, Either::Left("done")),
        (1, 0, Either::Right("done")),
        (2, 5, Either::Left("done")),
        (5, 2, Either::Right("done")),
        // The left one wins a tie.
        (0, 0, Either::Left("done")),
        (3, 3, Either::Left("done")),
    ] {
        let (left_dropped, left) = Countdown::new(left_polls);
        let (right_dropped, right) = Countdown::new(right_polls);
        let mut race = pin!(race(left, right));
        let mut cx = Context::from_waker(Waker::noop());
        for _ in 0..left_polls.min(right_polls) {
            assert_eq!(race.as_mut().poll(&mut cx), Poll::Pending);
            assert!(!left_dropped.get() && !right_dropped.get());
        }
        assert_eq!(race.as_mut().poll(&mut cx), Poll::Ready(winner));
        assert!(
            left_dropped.get() && right_dropped.get(),
            "the loser is dropped at once"
        );
    }
}

#[test]
fn a_left_winner_leaves_the_right_one_unpolled() {
    let polled = Cell::new(false);
    let right = poll_fn(|_| {
        polled.set(true);
        Poll::Ready(())
    });
    assert_eq!(block_on(race(ready(1), right)), Either::Left(1));
    assert!(!polled.get());
}

#[test]
fn a_lost_postbox_is_closed() {
    let (setter, loser) = postbox::<u32>();
    let outcome = block_on(race(loser, ready(())));
    assert_eq!(outcome, Either::Right(()));
    assert!(setter.is_closed());
}

#[test]
fn a_race_is_woken_by_either() {
    for left_is_set in [true, false] {
        let (left_setter, left) = postbox();
        let (right_setter, right) = postbox();
        let (count, waker) = Count::new();
        let mut race = pin!(race(left, right));
        let mut cx = Context::from_waker(&waker);
        assert_eq!(race.as_mut().poll(&mut cx), Poll::Pending);
        let expected = match left_is_set {
            true => {
                left_setter.set(1).unwrap();
                Either::Left(Ok(1))
            }
            false => {
                right_setter.set(1).unwrap();
                Either::Right(Ok(1))
            }
        };
        assert_eq!(count.get(), 1);
        assert_eq!(race.as_mut().poll(&mut cx), Poll::Ready(expected));
    }
}

#[test]
fn join_waits_for_both_and_keeps_their_order() {
    for (left_polls, right_polls) in [(0, 0), (0, 3), (3, 0), (2, 2)] {
        let (left_dropped, left) = Countdown::new(left_polls);
        let (right_dropped, right) = Countdown::new(right_polls);
        let mut join = pin!(join(async { (left.await, 'l') }, async {
            (right.await, 'r')
        }));
        let mut cx = Context::from_waker(Waker::noop());
        for polls in 0..left_polls.max(right_polls) {
            assert_eq!(join.as_mut().poll(&mut cx), Poll::Pending);
            assert_eq!(left_dropped.get(), polls >= left_polls);
            assert_eq!(right_dropped.get(), polls >= right_polls);
        }
        let both = (("done", 'l'), ("done", 'r'));
        assert_eq!(join.as_mut().poll(&mut cx), Poll::Ready(both));
    }
}

#[test]
fn a_dropped_join_drops_the_output_that_waits() {
    let value = Rc::new(());
    let copy = Rc::clone(&value);
    {
        let mut join = pin!(join(async move { copy }, pending::<()>()));
        let mut cx = Context::from_waker(Waker::noop());
        assert!(join.as_mut().poll(&mut cx).is_pending());
        assert_eq!(Rc::strong_count(&value), 2);
    }
    assert_eq!(Rc::strong_count(&value), 1);
}

#[test]
fn join_of_two_ends_of_a_postbox() {
    let (setter, postbox) = postbox();
    let (received, sent) = block_on(join(postbox, async { setter.set(7) }));
    assert_eq!((received, sent), (Ok::<_, Abandoned>(7), Ok(())));
}

#[test]
#[should_panic(expected = "a race is not polled after it has completed")]
fn a_race_polled_after_completion_panics() {
    let mut race = pin!(race(ready(1), ready(2)));
    let mut cx = Context::from_waker(Waker::noop());
    assert!(race.as_mut().poll(&mut cx).is_ready());
    assert!(race.as_mut().poll(&mut cx).is_pending());
}

#[test]
#[should_panic(expected = "a join is not polled after it has completed")]
fn a_join_polled_after_completion_panics() {
    let mut join = pin!(join(ready(1), ready(2)));
    let mut cx = Context::from_waker(Waker::noop());
    assert!(join.as_mut().poll(&mut cx).is_ready());
    assert!(join.as_mut().poll(&mut cx).is_pending());
}

#[test]
fn either_opens() {
    type Sides = Either<u8, char>;
    assert_eq!(Sides::Left(1).left(), Some(1));
    assert_eq!(Sides::Left(1).right(), None);
    assert_eq!(Sides::Right('r').right(), Some('r'));
    assert_eq!(Sides::Right('r').left(), None);
    assert_eq!(Either::<u8, u8>::Left(1).into_inner(), 1);
}
