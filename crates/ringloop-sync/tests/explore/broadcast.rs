//! Every item, for all who listen.

use std::cell::{Cell, RefCell};
use std::mem;

use ringloop_sync::broadcast::{RecvError, TryRecvError};
use ringloop_sync::hosted::broadcast;

use crate::explorer::Scenario;
use crate::explorer::Step::{self, Do, Yield};
use crate::model::{Grants, Model, Subject};
use crate::test_host::{Cancelled, TestHost};

type Sender = broadcast::Sender<usize, TestHost>;
type Receiver = broadcast::Receiver<usize, TestHost>;

/// The ends that are there from the beginning.
#[derive(Debug)]
pub(crate) struct Broadcast {
    sender: Sender,
    sent: Cell<usize>,
    spares: RefCell<Vec<Receiver>>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Op {
    Subscribe,
    /// Takes a receiver that was there from the beginning.
    Adopt,
    Unsubscribe,
    Recv,
    TryRecv,
    /// Sends the number of the item.
    Send,
    Close,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Out {
    #[default]
    Done,
    Item(usize),
    Lagged(u64),
    Empty,
    Closed,
    /// How many were there to receive it.
    Sent(usize),
    Refused,
}

/// How many items were sent, and who is to have which next.
#[derive(Debug)]
pub(crate) struct Items {
    sent: usize,
    is_closed: bool,
    spares: usize,
    next: [Option<usize>; 4],
    waiting: Vec<usize>,
    /// What an operation gives that does not receive.
    outs: [Out; 4],
}

impl Items {
    fn new(spares: usize) -> Self {
        Self {
            sent: 0,
            is_closed: false,
            spares,
            next: [None; 4],
            waiting: Vec::new(),
            outs: [Out::Done; 4],
        }
    }

    fn receivers(&self) -> usize {
        self.spares + self.next.iter().flatten().count()
    }

    /// How many are kept: what somebody has not seen, and not more than the capacity.
    fn len(&self) -> usize {
        let spare = (self.spares > 0).then_some(0);
        let next = self.next.iter().flatten().copied().chain(spare).min();
        next.map_or(0, |next| (self.sent - next).min(CAPACITY))
    }

    fn receive(&mut self, who: usize) -> Out {
        let Some(next) = &mut self.next[who] else {
            return Out::Done;
        };
        let oldest = self.sent.saturating_sub(CAPACITY);
        if *next < oldest {
            let lost = oldest - *next;
            *next = oldest;
            return Out::Lagged(lost as u64);
        }
        if *next < self.sent {
            *next += 1;
            return Out::Item(*next - 1);
        }
        if self.is_closed {
            Out::Closed
        } else {
            Out::Empty
        }
    }

    fn wake_all(&mut self, grants: &mut Grants) {
        mem::take(&mut self.waiting)
            .into_iter()
            .for_each(|who| grants.to(who));
    }
}

impl Model for Items {
    type Op = Op;
    type Out = Out;

    fn is_wait(op: Op) -> bool {
        matches!(op, Op::Recv)
    }

    fn begin(&mut self, who: usize, op: Op, grants: &mut Grants) {
        self.outs[who] = match op {
            Op::Subscribe => {
                self.next[who] = Some(self.sent);
                Out::Done
            }
            Op::Adopt => {
                self.spares -= 1;
                self.next[who] = Some(0);
                Out::Done
            }
            Op::Unsubscribe => {
                self.next[who] = None;
                Out::Done
            }
            Op::Recv => {
                let received = self.receive(who);
                if received == Out::Empty {
                    self.outs[who] = received;
                    return self.waiting.push(who);
                }
                received
            }
            Op::TryRecv => self.receive(who),
            Op::Send if self.is_closed || self.receivers() == 0 => Out::Refused,
            Op::Send => {
                self.sent += 1;
                self.wake_all(grants);
                Out::Sent(self.receivers())
            }
            Op::Close => {
                self.is_closed = true;
                self.wake_all(grants);
                Out::Done
            }
        };
        grants.to(who);
    }

    fn take(&mut self, who: usize, _: &mut Grants) -> Out {
        let out = mem::take(&mut self.outs[who]);
        // If it waited, something has come.
        if out == Out::Empty {
            self.receive(who)
        } else {
            out
        }
    }

    fn withdraw(&mut self, who: usize, _: &mut Grants) {
        self.waiting.retain(|&other| other != who);
    }

    fn refuse(&mut self, _: usize, _: &mut Grants) {}

    fn end(&mut self, who: usize, _: &mut Grants) {
        self.next[who] = None;
    }
}

impl Subject for Broadcast {
    type Model = Items;
    type Hand<'a> = Option<Receiver>;

    async fn perform(&self, op: Op, hand: &mut Option<Receiver>) -> Result<Out, Cancelled> {
        match op {
            Op::Subscribe => *hand = Some(self.sender.subscribe()),
            Op::Adopt => *hand = self.spares.borrow_mut().pop(),
            Op::Unsubscribe => *hand = None,
            Op::Recv => {
                let receiver = hand.as_mut().expect("the script has subscribed");
                return match receiver.recv().await {
                    Ok(item) => Ok(Out::Item(item)),
                    Err(RecvError::Lagged(lost)) => Ok(Out::Lagged(lost)),
                    Err(RecvError::Cancelled(cancelled)) => Err(cancelled),
                    Err(_) => Ok(Out::Closed),
                };
            }
            Op::TryRecv => {
                let receiver = hand.as_mut().expect("the script has subscribed");
                return Ok(match receiver.try_recv() {
                    Ok(item) => Out::Item(item),
                    Err(TryRecvError::Lagged(lost)) => Out::Lagged(lost),
                    Err(TryRecvError::Empty) => Out::Empty,
                    Err(_) => Out::Closed,
                });
            }
            Op::Send => {
                let item = self.sent.get();
                self.sent.set(item + 1);
                return Ok(self.sender.send(item).map_or_else(
                    |_| {
                        self.sent.set(item);
                        Out::Refused
                    },
                    Out::Sent,
                ));
            }
            Op::Close => self.sender.close(),
        }
        Ok(Out::Done)
    }

    fn peek(&self) {
        let _ = self.sender.statistics();
    }

    fn check(&self, model: &Items) {
        let statistics = self.sender.statistics();
        assert_eq!(statistics.len, model.len());
        assert_eq!(statistics.receivers, model.receivers());
        assert_eq!(statistics.waiting, model.waiting.len());
        assert_eq!(statistics.is_closed, model.is_closed);
    }

    fn check_unused(&self) {
        self.spares.take().clear();
        let statistics = self.sender.statistics();
        assert_eq!((statistics.len, statistics.receivers), (0, 0));
        assert_eq!(statistics.waiting, 0);
    }
}

fn make(spares: usize) -> (Broadcast, Items) {
    let (sender, receiver) = broadcast::channel(CAPACITY);
    let broadcast = Broadcast {
        sender,
        sent: Cell::new(0),
        spares: RefCell::new(vec![receiver.clone(); spares]),
    };
    (broadcast, Items::new(spares))
}

const CAPACITY: usize = 1;
const LISTEN: &[Step<Op>] = &[Do(Op::Adopt), Do(Op::Recv), Do(Op::Recv)];
const LISTEN_LATE: &[Step<Op>] = &[Do(Op::Subscribe), Yield, Do(Op::TryRecv), Do(Op::Recv)];

#[test]
fn two_listen_until_it_is_closed() {
    Scenario::<Broadcast> {
        name: "broadcast: two listen until it is closed",
        make: || make(1),
        scripts: &[LISTEN, LISTEN_LATE],
        acts: &[Op::Send, Op::Send, Op::Close],
        faults: 1,
        at_least: 32_000,
    }
    .explore();
}

#[test]
fn one_is_too_slow() {
    Scenario::<Broadcast> {
        name: "broadcast: one is too slow",
        make: || make(2),
        scripts: &[
            LISTEN,
            &[Do(Op::Adopt), Yield, Do(Op::Recv), Yield, Do(Op::Recv)],
        ],
        acts: &[Op::Send, Op::Send],
        faults: 1,
        at_least: 40_000,
    }
    .explore();
}

#[test]
fn one_sends_to_those_who_are_left() {
    Scenario::<Broadcast> {
        name: "broadcast: one sends to those who are left",
        make: || make(1),
        scripts: &[
            LISTEN,
            LISTEN_LATE,
            &[
                Do(Op::Send),
                Yield,
                Do(Op::Send),
                Do(Op::Subscribe),
                Do(Op::Unsubscribe),
            ],
        ],
        acts: &[],
        faults: 1,
        at_least: 8000,
    }
    .explore();
}
