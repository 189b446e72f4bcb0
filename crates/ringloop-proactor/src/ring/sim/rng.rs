//! The source of everything that is random in a simulation: splitmix64.

/// A sequence that its seed determines.
#[derive(Debug)]
pub(super) struct Rng(u64);

impl Rng {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`, which is not zero. The bias is that of a simulation: none that
    /// matters.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// A number from 1 to `count`, or zero if there is nothing to choose from.
    pub(super) fn part_of(&mut self, count: usize) -> usize {
        if count <= 1 {
            return count;
        }
        let part = self.below(count as u64) + 1;
        usize::try_from(part).unwrap_or(count)
    }

    /// Whether something happens that does so `per_mille` times in a thousand.
    ///
    /// What never happens draws nothing, so that switching it off shifts no other draw.
    pub(super) fn chance(&mut self, per_mille: u16) -> bool {
        per_mille > 0 && self.below(1000) < u64::from(per_mille)
    }

    pub(super) fn byte(&mut self) -> u8 {
        self.next().to_le_bytes()[0]
    }

    /// Puts `items` into any order.
    pub(super) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let at = usize::try_from(self.below(last as u64 + 1)).unwrap_or(last);
            items.swap(at, last);
        }
    }
}
