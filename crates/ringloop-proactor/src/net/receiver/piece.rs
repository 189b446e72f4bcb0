//! Bytes that have arrived and wait to be read.

use crate::buf::{BufPool, Chunk, Lent};

use std::rc::Rc;

/// Some of the bytes of a stream, at least one.
pub(super) enum Piece {
    /// In a buffer of the pool.
    Lent(Lent),
    /// In memory of the stream's own, from `start` on.
    Own { bytes: Vec<u8>, start: usize },
}

impl Piece {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Lent(lent) => lent.len(),
            Self::Own { bytes, start } => bytes.len() - start,
        }
    }

    /// Leaves the first `count` bytes behind, which it has.
    pub(super) fn advance(&mut self, count: usize) {
        match self {
            Self::Lent(lent) => lent.advance(count),
            Self::Own { start, .. } => *start += count,
        }
    }

    /// Appends a copy of `more` if there is a place for that. `false`: there is none.
    pub(super) fn append(&mut self, more: &[u8]) -> bool {
        match self {
            Self::Own { bytes, .. } if bytes.len() + more.len() <= JOINED_MAX_BYTES => {
                bytes.extend_from_slice(more);
                true
            }
            Self::Own { .. } | Self::Lent(_) => false,
        }
    }

    /// Lends the bytes to the program. `pool` is the one that they came from, if they did.
    pub(super) fn into_chunk(self, pool: Option<&Rc<BufPool>>) -> Chunk {
        match (self, pool) {
            (Self::Own { bytes, start }, _) => {
                let end = bytes.len();
                Chunk::own(bytes.into_boxed_slice(), start, end)
            }
            (Self::Lent(lent), Some(pool)) => Chunk::lent(Rc::clone(pool), lent),
            (Self::Lent(_), None) => unreachable!("lent bytes come from a pool"),
        }
    }
}

/// Copied pieces are joined up to this length.
const JOINED_MAX_BYTES: usize = 16 * 1024;
