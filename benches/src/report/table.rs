//! The table: a row per figure, printed as soon as it is known.

use std::fmt::Write;

use super::{names, pairs};
use crate::contestants::Contestant;
use crate::runner::{Gap, Outcome, Series};

/// The layout of the table for given contestants.
#[derive(Clone, Debug)]
pub struct Table {
    names: Vec<&'static str>,
}

impl Table {
    /// Makes a table with a column for each contestant, and one for the last beside each other.
    pub fn new(contestants: &[Box<dyn Contestant>]) -> Self {
        Self {
            names: names(contestants),
        }
    }

    /// Returns the header.
    pub fn header(&self) -> String {
        let mut line = format!("{:<11} {:<12} {:<6}", "benchmark", "figure", "unit");
        for name in &self.names {
            pad(&mut line, name, name.len().max(VALUE_WIDTH));
        }
        for title in self.ratio_titles() {
            pad(&mut line, &title, title.len());
        }
        pad(&mut line, "spread", SPREAD_WIDTH);
        let rule = "-".repeat(line.len());
        format!("{line}\n{rule}\n")
    }

    /// Returns the rows of one benchmark.
    pub fn rows(&self, outcome: &Outcome) -> String {
        let mut text = String::new();
        let mut name = outcome.benchmark.name;
        for (metric, series) in outcome.benchmark.metrics.iter().zip(&outcome.series) {
            let figure = if metric.more_is_better {
                format!("{} +", metric.name)
            } else {
                metric.name.to_owned()
            };
            text += &self.row([name, &figure, metric.unit], series, spread(series));
            name = "";
        }
        text
    }

    /// Returns the row of a benchmark's instruction counts, one per contestant.
    pub fn instructions(&self, benchmark: &str, counts: &[Option<f64>]) -> String {
        let series: Vec<Series> = self
            .names
            .iter()
            .zip(counts)
            .map(|(contestant, count)| Series {
                contestant,
                values: count.iter().copied().collect(),
            })
            .collect();
        self.row([benchmark, "user instr.", "each"], &series, None)
    }

    fn row(
        &self,
        [name, figure, unit]: [&str; 3],
        series: &[Series],
        spread: Option<f64>,
    ) -> String {
        let mut line = format!("{name:<11} {figure:<12.12} {unit:<6}");
        for (column, name) in series.iter().zip(&self.names) {
            let value = column.median().map_or_else(gap, show);
            pad(&mut line, &value, name.len().max(VALUE_WIDTH));
        }
        for (title, (own, other)) in self.ratio_titles().zip(self.pairs()) {
            let ratio = series[own].ratio_to(&series[other]);
            let ratio = ratio.map_or_else(gap, |ratio| format!("{ratio:.2}"));
            pad(&mut line, &ratio, title.len());
        }
        let spread = spread.map_or_else(gap, |spread| format!("{spread:.0} %"));
        pad(&mut line, &spread, SPREAD_WIDTH);
        line.push('\n');
        line
    }

    fn ratio_titles(&self) -> impl Iterator<Item = String> {
        self.pairs()
            .map(|(own, other)| format!("{}/{}", self.names[own], self.names[other]))
    }

    /// Returns those of all pairs that compare the last contestant, whom the table is about.
    fn pairs(&self) -> impl Iterator<Item = (usize, usize)> {
        let count = self.names.len();
        pairs(count).filter(move |&(own, _)| own + 1 == count)
    }
}

/// What one needs to know to read the table.
pub const LEGEND: &str = "\
medians of the rounds; a ratio is the median of the ratios within each round; less is better except
where marked +; spread: (largest - smallest) / median of the most restless contestant
";

/// Returns a line for each reason why a contestant has gaps.
pub fn gaps(gaps: &[Gap]) -> String {
    let mut lines: Vec<(String, String)> = Vec::new();
    for gap in gaps {
        let who = format!("-: {} {}", gap.contestant, gap.reason);
        match lines.iter_mut().find(|(known, _)| *known == who) {
            Some((_, where_)) => *where_ += &format!(", {}", gap.benchmark),
            None => lines.push((who, gap.benchmark.to_owned())),
        }
    }
    let line = |(who, where_)| format!("{who} ({where_})\n");
    lines.into_iter().map(line).collect()
}

/// Returns the widest relative range of all contestants, in per cent.
fn spread(series: &[Series]) -> Option<f64> {
    let relative = |series: &Series| {
        let (min, max) = series.range()?;
        Some((max - min) / series.median()? * 100.0)
    };
    series.iter().filter_map(relative).reduce(f64::max)
}

/// Writes a figure with about three digits.
fn show(value: f64) -> String {
    match value {
        value if value >= 99.95 => format!("{value:.0}"),
        value if value >= 9.995 => format!("{value:.1}"),
        value => format!("{value:.2}"),
    }
}

fn gap() -> String {
    "-".to_owned()
}

fn pad(line: &mut String, text: &str, width: usize) {
    write!(line, "  {text:>width$}").expect("a string takes everything");
}

const VALUE_WIDTH: usize = 8;
const SPREAD_WIDTH: usize = 6;
