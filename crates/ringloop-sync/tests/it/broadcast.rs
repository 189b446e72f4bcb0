//! The broadcast: everybody gets everything in order, or is told how much was lost.

use std::cell::{Cell, RefCell};
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;

use ringloop_sync::broadcast::{RecvError, TryRecvError};
use ringloop_sync::hosted;

use crate::support::{Cancelled, Log, Task, TestHost};
use crate::wakers::{Act, with_hook};

type Sender<T> = hosted::broadcast::Sender<T, TestHost>;
type Receiver<T> = hosted::broadcast::Receiver<T, TestHost>;

fn channel<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    hosted::broadcast::channel(capacity)
}

#[test]
fn everybody_gets_everything_in_order() {
    let (sender, receiver) = channel(8);
    let log = Log::default();
    let mut tasks = ["a", "b", "c"].map(|name| {
        let (mut receiver, log) = (receiver.clone(), log.clone());
        Task::new(async move {
            while let Some(item) = receiver.next().await.unwrap() {
                log.note(format_args!("{name}{item}"));
            }
            log.note(format_args!("{name}."));
        })
    });
    drop(receiver);
    tasks.iter_mut().for_each(Task::waits);
    assert_eq!(sender.statistics().waiting, 3);
    assert_eq!(sender.send(1).unwrap(), 3);
    assert_eq!(sender.clone().send(2).unwrap(), 3);
    assert_eq!(sender.len(), 2);
    for task in &mut tasks {
        assert!(task.is_woken());
        task.waits();
    }
    assert_eq!(log.take(), "a1 a2 b1 b2 c1 c2");
    assert!(sender.is_empty());
    sender.send(3).unwrap();
    drop(sender);
    tasks.iter_mut().for_each(|task| task.ends());
    assert_eq!(log.take(), "a3 a. b3 b. c3 c.");
}

#[test]
fn a_closed_broadcast_gives_what_is_left() {
    let (sender, mut receiver) = channel(8);
    let mut waiting = sender.subscribe();
    let mut task = Task::new(async { (waiting.recv().await, waiting.recv().await) });
    task.waits();
    sender.send(1).unwrap();
    sender.close();
    sender.close();
    assert!(sender.is_closed() && receiver.is_closed());
    assert_eq!(sender.send(2).unwrap_err().into_inner(), 2);
    assert_eq!(task.ends(), (Ok(1), Err(RecvError::Closed)));
    assert_eq!(receiver.try_recv(), Ok(1));
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));
    let mut late = sender.subscribe();
    let mut task = Task::new(late.recv());
    assert_eq!(task.ends_at_once(), Err(RecvError::Closed));
}

#[test]
fn a_wait_that_ends_early_takes_nothing_with_it() {
    for is_cancelled in [true, false] {
        for is_sent in [true, false] {
            let (sender, mut receiver) = channel(8);
            let mut other = receiver.clone();
            let mut first = Task::new(receiver.recv());
            let mut second = Task::new(other.recv());
            first.waits();
            second.waits();
            if is_sent {
                sender.send(1).unwrap();
            }
            if is_cancelled {
                first.cancel();
                let cancelled = Err(RecvError::Cancelled(Cancelled));
                let expected = if is_sent { Ok(1) } else { cancelled };
                assert_eq!(first.ends(), expected, "the value wins");
            } else {
                first.abort();
            }
            drop(first);
            let left = usize::from(is_sent && !is_cancelled);
            assert_eq!(receiver.len(), left);
            assert_eq!(second.is_woken(), is_sent);
            if !is_sent {
                sender.send(1).unwrap();
            }
            assert_eq!(second.ends(), Ok(1));
            assert_eq!(sender.statistics().waiting, 0);
            assert_eq!(receiver.try_recv().is_ok(), !(is_sent && is_cancelled));
        }
    }
}

#[test]
fn a_cancelled_task_receives_nothing() {
    let (sender, mut receiver) = channel(8);
    sender.send(1).unwrap();
    let mut task = Task::new(receiver.recv());
    task.cancel();
    assert_eq!(task.ends(), Err(RecvError::Cancelled(Cancelled)));
    drop(task);
    assert_eq!(receiver.try_recv(), Ok(1));
}

#[test]
fn the_slow_are_told_how_much_they_lost() {
    let (sender, mut slow) = channel(2);
    let mut quick = sender.subscribe();
    for item in 1..=5 {
        sender.send(item).unwrap();
        assert_eq!(quick.try_recv(), Ok(item), "others lose nothing");
    }
    assert_eq!(slow.len(), 2);
    let twin = slow.clone();
    let mut task = Task::new(slow.recv());
    assert_eq!(task.ends_at_once(), Err(RecvError::Lagged(3)));
    drop(task);
    assert_eq!((slow.try_recv(), slow.try_recv()), (Ok(4), Ok(5)));
    assert_eq!(slow.try_recv(), Err(TryRecvError::Empty));
    assert_eq!((sender.len(), twin.len()), (2, 2));
    drop(twin);
    assert!(sender.is_empty());
    let error = RecvError::<Cancelled>::Lagged(3).to_string();
    assert!(
        error.starts_with("3 items were lost") && error.contains("more capacity"),
        "{error}"
    );
}

/// What a broadcast does, told without counting: each receiver looks at all others.
#[derive(Default)]
struct Model {
    sent: u64,
    oldest: u64,
    receivers: [Option<u64>; 3],
}

impl Model {
    fn send(&mut self, capacity: u64) {
        self.sent += 1;
        self.oldest = self.oldest.max(self.sent.saturating_sub(capacity));
    }

    fn recv(&mut self, who: usize) -> Result<u64, TryRecvError> {
        let next = self.receivers[who].as_mut().expect("it is there");
        if *next < self.oldest {
            let lost = self.oldest - *next;
            *next = self.oldest;
            return Err(TryRecvError::Lagged(lost));
        }
        if *next == self.sent {
            return Err(TryRecvError::Empty);
        }
        *next += 1;
        Ok(*next - 1)
    }

    fn len(&mut self) -> u64 {
        let all_have = self.receivers.iter().flatten().min();
        self.oldest = self.oldest.max(all_have.copied().unwrap_or(self.sent));
        self.sent - self.oldest
    }
}

/// An item that is counted as long as it exists.
struct Counted(u64, Rc<Cell<u64>>);

impl Counted {
    fn new(number: u64, alive: &Rc<Cell<u64>>) -> Self {
        alive.set(alive.get() + 1);
        Self(number, Rc::clone(alive))
    }
}

impl Clone for Counted {
    fn clone(&self) -> Self {
        Self::new(self.0, &self.1)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.1.set(self.1.get() - 1);
    }
}

/// Every sequence of six of these, for three receivers of which the first is there from the start.
#[test]
fn items_are_there_until_everybody_has_seen_them_or_there_is_no_room() {
    const STEPS: u32 = 6;
    for capacity in 1..=3 {
        for mut code in 0..6_u32.pow(STEPS) {
            let alive = Rc::new(Cell::new(0));
            let (sender, first) = channel::<Counted>(capacity);
            let mut receivers = [Some(first), None, None];
            let mut model = Model {
                receivers: [Some(0), None, None],
                ..Model::default()
            };
            for _ in 0..STEPS {
                let step = code % 6;
                code /= 6;
                match step {
                    0 => {
                        let item = Counted::new(model.sent, &alive);
                        let is_sent = sender.send(item).is_ok();
                        assert_eq!(is_sent, model.receivers.iter().any(Option::is_some));
                        if is_sent {
                            model.send(capacity as u64);
                        }
                    }
                    1 | 2 => {
                        let who = step as usize - 1;
                        if let Some(receiver) = &mut receivers[who] {
                            let received = receiver.try_recv().map(|item| item.0);
                            assert_eq!(received, model.recv(who));
                        }
                    }
                    3 => {
                        receivers[1] = Some(sender.subscribe());
                        model.receivers[1] = Some(model.sent);
                    }
                    4 => {
                        receivers[2] = receivers[0].take();
                        receivers[0] = receivers[1].clone();
                        let model = &mut model.receivers;
                        model[2] = model[0].take();
                        model[0] = model[1];
                    }
                    _ => {
                        receivers[1] = None;
                        model.receivers[1] = None;
                    }
                }
                assert_eq!(sender.len() as u64, model.len());
                assert_eq!(alive.get(), model.len(), "they are dropped when they go");
            }
        }
    }
}

#[test]
fn items_may_use_the_broadcast_as_they_are_cloned_and_dropped() {
    /// Receives with another receiver as it is cloned, and sends as it is dropped.
    struct Meddler {
        number: u32,
        log: Log,
        receiver: Rc<RefCell<Option<Receiver<Self>>>>,
        sender: Rc<RefCell<Option<Sender<Self>>>>,
    }

    impl Clone for Meddler {
        fn clone(&self) -> Self {
            self.log.note(format_args!("clone{}", self.number));
            if let Some(mut other) = self.receiver.take() {
                let item = other.try_recv().unwrap_or_else(|_| panic!("it is there"));
                self.log.note(format_args!("other{}", item.number));
            }
            Self {
                number: self.number,
                log: self.log.clone(),
                receiver: Rc::default(),
                sender: Rc::default(),
            }
        }
    }

    impl Drop for Meddler {
        fn drop(&mut self) {
            if let Some(sender) = self.sender.take() {
                let item = Self {
                    number: self.number + 10,
                    log: self.log.clone(),
                    receiver: Rc::default(),
                    sender: Rc::default(),
                };
                drop(sender.send(item));
                self.log.note(format_args!("sent{}", self.number + 10));
            }
        }
    }

    let (sender, mut receiver) = channel(1);
    let log = Log::default();
    let item = |number| Meddler {
        number,
        log: log.clone(),
        receiver: Rc::new(RefCell::new(Some(sender.subscribe()))),
        sender: Rc::new(RefCell::new(Some(sender.clone()))),
    };
    drop(sender.send(item(1)));
    let received = receiver.try_recv().map(|item| item.number);
    assert_eq!(received, Ok(1));
    // The other one is the last to see it while it is being cloned: it gets a clone, too, and the
    // item is dropped when the first clone is done.
    assert_eq!(log.take(), "clone1 clone1 other1 sent11");
    // One that is evicted sends as it goes, which evicts in turn.
    drop(sender.send(item(2)));
    drop(sender.send(item(3)));
    assert_eq!(log.take(), "sent13 sent12");
    assert!(
        receiver
            .try_recv()
            .is_err_and(|error| error == TryRecvError::Lagged(4))
    );
    let received = receiver.try_recv().map(|item| item.number);
    assert_eq!(received, Ok(13));
}

#[test]
fn a_waker_may_use_its_broadcast() {
    for act in [Act::Clone, Act::Wake, Act::Drop] {
        for is_closed in [true, false] {
            let (sender, mut receiver) = channel(8);
            let uses = {
                let sender = sender.clone();
                move || {
                    if is_closed {
                        sender.close();
                    } else {
                        sender.send(1).unwrap();
                    }
                }
            };
            let mut other = receiver.clone();
            let mut before = Task::new(other.recv());
            before.waits();
            let mut hooked = pin!(receiver.recv());
            let received = with_hook(act, uses, |cx| {
                let received = hooked.as_mut().poll(cx);
                assert_eq!(received.is_ready(), act == Act::Clone);
                if received.is_ready() {
                    return received;
                }
                sender.send(1).ok();
                hooked.as_mut().poll(cx)
            });
            let is_closed = is_closed && act == Act::Clone;
            let expected = if is_closed {
                Err(RecvError::Closed)
            } else {
                Ok(1)
            };
            assert_eq!(received, Poll::Ready(expected.clone()));
            assert_eq!(before.ends(), expected);
            assert_eq!(sender.statistics().waiting, 0);
        }
    }
}

#[test]
#[should_panic(expected = "a broadcast keeps at least one item")]
fn no_capacity_is_refused() {
    drop(channel::<()>(0));
}

#[test]
fn a_huge_capacity_costs_nothing_before_it_is_used() {
    let (sender, mut receiver) = channel(usize::MAX);
    for item in 0..1000 {
        sender.send(item).unwrap();
    }
    assert!((0..1000).all(|item| receiver.try_recv() == Ok(item)));
}
