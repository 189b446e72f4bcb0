//! The name of an operation in flight: slot and generation, the completion's `user_data`.

/// Names at most one operation ever, so a late completion or cancellation hits nothing.
///
/// The generation is never zero, so that values below 2^32 are free for the proactor's own use, and
/// never the highest, which marks messages from other proactors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(unnameable_types, reason = "a sealed trait has it in its signatures")]
pub struct OpKey {
    /// The kind of the slot in the highest bit, the generation, and the index among its kind.
    user_data: u64,
}

impl OpKey {
    /// The first name of a slot for one-shot operations.
    pub(crate) fn first_op(index: u32) -> Self {
        Self {
            user_data: GENERATION | u64::from(index),
        }
    }

    /// The first name of a slot for services.
    pub(crate) fn first_service(index: u32) -> Self {
        Self {
            user_data: GENERATION | SERVICE | u64::from(index),
        }
    }

    /// Whether it names a service.
    #[inline]
    pub(crate) fn is_service(self) -> bool {
        self.user_data & SERVICE != 0
    }

    /// The name that the slot has when it is used again.
    #[inline]
    pub(crate) fn next(self) -> Self {
        let user_data = self.user_data.wrapping_add(GENERATION);
        if user_data | SERVICE >= MESSAGE {
            let kind = self.user_data & SERVICE;
            let user_data = kind | GENERATION | u64::from(self.index());
            return Self { user_data };
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
/// The bit of services: the sign, which is the cheapest to look at.
const SERVICE: u64 = 1 << 63;
/// The most slots of each kind.
pub(crate) const SLOTS_MAX: usize = 1 << 26;
/// The highest generation is that of messages.
const MESSAGE: u64 = 0xffff_ffff << 32;

#[cfg(test)]
mod tests {
    use super::OpKey;

    /// The first name of a slot.
    const FIRST: [fn(u32) -> OpKey; 2] = [OpKey::first_op, OpKey::first_service];

    #[test]
    fn a_key_survives_the_kernel() {
        for first in FIRST {
            for index in [0, 7, u32::MAX] {
                let key = first(index).next().next();
                assert_eq!(OpKey::from_user_data(key.to_user_data()), Some(key));
                assert_eq!(key.index(), index);
                assert_ne!(key, first(index));
            }
        }
    }

    #[test]
    fn a_service_is_told_by_its_name() {
        let (service, op) = (OpKey::first_service(7), OpKey::first_op(7));
        assert!(service.is_service() && service.next().is_service());
        assert!(!op.is_service() && !op.next().is_service());
    }

    #[test]
    fn small_values_are_not_keys() {
        assert_eq!(OpKey::from_user_data(0), None);
        assert_eq!(OpKey::from_user_data(u64::from(u32::MAX)), None);
    }

    #[test]
    fn generations_skip_what_is_reserved() {
        let last = |high: u64| OpKey {
            user_data: high << 32 | 7,
        };
        assert!(!last(0xffff_fffe).is_message());
        assert_eq!(last(0xffff_fffe).next(), OpKey::first_service(7));
        assert_eq!(last(0x7fff_fffe).next(), OpKey::first_op(7));
        assert!(OpKey::message(7).is_message());
    }
}
