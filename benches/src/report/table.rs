//! The table: a row per figure, printed as soon as it is known.

use std::fmt::Write;
use std::iter;

use super::{Rivals, names};
use crate::contestants::Level;
use crate::runner::{Gap, Outcome, Series};

/// The layout of the table of one level.
#[derive(Clone, Debug)]
pub struct Table {
    names: Vec<&'static str>,
    /// The places of ours, if they are compared with the best of the others.
    ours: Option<Vec<usize>>,
    /// The places of the floors, if they are compared with the best of these as well.
    floors: Vec<usize>,
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
        let floors = level.floors().iter().filter_map(place).collect();
        Self {
            names,
            ours,
            floors,
        }
    }

    /// Returns the header.
    pub fn header(&self) -> String {
        let mut line = format!("{:<12} {:<12} {:<6}", "benchmark", "figure", "unit");
        for name in &self.names {
            pad(&mut line, name, name.len().max(VALUE_WIDTH));
        }
        for (own, other) in self.pairs() {
            let title = self.title(own, other);
            pad(&mut line, &title, title.len());
        }
        if let Some(width) = self.best_width() {
            pad(&mut line, "best", width);
        }
        if let Some(width) = self.floor_width() {
            pad(&mut line, "floor", width);
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
        let rivals = self.rivals(series, more_is_better);
        for (own, other) in self.pairs() {
            let against = match other {
                Other::Contestant(place) => series.get(place),
                Other::Best => rivals.best.as_ref(),
                Other::Floor => rivals.floor.as_ref(),
            };
            let ratio = against.and_then(|against| series[own].ratio_to(against));
            let ratio = ratio.map_or_else(gap, |ratio| format!("{ratio:.2}"));
            pad(&mut line, &ratio, self.title(own, other).len());
        }
        let called = |rival: &Option<Series>| rival.as_ref().map_or("-", |rival| rival.contestant);
        if let Some(width) = self.best_width() {
            pad(&mut line, called(&rivals.best), width);
        }
        if let Some(width) = self.floor_width() {
            pad(&mut line, called(&rivals.floor), width);
        }
        let spread = spread.map_or_else(gap, |spread| format!("{spread:.0} %"));
        pad(&mut line, &spread, SPREAD_WIDTH);
        line.push('\n');
        line
    }

    /// Returns the title of a ratio.
    fn title(&self, own: usize, other: Other) -> String {
        let other = match (other, &*self.floors) {
            (Other::Contestant(place), _) => self.names[place],
            (Other::Best, _) => "best",
            (Other::Floor, &[only]) => self.names[only],
            (Other::Floor, _) => "floor",
        };
        format!("{}/{other}", self.names[own])
    }

    /// Returns who is compared with whom.
    fn pairs(&self) -> Vec<(usize, Other)> {
        let Some(ours) = &self.ours else {
            let last = self.names.len().saturating_sub(1);
            let others = 0..last;
            return others
                .map(|other| (last, Other::Contestant(other)))
                .collect();
        };
        let floor = (!self.floors.is_empty()).then_some(Other::Floor);
        iter::once(Other::Best)
            .chain(floor)
            .flat_map(|other| ours.iter().map(move |&own| (own, other)))
            .collect()
    }

    fn rivals(&self, series: &[Series], more_is_better: bool) -> Rivals {
        match &self.ours {
            Some(ours) => Rivals::find(series, ours, &self.floors, more_is_better),
            None => Rivals::default(),
        }
    }

    /// Returns the width of the column that names the best of the others, if there is one.
    fn best_width(&self) -> Option<usize> {
        self.ours.as_ref()?;
        let longest = self.names.iter().map(|name| name.len()).max();
        Some(longest.unwrap_or(0).max("best".len()))
    }

    /// Returns the width of the column that names the best of several floors.
    fn floor_width(&self) -> Option<usize> {
        let longest = self.floors.iter().map(|&place| self.names[place].len());
        (self.floors.len() > 1).then(|| longest.max().unwrap_or(0))
    }
}

/// With whom one of ours is compared.
#[derive(Clone, Copy, Debug)]
enum Other {
    Contestant(usize),
    Best,
    Floor,
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
