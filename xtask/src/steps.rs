//! Steps: what a command does, one after another, each with its time and outcome.
//!
//! A failed step does not stop the command, so that one run shows everything there is to repair.
//! The closing line, `N passed, N failed`, counts steps; how many tests a step ran is in the
//! output of its test runner, which is shown as it is.

use std::process::ExitCode;
use std::time::{Duration, Instant};

/// Why a step did not pass.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// Something is wrong; the text says what.
    Failed(String),
    /// The machine has not what the step needs; the text says what.
    Skipped(String),
}

impl From<xshell::Error> for Stop {
    fn from(error: xshell::Error) -> Self {
        Self::Failed(error.to_string())
    }
}

/// The steps of one command so far.
#[derive(Debug)]
pub(crate) struct Steps {
    /// A skipped step counts as failed.
    strict: bool,
    passed: usize,
    skipped: Vec<String>,
    failed: Vec<String>,
}

impl Steps {
    pub(crate) fn new(strict: bool) -> Self {
        Self {
            strict,
            passed: 0,
            skipped: Vec::new(),
            failed: Vec::new(),
        }
    }

    /// Runs one step and prints how it ended. Returns what the step made, if it passed.
    #[expect(
        clippy::disallowed_methods,
        reason = "a chore lasts real time and runs on no driver"
    )]
    pub(crate) fn step<T>(
        &mut self,
        name: &str,
        work: impl FnOnce() -> Result<T, Stop>,
    ) -> Option<T> {
        println!("==> {name}");
        let start = Instant::now();
        let (made, outcome) = match work() {
            Ok(made) => (Some(made), Ok(())),
            Err(stop) => (None, Err(stop)),
        };
        println!("{}\n", self.record(name, start.elapsed(), outcome));
        made
    }

    /// Prints what failed or was skipped, and the closing line.
    pub(crate) fn finish(self) -> ExitCode {
        for line in self.skipped.iter().chain(&self.failed) {
            println!("{line}");
        }
        println!("{}", self.closing());
        if self.failed.is_empty() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    }

    /// Counts an outcome; returns the line that tells it.
    fn record(&mut self, name: &str, took: Duration, outcome: Result<(), Stop>) -> String {
        let seconds = took.as_secs_f64();
        match outcome {
            Ok(()) => {
                self.passed += 1;
                format!("<== {name}: passed ({seconds:.1} s)")
            }
            Err(Stop::Skipped(reason)) if !self.strict => {
                self.skipped.push(format!("skipped: {name}: {reason}"));
                format!("<== {name}: skipped: {reason} ({seconds:.1} s)")
            }
            Err(Stop::Failed(reason) | Stop::Skipped(reason)) => {
                self.failed.push(format!("failed: {name}: {reason}"));
                format!("<== {name}: failed: {reason} ({seconds:.1} s)")
            }
        }
    }

    fn closing(&self) -> String {
        let mut line = format!("{} passed, {} failed", self.passed, self.failed.len());
        if !self.skipped.is_empty() {
            line.push_str(&format!(", {} skipped", self.skipped.len()));
        }
        line
    }
}

#[cfg(test)]
mod tests;
