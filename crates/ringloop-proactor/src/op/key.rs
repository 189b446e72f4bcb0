//! The name of an operation in flight: slot and generation, the completion's `user_data`.

/// Names at most one operation ever, so a late completion or cancellation hits nothing.
///
/// The generation is never zero, so that values below 2^32 are free for the proactor's own use, and
/// never the highest, which marks messages from other proactors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(unnameable_types, reason = "a sealed trait has it in its signatures")]
pub struct OpKey {
    /// The generation above, the index of the slot below.
    user_data: u64,
}

impl OpKey {
    /// The first name of a slot.
    pub(crate) fn first(index: u32) -> Self {
        Self {
            user_data: GENERATION | u64::from(index),
        }
    }

    /// The name that the slot has when it is used again.
    #[inline]
    pub(crate) fn next(self) -> Self {
        let user_data = self.user_data + GENERATION;
        if user_data >= MESSAGE {
            return Self::first(self.index());
        }
        Self { user_data }
    }

    #[inline]
    pub(crate) fn from_user_data(user_data: u64) -> Option<Self> {
        (user_data >= GENERATION).then_some(Self { user_data })
    }

    #[inline]
    pub(crate) fn to_user_data(self) -> u64 {
        self.user_data
    }

    /// The `user_data` of the entry at a place, from one on, before the last of a service's batch.
    pub(crate) fn in_batch(self, place: u32) -> u64 {
        self.user_data | (u64::from(place) << INDEX_BITS)
    }

    /// The service whose batch an entry is of, and its place; `None` for the name of an operation.
    pub(crate) fn split_batch(self) -> Option<(Self, u32)> {
        let place = self.index() >> INDEX_BITS;
        let user_data = self.user_data & !(u64::from(place) << INDEX_BITS);
        (place > 0 && !self.is_message()).then_some((Self { user_data }, place))
    }

    /// A name that no operation has: that of a message with `high` in it.
    pub(crate) fn message(high: u32) -> Self {
        Self {
            user_data: MESSAGE | u64::from(high),
        }
    }

    /// Whether it names a message from another proactor.
    pub(crate) fn is_message(self) -> bool {
        self.user_data >= MESSAGE
    }

    #[inline]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the lower half is what is asked for"
    )]
    pub(crate) fn index(self) -> u32 {
        self.user_data as u32
    }
}

const GENERATION: u64 = 1 << 32;
/// Slots have numbers of so many bits. The six above name a place in a batch.
pub(crate) const INDEX_BITS: u32 = 26;
/// The most entries of a batch.
pub(crate) const BATCH_MAX: usize = 1 << (32 - INDEX_BITS);
/// The highest generation is that of messages.
const MESSAGE: u64 = 0xffff_ffff << 32;

#[cfg(test)]
mod tests {
    use super::OpKey;

    #[test]
    fn a_key_survives_the_kernel() {
        for index in [0, 7, u32::MAX] {
            let key = OpKey::first(index).next().next();
            assert_eq!(OpKey::from_user_data(key.to_user_data()), Some(key));
            assert_eq!(key.index(), index);
            assert_ne!(key, OpKey::first(index));
        }
    }

    #[test]
    fn a_batch_is_named_apart_from_its_service() {
        let key = OpKey::first(7).next();
        assert_eq!(key.split_batch(), None);
        for place in [1, 63] {
            let entry = OpKey::from_user_data(key.in_batch(place)).unwrap();
            assert_ne!(entry, key);
            assert_eq!(entry.split_batch(), Some((key, place)));
        }
        assert_eq!(OpKey::message(u32::MAX).split_batch(), None);
    }

    #[test]
    fn small_values_are_not_keys() {
        assert_eq!(OpKey::from_user_data(0), None);
        assert_eq!(OpKey::from_user_data(u64::from(u32::MAX)), None);
    }

    #[test]
    fn generations_skip_what_is_reserved() {
        let last = OpKey {
            user_data: 0xffff_fffe_0000_0007,
        };
        assert!(!last.is_message());
        assert_eq!(last.next(), OpKey::first(7));
        assert!(OpKey::message(7).is_message());
    }
}
