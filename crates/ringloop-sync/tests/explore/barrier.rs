//! The barrier.

use std::collections::VecDeque;

use ringloop_sync::{BarrierError, BarrierState, hosted};

use crate::explorer::Scenario;
use crate::explorer::Step::{self, Do, Yield};
use crate::model::{Grants, Model, Subject};
use crate::test_host::{Cancelled, TestHost};

type Barrier = hosted::Barrier<TestHost>;

#[derive(Debug, Clone, Copy)]
pub(crate) enum Op {
    Wait,
    Reset,
    Abort,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Out {
    #[default]
    Done,
    Index(usize),
    Broken,
}

/// Who waits for the others, and how many of the round before are not out yet.
#[derive(Debug)]
pub(crate) struct Rounds {
    parties: usize,
    state: BarrierState,
    waiting: VecDeque<usize>,
    leaving: Vec<usize>,
    outs: [Out; 4],
}

impl Rounds {
    fn new(parties: usize) -> Self {
        Self {
            parties,
            state: BarrierState::Filling,
            waiting: VecDeque::new(),
            leaving: Vec::new(),
            outs: [Out::Done; 4],
        }
    }

    fn release_if_full(&mut self, grants: &mut Grants) {
        if self.state == BarrierState::Filling && self.waiting.len() >= self.parties {
            self.state = BarrierState::Draining;
            for index in 0..self.parties {
                self.let_go(Out::Index(index), grants);
            }
        }
    }

    fn break_all(&mut self, grants: &mut Grants) {
        while !self.waiting.is_empty() {
            self.let_go(Out::Broken, grants);
        }
    }

    fn let_go(&mut self, out: Out, grants: &mut Grants) {
        let who = self.waiting.pop_front().expect("somebody waits");
        self.leaving.push(who);
        self.outs[who] = out;
        grants.to(who);
    }

    fn left(&mut self, who: usize, grants: &mut Grants) {
        let others = self.leaving.len();
        self.leaving.retain(|&other| other != who);
        let is_last = self.leaving.is_empty() && others == 1;
        if is_last && self.state != BarrierState::Broken {
            self.state = BarrierState::Filling;
            self.release_if_full(grants);
        }
    }
}

impl Model for Rounds {
    type Op = Op;
    type Out = Out;

    fn is_wait(op: Op) -> bool {
        matches!(op, Op::Wait)
    }

    fn begin(&mut self, who: usize, op: Op, grants: &mut Grants) {
        self.outs[who] = Out::Done;
        match op {
            Op::Wait if self.state == BarrierState::Broken => self.outs[who] = Out::Broken,
            Op::Wait => {
                self.waiting.push_back(who);
                return self.release_if_full(grants);
            }
            Op::Reset if self.state == BarrierState::Filling && !self.waiting.is_empty() => {
                self.state = BarrierState::Resetting;
                self.break_all(grants);
            }
            Op::Reset if self.state == BarrierState::Broken => {
                self.state = if self.leaving.is_empty() {
                    BarrierState::Filling
                } else {
                    BarrierState::Resetting
                };
            }
            Op::Reset => {}
            Op::Abort => {
                self.state = BarrierState::Broken;
                self.break_all(grants);
            }
        }
        grants.to(who);
    }

    fn take(&mut self, who: usize, grants: &mut Grants) -> Out {
        self.left(who, grants);
        self.outs[who]
    }

    fn withdraw(&mut self, who: usize, _: &mut Grants) {
        self.waiting.retain(|&other| other != who);
    }

    fn refuse(&mut self, who: usize, grants: &mut Grants) {
        self.left(who, grants);
    }

    fn end(&mut self, _: usize, _: &mut Grants) {}
}

impl Subject for Barrier {
    type Model = Rounds;
    type Hand<'a> = ();

    async fn perform(&self, op: Op, (): &mut ()) -> Result<Out, Cancelled> {
        match op {
            Op::Wait => {
                return match self.wait().await {
                    Ok(turn) => Ok(Out::Index(turn.index())),
                    Err(BarrierError::Cancelled(cancelled)) => Err(cancelled),
                    Err(_) => Ok(Out::Broken),
                };
            }
            Op::Reset => self.reset(),
            Op::Abort => self.abort(),
        }
        Ok(Out::Done)
    }

    fn peek(&self) {
        let _ = self.statistics();
    }

    fn check(&self, model: &Rounds) {
        let statistics = self.statistics();
        assert_eq!(statistics.state, model.state);
        assert_eq!(statistics.waiting, model.waiting.len());
        assert_eq!(statistics.leaving, model.leaving.len());
    }

    fn check_unused(&self) {
        self.reset();
        self.check(&Rounds::new(self.parties()));
    }
}

const ONCE: &[Step<Op>] = &[Do(Op::Wait)];
const TWICE: &[Step<Op>] = &[Do(Op::Wait), Do(Op::Wait)];

#[test]
fn rounds_follow_each_other() {
    for (scripts, faults) in [
        (&[TWICE, TWICE] as &[&[_]], 4),
        (&[ONCE, ONCE, TWICE], 3),
        (&[TWICE, TWICE, TWICE], 2),
    ] {
        Scenario::<Barrier> {
            name: "barrier: rounds follow each other",
            make: || (Barrier::new(2), Rounds::new(2)),
            scripts,
            acts: &[],
            faults,
            at_least: 840,
        }
        .explore();
    }
    Scenario::<Barrier> {
        name: "barrier: three meet",
        make: || (Barrier::new(3), Rounds::new(3)),
        scripts: &[ONCE, ONCE, TWICE],
        acts: &[],
        faults: 3,
        at_least: 56_000,
    }
    .explore();
}

#[test]
fn rounds_are_broken_from_outside() {
    for acts in [
        &[Op::Reset, Op::Reset] as &[_],
        &[Op::Abort, Op::Reset],
        &[Op::Reset, Op::Abort],
    ] {
        Scenario::<Barrier> {
            name: "barrier: rounds are broken from outside",
            make: || (Barrier::new(2), Rounds::new(2)),
            scripts: &[TWICE, TWICE],
            acts,
            faults: 1,
            at_least: 3500,
        }
        .explore();
    }
}

#[test]
fn rounds_are_broken_from_within() {
    Scenario::<Barrier> {
        name: "barrier: rounds are broken from within",
        make: || (Barrier::new(2), Rounds::new(2)),
        scripts: &[
            &[Do(Op::Wait), Do(Op::Abort), Do(Op::Wait)],
            &[Do(Op::Wait), Do(Op::Reset), Do(Op::Wait)],
            &[Do(Op::Wait), Yield, Do(Op::Wait)],
        ],
        acts: &[],
        faults: 1,
        at_least: 4400,
    }
    .explore();
}
