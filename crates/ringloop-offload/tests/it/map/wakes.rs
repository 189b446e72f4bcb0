//! How often the consumer is woken, and how much is pulled.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use ringloop_offload::{ThreadPool, map_on};

use super::in_order;
use crate::support::{Shelf, Wakes, block_on};

#[test]
fn a_thousand_results_together_are_one_wake() {
    let (wakes, waker) = Wakes::new();
    let mut cx = Context::from_waker(&waker);
    for is_ordered in [true, false] {
        // Taken one by one.
        let shelf = Shelf::default();
        let mut map = in_order(is_ordered, map_on(&shelf, 1, 0..1000, |n| n)).buffer(1000);
        assert!(map.poll_next(&mut cx).is_pending());
        shelf.pop().run();
        assert_eq!(wakes.take(), 1);
        for n in 0..1000 {
            assert!(matches!(map.poll_next(&mut cx), Poll::Ready(Some(Ok(m))) if m == n));
        }
        assert!(matches!(map.poll_next(&mut cx), Poll::Ready(None)));
        assert_eq!(wakes.take(), 0);

        // Collected.
        let map = in_order(is_ordered, map_on(&shelf, 1, 0..1000, |n| n)).buffer(2000);
        let mut collect = pin!(map.collect());
        assert!(collect.as_mut().poll(&mut cx).is_pending());
        shelf.pop().run();
        assert_eq!(wakes.take(), 1);
        let Poll::Ready(Ok(numbers)) = collect.as_mut().poll(&mut cx) else {
            panic!("everything has run");
        };
        assert!(numbers.into_iter().eq(0..1000));
        assert_eq!(wakes.take(), 0);
    }
}

#[test]
fn collecting_is_woken_when_half_of_the_input_is_used_up() {
    let (wakes, waker) = Wakes::new();
    let mut cx = Context::from_waker(&waker);
    let shelf = Shelf::default();
    let seen = Arc::clone(&wakes);
    // Where among the items of one round the wake comes.
    let positions = Arc::new(std::sync::Mutex::new(Vec::new()));
    let noted = Arc::clone(&positions);
    let map = map_on(&shelf, 1, 0..31, move |n| {
        if seen.take() > 0 {
            noted.lock().unwrap().push(n);
        }
    });
    let mut collect = pin!(map.buffer(11).collect());
    let mut rounds = 0;
    while collect.as_mut().poll(&mut cx).is_pending() {
        shelf.pop().run();
        rounds += 1;
    }
    // 11 items at first, whose sixth sees the wake of the fifth, and so on.
    assert_eq!(rounds, 3);
    assert_eq!(*positions.lock().unwrap(), [5, 16]);
}

#[test]
fn an_ordered_consumer_sleeps_until_the_first_result() {
    let (wakes, waker) = Wakes::new();
    let mut cx = Context::from_waker(&waker);
    let pool = ThreadPool::fixed(2);
    let (release, released) = std::sync::mpsc::channel::<()>();
    let (done, is_done) = std::sync::mpsc::channel();
    let released = std::sync::Mutex::new(released);
    let mut map = map_on(&pool, 2, 0..16, move |n| {
        if n == 0 {
            let _nobody_sends = released.lock().unwrap().recv();
        }
        done.send(n).unwrap();
    });
    assert!(map.poll_next(&mut cx).is_pending());
    for _ in 0..15 {
        is_done.recv().unwrap();
    }
    // All but the first have run; the last of them may not have been stored.
    assert_eq!(wakes.take(), 0);
    drop(release);
    is_done.recv().unwrap();
    for _ in 0..16 {
        block_on(map.next()).unwrap().unwrap();
    }
}

#[test]
fn a_wake_is_not_repeated_until_the_consumer_has_looked() {
    let (wakes, waker) = Wakes::new();
    let mut cx = Context::from_waker(&waker);
    let shelf = Shelf::default();
    let mut map = map_on(&shelf, 2, 0..4, |n| n).buffer(2).unordered();
    for round in 0..2 {
        assert!(map.poll_next(&mut cx).is_pending());
        // Two runners, each of which runs items.
        shelf.pop().run();
        shelf.pop().run();
        assert_eq!(wakes.take(), 1, "round {round}");
        for _ in 0..2 {
            assert!(map.poll_next(&mut cx).is_ready());
        }
        if round == 0 {
            assert_eq!(wakes.take(), 0);
        }
    }
    assert!(matches!(map.poll_next(&mut cx), Poll::Ready(None)));
}

#[test]
fn the_last_waker_is_the_one_that_is_woken() {
    let ((first_wakes, first), (second_wakes, second)) = (Wakes::new(), Wakes::new());
    let shelf = Shelf::default();
    let mut map = map_on(&shelf, 1, 0..1, |n| n);
    assert!(map.poll_next(&mut Context::from_waker(&first)).is_pending());
    assert!(
        map.poll_next(&mut Context::from_waker(&second))
            .is_pending()
    );
    assert_eq!(Arc::strong_count(&first_wakes), 2, "it is let go of");
    shelf.pop().run();
    assert_eq!((first_wakes.take(), second_wakes.take()), (0, 1));
}

#[test]
fn a_waker_that_panics_stops_nothing() {
    struct Angry;

    impl Wake for Angry {
        fn wake(self: Arc<Self>) {
            panic!("a waker");
        }
    }

    let angry = Arc::new(Angry).into();
    let shelf = Shelf::default();
    let mut map = map_on(&shelf, 1, 0..3, |n| n);
    assert!(map.poll_next(&mut Context::from_waker(&angry)).is_pending());
    shelf.pop().run();
    for n in 0..3 {
        assert_eq!(block_on(map.next()).unwrap().unwrap(), n);
    }
}

#[test]
fn no_more_is_pulled_than_the_buffer_holds() {
    for buffer in [1, 2, 3, 10] {
        for is_ordered in [true, false] {
            let shelf = Shelf::default();
            let mut map = in_order(is_ordered, map_on(&shelf, 2, 0.., |n| n).buffer(buffer));
            let mut cx = Context::from_waker(Waker::noop());
            for taken in 0..50 {
                if map.poll_next(&mut cx).is_pending() {
                    assert_eq!(map.progress().pulled, taken + buffer as u64);
                    shelf.run_all();
                    assert!(map.poll_next(&mut cx).is_ready());
                }
                assert!(map.progress().pulled <= taken + 1 + buffer as u64);
                assert_eq!(map.progress().yielded, taken + 1);
            }
        }
    }
}

#[test]
fn runners_leave_when_there_is_no_input() {
    let shelf = Shelf::default();
    let mut cx = Context::from_waker(Waker::noop());
    let mut map = map_on(&shelf, 4, 0..100, |n| n).buffer(2);
    let mut runners = 0;
    let mut yielded = 0;
    loop {
        match map.poll_next(&mut cx) {
            Poll::Ready(None) => break,
            Poll::Ready(Some(result)) => yielded += result.map(|_| 1).unwrap(),
            // Each runs to its end on this thread, although the map goes on.
            Poll::Pending => runners += shelf.run_all(),
        }
    }
    assert_eq!(yielded, 100);
    // Never more at a time than there were items for them.
    assert!((50..=100).contains(&runners), "{runners}");
}
