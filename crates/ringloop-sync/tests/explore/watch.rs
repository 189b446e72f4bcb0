//! The latest value, for all who want to know of it.

use std::cell::RefCell;
use std::mem;

use ringloop_sync::hosted::watch;
use ringloop_sync::watch::RecvError;

use crate::explorer::Scenario;
use crate::explorer::Step::{self, Do, Yield};
use crate::model::{Grants, Model, Subject};
use crate::test_host::{Cancelled, TestHost};

type Sender = watch::Sender<u64, TestHost>;
type Receiver = watch::Receiver<u64, TestHost>;

/// The ends that are there from the beginning.
#[derive(Debug)]
pub(crate) struct Watch {
    sender: RefCell<Option<Sender>>,
    spares: RefCell<Vec<Receiver>>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Op {
    Subscribe,
    /// Takes a receiver that was there from the beginning.
    Adopt,
    Unsubscribe,
    /// Gives the value that is there then, if it is another.
    Changed,
    /// Gives its number if somebody is there to see it.
    Send,
    /// Drops the first sender.
    Close,
    /// Makes another sender.
    Attach,
    /// Waits, as a sender, until nobody listens.
    Closed,
}

/// The number of the value, and who has seen which.
#[derive(Debug)]
pub(crate) struct Values {
    version: u64,
    is_open: bool,
    spares: usize,
    seen: [Option<u64>; 4],
    is_sender: [bool; 4],
    for_change: Vec<usize>,
    for_silence: Vec<usize>,
    /// What an operation gives that does not look at the values.
    outs: [Option<u64>; 4],
}

impl Values {
    fn new(spares: usize) -> Self {
        Self {
            version: 0,
            is_open: true,
            spares,
            seen: [None; 4],
            is_sender: [false; 4],
            for_change: Vec::new(),
            for_silence: Vec::new(),
            outs: [None; 4],
        }
    }

    fn senders(&self) -> usize {
        usize::from(self.is_open) + self.is_sender.iter().filter(|is| **is).count()
    }

    fn receivers(&self) -> usize {
        self.spares + self.seen.iter().flatten().count()
    }

    fn has_news(&self, who: usize) -> bool {
        self.seen[who] != Some(self.version) || self.senders() == 0
    }

    fn after_change(&mut self, grants: &mut Grants) {
        mem::take(&mut self.for_change)
            .into_iter()
            .for_each(|who| grants.to(who));
    }

    fn detach(&mut self, who: usize, grants: &mut Grants) {
        if mem::take(&mut self.is_sender[who]) && self.senders() == 0 {
            self.after_change(grants);
        }
    }

    fn unsubscribe(&mut self, who: usize, grants: &mut Grants) {
        if self.seen[who].take().is_some() && self.receivers() == 0 {
            mem::take(&mut self.for_silence)
                .into_iter()
                .for_each(|who| grants.to(who));
        }
    }
}

impl Model for Values {
    type Op = Op;
    type Out = Option<u64>;

    fn is_wait(op: Op) -> bool {
        matches!(op, Op::Changed | Op::Closed)
    }

    fn begin(&mut self, who: usize, op: Op, grants: &mut Grants) {
        self.outs[who] = None;
        match op {
            Op::Subscribe => self.seen[who] = Some(self.version),
            Op::Adopt => {
                self.spares -= 1;
                self.seen[who] = Some(0);
            }
            Op::Unsubscribe => self.unsubscribe(who, grants),
            Op::Changed => {
                self.outs[who] = Some(u64::MAX);
                if !self.has_news(who) {
                    return self.for_change.push(who);
                }
            }
            Op::Send if self.receivers() > 0 => {
                self.version += 1;
                self.outs[who] = Some(self.version);
                self.after_change(grants);
            }
            Op::Send => {}
            Op::Close => {
                self.is_open = false;
                if self.senders() == 0 {
                    self.after_change(grants);
                }
            }
            Op::Attach => self.is_sender[who] = true,
            Op::Closed if self.receivers() > 0 => return self.for_silence.push(who),
            Op::Closed => {}
        }
        grants.to(who);
    }

    fn take(&mut self, who: usize, _: &mut Grants) -> Option<u64> {
        match self.outs[who].take() {
            Some(u64::MAX) => {
                let is_news = self.seen[who] != Some(self.version);
                self.seen[who] = Some(self.version);
                is_news.then_some(self.version)
            }
            other => other,
        }
    }

    fn withdraw(&mut self, who: usize, _: &mut Grants) {
        self.for_change.retain(|&other| other != who);
        self.for_silence.retain(|&other| other != who);
    }

    fn refuse(&mut self, _: usize, _: &mut Grants) {}

    fn end(&mut self, who: usize, grants: &mut Grants) {
        self.detach(who, grants);
        self.unsubscribe(who, grants);
    }
}

impl Subject for Watch {
    type Model = Values;
    type Hand<'a> = (Option<Sender>, Option<Receiver>);

    async fn perform(
        &self,
        op: Op,
        (sender, receiver): &mut (Option<Sender>, Option<Receiver>),
    ) -> Result<Option<u64>, Cancelled> {
        let first = || self.sender.borrow().clone();
        match op {
            Op::Subscribe => *receiver = first().map(|sender| sender.subscribe()),
            Op::Adopt => *receiver = self.spares.borrow_mut().pop(),
            Op::Unsubscribe => *receiver = None,
            Op::Changed => {
                let receiver = receiver.as_mut().expect("the script has subscribed");
                return match receiver.changed().await {
                    Ok(()) => Ok(Some(*receiver.borrow())),
                    Err(RecvError::Cancelled(cancelled)) => Err(cancelled),
                    Err(_) => Ok(None),
                };
            }
            Op::Send => {
                let first = first().expect("the script sends before it closes");
                let next = *first.borrow() + 1;
                return Ok(first.send(next).is_ok().then_some(next));
            }
            Op::Close => drop(self.sender.take()),
            Op::Attach => *sender = first(),
            Op::Closed => {
                let sender = sender.as_ref().expect("the script has attached");
                sender.closed().await?;
            }
        }
        Ok(None)
    }

    fn peek(&self) {
        if let Ok(sender) = self.sender.try_borrow() {
            let _ = sender.as_ref().map(|sender| sender.statistics());
        }
    }

    fn check(&self, model: &Values) {
        assert_eq!(self.sender.borrow().is_some(), model.is_open);
        if let Some(sender) = &*self.sender.borrow() {
            let statistics = sender.statistics();
            assert_eq!(statistics.senders, model.senders());
            assert_eq!(statistics.receivers, model.receivers());
            assert_eq!(statistics.waiting, model.for_change.len());
            assert_eq!(statistics.version, model.version);
        }
    }

    fn check_unused(&self) {
        self.spares.take().clear();
        if let Some(sender) = &*self.sender.borrow() {
            assert!(sender.is_closed());
            assert_eq!(sender.statistics().waiting, 0);
        }
    }
}

fn make(spares: usize) -> (Watch, Values) {
    let (sender, receiver) = watch::channel(0);
    let watch = Watch {
        sender: RefCell::new(Some(sender)),
        spares: RefCell::new(vec![receiver.clone(); spares]),
    };
    (watch, Values::new(spares))
}

const FOLLOW: &[Step<Op>] = &[Do(Op::Subscribe), Do(Op::Changed), Do(Op::Changed)];
const ADOPT: &[Step<Op>] = &[Do(Op::Adopt), Do(Op::Changed), Do(Op::Changed)];

#[test]
fn two_follow_until_it_is_closed() {
    Scenario::<Watch> {
        name: "watch: two follow until it is closed",
        make: || make(2),
        scripts: &[ADOPT, ADOPT],
        acts: &[Op::Send, Op::Close],
        faults: 1,
        at_least: 8500,
    }
    .explore();
}

#[test]
fn one_follows_and_one_waits_for_silence() {
    Scenario::<Watch> {
        name: "watch: one follows and one waits for silence",
        make: || make(0),
        scripts: &[FOLLOW, &[Do(Op::Attach), Do(Op::Closed), Do(Op::Closed)]],
        acts: &[Op::Send, Op::Send],
        faults: 2,
        at_least: 28_000,
    }
    .explore();
}

#[test]
fn senders_leave_those_who_follow() {
    Scenario::<Watch> {
        name: "watch: senders leave those who follow",
        make: || make(2),
        scripts: &[
            ADOPT,
            &[Do(Op::Attach), Do(Op::Close), Yield, Do(Op::Closed)],
            &[Do(Op::Adopt), Do(Op::Changed), Do(Op::Unsubscribe)],
        ],
        acts: &[],
        faults: 2,
        at_least: 35_000,
    }
    .explore();
}
