//! The channel, which ends when its users are gone.

use std::cell::RefCell;
use std::mem;

use ringloop_sync::{RecvError, SendError, TryRecvError, TrySendError, hosted};

use crate::explorer::Scenario;
use crate::explorer::Step::{self, Do, Yield};
use crate::items::{Items, Order, Out};
use crate::model::{Grants, Model, Subject};
use crate::test_host::{Cancelled, TestHost};

type Sender = hosted::Sender<u32, TestHost>;
type Receiver = hosted::Receiver<u32, TestHost>;

/// The ends that nobody has taken yet.
#[derive(Debug)]
pub(crate) struct Channel {
    senders: RefCell<Vec<Sender>>,
    receivers: RefCell<Vec<Receiver>>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Op {
    TakeSender,
    TakeReceiver,
    DropSender,
    DropReceiver,
    Send(u32),
    TrySend(u32),
    Recv,
    TryRecv,
    /// Closes the channel for all, as a sender.
    Close,
}

/// The items, and who has which end.
#[derive(Debug)]
pub(crate) struct Ends {
    items: Items,
    spare_senders: usize,
    spare_receivers: usize,
    is_sender: [bool; 4],
    is_receiver: [bool; 4],
}

impl Ends {
    fn new(capacity: usize, spare_senders: usize, spare_receivers: usize) -> Self {
        Self {
            items: Items::new(Order::First, capacity),
            spare_senders,
            spare_receivers,
            is_sender: [false; 4],
            is_receiver: [false; 4],
        }
    }

    fn senders(&self) -> usize {
        self.spare_senders + self.is_sender.iter().filter(|is| **is).count()
    }

    fn receivers(&self) -> usize {
        self.spare_receivers + self.is_receiver.iter().filter(|is| **is).count()
    }

    fn drop_sender(&mut self, who: usize, grants: &mut Grants) {
        if mem::take(&mut self.is_sender[who]) && self.senders() == 0 {
            self.items.close(grants);
        }
    }

    fn drop_receiver(&mut self, who: usize, grants: &mut Grants) {
        if mem::take(&mut self.is_receiver[who]) && self.receivers() == 0 {
            self.items.close_now(grants);
        }
    }
}

impl Model for Ends {
    type Op = Op;
    type Out = Out;

    fn is_wait(op: Op) -> bool {
        matches!(op, Op::Send(_) | Op::Recv)
    }

    fn begin(&mut self, who: usize, op: Op, grants: &mut Grants) {
        match op {
            Op::TakeSender => {
                self.spare_senders -= 1;
                self.is_sender[who] = true;
            }
            Op::TakeReceiver => {
                self.spare_receivers -= 1;
                self.is_receiver[who] = true;
            }
            Op::DropSender => self.drop_sender(who, grants),
            Op::DropReceiver => self.drop_receiver(who, grants),
            Op::Send(item) => return self.items.put(who, item, true, grants),
            Op::TrySend(item) => return self.items.put(who, item, false, grants),
            Op::Recv => return self.items.get(who, true, grants),
            Op::TryRecv => return self.items.get(who, false, grants),
            Op::Close => self.items.close(grants),
        }
        self.items.give(who, Out::Done, grants);
    }

    fn take(&mut self, who: usize, grants: &mut Grants) -> Out {
        self.items.take(who, grants)
    }

    fn withdraw(&mut self, who: usize, _: &mut Grants) {
        self.items.withdraw(who);
    }

    fn refuse(&mut self, who: usize, grants: &mut Grants) {
        self.items.refuse(who, grants);
    }

    fn end(&mut self, who: usize, grants: &mut Grants) {
        self.drop_sender(who, grants);
        self.drop_receiver(who, grants);
    }
}

/// The ends of a task, dropped in this order.
#[derive(Default)]
pub(crate) struct Hand {
    sender: Option<Sender>,
    receiver: Option<Receiver>,
}

impl Hand {
    fn sender(&self) -> &Sender {
        self.sender.as_ref().expect("the script has taken one")
    }

    fn receiver(&self) -> &Receiver {
        self.receiver.as_ref().expect("the script has taken one")
    }
}

impl Subject for Channel {
    type Model = Ends;
    type Hand<'a> = Hand;

    async fn perform(&self, op: Op, hand: &mut Hand) -> Result<Out, Cancelled> {
        match op {
            Op::TakeSender => hand.sender = self.senders.borrow_mut().pop(),
            Op::TakeReceiver => hand.receiver = self.receivers.borrow_mut().pop(),
            Op::DropSender => hand.sender = None,
            Op::DropReceiver => hand.receiver = None,
            Op::Send(item) => match hand.sender().send(item).await {
                Ok(()) => {}
                Err(SendError::Cancelled(back, cancelled)) => {
                    assert_eq!(back, item);
                    return Err(cancelled);
                }
                Err(closed) => {
                    assert_eq!(closed.into_item(), item);
                    return Ok(Out::Closed);
                }
            },
            Op::TrySend(item) => {
                if let Err(error) = hand.sender().try_send(item) {
                    let is_full = matches!(error, TrySendError::Full(_));
                    assert_eq!(error.into_item(), item);
                    return Ok(if is_full { Out::Full } else { Out::Closed });
                }
            }
            Op::Recv => {
                return match hand.receiver().recv().await {
                    Ok(item) => Ok(Out::Item(item)),
                    Err(RecvError::Cancelled(cancelled)) => Err(cancelled),
                    Err(_) => Ok(Out::Closed),
                };
            }
            Op::TryRecv => {
                return Ok(match hand.receiver().try_recv() {
                    Ok(item) => Out::Item(item),
                    Err(TryRecvError::Empty) => Out::Empty,
                    Err(_) => Out::Closed,
                });
            }
            Op::Close => hand.sender().close(),
        }
        Ok(Out::Done)
    }

    fn peek(&self) {
        if let Some(sender) = self.senders.borrow().last() {
            let _ = sender.statistics();
        }
        if let Some(receiver) = self.receivers.borrow().last() {
            let _ = receiver.statistics();
        }
    }

    fn check(&self, model: &Ends) {
        let of_sender = self.senders.borrow().last().map(Sender::statistics);
        let of_receiver = self.receivers.borrow().last().map(Receiver::statistics);
        for statistics in of_sender.into_iter().chain(of_receiver) {
            assert_eq!(statistics.len, model.items.free());
            assert_eq!(statistics.is_closed, model.items.is_closed);
            assert_eq!(statistics.senders, model.senders());
            assert_eq!(statistics.receivers, model.receivers());
            assert_eq!(statistics.waiting_senders, model.items.putters.len());
            assert_eq!(statistics.waiting_receivers, model.items.getters.len());
        }
    }

    fn check_unused(&self) {
        self.peek();
    }
}

fn explore<const CAPACITY: usize, const SENDERS: usize, const RECEIVERS: usize>(
    name: &'static str,
    scripts: &'static [&'static [Step<Op>]],
    faults: usize,
) {
    Scenario::<Channel> {
        name,
        make: || {
            let (sender, receiver) = hosted::channel(CAPACITY);
            let channel = Channel {
                senders: RefCell::new((0..SENDERS).map(|_| sender.clone()).collect()),
                receivers: RefCell::new((0..RECEIVERS).map(|_| receiver.clone()).collect()),
            };
            (channel, Ends::new(CAPACITY, SENDERS, RECEIVERS))
        },
        scripts,
        acts: &[],
        faults,
        at_least: 4300,
    }
    .explore();
}

const SEND_TWO: &[Step<Op>] = &[Do(Op::TakeSender), Do(Op::Send(11)), Do(Op::Send(12))];
const SEND_ONE: &[Step<Op>] = &[Do(Op::TakeSender), Do(Op::Send(21))];
const RECV_TWO: &[Step<Op>] = &[Do(Op::TakeReceiver), Do(Op::Recv), Do(Op::Recv)];
const RECV_ONE: &[Step<Op>] = &[Do(Op::TakeReceiver), Do(Op::Recv)];

/// The spare receiver stays.
#[test]
fn senders_end() {
    const SCRIPTS: &[&[Step<Op>]] = &[SEND_TWO, SEND_ONE, RECV_TWO];
    explore::<0, 2, 2>("channel of 0: senders end", SCRIPTS, 2);
    explore::<1, 2, 2>("channel of 1: senders end", SCRIPTS, 3);
    explore::<2, 2, 2>("channel of 2: senders end", SCRIPTS, 3);
}

/// The spare sender stays.
#[test]
fn receivers_end() {
    const SCRIPTS: &[&[Step<Op>]] = &[SEND_TWO, RECV_ONE, RECV_TWO];
    explore::<0, 2, 2>("channel of 0: receivers end", SCRIPTS, 2);
    explore::<1, 2, 2>("channel of 1: receivers end", SCRIPTS, 3);
    explore::<2, 2, 2>("channel of 2: receivers end", SCRIPTS, 3);
}

#[test]
fn one_tries_between_others() {
    const TRY: &[Step<Op>] = &[
        Do(Op::TakeSender),
        Do(Op::TakeReceiver),
        Do(Op::TrySend(31)),
        Yield,
        Do(Op::TryRecv),
        Do(Op::DropReceiver),
    ];
    const SCRIPTS: &[&[Step<Op>]] = &[SEND_TWO, RECV_TWO, TRY];
    explore::<0, 2, 2>("channel of 0: one tries between others", SCRIPTS, 2);
    explore::<1, 2, 2>("channel of 1: one tries between others", SCRIPTS, 2);
    explore::<2, 2, 2>("channel of 2: one tries between others", SCRIPTS, 2);
}

#[test]
fn one_closes_it() {
    const CLOSE: &[Step<Op>] = &[
        Do(Op::TakeSender),
        Do(Op::TrySend(31)),
        Yield,
        Do(Op::Close),
        Do(Op::DropSender),
    ];
    const SCRIPTS: &[&[Step<Op>]] = &[SEND_TWO, RECV_TWO, CLOSE];
    explore::<0, 2, 2>("channel of 0: one closes it", SCRIPTS, 2);
    explore::<1, 2, 2>("channel of 1: one closes it", SCRIPTS, 2);
    explore::<2, 2, 2>("channel of 2: one closes it", SCRIPTS, 2);
}
