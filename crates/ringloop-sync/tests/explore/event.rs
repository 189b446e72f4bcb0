//! The event.

use std::mem;

use ringloop_sync::hosted;

use crate::explorer::Scenario;
use crate::explorer::Step::{self, Do, Yield};
use crate::model::{Grants, Model, Subject};
use crate::test_host::{Cancelled, TestHost};

type Event = hosted::Event<TestHost>;

#[derive(Debug, Clone, Copy)]
pub(crate) enum Op {
    Wait,
    Set,
    Clear,
}

/// Whether the event is set, and who waits.
#[derive(Debug, Default)]
pub(crate) struct Flag {
    pub(crate) is_set: bool,
    pub(crate) waiting: Vec<usize>,
}

impl Model for Flag {
    type Op = Op;
    type Out = ();

    fn is_wait(op: Op) -> bool {
        matches!(op, Op::Wait)
    }

    fn begin(&mut self, who: usize, op: Op, grants: &mut Grants) {
        match op {
            Op::Wait if !self.is_set => return self.waiting.push(who),
            Op::Wait => {}
            Op::Set => {
                self.is_set = true;
                let waiting = mem::take(&mut self.waiting);
                waiting.into_iter().for_each(|other| grants.to(other));
            }
            Op::Clear => self.is_set = false,
        }
        grants.to(who);
    }

    fn take(&mut self, _: usize, _: &mut Grants) {}

    fn withdraw(&mut self, who: usize, _: &mut Grants) {
        self.waiting.retain(|&other| other != who);
    }

    fn refuse(&mut self, _: usize, _: &mut Grants) {}

    fn end(&mut self, _: usize, _: &mut Grants) {}
}

impl Subject for Event {
    type Model = Flag;
    type Hand<'a> = ();

    async fn perform(&self, op: Op, (): &mut ()) -> Result<(), Cancelled> {
        match op {
            Op::Wait => self.wait().await?,
            Op::Set => self.set(),
            Op::Clear => self.clear(),
        }
        Ok(())
    }

    fn peek(&self) {
        let _ = self.statistics();
    }

    fn check(&self, model: &Flag) {
        let statistics = self.statistics();
        assert_eq!(statistics.is_set, model.is_set);
        assert_eq!(statistics.waiting, model.waiting.len());
    }

    fn check_unused(&self) {
        self.clear();
        self.check(&Flag::default());
    }
}

const TWO_WAITS: &[Step<Op>] = &[Do(Op::Wait), Do(Op::Wait)];
const WAIT_AND_CLEAR: &[Step<Op>] = &[Do(Op::Wait), Do(Op::Clear), Do(Op::Wait), Do(Op::Clear)];

#[test]
fn two_wait_while_it_is_set_and_cleared() {
    Scenario::<Event> {
        name: "event: two wait while it is set and cleared",
        make: Default::default,
        scripts: &[TWO_WAITS, WAIT_AND_CLEAR],
        acts: &[Op::Set, Op::Clear, Op::Set],
        faults: 1,
        at_least: 23_000,
    }
    .explore();
}

#[test]
fn three_wait_and_one_of_them_sets_it() {
    Scenario::<Event> {
        name: "event: three wait and one of them sets it",
        make: Default::default,
        scripts: &[
            WAIT_AND_CLEAR,
            &[Do(Op::Set), Yield, Do(Op::Wait), Do(Op::Set)],
            TWO_WAITS,
        ],
        acts: &[],
        faults: 2,
        at_least: 41_000,
    }
    .explore();
}
