//! Which operations a kernel knows, asked once.

use io_uring::{Probe, Submitter};

/// One bit for each opcode.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Opcodes([u64; 4]);

impl Opcodes {
    /// Asks the kernel: `IORING_REGISTER_PROBE` of `io_uring_register(2)`. It knows none if it
    /// does not say.
    pub(crate) fn ask(submitter: &Submitter<'_>) -> Self {
        let mut probe = Probe::new();
        let mut known = Self::default();
        if submitter.register_probe(&mut probe).is_ok() {
            for opcode in 0..=u8::MAX {
                if probe.is_supported(opcode) {
                    known.0[usize::from(opcode / 64)] |= 1 << (opcode % 64);
                }
            }
        }
        known
    }

    pub(crate) fn has(&self, opcode: u8) -> bool {
        self.0[usize::from(opcode / 64)] & (1 << (opcode % 64)) != 0
    }
}
