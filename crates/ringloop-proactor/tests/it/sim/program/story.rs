//! What has happened in a program, told when something is wrong.

use ringloop_proactor::sim::Simulation;

/// The steps so far. They are printed, with the trace of the simulation, when a panic goes by.
pub(super) struct Story {
    lines: Vec<String>,
    simulation: Simulation,
}

impl Story {
    pub(super) fn new(simulation: Simulation) -> Self {
        Self {
            lines: Vec::new(),
            simulation,
        }
    }

    /// Adds a line. The fuzzer, which ends at a panic, does without.
    pub(super) fn tell(&mut self, line: impl FnOnce() -> String) {
        if cfg!(test) {
            let micros = self.simulation.elapsed().as_micros();
            self.lines.push(format!("{micros:>9} {}", line()));
        }
    }
}

impl Drop for Story {
    #[expect(clippy::print_stderr, reason = "a test says what has happened")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}\n", self.lines.join("\n"));
            eprintln!("{}", self.simulation.trace());
        }
    }
}
