//! What a file is, how large, how old.

use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime};

use super::place::Place;
use crate::fd::Fd;
use crate::handle::Handle;
use crate::op::{Op, Operation};
use crate::ring::{Cqe, Sqe};

impl Handle {
    /// Tells about a file by a path relative to a directory; `None` is the working directory.
    /// `flags` are `AT_*`, `mask` the `STATX_*` that are wanted. Counterpart: `statx(2)`,
    /// `io_uring_prep_statx(3)`.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if the path holds a zero byte or the directory is a direct descriptor; the
    /// future gives the errors of `statx(2)`.
    ///
    /// # Examples
    ///
    /// ```
    /// use ringloop_proactor::{Config, Proactor};
    ///
    /// let mut proactor = Proactor::new(&Config::default())?;
    /// let handle = proactor.handle();
    /// let statx = handle.statx(None, "/proc", 0, libc::STATX_BASIC_STATS)?;
    /// let stat = proactor.block_on(statx)??;
    /// assert_eq!(stat.mode() & libc::S_IFMT, libc::S_IFDIR);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn statx(
        &self,
        directory: Option<&Fd>,
        path: impl AsRef<Path>,
        flags: i32,
        mask: u32,
    ) -> io::Result<Op<Statx>> {
        let place = Place::new(directory, path.as_ref(), Statx::NAME)?;
        Ok(self.submit(Statx::new(place, flags, mask)))
    }

    /// Tells about an open file. `mask` are the `STATX_*` that are wanted. Counterpart: `statx(2)`
    /// with `AT_EMPTY_PATH`, `io_uring_prep_statx(3)`.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if the descriptor is direct: the kernel has no such call. The future gives
    /// the errors of `statx(2)`.
    pub fn statx_fd(&self, fd: &Fd, mask: u32) -> io::Result<Op<Statx>> {
        let place = Place::itself(fd, Statx::NAME)?;
        Ok(self.submit(Statx::new(place, libc::AT_EMPTY_PATH, mask)))
    }
}

/// Tells about a file. Linux 5.6. Counterpart: `io_uring_prep_statx(3)`.
#[derive(Debug)]
#[doc(alias = "io_uring_prep_statx")]
pub struct Statx {
    place: Place,
    flags: i32,
    mask: u32,
    result: Box<RawStat>,
}

impl Statx {
    fn new(place: Place, flags: i32, mask: u32) -> Self {
        Self {
            place,
            flags,
            mask,
            result: Box::default(),
        }
    }
}

// SAFETY: as the module says; the path and the result are on the heap. Every pattern of bits is a
// value of the result.
unsafe impl Operation for Statx {
    type Output = io::Result<Stat>;
    type Leftover = ();
    const NAME: &'static str = "statx";

    fn prepare(&mut self) -> Sqe {
        Sqe {
            offset: (&raw mut *self.result).expose_provenance() as u64,
            address: self.place.address(),
            len: self.mask,
            op_flags: self.flags.cast_unsigned(),
            ..Sqe::new(io_uring::opcode::Statx::CODE, self.place.directory())
        }
    }

    fn complete(self, cqe: Cqe) -> Self::Output {
        cqe.result().map(|_| Stat(self.result))
    }

    fn reclaim(self) -> Self::Leftover {}
}

/// What [`Handle::statx`] tells about a file. What was not asked for is zero, or `None`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stat(Box<RawStat>);

impl Stat {
    /// Returns which of the values are there: `STATX_*`. It may be more or less than was asked for.
    #[must_use]
    pub fn mask(&self) -> u32 {
        self.0.mask
    }

    /// Returns the kind of the file and the permission bits: `S_IF*` and the lower twelve bits.
    #[must_use]
    pub fn mode(&self) -> u32 {
        self.0.mode.into()
    }

    /// Returns the length of the file in bytes.
    #[must_use]
    pub fn len_bytes(&self) -> u64 {
        self.0.size
    }

    /// Returns how much room the file takes, in units of 512 bytes.
    #[must_use]
    pub fn blocks(&self) -> u64 {
        self.0.blocks
    }

    /// Returns the size in bytes of the transfers that suit the file system.
    #[must_use]
    pub fn block_bytes(&self) -> u32 {
        self.0.block_bytes
    }

    /// Returns the number of the file in its file system.
    #[must_use]
    pub fn inode(&self) -> u64 {
        self.0.inode
    }

    /// Returns how many names the file has.
    #[must_use]
    pub fn links(&self) -> u32 {
        self.0.links
    }

    /// Returns the user that owns the file.
    #[must_use]
    pub fn user(&self) -> u32 {
        self.0.user
    }

    /// Returns the group that owns the file.
    #[must_use]
    pub fn group(&self) -> u32 {
        self.0.group
    }

    /// Returns the device that the file is on, as `dev_t`.
    #[must_use]
    pub fn device(&self) -> u64 {
        let [major, minor] = self.0.device;
        libc::makedev(major, minor)
    }

    /// Returns the device that the file stands for, if it is one, as `dev_t`.
    #[must_use]
    pub fn special_device(&self) -> u64 {
        let [major, minor] = self.0.special_device;
        libc::makedev(major, minor)
    }

    /// Returns the mount that the file was reached through. Linux 5.8.
    #[must_use]
    pub fn mount(&self) -> Option<u64> {
        self.has(MNT_ID | MNT_ID_UNIQUE).then_some(self.0.mount)
    }

    /// Returns the attributes that are set, `STATX_ATTR_*`, and those that the file system knows.
    #[must_use]
    pub fn attributes(&self) -> (u64, u64) {
        (self.0.attributes, self.0.known_attributes)
    }

    /// Returns how `O_DIRECT` wants its memory and its offsets aligned, in bytes; zero if the file
    /// cannot be opened with it. Linux 6.1.
    #[must_use]
    pub fn direct_io_alignment(&self) -> Option<(u32, u32)> {
        let [memory, offset] = self.0.direct_io_alignment;
        self.has(DIOALIGN).then_some((memory, offset))
    }

    /// Returns when the file was read last.
    #[must_use]
    pub fn accessed(&self) -> Option<SystemTime> {
        self.time(libc::STATX_ATIME, self.0.accessed)
    }

    /// Returns when the content of the file was changed last.
    #[must_use]
    pub fn modified(&self) -> Option<SystemTime> {
        self.time(libc::STATX_MTIME, self.0.modified)
    }

    /// Returns when the file or anything about it was changed last.
    #[must_use]
    pub fn changed(&self) -> Option<SystemTime> {
        self.time(libc::STATX_CTIME, self.0.changed)
    }

    /// Returns when the file was made, if the file system keeps that.
    #[must_use]
    pub fn created(&self) -> Option<SystemTime> {
        self.time(libc::STATX_BTIME, self.0.created)
    }

    fn has(&self, any: u32) -> bool {
        self.0.mask & any != 0
    }

    fn time(&self, bit: u32, time: RawTime) -> Option<SystemTime> {
        let whole = Duration::from_secs(time.seconds.unsigned_abs());
        let second = if time.seconds < 0 {
            SystemTime::UNIX_EPOCH.checked_sub(whole)
        } else {
            SystemTime::UNIX_EPOCH.checked_add(whole)
        };
        let rest = Duration::from_nanos(time.nanoseconds.into());
        second?.checked_add(rest).filter(|_| self.has(bit))
    }
}

/// `struct statx` of `statx(2)`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[repr(C)]
struct RawStat {
    mask: u32,
    block_bytes: u32,
    attributes: u64,
    links: u32,
    user: u32,
    group: u32,
    mode: u16,
    pad: u16,
    inode: u64,
    size: u64,
    blocks: u64,
    known_attributes: u64,
    accessed: RawTime,
    created: RawTime,
    changed: RawTime,
    modified: RawTime,
    special_device: [u32; 2],
    device: [u32; 2],
    mount: u64,
    direct_io_alignment: [u32; 2],
    rest: [u64; 12],
}

/// `struct statx_timestamp` of `statx(2)`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
struct RawTime {
    seconds: i64,
    nanoseconds: u32,
    pad: i32,
}

/// `STATX_MNT_ID`, `STATX_MNT_ID_UNIQUE` and `STATX_DIOALIGN`.
const MNT_ID: u32 = 0x1000;
const MNT_ID_UNIQUE: u32 = 0x4000;
const DIOALIGN: u32 = 0x2000;

const _: () = assert!(size_of::<RawStat>() == size_of::<libc::statx>());
const _: () = assert!(align_of::<RawStat>() == align_of::<libc::statx>());
