//! Tasks that wait for each other's locks, in debug mode: each circle is reported once, when it is
//! closed, and nothing else is.

use std::cell::Cell;
use std::collections::VecDeque;
use std::panic::Location;
use std::task::{Context, Poll, Waker};

use ringloop_sync::deadlock::{Deadlock, TaskLabel};
use ringloop_sync::{Host, MutexGuard, RwLockReadGuard, RwLockWriteGuard, hosted};

use crate::crew::Crew;
use crate::explorer::Scenario;
use crate::explorer::Step::{self, Do, Yield};
use crate::model::{Grants, Model, Subject};
use crate::test_host::{Cancelled, TestHost};

/// The host of the tests, in debug mode.
#[derive(Debug)]
pub(crate) enum DebugHost {}

thread_local! {
    static REPORTS: Cell<usize> = const { Cell::new(0) };
}

impl Host for DebugHost {
    type Watch = ();
    type Cancelled = Cancelled;
    type Outcome<T> = Result<T, Cancelled>;

    fn watch(at: &'static Location<'static>) {
        TestHost::watch(at);
    }

    fn poll_begin(watch: &mut (), cx: &mut Context<'_>) -> Poll<Result<(), Cancelled>> {
        TestHost::poll_begin(watch, cx)
    }

    fn poll_cancelled(watch: &mut (), cx: &mut Context<'_>) -> Result<(), Cancelled> {
        TestHost::poll_cancelled(watch, cx)
    }

    fn task(_: Option<&Waker>) -> Option<TaskLabel> {
        Crew::current().map(|who| TaskLabel::new(who as u64, None))
    }

    fn report(deadlock: &Deadlock) {
        assert!(!deadlock.circle.is_empty());
        REPORTS.set(REPORTS.get() + 1);
    }

    fn outcome<T>(result: Result<T, Cancelled>) -> Result<T, Cancelled> {
        result
    }
}

#[derive(Debug, Default)]
pub(crate) struct Locks {
    mutexes: [hosted::Mutex<(), DebugHost>; 2],
    /// The third one.
    last: hosted::RwLock<(), DebugHost>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Op {
    /// Locks a mutex, or the last one for writing.
    Lock(usize),
    /// Locks the last one for reading.
    Read,
    Unlock(usize),
}

/// Who has a lock, and who waits for it.
#[derive(Debug, Default)]
struct Line {
    holders: Vec<Holder>,
    waiting: VecDeque<(usize, bool)>,
}

#[derive(Debug)]
struct Holder {
    who: usize,
    reads: bool,
    /// Whether it has come for the lock. Until then it is about to go on, whatever it waits for.
    has_come: bool,
}

impl Line {
    fn admit(&mut self, grants: &mut Grants) {
        while let Some(&(who, reads)) = self.waiting.front()
            && (self.holders.is_empty() || reads && self.holders.iter().all(|held| held.reads))
        {
            self.waiting.pop_front();
            self.holders.push(Holder {
                who,
                reads,
                has_come: false,
            });
            grants.to(who);
        }
    }

    fn is_waited_for_by(&self, who: usize) -> bool {
        self.waiting.iter().any(|&(other, _)| other == who)
    }

    fn release(&mut self, who: usize, grants: &mut Grants) {
        self.holders.retain(|held| held.who != who);
        self.admit(grants);
    }
}

/// The locks, and how many circles there were.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    lines: [Line; 3],
    circles: usize,
}

impl Lines {
    /// Whether `who` waits, over however many others, for `whom`.
    fn waits_for(&self, who: usize, whom: usize, seen: &mut Vec<usize>) -> bool {
        let lines = self.lines.iter();
        let mut owners = lines
            .filter(|line| line.is_waited_for_by(who))
            .flat_map(|line| line.holders.iter().filter(|held| held.has_come));
        owners.any(|owner| {
            let is_new = !seen.contains(&owner.who);
            seen.push(owner.who);
            owner.who == whom || is_new && self.waits_for(owner.who, whom, seen)
        })
    }
}

impl Model for Lines {
    type Op = Op;
    type Out = ();

    fn is_wait(op: Op) -> bool {
        matches!(op, Op::Lock(_) | Op::Read)
    }

    fn begin(&mut self, who: usize, op: Op, grants: &mut Grants) {
        let (place, reads) = match op {
            Op::Lock(place) => (place, false),
            Op::Read => (LAST, true),
            Op::Unlock(place) => {
                self.lines[place].release(who, grants);
                return grants.to(who);
            }
        };
        self.lines[place].waiting.push_back((who, reads));
        self.lines[place].admit(grants);
        if self.waits_for(who, who, &mut Vec::new()) {
            self.circles += 1;
        }
    }

    fn take(&mut self, who: usize, _: &mut Grants) {
        let holders = self.lines.iter_mut().flat_map(|line| &mut line.holders);
        for holder in holders.filter(|held| held.who == who) {
            holder.has_come = true;
        }
    }

    fn withdraw(&mut self, who: usize, grants: &mut Grants) {
        for line in &mut self.lines {
            line.waiting.retain(|&(other, _)| other != who);
            line.admit(grants);
        }
    }

    fn refuse(&mut self, who: usize, grants: &mut Grants) {
        for line in &mut self.lines {
            line.holders.retain(|held| held.who != who || held.has_come);
            line.admit(grants);
        }
    }

    fn end(&mut self, who: usize, grants: &mut Grants) {
        for line in &mut self.lines {
            line.release(who, grants);
        }
    }
}

/// The locks of a task, by their places.
#[derive(Default)]
pub(crate) struct Hand<'a> {
    mutexes: [Option<MutexGuard<'a, ()>>; 2],
    write: Option<RwLockWriteGuard<'a, ()>>,
    read: Option<RwLockReadGuard<'a, ()>>,
}

impl Subject for Locks {
    type Model = Lines;
    type Hand<'a> = Hand<'a>;

    async fn perform<'a>(&'a self, op: Op, hand: &mut Hand<'a>) -> Result<(), Cancelled> {
        match op {
            Op::Lock(LAST) => hand.write = Some(self.last.write().await?),
            Op::Lock(place) => hand.mutexes[place] = Some(self.mutexes[place].lock().await?),
            Op::Read => hand.read = Some(self.last.read().await?),
            Op::Unlock(LAST) => (hand.write, hand.read) = (None, None),
            Op::Unlock(place) => hand.mutexes[place] = None,
        }
        Ok(())
    }

    fn peek(&self) {
        let _ = (self.mutexes[0].statistics(), self.last.statistics());
    }

    fn check(&self, model: &Lines) {
        assert_eq!(REPORTS.get(), model.circles, "reports, by {model:?}");
    }

    fn check_unused(&self) {
        assert!(self.mutexes.iter().all(|mutex| mutex.try_lock().is_some()));
        assert!(self.last.try_write().is_some());
    }
}

fn explore(
    name: &'static str,
    scripts: &'static [&'static [Step<Op>]],
    faults: usize,
    at_least: usize,
) {
    Scenario::<Locks> {
        name,
        make: || {
            REPORTS.set(0);
            Default::default()
        },
        scripts,
        acts: &[],
        faults,
        at_least,
    }
    .explore();
}

const LAST: usize = 2;
const FORTH: &[Step<Op>] = &[Do(Op::Lock(0)), Yield, Do(Op::Lock(1))];
const BACK: &[Step<Op>] = &[Do(Op::Lock(1)), Yield, Do(Op::Lock(0))];

#[test]
fn two_lock_in_different_orders() {
    const ONE: &[Step<Op>] = &[Do(Op::Lock(1)), Yield, Do(Op::Unlock(1))];
    explore("deadlock: two mutexes", &[FORTH, BACK], 3, 1000);
    explore("deadlock: two mutexes", &[FORTH, BACK, ONE], 1, 1000);
}

#[test]
fn three_lock_in_a_circle() {
    const NEXT: &[Step<Op>] = &[Do(Op::Lock(1)), Yield, Do(Op::Lock(LAST))];
    const LAST_ONE: &[Step<Op>] = &[Do(Op::Lock(LAST)), Yield, Do(Op::Lock(0))];
    explore("deadlock: three locks", &[FORTH, NEXT, LAST_ONE], 1, 1000);
}

#[test]
fn nobody_is_in_a_circle() {
    // The lock may be on its way to one who waits for it still, as far as it knows.
    const LEAVE: &[Step<Op>] = &[Do(Op::Lock(0)), Yield, Do(Op::Unlock(0)), Do(Op::Lock(1))];
    const AGAIN: &[Step<Op>] = &[Do(Op::Lock(0)), Yield, Do(Op::Unlock(0)), Do(Op::Lock(0))];
    explore("deadlock: no circle", &[FORTH, FORTH, FORTH], 1, 1000);
    explore("deadlock: no circle", &[LEAVE, BACK], 4, 1000);
    explore("deadlock: no circle", &[AGAIN, AGAIN], 4, 1000);
}

#[test]
fn readers_and_writers() {
    const READ: &[Step<Op>] = &[Do(Op::Read), Yield, Do(Op::Lock(0))];
    const WRITE: &[Step<Op>] = &[Do(Op::Lock(0)), Yield, Do(Op::Lock(LAST))];
    const TWICE: &[Step<Op>] = &[Do(Op::Read), Yield, Do(Op::Lock(LAST))];
    explore(
        "deadlock: readers and a writer",
        &[READ, READ, WRITE],
        1,
        1000,
    );
    explore(
        "deadlock: two read and want to write",
        &[TWICE, TWICE, READ],
        1,
        1000,
    );
}
