//! Buffers that no stream needs at the moment.

use std::cell::RefCell;

/// Large buffers of send queues that have become empty, for those that fill up.
///
/// So an idle stream holds next to nothing, and one that sends large messages does not allocate.
#[derive(Debug, Default)]
pub(crate) struct Spares {
    buffers: RefCell<Vec<Vec<u8>>>,
}

impl Spares {
    /// A buffer, empty, of whatever capacity.
    pub(super) fn take(&self) -> Vec<u8> {
        self.buffers.borrow_mut().pop().unwrap_or_default()
    }

    /// Takes a buffer over.
    pub(super) fn put(&self, mut buffer: Vec<u8>) {
        let mut buffers = self.buffers.borrow_mut();
        if buffers.len() < COUNT_MAX {
            buffer.clear();
            buffers.push(buffer);
        }
    }
}

/// At 256 KiB each, that is a bound of 2 MiB.
const COUNT_MAX: usize = 8;
