//! What an operation is, who owns it when, and how it ends.
//!
//! An [`Operation`] is a request together with everything the kernel may touch on its behalf:
//! buffers, addresses, a counted descriptor. It moves into the [`OpTable`] before
//! its entry is written and stays there, at one address, until its last completion. A future only
//! holds the name of its slot, so it can be dropped or forgotten at any time.
//!
//! A [`Service`] is an operation that belongs to a resource and is started again and again: the
//! multishot receive of a stream, its send queue, the accept of a listener. It handles each
//! completion itself, inside the table, and tells with a [`Flow`] what comes next.
//!
//! # Invariants
//!
//! - **I1** An operation is in the table from the staging of its entry to the taking of its last
//!   completion.
//! - **I2** While it is in flight, its memory does not move, and only the kernel and its own
//!   service hook touch it.
//! - **I3** An [`OpKey`] names at most one operation ever: the generation of a slot
//!   changes when it is freed. A [`Ticket<O>`](Ticket) is given out once, for a slot that
//!   holds an `O`.
//! - **I4** Each submission gets exactly one completion without `MORE`, and it is the last.
//! - **I5** No borrow of the table is alive while a waker, a buffer's code or a disposal runs.
//! - **I6** Memory of an operation that cannot be shown to be finished is never freed.
//!
//! # States
//!
//! | from | event | to | who frees the operation |
//! |---|---|---|---|
//! | — | first poll, or a service is started | staged | — |
//! | staged | flushed at the next park | in flight | — |
//! | staged | dropped or cancelled | gone | the future; the entry is never submitted |
//! | in flight | completion with `MORE` | in flight | — |
//! | in flight | last completion | completed (services: idle or staged again), wake | the future, at its next poll |
//! | in flight | `cancel()` | in flight, asked once | — |
//! | in flight | future dropped | abandoned, cancel asked once | the table, at the last completion |
//! | abandoned | last completion | gone | the table: the result is completed and dropped |
//! | any | proactor dropped | cancelled and reaped | the table; what does not end is leaked |

mod table;

mod chain;
mod erased;
mod future;
mod key;
mod outcome;
mod report;
mod slot;
mod stream;

use crate::ring::{Cqe, Sqe};
use crate::wakes::Wakes;

pub use chain::{Link, Then, WithTimeout};
pub use future::Op;
pub(crate) use key::OpKey;
pub use outcome::{Cancelling, Outcome};
pub use report::{OpReport, OpState};
pub(crate) use slot::State;
pub use stream::{Answer, Multishot, OpStream};
pub(crate) use table::{
    Detached, Disposition, Next, OpTable, Rest, ServiceKey, Staged, Step, Ticket, Unprepared,
};

/// One request to the kernel, with all the memory that the kernel may touch for it.
///
/// Implementing it is how a program adds an operation that this crate does not have; see the
/// [`ops`](crate::ops) for models.
///
/// # Safety
///
/// - The entry that [`prepare`](Self::prepare) returns names only memory that stays valid as long
///   as `self` is neither moved, touched nor dropped, or memory that is valid forever.
/// - It names only descriptors that `self` keeps open.
/// - It asks for one result: no multishot flag, no link, no skipped completion. A second completion
///   that is a notification, as zero-copy sends have, is allowed; the operation lives until then.
#[expect(
    unsafe_code,
    reason = "soundness rests on what an implementation puts into its entry"
)]
pub unsafe trait Operation: Sized + 'static {
    /// What the operation resolves to. Dropping it must release what it holds: this is how the
    /// result of an abandoned operation is disposed of.
    type Output;

    /// What comes back of an operation that did not happen: its buffer, mostly.
    type Leftover;

    /// What the operation is called in reports: the system call's name.
    const NAME: &'static str;

    /// Whether the entry's `fd` is a descriptor, as it is for all but a few system calls. Only
    /// reports go by this.
    const HAS_FD: bool = true;

    /// Describes the request. Called when `self` is at an address where it stays until the
    /// completion; called again if a signal interrupted the request before it had done anything.
    fn prepare(&mut self) -> Sqe;

    /// Takes a provided buffer that a completion brings. Called in the order in which the kernel
    /// filled the buffers, which is not the order in which results are taken. The table is borrowed
    /// meanwhile: this touches `self` and what it shares with its kind, and runs no foreign code.
    #[doc(hidden)]
    fn lease(&mut self, _cqe: Cqe) {}

    /// Turns the operation and its completion into the output.
    fn complete(self, cqe: Cqe) -> Self::Output;

    /// Gives back what the operation owned, after it was cancelled before it happened.
    fn reclaim(self) -> Self::Leftover;
}

/// What a [`Service`] wants after a completion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flow {
    /// Nothing: go on if more completions come, rest if this was the last.
    Rest,
    /// Ask the kernel to end the request.
    Stop,
    /// Prepare and submit again, if this was the last completion.
    Again,
}

/// An operation of a resource, started many times, that handles its completions itself.
///
/// The hooks run while the table is borrowed: they touch their own state only, never the proactor,
/// a descriptor's last reference or user code. Wakers go into `wakes` and run later.
///
/// # Safety
///
/// As for [`Operation`], from each `prepare` to the last completion that follows it; the hook
/// itself leaves alone what the kernel may be touching.
#[expect(
    unsafe_code,
    reason = "soundness rests on what an implementation puts into its entry"
)]
pub(crate) unsafe trait Service: Sized + 'static {
    /// What it is called in reports.
    const NAME: &'static str;

    /// Fills in the entry, which is zero. It is not linked to the next one.
    fn prepare(&mut self, sqe: &mut Sqe);

    /// Handles a completion. The errno [`RETIRED`] comes from the table, not from the kernel.
    fn on_completion(&mut self, cqe: Cqe, wakes: &mut Wakes) -> Flow;
}

/// What a service is told that was about to start and will not any more, because the proactor goes.
/// No errno of the kernel has this number.
pub(crate) const RETIRED: i32 = 4095;
