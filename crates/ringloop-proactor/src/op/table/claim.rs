//! Who has which part in an operation that the table owns.

use std::fmt;
use std::marker::PhantomData;

use crate::op::erased::{Payload, VTable};
use crate::op::key::OpKey;
use crate::op::slot::{OpPointer, ServicePointer, SlotPointer};
use crate::ring::{Cqe, Sqe};

/// A one-shot operation's claim on its slot. Given out once (I3).
pub(crate) struct Ticket<O> {
    pub(super) slot: OpPointer,
    pub(super) kind: PhantomData<O>,
}

/// Where an operation waits to describe itself, and where to.
pub(crate) struct Unprepared<O> {
    pub(crate) op: *mut O,
    pub(crate) sqe: *mut Sqe,
}

/// A resource's claim on the slot of its service. Given out once (I3).
#[derive(Debug)]
pub(crate) struct ServiceKey(pub(super) ServicePointer);

/// An operation whose entry waits for the next flush, if it still has the slot.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Staged {
    pub(super) slot: SlotPointer,
    pub(super) key: OpKey,
}

/// What became of an operation that its owner gave up.
pub(crate) enum Disposition {
    /// It was not in flight: drop this, with no borrow of the table alive (I5).
    Gone(#[expect(dead_code, reason = "it is there to be dropped")] Detached),
    /// It ends by itself; the table frees it. The kernel should be asked to end what is named.
    Left { ask: Option<OpKey> },
}

/// An operation on its way out of the table: nothing refers to it any more.
pub(crate) struct Detached {
    pub(super) vtable: &'static VTable,
    pub(super) payload: Payload,
    /// The result to dispose of; `None` if it was never submitted.
    pub(super) cqe: Option<Cqe>,
}

impl Staged {
    pub(crate) fn key(self) -> OpKey {
        self.key
    }

    /// The slot of what is staged, if it is a service.
    #[inline]
    pub(super) fn service(self) -> Option<ServicePointer> {
        let is_service = self.key.is_service();
        is_service.then(|| ServicePointer(self.slot.0.cast()))
    }

    /// The slot of what is staged, if it is a one-shot operation.
    #[inline]
    pub(super) fn op(self) -> Option<OpPointer> {
        let is_op = !self.key.is_service();
        is_op.then(|| OpPointer(self.slot.0.cast()))
    }
}

impl Drop for Detached {
    fn drop(&mut self) {
        // SAFETY: I3, the vtable is that of the payload's type; it left the table, so it is
        // completed or dropped here and nowhere else.
        unsafe { (self.vtable.dispose)(&raw mut self.payload, self.cqe) };
    }
}

impl fmt::Debug for Detached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Detached").field(&self.vtable.name).finish()
    }
}
