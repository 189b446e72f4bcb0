use std::sync::Arc;
use std::task::{Wake, Waker};

use super::WakerSet;

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
    assert_eq!(set.wakers().len(), 1);
    assert!(set.remove(first).is_some());
}

#[test]
fn update_exchanges_a_different_waker_only() {
    let mut set = WakerSet::default();
    let (old, new) = (Arc::new(Counted), Arc::new(Counted));
    let key = set.insert(Waker::from(old.clone()));
    assert!(set.update(key, &Waker::from(old.clone())).is_none());
    drop(set.update(key, &Waker::from(new.clone())));
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
