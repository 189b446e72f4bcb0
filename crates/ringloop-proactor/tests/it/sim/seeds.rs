//! The seeds of a test, and the choices that one of them makes.

use std::env;
use std::io::Write;
use std::thread;

/// Runs `body` on so many seeds, a hundred times as many if the environment says `RINGLOOP_LONG=1`,
/// or on the only one that `RINGLOOP_SEED` names. The seed of a body that panics is told.
pub(crate) fn each_seed(count: u64, body: impl Fn(u64)) {
    if let Ok(seed) = env::var("RINGLOOP_SEED") {
        return body(seed.parse().expect("RINGLOOP_SEED is a number"));
    }
    let is_long = env::var_os("RINGLOOP_LONG").is_some_and(|value| value == "1");
    for seed in 0..if is_long { 100 * count } else { count } {
        let named = Named(seed);
        body(seed);
        drop(named);
    }
}

/// Tells its seed if it is dropped by a panic.
struct Named(u64);

impl Drop for Named {
    fn drop(&mut self) {
        if thread::panicking() {
            let line = format!("run it again with RINGLOOP_SEED={}\n", self.0);
            drop(std::io::stderr().write_all(line.as_bytes()));
        }
    }
}

/// Numbers for the choices of a test: a xorshift sequence of its own.
pub(crate) struct Choice(u64);

impl Choice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from((self.0 >> 16) % bound as u64).unwrap()
    }

    /// Whether something happens that does so once in `times`.
    pub(crate) fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }
}
