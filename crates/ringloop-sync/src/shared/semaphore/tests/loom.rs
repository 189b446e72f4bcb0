use std::time::Duration;

use ::loom::cell::UnsafeCell;
use ::loom::sync::Arc;
use ::loom::thread;

use crate::shared::Semaphore;
use crate::shared::tests::{Polled, block_on, model};

/// One permit, for a cell in which loom notices accesses that overlap.
type Shared = Arc<(Semaphore, UnsafeCell<()>)>;

fn shared(permits: usize) -> Shared {
    Arc::new((Semaphore::new(permits), UnsafeCell::new(())))
}

#[test]
fn one_permit_is_for_one() {
    model(|| {
        let shared = shared(1);
        let others = [(); 2].map(|()| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                let permit = shared.0.blocking_acquire();
                shared.1.with_mut(|_| ());
                drop(permit);
            })
        });
        block_on(async {
            let permit = shared.0.acquire().await;
            shared.1.with_mut(|_| ());
            drop(permit);
        });
        for other in others {
            other.join().unwrap();
        }
        assert_eq!(shared.0.available(), 1);
    });
}

/// One wants all, the others one each.
#[test]
fn many_are_taken_at_once() {
    model(|| {
        let shared = shared(2);
        let all = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                let permit = shared.0.blocking_acquire_many(2);
                shared.1.with_mut(|_| ());
                drop(permit);
            })
        };
        let one = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                let permit = shared.0.blocking_acquire();
                shared.1.with(|_| ());
                drop(permit);
            })
        };
        block_on(async {
            let permit = shared.0.acquire().await;
            shared.1.with(|_| ());
            drop(permit);
        });
        all.join().unwrap();
        one.join().unwrap();
        assert_eq!(shared.0.available(), 2);
    });
}

/// The first goes, which wanted more than there is, while permits are given back: those behind it
/// are seen to.
#[test]
fn permits_pass_by_who_is_gone() {
    for wanted in [1, 2] {
        model(move || {
            let shared = shared(1);
            let held = shared.0.try_acquire().unwrap();
            let mut gone = Polled::new(shared.0.acquire_many(wanted));
            assert!(gone.poll().is_pending());
            let stays = {
                let shared = Arc::clone(&shared);
                thread::spawn(move || {
                    let permit = shared.0.blocking_acquire();
                    shared.1.with_mut(|_| ());
                    drop(permit);
                })
            };
            let other = {
                let shared = Arc::clone(&shared);
                thread::spawn(move || {
                    if let Some(permit) = shared.0.try_acquire() {
                        shared.1.with_mut(|_| ());
                        drop(permit);
                    }
                })
            };
            shared.1.with_mut(|_| ());
            drop(held);
            drop(gone);
            stays.join().unwrap();
            other.join().unwrap();
            assert_eq!(shared.0.available(), 1);
        });
    }
}

/// Permits are added while one begins to wait for them.
#[test]
fn added_permits_are_found() {
    model(|| {
        let shared = shared(0);
        let others = [(); 2].map(|()| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || shared.0.add_permits(1))
        });
        shared.0.blocking_acquire_many(2).forget();
        for other in others {
            other.join().unwrap();
        }
        assert_eq!(shared.0.available(), 0);
    });
}

/// A thread gives up that wants more than is there, or is given it, with another one behind it.
#[test]
fn who_gives_up_keeps_no_permits() {
    for wanted in [1, 2] {
        model(move || {
            let shared = shared(0);
            let gives_up = {
                let shared = Arc::clone(&shared);
                thread::spawn(move || {
                    let permit = (shared.0).blocking_acquire_many_timeout(wanted, Duration::ZERO);
                    if permit.is_some() {
                        shared.1.with_mut(|_| ());
                    }
                })
            };
            let stays = {
                let shared = Arc::clone(&shared);
                thread::spawn(move || {
                    let permit = shared.0.blocking_acquire();
                    shared.1.with_mut(|_| ());
                    drop(permit);
                })
            };
            shared.0.add_permits(1);
            gives_up.join().unwrap();
            stays.join().unwrap();
            assert_eq!(shared.0.available(), 1);
            assert_eq!(shared.0.statistics().waiting, 0);
        });
    }
}

/// Nobody is given permits past one who waits for more, and none are made or lost when many are
/// given back in parts.
#[test]
fn permits_that_come_in_parts_add_up() {
    model(|| {
        let shared = shared(2);
        let mut held = shared.0.try_acquire_many(2).unwrap();
        let other = held.split(1).unwrap();
        let mut many = Polled::new(shared.0.acquire_many(2));
        assert!(many.poll().is_pending());
        let tries = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || shared.0.try_acquire().is_some())
        };
        drop(held);
        drop(other);
        assert!(many.is_woken());
        assert!(!tries.join().unwrap(), "nobody barges in");
        assert!(many.poll().is_ready());
        assert_eq!(shared.0.available(), 2);
    });
}
