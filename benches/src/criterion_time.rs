//! The bridge from turns to criterion, which asks for a number of iterations and wants the time.

use std::io;
use std::time::Duration;

/// Lets `turn` do `iterations` in pieces that fit its counter; returns the time of all.
///
/// # Panics
///
/// If a turn fails: criterion has no other way to hear of it.
#[track_caller]
pub fn time_of(iterations: u64, mut turn: impl FnMut(u32) -> io::Result<Duration>) -> Duration {
    let mut total = Duration::ZERO;
    let mut left = iterations;
    while left > 0 {
        let count = u32::try_from(left).unwrap_or(u32::MAX).min(PIECE);
        total += turn(count).unwrap_or_else(|error| panic!("the turn failed: {error}"));
        left -= u64::from(count);
    }
    total
}

/// Keeps the memory of turns that record each round trip in bounds.
const PIECE: u32 = 1 << 20;

#[cfg(test)]
mod tests;
