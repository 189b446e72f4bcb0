use std::task::{Poll, Waker};

use super::{Abandoned, Callbacks, Delivery, State};

/// A delivery in each state, made afresh. Every one has a waker and a callback as far as its state
/// may have.
fn deliveries() -> [Delivery<u32>; 7] {
    let states = [
        State::Awaited,
        State::Listened,
        State::Calling,
        State::Set,
        State::Abandoned,
        State::Taken,
        State::Closed,
    ];
    states.map(|state| {
        let delivery = Delivery::new();
        delivery.state.set(state);
        match state {
            State::Awaited => delivery.waker.set(Some(Waker::noop().clone())),
            State::Listened | State::Calling => {
                delivery.waker.set(Some(Waker::noop().clone()));
                delivery.with_callbacks(|callbacks| callbacks.push(Box::new(|_| ())));
            }
            State::Set => delivery.value.set(Some(1)),
            State::Abandoned | State::Taken | State::Closed => {}
        }
        delivery
    })
}

/// Which of waker, value and callbacks are there.
fn held(delivery: &Delivery<u32>) -> (bool, bool, bool) {
    let waker = delivery.waker.take();
    let has_waker = waker.is_some();
    delivery.waker.set(waker);
    let value = delivery.value.get();
    let has_callbacks = !delivery.with_callbacks(|callbacks| Callbacks::is_empty(callbacks));
    (has_waker, value.is_some(), has_callbacks)
}

const NOTHING: (bool, bool, bool) = (false, false, false);
const WAKER: (bool, bool, bool) = (true, false, false);
const VALUE: (bool, bool, bool) = (false, true, false);
const CALLBACK: (bool, bool, bool) = (true, false, true);

/// Runs a transition in each state and compares the states, contents and answers that come out.
fn check<R: PartialEq + std::fmt::Debug>(
    transition: impl Fn(&Delivery<u32>) -> R,
    expected: [(State, (bool, bool, bool), R); 7],
) {
    for (delivery, expected) in deliveries().into_iter().zip(expected) {
        let before = delivery.state();
        let answer = transition(&delivery);
        let after = (delivery.state(), held(&delivery), answer);
        delivery.close();
        assert_eq!(after, expected, "from {before:?}");
    }
}

#[test]
fn set_wakes_and_calls_or_refuses() {
    check(
        |delivery| delivery.set(2),
        [
            (State::Set, VALUE, Ok(())),
            (State::Set, VALUE, Ok(())),
            (State::Calling, CALLBACK, Err(2)),
            (State::Set, VALUE, Err(2)),
            (State::Abandoned, NOTHING, Err(2)),
            (State::Taken, NOTHING, Err(2)),
            (State::Closed, NOTHING, Err(2)),
        ],
    );
}

#[test]
fn abandon_counts_only_before_a_set() {
    check(
        Delivery::abandon,
        [
            (State::Abandoned, NOTHING, ()),
            (State::Abandoned, NOTHING, ()),
            (State::Calling, CALLBACK, ()),
            (State::Set, VALUE, ()),
            (State::Abandoned, NOTHING, ()),
            (State::Taken, NOTHING, ()),
            (State::Closed, NOTHING, ()),
        ],
    );
}

#[test]
fn close_leaves_nothing() {
    check(
        Delivery::close,
        std::array::from_fn(|_| (State::Closed, NOTHING, ())),
    );
}

#[test]
fn take_answers_once() {
    check(
        Delivery::take,
        [
            (State::Awaited, WAKER, None),
            (State::Listened, CALLBACK, None),
            (State::Calling, CALLBACK, None),
            (State::Taken, NOTHING, Some(Ok(1))),
            (State::Taken, NOTHING, Some(Err(Abandoned))),
            (State::Taken, NOTHING, None),
            (State::Closed, NOTHING, None),
        ],
    );
}

#[test]
fn poll_answers_once() {
    check(
        |delivery| delivery.poll(Waker::noop()),
        [
            (State::Awaited, WAKER, Some(Poll::Pending)),
            (State::Listened, CALLBACK, Some(Poll::Pending)),
            (State::Calling, CALLBACK, Some(Poll::Pending)),
            (State::Taken, NOTHING, Some(Poll::Ready(Ok(1)))),
            (State::Taken, NOTHING, Some(Poll::Ready(Err(Abandoned)))),
            (State::Taken, NOTHING, None),
            (State::Closed, NOTHING, None),
        ],
    );
}

#[test]
fn peek_changes_nothing() {
    check(
        |delivery| delivery.peek(|answer| answer.copied()),
        [
            (State::Awaited, WAKER, None),
            (State::Listened, CALLBACK, None),
            (State::Calling, CALLBACK, None),
            (State::Set, VALUE, Some(Ok(1))),
            (State::Abandoned, NOTHING, Some(Err(Abandoned))),
            (State::Taken, NOTHING, None),
            (State::Closed, NOTHING, None),
        ],
    );
}

#[test]
fn listen_is_for_what_is_to_come() {
    check(
        |delivery| delivery.listen(Box::new(|_| ())).is_ok(),
        [
            (State::Listened, CALLBACK, true),
            (State::Listened, CALLBACK, true),
            (State::Calling, CALLBACK, true),
            (State::Set, VALUE, false),
            (State::Abandoned, NOTHING, false),
            (State::Taken, NOTHING, false),
            (State::Closed, NOTHING, false),
        ],
    );
}
