//! The lock for many readers or one writer.

use std::collections::VecDeque;

use ringloop_sync::{RwLockReadGuard, RwLockWriteGuard, hosted};

use crate::explorer::Scenario;
use crate::explorer::Step::{self, Do, Yield};
use crate::model::{Grants, Model, Subject};
use crate::test_host::{Cancelled, TestHost};

type RwLock = hosted::RwLock<(), TestHost>;

#[derive(Debug, Clone, Copy)]
pub(crate) enum Op {
    Read,
    Write,
    TryRead,
    TryWrite,
    Downgrade,
    Unlock,
}

/// How somebody has the lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Read,
    Write,
}

/// Who has the lock, and who waits for it.
#[derive(Debug, Default)]
pub(crate) struct Line {
    holders: Vec<(usize, Access)>,
    waiting: VecDeque<(usize, Access)>,
}

impl Line {
    fn enter(&mut self, who: usize, access: Access, grants: &mut Grants) {
        self.waiting.push_back((who, access));
        self.admit(grants);
    }

    fn admit(&mut self, grants: &mut Grants) {
        while let Some(&(who, access)) = self.waiting.front()
            && self.is_free_for(access)
        {
            self.waiting.pop_front();
            self.holders.push((who, access));
            grants.to(who);
        }
    }

    fn is_free_for(&self, access: Access) -> bool {
        self.holders.is_empty()
            || access == Access::Read && self.holders.iter().all(|&(_, held)| held == Access::Read)
    }

    fn try_enter(&mut self, who: usize, access: Access) {
        if self.waiting.is_empty() && self.is_free_for(access) {
            self.holders.push((who, access));
        }
    }
}

impl Model for Line {
    type Op = Op;
    /// How the task has the lock.
    type Out = Option<Access>;

    fn is_wait(op: Op) -> bool {
        matches!(op, Op::Read | Op::Write)
    }

    fn begin(&mut self, who: usize, op: Op, grants: &mut Grants) {
        match op {
            Op::Read => return self.enter(who, Access::Read, grants),
            Op::Write => return self.enter(who, Access::Write, grants),
            Op::TryRead => self.try_enter(who, Access::Read),
            Op::TryWrite => self.try_enter(who, Access::Write),
            Op::Downgrade => {
                assert_eq!(self.holders, [(who, Access::Write)]);
                self.holders = vec![(who, Access::Read)];
                self.admit(grants);
            }
            Op::Unlock => self.end(who, grants),
        }
        grants.to(who);
    }

    fn take(&mut self, who: usize, _: &mut Grants) -> Option<Access> {
        let mut holders = self.holders.iter();
        holders
            .find(|holder| holder.0 == who)
            .map(|holder| holder.1)
    }

    fn withdraw(&mut self, who: usize, grants: &mut Grants) {
        self.waiting.retain(|&(other, _)| other != who);
        // It may have been a writer that kept readers out.
        self.admit(grants);
    }

    fn refuse(&mut self, who: usize, grants: &mut Grants) {
        self.end(who, grants);
    }

    fn end(&mut self, who: usize, grants: &mut Grants) {
        self.holders.retain(|&(other, _)| other != who);
        self.admit(grants);
    }
}

#[derive(Default)]
pub(crate) enum Hand<'a> {
    #[default]
    Empty,
    Read(#[expect(dead_code, reason = "held, not looked at")] RwLockReadGuard<'a, ()>),
    Write(RwLockWriteGuard<'a, ()>),
}

impl Subject for RwLock {
    type Model = Line;
    type Hand<'a> = Hand<'a>;

    async fn perform<'a>(
        &'a self,
        op: Op,
        hand: &mut Hand<'a>,
    ) -> Result<Option<Access>, Cancelled> {
        *hand = match op {
            Op::Read => Hand::Read(self.read().await?),
            Op::Write => Hand::Write(self.write().await?),
            Op::TryRead => self.try_read().map_or(Hand::Empty, Hand::Read),
            Op::TryWrite => self.try_write().map_or(Hand::Empty, Hand::Write),
            Op::Downgrade => match std::mem::take(hand) {
                Hand::Write(guard) => Hand::Read(guard.downgrade()),
                other @ (Hand::Empty | Hand::Read(_)) => other,
            },
            Op::Unlock => Hand::Empty,
        };
        Ok(match hand {
            Hand::Empty => None,
            Hand::Read(_) => Some(Access::Read),
            Hand::Write(_) => Some(Access::Write),
        })
    }

    fn peek(&self) {
        let _ = self.statistics();
    }

    fn check(&self, model: &Line) {
        let statistics = self.statistics();
        let count = |access| model.holders.iter().filter(|held| held.1 == access).count();
        assert_eq!(statistics.readers, count(Access::Read));
        assert_eq!(statistics.is_write_locked, count(Access::Write) == 1);
        assert_eq!(statistics.waiting, model.waiting.len());
    }

    fn check_unused(&self) {
        self.check(&Line::default());
        assert!(self.try_write().is_some());
    }
}

const READ: &[Step<Op>] = &[Do(Op::Read), Yield, Do(Op::Unlock)];
const WRITE: &[Step<Op>] = &[Do(Op::Write), Yield, Do(Op::Unlock)];
const DOWNGRADE: &[Step<Op>] = &[Do(Op::Write), Yield, Do(Op::Downgrade)];

fn explore(name: &'static str, scripts: &'static [&'static [Step<Op>]]) {
    Scenario::<RwLock> {
        name,
        make: Default::default,
        scripts,
        acts: &[],
        faults: 2,
        at_least: 5600,
    }
    .explore();
}

#[test]
fn two_read_and_one_writes() {
    explore("rw lock: two read and one writes", &[READ, WRITE, READ]);
}

#[test]
fn two_write_and_one_reads() {
    explore("rw lock: two write and one reads", &[WRITE, READ, WRITE]);
}

#[test]
fn one_downgrades() {
    explore("rw lock: one downgrades", &[READ, DOWNGRADE, READ]);
}

#[test]
fn one_only_tries() {
    const TRY: &[Step<Op>] = &[Do(Op::TryRead), Yield, Do(Op::Unlock), Do(Op::TryWrite)];
    explore("rw lock: one only tries", &[READ, WRITE, TRY]);
}

/// What those do at once who are woken by what others do.
#[test]
fn all_are_quick() {
    const READS: &[Step<Op>] = &[Do(Op::Read), Do(Op::Unlock), Do(Op::Write)];
    const WRITES: &[Step<Op>] = &[
        Do(Op::Write),
        Do(Op::Downgrade),
        Do(Op::Unlock),
        Do(Op::Read),
    ];
    explore("rw lock: all are quick", &[WRITE, READS, WRITES]);
    explore("rw lock: all are quick", &[WRITE, READS, READS]);
}
