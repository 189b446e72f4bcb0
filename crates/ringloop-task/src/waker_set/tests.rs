use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::task::{Wake, Waker};

use super::{WakerSet, wake_filed};

/// Counts nothing; its references are counted.
struct Counted;

impl Wake for Counted {
    fn wake(self: Arc<Self>) {}
}

#[test]
fn slots_are_used_again() {
    let mut set = WakerSet::default();
    let first = set.insert(Waker::noop().clone());
    for _ in 0..10 {
        let key = set.insert(Waker::noop().clone());
        assert!(set.remove(key).is_some());
        assert!(set.remove(key).is_none());
    }
    assert_eq!(set.slots.len(), 2);
    assert_eq!(set.in_order().len(), 1);
    assert!(set.remove(first).is_some());
}

#[test]
fn replace_exchanges_the_waker() {
    let mut set = WakerSet::default();
    let (old, new) = (Arc::new(Counted), Arc::new(Counted));
    let key = set.insert(Waker::from(old.clone()));
    assert!(set.is_current(key, &Waker::from(old.clone())));
    assert!(!set.is_current(key, &Waker::from(new.clone())));
    drop(set.replace(key, Waker::from(new.clone())));
    assert_eq!((Arc::strong_count(&old), Arc::strong_count(&new)), (1, 2));
}

#[test]
fn closed_set_keeps_nothing_until_it_is_reset() {
    let mut set = WakerSet::default();
    let waker = Arc::new(Counted);
    let before = set.insert(Waker::from(waker.clone()));
    assert_eq!(set.close().len(), 1);
    let after = set.insert(Waker::from(waker.clone()));
    assert_eq!(Arc::strong_count(&waker), 1);
    assert!(set.remove(before).is_none() && set.remove(after).is_none());
    set.reset();
    let key = set.insert(Waker::from(waker.clone()));
    assert_eq!(Arc::strong_count(&waker), 2);
    assert!(set.remove(key).is_some());
}

/// A waker that writes its name down.
struct Note(usize, Arc<Mutex<Vec<usize>>>);

impl Wake for Note {
    fn wake(self: Arc<Self>) {
        self.1.lock().unwrap().push(self.0);
    }
}

#[test]
fn order_is_that_of_filing_also_when_slots_are_used_again() {
    let log = Arc::default();
    let note = |name| Waker::from(Arc::new(Note(name, Arc::clone(&log))));
    let set = RefCell::new(WakerSet::default());
    let keys = [0, 1, 2].map(|name| set.borrow_mut().insert(note(name)));
    drop(set.borrow_mut().remove(keys[0]));
    let last = set.borrow_mut().insert(note(3));
    assert_eq!(keys[0], last);
    wake_filed(&set);
    assert_eq!(*log.lock().unwrap(), [1, 2, 3]);
    let wakers = set.borrow_mut().close();
    wakers.into_iter().for_each(Waker::wake);
    assert_eq!(*log.lock().unwrap(), [1, 2, 3, 1, 2, 3]);
}

thread_local! {
    static ACT: RefCell<Option<Rc<dyn Fn()>>> = const { RefCell::new(None) };
}

/// Runs what stands in `ACT` when it is woken.
struct Acting;

impl Wake for Acting {
    fn wake(self: Arc<Self>) {
        let act = ACT.with_borrow(Option::clone);
        if let Some(act) = act {
            act();
        }
    }
}

/// While the first of two wakers is woken, its owner withdraws it, exchanges it, or does so and
/// files another one in the same place; or the set is closed. The second is woken in any case that
/// keeps it filed.
#[test]
fn set_may_be_used_while_a_waker_is_woken() {
    for case in 0..5 {
        let log = Arc::default();
        let note = |name| Waker::from(Arc::new(Note(name, Arc::clone(&log))));
        let (second, other) = (note(2), note(3));
        let set = Rc::new(RefCell::new(WakerSet::default()));
        let first = set.borrow_mut().insert(Waker::from(Arc::new(Acting)));
        set.borrow_mut().insert(second);
        let acted = Rc::new(Cell::new(0));
        let act = {
            let (set, acted) = (Rc::clone(&set), Rc::clone(&acted));
            move || {
                acted.set(acted.get() + 1);
                match case {
                    0 => {}
                    1 => assert!(set.borrow_mut().remove(first).is_none()),
                    2 => assert!(set.borrow_mut().replace(first, other.clone()).is_none()),
                    3 => {
                        assert!(set.borrow_mut().remove(first).is_none());
                        assert_eq!(set.borrow_mut().insert(other.clone()), first);
                    }
                    _ => drop(set.borrow_mut().close()),
                }
            }
        };
        ACT.set(Some(Rc::new(act)));
        wake_filed(&set);
        assert_eq!(acted.get(), 1);
        let expected: &[usize] = if case == 4 { &[] } else { &[2] };
        assert_eq!(*log.lock().unwrap(), expected, "case {case}");
        wake_filed(&set);
        let again: (usize, &[usize]) = match case {
            0 => (2, &[2, 2]),
            1 => (1, &[2, 2]),
            2 => (1, &[2, 3, 2]),
            3 => (1, &[2, 2, 3]),
            _ => (1, &[]),
        };
        assert_eq!(
            (acted.get(), &log.lock().unwrap()[..]),
            again,
            "case {case}"
        );
        ACT.set(None);
    }
}
