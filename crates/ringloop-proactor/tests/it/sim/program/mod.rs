//! Random programs on the simulated ring, checked against a model.
//!
//! A program is a string of bytes: a header that chooses the faults and the sizes, then one step
//! after another. The steps start operations and resources, poll them with one waker or another,
//! cancel, drop and forget them, park, close descriptors and end the proactor. The interpreter
//! keeps a model of what has to come of all that, and panics where the proactor differs from it.
//!
//! | part | says |
//! |---|---|
//! | `script`, `setup` | what the bytes mean |
//! | `flow`, `disk` | which bytes a read may bring |
//! | `task`, `flag` | who was polled with which waker, and what was woken |
//! | `op`, `linked`, `shots`, `streams` | what is polled: operations, chains, multishot operations, resources |
//! | `start`, `transfer`, `many` | how the steps start them |
//! | `world` | the steps |
//! | `story` | what has happened, after a panic |
//! | `ending` | how a program ends, and what is true then |
//!
//! What is checked:
//!
//! - An operation ends once, and nothing is ready that was not woken before.
//! - What was asked to end does so; when the simulation has nothing left to do, nobody waits for what
//!   is there.
//! - Bytes arrive in order, without a gap or a repetition, and all of them. An operation that says it
//!   was cancelled has moved none.
//! - A read of a file brings what was written last.
//! - Buffers come back, the same ones; lent ones do not change while they are held.
//! - At the end nothing is in flight, no descriptor is open, all buffers are home.
//!
//! The fuzzer (`fuzz/`) compiles this module, too, so it uses nothing of the other tests.

mod disk;
mod ending;
mod flag;
mod flow;
mod linked;
mod many;
mod model;
mod op;
mod script;
mod setup;
mod shots;
mod start;
mod story;
mod streams;
mod task;
mod told;
mod transfer;
mod world;

use std::sync::atomic::{AtomicUsize, Ordering};

use self::script::Script;
use self::setup::Setup;
use self::world::World;

/// Runs the program that `bytes` are, and panics if something is wrong.
pub(crate) fn run(bytes: &[u8]) {
    let mut script = Script::new(bytes);
    let setup = Setup::read(&mut script);
    if !setup.is_leaky {
        World::new(&setup).run(script);
    } else if LEAKS.fetch_add(1, Ordering::Relaxed) < LEAKS_MAX {
        run_forgotten(&setup, script);
    }
}

/// The name tells LeakSanitizer that what is lost here is lost on purpose.
#[inline(never)]
fn run_forgotten(setup: &Setup, script: Script<'_>) {
    World::new(setup).run(script);
    std::hint::black_box(setup);
}

/// How many programs of this process have lost something on purpose: descriptors, too, of which
/// there are only so many.
static LEAKS: AtomicUsize = AtomicUsize::new(0);
const LEAKS_MAX: usize = 16;
