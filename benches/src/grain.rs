//! A piece of pure computation of a known length.

use std::hint::black_box;
use std::sync::OnceLock;
use std::time::Duration;

use crate::clock;

/// A computation that takes about so long and touches no memory.
#[derive(Clone, Copy, Debug)]
pub struct Grain {
    steps: u32,
}

impl Grain {
    /// Makes one that takes about `duration` on this machine, the same in the whole process.
    pub fn of(duration: Duration) -> Self {
        static STEPS_PER_MICROSECOND: OnceLock<f64> = OnceLock::new();
        let speed = *STEPS_PER_MICROSECOND.get_or_init(measure);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "positive, and far below the limit; a float saturates"
        )]
        let steps = (duration.as_secs_f64() * 1e6 * speed) as u32;
        Self {
            steps: steps.max(1),
        }
    }

    /// Computes something of `number`, for between three quarters and five quarters of the
    /// duration, depending on the number.
    pub fn run(self, number: u32) -> u64 {
        let quarter = u64::from(self.steps) / 4;
        let part = u64::from(number.wrapping_mul(SPREAD) >> 16);
        let steps = quarter * 3 + ((quarter * 2 * part) >> 16);
        compute(u64::from(number) + 1, steps)
    }
}

/// Returns the steps of a microsecond, in the best of some attempts: others may be at work, too.
fn measure() -> f64 {
    let attempt = |number| {
        let start = clock::now();
        black_box(compute(black_box(number), ATTEMPT));
        (clock::now() - start).as_secs_f64()
    };
    let seconds = (1..=9).map(attempt).fold(f64::INFINITY, f64::min);
    ATTEMPT as f64 / (seconds * 1e6)
}

/// A generator's steps, each of which needs the one before: no compiler makes it shorter.
fn compute(mut state: u64, steps: u64) -> u64 {
    for _ in 0..steps {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
    }
    state
}

const ATTEMPT: u64 = 200_000;
const SPREAD: u32 = 0x9e37_79b9;

#[cfg(test)]
mod tests;
