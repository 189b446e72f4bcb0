//! Every way in which an executor, a closure, its handle and the body of a scope may end.

use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::sync::atomic::{AtomicUsize, Ordering};

use ringloop_offload::{Scope, ScopedJob, scope};

use crate::support::{DropProbe, Drops};

use super::{Any, EXECUTORS, ExecutorDoes};

#[derive(Clone, Copy, Debug, PartialEq)]
enum ClosureDoes {
    Return,
    Panic,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum HandleIs {
    Joined,
    JoinedByNext,
    Dropped,
    Forgotten,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum BodyDoes {
    Return,
    Panic,
}

#[expect(clippy::mem_forget, reason = "that is what is tested")]
fn forgotten<T>(value: T) {
    mem::forget(value);
}

const CLOSURES: usize = 4;

/// What the closures borrow and the test looks at.
#[derive(Default)]
struct Ledger {
    runs: [AtomicUsize; CLOSURES],
    captured: Drops,
    results: Drops,
    joins: AtomicUsize,
}

impl Ledger {
    fn check(&self, case: Case) {
        for runs in &self.runs {
            assert_eq!(runs.load(Ordering::Relaxed), 1, "{case:?}");
        }
        assert_eq!(self.captured.count(), CLOSURES, "{case:?}");
        assert_eq!(self.results.count(), case.results(), "{case:?}");
        assert_eq!(self.joins.load(Ordering::Relaxed), case.joins(), "{case:?}");
    }
}

#[derive(Clone, Copy, Debug)]
struct Case {
    executor: ExecutorDoes,
    closure: ClosureDoes,
    handle: HandleIs,
    body: BodyDoes,
}

impl Case {
    fn join(self, job: ScopedJob<'_, DropProbe>, ledger: &Ledger) {
        match (job.join(), self.closure) {
            (Ok(result), ClosureDoes::Return) => drop(result),
            (Err(error), ClosureDoes::Panic) => assert!(error.is_panic()),
            (joined, _) => panic!("joined: {}", joined.is_ok()),
        }
        ledger.joins.fetch_add(1, Ordering::Relaxed);
    }

    fn fill<'scope>(self, s: &'scope Scope<'scope, '_>, ledger: &'scope Ledger) {
        let mut before = None;
        for number in 0..CLOSURES {
            let captured = ledger.captured.probe();
            let awaited = before.take();
            let job = s.spawn(move || {
                let _captured = captured;
                ledger.runs[number].fetch_add(1, Ordering::Relaxed);
                if let Some(awaited) = awaited {
                    self.join(awaited, ledger);
                }
                if self.closure == ClosureDoes::Panic {
                    panic_any(number);
                }
                ledger.results.probe()
            });
            match self.handle {
                HandleIs::Joined => self.join(job, ledger),
                HandleIs::JoinedByNext => before = Some(job),
                HandleIs::Dropped => drop(job),
                HandleIs::Forgotten => forgotten(job),
            }
        }
    }

    fn joins(self) -> usize {
        match self.handle {
            HandleIs::Joined => CLOSURES,
            HandleIs::JoinedByNext => CLOSURES - 1,
            HandleIs::Dropped | HandleIs::Forgotten => 0,
        }
    }

    fn results(self) -> usize {
        match (self.closure, self.handle) {
            (ClosureDoes::Panic, _) | (_, HandleIs::Forgotten) => 0,
            (ClosureDoes::Return, _) => CLOSURES,
        }
    }

    fn check(self) {
        let executor = Any::new(self.executor);
        let ledger = Ledger::default();
        let ended = catch_unwind(AssertUnwindSafe(|| {
            scope(&executor, |s| {
                self.fill(s, &ledger);
                if self.body == BodyDoes::Panic {
                    panic_any("the body");
                }
                "the value"
            })
        }));
        ledger.check(self);
        match ended {
            Ok(value) => {
                assert_eq!(
                    (value, self.body),
                    ("the value", BodyDoes::Return),
                    "{self:?}"
                );
                let is_all_joined = self.joins() == CLOSURES;
                assert!(
                    self.closure == ClosureDoes::Return || is_all_joined,
                    "{self:?}"
                );
            }
            Err(payload) => match payload.downcast_ref::<usize>() {
                Some(number) => {
                    assert_eq!(self.body, BodyDoes::Return, "{self:?}");
                    assert_eq!(self.closure, ClosureDoes::Panic, "{self:?}");
                    assert!(*number >= self.joins(), "it was joined: {self:?}");
                }
                None => {
                    assert_eq!(payload.downcast_ref(), Some(&"the body"), "{self:?}");
                    assert_eq!(self.body, BodyDoes::Panic, "{self:?}");
                }
            },
        }
        // What the executor has kept is empty.
        for job in executor.kept.into_inner().unwrap() {
            assert!(job.is_cancelled(), "{self:?}");
            job.run();
        }
        ledger.check(self);
    }
}

#[test]
fn every_case_ends_well_and_handles_may_be_forgotten() {
    for executor in EXECUTORS {
        for closure in [ClosureDoes::Return, ClosureDoes::Panic] {
            for handle in [
                HandleIs::Joined,
                HandleIs::JoinedByNext,
                HandleIs::Dropped,
                HandleIs::Forgotten,
            ] {
                for body in [BodyDoes::Return, BodyDoes::Panic] {
                    let case = Case {
                        executor,
                        closure,
                        handle,
                        body,
                    };
                    case.check();
                }
            }
        }
    }
}
