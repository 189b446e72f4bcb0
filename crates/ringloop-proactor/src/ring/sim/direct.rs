//! Direct descriptors: the table of files that belongs to the ring.

use std::rc::Rc;

use super::file::{File, Target};

/// Slots that hold a file, with its number in the trace, or nothing. No slots: there is no table.
#[derive(Debug, Default)]
pub(super) struct Direct(Vec<Option<(u32, Rc<File>)>>);

impl Direct {
    /// Counterpart: `io_uring_register_files_sparse(3)`.
    pub(super) fn make(&mut self, slots: u32) -> Result<(), i32> {
        if !self.0.is_empty() {
            return Err(libc::EBUSY);
        }
        self.0.resize(slots as usize, None);
        Ok(())
    }

    pub(super) fn find(&self, slot: u32) -> Target {
        match self.0.get(slot as usize) {
            Some(Some((number, file))) => Target::Simulated(*number, Rc::clone(file)),
            Some(None) | None => Target::Closed,
        }
    }

    /// Puts a file into a slot, the one before `index`, or one that is free if it is [`ALLOC`].
    /// Returns the result of a request that does that.
    pub(super) fn put(&mut self, index: u32, number: u32, file: Rc<File>) -> Result<i32, i32> {
        if self.0.is_empty() {
            return Err(libc::ENXIO);
        }
        if index == ALLOC {
            let free = self.0.iter().position(Option::is_none);
            let free = free.ok_or(libc::ENFILE)?;
            self.0[free] = Some((number, file));
            return i32::try_from(free).map_err(|_| libc::EINVAL);
        }
        let slot = self.0.get_mut(index as usize - 1).ok_or(libc::EINVAL)?;
        *slot = Some((number, file));
        Ok(0)
    }

    /// Empties a slot.
    pub(super) fn close(&mut self, slot: u32) -> Result<(), i32> {
        let slot = self.0.get_mut(slot as usize).ok_or(libc::EINVAL)?;
        slot.take().map(drop).ok_or(libc::EBADF)
    }

    pub(super) fn len(&self) -> usize {
        self.0.iter().flatten().count()
    }
}

/// `IORING_FILE_INDEX_ALLOC`.
pub(super) const ALLOC: u32 = u32::MAX;
