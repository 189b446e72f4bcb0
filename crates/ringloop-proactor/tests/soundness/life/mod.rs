//! Every cell of the life table: each kind of operation, in each state, ended in each way, on the
//! kernel's ring and on simulated ones.
//!
//! The table is in the head of `src/op/mod.rs`. Whatever the cell, nothing stays in the table, no
//! descriptor stays open, every provided buffer comes home, and no memory is written after it was
//! freed (F01, F03, F06, F08, F13, F18, F27).

mod kinds;
mod scene;
pub(crate) mod stage;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use self::kinds::{KINDS, Kind};
use self::scene::{Scene, Subject};
use self::stage::{Ring, rings};
use crate::rig::{churn, sound, sound_alone};

/// Where an operation is when its end comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Unstarted,
    Staged,
    InFlight,
    /// In flight, and what completes it is in the same batch as what ends it.
    Raced,
    /// Over in the kernel, which has not said so.
    Arrived,
    /// Completed, and not taken.
    Completed,
}

const STATES: [State; 6] = [
    State::Unstarted,
    State::Staged,
    State::InFlight,
    State::Raced,
    State::Arrived,
    State::Completed,
];

/// How an operation ends.
#[derive(Clone, Copy, Debug)]
enum End {
    Drop,
    DropAndSettleLater,
    Cancel,
    CancelAndDrop,
    ProactorThenPoll,
    ProactorThenDrop,
    DropThenProactor,
    CancelThenProactor,
    ProactorInPanic,
    EverythingInPanic,
    ForgetThenProactor,
    ForgetAndGoOn,
}

/// Runs all cells with these ends.
#[track_caller]
fn cells(ends: &[End]) {
    for ring in rings() {
        for kind in KINDS {
            for state in STATES {
                for &end in ends {
                    let cell = AssertUnwindSafe(|| cell(ring, kind, state, end));
                    if let Err(panic) = catch_unwind(cell) {
                        let text = panic.downcast_ref::<String>().map(String::as_str);
                        let text = text.or(panic.downcast_ref::<&str>().copied());
                        let name = kind.name;
                        panic!("{name}, {state:?}, {end:?} on {ring:?}: {text:?}");
                    }
                }
            }
        }
    }
}

#[expect(clippy::too_many_lines, reason = "an arm for each end")]
fn cell(ring: Ring, kind: &Kind, state: State, end: End) {
    let mut scene = Scene::new(ring);
    let mut subject = Subject::new(&mut scene, kind);
    reach(&mut scene, &mut subject, state);
    match end {
        End::Drop => {
            drop(subject);
            churn();
            scene.end();
        }
        End::DropAndSettleLater => {
            scene.complete(kind);
            drop(subject);
            scene.end();
        }
        End::Cancel => {
            subject.request_cancel();
            subject.request_cancel();
            subject.finish(&mut scene);
            drop(subject);
            scene.end();
        }
        End::CancelAndDrop => {
            subject.request_cancel();
            drop(subject);
            churn();
            scene.end();
        }
        End::ProactorThenPoll => {
            scene.drop_proactor();
            churn();
            subject.assert_over(&mut scene);
        }
        End::ProactorThenDrop => {
            scene.drop_proactor();
            drop(scene);
            churn();
            drop(subject);
        }
        End::DropThenProactor => {
            drop(subject);
            scene.drop_proactor();
            churn();
        }
        End::CancelThenProactor => {
            subject.request_cancel();
            scene.drop_proactor();
            subject.assert_over(&mut scene);
        }
        End::ProactorInPanic => {
            let proactor = scene.take_proactor();
            panic_with(proactor);
            churn();
            subject.assert_over(&mut scene);
        }
        End::EverythingInPanic => panic_with((subject, scene)),
        End::ForgetThenProactor => {
            forget(subject);
            scene.drop_proactor();
            churn();
        }
        End::ForgetAndGoOn => {
            forget(subject);
            churn();
            scene.complete(kind);
            for _ in 0..5 {
                scene.turn();
            }
            churn();
            scene.drop_proactor();
        }
    }
}

fn reach(scene: &mut Scene, subject: &mut Subject<'_>, state: State) {
    if state == State::Unstarted {
        return;
    }
    assert!(subject.poll().is_pending());
    if state == State::Staged {
        return;
    }
    scene.turn();
    if state == State::InFlight {
        return;
    }
    if state == State::Arrived {
        return scene.complete_outside(subject.kind());
    }
    scene.complete(subject.kind());
    if state == State::Completed {
        scene.complete_for_sure(subject.kind(), || subject.is_woken());
    }
}

/// Drops `values` while a panic goes by.
fn panic_with<T>(values: T) {
    let panicking = catch_unwind(AssertUnwindSafe(move || {
        let _values = values;
        // Nobody wants to read about it.
        resume_unwind(Box::new("a panic goes by"));
    }));
    assert!(panicking.is_err());
}

#[expect(clippy::mem_forget, reason = "this is what is tested")]
fn forget(subject: Subject<'_>) {
    std::mem::forget(subject);
}

#[test]
fn dropping_an_operation_leaves_nothing_behind() {
    sound(|| cells(&[End::Drop, End::DropAndSettleLater]));
}

#[test]
fn cancelling_an_operation_leaves_nothing_behind() {
    sound(|| cells(&[End::Cancel, End::CancelAndDrop]));
}

#[test]
fn a_proactor_that_goes_first_leaves_nothing_behind() {
    sound(|| cells(&[End::ProactorThenPoll, End::ProactorThenDrop]));
}

#[test]
fn a_proactor_that_goes_at_once_leaves_nothing_behind() {
    sound(|| cells(&[End::DropThenProactor, End::CancelThenProactor]));
}

#[test]
fn a_panic_that_takes_the_proactor_leaves_nothing_behind() {
    sound(|| cells(&[End::ProactorInPanic, End::EverythingInPanic]));
}

#[test]
fn an_operation_may_be_forgotten() {
    sound_alone("life::an_operation_may_be_forgotten", || {
        cells(&[End::ForgetThenProactor, End::ForgetAndGoOn]);
    });
}
