//! Wakers that panic, at every point where one is touched.
//!
//! A script touches a hooked waker several times. It is run once for each touch, and that touch
//! panics: the step that it belongs to unwinds, the others do what they always do, and at the end
//! nothing is lost.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Poll, Waker};

use ringloop_core::panics::{self, Panics};
use ringloop_core::{AtomicWaker, WaitList};

use crate::block_on::poll_once;
use crate::kinds::{Kind, Local, Remote};
use crate::wakers::{Count, Event, with_hook};

/// Runs `script` with a waker whose `n`th touch panics, for each `n`, until it is touched no more
/// often than that. Returns how often it was touched.
fn each_touch_panics(script: impl Fn(&Waker, &Step)) -> usize {
    for chosen in 0.. {
        let touches = Rc::new(Cell::new(0));
        let hook = {
            let touches = Rc::clone(&touches);
            move |_: Event| {
                let touch = touches.replace(touches.get() + 1);
                assert!(touch != chosen, "touched");
            }
        };
        let touches = with_hook(hook, |waker| {
            script(waker, &Step { chosen });
            touches.replace(usize::MAX / 2)
        });
        if touches <= chosen {
            return touches;
        }
    }
    unreachable!("a script is finite")
}

/// Runs the steps of a script, each of which may unwind.
struct Step {
    chosen: usize,
}

impl Step {
    fn run<R>(&self, step: impl FnOnce() -> R) -> Option<R> {
        let result = catch_unwind(AssertUnwindSafe(step));
        result
            .inspect_err(|payload| {
                let message = payload.downcast_ref::<&str>();
                assert_eq!(message, Some(&"touched"), "touch {}", self.chosen);
            })
            .ok()
    }
}

fn postbox_loses_nothing<K: Kind<u32>>() {
    for sets in [true, false] {
        let touches = each_touch_panics(|hooked, step| {
            let (setter, mut postbox) = K::pair();
            let (count, waker) = Count::new();
            for waker in [hooked, &waker, hooked, hooked, &waker, hooked] {
                let polled = step.run(|| poll_once(&mut postbox, waker));
                assert!(polled.is_none_or(|polled| polled.is_pending()));
            }
            step.run(|| {
                if sets {
                    K::set(setter, 7)
                } else {
                    drop(setter);
                    Ok(())
                }
            });
            let expected = if sets {
                Ok(7)
            } else {
                Err(ringloop_core::Abandoned)
            };
            assert_eq!(poll_once(&mut postbox, &waker), Poll::Ready(expected));
            drop((postbox, waker));
            assert_eq!(Arc::strong_count(&count), 1, "no waker is left behind");
        });
        // Three registrations, two replacements, and the wake with its drop.
        assert_eq!(touches, 3 + 2 + 2);
    }
}

#[test]
fn local_postbox_loses_nothing() {
    postbox_loses_nothing::<Local>();
}

#[test]
fn remote_postbox_loses_nothing() {
    postbox_loses_nothing::<Remote>();
}

fn dropped_postbox_is_closed<K: Kind<u32>>() {
    let touches = each_touch_panics(|hooked, step| {
        let (setter, mut postbox) = K::pair();
        step.run(|| poll_once(&mut postbox, hooked));
        step.run(|| drop(postbox));
        assert!(K::is_closed(&setter));
        assert_eq!(K::set(setter, 7), Err(7));
    });
    assert_eq!(touches, 2);
}

#[test]
fn postboxes_are_closed_whatever_their_waker_does() {
    dropped_postbox_is_closed::<Local>();
    dropped_postbox_is_closed::<Remote>();
}

/// One reader has the hooked waker, another before and a third after it do not suffer.
fn readers_lose_nothing<K: Kind<u32>>() {
    let touches = each_touch_panics(|hooked, step| {
        let (setter, postbox) = K::pair();
        let (count, waker) = Count::new();
        let mut readers = [(); 3].map({
            let reader = K::shared(postbox);
            move |()| reader.clone()
        });
        for (reader, waker) in readers.iter_mut().zip([&waker, hooked, &waker]) {
            step.run(|| poll_once(reader, waker));
        }
        for waker in [&waker, hooked] {
            step.run(|| poll_once(&mut readers[1], waker));
        }
        step.run(|| K::set(setter, 7));
        assert!(count.get() >= 2, "the others are woken");
        for reader in &mut readers {
            let polled = step.run(|| poll_once(reader, &waker));
            assert!(polled.is_none_or(|polled| polled == Poll::Ready(Ok(7))));
            assert_eq!(poll_once(reader, &waker), Poll::Ready(Ok(7)));
        }
        drop((readers, waker));
        assert_eq!(Arc::strong_count(&count), 1, "no waker is left behind");
    });
    assert_eq!(touches, 2 + 1 + 2);
}

#[test]
fn readers_of_postboxes_lose_nothing() {
    readers_lose_nothing::<Local>();
    readers_lose_nothing::<Remote>();
}

#[test]
fn wait_list_stays_a_queue() {
    let touches = each_touch_panics(|hooked, step| {
        let list = WaitList::new();
        let (count, waker) = Count::new();
        let first = list.push(&waker);
        let pushed = step.run(|| list.push(hooked));
        let last = list.push(&waker);
        if let Some(key) = &pushed {
            for waker in [&waker, hooked, hooked] {
                step.run(|| list.update(key, waker));
            }
        }
        let removed = step.run(|| list.push(hooked));
        if let Some(key) = removed {
            step.run(|| list.remove(key));
        }
        assert_eq!(list.len(), 2 + usize::from(pushed.is_some()));
        step.run(|| list.wake_all());
        assert!(count.get() >= 2, "the others are woken");
        assert!(list.is_empty());
        for key in [first, last].into_iter().chain(pushed) {
            assert!(!list.remove(key));
        }
        let next = list.push(&waker);
        let before = count.get();
        assert!(list.wake_one());
        assert_eq!(count.get(), before + 1);
        assert!(!list.remove(next));
        drop((list, waker));
        assert_eq!(Arc::strong_count(&count), 1, "no waker is left behind");
    });
    // Pushed, replaced, put back, pushed and removed; woken and dropped.
    assert_eq!(touches, 1 + 2 + 2 + 2);
}

#[test]
fn atomic_waker_stays_usable() {
    let touches = each_touch_panics(|hooked, step| {
        let place = AtomicWaker::new();
        let (count, waker) = Count::new();
        for waker in [hooked, hooked, &waker, hooked] {
            step.run(|| place.register(waker));
        }
        step.run(|| place.wake());
        assert!(place.take().is_none_or(|left| left.will_wake(&waker)));
        place.register(&waker);
        let before = count.get();
        place.wake();
        assert_eq!(count.get(), before + 1);
        drop((place, waker));
        assert_eq!(Arc::strong_count(&count), 1, "no waker is left behind");
    });
    // Three registrations, two replacements, a wake and its drop.
    assert_eq!(touches, 3 + 2 + 2);
}

/// Panics when dropped, with a payload that does the same, and so on.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic_any(Self);
    }
}

#[test]
fn destructor_that_panics_without_end_is_contained() {
    panics::drop_quietly(Bomb);
}

#[test]
fn first_of_several_panics_goes_on() {
    let mut panics = Panics::default();
    panics.catch(|| panic_any(1));
    panics.catch(|| panic_any(Bomb));
    let payload = panics::catch(|| panics.resume()).unwrap_err();
    assert_eq!(payload.downcast_ref(), Some(&1));
}

#[test]
fn panics_that_meet_another_panic_go_no_further() {
    struct Meeting(Option<Panics>);

    impl Drop for Meeting {
        fn drop(&mut self) {
            self.0.take().unwrap().resume();
        }
    }

    let mut panics = Panics::default();
    panics.catch(|| panic_any(1));
    let payload = panics::catch(|| {
        let _meeting = Meeting(Some(panics));
        panic_any(2);
    });
    assert_eq!(payload.unwrap_err().downcast_ref(), Some(&2));
}
