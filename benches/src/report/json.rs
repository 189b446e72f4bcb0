//! The record of a run as JSON: everything that the table shows, and each round's figure.

use serde_json::{Map, Value, json};

use super::{Machine, names, pairs};
use crate::contestants::Contestant;
use crate::icount;
use crate::options::Options;
use crate::runner::{Outcome, Series};

/// A run, as far as it got.
#[derive(Clone, Debug)]
pub struct Record {
    machine: Value,
    rounds: usize,
    quick: bool,
    realtime: bool,
    names: Vec<&'static str>,
    results: Vec<Value>,
    instructions: Value,
}

impl Record {
    /// Begins the record of a run.
    pub fn new(machine: &Machine, contestants: &[Box<dyn Contestant>], options: &Options) -> Self {
        let machine = json!({
            "kernel": machine.kernel,
            "processor": machine.processor,
            "server_core": machine.cores.server,
            "client_core": machine.cores.client,
            "optimized": cfg!(not(debug_assertions)),
        });
        let instructions = Value::Null;
        let names = names(contestants);
        Self {
            machine,
            rounds: options.rounds,
            quick: options.quick,
            realtime: options.realtime,
            names,
            results: Vec::new(),
            instructions,
        }
    }

    /// Adds the figures of a benchmark.
    pub fn add(&mut self, outcome: &Outcome) {
        for (metric, series) in outcome.benchmark.metrics.iter().zip(&outcome.series) {
            self.results.push(json!({
                "benchmark": outcome.benchmark.name,
                "about": outcome.benchmark.about,
                "figure": metric.name,
                "unit": metric.unit,
                "more_is_better": metric.more_is_better,
                "contestants": columns(series),
                "ratios": ratios(series),
            }));
        }
    }

    /// Adds the instruction counts, one per contestant.
    pub fn add_instructions(&mut self, counts: &[f64]) {
        let counts = self.names.iter().zip(counts);
        let counts: Map<_, _> = counts
            .map(|(name, count)| (str(name), json!(count)))
            .collect();
        self.instructions = json!({
            "connections": icount::CONNECTIONS,
            "unit": "user instructions per message",
            "contestants": counts,
        });
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
            "contestants": self.names,
            "results": self.results,
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

fn ratios(series: &[Series]) -> Map<String, Value> {
    let ratio = |(own, other): (usize, usize)| {
        let title = format!("{}/{}", series[own].contestant, series[other].contestant);
        (title, json!(series[own].ratio_to(&series[other])))
    };
    pairs(series.len()).map(ratio).collect()
}

fn str(name: &str) -> String {
    name.to_owned()
}

/// Rises when a reader of an older record would misread this one.
const FORMAT: u32 = 1;
