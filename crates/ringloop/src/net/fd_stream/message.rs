//! What has been received.

use std::collections::VecDeque;
use std::os::fd::OwnedFd;

use super::PeerCredentials;

/// What one receive has brought and nobody has taken.
#[derive(Debug, Default)]
pub(super) struct Message {
    pub(super) bytes: Vec<u8>,
    pub(super) taken: usize,
    pub(super) fds: VecDeque<OwnedFd>,
    pub(super) credentials: Option<PeerCredentials>,
}

impl Message {
    pub(super) fn is_empty(&self) -> bool {
        self.taken == self.bytes.len()
    }

    /// Moves what fits, and the descriptors with the first byte.
    pub(super) fn take(&mut self, buf: &mut [u8], fds: &mut Vec<OwnedFd>) -> usize {
        let rest = &self.bytes[self.taken..];
        let count = rest.len().min(buf.len());
        buf[..count].copy_from_slice(&rest[..count]);
        self.taken += count;
        fds.extend(self.fds.drain(..));
        count
    }
}
