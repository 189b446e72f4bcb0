//! Groups of provided buffers: the kernel's side of `io_uring_register_buf_ring(3)`.

use std::collections::{BTreeMap, BTreeSet};

use super::memory::{self, Window};

/// The groups that are registered.
#[derive(Debug, Default)]
pub(super) struct Groups(BTreeMap<u16, Group>);

#[derive(Debug)]
struct Group {
    address: u64,
    count: u16,
    head: u16,
    /// Up to here, entries have been looked at.
    seen: u16,
    provided: BTreeSet<u16>,
    lent: BTreeSet<u16>,
}

/// `struct io_uring_buf`. The tail of the ring lies over the `reserved` of the first one.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub(super) struct Entry {
    address: u64,
    len: u32,
    id: u16,
    reserved: u16,
}

impl Groups {
    pub(super) fn register(&mut self, group: u16, address: u64, count: u16) -> Result<(), i32> {
        if !count.is_power_of_two() {
            return Err(libc::EINVAL);
        }
        if self.0.contains_key(&group) {
            return Err(libc::EEXIST);
        }
        let made = Group {
            address,
            count,
            head: 0,
            seen: 0,
            provided: BTreeSet::new(),
            lent: BTreeSet::new(),
        };
        self.0.insert(group, made);
        Ok(())
    }

    pub(super) fn unregister(&mut self, group: u16) -> Result<(), i32> {
        self.0.remove(&group).map(drop).ok_or(libc::EINVAL)
    }

    /// Picks the next buffer of `group`: its id and its memory.
    pub(super) fn pick(&mut self, group: u16) -> Result<(u16, Window), i32> {
        self.0.get_mut(&group).ok_or(libc::ENOBUFS)?.pick()
    }

    /// Whether a pick from `group` would find nothing.
    pub(super) fn is_empty(&mut self, group: u16) -> bool {
        self.0.get_mut(&group).is_none_or(|group| {
            group.look();
            group.head == group.seen
        })
    }

    /// How many buffers have been picked and not been provided again.
    pub(super) fn lent(&mut self) -> usize {
        let groups = self.0.values_mut();
        groups
            .map(|group| {
                group.look();
                group.lent.len()
            })
            .sum()
    }
}

impl Group {
    fn pick(&mut self) -> Result<(u16, Window), i32> {
        self.look();
        if self.head == self.seen {
            return Err(libc::ENOBUFS);
        }
        let entry = self.entry(self.head);
        self.head = self.head.wrapping_add(1);
        assert!(
            self.provided.remove(&entry.id),
            "buffer {} was overwritten in the ring of its group",
            entry.id
        );
        self.lent.insert(entry.id);
        Ok((entry.id, Window::new(entry.address, entry.len.into())))
    }

    /// Takes note of what has been provided since.
    fn look(&mut self) {
        let tail = memory::read_struct::<u16>(self.address + TAIL_OFFSET);
        assert!(
            tail.wrapping_sub(self.head) <= self.count,
            "more buffers are provided than the group has entries"
        );
        while self.seen != tail {
            let entry = self.entry(self.seen);
            self.seen = self.seen.wrapping_add(1);
            self.lent.remove(&entry.id);
            assert!(
                self.provided.insert(entry.id),
                "buffer {} is provided twice",
                entry.id
            );
        }
    }

    fn entry(&self, at: u16) -> Entry {
        let slot = u64::from(at & (self.count - 1));
        memory::read_struct(self.address + slot * size_of::<Entry>() as u64)
    }
}

const TAIL_OFFSET: u64 = 14;

const _: () = assert!(size_of::<Entry>() == 16, "the kernel's entry has 16 bytes");
