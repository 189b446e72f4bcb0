//! The soundness suite: whatever a program does with what the proactor gives it, no memory is
//! touched that is not the proactor's or the kernel's any more, and nothing is lost.
//!
//! Every test runs alone in its process or takes its turn, counts the descriptors before and
//! after, and looks at the memory that was freed, which the allocator of this binary keeps
//! aside: see [`quarantine`]. What goes wrong in other libraries has a number, F01 and so on;
//! `docs/soundness.md` says which test shows that it does not go wrong here.

#![expect(clippy::unwrap_used, reason = "a test says where it failed")]

mod accounts;
mod arguments;
mod census;
mod disk;
mod executors;
mod forget;
mod lies;
mod life;
mod orders;
mod owned_sends;
mod provided;
mod quarantine;
mod rig;
mod storms;
mod vocal;
mod zero_copy;
