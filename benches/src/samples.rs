//! A list of durations, and what one reads from it.

use std::time::Duration;

/// Durations in the order they were taken, kept whole: percentiles are exact.
#[derive(Clone, Debug, Default)]
pub struct Samples {
    durations: Vec<Duration>,
}

impl Samples {
    /// Makes an empty list with room for `capacity` durations.
    pub fn with_capacity(capacity: usize) -> Self {
        Self {
            durations: Vec::with_capacity(capacity),
        }
    }

    /// Adds one duration.
    pub fn push(&mut self, duration: Duration) {
        self.durations.push(duration);
    }

    /// Forgets all durations and keeps the memory.
    pub fn clear(&mut self) {
        self.durations.clear();
    }

    /// Returns how many durations there are.
    pub fn len(&self) -> usize {
        self.durations.len()
    }

    /// Returns the sum.
    pub fn total(&self) -> Duration {
        self.durations.iter().sum()
    }

    /// Tells whether there are none.
    pub fn is_empty(&self) -> bool {
        self.durations.is_empty()
    }

    /// Returns, for each of `per_mille`, the smallest duration that this many thousandths of all
    /// durations do not exceed, in microseconds. Zeros if there are no durations.
    pub fn percentiles_us<const N: usize>(&mut self, per_mille: [usize; N]) -> [f64; N] {
        self.durations.sort_unstable();
        per_mille.map(|wanted| {
            let Some(last) = self.durations.len().checked_sub(1) else {
                return 0.0;
            };
            let rank = (self.durations.len() * wanted)
                .div_ceil(1000)
                .saturating_sub(1);
            self.durations[rank.min(last)].as_nanos() as f64 / 1e3
        })
    }
}

/// Returns the median of `values`, the mean of the middle two if their number is even.
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let upper = *sorted.get(sorted.len() / 2)?;
    let lower = sorted[(sorted.len() - 1) / 2];
    Some(f64::midpoint(lower, upper))
}

#[cfg(test)]
mod tests;
