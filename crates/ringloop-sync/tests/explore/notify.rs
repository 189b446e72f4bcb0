//! The word to one task or to all.

use std::collections::VecDeque;
use std::mem;

use ringloop_sync::hosted;

use crate::explorer::Scenario;
use crate::explorer::Step::{self, Do, Yield};
use crate::model::{Grants, Model, Subject};
use crate::test_host::{Cancelled, TestHost};

type Notify = hosted::Notify<TestHost>;

#[derive(Debug, Clone, Copy)]
pub(crate) enum Op {
    Notified,
    NotifyOne,
    NotifyWaiters,
}

/// Whether a word is kept, and who waits for one.
#[derive(Debug, Default)]
pub(crate) struct Words {
    has_permit: bool,
    waiting: VecDeque<usize>,
    /// Who was granted the word to one, which somebody has to get.
    is_one: [bool; 4],
}

impl Words {
    fn notify_one(&mut self, grants: &mut Grants) {
        match self.waiting.pop_front() {
            Some(who) => {
                self.is_one[who] = true;
                grants.to(who);
            }
            None => self.has_permit = true,
        }
    }
}

impl Model for Words {
    type Op = Op;
    type Out = ();

    fn is_wait(op: Op) -> bool {
        matches!(op, Op::Notified)
    }

    fn begin(&mut self, who: usize, op: Op, grants: &mut Grants) {
        match op {
            Op::Notified if mem::take(&mut self.has_permit) => {}
            Op::Notified => return self.waiting.push_back(who),
            Op::NotifyOne => self.notify_one(grants),
            Op::NotifyWaiters => self.waiting.drain(..).for_each(|other| grants.to(other)),
        }
        grants.to(who);
    }

    fn take(&mut self, who: usize, _: &mut Grants) {
        self.is_one[who] = false;
    }

    fn withdraw(&mut self, who: usize, _: &mut Grants) {
        self.waiting.retain(|&other| other != who);
    }

    fn refuse(&mut self, who: usize, grants: &mut Grants) {
        if mem::take(&mut self.is_one[who]) {
            self.notify_one(grants);
        }
    }

    fn end(&mut self, _: usize, _: &mut Grants) {}
}

impl Subject for Notify {
    type Model = Words;
    type Hand<'a> = ();

    async fn perform(&self, op: Op, (): &mut ()) -> Result<(), Cancelled> {
        match op {
            Op::Notified => self.notified().await?,
            Op::NotifyOne => self.notify_one(),
            Op::NotifyWaiters => self.notify_waiters(),
        }
        Ok(())
    }

    fn peek(&self) {
        let _ = self.statistics();
    }

    fn check(&self, model: &Words) {
        let statistics = self.statistics();
        assert_eq!(statistics.has_permit, model.has_permit);
        assert_eq!(statistics.waiting, model.waiting.len());
    }

    fn check_unused(&self) {
        assert_eq!(self.statistics().waiting, 0);
    }
}

const TWICE: &[Step<Op>] = &[Do(Op::Notified), Do(Op::Notified)];
const PASS_ON: &[Step<Op>] = &[Do(Op::Notified), Yield, Do(Op::NotifyOne)];

#[test]
fn two_wait_for_words_from_outside() {
    for acts in [
        &[Op::NotifyOne, Op::NotifyWaiters] as &[_],
        &[Op::NotifyWaiters, Op::NotifyOne],
        &[Op::NotifyOne, Op::NotifyOne],
    ] {
        Scenario::<Notify> {
            name: "notify: two wait for words from outside",
            make: Default::default,
            scripts: &[TWICE, PASS_ON],
            acts,
            faults: 1,
            at_least: 13_000,
        }
        .explore();
    }
}

#[test]
fn three_pass_a_word_on() {
    Scenario::<Notify> {
        name: "notify: three pass a word on",
        make: Default::default,
        scripts: &[PASS_ON, PASS_ON, &[Do(Op::NotifyOne), Do(Op::Notified)]],
        acts: &[],
        faults: 2,
        at_least: 30_000,
    }
    .explore();
}
