//! A submission queue entry as a plain struct.

use crate::fd::Fd;

/// A request to the kernel: `struct io_uring_sqe` of `io_uring_enter(2)`, field by field.
///
/// Which field means what depends on the operation; the manual page of the matching
/// `io_uring_prep_*` function says it. The `user_data` is filled in by the op table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
#[expect(
    clippy::exhaustive_structs,
    reason = "the kernel's ABI fixes the fields"
)]
pub struct Sqe {
    /// Which operation: `IORING_OP_*`.
    pub opcode: u8,
    /// How to run it: `IOSQE_*`.
    pub flags: u8,
    /// The I/O priority, or flags of the operation such as `IORING_RECV_MULTISHOT`.
    pub ioprio: u16,
    /// The descriptor, or -1.
    pub fd: i32,
    /// The file offset, or a second address.
    pub offset: u64,
    /// The address of a buffer, a path, a socket address, or another operation's `user_data`.
    pub address: u64,
    /// The length of the buffer in bytes, or a count.
    pub len: u32,
    /// Flags of the operation: `MSG_*`, `O_*`, poll events, accept flags.
    pub op_flags: u32,
    /// Comes back in the completion.
    pub user_data: u64,
    /// The buffer group to pick from, or the index of a registered buffer.
    pub buffer: u16,
    /// Registered credentials to run with, or 0.
    pub personality: u16,
    /// The slot for a direct descriptor, or an address length.
    pub file_index: u32,
    /// A third address.
    pub address3: u64,
    /// Zero for the kernel. Until then, which proactor a direct descriptor or a group of buffers
    /// belongs to.
    pub pad: u64,
}

impl Sqe {
    /// Returns an entry for `opcode` on descriptor `fd`, everything else zero.
    #[must_use]
    pub fn new(opcode: u8, fd: i32) -> Self {
        Self {
            opcode,
            fd,
            ..Self::default()
        }
    }

    /// Returns an entry for `opcode` on `fd`, plain or direct, everything else zero.
    #[must_use]
    #[inline]
    pub fn on(opcode: u8, fd: &Fd) -> Self {
        let target = fd.target();
        Self {
            opcode,
            flags: target.flags,
            fd: target.number,
            pad: target.home,
            ..Self::default()
        }
    }

    /// Returns the entry with the memory at `address`, `len` bytes long.
    ///
    /// A length beyond 2 GiB is clamped: the kernel moves no more at a time anyway.
    #[must_use]
    pub fn memory(mut self, address: *const u8, len: usize) -> Self {
        self.set_memory(address, len);
        self
    }

    #[inline]
    pub(crate) fn set_memory(&mut self, address: *const u8, len: usize) {
        self.address = address.expose_provenance() as u64;
        self.len = clamp(len);
    }
}

/// A length as the kernel takes it.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "it is clamped before")]
fn clamp(len: usize) -> u32 {
    len.min(RW_BYTES_MAX as usize) as u32
}

/// The most that the kernel moves at a time: `MAX_RW_COUNT`, 2 GiB less a page.
pub(crate) const RW_BYTES_MAX: u32 = 0x7fff_f000;
/// Flag of an entry: the descriptor is direct, a slot of the ring's own table.
pub(crate) const FIXED_FILE: u8 = 1 << 0;
/// Flag of an entry: the next one starts when this has succeeded, and is cancelled if it fails.
pub(crate) const IO_LINK: u8 = 1 << 2;
/// Flag of an entry: the next one starts when this has ended in whatever way.
pub(crate) const IO_HARDLINK: u8 = 1 << 3;
/// Flag of an entry: pick a buffer from the group in `buffer`.
pub(crate) const BUFFER_SELECT: u8 = 1 << 5;
/// Flag of an entry: no completion if it succeeds.
pub(crate) const SKIP_SUCCESS: u8 = 1 << 6;
/// In place of a proactor: what the entry names belongs to several.
pub(crate) const NO_HOME: u64 = u64::MAX;

const _: () = assert!(size_of::<Sqe>() == 64, "the kernel's entry has 64 bytes");
