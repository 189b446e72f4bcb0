//! Buffers that no stream needs at the moment.

use std::cell::RefCell;

/// Large buffers of send queues that have become empty, for those that fill up.
///
/// So an idle stream holds next to nothing, and one that sends large messages does not allocate.
#[derive(Debug, Default)]
pub(crate) struct Spares {
    kept: RefCell<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    buffers: Vec<Vec<u8>>,
    /// The capacity of all.
    bytes: usize,
}

impl Spares {
    /// A buffer, empty, of whatever capacity.
    pub(super) fn take(&self) -> Vec<u8> {
        let mut kept = self.kept.borrow_mut();
        let buffer = kept.buffers.pop().unwrap_or_default();
        kept.bytes -= buffer.capacity();
        buffer
    }

    /// Takes a buffer over.
    pub(super) fn put(&self, mut buffer: Vec<u8>) {
        let mut kept = self.kept.borrow_mut();
        if kept.bytes + buffer.capacity() <= BYTES_MAX {
            buffer.clear();
            kept.bytes += buffer.capacity();
            kept.buffers.push(buffer);
        }
    }
}

/// Counted in bytes: a hundred streams with messages of 16 KiB find their buffers again, where a
/// few that were filled to the brim do.
const BYTES_MAX: usize = 2 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::{BYTES_MAX, Spares};

    #[test]
    fn many_small_buffers_are_kept_and_no_more_than_the_bound() {
        let spares = Spares::default();
        for _ in 0..BYTES_MAX / 16_384 + 10 {
            spares.put(Vec::with_capacity(16_384));
        }
        let mut bytes = 0;
        loop {
            let capacity = spares.take().capacity();
            if capacity == 0 {
                break;
            }
            bytes += capacity;
        }
        assert_eq!(bytes, BYTES_MAX);
        spares.put(Vec::with_capacity(BYTES_MAX));
        assert_eq!(
            spares.take().capacity(),
            BYTES_MAX,
            "what was taken makes room"
        );
    }
}
