//! The head of a program: sizes, faults, and how it ends.

use std::time::Duration;

use ringloop_proactor::Config;
use ringloop_proactor::sim::{Faults, SimConfig};

use super::script::Script;

/// What a program begins with.
#[derive(Debug)]
pub(super) struct Setup {
    pub(super) config: Config,
    pub(super) sim: SimConfig,
    pub(super) faults: Faults,
    pub(super) group_is_incremental: bool,
    /// Things are really forgotten, and the end does not wait for what is in flight.
    pub(super) is_leaky: bool,
    /// Streams take more than a sender's queue, and it does not take them for ever.
    pub(super) may_flood: bool,
    /// At the end, everything that can go on does so first.
    pub(super) runs_out: bool,
    /// At the end, the proactor goes first.
    pub(super) is_abrupt: bool,
}

impl Setup {
    pub(super) fn read(script: &mut Script<'_>) -> Self {
        let seed = u64::from_le_bytes([script.byte(), script.byte(), 0, 0, 0, 0, 0, 0]);
        let faults = faults(u32::from_le_bytes([
            script.byte(),
            script.byte(),
            script.byte(),
            0,
        ]));
        let sizes = script.byte();
        let buffers = script.byte();
        let flags = script.byte();
        let is_set = |bit: u8| flags & (1 << bit) != 0;
        // Leaking programs are slow to check, and few are enough.
        let is_leaky = flags & 0b111 == 0b111;
        let mut config = Config::default()
            .ring_entries(1 << (sizes & 3))
            .buffer_count(1 << (buffers & 7))
            .buffer_len_bytes([16, 64, 256, 1024][usize::from(buffers >> 3 & 3)])
            .direct_descriptors(4);
        if is_leaky {
            config = config.drain(Duration::ZERO);
        }
        if is_set(3) {
            config = config.linger(Duration::ZERO);
        }
        let sim = SimConfig::default()
            .seed(seed)
            .faults(faults.clone())
            .completion_entries(u32::from(sizes >> 2 & 7) + 1)
            .socket_bytes([16, 100, 700, 64 * 1024][usize::from(buffers >> 5 & 3)])
            .patience(Duration::ZERO);
        // Who finds a bug runs the program again, in the test that tells its story.
        let sim = if cfg!(test) { sim } else { sim.untraced() };
        Self {
            config,
            sim,
            faults,
            group_is_incremental: is_set(4),
            is_leaky,
            may_flood: buffers >> 5 & 3 == 3 && buffers & 7 > 2 && buffers >> 3 & 3 > 1,
            runs_out: is_set(5),
            is_abrupt: is_set(6),
        }
    }
}

/// Each bit switches one kind of fault on.
fn faults(mask: u32) -> Faults {
    let wild = Faults::wild();
    let mut faults = Faults::none();
    let pairs = [
        (&mut faults.short, wild.short),
        (&mut faults.delay, wild.delay),
        (&mut faults.late, wild.late),
        (&mut faults.reorder, wild.reorder),
        (&mut faults.enter, wild.enter),
        (&mut faults.partial, wild.partial),
        (&mut faults.interrupt, wild.interrupt),
        (&mut faults.cancel_race, wild.cancel_race),
        (&mut faults.restart, wild.restart),
        (&mut faults.overflow, wild.overflow),
        (&mut faults.no_buffers, wild.no_buffers),
        (&mut faults.no_descriptors, wild.no_descriptors),
        (&mut faults.no_space, wild.no_space),
        (&mut faults.reset, 10 * wild.reset),
        (&mut faults.abort, wild.abort),
        (&mut faults.end_early, wild.end_early),
        (&mut faults.scribble, wild.scribble),
        (&mut faults.uncancellable, wild.uncancellable),
    ];
    for (bit, (fault, often)) in pairs.into_iter().enumerate() {
        if mask & (1 << bit) != 0 {
            *fault = often;
        }
    }
    faults
}
