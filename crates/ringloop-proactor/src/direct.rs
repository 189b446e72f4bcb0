//! The ring's own descriptor table, made when the first direct descriptor is.

use std::cell::Cell;
use std::io;

use crate::ring::Ring;

/// How far the table is.
#[derive(Debug)]
pub(crate) struct DirectTable {
    slots: u32,
    is_made: Cell<bool>,
}

impl DirectTable {
    pub(crate) fn new(slots: u32) -> Self {
        Self {
            slots,
            is_made: Cell::new(false),
        }
    }

    /// Registers an empty table. The kernel picks the slots.
    pub(crate) fn make(&self, ring: &mut Ring) -> io::Result<()> {
        if !self.is_made.get() {
            ring.register_direct_table(self.slots).map_err(explain)?;
            self.is_made.set(true);
        }
        Ok(())
    }

    /// Takes all files out of the table: somebody else may keep the ring open, and the files with it.
    pub(crate) fn empty(&self, ring: &mut Ring) {
        if self.is_made.get() {
            // Refused, they end with the ring.
            let _emptied = ring.empty_slots(self.slots);
        }
    }
}

fn explain(error: io::Error) -> io::Error {
    if error.raw_os_error() == Some(libc::EMFILE) {
        let text = "the table of direct descriptors is larger than the limit on open files: lower \
                    Config::direct_descriptors, or raise the limit (ulimit -n)";
        return io::Error::new(error.kind(), text);
    }
    error
}
