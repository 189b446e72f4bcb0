//! The semaphore: permits for one and for many.

use std::collections::VecDeque;

use ringloop_sync::{Permit, hosted};

use crate::explorer::Scenario;
use crate::explorer::Step::{self, Do, Yield};
use crate::model::{Grants, Model, Subject};
use crate::test_host::{Cancelled, TestHost};

type Semaphore = hosted::Semaphore<TestHost>;

#[derive(Debug, Clone, Copy)]
pub(crate) enum Op {
    Acquire(usize),
    TryAcquire(usize),
    /// Gives back what the task holds.
    GiveBack,
    /// Makes permits.
    Release(usize),
    /// Ends the permits that the task holds.
    Forget,
}

/// Where the permits are.
#[derive(Debug)]
pub(crate) struct Permits {
    pub(crate) available: usize,
    pub(crate) held: [usize; 4],
    /// Who waits for how many.
    pub(crate) waiting: VecDeque<(usize, usize)>,
}

impl Permits {
    pub(crate) fn new(available: usize) -> Self {
        Self {
            available,
            held: [0; 4],
            waiting: VecDeque::new(),
        }
    }

    fn hand_out(&mut self, grants: &mut Grants) {
        while let Some(&(who, wanted)) = self.waiting.front()
            && wanted <= self.available
        {
            self.waiting.pop_front();
            self.available -= wanted;
            self.held[who] += wanted;
            grants.to(who);
        }
    }
}

impl Model for Permits {
    type Op = Op;
    /// How many the task holds.
    type Out = usize;

    fn is_wait(op: Op) -> bool {
        matches!(op, Op::Acquire(_))
    }

    fn begin(&mut self, who: usize, op: Op, grants: &mut Grants) {
        match op {
            Op::Acquire(wanted) => {
                self.waiting.push_back((who, wanted));
                return self.hand_out(grants);
            }
            Op::TryAcquire(wanted) => {
                if self.waiting.is_empty() && wanted <= self.available {
                    self.available -= wanted;
                    self.held[who] += wanted;
                }
            }
            Op::GiveBack => self.end(who, grants),
            Op::Release(more) => {
                self.available += more;
                self.hand_out(grants);
            }
            Op::Forget => self.held[who] = 0,
        }
        grants.to(who);
    }

    fn take(&mut self, who: usize, _: &mut Grants) -> usize {
        self.held[who]
    }

    fn withdraw(&mut self, who: usize, grants: &mut Grants) {
        self.waiting.retain(|&(other, _)| other != who);
        // Those behind may want less.
        self.hand_out(grants);
    }

    fn refuse(&mut self, who: usize, grants: &mut Grants) {
        self.end(who, grants);
    }

    fn end(&mut self, who: usize, grants: &mut Grants) {
        self.available += std::mem::take(&mut self.held[who]);
        self.hand_out(grants);
    }
}

impl Subject for Semaphore {
    type Model = Permits;
    type Hand<'a> = Option<Permit<'a>>;

    async fn perform<'a>(
        &'a self,
        op: Op,
        hand: &mut Option<Permit<'a>>,
    ) -> Result<usize, Cancelled> {
        match op {
            Op::Acquire(wanted) => *hand = Some(self.acquire_many(wanted).await?),
            Op::TryAcquire(wanted) => *hand = self.try_acquire_many(wanted),
            Op::GiveBack => *hand = None,
            Op::Release(more) => self.release(more).expect("it is not bounded"),
            Op::Forget => hand.take().into_iter().for_each(Permit::forget),
        }
        Ok(hand.as_ref().map_or(0, Permit::num_permits))
    }

    fn peek(&self) {
        let _ = self.statistics();
    }

    fn check(&self, model: &Permits) {
        let statistics = self.statistics();
        let held = model.held.iter().sum::<usize>();
        assert_eq!(statistics.available, model.available);
        assert_eq!(statistics.total, model.available + held);
        assert_eq!(statistics.waiting, model.waiting.len());
    }

    fn check_unused(&self) {
        let statistics = self.statistics();
        assert_eq!(statistics.available, statistics.total);
        assert_eq!(statistics.waiting, 0);
        assert!(self.try_acquire_many(statistics.total).is_some());
    }
}

const ONE: &[Step<Op>] = &[Do(Op::Acquire(1)), Yield, Do(Op::GiveBack)];
const TWO: &[Step<Op>] = &[Do(Op::Acquire(2)), Yield, Do(Op::GiveBack)];

#[test]
fn three_want_different_amounts() {
    Scenario::<Semaphore> {
        name: "semaphore: three want different amounts",
        make: || (Semaphore::new(2), Permits::new(2)),
        scripts: &[ONE, TWO, ONE],
        acts: &[],
        faults: 2,
        at_least: 24_000,
    }
    .explore();
}

#[test]
fn one_tries_between_two_who_wait() {
    Scenario::<Semaphore> {
        name: "semaphore: one tries between two who wait",
        make: || (Semaphore::new(1), Permits::new(1)),
        scripts: &[
            ONE,
            ONE,
            &[
                Do(Op::TryAcquire(1)),
                Yield,
                Do(Op::GiveBack),
                Do(Op::TryAcquire(0)),
            ],
        ],
        acts: &[],
        faults: 2,
        at_least: 24_000,
    }
    .explore();
}

#[test]
fn permits_come_from_outside() {
    Scenario::<Semaphore> {
        name: "semaphore: permits come from outside",
        make: || (Semaphore::new(0), Permits::new(0)),
        scripts: &[TWO, &[Do(Op::Acquire(1)), Do(Op::Forget)]],
        acts: &[Op::Release(1), Op::Release(2)],
        faults: 2,
        at_least: 33_000,
    }
    .explore();
}

/// What those do at once who are woken by what others do.
#[test]
fn all_are_quick() {
    const QUICK: &[Step<Op>] = &[Do(Op::Acquire(1)), Do(Op::GiveBack), Do(Op::Acquire(2))];
    for scripts in [&[TWO, QUICK, QUICK] as &[&[_]], &[ONE, ONE, QUICK]] {
        Scenario::<Semaphore> {
            name: "semaphore: all are quick",
            make: || (Semaphore::new(2), Permits::new(2)),
            scripts,
            acts: &[],
            faults: 2,
            at_least: 7400,
        }
        .explore();
    }
}
