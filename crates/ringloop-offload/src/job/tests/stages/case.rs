//! What happens in one case, and what has to come of it.

use crate::job::Performed;

/// When the waiter changes its mind.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Stage {
    Created,
    Refused,
    Queued,
    /// Refused by one executor and taken by another.
    Forwarded,
    RunningBeforeItLooks,
    RunningAfterItLooked,
    Set,
    Polled,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Change {
    Cancel,
    CancelWith,
    Drop,
    /// Cancels first, and drops then.
    Abandon,
    Forget,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum ClosureDoes {
    Return,
    Panic,
    ReturnABomb,
    CaptureABomb,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum WakerDoes {
    /// The waiter is not polled.
    NotExist,
    Count,
    CountAndPanic,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Case {
    pub(super) stage: Stage,
    pub(super) change: Change,
    pub(super) closure: ClosureDoes,
    pub(super) waker: WakerDoes,
}

impl Case {
    /// Whether nobody had begun to run the job.
    fn is_early(self) -> bool {
        matches!(
            self.stage,
            Stage::Created | Stage::Queued | Stage::Forwarded
        )
    }

    /// Whether the waiter takes the closure.
    pub(super) fn withdraws(self) -> bool {
        self.is_early() && self.change != Change::Forget
    }

    pub(super) fn runs(self) -> bool {
        !self.withdraws() && self.stage != Stage::Refused
    }

    pub(super) fn panics(self) -> bool {
        matches!(self.closure, ClosureDoes::Panic | ClosureDoes::CaptureABomb)
    }

    /// Whether the waiter has gone before the job ends.
    pub(super) fn goes_early(self) -> bool {
        let is_running = matches!(
            self.stage,
            Stage::RunningBeforeItLooks | Stage::RunningAfterItLooked
        );
        let withdraws = self.change == Change::Drop && self.withdraws();
        withdraws || is_running && matches!(self.change, Change::Drop | Change::Abandon)
    }

    pub(super) fn keeps_waiter(self) -> bool {
        matches!(self.change, Change::Cancel | Change::CancelWith)
    }

    pub(super) fn expected(self) -> Performed {
        if !self.runs() {
            return Performed::NotRun;
        }
        Performed::Ran {
            abandoned: self.goes_early(),
            panicked: self.panics(),
        }
    }

    /// Whether the change itself has to drop a bomb.
    pub(super) fn change_panics(self) -> bool {
        let drops_it = matches!(self.change, Change::Drop | Change::Abandon);
        match self.closure {
            ClosureDoes::CaptureABomb => self.withdraws(),
            ClosureDoes::ReturnABomb => drops_it && self.stage == Stage::Set,
            ClosureDoes::Return | ClosureDoes::Panic => false,
        }
    }
}
