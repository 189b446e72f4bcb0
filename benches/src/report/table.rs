//! The table: a row per figure, printed as soon as it is known.

use std::fmt::Write;
use std::iter;

use super::{best, names};
use crate::contestants::Level;
use crate::runner::{Gap, Outcome, Series};

/// The layout of the table of one level.
#[derive(Clone, Debug)]
pub struct Table {
    names: Vec<&'static str>,
    /// The places of ours, if they are compared with the best of the others.
    ours: Option<Vec<usize>>,
    /// The place of the floor, if they are compared with that as well.
    floor: Option<usize>,
}

impl Table {
    /// Makes a table with a column for each contestant, one for each ratio, and one for the spread.
    ///
    /// The ratios are those of the last contestant to each other, or those of ours to the best of
    /// the others, with a column that names it, and to the floor if there is one.
    pub fn new(level: Level) -> Self {
        let names = names(&level.contestants());
        let place = |ours: &&str| names.iter().position(|name| name == ours);
        let ours = level
            .ours()
            .map(|ours| ours.iter().filter_map(place).collect());
        let floor = level.floor().and_then(|floor| place(&floor));
        Self { names, ours, floor }
    }

    /// Returns the header.
    pub fn header(&self) -> String {
        let mut line = format!("{:<12} {:<12} {:<6}", "benchmark", "figure", "unit");
        for name in &self.names {
            pad(&mut line, name, name.len().max(VALUE_WIDTH));
        }
        for title in self.ratio_titles() {
            pad(&mut line, &title, title.len());
        }
        if self.ours.is_some() {
            pad(&mut line, "best", self.best_width());
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
            let titles = [name, &figure, metric.unit];
            text += &self.row(titles, series, metric.more_is_better, spread(series));
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
        self.row([benchmark, "user instr.", "each"], &series, false, None)
    }

    fn row(
        &self,
        [name, figure, unit]: [&str; 3],
        series: &[Series],
        more_is_better: bool,
        spread: Option<f64>,
    ) -> String {
        let mut line = format!("{name:<12} {figure:<12.12} {unit:<6}");
        for (column, name) in series.iter().zip(&self.names) {
            let value = column.median().map_or_else(gap, show);
            pad(&mut line, &value, name.len().max(VALUE_WIDTH));
        }
        let best = self.best(series, more_is_better);
        for (title, (own, other)) in self.ratio_titles().zip(self.pairs()) {
            let other = other.map_or(best.as_ref(), |other| Some(&series[other]));
            let ratio = other.and_then(|other| series[own].ratio_to(other));
            let ratio = ratio.map_or_else(gap, |ratio| format!("{ratio:.2}"));
            pad(&mut line, &ratio, title.len());
        }
        if self.ours.is_some() {
            let name = best.map_or("-", |best| best.contestant);
            pad(&mut line, name, self.best_width());
        }
        let spread = spread.map_or_else(gap, |spread| format!("{spread:.0} %"));
        pad(&mut line, &spread, SPREAD_WIDTH);
        line.push('\n');
        line
    }

    fn ratio_titles(&self) -> impl Iterator<Item = String> {
        self.pairs().into_iter().map(|(own, other)| {
            let other = other.map_or("best", |other| self.names[other]);
            format!("{}/{other}", self.names[own])
        })
    }

    /// Returns who is compared with whom; the best of the others has no place.
    fn pairs(&self) -> Vec<(usize, Option<usize>)> {
        let last = self.names.len().saturating_sub(1);
        match &self.ours {
            Some(ours) => iter::once(None)
                .chain(self.floor.map(Some))
                .flat_map(|other| ours.iter().map(move |&own| (own, other)))
                .collect(),
            None => (0..last).map(|other| (last, Some(other))).collect(),
        }
    }

    fn best(&self, series: &[Series], more_is_better: bool) -> Option<Series> {
        let ours = self.ours.as_ref()?;
        let others = 0..series.len();
        let others = others.filter(|place| !ours.contains(place) && self.floor != Some(*place));
        best(series, &others.collect::<Vec<_>>(), more_is_better)
    }

    fn best_width(&self) -> usize {
        let longest = self.names.iter().map(|name| name.len()).max();
        longest.unwrap_or(0).max("best".len())
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
        // Nothing is wide beside nothing.
        let relative = (max - min) / series.median()? * 100.0;
        Some(relative).filter(|relative| relative.is_finite())
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
