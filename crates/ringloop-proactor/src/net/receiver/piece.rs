//! Bytes that have arrived and wait to be read.

use crate::buf::{BufPool, Chunk, Lent};

use std::rc::Rc;

/// Some of the bytes of a stream, at least one.
pub(super) enum Piece {
    /// In a buffer of the pool.
    Lent(Lent),
    /// In memory of the stream's own. In a box, since every stream has room for a piece.
    Own(Box<Copied>),
}

/// Bytes that were copied, and are read from `start` on.
pub(super) struct Copied {
    pub(super) bytes: Vec<u8>,
    pub(super) start: usize,
}

impl Piece {
    /// A copy of `bytes`.
    pub(super) fn copied(bytes: &[u8]) -> Self {
        Self::Own(Box::new(Copied {
            bytes: bytes.to_vec(),
            start: 0,
        }))
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Self::Lent(lent) => lent.len(),
            Self::Own(own) => own.bytes.len() - own.start,
        }
    }

    /// Leaves the first `count` bytes behind, which it has.
    pub(super) fn advance(&mut self, count: usize) {
        match self {
            Self::Lent(lent) => lent.advance(count),
            Self::Own(own) => own.start += count,
        }
    }

    /// Appends a copy of `more` if there is a place for that. `false`: there is none.
    pub(super) fn append(&mut self, more: &[u8]) -> bool {
        match self {
            Self::Own(own) if own.bytes.len() + more.len() <= JOINED_MAX_BYTES => {
                own.bytes.extend_from_slice(more);
                true
            }
            Self::Own(_) | Self::Lent(_) => false,
        }
    }

    /// Lends the bytes to the program. `pool` is the one that they came from, if they did.
    pub(super) fn into_chunk(self, pool: Option<&Rc<BufPool>>) -> Chunk {
        match (self, pool) {
            (Self::Own(own), _) => {
                let Copied { bytes, start } = *own;
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

const _: () = assert!(
    size_of::<Option<Piece>>() <= 16,
    "a stream has room for one in every task that has the stream"
);
