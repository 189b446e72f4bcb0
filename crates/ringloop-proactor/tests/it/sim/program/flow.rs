//! The bytes of one direction of a connection, or of a pipe: what was sent and what has arrived.

/// A ledger of bytes. One writes at a time, and one reads.
#[derive(Debug, Default)]
pub(super) struct Flow {
    sent: Vec<u8>,
    /// What may have been sent, too: by an operation that has not ended, or that was given up.
    perhaps: Vec<u8>,
    received: usize,
    writer: Claim,
    reader: Claim,
    /// The connection may have lost bytes.
    pub(super) is_broken: bool,
    /// How many of those that read and write are parts of chains, and wait for more than bytes. The
    /// reader may belong to one chain and the writer to another.
    pub(super) links: usize,
    is_over: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Claim {
    #[default]
    Free,
    Taken,
    /// Somebody who was given up may still be at it.
    Lost,
}

impl Flow {
    pub(super) fn new(is_broken: bool) -> Self {
        Self {
            is_broken,
            ..Self::default()
        }
    }

    /// Takes the writing end. `false`: somebody has it.
    pub(super) fn begin_writing(&mut self) -> bool {
        let is_free = self.writer == Claim::Free;
        if is_free {
            self.writer = Claim::Taken;
        }
        is_free
    }

    /// An operation may send `bytes` from now on.
    pub(super) fn may_send(&mut self, bytes: &[u8]) {
        self.perhaps = bytes.to_vec();
    }

    /// It has sent so many of them, and is done.
    pub(super) fn has_sent(&mut self, count: usize) {
        let bytes = std::mem::take(&mut self.perhaps);
        assert!(count <= bytes.len(), "more was sent than there was");
        self.queued(&bytes[..count]);
        self.check();
        self.writer = Claim::Free;
    }

    /// Nobody will know how much was sent.
    pub(super) fn lose_writer(&mut self) {
        self.writer = Claim::Lost;
    }

    pub(super) fn end_writing(&mut self) {
        self.writer = Claim::Free;
    }

    /// These bytes will be sent.
    pub(super) fn queued(&mut self, bytes: &[u8]) {
        self.sent.extend_from_slice(bytes);
    }

    /// Takes the reading end. `false`: somebody has it.
    pub(super) fn begin_reading(&mut self) -> bool {
        let is_free = self.reader == Claim::Free;
        if is_free {
            self.reader = Claim::Taken;
        }
        is_free
    }

    /// These bytes have come. After bytes were lost nothing is known of those that follow.
    pub(super) fn received(&mut self, bytes: &[u8]) {
        assert!(
            !self.is_over || bytes.is_empty(),
            "bytes come after the end"
        );
        for byte in bytes {
            let at = self.received;
            let sent = self.sent.iter().chain(&self.perhaps).nth(at);
            assert_eq!(Some(byte), sent, "byte {at} of a stream");
            self.received += 1;
        }
    }

    /// The end was seen.
    pub(super) fn is_at_end(&mut self) {
        self.is_over = true;
        assert!(
            self.is_broken || self.received >= self.sent.len(),
            "the end comes after {} bytes of {}",
            self.received,
            self.sent.len()
        );
    }

    pub(super) fn end_reading(&mut self) {
        self.reader = Claim::Free;
    }

    /// What arrives now is seen by nobody.
    pub(super) fn lose_reader(&mut self) {
        self.reader = Claim::Lost;
    }

    /// With a reader that waits and nothing left to happen, everything has arrived.
    pub(super) fn check_idle(&self) {
        if self.reader != Claim::Taken || self.is_broken || self.links > 0 || self.is_over {
            return;
        }
        assert_ne!(
            (self.writer, self.perhaps.is_empty()),
            (Claim::Taken, false),
            "a send waits although the reader has nothing to read"
        );
        assert!(
            self.received >= self.sent.len(),
            "{} bytes of {} have arrived, and nothing moves",
            self.received,
            self.sent.len()
        );
    }

    fn check(&self) {
        assert!(
            self.received <= self.sent.len(),
            "{} bytes have arrived of {} that were sent",
            self.received,
            self.sent.len()
        );
    }
}

/// Bytes that tell where they come from.
pub(super) fn pattern(serial: u32, len: usize) -> Vec<u8> {
    let start = serial.wrapping_mul(0x9e37_79b9);
    let word = |at: usize| start.wrapping_add(u32::try_from(at).unwrap_or(0).wrapping_mul(0x85eb));
    (0..len)
        .map(|at| (word(at) ^ word(at) >> 13).to_le_bytes()[1])
        .collect()
}
