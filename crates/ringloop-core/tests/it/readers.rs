//! Many readers of one postbox, of both kinds.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Poll, Wake, Waker};
use std::thread;

use ringloop_core::{Abandoned, SharedPostbox, postbox, remote_postbox};

use crate::block_on::{block_on, poll_once};
use crate::kinds::{Kind, Local, Remote};
use crate::wakers::Count;

/// A waker that writes its name down.
struct Note {
    name: usize,
    log: Arc<Mutex<Vec<usize>>>,
}

impl Note {
    fn waker(name: usize, log: &Arc<Mutex<Vec<usize>>>) -> Waker {
        let log = Arc::clone(log);
        Waker::from(Arc::new(Self { name, log }))
    }
}

impl Wake for Note {
    fn wake(self: Arc<Self>) {
        self.log.lock().unwrap().push(self.name);
    }
}

/// All readers get the answer, woken in the order in which they began to wait, and one that left
/// is not; whoever comes later does not wait at all.
fn all_readers_get_the_answer<K: Kind<u32>>() {
    for sets in [true, false] {
        for leaver in 0..4_usize {
            let (setter, postbox) = K::pair();
            let log = Arc::default();
            let first = K::shared(postbox);
            let mut readers: Vec<_> = (0..3).map(|_| Some(first.clone())).collect();
            for name in [2, 0, 1] {
                let reader = readers[name].as_mut().unwrap();
                assert_eq!(poll_once(reader, &Note::waker(name, &log)), Poll::Pending);
            }
            // The last poll's waker counts, and a second poll keeps the place.
            let again = poll_once(readers[2].as_mut().unwrap(), &Note::waker(5, &log));
            assert_eq!(again, Poll::Pending);
            if let Some(reader) = readers.get_mut(leaver) {
                *reader = None;
            }
            assert!(!K::shared_is_set(&first));
            let expected = if sets {
                K::set(setter, 7).unwrap();
                Ok(7)
            } else {
                drop(setter);
                Err(Abandoned)
            };
            let mut woken = vec![5, 0, 1];
            woken.retain(|&name| {
                if name == 5 {
                    leaver != 2
                } else {
                    leaver != name
                }
            });
            assert_eq!(*log.lock().unwrap(), woken);
            let late = first.clone();
            for mut reader in readers.into_iter().flatten().chain([first, late]) {
                for _ in 0..2 {
                    let polled = poll_once(&mut reader, Waker::noop());
                    assert_eq!(polled, Poll::Ready(expected), "as often as it is asked");
                }
                assert_eq!(K::shared_peek(&reader), Some(expected));
                assert!(K::shared_is_set(&reader));
            }
        }
    }
}

fn the_last_reader_closes<K: Kind<u32>>() {
    let (setter, postbox) = K::pair();
    let (count, waker) = Count::new();
    let mut first = K::shared(postbox);
    assert_eq!(poll_once(&mut first, &waker), Poll::Pending);
    let second = first.clone();
    drop(first);
    assert_eq!(
        Arc::strong_count(&count),
        2,
        "the waker went with the reader"
    );
    assert!(!K::is_closed(&setter));
    drop(second);
    assert!(K::is_closed(&setter));
    assert_eq!(K::set(setter, 7), Err(7));
}

fn callbacks_of_readers_are_one_list<K: Kind<u32>>() {
    let (setter, mut postbox) = K::pair();
    let log: Arc<Mutex<Vec<u32>>> = Arc::default();
    let callback = |name| {
        let log = Arc::clone(&log);
        Box::new(move |answer: Result<&u32, Abandoned>| {
            assert_eq!(answer, Ok(&7));
            log.lock().unwrap().push(name);
        })
    };
    K::on_set(&mut postbox, callback(0));
    let first = K::shared(postbox);
    let second = first.clone();
    K::shared_on_set(&first, callback(1));
    let mistake = K::shared_on_set(&second, callback(2));
    K::shared_on_set(&second, callback(3));
    assert!(K::shared_remove_callback(&first, mistake));
    assert!(!K::shared_remove_callback(&first, mistake));
    K::set(setter, 7).unwrap();
    assert_eq!(*log.lock().unwrap(), [0, 1, 3]);
    K::shared_on_set(&first, callback(4));
    assert_eq!(K::shared_peek(&second), Some(Ok(7)));
    K::shared_on_set(&first, callback(5));
    assert_eq!(*log.lock().unwrap(), [0, 1, 3, 4, 5], "at once");
}

fn all<K: Kind<u32>>() {
    all_readers_get_the_answer::<K>();
    the_last_reader_closes::<K>();
    callbacks_of_readers_are_one_list::<K>();
}

#[test]
fn local_readers() {
    all::<Local>();
}

#[test]
fn remote_readers() {
    all::<Remote>();
}

#[test]
fn a_value_is_cloned_per_answer_and_dropped_with_the_last_reader() {
    let value = Arc::new(());
    let (setter, postbox) = postbox();
    let mut reader = postbox.shared();
    let other = reader.clone();
    setter.set(Arc::clone(&value)).unwrap();
    assert_eq!(Arc::strong_count(&value), 2);
    let answer = poll_once(&mut reader, Waker::noop());
    assert_eq!(Arc::strong_count(&value), 3);
    drop((answer, reader));
    assert_eq!(Arc::strong_count(&value), 2);
    drop(other);
    assert_eq!(Arc::strong_count(&value), 1);
}

/// A value whose `Clone` asks another reader of the same postbox, once.
struct Curious {
    other: Rc<RefCell<Option<SharedPostbox<Self>>>>,
}

impl Clone for Curious {
    fn clone(&self) -> Self {
        if let Some(mut reader) = self.other.take() {
            assert!(poll_once(&mut reader, Waker::noop()).is_ready());
            assert!(reader.peek().is_some());
        }
        Self {
            other: Rc::clone(&self.other),
        }
    }
}

#[test]
fn clone_of_a_value_may_use_the_postbox() {
    let (setter, postbox) = postbox();
    let reader = postbox.shared();
    let other = Rc::new(RefCell::new(Some(reader.clone())));
    assert!(
        setter
            .set(Curious {
                other: Rc::clone(&other)
            })
            .is_ok()
    );
    assert!(matches!(reader.peek(), Some(Ok(_))));
    assert!(other.borrow().is_none(), "the clone has asked");
}

#[test]
fn readers_on_many_threads_all_get_the_answer() {
    for _ in 0..50 {
        let (setter, postbox) = remote_postbox();
        let reader = postbox.shared();
        let sum = Arc::new(AtomicUsize::new(0));
        let others: Vec<_> = (0..4)
            .map(|_| {
                let (reader, sum) = (reader.clone(), Arc::clone(&sum));
                thread::spawn(move || sum.fetch_add(block_on(reader).unwrap(), Ordering::Relaxed))
            })
            .collect();
        setter.set(7).unwrap();
        for other in others {
            other.join().unwrap();
        }
        assert_eq!(sum.load(Ordering::Relaxed), 28);
        assert_eq!(reader.peek(), Some(Ok(7)));
    }
}
