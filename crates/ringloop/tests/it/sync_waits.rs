//! All waits of the facade's locks, queues and channels, as one table.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::future::pending;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use ringloop::sync::{self, shared};
use ringloop::sync::{
    Barrier, CapacityLimiter, Condvar, Event, LifoQueue, Mutex, Notify, OnceCell, PriorityQueue,
    Queue, RwLock, Semaphore, broadcast, watch,
};

pub(crate) type Wait = Pin<Box<dyn Future<Output = io::Result<()>>>>;

/// Something that is waited for, and nobody waits yet.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    begin: Box<dyn Fn() -> Wait>,
    grant: Box<dyn Fn()>,
    state: Box<dyn Fn() -> String>,
    /// What is granted while nobody waits is there for who comes next.
    pub(crate) is_kept: bool,
    /// Two who wait do not have what they wait for from each other.
    pub(crate) has_line: bool,
    /// Who is granted it has done it, and passes nothing on: a put.
    pub(crate) is_done: bool,
}

impl Case {
    fn new<W, T, E>(
        name: &'static str,
        begin: impl Fn() -> W + 'static,
        grant: impl Fn() + 'static,
        state: impl Fn() -> String + 'static,
    ) -> Self
    where
        W: Future<Output = Result<T, E>> + 'static,
        E: Into<io::Error>,
    {
        Self {
            name,
            begin: Box::new(move || {
                let wait = begin();
                Box::pin(async { wait.await.map(drop).map_err(Into::into) })
            }),
            grant: Box::new(grant),
            state: Box::new(state),
            is_kept: true,
            has_line: true,
            is_done: false,
        }
    }

    /// It takes somebody who waits.
    fn not_kept(mut self) -> Self {
        self.is_kept = false;
        self
    }

    /// It needs nobody to go on once it is granted.
    fn done(mut self) -> Self {
        self.is_done = true;
        self
    }

    /// Makes the wait, which gives up what it got.
    pub(crate) fn begin(&self) -> Wait {
        (self.begin)()
    }

    /// Gives the first who waits what it waits for.
    pub(crate) fn grant(&self) {
        (self.grant)();
    }

    pub(crate) fn state(&self) -> String {
        (self.state)()
    }
}

/// A wait in which `$value` is a clone of its own.
macro_rules! wait {
    ($value:ident => $body:expr) => {{
        let $value = $value.clone();
        move || {
            let $value = $value.clone();
            async move { $body }
        }
    }};
    (mut $value:ident => $body:expr) => {{
        let $value = $value.clone();
        move || {
            let mut $value = $value.clone();
            async move { $body }
        }
    }};
}

/// A function in which `$value` is a clone.
macro_rules! with {
    ($value:ident => $body:expr) => {{
        let $value = $value.clone();
        move || $body
    }};
}

/// How things stand.
macro_rules! state {
    ($value:ident) => {
        with!($value => shown($value.statistics()))
    };
}

fn shown(statistics: impl fmt::Debug) -> String {
    format!("{statistics:?}")
}

/// Somebody who has something, and the function that has them drop it.
fn held<T: 'static>(hold: impl Future<Output = T> + 'static) -> impl Fn() {
    let mut holder = Box::pin(async move {
        let _held = hold.await;
        pending::<()>().await;
    });
    let mut cx = Context::from_waker(Waker::noop());
    assert!(holder.as_mut().poll(&mut cx).is_pending());
    let holder = Cell::new(Some(holder));
    move || drop(holder.take())
}

/// Each wait of the module, with something new that it waits for.
pub(crate) fn waits() -> Vec<Case> {
    let mut cases = locks();
    cases.extend(conditions());
    cases.extend(counts());
    cases.extend(limits());
    cases.extend(queues());
    cases.extend(puts());
    cases.extend(channels());
    cases.extend(casts());
    cases.extend(between_threads());
    cases.extend(channels_between_threads());
    cases
}

/// Holds what `$lock` is the future of, and `$value` with it.
macro_rules! hold {
    ($value:ident => $lock:expr) => {{
        let $value = $value.clone();
        held(async move {
            let _held = $lock.await.unwrap();
            pending::<()>().await;
        })
    }};
}

fn locks() -> Vec<Case> {
    let mutex = Rc::new(Mutex::new(0));
    let written = Rc::new(RwLock::new(0));
    let read = Rc::new(RwLock::new(0));
    let cell = Rc::new(OnceCell::<u32>::new());
    let unset = Rc::new(OnceCell::<u32>::new());
    vec![
        Case::new(
            "Mutex::lock",
            wait!(mutex => mutex.lock().await.map(drop)),
            hold!(mutex => mutex.lock()),
            state!(mutex),
        ),
        Case::new(
            "RwLock::read",
            wait!(written => written.read().await.map(drop)),
            hold!(written => written.write()),
            state!(written),
        ),
        Case::new(
            "RwLock::write",
            wait!(read => read.write().await.map(drop)),
            hold!(read => read.read()),
            state!(read),
        ),
        Case::new(
            "OnceCell::get_or_init",
            wait!(cell => cell.get_or_init(async || 7).await.map(drop)),
            hold!(cell => cell.get_or_init(pending::<u32>)),
            state!(cell),
        ),
        Case::new(
            "OnceCell::wait",
            wait!(unset => unset.wait().await.map(drop)),
            with!(unset => if unset.get().is_none() { unset.set(7).unwrap() }),
            state!(unset),
        ),
    ]
}

fn conditions() -> Vec<Case> {
    let both = Rc::new((Mutex::new(0), Condvar::new()));
    let one = both.clone();
    let until = Rc::new((Mutex::new(0), Condvar::new()));
    let all = Rc::new(Notify::new());
    let notify = Rc::new(Notify::new());
    let condition =
        |both: &(Mutex<i32>, Condvar)| shown((both.0.statistics(), both.1.statistics()));
    vec![
        Case::new(
            "Condvar::wait",
            wait!(both => {
                let guard = both.0.try_lock().unwrap();
                let (guard, waited) = both.1.wait(guard).await;
                assert!(both.0.is_locked());
                drop(guard);
                waited
            }),
            with!(both => both.1.notify_one()),
            move || condition(&one),
        )
        .not_kept(),
        Case::new(
            "Condvar::wait_while",
            wait!(until => {
                let guard = until.0.try_lock().unwrap();
                let (mut guard, waited) = until.1.wait_while(guard, |items| *items == 0).await;
                assert!(until.0.is_locked());
                if waited.is_ok() {
                    *guard -= 1;
                }
                drop(guard);
                waited
            }),
            with!(until => {
                *until.0.try_lock().unwrap() += 1;
                until.1.notify_one();
            }),
            with!(until => condition(&until)),
        ),
        Case::new(
            "Notify::notified",
            wait!(notify => notify.notified().await),
            with!(notify => notify.notify_one()),
            state!(notify),
        ),
        Case::new(
            "Notify::notified, all",
            wait!(all => all.notified().await),
            with!(all => all.notify_waiters()),
            state!(all),
        )
        .not_kept(),
    ]
}

fn counts() -> Vec<Case> {
    let one = Rc::new(Semaphore::new(0));
    let many = Rc::new(Semaphore::new(1));
    let owned = Rc::new(Semaphore::new(0));
    let owned_many = Rc::new(Semaphore::new(1));
    let event = Rc::new(Event::new());
    vec![
        Case::new(
            "Semaphore::acquire",
            wait!(one => one.acquire().await.map(drop)),
            with!(one => one.release(1).unwrap()),
            state!(one),
        ),
        Case::new(
            "Semaphore::acquire_many",
            wait!(many => many.acquire_many(2).await.map(drop)),
            with!(many => many.release(1).unwrap()),
            state!(many),
        ),
        Case::new(
            "Semaphore::acquire_owned",
            wait!(owned => Rc::clone(&owned).acquire_owned().await),
            with!(owned => owned.release(1).unwrap()),
            state!(owned),
        ),
        Case::new(
            "Semaphore::acquire_many_owned",
            wait!(owned_many => Rc::clone(&owned_many).acquire_many_owned(2).await),
            with!(owned_many => owned_many.release(1).unwrap()),
            state!(owned_many),
        ),
        Case::new(
            "Event::wait",
            wait!(event => event.wait().await),
            with!(event => event.set()),
            state!(event),
        ),
    ]
}

fn limits() -> Vec<Case> {
    let limiter = Rc::new(CapacityLimiter::new(1));
    let named = Rc::new(CapacityLimiter::new(1));
    let barrier = Rc::new(Barrier::new(2));
    let number = Rc::new(Cell::new(0));
    let ours = named.clone();
    let parties = RefCell::new(Vec::new());
    let mut meeting = Case::new(
        "Barrier::wait",
        wait!(barrier => barrier.wait().await),
        with!(barrier => {
            let barrier = barrier.clone();
            let mut party = Box::pin(async move { barrier.wait().await.map(drop) });
            let polled = party.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            if polled.is_pending() {
                parties.borrow_mut().push(party);
            } else {
                parties.borrow_mut().clear();
            }
        }),
        state!(barrier),
    );
    meeting.has_line = false;
    vec![
        Case::new(
            "CapacityLimiter::acquire",
            wait!(limiter => limiter.acquire().await.map(drop)),
            hold!(limiter => limiter.acquire()),
            state!(limiter),
        ),
        Case::new(
            "CapacityLimiter::acquire_on_behalf_of",
            move || {
                number.set(number.get() + 1);
                let (named, number) = (ours.clone(), number.get());
                async move { named.acquire_on_behalf_of(number).await.map(drop) }
            },
            hold!(named => named.acquire()),
            state!(named),
        ),
        meeting,
    ]
}

fn queues() -> Vec<Case> {
    let get = Rc::new(Queue::<u32>::bounded(2));
    let next = Rc::new(Queue::<u32>::unbounded());
    let job = Rc::new(Queue::<u32>::bounded(0));
    let next_job = Rc::new(Queue::<u32>::unbounded());
    let lifo = Rc::new(LifoQueue::<u32>::bounded(2));
    let best = Rc::new(PriorityQueue::<u32>::unbounded());
    let join = Rc::new(Queue::<u32>::bounded(1));
    join.try_put(1).unwrap();
    vec![
        Case::new(
            "Queue::get",
            wait!(get => get.get().await),
            with!(get => get.try_put(7).unwrap()),
            state!(get),
        ),
        Case::new(
            "Queue::next",
            wait!(next => next.next().await.map(Option::unwrap)),
            with!(next => next.try_put(7).unwrap()),
            state!(next),
        ),
        Case::new(
            "Queue::get_job",
            wait!(job => job.get_job().await.map(sync::Job::done)),
            with!(job => job.try_put(7).unwrap()),
            state!(job),
        )
        .not_kept(),
        Case::new(
            "Queue::next_job",
            wait!(next_job => next_job.next_job().await.map(|job| job.unwrap().done())),
            with!(next_job => next_job.try_put(7).unwrap()),
            state!(next_job),
        ),
        Case::new(
            "LifoQueue::get",
            wait!(lifo => lifo.get().await),
            with!(lifo => lifo.try_put(7).unwrap()),
            state!(lifo),
        ),
        Case::new(
            "PriorityQueue::get",
            wait!(best => best.get().await),
            with!(best => best.try_put(7).unwrap()),
            state!(best),
        ),
        Case::new(
            "Queue::join",
            wait!(join => join.join().await),
            with!(join => if let Ok(job) = join.try_get_job() { job.done() }),
            state!(join),
        ),
    ]
}

fn puts() -> Vec<Case> {
    let full = Rc::new(Queue::bounded(1));
    let pile = Rc::new(LifoQueue::bounded(1));
    let ranked = Rc::new(PriorityQueue::bounded(1));
    let hands = Rc::new(Queue::bounded(0));
    full.try_put(1).unwrap();
    pile.try_put(1).unwrap();
    ranked.try_put(1).unwrap();
    vec![
        Case::new(
            "Queue::put",
            wait!(full => full.put(2).await),
            with!(full => assert!(full.try_get().is_ok())),
            state!(full),
        )
        .done(),
        Case::new(
            "LifoQueue::put",
            wait!(pile => pile.put(2).await),
            with!(pile => assert!(pile.try_get().is_ok())),
            state!(pile),
        )
        .done(),
        Case::new(
            "PriorityQueue::put",
            wait!(ranked => ranked.put(2).await),
            with!(ranked => assert!(ranked.try_get().is_ok())),
            state!(ranked),
        )
        .done(),
        Case::new(
            "Queue::put, hand to hand",
            wait!(hands => hands.put(2).await),
            with!(hands => assert!(hands.try_get().is_ok())),
            state!(hands),
        )
        .done()
        .not_kept(),
    ]
}

fn channels() -> Vec<Case> {
    let (to_recv, recv) = sync::channel(1);
    let (to_next, next) = sync::unbounded_channel();
    let (send, from_send) = sync::channel(1);
    let (hand, from_hand) = sync::channel(0);
    send.try_send(1).unwrap();
    vec![
        Case::new(
            "Receiver::recv",
            wait!(recv => recv.recv().await),
            move || to_recv.try_send(7).unwrap(),
            state!(recv),
        ),
        Case::new(
            "Receiver::next",
            wait!(next => next.next().await.map(Option::unwrap)),
            move || to_next.try_send(7).unwrap(),
            state!(next),
        ),
        Case::new(
            "Sender::send",
            wait!(send => send.send(2).await),
            move || assert!(from_send.try_recv().is_ok()),
            state!(send),
        )
        .done(),
        Case::new(
            "Sender::send, hand to hand",
            wait!(hand => hand.send(2).await),
            move || assert!(from_hand.try_recv().is_ok()),
            state!(hand),
        )
        .done()
        .not_kept(),
    ]
}

fn casts() -> Vec<Case> {
    let (value, changed) = watch::channel(0);
    let (level, wanted) = watch::channel(0);
    let (deserted, last) = watch::channel(0);
    let (news, recv) = broadcast::channel(4096);
    let (more, next) = broadcast::channel(4096);
    let (value, level) = (Rc::new(value), Rc::new(level));
    let (news, more) = (Rc::new(news), Rc::new(more));
    let (deserted, last) = (Rc::new(deserted), Cell::new(Some(last)));
    vec![
        Case::new(
            "watch changed",
            wait!(mut changed => changed.changed().await),
            with!(value => value.send(7).unwrap()),
            state!(value),
        ),
        Case::new(
            "watch wait_for",
            wait!(mut wanted => wanted.wait_for(|value| *value == 7).await.map(drop)),
            with!(level => level.send(7).unwrap()),
            state!(level),
        ),
        Case::new(
            "watch closed",
            wait!(deserted => deserted.closed().await),
            move || drop(last.take()),
            state!(deserted),
        ),
        Case::new(
            "broadcast recv",
            wait!(mut recv => recv.recv().await),
            with!(news => assert_eq!(news.send(7), Ok(news.receiver_count()))),
            state!(news),
        ),
        Case::new(
            "broadcast next",
            wait!(mut next => next.next().await.map(Option::unwrap)),
            with!(more => assert_eq!(more.send(7), Ok(more.receiver_count()))),
            state!(more),
        ),
    ]
}

fn between_threads() -> Vec<Case> {
    let mutex = Arc::new(shared::Mutex::new(0));
    let one = Arc::new(shared::Semaphore::new(0));
    let many = Arc::new(shared::Semaphore::new(1));
    let owned = Arc::new(shared::Semaphore::new(0));
    let event = Arc::new(shared::Event::new());
    vec![
        Case::new(
            "shared::Mutex::lock",
            wait!(mutex => mutex.lock().await.map(drop)),
            hold!(mutex => mutex.lock()),
            state!(mutex),
        ),
        Case::new(
            "shared::Semaphore::acquire",
            wait!(one => one.acquire().await.map(drop)),
            with!(one => one.add_permits(1)),
            state!(one),
        ),
        Case::new(
            "shared::Semaphore::acquire_many",
            wait!(many => many.acquire_many(2).await.map(drop)),
            with!(many => many.add_permits(1)),
            state!(many),
        ),
        Case::new(
            "shared::Semaphore::acquire_owned",
            wait!(owned => Arc::clone(&owned).acquire_owned().await),
            with!(owned => owned.add_permits(1)),
            state!(owned),
        ),
        Case::new(
            "shared::Event::wait",
            wait!(event => event.wait().await),
            with!(event => event.set()),
            state!(event),
        ),
    ]
}

fn channels_between_threads() -> Vec<Case> {
    let (to_recv, recv) = shared::channel(1);
    let (to_next, next) = shared::unbounded_channel();
    let (send, from_send) = shared::channel(1);
    let (hand, from_hand) = shared::channel(0);
    send.try_send(1).unwrap();
    vec![
        Case::new(
            "shared::Receiver::recv",
            wait!(recv => recv.recv().await),
            move || to_recv.try_send(7).unwrap(),
            state!(recv),
        ),
        Case::new(
            "shared::Receiver::next",
            wait!(next => next.next().await.map(Option::unwrap)),
            move || to_next.try_send(7).unwrap(),
            state!(next),
        ),
        Case::new(
            "shared::Sender::send",
            wait!(send => send.send(2).await),
            move || assert!(from_send.try_recv().is_ok()),
            state!(send),
        )
        .done(),
        Case::new(
            "shared::Sender::send, hand to hand",
            wait!(hand => hand.send(2).await),
            move || assert!(from_hand.try_recv().is_ok()),
            state!(hand),
        )
        .done()
        .not_kept(),
    ]
}

/// Polls a wait once, and keeps it.
pub(crate) async fn poll_once(wait: &mut Wait) -> Poll<io::Result<()>> {
    std::future::poll_fn(|cx| Poll::Ready(wait.as_mut().poll(cx))).await
}
