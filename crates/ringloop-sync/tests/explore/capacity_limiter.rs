//! The limit on how many do something at once.

use std::collections::VecDeque;

use ringloop_sync::{AcquireTokenError, CapacityToken, TryAcquireTokenError, hosted};

use crate::explorer::Scenario;
use crate::explorer::Step::{self, Do, Yield};
use crate::model::{Grants, Model, Subject};
use crate::test_host::{Cancelled, TestHost};

type CapacityLimiter = hosted::CapacityLimiter<TestHost>;

#[derive(Debug, Clone, Copy)]
pub(crate) enum Op {
    Acquire,
    /// For a borrower.
    AcquireFor(u64),
    TryAcquire,
    TryAcquireFor(u64),
    GiveBack,
    SetTotal(usize),
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Out {
    #[default]
    Done,
    Token,
    NoToken,
    AlreadyBorrowed,
}

/// Who has a token, who waits for one, and for whom.
#[derive(Debug)]
pub(crate) struct Tokens {
    total: usize,
    borrowed: Vec<(usize, Option<u64>)>,
    waiting: VecDeque<(usize, Option<u64>)>,
    outs: [Out; 4],
}

impl Tokens {
    fn new(total: usize) -> Self {
        Self {
            total,
            borrowed: Vec::new(),
            waiting: VecDeque::new(),
            outs: [Out::Done; 4],
        }
    }

    fn is_known(&self, borrower: Option<u64>) -> bool {
        let mut known = self.borrowed.iter().chain(&self.waiting);
        borrower.is_some() && known.any(|&(_, other)| other == borrower)
    }

    fn hand_out(&mut self, grants: &mut Grants) {
        while self.borrowed.len() < self.total
            && let Some((who, borrower)) = self.waiting.pop_front()
        {
            self.borrowed.push((who, borrower));
            self.outs[who] = Out::Token;
            grants.to(who);
        }
    }

    fn acquire(&mut self, who: usize, borrower: Option<u64>, waits: bool, grants: &mut Grants) {
        if self.is_known(borrower) {
            self.outs[who] = Out::AlreadyBorrowed;
            return grants.to(who);
        }
        let is_there = self.waiting.is_empty() && self.borrowed.len() < self.total;
        if is_there || waits {
            self.waiting.push_back((who, borrower));
            self.hand_out(grants);
        } else {
            self.outs[who] = Out::NoToken;
            grants.to(who);
        }
    }
}

impl Model for Tokens {
    type Op = Op;
    type Out = Out;

    fn is_wait(op: Op) -> bool {
        matches!(op, Op::Acquire | Op::AcquireFor(_))
    }

    fn begin(&mut self, who: usize, op: Op, grants: &mut Grants) {
        self.outs[who] = Out::Done;
        match op {
            Op::Acquire => return self.acquire(who, None, true, grants),
            Op::AcquireFor(borrower) => return self.acquire(who, Some(borrower), true, grants),
            Op::TryAcquire => return self.acquire(who, None, false, grants),
            Op::TryAcquireFor(borrower) => return self.acquire(who, Some(borrower), false, grants),
            Op::GiveBack => self.end(who, grants),
            Op::SetTotal(total) => {
                self.total = total;
                self.hand_out(grants);
            }
        }
        grants.to(who);
    }

    fn take(&mut self, who: usize, _: &mut Grants) -> Out {
        self.outs[who]
    }

    fn withdraw(&mut self, who: usize, _: &mut Grants) {
        self.waiting.retain(|&(other, _)| other != who);
    }

    fn refuse(&mut self, who: usize, grants: &mut Grants) {
        self.end(who, grants);
    }

    fn end(&mut self, who: usize, grants: &mut Grants) {
        self.borrowed.retain(|&(other, _)| other != who);
        self.hand_out(grants);
    }
}

impl Subject for CapacityLimiter {
    type Model = Tokens;
    type Hand<'a> = Vec<CapacityToken<'a>>;

    async fn perform<'a>(
        &'a self,
        op: Op,
        hand: &mut Vec<CapacityToken<'a>>,
    ) -> Result<Out, Cancelled> {
        let token = match op {
            Op::Acquire => self.acquire().await?,
            Op::AcquireFor(borrower) => match self.acquire_on_behalf_of(borrower).await {
                Ok(token) => token,
                Err(AcquireTokenError::Cancelled(cancelled)) => return Err(cancelled),
                Err(_) => return Ok(Out::AlreadyBorrowed),
            },
            Op::TryAcquire => match self.try_acquire() {
                Some(token) => token,
                None => return Ok(Out::NoToken),
            },
            Op::TryAcquireFor(borrower) => match self.try_acquire_on_behalf_of(borrower) {
                Ok(token) => token,
                Err(TryAcquireTokenError::NoTokens) => return Ok(Out::NoToken),
                Err(_) => return Ok(Out::AlreadyBorrowed),
            },
            Op::GiveBack => {
                hand.clear();
                return Ok(Out::Done);
            }
            Op::SetTotal(total) => {
                self.set_total(total);
                return Ok(Out::Done);
            }
        };
        hand.push(token);
        Ok(Out::Token)
    }

    fn peek(&self) {
        drop((self.statistics(), self.borrowers()));
    }

    fn check(&self, model: &Tokens) {
        let statistics = self.statistics();
        assert_eq!(statistics.total, model.total);
        assert_eq!(statistics.borrowed, model.borrowed.len());
        assert_eq!(statistics.waiting, model.waiting.len());
        let mut borrowers: Vec<_> = model.borrowed.iter().filter_map(|held| held.1).collect();
        borrowers.sort_unstable();
        assert!(
            self.borrowers()
                .iter()
                .map(|known| known.get())
                .eq(borrowers)
        );
    }

    fn check_unused(&self) {
        self.check(&Tokens::new(self.total()));
        self.set_total(2);
        assert!(self.try_acquire_on_behalf_of(1).is_ok());
        assert!(self.try_acquire_on_behalf_of(2).is_ok());
    }
}

const VISIT: &[Step<Op>] = &[Do(Op::Acquire), Yield, Do(Op::GiveBack)];
const VISIT_FOR: &[Step<Op>] = &[Do(Op::AcquireFor(1)), Yield, Do(Op::GiveBack)];

#[test]
fn one_borrows_for_two() {
    const TRY: &[Step<Op>] = &[Do(Op::TryAcquireFor(1)), Yield, Do(Op::TryAcquire)];
    for scripts in [
        &[VISIT, VISIT_FOR, VISIT_FOR] as &[&[_]],
        &[VISIT, VISIT_FOR, TRY],
    ] {
        Scenario::<CapacityLimiter> {
            name: "capacity limiter: one borrows for two",
            make: || (CapacityLimiter::new(1), Tokens::new(1)),
            scripts,
            acts: &[],
            faults: 2,
            at_least: 20_000,
        }
        .explore();
    }
}

#[test]
fn total_goes_up_and_down() {
    Scenario::<CapacityLimiter> {
        name: "capacity limiter: total goes up and down",
        make: || (CapacityLimiter::new(0), Tokens::new(0)),
        scripts: &[VISIT, VISIT_FOR],
        acts: &[Op::SetTotal(2), Op::SetTotal(1)],
        faults: 1,
        at_least: 18_000,
    }
    .explore();
}

/// What those do at once who are woken by what others do.
#[test]
fn all_are_quick() {
    const QUICK: &[Step<Op>] = &[
        Do(Op::AcquireFor(1)),
        Do(Op::GiveBack),
        Do(Op::AcquireFor(2)),
    ];
    const SHRINK: &[Step<Op>] = &[
        Do(Op::Acquire),
        Do(Op::SetTotal(1)),
        Yield,
        Do(Op::GiveBack),
    ];
    const GREEDY: &[Step<Op>] = &[Do(Op::Acquire), Do(Op::TryAcquire), Do(Op::GiveBack)];
    const RESIZE: &[Step<Op>] = &[Do(Op::SetTotal(0)), Yield, Do(Op::SetTotal(2))];
    for scripts in [
        &[VISIT, VISIT, QUICK] as &[&[_]],
        &[VISIT, QUICK, SHRINK],
        &[GREEDY, GREEDY, RESIZE],
    ] {
        Scenario::<CapacityLimiter> {
            name: "capacity limiter: all are quick",
            make: || (CapacityLimiter::new(2), Tokens::new(2)),
            scripts,
            acts: &[],
            faults: 3,
            at_least: 12_000,
        }
        .explore();
    }
}
