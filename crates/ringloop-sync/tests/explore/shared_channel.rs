//! The channel between threads, used by one.

use std::collections::VecDeque;

use ringloop_sync::shared::{
    RecvError, SendError, TryRecvError, TrySendError,
    hosted::{self, Receiver, Sender},
};

use crate::explorer::Scenario;
use crate::explorer::Step::{self, Do, Yield};
use crate::model::{Grants, Model, Subject};
use crate::test_host::{Cancelled, TestHost};

/// Both ends.
pub(crate) struct Channel(Sender<u8, TestHost>, Receiver<u8, TestHost>);

#[derive(Debug, Clone, Copy)]
pub(crate) enum Op {
    Send(u8),
    TrySend(u8),
    Recv,
    TryRecv,
    Close,
}

/// What an operation gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reply {
    Done,
    Item(u8),
    /// Full or empty.
    NotYet,
    Closed,
}

/// What is in the channel, and who waits.
#[derive(Debug)]
pub(crate) struct Items {
    capacity: usize,
    items: VecDeque<u8>,
    is_closed: bool,
    senders: VecDeque<(usize, u8)>,
    receivers: VecDeque<usize>,
    /// Those for whom an item is reserved.
    called: Vec<usize>,
    replies: [Option<Reply>; 4],
}

impl Items {
    fn new(capacity: usize) -> Self {
        Self {
            capacity,
            items: VecDeque::new(),
            is_closed: false,
            senders: VecDeque::new(),
            receivers: VecDeque::new(),
            called: Vec::new(),
            replies: [None; 4],
        }
    }

    fn loose(&self) -> usize {
        self.items.len() - self.called.len()
    }

    fn reply(&mut self, who: usize, reply: Reply, grants: &mut Grants) {
        self.replies[who] = Some(reply);
        grants.to(who);
    }

    fn call(&mut self, grants: &mut Grants) -> bool {
        let receiver = self.receivers.pop_front();
        self.called.extend(receiver);
        receiver.into_iter().for_each(|who| grants.to(who));
        receiver.is_some()
    }

    fn send(&mut self, item: u8, grants: &mut Grants) -> Option<Reply> {
        if self.is_closed {
            return Some(Reply::Closed);
        }
        let is_called = self.call(grants);
        let has_room = is_called || self.items.len() - self.called.len() < self.capacity;
        has_room.then(|| {
            self.items.push_back(item);
            Reply::Done
        })
    }

    fn let_in(&mut self, grants: &mut Grants) {
        if let Some((who, item)) = self.senders.pop_front() {
            self.items.push_back(item);
            self.reply(who, Reply::Done, grants);
        }
    }

    fn recv(&mut self, grants: &mut Grants) -> Option<Reply> {
        if self.loose() == 0 && self.capacity == 0 {
            self.let_in(grants);
        }
        if self.loose() == 0 {
            return (self.is_closed && self.called.is_empty()).then_some(Reply::Closed);
        }
        let item = self.items.pop_front()?;
        if self.loose() < self.capacity {
            self.let_in(grants);
        }
        Some(Reply::Item(item))
    }

    fn finish(&mut self, grants: &mut Grants) {
        if self.is_closed && self.called.is_empty() {
            while let Some(who) = self.receivers.pop_front() {
                self.reply(who, Reply::Closed, grants);
            }
        }
    }

    /// Returns whether an item was reserved for it.
    fn uncall(&mut self, who: usize) -> bool {
        let before = self.called.len();
        self.called.retain(|&other| other != who);
        self.called.len() < before
    }
}

impl Model for Items {
    type Op = Op;
    type Out = Reply;

    fn is_wait(op: Op) -> bool {
        matches!(op, Op::Send(_) | Op::Recv)
    }

    fn begin(&mut self, who: usize, op: Op, grants: &mut Grants) {
        let reply = match op {
            Op::Send(item) | Op::TrySend(item) => self.send(item, grants),
            Op::Recv | Op::TryRecv => self.recv(grants),
            Op::Close => {
                self.is_closed = true;
                self.finish(grants);
                while let Some((sender, _)) = self.senders.pop_front() {
                    self.reply(sender, Reply::Closed, grants);
                }
                Some(Reply::Done)
            }
        };
        match (reply, op) {
            (Some(reply), _) => self.reply(who, reply, grants),
            (None, Op::Send(item)) => self.senders.push_back((who, item)),
            (None, Op::Recv) => self.receivers.push_back(who),
            (None, _) => self.reply(who, Reply::NotYet, grants),
        }
    }

    fn take(&mut self, who: usize, grants: &mut Grants) -> Reply {
        if self.uncall(who) {
            let item = self.items.pop_front().expect("one is reserved");
            self.finish(grants);
            return Reply::Item(item);
        }
        self.replies[who].take().expect("it was granted something")
    }

    fn withdraw(&mut self, who: usize, _: &mut Grants) {
        self.senders.retain(|&(other, _)| other != who);
        self.receivers.retain(|&other| other != who);
    }

    fn refuse(&mut self, who: usize, grants: &mut Grants) {
        if self.uncall(who) {
            self.call(grants);
        }
    }

    fn end(&mut self, _: usize, _: &mut Grants) {}
}

impl Subject for Channel {
    type Model = Items;
    type Hand<'a> = ();

    async fn perform(&self, op: Op, (): &mut ()) -> Result<Reply, Cancelled> {
        let Self(sender, receiver) = self;
        Ok(match op {
            Op::Send(item) => match sender.send(item).await {
                Ok(()) => Reply::Done,
                Err(SendError::Cancelled(back, cancelled)) => {
                    assert_eq!(back, item);
                    return Err(cancelled);
                }
                Err(error) => {
                    assert_eq!(error.into_item(), item);
                    Reply::Closed
                }
            },
            Op::TrySend(item) => match sender.try_send(item) {
                Ok(()) => Reply::Done,
                Err(TrySendError::Full(_)) => Reply::NotYet,
                Err(_) => Reply::Closed,
            },
            Op::Recv => match receiver.recv().await {
                Ok(item) => Reply::Item(item),
                Err(RecvError::Cancelled(cancelled)) => return Err(cancelled),
                Err(_) => Reply::Closed,
            },
            Op::TryRecv => match receiver.try_recv() {
                Ok(item) => Reply::Item(item),
                Err(TryRecvError::Empty) => Reply::NotYet,
                Err(_) => Reply::Closed,
            },
            Op::Close => {
                sender.close();
                Reply::Done
            }
        })
    }

    fn peek(&self) {
        let _ = self.0.statistics();
    }

    fn check(&self, model: &Items) {
        let statistics = self.1.statistics();
        assert_eq!(statistics.len, model.loose());
        assert_eq!(statistics.is_closed, model.is_closed);
        assert_eq!(statistics.waiting_senders, model.senders.len());
        assert_eq!(statistics.waiting_receivers, model.receivers.len());
    }

    fn check_unused(&self) {
        let Self(sender, receiver) = self;
        let statistics = sender.statistics();
        assert_eq!(statistics.waiting_senders + statistics.waiting_receivers, 0);
        for _ in 0..statistics.len {
            receiver.try_recv().expect("nothing is reserved any more");
        }
        assert!(sender.is_empty() && receiver.try_recv().is_err());
    }
}

/// Explores the same scripts for the capacities where something else happens.
fn explore(
    name: &'static str,
    scripts: &'static [&'static [Step<Op>]],
    acts: &'static [Op],
    faults: usize,
) {
    let make: [fn() -> (Channel, Items); 3] = [make::<0>, make::<1>, make::<2>];
    for make in make {
        Scenario {
            name,
            make,
            scripts,
            acts,
            faults,
            at_least: 1000,
        }
        .explore();
    }
}

fn make<const CAPACITY: usize>() -> (Channel, Items) {
    let (sender, receiver) = hosted::channel(CAPACITY);
    (Channel(sender, receiver), Items::new(CAPACITY))
}

#[test]
fn two_send_and_one_receives() {
    const RECEIVE: &[Step<Op>] = &[Do(Op::Recv), Do(Op::Recv), Yield, Do(Op::Recv)];
    explore(
        "shared channel: two send and one receives",
        &[
            &[Do(Op::Send(1)), Do(Op::Send(2))],
            &[Do(Op::Send(3))],
            RECEIVE,
        ],
        &[],
        2,
    );
}

#[test]
fn one_sends_and_two_receive() {
    const TAKE: &[Step<Op>] = &[Do(Op::Recv), Do(Op::TryRecv)];
    explore(
        "shared channel: one sends and two receive",
        &[
            &[Do(Op::Send(1)), Yield, Do(Op::TrySend(2)), Do(Op::Send(3))],
            TAKE,
            TAKE,
        ],
        &[],
        2,
    );
}

#[test]
fn it_is_closed_from_outside() {
    explore(
        "shared channel: it is closed from outside",
        &[&[Do(Op::Send(1)), Do(Op::Recv)], &[Do(Op::Recv)]],
        &[Op::TrySend(2), Op::Close, Op::TryRecv],
        2,
    );
}
