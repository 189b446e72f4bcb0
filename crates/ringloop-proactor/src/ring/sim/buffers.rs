//! Groups of provided buffers: the kernel's side of `io_uring_register_buf_ring(3)`.

use std::collections::{BTreeMap, BTreeSet};

use super::memory::{self, Window};

/// The groups that are registered.
#[derive(Debug, Default)]
pub(super) struct Groups {
    groups: BTreeMap<u16, Group>,
    /// Registered memory, by its place in the table.
    fixed: BTreeMap<u16, Window>,
}

/// A buffer, or a part of one, that data went into.
#[derive(Clone, Copy, Debug)]
pub(super) struct Picked {
    pub(super) id: u16,
    pub(super) window: Window,
    /// The kernel goes on with it.
    pub(super) is_kept: bool,
}

#[derive(Debug)]
struct Group {
    address: u64,
    count: u16,
    head: u16,
    /// A buffer is filled part by part before the next one is picked.
    is_incremental: bool,
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
    pub(super) fn register(
        &mut self,
        group: u16,
        address: u64,
        count: u16,
        flags: u16,
    ) -> Result<(), i32> {
        if !count.is_power_of_two() || flags & !INCREMENTAL != 0 {
            return Err(libc::EINVAL);
        }
        if self.groups.contains_key(&group) {
            return Err(libc::EEXIST);
        }
        let made = Group {
            address,
            count,
            head: 0,
            is_incremental: flags & INCREMENTAL != 0,
            seen: 0,
            provided: BTreeSet::new(),
            lent: BTreeSet::new(),
        };
        self.groups.insert(group, made);
        Ok(())
    }

    pub(super) fn unregister(&mut self, group: u16) -> Result<(), i32> {
        self.groups.remove(&group).map(drop).ok_or(libc::EINVAL)
    }

    /// Picks the next buffer of `group` for up to `wanted` bytes.
    pub(super) fn pick(&mut self, group: u16, wanted: usize) -> Result<Picked, i32> {
        let group = self.groups.get_mut(&group).ok_or(libc::ENOBUFS)?;
        group.pick(wanted)
    }

    /// The whole room of the buffer that would be picked next.
    pub(super) fn room(&mut self, group: u16) -> Option<Window> {
        let group = self.groups.get_mut(&group)?;
        group.look();
        let entry = group.entry(group.head);
        (group.head != group.seen).then(|| Window::new(entry.address, entry.len.into()))
    }

    /// Registers memory, or takes it back if it has no length.
    pub(super) fn fix(&mut self, index: u16, window: Window) {
        self.fixed.remove(&index);
        if window.len > 0 {
            self.fixed.insert(index, window);
        }
    }

    /// Whether `window` lies in the registered memory of that index.
    pub(super) fn is_fixed(&self, index: u16, window: Window) -> bool {
        self.fixed.get(&index).is_some_and(|fixed| {
            let end = window.address.checked_add(window.len);
            window.address >= fixed.address
                && end.is_some_and(|end| end <= fixed.address + fixed.len)
        })
    }

    /// Whether a pick from `group` would find nothing.
    pub(super) fn is_empty(&mut self, group: u16) -> bool {
        self.groups.get_mut(&group).is_none_or(|group| {
            group.look();
            group.head == group.seen
        })
    }

    /// How many buffers have been picked and not been provided again.
    pub(super) fn lent(&mut self) -> usize {
        let groups = self.groups.values_mut();
        groups
            .map(|group| {
                group.look();
                group.lent.len()
            })
            .sum()
    }
}

impl Group {
    fn pick(&mut self, wanted: usize) -> Result<Picked, i32> {
        self.look();
        if self.head == self.seen {
            return Err(libc::ENOBUFS);
        }
        let entry = self.entry(self.head);
        let len = u32::try_from(wanted).unwrap_or(u32::MAX).min(entry.len);
        let window = Window::new(entry.address, len.into());
        let is_kept = self.is_incremental && len < entry.len;
        if is_kept {
            // What is left of it is written back, where the user can see it.
            let address = self.address_of(self.head);
            memory::write(address, &(entry.address + u64::from(len)).to_ne_bytes());
            memory::write(address + LEN_OFFSET, &(entry.len - len).to_ne_bytes());
            let id = entry.id;
            return Ok(Picked {
                id,
                window,
                is_kept,
            });
        }
        self.head = self.head.wrapping_add(1);
        assert!(
            self.provided.remove(&entry.id),
            "buffer {} was overwritten in the ring of its group",
            entry.id
        );
        self.lent.insert(entry.id);
        Ok(Picked {
            id: entry.id,
            window,
            is_kept,
        })
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
        memory::read_struct(self.address_of(at))
    }

    fn address_of(&self, at: u16) -> u64 {
        let slot = u64::from(at & (self.count - 1));
        self.address + slot * size_of::<Entry>() as u64
    }
}

const LEN_OFFSET: u64 = 8;
const TAIL_OFFSET: u64 = 14;
/// `IOU_PBUF_RING_INC`.
const INCREMENTAL: u16 = 1 << 1;

const _: () = assert!(size_of::<Entry>() == 16, "the kernel's entry has 16 bytes");
