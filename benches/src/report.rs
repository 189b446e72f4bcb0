//! How results are shown: a table for people, JSON for programs.

mod json;
mod table;

use std::fs;

use crate::contestants::Contestant;
use crate::process::Cores;
use crate::runner::Series;

pub use json::Record;
pub use table::{LEGEND, Table, gaps};

/// The pairs of contestants that are compared: each one with all before it.
///
/// The floor is the first, so that everybody is compared with it.
fn pairs(count: usize) -> impl Iterator<Item = (usize, usize)> {
    (1..count).flat_map(|own| (0..own).map(move |other| (own, other)))
}

/// Those with whom ours are compared.
#[derive(Debug, Default)]
struct Rivals {
    /// The best of the others, the floors excepted.
    best: Option<Series>,
    /// The best of the floors.
    floor: Option<Series>,
}

impl Rivals {
    /// Finds the best among all who are neither `ours` nor floors, and among the floors.
    ///
    /// Where there are several floors, each is the one with the best median: the best of each round
    /// of many contestants would be the luckiest, on a machine where the rounds differ. Elsewhere the
    /// best is that of each round.
    fn find(series: &[Series], ours: &[usize], floors: &[usize], more_is_better: bool) -> Self {
        let others: Vec<_> = (0..series.len())
            .filter(|place| !ours.contains(place) && !floors.contains(place))
            .collect();
        let best = if floors.len() > 1 { winner } else { best };
        Self {
            best: best(series, &others, more_is_better),
            floor: winner(series, floors, more_is_better),
        }
    }
}

/// Returns the figures of the contestant whose median is the best.
fn winner(series: &[Series], among: &[usize], more_is_better: bool) -> Option<Series> {
    let key = |series: &&Series| {
        let median = series.median().unwrap_or(f64::NAN);
        if more_is_better { -median } else { median }
    };
    among
        .iter()
        .map(|&index| &series[index])
        .filter(|series| !series.values.is_empty())
        .min_by(|a, b| key(a).total_cmp(&key(b)))
        .cloned()
}

/// The least figures of several contestants, round by round, and whose median is the least.
///
/// The least of each round is at most the figure of any one.
fn best(series: &[Series], among: &[usize], more_is_better: bool) -> Option<Series> {
    let winner = winner(series, among, more_is_better)?;
    let present = || {
        let present = among.iter().map(|&index| &series[index]);
        present.filter(|series| !series.values.is_empty())
    };
    let better = if more_is_better { f64::max } else { f64::min };
    let rounds = present().map(|series| series.values.len()).min()?;
    let of_round = |round| {
        let values = present().map(|series| series.values[round]);
        values.reduce(better).unwrap_or(f64::NAN)
    };
    Some(Series {
        contestant: winner.contestant,
        values: (0..rounds).map(of_round).collect(),
    })
}

/// Where the figures come from.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Machine {
    /// The kernel's release.
    pub kernel: String,
    /// The processor's name.
    pub processor: String,
    /// The processors of both sides.
    pub cores: Cores,
}

impl Machine {
    /// Asks the kernel; what it does not tell is called unknown.
    pub fn look(cores: Cores) -> Self {
        let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        let processor = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let processor = processor
            .lines()
            .find(|line| line.starts_with("model name"));
        let processor = processor
            .and_then(|line| line.split_once(':'))
            .map(|(_, name)| name);
        let known = |text: &str| match text.trim() {
            "" => "unknown".to_owned(),
            text => text.to_owned(),
        };
        Self {
            kernel: known(&kernel),
            processor: known(processor.unwrap_or("")),
            cores,
        }
    }

    /// Describes the machine in a line or two, with a warning where figures suffer.
    pub fn describe(&self) -> String {
        let Cores { server, client } = self.cores;
        let cores = if self.cores.is_shared() {
            format!("one core ({server}) for both sides: figures show switching between them")
        } else {
            format!("loop and server on core {server}, everything else on core {client}")
        };
        let mut text = format!("Linux {}, {}; {cores}", self.kernel, self.processor);
        if cfg!(debug_assertions) {
            text.push_str("\nwarning: built without optimization, the figures mean nothing");
        }
        text
    }
}

/// Returns the contestants' names in order.
fn names(contestants: &[Box<dyn Contestant>]) -> Vec<&'static str> {
    contestants
        .iter()
        .map(|contestant| contestant.name())
        .collect()
}

#[cfg(test)]
mod tests;
