//! Numbers that look random and are the same in every run.

/// A xorshift generator with its usual constants.
#[derive(Debug)]
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new() -> Self {
        Self(0x9e37_79b9_7f4a_7c15)
    }

    /// Returns a number below `limit`.
    pub(super) fn below(&mut self, limit: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        let scaled = (u128::from(self.0) * u128::from(limit)) >> 64;
        u32::try_from(scaled).unwrap_or(0)
    }
}
