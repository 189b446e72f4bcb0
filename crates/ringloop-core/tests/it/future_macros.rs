//! `join!` and `race!`, of any number of futures.

use std::cell::RefCell;
use std::future::{Ready, pending, ready};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use ringloop_core::future::{join, race};
use ringloop_core::{Abandoned, postbox};

use crate::block_on::block_on;

/// Done after some polls; tells a log of its polls and its drop.
struct Racer<'a> {
    number: usize,
    polls_left: usize,
    log: &'a RefCell<Vec<(usize, &'static str)>>,
}

impl Future for Racer<'_> {
    type Output = usize;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<usize> {
        self.log.borrow_mut().push((self.number, "polled"));
        match self.polls_left.checked_sub(1) {
            Some(left) => {
                self.polls_left = left;
                Poll::Pending
            }
            None => Poll::Ready(self.number),
        }
    }
}

impl Drop for Racer<'_> {
    fn drop(&mut self) {
        self.log.borrow_mut().push((self.number, "dropped"));
    }
}

/// All triples of numbers of polls up to two.
fn polls_of_three() -> impl Iterator<Item = [usize; 3]> {
    (0..27).map(|n| [n / 9, n / 3 % 3, n % 3])
}

/// Polls until done, and returns the output with the number of polls it took.
fn count_polls<F: Future>(future: F) -> (F::Output, usize) {
    let mut future = pin!(future);
    for polls in 0..100 {
        let polled = future
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()));
        if let Poll::Ready(output) = polled {
            return (output, polls);
        }
    }
    panic!("it never ends");
}

#[test]
fn all_orders_of_three_are_joined() {
    for polls in polls_of_three() {
        let log = RefCell::default();
        let racer = |number| Racer {
            number,
            polls_left: polls[number],
            log: &log,
        };
        let (outputs, count) = count_polls(join!(racer(0), racer(1), racer(2)));
        assert_eq!(outputs, (0, 1, 2));
        assert_eq!(count, polls.into_iter().max().unwrap());
        // In every round those that are not done are polled in order, and who is done is dropped.
        let mut expected = Vec::new();
        for round in 0..=count {
            for number in (0..3).filter(|&number| round <= polls[number]) {
                expected.push((number, "polled"));
                if round == polls[number] {
                    expected.push((number, "dropped"));
                }
            }
        }
        assert_eq!(log.into_inner(), expected, "{polls:?}");
    }
}

#[test]
fn all_orders_of_three_are_raced() {
    for polls in polls_of_three() {
        let log = RefCell::default();
        let racer = |number| Racer {
            number,
            polls_left: polls[number],
            log: &log,
        };
        let (winner, count) = count_polls(race!(racer(0), racer(1), racer(2)));
        let least = polls.into_iter().min().unwrap();
        let expected_winner = polls.iter().position(|&polls| polls == least).unwrap();
        assert_eq!(
            (winner, count),
            (expected_winner, least),
            "the first argument wins a tie"
        );
        let mut expected = Vec::new();
        for round in 0..=count {
            let last = if round == count { winner } else { 2 };
            expected.extend((0..=last).map(|number| (number, "polled")));
        }
        let log = log.into_inner();
        let (polled, dropped) = log.split_at(expected.len());
        assert_eq!(polled, expected, "{polls:?}");
        let mut dropped: Vec<_> = dropped.iter().map(|&(number, _)| number).collect();
        dropped.sort_unstable();
        assert_eq!(dropped, [0, 1, 2], "each once, when it is won");
    }
}

#[test]
fn any_arity() {
    assert_eq!(block_on(async { join!().await }), ());
    assert_eq!(block_on(join!(ready(1))), (1,));
    assert_eq!(block_on(join!(ready(1), ready('b'),)), (1, 'b'));
    let many = join!(
        ready(0),
        ready(1),
        ready(2),
        ready(3),
        ready(4),
        ready(5),
        ready(6),
        ready(7),
        ready(8),
        ready(9),
        ready(10),
        ready("eleven"),
    );
    let (zero, .., ten, eleven) = block_on(many);
    assert_eq!((zero, ten, eleven), (0, 10, "eleven"));

    assert_eq!(block_on(race!(ready(1))), 1);
    assert_eq!(block_on(race!(pending(), pending(), ready(3),)), 3);
}

#[test]
fn outputs_of_different_types_are_mapped() {
    #[derive(Debug, PartialEq)]
    enum Event {
        Number(u32),
        Text(String),
        Gone,
    }
    for winner in 0..3 {
        let (number_setter, number) = postbox::<u32>();
        let (text_setter, text) = postbox::<String>();
        let (gone_setter, gone) = postbox::<()>();
        let raced = race!(
            number => |number| number.map_or(Event::Gone, Event::Number),
            text => |text| text.map(Event::Text).unwrap_or(Event::Gone),
            async { gone.await.map_or(Event::Gone, |()| Event::Gone) },
        );
        let expected = match winner {
            0 => {
                number_setter.set(1).unwrap();
                Event::Number(1)
            }
            1 => {
                text_setter.set("text".to_owned()).unwrap();
                Event::Text("text".to_owned())
            }
            _ => {
                gone_setter.set(()).unwrap();
                Event::Gone
            }
        };
        assert_eq!(block_on(raced), expected);
    }
}

#[test]
fn arguments_are_evaluated_where_the_macro_stands() {
    fn fails(early: bool) -> Result<bool, &'static str> {
        let fallible = |fails: bool| if fails { Err("early") } else { Ok(ready(1)) };
        let _future = join!(fallible(false)?, fallible(early)?);
        let _future = race!(fallible(false)?, fallible(early)?);
        Ok(true)
    }
    assert_eq!(fails(true), Err("early"));
    assert_eq!(fails(false), Ok(true));
}

#[test]
fn arguments_may_borrow_temporaries() {
    async fn len(text: &str) -> usize {
        text.len()
    }
    let text = String::from("ab");
    block_on(async {
        let (one, two) = join!(len(&String::from("a")), len(&text)).await;
        assert_eq!((one, two), (1, 2));
        assert_eq!(race!(len(&String::from("abc")), len(&text)).await, 3);
    });
}

#[test]
fn they_nest() {
    let nested = join!(
        join!(ready(1), ready(2)),
        race!(pending(), join!(ready(3), ready(4)))
    );
    assert_eq!(block_on(nested), ((1, 2), (3, 4)));
}

#[test]
fn they_are_what_their_futures_are() {
    fn is_send<T: Send>(_: &T) {}
    let numbers = || -> Ready<u32> { ready(1) };
    is_send(&join!(numbers(), numbers(), numbers()));
    is_send(&race!(numbers(), numbers(), numbers()));
}

#[test]
fn names_of_the_caller_are_not_touched() {
    let (outputs, futures) = (ready(1), ready(2));
    assert_eq!(
        block_on(ringloop_core::future::join!(outputs, futures)),
        (1, 2)
    );
}

#[test]
fn dropped_ones_drop_their_futures() {
    let (first, one) = postbox::<u32>();
    let (second, two) = postbox::<u32>();
    {
        let mut joined = pin!(join!(one, two, pending::<()>()));
        let mut cx = Context::from_waker(Waker::noop());
        assert!(joined.as_mut().poll(&mut cx).is_pending());
        assert!(!first.is_closed() && !second.is_closed());
    }
    assert!(first.is_closed() && second.is_closed());

    let (setter, loser) = postbox::<u32>();
    let winner = block_on(race!(loser, ready(Err(Abandoned)), pending()));
    assert_eq!(winner, Err(Abandoned));
    assert!(setter.is_closed(), "lost");
}
