//! Wakers that use the queue while they are cloned, which is when a task begins to wait.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;

use ringloop_sync::{GetError, PutError};

use super::Queue;
use crate::support::Task;
use crate::wakers::{Act, with_hook};

/// Polls `future`, and does something when its waker is first cloned.
fn poll<T>(future: impl Future<Output = T>, on_clone: impl FnOnce() + 'static) -> Poll<T> {
    let on_clone = Cell::new(Some(on_clone));
    let hook = move || {
        if let Some(on_clone) = on_clone.take() {
            on_clone();
        }
    };
    with_hook(Act::Clone, hook, |cx| pin!(future).poll(cx))
}

#[test]
fn an_item_put_meanwhile_is_got() {
    let queue = Rc::new(Queue::bounded(1));
    let other = Rc::clone(&queue);
    let polled = poll(queue.get(), move || other.try_put(1).unwrap());
    assert_eq!(polled, Poll::Ready(Ok(1)));
}

#[test]
fn room_made_meanwhile_is_used() {
    let queue = Rc::new(Queue::bounded(1));
    queue.try_put(1).unwrap();
    let other = Rc::clone(&queue);
    let polled = poll(queue.put(2), move || assert_eq!(other.try_get(), Ok(1)));
    assert_eq!(polled, Poll::Ready(Ok(())));
    assert_eq!(queue.try_get(), Ok(2));
}

/// Two putters come to wait at a rendezvous for which a getter is about to wait.
#[test]
fn who_comes_meanwhile_is_met() {
    let queue = Rc::new(Queue::bounded(0));
    let putters = Rc::new(RefCell::new(Vec::new()));
    let (other, come) = (Rc::clone(&queue), Rc::clone(&putters));
    let polled = poll(queue.get(), move || {
        for item in [1, 2] {
            let queue = Rc::clone(&other);
            let mut put = Task::new(async move { queue.put(item).await });
            put.waits();
            come.borrow_mut().push(put);
        }
    });
    assert_eq!(polled, Poll::Ready(Ok(1)));
    let mut putters = putters.borrow_mut();
    assert_eq!(putters[0].ends(), Ok(()));
    assert!(!putters[1].is_woken(), "one getter meets one putter");
}

#[test]
fn an_end_meanwhile_is_heard_of() {
    let queue = Rc::new(Queue::<u8>::bounded(1));
    let other = Rc::clone(&queue);
    let polled = poll(queue.get(), move || other.close());
    assert_eq!(polled, Poll::Ready(Err(GetError::Closed)));

    let queue = Rc::new(Queue::bounded(0));
    let other = Rc::clone(&queue);
    let polled = poll(queue.put(1), move || other.close());
    assert_eq!(polled, Poll::Ready(Err(PutError::Closed(1))));
}

#[test]
fn a_join_that_is_over_meanwhile_ends() {
    let queue = Rc::new(Queue::bounded(1));
    queue.try_put(1).unwrap();
    let other = Rc::clone(&queue);
    let polled = poll(queue.join(), move || assert_eq!(other.try_get(), Ok(1)));
    assert_eq!(polled, Poll::Ready(Ok(())));
}
