//! What the proactor promises, on the simulated ring.

mod clock;
mod conformance;
mod echo;
mod faults;
mod program;
mod programs;
mod replay;
mod rings;
mod storm;
