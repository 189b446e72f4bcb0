//! Wakers that panic as they are cloned, woken or dropped: nothing of the wait is left behind, and nobody
//! sleeps on.

use std::cell::Cell;
use std::fmt::Debug;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::task::Context;

use ringloop_sync::{RecvError, SendError, broadcast, hosted, watch};

use crate::support::{Cancelled, Task, TestHost};
use crate::test_host::while_cancelled;
use crate::wakers::{Act, with_hook};

type Mutex = hosted::Mutex<u32, TestHost>;
type RwLock = hosted::RwLock<u32, TestHost>;
type Semaphore = hosted::Semaphore<TestHost>;
type CapacityLimiter = hosted::CapacityLimiter<TestHost>;

/// Polls `wait` with a waker whose clone panics, drops it, and says how things stand before and
/// after.
#[track_caller]
fn never_begins<T, S: Debug + PartialEq>(wait: impl Future<Output = T>, look: impl Fn() -> S) {
    let before = look();
    let mut wait = Box::pin(wait);
    with_hook(
        Act::Clone,
        || panic!("foreign"),
        |cx| {
            let poll = AssertUnwindSafe(|| wait.as_mut().poll(cx).is_ready());
            assert!(catch_unwind(poll).is_err());
        },
    );
    drop(wait);
    assert_eq!(look(), before);
}

#[test]
fn a_waker_whose_clone_panics_leaves_nothing_behind() {
    let mutex = Mutex::new(0);
    let held = mutex.try_lock();
    never_begins(mutex.lock(), || mutex.statistics());
    drop(held);
    assert!(mutex.try_lock().is_some());

    let lock = RwLock::new(0);
    let held = lock.try_read();
    never_begins(lock.write(), || lock.statistics());
    assert!(lock.try_read().is_some());
    drop(held);
    assert!(lock.try_write().is_some());

    let semaphore = Semaphore::new(1);
    never_begins(semaphore.acquire_many(2), || semaphore.statistics());
    assert!(semaphore.try_acquire().is_some());

    let event = hosted::Event::<TestHost>::new();
    never_begins(event.wait(), || event.statistics());
    let notify = hosted::Notify::<TestHost>::new();
    never_begins(notify.notified(), || notify.statistics());
    notify.notify_one();
    assert!(notify.statistics().has_permit);
    let barrier = hosted::Barrier::<TestHost>::new(2);
    never_begins(barrier.wait(), || barrier.statistics());

    let cell = hosted::OnceCell::<u32, TestHost>::new();
    never_begins(cell.wait(), || cell.statistics());
    let mut first = Task::new(cell.get_or_init(async || std::future::pending().await));
    first.waits();
    never_begins(cell.get_or_init(async || 1), || cell.statistics());
    drop(first);
    assert_eq!(cell.set(2), Ok(()));
}

#[test]
fn a_waker_whose_clone_panics_takes_no_item() {
    let queue = hosted::Queue::<u32, TestHost>::bounded(1);
    never_begins(queue.get(), || queue.statistics());
    never_begins(queue.get_job(), || queue.statistics());
    queue.try_put(1).unwrap();
    never_begins(queue.put(2), || queue.statistics());
    never_begins(queue.join(), || queue.statistics());
    assert_eq!(queue.try_get(), Ok(1));

    let (sender, mut receiver) = watch::channel(1);
    never_begins(receiver.changed(), || sender.statistics());
    let (sender, mut receiver) = broadcast::channel(1);
    never_begins(receiver.recv(), || sender.statistics());
    sender.send(1).unwrap();
    assert_eq!(receiver.try_recv(), Ok(1));
}

/// A condition variable has given nothing up when the clone panics: the guard goes with the wait.
#[test]
fn a_waker_whose_clone_panics_gives_the_mutex_up_with_its_wait() {
    let (mutex, condvar) = (Mutex::new(0), hosted::Condvar::<TestHost>::new());
    let guard = mutex.try_lock().unwrap();
    never_begins(condvar.wait(guard), || condvar.statistics());
    assert!(mutex.try_lock().is_some());
    condvar.notify_one();
}

/// Has `wait` begin with a waker whose drop panics, and runs `leave` with it then.
fn leaves<W: Future, R>(wait: W, leave: impl FnOnce(Pin<Box<W>>, &mut Context<'_>) -> R) -> R {
    let is_armed = Rc::new(Cell::new(false));
    let hook = {
        let is_armed = Rc::clone(&is_armed);
        move || assert!(!is_armed.replace(false), "foreign")
    };
    with_hook(Act::Drop, hook, |cx| {
        let mut wait = Box::pin(wait);
        assert!(wait.as_mut().poll(cx).is_pending());
        is_armed.set(true);
        let left = leave(wait, cx);
        assert!(!is_armed.get(), "the waker was dropped");
        left
    })
}

/// Drops it, whatever becomes of the panic.
fn gone<W: Future>(wait: Pin<Box<W>>, _: &mut Context<'_>) {
    let _panic = catch_unwind(AssertUnwindSafe(|| drop(wait)));
}

#[test]
fn a_waker_whose_drop_panics_keeps_nobody_behind_it_waiting() {
    let lock = RwLock::new(0);
    let held = lock.try_read();
    let mut behind = Task::new(lock.read());
    leaves(lock.write(), |wait, cx| {
        behind.waits();
        gone(wait, cx);
    });
    assert!(behind.ends().is_ok());
    drop(held);

    let semaphore = Semaphore::new(1);
    let mut behind = Task::new(semaphore.acquire());
    leaves(semaphore.acquire_many(2), |wait, cx| {
        behind.waits();
        gone(wait, cx);
    });
    assert!(behind.ends().is_ok());

    let limiter = CapacityLimiter::new(0);
    leaves(limiter.acquire_on_behalf_of(1), gone);
    limiter.set_total(1);
    assert!(limiter.try_acquire_on_behalf_of(1).is_ok());
}

/// The item comes back, and the reason with it.
#[test]
fn a_waker_whose_drop_panics_keeps_no_item() {
    let (sender, _receiver) = hosted::channel::<_, TestHost>(0);
    let sent = leaves(sender.send("item"), |mut wait, cx| {
        while_cancelled(true, || wait.as_mut().poll(cx))
    });
    let expected = Err(SendError::Cancelled("item", Cancelled));
    assert_eq!(sent, std::task::Poll::Ready(expected));
}

/// Has two tasks wait, the first with a waker that panics when it is woken, and tells them.
/// Returns what the second has heard.
#[track_caller]
fn tells_both<T, W: Future, V: Future<Output = T>>(first: W, second: V, tell: impl FnOnce()) -> T {
    let mut first = Box::pin(first);
    let mut second = Task::new(second);
    with_hook(
        Act::Wake,
        || panic!("foreign"),
        |cx| {
            assert!(first.as_mut().poll(cx).is_pending());
            second.waits();
            assert!(catch_unwind(AssertUnwindSafe(tell)).is_err());
        },
    );
    second.ends()
}

#[test]
fn a_waker_that_panics_keeps_nobody_from_being_told() {
    let event = hosted::Event::<TestHost>::new();
    tells_both(event.wait(), event.wait(), || event.set()).unwrap();

    let notify = hosted::Notify::<TestHost>::new();
    let tell = || notify.notify_waiters();
    tells_both(notify.notified(), notify.notified(), tell).unwrap();

    let (mutexes, condvar) = ([Mutex::new(0), Mutex::new(0)], hosted::Condvar::new());
    let tells: [fn(&hosted::Condvar<TestHost>); 2] = [|it| it.notify(2), |it| it.notify_all()];
    for tell in tells {
        let [first, second] = mutexes.each_ref().map(|mutex| mutex.try_lock().unwrap());
        let waits = (condvar.wait(first), condvar.wait(second));
        let (_guard, outcome) = tells_both(waits.0, waits.1, || tell(&condvar));
        assert_eq!(outcome, Ok(()));
    }

    let cell = hosted::OnceCell::<_, TestHost>::new();
    let tell = || cell.set(1).unwrap();
    assert_eq!(tells_both(cell.wait(), cell.wait(), tell), Ok(&1));

    let (sender, receiver) = hosted::channel::<u32, TestHost>(1);
    let received = tells_both(receiver.recv(), receiver.recv(), || drop(sender));
    assert_eq!(received, Err(RecvError::Closed));
    let (sender, receiver) = hosted::channel::<u32, TestHost>(0);
    let sent = tells_both(sender.send(1), sender.send(2), || drop(receiver));
    assert_eq!(sent, Err(SendError::Closed(2)));

    let (sender, mut one) = watch::channel(1);
    let mut other = one.clone();
    let tell = || sender.send(2).unwrap();
    tells_both(one.changed(), other.changed(), tell).unwrap();
    let (sender, mut one) = broadcast::channel(1);
    let mut other = one.clone();
    let tell = || assert_eq!(sender.send(3).unwrap(), 2);
    assert_eq!(tells_both(one.recv(), other.recv(), tell), Ok(3));
}
