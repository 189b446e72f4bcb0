//! What allocates, and what does not: nothing that need not wait, and no wait after the first ones.

#![expect(unsafe_code, reason = "an allocator that counts is an unsafe trait")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::future::{Future, ready};
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use ringloop_sync::{
    Barrier, CapacityLimiter, Condvar, Event, Mutex, Notify, OnceCell, PriorityQueue, Queue,
    RwLock, Semaphore, broadcast, channel, shared, watch,
};

/// The system's allocator, counting the allocations of each thread.
struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: all calls go to the system's allocator unchanged; the counter does not allocate.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller's contract is the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller's contract is the same.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

#[track_caller]
fn allocates_nothing(body: impl FnOnce()) {
    let before = ALLOCATIONS.get();
    body();
    assert_eq!(ALLOCATIONS.get() - before, 0, "it allocates");
}

/// Polls a future that need not wait.
#[track_caller]
fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("it need not wait"),
    }
}

/// Has a future wait, lets it go on with `release`, and gives what it gives.
#[track_caller]
fn after<T>(future: impl Future<Output = T>, release: impl FnOnce()) -> T {
    let mut cx = Context::from_waker(Waker::noop());
    let mut future = pin!(future);
    assert!(future.as_mut().poll(&mut cx).is_pending(), "it has to wait");
    release();
    match future.poll(&mut cx) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("it was released"),
    }
}

#[test]
fn locks() {
    allocates_nothing(|| {
        let mutex = Mutex::new(1);
        *now(mutex.lock()) += 1;
        assert!(mutex.try_lock().is_some());

        let lock = RwLock::new(1);
        *now(lock.write()) += 1;
        assert_eq!(*now(lock.read()), 2);
        assert!(lock.try_read().is_some() && lock.try_write().is_some());

        let condvar = Condvar::new();
        let guard = now(condvar.wait_while(now(mutex.lock()), |_| false));
        drop(guard);
        condvar.notify_all();

        let mutex = shared::Mutex::new(1);
        *now(mutex.lock()) += 1;
        *mutex.blocking_lock() += 1;
        assert!(mutex.try_lock().is_some());
    });
}

#[test]
fn what_threads_share() {
    let event = shared::Event::new();
    let semaphore = shared::Semaphore::new(2);
    let (sender, receiver) = shared::channel(2);
    let round = || {
        after(event.wait(), || event.set());
        now(event.wait());
        event.blocking_wait();
        event.clear();

        let held = now(semaphore.acquire_many(2));
        drop(after(semaphore.acquire(), || drop(held)));
        drop(semaphore.blocking_acquire());

        now(sender.send(1)).unwrap();
        sender.blocking_send(2).unwrap();
        assert_eq!(receiver.blocking_recv(), Ok(1));
        assert_eq!(now(receiver.recv()), Ok(2));
        let next = after(receiver.next(), || sender.try_send(3).unwrap());
        assert_eq!(next, Some(3));
    };
    // The lists and the buffers grow once.
    round();
    round();
    allocates_nothing(round);
}

#[test]
fn counts_and_flags() {
    allocates_nothing(|| {
        let event = Event::new();
        event.set();
        now(event.wait());

        let notify = Notify::new();
        notify.notify_one();
        now(notify.notified());
        notify.notify_waiters();

        let semaphore = Semaphore::bounded(5);
        let mut permit = now(semaphore.acquire_many(3));
        permit.merge(now(semaphore.acquire()));
        drop(permit.split(2));
        permit.forget();
        semaphore.release(2).unwrap();

        let limiter = CapacityLimiter::new(2);
        drop(now(limiter.acquire()));
        assert!(limiter.try_acquire().is_some());

        assert!(now(Barrier::new(1).wait()).is_ok());
    });
    let semaphore = Rc::new(Semaphore::new(1));
    let limiter = CapacityLimiter::new(2);
    drop(now(limiter.acquire_on_behalf_of(1)));
    allocates_nothing(|| {
        drop(now(Rc::clone(&semaphore).acquire_owned()));
        drop(now(limiter.acquire_on_behalf_of(2)));
    });
}

#[test]
fn queues_and_channels() {
    let queue = Queue::bounded(2);
    let heap = PriorityQueue::bounded(2);
    let (sender, receiver) = channel(2);
    let round = || {
        now(queue.put(1)).unwrap();
        drop(now(queue.get_job()));
        now(queue.join());
        assert_eq!(after(queue.get(), || now(queue.put(2)).unwrap()), Ok(2));
        queue.try_put(3).unwrap();
        queue.try_put(4).unwrap();
        after(queue.put(5), || assert_eq!(queue.try_get(), Ok(3))).unwrap();
        assert_eq!((queue.try_get(), queue.try_get()), (Ok(4), Ok(5)));
        now(heap.put(6)).unwrap();
        assert_eq!(now(heap.get()), Ok(6));
        now(sender.clone().send(7)).unwrap();
        assert_eq!(now(receiver.clone().next()), Some(7));
    };
    round();
    allocates_nothing(round);
}

#[test]
fn values() {
    allocates_nothing(|| {
        let cell = OnceCell::new();
        assert_eq!(*now(cell.get_or_init(|| ready(3))), 3);
        assert_eq!(*now(cell.get_or_init(|| ready(4))), 3);
    });
    let (sender, mut receiver) = watch::channel(1);
    allocates_nothing(|| {
        sender.send(2).unwrap();
        now(receiver.changed()).unwrap();
        assert_eq!(*receiver.borrow_and_update(), 2);
    });
    let (sender, mut receiver) = broadcast::channel(4);
    sender.send(0).unwrap();
    assert_eq!(now(receiver.recv()), Ok(0));
    allocates_nothing(|| {
        sender.send(1).unwrap();
        assert_eq!(now(receiver.recv()), Ok(1));
    });
}

/// A list of waiters allocates until it has seen its largest length.
#[test]
fn waits_allocate_nothing_after_the_first() {
    let mutex = Mutex::new(1);
    let lock = RwLock::new(1);
    let event = Event::new();
    let notify = Notify::new();
    let semaphore = Semaphore::new(0);
    let limiter = CapacityLimiter::new(1);
    let barrier = Barrier::new(2);
    let round = || {
        let held = mutex.try_lock();
        drop(after(mutex.lock(), || drop(held)));
        let held = lock.try_read();
        drop(after(lock.write(), || drop(held)));
        let held = lock.try_write();
        drop(after(lock.read(), || drop(held)));
        after(event.wait(), || event.set());
        event.clear();
        after(notify.notified(), || notify.notify_one());
        after(notify.notified(), || notify.notify_waiters());
        after(semaphore.acquire(), || semaphore.release(1).unwrap()).forget();
        let held = limiter.try_acquire_on_behalf_of(1);
        drop(after(limiter.acquire_on_behalf_of(2), || drop(held)));
        let last = || drop(now(barrier.wait()));
        assert_eq!(after(barrier.wait(), last).unwrap().index(), 0);
    };
    round();
    allocates_nothing(round);
}
