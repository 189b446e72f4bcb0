use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use ::loom::thread;

use super::super::{Abandoned, remote_postbox};
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

#[test]
fn value_arrives() {
    ::loom::model(|| {
        let (setter, postbox) = remote_postbox();
        let other = thread::spawn(move || setter.set(Box::new(7)).unwrap());
        assert_eq!(block_on(postbox), Ok(Box::new(7)));
        other.join().unwrap();
    });
}

#[test]
fn abandonment_arrives() {
    ::loom::model(|| {
        let (setter, postbox) = remote_postbox::<Box<u32>>();
        let other = thread::spawn(move || drop(setter));
        assert_eq!(block_on(postbox), Err(Abandoned));
        other.join().unwrap();
    });
}

/// The value is in one place after the race: given back, or dropped with the postbox.
#[test]
fn set_races_with_the_postbox_going() {
    ::loom::model(|| {
        let value = Arc::new(());
        let (setter, mut postbox) = remote_postbox();
        let other = {
            let value = Arc::clone(&value);
            thread::spawn(move || setter.set(value))
        };
        let mut cx = Context::from_waker(Waker::noop());
        let polled = pin!(&mut postbox).poll(&mut cx).is_ready();
        drop(postbox);
        let given_back = other.join().unwrap().is_err();
        assert!(!(polled && given_back));
        assert_eq!(Arc::strong_count(&value), 1);
    });
}
