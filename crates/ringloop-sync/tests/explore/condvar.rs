//! The condition variable.

use std::collections::VecDeque;
use std::mem;

use ringloop_sync::{MutexGuard, hosted};

use crate::explorer::Scenario;
use crate::explorer::Step::{self, Do, Yield};
use crate::model::{Grants, Model, Progress, Subject};
use crate::test_host::{Cancelled, TestHost};

#[derive(Debug, Default)]
pub(crate) struct Room {
    mutex: hosted::Mutex<(), TestHost>,
    condvar: hosted::Condvar<TestHost>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Op {
    Lock,
    Unlock,
    /// Gives the lock up until somebody notifies.
    Wait,
    NotifyOne,
    Notify(usize),
    NotifyAll,
}

/// What a task waits for, or was granted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Wait {
    /// The lock, and nothing else.
    #[default]
    Lock,
    Notice(Notice),
    /// The lock, because of a notice.
    Relock(Notice),
    /// The lock, because it was cancelled.
    Cancelled,
}

/// Whom somebody has told to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Notice {
    /// One, so if that one is gone, another.
    One,
    All,
}

/// Who has the lock, who waits for it, who waits for a notice.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    owner: Option<usize>,
    for_lock: VecDeque<usize>,
    for_notice: VecDeque<usize>,
    waits: [Wait; 4],
}

impl Lines {
    fn pass_lock_on(&mut self, grants: &mut Grants) {
        self.owner = self.for_lock.pop_front();
        self.owner.into_iter().for_each(|who| grants.to(who));
    }

    /// Returns whether the lock was free.
    fn lock(&mut self, who: usize) -> bool {
        let is_free = self.owner.is_none();
        if is_free {
            self.owner = Some(who);
        } else {
            self.for_lock.push_back(who);
        }
        is_free
    }

    fn notify(&mut self, count: usize, notice: Notice, grants: &mut Grants) {
        for _ in 0..count {
            if let Some(who) = self.for_notice.pop_front() {
                self.waits[who] = Wait::Notice(notice);
                grants.to(who);
            }
        }
    }

    fn pass_notice_on(&mut self, who: usize, grants: &mut Grants) {
        if let Wait::Notice(Notice::One) | Wait::Relock(Notice::One) = self.waits[who] {
            self.notify(1, Notice::One, grants);
        }
        self.waits[who] = Wait::Lock;
    }
}

impl Model for Lines {
    type Op = Op;
    /// Whether the task has the lock.
    type Out = bool;

    fn is_wait(op: Op) -> bool {
        matches!(op, Op::Lock | Op::Wait)
    }

    fn begin(&mut self, who: usize, op: Op, grants: &mut Grants) {
        match op {
            Op::Lock if self.lock(who) => {}
            Op::Lock => return,
            Op::Wait => {
                self.for_notice.push_back(who);
                return self.pass_lock_on(grants);
            }
            Op::Unlock => self.end(who, grants),
            Op::NotifyOne => self.notify(1, Notice::One, grants),
            Op::Notify(count) => self.notify(count, Notice::One, grants),
            Op::NotifyAll => self.notify(self.for_notice.len(), Notice::All, grants),
        }
        grants.to(who);
    }

    fn come(&mut self, who: usize, grants: &mut Grants) -> Progress<bool> {
        if let Wait::Notice(notice) = self.waits[who]
            && !self.lock(who)
        {
            self.waits[who] = Wait::Relock(notice);
            return Progress::Waits;
        }
        Progress::Done(match mem::take(&mut self.waits[who]) {
            Wait::Cancelled => Err(Cancelled),
            Wait::Lock | Wait::Notice(_) | Wait::Relock(_) => Ok(self.take(who, grants)),
        })
    }

    fn take(&mut self, who: usize, _: &mut Grants) -> bool {
        self.owner == Some(who)
    }

    fn withdraw(&mut self, who: usize, grants: &mut Grants) {
        self.for_lock.retain(|&other| other != who);
        self.for_notice.retain(|&other| other != who);
        self.pass_notice_on(who, grants);
    }

    fn refuse(&mut self, who: usize, grants: &mut Grants) {
        self.end(who, grants);
        self.pass_notice_on(who, grants);
    }

    fn end(&mut self, who: usize, grants: &mut Grants) {
        if self.owner == Some(who) {
            self.pass_lock_on(grants);
        }
    }

    fn cancel(&mut self, who: usize, grants: &mut Grants) -> bool {
        if self.for_notice.contains(&who) {
            self.for_notice.retain(|&other| other != who);
            // It has the lock when it hears of it.
            let is_over = self.lock(who);
            self.waits[who] = if is_over { Wait::Lock } else { Wait::Cancelled };
            return is_over;
        }
        let is_over = self.waits[who] == Wait::Lock;
        if is_over {
            self.withdraw(who, grants);
        }
        is_over
    }
}

impl Subject for Room {
    type Model = Lines;
    type Hand<'a> = Option<MutexGuard<'a, ()>>;

    async fn perform<'a>(
        &'a self,
        op: Op,
        hand: &mut Option<MutexGuard<'a, ()>>,
    ) -> Result<bool, Cancelled> {
        match op {
            Op::Lock => *hand = Some(self.mutex.lock().await?),
            Op::Unlock => *hand = None,
            Op::Wait => {
                let held = hand.take().expect("the script has locked");
                let (guard, outcome) = self.condvar.wait(held).await;
                *hand = Some(guard);
                outcome?;
            }
            Op::NotifyOne => self.condvar.notify_one(),
            Op::Notify(count) => self.condvar.notify(count),
            Op::NotifyAll => self.condvar.notify_all(),
        }
        Ok(hand.is_some())
    }

    fn peek(&self) {
        let _ = (self.mutex.statistics(), self.condvar.statistics());
    }

    fn check(&self, model: &Lines) {
        let statistics = self.mutex.statistics();
        assert_eq!(statistics.is_locked, model.owner.is_some());
        assert_eq!(statistics.waiting, model.for_lock.len());
        assert_eq!(self.condvar.statistics().waiting, model.for_notice.len());
    }

    fn check_unused(&self) {
        self.check(&Lines::default());
        assert!(self.mutex.try_lock().is_some());
    }
}

const WAIT: &[Step<Op>] = &[Do(Op::Lock), Do(Op::Wait), Do(Op::Unlock)];
const NOTIFY_LOCKED: &[Step<Op>] = &[
    Do(Op::Lock),
    Yield,
    Do(Op::NotifyOne),
    Yield,
    Do(Op::Unlock),
];

#[test]
fn two_wait_and_one_notifies_with_the_lock() {
    Scenario::<Room> {
        name: "condvar: two wait and one notifies with the lock",
        make: Default::default,
        scripts: &[WAIT, WAIT, NOTIFY_LOCKED],
        acts: &[],
        faults: 1,
        at_least: 8100,
    }
    .explore();
}

#[test]
fn two_wait_and_are_notified_from_outside() {
    for (acts, faults) in [
        (&[Op::NotifyOne, Op::NotifyOne] as &[_], 2),
        (&[Op::Notify(2)], 2),
        (&[Op::NotifyAll], 2),
        (&[Op::Lock, Op::NotifyAll, Op::Unlock], 1),
    ] {
        Scenario::<Room> {
            name: "condvar: two wait and are notified from outside",
            make: Default::default,
            scripts: &[WAIT, WAIT],
            acts,
            faults,
            at_least: 8300,
        }
        .explore();
    }
}

#[test]
fn three_wait() {
    Scenario::<Room> {
        name: "condvar: three wait",
        make: Default::default,
        scripts: &[WAIT, WAIT, WAIT],
        acts: &[Op::Notify(2)],
        faults: 1,
        at_least: 52_000,
    }
    .explore();
}

/// What those do at once who are woken by what others do.
#[test]
fn all_are_quick() {
    const NOTIFY: &[Step<Op>] = &[Do(Op::Lock), Do(Op::NotifyOne), Do(Op::Unlock)];
    const WAIT_AND_NOTIFY: &[Step<Op>] = &[Do(Op::Lock), Do(Op::Wait), Do(Op::NotifyAll)];
    Scenario::<Room> {
        name: "condvar: all are quick",
        make: Default::default,
        scripts: &[WAIT, WAIT_AND_NOTIFY, NOTIFY],
        acts: &[],
        faults: 2,
        at_least: 2800,
    }
    .explore();
    // The first waits with the lock, and the second has it when the first gives it up.
    Scenario::<Room> {
        name: "condvar: all are quick",
        make: Default::default,
        scripts: &[&[Do(Op::Lock), Yield, Do(Op::Wait)], NOTIFY, WAIT],
        acts: &[],
        faults: 1,
        at_least: 2800,
    }
    .explore();
}
