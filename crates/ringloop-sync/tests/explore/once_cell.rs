//! The cell that is set once.

use std::collections::VecDeque;
use std::mem;

use ringloop_sync::hosted;

use crate::explorer::Scenario;
use crate::explorer::Step::{self, Do};
use crate::explorer::let_others_go;
use crate::model::{Grants, Model, Progress, Subject};
use crate::test_host::{Cancelled, TestHost};

type OnceCell = hosted::OnceCell<u8, TestHost>;

#[derive(Debug, Clone, Copy)]
pub(crate) enum Op {
    /// Makes the value with one wait in between.
    Init,
    /// Fails to make it, with one wait in between.
    Fail,
    Wait,
    Set,
    Get,
}

/// What is the matter with the value.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum State {
    #[default]
    Unset,
    /// Whose turn it is.
    Taken(usize),
    Set,
}

/// Whose turn it is to make the value, and who waits.
#[derive(Debug, Default)]
pub(crate) struct Turns {
    state: State,
    /// Those who make the value if nobody else does.
    makers: VecDeque<usize>,
    onlookers: Vec<usize>,
    ops: [Option<Op>; 4],
    has_begun: [bool; 4],
}

impl Turns {
    fn pass_on(&mut self, grants: &mut Grants) {
        self.state = match self.makers.pop_front() {
            Some(who) => {
                grants.to(who);
                State::Taken(who)
            }
            None => State::Unset,
        };
    }

    fn set(&mut self, grants: &mut Grants) {
        self.state = State::Set;
        self.makers.drain(..).for_each(|who| grants.to(who));
        self.onlookers.drain(..).for_each(|who| grants.to(who));
    }
}

impl Model for Turns {
    type Op = Op;
    /// Whether there is a value, or it was set by this.
    type Out = bool;

    fn is_wait(op: Op) -> bool {
        matches!(op, Op::Init | Op::Fail | Op::Wait)
    }

    fn begin(&mut self, who: usize, op: Op, grants: &mut Grants) {
        self.ops[who] = Some(op);
        match (op, self.state) {
            (Op::Init | Op::Fail, State::Unset) => self.state = State::Taken(who),
            (Op::Init | Op::Fail, State::Taken(_)) => return self.makers.push_back(who),
            (Op::Wait, State::Unset | State::Taken(_)) => return self.onlookers.push(who),
            (Op::Set, State::Unset) => self.set(grants),
            (Op::Set, State::Taken(_) | State::Set) => self.ops[who] = None,
            (Op::Init | Op::Fail | Op::Wait, State::Set) | (Op::Get, _) => {}
        }
        grants.to(who);
    }

    fn come(&mut self, who: usize, grants: &mut Grants) -> Progress<bool> {
        if self.state == State::Taken(who) && !mem::replace(&mut self.has_begun[who], true) {
            // It wakes itself, in its initializer.
            grants.to(who);
            return Progress::Waits;
        }
        Progress::Done(Ok(self.take(who, grants)))
    }

    fn take(&mut self, who: usize, grants: &mut Grants) -> bool {
        let op = self.ops[who].take();
        if self.state == State::Taken(who) {
            self.has_begun[who] = false;
            match op {
                Some(Op::Init) => self.set(grants),
                _ => {
                    self.pass_on(grants);
                    return false;
                }
            }
        }
        op.is_some() && self.state == State::Set
    }

    fn withdraw(&mut self, who: usize, _: &mut Grants) {
        self.makers.retain(|&other| other != who);
        self.onlookers.retain(|&other| other != who);
    }

    fn refuse(&mut self, who: usize, grants: &mut Grants) {
        if self.state == State::Taken(who) {
            self.pass_on(grants);
        }
    }

    fn end(&mut self, _: usize, _: &mut Grants) {}
}

impl Subject for OnceCell {
    type Model = Turns;
    type Hand<'a> = ();

    async fn perform(&self, op: Op, (): &mut ()) -> Result<bool, Cancelled> {
        Ok(match op {
            Op::Init => {
                let value = self.get_or_init(async || {
                    let_others_go().await;
                    1
                });
                *value.await? == 1
            }
            Op::Fail => {
                let value = self.get_or_try_init(async || {
                    let_others_go().await;
                    Err(())
                });
                value.await?.is_ok()
            }
            Op::Wait => *self.wait().await? == 1,
            Op::Set => self.set(1).is_ok(),
            Op::Get => self.get().is_some(),
        })
    }

    fn peek(&self) {
        let _ = (self.statistics(), self.get());
    }

    fn check(&self, model: &Turns) {
        let statistics = self.statistics();
        let is_taken = matches!(model.state, State::Taken(_));
        assert_eq!(statistics.is_set, model.state == State::Set);
        assert_eq!(statistics.is_initializing, is_taken);
        assert_eq!(
            statistics.waiting,
            model.makers.len() + model.onlookers.len()
        );
    }

    fn check_unused(&self) {
        let statistics = self.statistics();
        assert!(!statistics.is_initializing);
        assert_eq!(statistics.waiting, 0);
        assert!(self.get().is_some() || self.set(1).is_ok());
    }
}

const INIT: &[Step<Op>] = &[Do(Op::Init), Do(Op::Get)];
const FAIL: &[Step<Op>] = &[Do(Op::Fail), Do(Op::Get)];
const WAIT: &[Step<Op>] = &[Do(Op::Wait), Do(Op::Get)];

#[test]
fn who_comes_first_makes_the_value() {
    for scripts in [
        &[INIT, INIT, INIT] as &[&[_]],
        &[FAIL, INIT, WAIT],
        &[FAIL, FAIL, INIT],
    ] {
        Scenario::<OnceCell> {
            name: "once cell: who comes first makes the value",
            make: Default::default,
            scripts,
            acts: &[],
            faults: 2,
            at_least: 12_000,
        }
        .explore();
    }
}

#[test]
fn value_is_set_from_outside() {
    Scenario::<OnceCell> {
        name: "once cell: value is set from outside",
        make: Default::default,
        scripts: &[FAIL, INIT, WAIT],
        acts: &[Op::Set],
        faults: 1,
        at_least: 51_000,
    }
    .explore();
}
