//! The mutex.

use std::collections::VecDeque;

use ringloop_sync::{MutexGuard, hosted};

use crate::explorer::Scenario;
use crate::explorer::Step::{self, Do, Yield};
use crate::model::{Grants, Model, Subject};
use crate::test_host::{Cancelled, TestHost};

type Mutex = hosted::Mutex<(), TestHost>;

#[derive(Debug, Clone, Copy)]
pub(crate) enum Op {
    Lock,
    /// Gives whether it was free.
    TryLock,
    Unlock,
}

/// Who has the lock, and who waits for it.
#[derive(Debug, Default)]
pub(crate) struct Line {
    pub(crate) owner: Option<usize>,
    pub(crate) waiting: VecDeque<usize>,
}

impl Line {
    fn pass_on(&mut self, grants: &mut Grants) {
        self.owner = self.waiting.pop_front();
        self.owner.into_iter().for_each(|who| grants.to(who));
    }
}

impl Model for Line {
    type Op = Op;
    type Out = bool;

    fn is_wait(op: Op) -> bool {
        matches!(op, Op::Lock)
    }

    fn begin(&mut self, who: usize, op: Op, grants: &mut Grants) {
        let is_free = self.owner.is_none();
        match op {
            Op::Lock if !is_free => return self.waiting.push_back(who),
            Op::Lock | Op::TryLock if is_free => self.owner = Some(who),
            Op::Lock | Op::TryLock => {}
            Op::Unlock => self.end(who, grants),
        }
        grants.to(who);
    }

    fn take(&mut self, who: usize, _: &mut Grants) -> bool {
        self.owner == Some(who)
    }

    fn withdraw(&mut self, who: usize, _: &mut Grants) {
        self.waiting.retain(|&other| other != who);
    }

    fn refuse(&mut self, _: usize, grants: &mut Grants) {
        self.pass_on(grants);
    }

    fn end(&mut self, who: usize, grants: &mut Grants) {
        if self.owner == Some(who) {
            self.pass_on(grants);
        }
    }
}

impl Subject for Mutex {
    type Model = Line;
    type Hand<'a> = Option<MutexGuard<'a, ()>>;

    async fn perform<'a>(
        &'a self,
        op: Op,
        hand: &mut Option<MutexGuard<'a, ()>>,
    ) -> Result<bool, Cancelled> {
        match op {
            Op::Lock => *hand = Some(self.lock().await?),
            Op::TryLock => *hand = self.try_lock(),
            Op::Unlock => *hand = None,
        }
        Ok(hand.is_some())
    }

    fn peek(&self) {
        let _ = self.statistics();
    }

    fn check(&self, model: &Line) {
        let statistics = self.statistics();
        assert_eq!(statistics.is_locked, model.owner.is_some());
        assert_eq!(statistics.waiting, model.waiting.len());
    }

    fn check_unused(&self) {
        self.check(&Line::default());
        assert!(self.try_lock().is_some());
    }
}

const VISIT: &[Step<Op>] = &[Do(Op::Lock), Yield, Do(Op::Unlock)];
const TWICE: &[Step<Op>] = &[Do(Op::Lock), Do(Op::Unlock), Do(Op::Lock)];
const BARGE: &[Step<Op>] = &[Do(Op::TryLock), Yield, Do(Op::Unlock), Do(Op::TryLock)];

#[test]
fn three_visit() {
    Scenario::<Mutex> {
        name: "mutex: three visit",
        make: Default::default,
        scripts: &[VISIT, VISIT, VISIT],
        acts: &[],
        faults: 2,
        at_least: 24_000,
    }
    .explore();
}

#[test]
fn two_visit_and_one_barges() {
    Scenario::<Mutex> {
        name: "mutex: two visit and one barges",
        make: Default::default,
        scripts: &[TWICE, TWICE, BARGE],
        acts: &[],
        faults: 2,
        at_least: 7400,
    }
    .explore();
}

#[test]
fn lock_is_given_up_from_outside() {
    Scenario::<Mutex> {
        name: "mutex: lock is given up from outside",
        make: Default::default,
        scripts: &[VISIT, VISIT],
        acts: &[Op::TryLock, Op::Unlock],
        faults: 2,
        at_least: 38_000,
    }
    .explore();
}
