//! The record of a run as JSON: everything that the table shows, and each round's figure.

use serde_json::{Map, Value, json};

use super::{Machine, Rivals, names, pairs};
use crate::benchmarks::{Benchmark, Metric};
use crate::contestants::Level;
use crate::options::Options;
use crate::runner::{Outcome, Series};

/// A run, as far as it got.
#[derive(Clone, Debug)]
pub struct Record {
    machine: Value,
    rounds: usize,
    quick: bool,
    realtime: bool,
    contestants: Value,
    results: Vec<Value>,
    gaps: Vec<Value>,
    instructions: Value,
}

impl Record {
    /// Begins the record of a run.
    pub fn new(machine: &Machine, options: &Options) -> Self {
        let machine = json!({
            "kernel": machine.kernel,
            "processor": machine.processor,
            "server_core": machine.cores.server,
            "client_core": machine.cores.client,
            "optimized": cfg!(not(debug_assertions)),
        });
        let names = |level: Level| (str(level.name()), json!(names(&level.contestants())));
        let contestants: Map<_, _> = Level::ALL.into_iter().map(names).collect();
        Self {
            machine,
            rounds: options.rounds,
            quick: options.quick,
            realtime: options.realtime,
            contestants: contestants.into(),
            results: Vec::new(),
            gaps: Vec::new(),
            instructions: Value::Null,
        }
    }

    /// Adds the figures of a benchmark.
    pub fn add(&mut self, outcome: &Outcome) {
        for (metric, series) in outcome.benchmark.metrics.iter().zip(&outcome.series) {
            self.results.push(json!({
                "benchmark": outcome.benchmark.name,
                "about": outcome.benchmark.about,
                "level": outcome.benchmark.level.name(),
                "figure": metric.name,
                "unit": metric.unit,
                "more_is_better": metric.more_is_better,
                "contestants": columns(series),
                "ratios": ratios(outcome.benchmark, metric, series),
            }));
        }
        self.gaps.extend(outcome.gaps.iter().map(|gap| {
            json!({
                "benchmark": gap.benchmark,
                "contestant": gap.contestant,
                "reason": gap.reason,
            })
        }));
    }

    /// Adds a benchmark's instruction counts, one per contestant of its level.
    pub fn add_instructions(&mut self, benchmark: &Benchmark, counts: &[Option<f64>]) {
        let contestants = benchmark.level.contestants();
        let counts = contestants.iter().zip(counts);
        let counts: Map<_, _> = counts
            .map(|(contestant, count)| (str(contestant.name()), json!(count)))
            .collect();
        let counts = json!({
            "benchmark": benchmark.name,
            "unit": "user instructions each",
            "contestants": counts,
        });
        if let Value::Array(all) = &mut self.instructions {
            all.push(counts);
        } else {
            self.instructions = json!([counts]);
        }
    }

    /// Says why there are no instruction counts.
    pub fn skip_instructions(&mut self, reason: &str) {
        self.instructions = json!({ "skipped": reason });
    }

    /// Returns the record as text.
    pub fn to_text(&self) -> String {
        let value = json!({
            "format": FORMAT,
            "version": env!("CARGO_PKG_VERSION"),
            "machine": self.machine,
            "rounds": self.rounds,
            "quick": self.quick,
            "realtime": self.realtime,
            "contestants": self.contestants,
            "results": self.results,
            "gaps": self.gaps,
            "instructions": self.instructions,
        });
        format!("{value:#}\n")
    }
}

fn columns(series: &[Series]) -> Map<String, Value> {
    let column = |series: &Series| {
        let (min, max) = series.range().unzip();
        let column = json!({
            "median": series.median(),
            "min": min,
            "max": max,
            "rounds": series.values,
        });
        (str(series.contestant), column)
    };
    series.iter().map(column).collect()
}

fn ratios(benchmark: &Benchmark, metric: &Metric, series: &[Series]) -> Map<String, Value> {
    let ratio = |own: &Series, other: &Series, name: &str| {
        let title = format!("{}/{name}", own.contestant);
        (title, json!(own.ratio_to(other)))
    };
    let mut ratios: Map<_, _> = pairs(series.len())
        .map(|(own, other)| ratio(&series[own], &series[other], series[other].contestant))
        .collect();
    if let Some(ours) = benchmark.level.ours() {
        let places = |names: &[&str]| -> Vec<usize> {
            let is_one = |&place: &usize| names.contains(&series[place].contestant);
            (0..series.len()).filter(is_one).collect()
        };
        let (ours, floors) = (places(ours), places(benchmark.level.floors()));
        let rivals = Rivals::find(series, &ours, &floors, metric.more_is_better);
        let floor = rivals.floor.filter(|_| floors.len() > 1);
        for (rival, name) in [(rivals.best, "best"), (floor, "floor")] {
            let Some(rival) = rival else { continue };
            ratios.extend(ours.iter().map(|&own| ratio(&series[own], &rival, name)));
        }
    }
    ratios
}

fn str(name: &str) -> String {
    name.to_owned()
}

/// Rises when a reader of an older record would misread this one.
const FORMAT: u32 = 2;
