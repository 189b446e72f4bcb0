//! The bytes of one file: what is known of them.

use std::ops::Range;

/// A file of a fixed length.
#[derive(Debug)]
pub(super) struct File {
    /// `None`: more than one write may have been the last one there.
    bytes: Vec<Option<u8>>,
    writes: Vec<Write>,
    reads: Vec<Read>,
    serial: u64,
}

/// A write that has not ended, or that was given up.
#[derive(Debug)]
struct Write {
    number: u64,
    range: Range<usize>,
    new: Vec<u8>,
    old: Vec<Option<u8>>,
    /// Another one was at the same bytes.
    is_disturbed: bool,
    /// Nobody will know how it ends.
    is_given_up: bool,
}

#[derive(Debug)]
struct Read {
    number: u64,
    /// What was written meanwhile.
    unknown: Vec<Range<usize>>,
}

impl File {
    pub(super) fn new(content: &[u8]) -> Self {
        Self {
            bytes: content.iter().copied().map(Some).collect(),
            writes: Vec::new(),
            reads: Vec::new(),
            serial: 0,
        }
    }

    /// A write of `new` at `offset` begins. Returns its number.
    pub(super) fn begin_write(&mut self, offset: usize, new: &[u8]) -> u64 {
        let range = offset..offset + new.len();
        let mut is_disturbed = false;
        for other in &mut self.writes {
            if overlap(&other.range, &range) {
                other.is_disturbed = true;
                is_disturbed = true;
            }
        }
        for read in &mut self.reads {
            read.unknown.push(range.clone());
        }
        let old = self.bytes[range.clone()].to_vec();
        self.bytes[range.clone()].fill(None);
        self.serial += 1;
        self.writes.push(Write {
            number: self.serial,
            range,
            new: new.to_vec(),
            old,
            is_disturbed,
            is_given_up: false,
        });
        self.serial
    }

    /// The write has ended, and `count` bytes were written.
    pub(super) fn end_write(&mut self, number: u64, count: usize) {
        let Some(at) = self.writes.iter().position(|write| write.number == number) else {
            return;
        };
        let write = self.writes.remove(at);
        assert!(count <= write.new.len(), "more was written than there was");
        if write.is_disturbed {
            return;
        }
        let new = write.new[..count].iter().copied().map(Some);
        let bytes = new.chain(write.old[count..].iter().copied());
        for (at, byte) in write.range.zip(bytes) {
            self.bytes[at] = byte;
        }
    }

    pub(super) fn give_up_write(&mut self, number: u64) {
        for write in &mut self.writes {
            write.is_given_up |= write.number == number;
        }
    }

    /// Nothing is in flight: writes that were given up have ended, one way or the other.
    pub(super) fn is_quiet(&mut self) {
        self.writes.retain(|write| !write.is_given_up);
    }

    pub(super) fn begin_read(&mut self) -> u64 {
        self.serial += 1;
        let unknown = self.writes.iter().map(|write| write.range.clone());
        self.reads.push(Read {
            number: self.serial,
            unknown: unknown.collect(),
        });
        self.serial
    }

    /// The read has ended; `found` is what it brought from `offset`, if it brought anything.
    pub(super) fn end_read(&mut self, number: u64, found: Option<(usize, &[u8])>) {
        let Some(at) = self.reads.iter().position(|read| read.number == number) else {
            return;
        };
        let read = self.reads.remove(at);
        let Some((offset, found)) = found else { return };
        for (at, byte) in (offset..).zip(found) {
            let is_known = !read.unknown.iter().any(|range| range.contains(&at));
            if is_known && let Some(known) = self.bytes[at] {
                assert_eq!(*byte, known, "byte {at} of a file");
            }
        }
    }

    /// Compares what is known with the whole content.
    pub(super) fn check(&self, content: &[u8]) {
        assert_eq!(content.len(), self.bytes.len(), "the length of a file");
        for (at, (byte, known)) in content.iter().zip(&self.bytes).enumerate() {
            if let Some(known) = known {
                assert_eq!(byte, known, "byte {at} of a file at the end");
            }
        }
    }
}

fn overlap(one: &Range<usize>, other: &Range<usize>) -> bool {
    one.start < other.end && other.start < one.end
}
