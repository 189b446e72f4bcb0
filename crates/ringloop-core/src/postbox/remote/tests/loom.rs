use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use ::loom::model::Builder;
use ::loom::thread;

use super::super::{Abandoned, RemotePostbox, remote_postbox};
use crate::{Driver, ThreadDriver, Unparker};

struct Alarm(Unparker);

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn block_on<F: Future>(future: F) -> F::Output {
    let mut driver = ThreadDriver::new();
    let waker = Waker::from(Arc::new(Alarm(driver.unparker())));
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
        driver.park(None).unwrap();
    }
}

/// A waker that counts, invisibly to loom, so that it adds no interleavings.
#[derive(Default)]
struct Count(AtomicUsize);

impl Count {
    fn new() -> (Arc<Self>, Waker) {
        let count = Arc::new(Self::default());
        (Arc::clone(&count), Waker::from(count))
    }

    fn get(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// Loom counts allocations, so a model also fails if one is leaked or freed twice.
fn model(body: impl Fn() + Send + Sync + 'static) {
    let mut builder = Builder::new();
    if builder.preemption_bound.is_none() {
        builder.preemption_bound = Some(3);
    }
    builder.check(body);
}

fn poll<T: Send>(postbox: &mut RemotePostbox<T>, waker: &Waker) -> Poll<Result<T, Abandoned>> {
    pin!(postbox).poll(&mut Context::from_waker(waker))
}

#[test]
fn value_arrives() {
    model(|| {
        let (setter, postbox) = remote_postbox();
        let other = thread::spawn(move || setter.set(Box::new(7)).unwrap());
        assert_eq!(block_on(postbox), Ok(Box::new(7)));
        other.join().unwrap();
    });
}

#[test]
fn abandonment_arrives() {
    model(|| {
        let (setter, postbox) = remote_postbox::<Box<u32>>();
        let other = thread::spawn(move || drop(setter));
        assert_eq!(block_on(postbox), Err(Abandoned));
        other.join().unwrap();
    });
}

/// The value is in one place after the race: taken, given back, or dropped with the postbox. And
/// so is every waker.
#[test]
fn set_races_with_polls_and_the_postbox_going() {
    model(|| {
        let value = Arc::new(());
        let (setter, mut postbox) = remote_postbox();
        let other = {
            let value = Arc::clone(&value);
            thread::spawn(move || setter.set(value))
        };
        let (first, first_waker) = Count::new();
        let (last, last_waker) = Count::new();
        let mut is_taken = poll(&mut postbox, &first_waker).is_ready();
        is_taken = is_taken || poll(&mut postbox, &last_waker).is_ready();
        drop(postbox);
        let given_back = other.join().unwrap().is_err();
        assert!(!(is_taken && given_back));
        assert_eq!(Arc::strong_count(&value), 1);
        drop((first_waker, last_waker));
        assert_eq!(Arc::strong_count(&first), 1, "the first waker is gone");
        assert_eq!(Arc::strong_count(&last), 1, "the last waker is gone");
    });
}

/// Whoever polled last and got nothing is the one who is woken; once.
#[test]
fn the_waker_of_the_last_poll_is_woken() {
    model(|| {
        let (setter, mut postbox) = remote_postbox();
        let other = thread::spawn(move || setter.set(7));
        let (_first, first_waker) = Count::new();
        let (last, last_waker) = Count::new();
        let mut is_taken = poll(&mut postbox, &first_waker).is_ready();
        for _ in 0..2 {
            is_taken = is_taken || poll(&mut postbox, &last_waker).is_ready();
        }
        other.join().unwrap().unwrap();
        if !is_taken {
            assert_eq!(last.get(), 1);
            assert_eq!(postbox.try_take(), Some(Ok(7)));
        }
    });
}

/// Of two threads that share a setter one sets, and the other has its value back.
#[test]
fn two_threads_share_a_setter() {
    model(|| {
        let (setter, postbox) = remote_postbox();
        let setter = Arc::new(setter);
        let others = [1, 2].map(|value| {
            let setter = Arc::clone(&setter);
            thread::spawn(move || setter.try_set(value).is_ok().then_some(value))
        });
        drop(setter);
        let answer = block_on(postbox).ok();
        let [first, second] = others.map(|other| other.join().unwrap());
        assert!(first.is_none() || second.is_none());
        assert_eq!(answer, first.or(second));
    });
}

/// A callback that is registered while the value is set is called once, before the value is there
/// or at once.
#[test]
fn a_callback_races_with_the_set() {
    model(|| {
        let (setter, mut postbox) = remote_postbox();
        let other = thread::spawn(move || setter.set(7));
        let calls = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&calls);
        postbox.on_set(move |answer| {
            assert_eq!(answer, Ok(&7));
            counter.fetch_add(1, Ordering::SeqCst);
        });
        assert_eq!(block_on(postbox), Ok(7));
        assert_eq!(calls.load(Ordering::SeqCst), 1);
        other.join().unwrap().unwrap();
    });
}

/// A callback is called or dropped, once, when the postbox goes meanwhile.
#[test]
fn a_callback_races_with_the_postbox_going() {
    model(|| {
        let (setter, mut postbox) = remote_postbox();
        let captured = Arc::new(());
        let calls = Arc::new(AtomicUsize::new(0));
        let (capture, counter) = (Arc::clone(&captured), Arc::clone(&calls));
        postbox.on_set(move |_| {
            let _ = &capture;
            counter.fetch_add(1, Ordering::SeqCst);
        });
        let other = thread::spawn(move || setter.set(7));
        drop(postbox);
        drop(other.join().unwrap());
        assert!(calls.load(Ordering::SeqCst) <= 1);
        assert_eq!(Arc::strong_count(&captured), 1);
    });
}

/// Both readers of a postbox get the answer, on their own threads.
#[test]
fn two_readers_on_two_threads() {
    model(|| {
        let (setter, postbox) = remote_postbox();
        let reader = postbox.shared();
        let second = reader.clone();
        let other = thread::spawn(move || block_on(second));
        let setting = thread::spawn(move || setter.set(7));
        assert_eq!(block_on(reader), Ok(7));
        assert_eq!(other.join().unwrap(), Ok(7));
        setting.join().unwrap().unwrap();
    });
}

/// A reader that goes while the value is set takes no other's wake along.
#[test]
fn a_reader_goes_while_the_value_is_set() {
    model(|| {
        let (setter, postbox) = remote_postbox();
        let reader = postbox.shared();
        let mut leaver = reader.clone();
        let early = pin!(&mut leaver).poll(&mut Context::from_waker(Waker::noop()));
        assert!(early.is_pending());
        let other = thread::spawn(move || setter.set(7));
        drop(leaver);
        assert_eq!(block_on(reader), Ok(7));
        other.join().unwrap().unwrap();
    });
}
