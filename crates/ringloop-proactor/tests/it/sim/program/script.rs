//! The text of a program: bytes that choices are read from.

/// What is left of a program.
#[derive(Clone, Copy, Debug)]
pub(super) struct Script<'a>(&'a [u8]);

/// One step: what to do, to which of those that are there, how much, and how.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    pub(super) verb: u8,
    pub(super) which: u8,
    pub(super) size: u8,
    pub(super) how: u8,
}

impl<'a> Script<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The next byte; zero at the end.
    pub(super) fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else {
            return 0;
        };
        self.0 = rest;
        *first
    }

    /// The next step. What is too short for one ends the program.
    pub(super) fn step(&mut self) -> Option<Step> {
        let ([verb, which, size, how], rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(Step {
            verb: *verb,
            which: *which,
            size: *size,
            how: *how,
        })
    }
}

impl Step {
    /// One of `len`, which is not zero.
    pub(super) fn choose(self, len: usize) -> usize {
        usize::from(self.which) % len
    }

    /// A number of bytes, at least one.
    pub(super) fn bytes(self) -> usize {
        match self.size {
            0..192 => usize::from(self.size) + 1,
            _ => (usize::from(self.size) - 190) * 16,
        }
    }

    pub(super) fn has(self, bit: u8) -> bool {
        self.how & (1 << bit) != 0
    }
}
