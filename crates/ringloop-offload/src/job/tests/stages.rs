//! A waiter that changes its mind at every stage of a job, in every way, times what the closure and
//! the waker do.
//!
//! Panics are resumed and not begun, so that the panic hook has nothing to print.

mod case;

use std::error::Error;
use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Poll, Wake, Waker};

use crate::interrupt::Interrupt;
use crate::job::{Job, Outcome, Performed, Waiter};

use case::{Case, Change, ClosureDoes, Stage, WakerDoes};

/// Counts its drops, and panics then if it is a bomb.
struct Probe {
    drops: Arc<AtomicUsize>,
    is_bomb: bool,
}

impl Drop for Probe {
    fn drop(&mut self) {
        self.drops.fetch_add(1, Ordering::Relaxed);
        if self.is_bomb {
            resume_unwind(Box::new("a bomb"));
        }
    }
}

struct Alarm {
    wakes: Arc<AtomicUsize>,
    is_bomb: bool,
}

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        self.wakes.fetch_add(1, Ordering::Relaxed);
        if self.is_bomb {
            resume_unwind(Box::new("a waker"));
        }
    }
}

/// The waiter, within reach of the closure, and what was seen.
#[derive(Default)]
struct Stand {
    waiter: Mutex<Option<Waiter<Probe>>>,
    captured: Arc<AtomicUsize>,
    results: Arc<AtomicUsize>,
    wakes: Arc<AtomicUsize>,
    runs: AtomicUsize,
    changes_that_panicked: AtomicUsize,
}

impl Stand {
    /// Changes the waiter's mind. Whoever takes a closure drops it, and has its panic.
    fn change(&self, case: Case) {
        let mut waiter = self.waiter.lock().unwrap().take();
        let changed = catch_unwind(AssertUnwindSafe(|| {
            let waiter = &mut waiter;
            match case.change {
                Change::Cancel => assert_eq!(cancel(waiter, None), case.withdraws()),
                Change::CancelWith => assert_eq!(cancel(waiter, Some("why")), case.withdraws()),
                Change::Drop => drop(waiter.take()),
                Change::Abandon => {
                    let cancelled = catch_unwind(AssertUnwindSafe(|| cancel(waiter, Some("why"))));
                    drop(waiter.take());
                    cancelled.map_or_else(|payload| resume_unwind(payload), drop);
                }
                Change::Forget => {
                    let _forgotten = ManuallyDrop::new(waiter.take());
                }
            }
        }));
        match changed {
            Ok(()) => {}
            Err(payload) if payload.downcast_ref() == Some(&"a bomb") => {
                self.changes_that_panicked.fetch_add(1, Ordering::Relaxed);
            }
            Err(payload) => resume_unwind(payload),
        }
        *self.waiter.lock().unwrap() = waiter;
    }

    fn poll(&self, waker: &Waker) -> Poll<Outcome<Probe>> {
        self.waiter.lock().unwrap().as_mut().unwrap().poll(waker)
    }

    /// What the closure does while it runs.
    fn body(&self, case: Case) {
        self.runs.fetch_add(1, Ordering::Relaxed);
        if case.stage == Stage::RunningBeforeItLooks {
            self.change(case);
        }
        let asked = case.stage == Stage::RunningBeforeItLooks && case.change != Change::Forget;
        check_interrupt(case, asked);
        if case.stage == Stage::RunningAfterItLooked {
            self.change(case);
            check_interrupt(case, case.change != Change::Forget);
        }
        if case.closure == ClosureDoes::Panic {
            resume_unwind(Box::new("as told"));
        }
    }
}

fn cancel(waiter: &Option<Waiter<Probe>>, reason: Option<&str>) -> bool {
    let reason = reason.map(|reason| Box::<dyn Error + Send + Sync>::from(reason).into());
    waiter.as_ref().unwrap().cancel(reason)
}

fn check_interrupt(case: Case, asked: bool) {
    let interrupt = Interrupt::current();
    assert_eq!(interrupt.is_requested(), asked, "{case:?}");
    let reason = interrupt.reason().map(|reason| reason.to_string());
    let gives_one = matches!(case.change, Change::CancelWith | Change::Abandon);
    assert_eq!(
        reason.as_deref(),
        (asked && gives_one).then_some("why"),
        "{case:?}"
    );
}

fn check_outcome(case: Case, outcome: Outcome<Probe>) {
    match outcome {
        Ok(probe) => {
            assert!(case.runs() && !case.panics(), "{case:?}");
            let dropped = catch_unwind(AssertUnwindSafe(|| drop(probe)));
            assert_eq!(dropped.is_err(), case.closure == ClosureDoes::ReturnABomb);
        }
        Err(error) if error.is_panic() => {
            let told = match case.closure {
                ClosureDoes::CaptureABomb => "a bomb",
                ClosureDoes::Return | ClosureDoes::Panic | ClosureDoes::ReturnABomb => "as told",
            };
            assert_eq!(error.panic_message(), Some(told), "{case:?}");
            assert!(case.panics() && !case.withdraws(), "{case:?}");
        }
        Err(error) if error.is_cancelled() => {
            assert!(case.withdraws(), "{case:?}");
            let source = error.source().map(ToString::to_string);
            let reason = (case.change == Change::CancelWith).then_some("why");
            assert_eq!(source.as_deref(), reason, "{case:?}");
        }
        Err(error) => {
            assert!(
                error.is_rejected() && case.stage == Stage::Refused,
                "{case:?}"
            );
            assert_eq!(error.source().unwrap().to_string(), "closed");
        }
    }
}

/// The allocation of a job whose waiter is forgotten is lost, and so is what it returns.
fn check_perhaps_forgotten(case: Case) {
    let stand = Arc::new(Stand::default());
    let captured = Probe {
        drops: Arc::clone(&stand.captured),
        is_bomb: case.closure == ClosureDoes::CaptureABomb,
    };
    let (job, waiter) = Job::new(None, {
        let stand = Arc::clone(&stand);
        move || {
            let _captured = captured;
            stand.body(case);
            Probe {
                drops: Arc::clone(&stand.results),
                is_bomb: case.closure == ClosureDoes::ReturnABomb,
            }
        }
    });
    *stand.waiter.lock().unwrap() = Some(waiter);
    let alarm = Arc::new(Alarm {
        wakes: Arc::clone(&stand.wakes),
        is_bomb: case.waker == WakerDoes::CountAndPanic,
    });
    if case.waker != WakerDoes::NotExist {
        assert!(stand.poll(&Waker::from(Arc::clone(&alarm))).is_pending());
    }

    let performed = go(case, &stand, job);
    assert_eq!(performed, case.expected(), "{case:?}");
    if let Some(mut waiter) = stand.waiter.lock().unwrap().take()
        && case.stage != Stage::Polled
    {
        assert!(case.keeps_waiter(), "{case:?}");
        match waiter.poll(Waker::noop()) {
            Poll::Ready(outcome) => check_outcome(case, outcome),
            Poll::Pending => panic!("the waiter hangs: {case:?}"),
        }
    }

    let count = |counter: &AtomicUsize| counter.load(Ordering::Relaxed);
    assert_eq!(count(&stand.runs), usize::from(case.runs()), "{case:?}");
    assert_eq!(count(&stand.captured), 1, "{case:?}");
    let is_lost = case.change == Change::Forget && case.stage != Stage::Polled;
    let is_made = case.runs() && !case.panics();
    assert_eq!(
        count(&stand.results),
        usize::from(is_made && !is_lost),
        "{case:?}"
    );
    let wakes = case.waker != WakerDoes::NotExist && !case.goes_early();
    assert_eq!(count(&stand.wakes), usize::from(wakes), "{case:?}");
    assert_eq!(Arc::strong_count(&alarm), 1, "a waker is kept: {case:?}");
    let panicked = usize::from(case.change_panics());
    assert_eq!(count(&stand.changes_that_panicked), panicked, "{case:?}");
}

/// Takes the job through its stages.
fn go(case: Case, stand: &Stand, job: Job) -> Performed {
    let change_at = |stage| {
        if case.stage == stage {
            stand.change(case);
        }
    };
    change_at(Stage::Created);
    if case.stage == Stage::Refused {
        assert!(job.refused("closed").reject());
        stand.change(case);
        return Performed::NotRun;
    }
    change_at(Stage::Queued);
    let job = job.refused("busy").without_refusal();
    change_at(Stage::Forwarded);
    assert_eq!(job.is_cancelled(), case.withdraws(), "{case:?}");
    let performed = job.perform();
    change_at(Stage::Set);
    if case.stage == Stage::Polled {
        let Poll::Ready(outcome) = stand.poll(Waker::noop()) else {
            panic!("the waiter hangs: {case:?}");
        };
        check_outcome(case, outcome);
        stand.change(case);
    }
    performed
}

#[test]
fn a_waiter_changes_its_mind_at_every_stage() {
    let mut cases = 0;
    for stage in [
        Stage::Created,
        Stage::Refused,
        Stage::Queued,
        Stage::Forwarded,
        Stage::RunningBeforeItLooks,
        Stage::RunningAfterItLooked,
        Stage::Set,
        Stage::Polled,
    ] {
        for change in [
            Change::Cancel,
            Change::CancelWith,
            Change::Drop,
            Change::Abandon,
            Change::Forget,
        ] {
            for closure in [
                ClosureDoes::Return,
                ClosureDoes::Panic,
                ClosureDoes::ReturnABomb,
                ClosureDoes::CaptureABomb,
            ] {
                for waker in [
                    WakerDoes::NotExist,
                    WakerDoes::Count,
                    WakerDoes::CountAndPanic,
                ] {
                    check_perhaps_forgotten(Case {
                        stage,
                        change,
                        closure,
                        waker,
                    });
                    cases += 1;
                }
            }
        }
    }
    assert_eq!(cases, 8 * 5 * 4 * 3);
}
