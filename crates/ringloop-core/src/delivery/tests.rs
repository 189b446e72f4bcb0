use std::task::Waker;

use super::{Abandoned, Delivery, Polled};

/// The states by number, each made afresh: a waker is there only in the second.
fn states() -> [Delivery<u32>; 6] {
    [
        Delivery::Awaited(None),
        Delivery::Awaited(Some(Waker::noop().clone())),
        Delivery::Set(1),
        Delivery::Abandoned,
        Delivery::Taken,
        Delivery::Closed,
    ]
}

/// Runs a transition in each state and compares the states and answers that come out.
fn check<R: PartialEq + std::fmt::Debug>(
    transition: impl Fn(&mut Delivery<u32>) -> R,
    expected: [(&str, R); 6],
) {
    for (mut delivery, expected) in states().into_iter().zip(expected) {
        let before = delivery.name();
        let answer = transition(&mut delivery);
        assert_eq!((delivery.name(), answer), expected, "from {before}");
    }
}

#[test]
fn set_wakes_an_awaiting_waiter_and_refuses_otherwise() {
    check(
        |delivery| delivery.set(2).map(|waker| waker.is_some()),
        [
            ("Set", Ok(false)),
            ("Set", Ok(true)),
            ("Set", Err(2)),
            ("Abandoned", Err(2)),
            ("Taken", Err(2)),
            ("Closed", Err(2)),
        ],
    );
}

#[test]
fn abandon_counts_only_before_a_set() {
    check(
        |delivery| delivery.abandon().is_some(),
        [
            ("Abandoned", false),
            ("Abandoned", true),
            ("Set", false),
            ("Abandoned", false),
            ("Taken", false),
            ("Closed", false),
        ],
    );
}

#[test]
fn close_hands_out_what_was_held() {
    check(
        |delivery| match delivery.close() {
            Delivery::Awaited(Some(_)) => "waker",
            Delivery::Set(1) => "value",
            Delivery::Set(_) => "wrong value",
            Delivery::Awaited(None) | Delivery::Abandoned | Delivery::Taken | Delivery::Closed => {
                "nothing"
            }
        },
        [
            ("Closed", "nothing"),
            ("Closed", "waker"),
            ("Closed", "value"),
            ("Closed", "nothing"),
            ("Closed", "nothing"),
            ("Closed", "nothing"),
        ],
    );
}

#[test]
fn take_answers_once() {
    check(
        Delivery::take,
        [
            ("Awaited", None),
            ("Awaited", None),
            ("Taken", Some(Ok(1))),
            ("Taken", Some(Err(Abandoned))),
            ("Taken", None),
            ("Closed", None),
        ],
    );
}

#[test]
fn poll_answers_once() {
    check(
        |delivery| match delivery.poll(Waker::noop()) {
            Polled::Ready(Ok(value)) => format!("value {value}"),
            Polled::Ready(Err(Abandoned)) => "abandoned".to_owned(),
            Polled::Pending | Polled::Register => "no answer".to_owned(),
            Polled::Finished => "finished".to_owned(),
        },
        [
            ("Awaited", "no answer".to_owned()),
            ("Awaited", "no answer".to_owned()),
            ("Taken", "value 1".to_owned()),
            ("Taken", "abandoned".to_owned()),
            ("Taken", "finished".to_owned()),
            ("Closed", "finished".to_owned()),
        ],
    );
}

#[test]
fn register_keeps_a_waker_only_while_awaited() {
    // `true`: a waker came back that has to be dropped.
    check(
        |delivery| delivery.register(Waker::noop().clone()).is_some(),
        [
            ("Awaited", false),
            ("Awaited", true),
            ("Set", true),
            ("Abandoned", true),
            ("Taken", true),
            ("Closed", true),
        ],
    );
}
