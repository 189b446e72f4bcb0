//! Wakers that use the queue which wakes them.

use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use ringloop_sync::PutError;

use super::Queue;
use crate::support::Task;

thread_local! {
    static QUEUE: Queue<u32> = const { Queue::bounded(1) };
}

/// Does something with the queue when woken, and notes what came of it.
struct Busy {
    use_it: fn(&Queue<u32>) -> String,
    notes: Mutex<Vec<String>>,
}

impl Busy {
    fn new(use_it: fn(&Queue<u32>) -> String) -> Arc<Self> {
        Arc::new(Self {
            use_it,
            notes: Mutex::default(),
        })
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.notes.lock().expect("no test panics in between"))
    }
}

impl Wake for Busy {
    fn wake(self: Arc<Self>) {
        let note = QUEUE.with(self.use_it);
        self.notes
            .lock()
            .expect("no test panics in between")
            .push(note);
    }
}

#[test]
fn a_waker_that_uses_the_queue_finds_it_whole() {
    let busy = Busy::new(|queue| format!("{:?} {:?}", queue.try_get(), queue.try_put(7)));
    let waker = Waker::from(Arc::clone(&busy));
    let mut cx = Context::from_waker(&waker);
    QUEUE.with(|queue| {
        let mut get = Box::pin(queue.get());
        assert!(get.as_mut().poll(&mut cx).is_pending());
        queue.try_put(1).unwrap();
        assert_eq!(busy.take(), ["Err(Empty) Ok(())"]);
        assert_eq!(get.as_mut().poll(&mut cx), Poll::Ready(Ok(1)));
        // What the waker has put fills the queue.
        let mut put = Box::pin(queue.put(2));
        assert!(put.as_mut().poll(&mut cx).is_pending());
        assert_eq!(queue.try_get(), Ok(7));
        assert_eq!(busy.take(), ["Ok(2) Ok(())"]);
        assert_eq!(put.as_mut().poll(&mut cx), Poll::Ready(Ok(())));
        assert_eq!(queue.close_now(), [7]);
    });
}

/// The first putter, told of the end, makes room, but it is too late for the second.
#[test]
fn room_made_while_a_queue_closes_is_for_nobody() {
    let busy = Busy::new(|queue| format!("{:?}", queue.try_get()));
    let waker = Waker::from(Arc::clone(&busy));
    let mut cx = Context::from_waker(&waker);
    QUEUE.with(|queue| {
        queue.try_put(0).unwrap();
        let mut first = Box::pin(queue.put(1));
        assert!(first.as_mut().poll(&mut cx).is_pending());
        let mut second = Task::new(queue.put(2));
        second.waits();
        queue.close();
        assert_eq!(busy.take(), ["Ok(0)"]);
        assert_eq!(
            first.as_mut().poll(&mut cx),
            Poll::Ready(Err(PutError::Closed(1)))
        );
        assert_eq!(second.ends(), Err(PutError::Closed(2)));
    });
}
