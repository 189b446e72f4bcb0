//! An operation in words: what it is, on which descriptor, where it stands, for how long.

use std::fmt;
use std::time::Duration;

/// What is known of an operation at one moment. Displayed: `recv on fd 7, in flight for 2.1 s`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OpReport {
    /// What the operation is called, mostly the name of the system call.
    pub name: &'static str,
    /// Where it stands.
    pub state: OpState,
    /// The descriptor, or the slot of a direct one; `None` if it works on none, or before it was
    /// submitted.
    pub fd: Option<i32>,
    /// The time since it was submitted, as exact as the system's tick (a few milliseconds).
    pub age: Duration,
}

/// Where an operation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OpState {
    /// It has not been polled.
    Unstarted,
    /// It belongs to a resource and is not under way now.
    Idle,
    /// It waits for the next park.
    Staged,
    /// The kernel has it.
    InFlight,
    /// The kernel has it, and nobody waits for it any more.
    Abandoned,
    /// It is over, and nobody has taken the result.
    Completed,
    /// Its result has been taken.
    Taken,
}

impl OpReport {
    pub(super) fn new(name: &'static str, state: OpState, fd: Option<i32>, age: Duration) -> Self {
        Self {
            name,
            state,
            fd: fd.filter(|&fd| fd >= 0),
            age,
        }
    }
}

impl fmt::Display for OpReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)?;
        if let Some(fd) = self.fd {
            write!(f, " on fd {fd}")?;
        }
        write!(f, ", {}", self.state)?;
        if matches!(self.state, OpState::InFlight | OpState::Abandoned) {
            write!(f, " for {:.1} s", self.age.as_secs_f64())?;
        }
        Ok(())
    }
}

impl fmt::Display for OpState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unstarted => "not started",
            Self::Idle => "idle",
            Self::Staged => "staged",
            Self::InFlight => "in flight",
            Self::Abandoned => "abandoned in flight",
            Self::Completed => "completed",
            Self::Taken => "taken",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{OpReport, OpState};
    use std::time::Duration;

    #[test]
    fn a_report_reads_like_a_sentence() {
        let mut report = OpReport::new(
            "recv",
            OpState::InFlight,
            Some(7),
            Duration::from_millis(2100),
        );
        assert_eq!(report.to_string(), "recv on fd 7, in flight for 2.1 s");
        report.state = OpState::Completed;
        report.fd = None;
        assert_eq!(report.to_string(), "recv, completed");
    }
}
