//! How results are shown: a table for people, JSON for programs.

mod json;
mod table;

use std::fs;

use crate::contestants::Contestant;
use crate::process::Cores;

pub use json::Record;
pub use table::{LEGEND, Table, gaps};

/// The pairs of contestants that are compared: each one with all before it.
///
/// The floor is the first, so that everybody is compared with it.
fn pairs(count: usize) -> impl Iterator<Item = (usize, usize)> {
    (1..count).flat_map(|own| (0..own).map(move |other| (own, other)))
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
