//! Callbacks of both kinds of postbox.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};

use ringloop_core::{Abandoned, postbox};

use crate::block_on::poll_once;
use crate::kinds::{Callback, Kind, Local, Remote};
use crate::wakers::Count;

/// What was called with what, in order.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<Call>>>);

type Call = (u32, Result<u32, Abandoned>);

impl Log {
    fn callback(&self, name: u32) -> Callback<u32> {
        let log = self.clone();
        Box::new(move |answer| log.0.lock().unwrap().push((name, answer.copied())))
    }

    /// Logs, and then panics.
    fn panicking(&self, name: u32) -> Callback<u32> {
        let log = self.callback(name);
        Box::new(move |answer| {
            log(answer);
            panic!("callback {name}");
        })
    }

    fn take(&self) -> Vec<Call> {
        std::mem::take(&mut self.0.lock().unwrap())
    }

    /// How many callbacks that log here exist.
    fn alive(&self) -> usize {
        Arc::strong_count(&self.0) - 1
    }
}

/// Sets 7, or drops the setter: what comes of it, for callbacks and waiter.
fn answer<K: Kind<u32>>(setter: K::Setter, sets: bool) -> Result<u32, Abandoned> {
    if sets {
        K::set(setter, 7).unwrap();
        Ok(7)
    } else {
        drop(setter);
        Err(Abandoned)
    }
}

fn callbacks_run_in_order_before_the_waiter<K: Kind<u32>>() {
    for sets in [true, false] {
        let (setter, mut postbox) = K::pair();
        let (count, waker) = Count::new();
        let log = Log::default();
        K::on_set(&mut postbox, log.callback(1));
        assert_eq!(poll_once(&mut postbox, &waker), Poll::Pending);
        let wakes = Arc::clone(&count);
        K::on_set(
            &mut postbox,
            Box::new(move |_| assert_eq!(wakes.get(), 0, "the waiter comes after the callbacks")),
        );
        K::on_set(&mut postbox, log.callback(2));
        assert!(log.take().is_empty());
        let expected = answer::<K>(setter, sets);
        assert_eq!(log.take(), [(1, expected), (2, expected)]);
        assert_eq!((log.alive(), count.get()), (0, 1));
        assert_eq!(poll_once(&mut postbox, &waker), Poll::Ready(expected));
    }
}

/// Of three callbacks each set is taken back, before the answer; what is left is called.
fn callbacks_are_taken_back<K: Kind<u32>>() {
    for removed in 0..8_u32 {
        let (setter, mut postbox) = K::pair();
        let log = Log::default();
        let keys = [0, 1, 2].map(|name| K::on_set(&mut postbox, log.callback(name)));
        for (name, key) in keys.into_iter().enumerate() {
            if removed & 1 << name != 0 {
                let alive = log.alive();
                assert!(K::remove_callback(&mut postbox, key));
                assert_eq!(log.alive(), alive - 1, "dropped at once");
                assert!(!K::remove_callback(&mut postbox, key));
            }
        }
        K::set(setter, 7).unwrap();
        let left = (0..3).filter(|name| removed & 1 << name == 0);
        assert_eq!(
            log.take(),
            left.map(|name| (name, Ok(7))).collect::<Vec<_>>()
        );
        for key in keys {
            assert!(!K::remove_callback(&mut postbox, key), "it was called");
        }
    }
}

/// Any set of three callbacks panics: all run, the answer arrives, and the first panic goes on.
fn panics_keep_nothing_from_happening<K: Kind<u32>>() {
    for panicking in 0..8_u32 {
        for sets in [true, false] {
            let (setter, mut postbox) = K::pair();
            let (count, waker) = Count::new();
            let log = Log::default();
            assert_eq!(poll_once(&mut postbox, &waker), Poll::Pending);
            for name in 0..3 {
                let panics = panicking & 1 << name != 0;
                let callback = if panics {
                    log.panicking(name)
                } else {
                    log.callback(name)
                };
                K::on_set(&mut postbox, callback);
            }
            let outcome = catch_unwind(AssertUnwindSafe(|| answer::<K>(setter, sets)));
            let expected = if sets { Ok(7) } else { Err(Abandoned) };
            assert_eq!(log.take(), [0, 1, 2].map(|name| (name, expected)));
            assert_eq!((log.alive(), count.get()), (0, 1));
            assert_eq!(K::try_take(&mut postbox), Some(expected));
            let first = (0..3).find(|name| panicking & 1 << name != 0);
            let message = outcome
                .err()
                .map(|payload| *payload.downcast::<String>().unwrap());
            assert_eq!(message, first.map(|name| format!("callback {name}")));
        }
    }
}

/// The setter is dropped by a panic, and a callback panics as well: no abort.
fn a_panic_during_a_panic_is_dropped<K: Kind<u32>>() {
    let (setter, mut postbox) = K::pair();
    let log = Log::default();
    K::on_set(&mut postbox, log.panicking(1));
    K::on_set(&mut postbox, log.callback(2));
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        let _dropped_by_the_panic = setter;
        panic!("the first");
    }));
    let payload = outcome.unwrap_err();
    assert_eq!(*payload.downcast::<&str>().unwrap(), "the first");
    assert_eq!(log.take(), [(1, Err(Abandoned)), (2, Err(Abandoned))]);
    assert_eq!(K::try_take(&mut postbox), Some(Err(Abandoned)));
}

fn a_late_callback_is_called_at_once<K: Kind<u32>>() {
    for sets in [true, false] {
        let (setter, mut postbox) = K::pair();
        let expected = answer::<K>(setter, sets);
        let log = Log::default();
        let key = K::on_set(&mut postbox, log.callback(1));
        assert_eq!(log.take(), [(1, expected)]);
        assert!(!K::remove_callback(&mut postbox, key));
        assert_eq!(K::try_take(&mut postbox), Some(expected));
        K::on_set(&mut postbox, log.callback(2));
        assert_eq!(log.take(), [], "the answer was taken");
        assert_eq!(log.alive(), 0);
    }
}

fn a_dropped_postbox_drops_its_callbacks<K: Kind<u32>>() {
    let (setter, mut postbox) = K::pair();
    let log = Log::default();
    K::on_set(&mut postbox, log.callback(1));
    assert_eq!(log.alive(), 1);
    drop(postbox);
    assert_eq!(log.alive(), 0);
    assert_eq!(K::set(setter, 7), Err(7));
    assert_eq!(log.take(), []);
}

fn all<K: Kind<u32>>() {
    callbacks_run_in_order_before_the_waiter::<K>();
    callbacks_are_taken_back::<K>();
    panics_keep_nothing_from_happening::<K>();
    a_panic_during_a_panic_is_dropped::<K>();
    a_late_callback_is_called_at_once::<K>();
    a_dropped_postbox_drops_its_callbacks::<K>();
}

#[test]
fn local_callbacks() {
    all::<Local>();
}

#[test]
fn remote_callbacks() {
    all::<Remote>();
}

/// A callback that does to its own postbox whatever can be done finds the answer on its way.
#[test]
fn a_callback_may_use_both_ends() {
    let (setter, inbox) = postbox();
    let (setter, inbox) = (Rc::new(setter), Rc::new(RefCell::new(inbox)));
    let log = Log::default();
    let last = Rc::new(Cell::new(None));
    let act = {
        let (setter, inbox, last) = (Rc::clone(&setter), Rc::clone(&inbox), Rc::clone(&last));
        let log = log.clone();
        move |answer: Result<&u32, Abandoned>| {
            assert_eq!(answer, Ok(&7));
            assert_eq!(setter.try_set(8), Err(8));
            let inbox = &mut *inbox.borrow_mut();
            assert!(!inbox.is_set());
            assert_eq!(inbox.try_take(), None);
            assert_eq!(inbox.peek(|_| ()), None);
            assert_eq!(poll_once(inbox, Waker::noop()), Poll::Pending);
            assert!(
                inbox.remove_callback(last.get().unwrap()),
                "it was still to come"
            );
            inbox.on_set(log.callback(2));
        }
    };
    inbox.borrow_mut().on_set(act);
    last.set(Some(inbox.borrow_mut().on_set(log.callback(1))));
    assert_eq!(setter.try_set(7), Ok(()));
    assert_eq!(
        log.take(),
        [(2, Ok(7))],
        "also a callback of the last moment is called"
    );
    assert_eq!(inbox.borrow_mut().try_take(), Some(Ok(7)));
}

/// A callback that closes the postbox: the value comes back, and what is left is not called.
fn a_callback_may_close_the_postbox<K: Kind<u32>>()
where
    K::Postbox: 'static,
{
    thread_local! {
        static INBOX: RefCell<Option<Box<dyn Any>>> = const { RefCell::new(None) };
    }
    for sets in [true, false] {
        let (setter, mut postbox) = K::pair();
        let log = Log::default();
        K::on_set(&mut postbox, log.callback(1));
        K::on_set(&mut postbox, Box::new(|_| drop(INBOX.take())));
        K::on_set(&mut postbox, log.callback(3));
        INBOX.set(Some(Box::new(postbox)));
        let expected = if sets {
            assert_eq!(K::set(setter, 7), Err(7));
            Ok(7)
        } else {
            drop(setter);
            Err(Abandoned)
        };
        assert_eq!(log.take(), [(1, expected)]);
        assert_eq!(log.alive(), 0);
    }
}

#[test]
fn callbacks_may_close_the_postbox() {
    a_callback_may_close_the_postbox::<Local>();
    a_callback_may_close_the_postbox::<Remote>();
}
