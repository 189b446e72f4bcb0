//! Both kinds of postbox: every order of value, abandonment and closing.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::{Arc, Barrier};
use std::task::{Poll, Waker};
use std::thread;

use ringloop_core::{Abandoned, Setter, postbox, remote_postbox};

use crate::block_on::{block_on, poll_once};
use crate::kinds::{Kind, Local, Remote};
use crate::wakers::{Count, Event, with_hook};

/// Whether the waiter was polled before the setter acts.
const POLLED_BEFORE: [bool; 2] = [false, true];

fn value_arrives<K: Kind<u32>>() {
    for polled_before in POLLED_BEFORE {
        let (setter, mut postbox) = K::pair();
        let (count, waker) = Count::new();
        if polled_before {
            assert_eq!(poll_once(&mut postbox, &waker), Poll::Pending);
        }
        assert!(!K::is_closed(&setter));
        K::set(setter, 7).unwrap();
        assert_eq!(count.get(), usize::from(polled_before));
        assert_eq!(poll_once(&mut postbox, &waker), Poll::Ready(Ok(7)));
        drop(postbox);
        assert_eq!(
            count.get(),
            usize::from(polled_before),
            "no wake of its own answer"
        );
        assert_eq!(Arc::strong_count(&count), 2, "no waker is left behind");
    }
}

fn abandonment_arrives<K: Kind<u32>>() {
    for polled_before in POLLED_BEFORE {
        let (setter, mut postbox) = K::pair();
        let (count, waker) = Count::new();
        if polled_before {
            assert_eq!(poll_once(&mut postbox, &waker), Poll::Pending);
        }
        drop(setter);
        assert_eq!(count.get(), usize::from(polled_before));
        assert_eq!(poll_once(&mut postbox, &waker), Poll::Ready(Err(Abandoned)));
    }
}

fn closed_postbox_gives_the_value_back<K: Kind<u32>>() {
    for polled_before in POLLED_BEFORE {
        let (setter, mut postbox) = K::pair();
        let (count, waker) = Count::new();
        if polled_before {
            assert_eq!(poll_once(&mut postbox, &waker), Poll::Pending);
        }
        drop(postbox);
        assert_eq!(Arc::strong_count(&count), 2, "the waker went with it");
        assert!(K::is_closed(&setter));
        assert_eq!(K::set(setter, 7), Err(7));
        assert_eq!(count.get(), 0);
    }
}

fn setter_may_go_after_the_postbox<K: Kind<u32>>() {
    let (setter, postbox) = K::pair();
    drop(postbox);
    drop(setter);
}

fn try_take_answers_once<K: Kind<u32>>() {
    let (setter, mut postbox) = K::pair();
    assert_eq!(K::try_take(&mut postbox), None);
    K::set(setter, 7).unwrap();
    assert_eq!(K::try_take(&mut postbox), Some(Ok(7)));
    assert_eq!(K::try_take(&mut postbox), None);

    let (setter, mut postbox) = K::pair();
    drop(setter);
    assert_eq!(K::try_take(&mut postbox), Some(Err(Abandoned)));
    assert_eq!(K::try_take(&mut postbox), None);
}

fn waker_of_the_last_poll_is_woken<K: Kind<u32>>() {
    let (setter, mut postbox) = K::pair();
    let (first, first_waker) = Count::new();
    let (last, last_waker) = Count::new();
    assert_eq!(poll_once(&mut postbox, &first_waker), Poll::Pending);
    assert_eq!(poll_once(&mut postbox, &last_waker), Poll::Pending);
    assert_eq!(Arc::strong_count(&first), 2, "the first waker was let go");
    K::set(setter, 7).unwrap();
    assert_eq!((first.get(), last.get()), (0, 1));
}

fn same_waker_is_cloned_once<K: Kind<u32>>() {
    let (_setter, mut postbox) = K::pair();
    let clones = Rc::new(Cell::new(0));
    let hook = {
        let clones = Rc::clone(&clones);
        move |event| clones.set(clones.get() + usize::from(event == Event::Clone))
    };
    with_hook(hook, |waker| {
        for _ in 0..3 {
            assert_eq!(poll_once(&mut postbox, waker), Poll::Pending);
        }
    });
    assert_eq!(clones.get(), 1);
}

fn only_the_first_value_counts<K: Kind<u32>>() {
    let (setter, mut postbox) = K::pair();
    let (count, waker) = Count::new();
    assert_eq!(poll_once(&mut postbox, &waker), Poll::Pending);
    assert!(!K::is_set(&postbox) && !K::has_set(&setter));
    assert_eq!(K::try_set(&setter, 1), Ok(()));
    assert_eq!(count.get(), 1);
    assert!(K::is_set(&postbox) && K::has_set(&setter));
    assert_eq!(K::try_set(&setter, 2), Err(2));
    assert_eq!(K::peek(&mut postbox), Some(Ok(1)));
    assert_eq!(K::try_take(&mut postbox), Some(Ok(1)));
    assert_eq!(K::peek(&mut postbox), None);
    assert_eq!(K::try_set(&setter, 3), Err(3));
    assert_eq!(K::set(setter, 4), Err(4));
    assert!(K::is_set(&postbox), "also once the answer was taken");
    assert_eq!(count.get(), 1);

    let (setter, postbox) = K::pair();
    drop(postbox);
    assert_eq!(K::try_set(&setter, 1), Err(1));
    assert!(!K::has_set(&setter));
    assert_eq!(K::set(setter, 2), Err(2));
}

fn a_setter_that_has_set_abandons_nothing<K: Kind<u32>>() {
    for takes_before in [false, true] {
        let (setter, mut postbox) = K::pair();
        assert_eq!(K::try_set(&setter, 1), Ok(()));
        if takes_before {
            assert_eq!(K::try_take(&mut postbox), Some(Ok(1)));
        }
        drop(setter);
        let expected = (!takes_before).then_some(Ok(1));
        assert_eq!(K::try_take(&mut postbox), expected);
    }
}

fn peek_shows_and_keeps<K: Kind<u32>>() {
    let (setter, mut postbox) = K::pair();
    assert_eq!(K::peek(&mut postbox), None);
    K::set(setter, 7).unwrap();
    for _ in 0..2 {
        assert_eq!(K::peek(&mut postbox), Some(Ok(7)));
    }
    let looked = catch_unwind(AssertUnwindSafe(|| {
        K::peek_with(&mut postbox, |_| panic!("looked"))
    }));
    assert!(looked.is_err());
    assert_eq!(K::try_take(&mut postbox), Some(Ok(7)));

    let (setter, mut postbox) = K::pair();
    drop(setter);
    assert_eq!(K::peek(&mut postbox), Some(Err(Abandoned)));
    assert_eq!(K::try_take(&mut postbox), Some(Err(Abandoned)));
}

fn state_shows_in_debug<K: Kind<u32>>() {
    let (setter, mut postbox) = K::pair();
    assert!(format!("{setter:?} {postbox:?}").contains("Awaited"));
    K::set(setter, 7).unwrap();
    assert!(format!("{postbox:?}").contains("Set"));
    assert_eq!(K::try_take(&mut postbox), Some(Ok(7)));
    assert!(format!("{postbox:?}").contains("Taken"));
    let (setter, postbox) = K::pair();
    drop(postbox);
    assert!(format!("{setter:?}").contains("Closed"));
}

fn polled_after_its_answer<K: Kind<u32>>() {
    let (setter, mut postbox) = K::pair();
    K::set(setter, 7).unwrap();
    assert_eq!(poll_once(&mut postbox, Waker::noop()), Poll::Ready(Ok(7)));
    assert_eq!(poll_once(&mut postbox, Waker::noop()), Poll::Pending);
}

#[test]
fn local_orders() {
    all_orders::<Local>();
}

#[test]
fn remote_orders() {
    all_orders::<Remote>();
}

fn all_orders<K: Kind<u32>>() {
    value_arrives::<K>();
    abandonment_arrives::<K>();
    closed_postbox_gives_the_value_back::<K>();
    setter_may_go_after_the_postbox::<K>();
    try_take_answers_once::<K>();
    waker_of_the_last_poll_is_woken::<K>();
    same_waker_is_cloned_once::<K>();
    only_the_first_value_counts::<K>();
    a_setter_that_has_set_abandons_nothing::<K>();
    peek_shows_and_keeps::<K>();
    state_shows_in_debug::<K>();
}

#[test]
#[should_panic(expected = "a postbox gives its answer only once")]
fn local_polled_after_its_answer_panics() {
    polled_after_its_answer::<Local>();
}

#[test]
#[should_panic(expected = "a postbox gives its answer only once")]
fn remote_polled_after_its_answer_panics() {
    polled_after_its_answer::<Remote>();
}

/// A waker that sets the value while it is cloned: the poll that registers it must see the value.
#[test]
fn value_set_while_the_waker_is_cloned_is_seen() {
    let (setter, mut postbox) = postbox();
    let setter = RefCell::new(Some(setter));
    let hook = move |event| {
        if event == Event::Clone
            && let Some(setter) = setter.take()
        {
            setter.set(7).unwrap();
        }
    };
    with_hook(hook, |waker| {
        assert_eq!(poll_once(&mut postbox, waker), Poll::Ready(Ok(7)));
    });

    let (setter, mut postbox) = remote_postbox();
    let setter = RefCell::new(Some(setter));
    let hook = move |event| {
        if event == Event::Clone
            && let Some(setter) = setter.take()
        {
            setter.set(7).unwrap();
        }
    };
    with_hook(hook, |waker| {
        assert_eq!(poll_once(&mut postbox, waker), Poll::Ready(Ok(7)));
    });
}

/// A waker that takes the value while it is woken or dropped finds no borrow in its way.
#[test]
fn waker_may_use_the_postbox() {
    let (setter, postbox) = postbox();
    let postbox = Rc::new(RefCell::new(postbox));
    let taken = Rc::new(Cell::new(None));
    let hook = {
        let postbox = Rc::clone(&postbox);
        let taken = Rc::clone(&taken);
        move |event| {
            if event == Event::Wake {
                taken.set(postbox.borrow_mut().try_take());
            }
        }
    };
    with_hook(hook, |waker| {
        assert_eq!(poll_once(&mut *postbox.borrow_mut(), waker), Poll::Pending);
        setter.set(7).unwrap();
    });
    assert_eq!(taken.take(), Some(Ok(7)));
}

/// A value whose destructor asks the setter's side of its own postbox.
#[test]
fn destructor_of_a_value_may_use_another_end() {
    struct Chain(Option<Setter<u32>>);
    impl Drop for Chain {
        fn drop(&mut self) {
            let closed = self
                .0
                .take()
                .map(|setter| (setter.is_closed(), setter.set(7)));
            assert_eq!(closed, Some((false, Ok(()))));
        }
    }

    let (inner_setter, mut inner) = postbox();
    let (setter, outer) = postbox();
    assert!(setter.set(Chain(Some(inner_setter))).is_ok());
    drop(outer);
    assert_eq!(inner.try_take(), Some(Ok(7)));
}

#[test]
fn remote_value_crosses_threads() {
    for _ in 0..200 {
        let (setter, postbox) = remote_postbox();
        let other = thread::spawn(move || setter.set(String::from("from afar")));
        assert_eq!(block_on(postbox).as_deref(), Ok("from afar"));
        assert_eq!(other.join().unwrap(), Ok(()));
    }
}

#[test]
fn remote_abandonment_crosses_threads() {
    for _ in 0..200 {
        let (setter, postbox) = remote_postbox::<String>();
        let other = thread::spawn(move || drop(setter));
        assert_eq!(block_on(postbox), Err(Abandoned));
        other.join().unwrap();
    }
}

#[test]
fn remote_postbox_may_go_to_another_thread() {
    let (setter, postbox) = remote_postbox();
    let other = thread::spawn(move || block_on(postbox));
    setter.set(7).unwrap();
    assert_eq!(other.join().unwrap(), Ok(7));
}

/// Set and drop of the postbox at the same moment: the value ends in exactly one place.
#[test]
fn remote_value_is_never_lost_to_a_closing_postbox() {
    for _ in 0..200 {
        let value = Arc::new(());
        let (setter, postbox) = remote_postbox();
        let barrier = Arc::new(Barrier::new(2));
        let other = {
            let (barrier, value) = (Arc::clone(&barrier), Arc::clone(&value));
            thread::spawn(move || {
                barrier.wait();
                setter.set(value)
            })
        };
        barrier.wait();
        drop(postbox);
        let given_back = other.join().unwrap();
        let expected = if given_back.is_err() { 2 } else { 1 };
        assert_eq!(Arc::strong_count(&value), expected);
    }
}
