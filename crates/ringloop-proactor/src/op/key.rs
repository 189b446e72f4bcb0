//! The name of an operation in flight: slot and generation, the completion's `user_data`.

/// Names at most one operation ever, so a late completion or cancellation hits nothing.
///
/// The generation is never zero, so that values below 2^32 are free for the proactor's own use, and
/// never the highest, which marks messages from other proactors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(unnameable_types, reason = "a sealed trait has it in its signatures")]
pub struct OpKey {
    index: u32,
    generation: u32,
}

impl OpKey {
    pub(crate) fn new(index: u32, generation: u32) -> Self {
        debug_assert_ne!(generation, 0, "generation zero is reserved");
        Self { index, generation }
    }

    #[inline]
    pub(crate) fn from_user_data(user_data: u64) -> Option<Self> {
        let [b0, b1, b2, b3, b4, b5, b6, b7] = user_data.to_le_bytes();
        let generation = u32::from_le_bytes([b4, b5, b6, b7]);
        let index = u32::from_le_bytes([b0, b1, b2, b3]);
        (generation != 0).then_some(Self { index, generation })
    }

    #[inline]
    pub(crate) fn to_user_data(self) -> u64 {
        u64::from(self.generation) << 32 | u64::from(self.index)
    }

    /// A name that no operation has: that of a message with `high` in it.
    pub(crate) fn message(high: u32) -> Self {
        Self {
            index: high,
            generation: MESSAGE,
        }
    }

    /// Whether it names a message from another proactor.
    pub(crate) fn is_message(self) -> bool {
        self.generation == MESSAGE
    }

    #[inline]
    pub(crate) fn index(self) -> usize {
        self.index as usize
    }

    #[inline]
    pub(crate) fn generation(self) -> u32 {
        self.generation
    }
}

/// The generation after `generation`, never zero and never that of messages.
pub(crate) fn next_generation(generation: u32) -> u32 {
    match generation.wrapping_add(1) {
        0 | MESSAGE => 1,
        next => next,
    }
}

const MESSAGE: u32 = u32::MAX;

#[cfg(test)]
mod tests {
    use super::{OpKey, next_generation};

    #[test]
    fn a_key_survives_the_kernel() {
        for (index, generation) in [(0, 1), (u32::MAX, u32::MAX - 1), (7, 1 << 31)] {
            let key = OpKey::new(index, generation);
            assert_eq!(OpKey::from_user_data(key.to_user_data()), Some(key));
        }
    }

    #[test]
    fn small_values_are_not_keys() {
        assert_eq!(OpKey::from_user_data(0), None);
        assert_eq!(OpKey::from_user_data(u64::from(u32::MAX)), None);
    }

    #[test]
    fn generations_skip_what_is_reserved() {
        assert_eq!(next_generation(1), 2);
        assert_eq!(next_generation(u32::MAX), 1);
        assert_eq!(next_generation(u32::MAX - 1), 1);
    }
}
