//! Turns and rounds: who does what when.
//!
//! In each round every contestant has one turn, and every round begins with the next contestant, so
//! that drift of the machine hits all alike. A first round warms caches up and is not counted. A
//! turn runs on a fresh thread bound to the server's core.

use std::io;
use std::thread;

use crate::benchmarks::{Benchmark, Setting};
use crate::contestants::Contestant;
use crate::process;
use crate::progress::Progress;
use crate::samples;

/// All counted figures of one benchmark.
#[derive(Debug)]
#[non_exhaustive]
pub struct Outcome {
    /// What was measured.
    pub benchmark: &'static Benchmark,
    /// For each metric, a series per contestant.
    pub series: Vec<Vec<Series>>,
    /// Who does not do this work, and why.
    pub gaps: Vec<Gap>,
}

/// A contestant that does not do some work.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Gap {
    /// What is not done.
    pub benchmark: &'static str,
    /// The contestant's name.
    pub contestant: &'static str,
    /// Why.
    pub reason: String,
}

impl Outcome {
    fn has_gap(&self, contestant: &str) -> bool {
        self.gaps.iter().any(|gap| gap.contestant == contestant)
    }
}

/// One contestant's figures of one metric, one per round; none if it does not do this work.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Series {
    /// The contestant's name.
    pub contestant: &'static str,
    /// The figures, in the order of the rounds.
    pub values: Vec<f64>,
}

impl Series {
    /// Returns the median figure.
    pub fn median(&self) -> Option<f64> {
        samples::median(&self.values)
    }

    /// Returns the smallest and the largest figure.
    pub fn range(&self) -> Option<(f64, f64)> {
        let min = self.values.iter().copied().reduce(f64::min)?;
        let max = self.values.iter().copied().reduce(f64::max)?;
        Some((min, max))
    }

    /// Returns the median over the rounds of this contestant's figure divided by the other's.
    ///
    /// Both figures of a ratio come from the same round, so that slow drift cancels out.
    pub fn ratio_to(&self, other: &Self) -> Option<f64> {
        let pairs = self.values.iter().zip(&other.values);
        let ratios: Vec<f64> = pairs.map(|(own, other)| own / other).collect();
        samples::median(&ratios).filter(|ratio| ratio.is_finite())
    }
}

/// Runs `benchmark` for `rounds` rounds.
///
/// # Errors
///
/// What a contestant says, with its name and the benchmark's.
pub fn run(
    benchmark: &'static Benchmark,
    contestants: &[Box<dyn Contestant>],
    setting: &Setting,
    rounds: usize,
    progress: &mut Progress,
) -> io::Result<Outcome> {
    let row = || -> Vec<Series> {
        let names = contestants.iter().map(|contestant| contestant.name());
        names
            .map(|contestant| Series {
                contestant,
                values: Vec::new(),
            })
            .collect()
    };
    let mut outcome = Outcome {
        benchmark,
        series: benchmark.metrics.iter().map(|_| row()).collect(),
        gaps: Vec::new(),
    };
    for round in 0..=rounds {
        for place in 0..contestants.len() {
            let index = (round + place) % contestants.len();
            let contestant = &*contestants[index];
            if outcome.has_gap(contestant.name()) {
                continue;
            }
            progress.turn(benchmark.name, contestant.name(), round, rounds);
            let figures = match turn(benchmark, contestant, setting)? {
                Ok(figures) => figures,
                Err(reason) => {
                    outcome.gaps.push(Gap {
                        benchmark: benchmark.name,
                        contestant: contestant.name(),
                        reason,
                    });
                    continue;
                }
            };
            if round > 0 {
                for (row, figure) in outcome.series.iter_mut().zip(figures) {
                    // What is not a number is a gap in one row only.
                    if !figure.is_nan() {
                        row[index].values.push(figure);
                    }
                }
            }
        }
    }
    Ok(outcome)
}

/// Does one turn; a reason instead of figures if the contestant does not do this work.
fn turn(
    benchmark: &Benchmark,
    contestant: &dyn Contestant,
    setting: &Setting,
) -> io::Result<Result<Vec<f64>, String>> {
    let result = thread::scope(|scope| {
        let turn = scope.spawn(|| {
            process::pin(setting.cores.server)?;
            benchmark.turn(contestant, setting)
        });
        turn.join()
            .unwrap_or_else(|_| Err(io::Error::other("panicked")))
    });
    match result {
        Err(error) if error.kind() == io::ErrorKind::Unsupported => Ok(Err(error.to_string())),
        Err(error) => {
            let message = format!("{}, {}: {error}", benchmark.name, contestant.name());
            Err(io::Error::new(error.kind(), message))
        }
        Ok(figures) => Ok(Ok(figures)),
    }
}

#[cfg(test)]
mod tests;
