//! What the proactor promises, on the simulated ring.

mod arrivals;
mod clock;
mod conformance;
mod echo;
mod faults;
mod ledger;
mod program;
mod programs;
mod replay;
mod rings;
mod seeds;
mod sends;
mod storm;
