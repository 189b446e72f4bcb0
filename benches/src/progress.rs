//! The line on the error output that shows what is running.

use std::io::{self, IsTerminal, Write};

/// Shows progress: on a terminal as one line that is written over, else a line per benchmark.
#[derive(Debug)]
pub struct Progress {
    is_terminal: bool,
    shown: Option<&'static str>,
}

impl Progress {
    /// Looks at the error output.
    pub fn new() -> Self {
        Self {
            is_terminal: io::stderr().is_terminal(),
            shown: None,
        }
    }

    /// Shows that `contestant` has its turn at `benchmark`; round 0 is the warm-up.
    pub fn turn(&mut self, benchmark: &'static str, contestant: &str, round: usize, rounds: usize) {
        if self.is_terminal {
            self.show(&format!(
                "\r\x1b[K{benchmark}: {contestant}, round {round} of {rounds}"
            ));
        } else if self.shown != Some(benchmark) {
            self.show(&format!("running {benchmark}, {rounds} rounds\n"));
        }
        self.shown = Some(benchmark);
    }

    /// Shows a message of its own.
    pub fn note(&mut self, message: &str) {
        let end = if self.is_terminal { "" } else { "\n" };
        let start = if self.is_terminal { "\r\x1b[K" } else { "" };
        self.show(&format!("{start}{message}{end}"));
    }

    /// Removes the line, so that results can be printed.
    pub fn clear(&mut self) {
        if self.is_terminal {
            self.show("\r\x1b[K");
        }
    }

    fn show(&self, text: &str) {
        // Progress is a courtesy: if nobody can see it, the run goes on.
        let mut output = io::stderr().lock();
        let _unseen = output
            .write_all(text.as_bytes())
            .and_then(|()| output.flush());
    }
}

impl Default for Progress {
    fn default() -> Self {
        Self::new()
    }
}
