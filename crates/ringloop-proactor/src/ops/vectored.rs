//! Reading and writing several buffers at once.

use super::no_signal::no_signal;
use super::offset::explain;
use super::stream::counted;
use crate::buf::{IoBufs, IoBufsMut, IoVecs, OpError};
use crate::fd::Fd;
use crate::handle::Handle;
use crate::op::{Op, Operation};
use crate::ring::{Cqe, Sqe};

/// Reads into the buffers of a set, one after the other. Linux 5.1. Counterpart: `io_uring_prep_readv(3)`.
#[derive(Debug)]
#[doc(alias = "io_uring_prep_readv")]
pub struct ReadV<S> {
    fd: Fd,
    set: S,
    iovecs: IoVecs,
    offset: u64,
}

impl<S: IoBufsMut> ReadV<S> {
    pub(crate) fn new(fd: Fd, mut set: S, offset: u64) -> Result<Self, OpError<S>> {
        if let Err(error) = IoVecs::check(set.rooms()) {
            return Err(OpError::new(error, set));
        }
        Ok(Self {
            fd,
            set,
            iovecs: IoVecs::new(),
            offset,
        })
    }
}

// SAFETY: as the module says; V1 and V2 of `buf::vectored` for the set and the array, which is in
// the operation or in a box of it.
unsafe impl<S: IoBufsMut> Operation for ReadV<S> {
    type Output = Result<(usize, S), OpError<S>>;
    type Leftover = S;
    const NAME: &'static str = "readv";

    fn prepare(&mut self) -> Sqe {
        let (array, count) = self.iovecs.name_rooms(&mut self.set);
        Sqe {
            offset: self.offset,
            address: array.expose_provenance() as u64,
            len: count,
            ..Sqe::on(io_uring::opcode::Readv::CODE, &self.fd)
        }
    }

    fn complete(self, cqe: Cqe) -> Self::Output {
        let result = self.iovecs.finish(self.set, cqe);
        result.map_err(|error| explain(error, self.offset))
    }

    fn reclaim(self) -> Self::Leftover {
        self.set
    }
}

/// Writes the buffers of a set, one after the other. Linux 5.1. Counterpart: `io_uring_prep_writev(3)`.
#[derive(Debug)]
#[doc(alias = "io_uring_prep_writev")]
pub struct WriteV<S> {
    fd: Fd,
    set: S,
    iovecs: IoVecs,
    offset: u64,
}

impl<S: IoBufs> WriteV<S> {
    pub(crate) fn new(fd: Fd, set: S, offset: u64) -> Result<Self, OpError<S>> {
        if let Err(error) = IoVecs::check(set.slices()) {
            return Err(OpError::new(error, set));
        }
        Ok(Self {
            fd,
            set,
            iovecs: IoVecs::new(),
            offset,
        })
    }
}

// SAFETY: as for `ReadV`.
unsafe impl<S: IoBufs> Operation for WriteV<S> {
    type Output = Result<(usize, S), OpError<S>>;
    type Leftover = S;
    const NAME: &'static str = "writev";

    fn prepare(&mut self) -> Sqe {
        let (array, count) = self.iovecs.name_slices(&self.set);
        Sqe {
            offset: self.offset,
            address: array.expose_provenance() as u64,
            len: count,
            op_flags: no_signal(),
            ..Sqe::on(io_uring::opcode::Writev::CODE, &self.fd)
        }
    }

    fn complete(self, cqe: Cqe) -> Self::Output {
        let result = counted(self.set, cqe);
        result.map_err(|error| explain(error, self.offset))
    }

    fn reclaim(self) -> Self::Leftover {
        self.set
    }
}

impl Handle {
    /// Reads at an offset into the buffers of a set, or at the file's position if it is
    /// `u64::MAX`. Counterpart: `preadv(2)`.
    ///
    /// # Errors
    ///
    /// `InvalidInput`, with the set, if it has more than [`IO_BUFS_MAX`](crate::IO_BUFS_MAX)
    /// buffers; the future gives the errors of `preadv(2)`, and of an offset as
    /// [`read`](Self::read).
    ///
    /// # Examples
    ///
    /// ```
    /// use ringloop_proactor::{Config, Proactor};
    ///
    /// let mut proactor = Proactor::new(&Config::default())?;
    /// let handle = proactor.handle();
    /// let file = handle.adopt(std::fs::File::open("/dev/zero")?);
    /// let set = (vec![1; 3], [1; 2]);
    /// let (count, set) = proactor.block_on(handle.read_vectored(&file, set, 0)?)??;
    /// assert_eq!((count, set), (5, (vec![0; 3], [0; 2])));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn read_vectored<S: IoBufsMut>(
        &self,
        fd: &Fd,
        set: S,
        offset: u64,
    ) -> Result<Op<ReadV<S>>, OpError<S>> {
        Ok(self.submit_at(offset, ReadV::new(fd.clone(), set, offset)?))
    }

    /// Writes the buffers of a set at an offset, or at the file's position if it is `u64::MAX`.
    /// Counterpart: `pwritev(2)`.
    ///
    /// # Errors
    ///
    /// `InvalidInput`, with the set, if it has more than [`IO_BUFS_MAX`](crate::IO_BUFS_MAX)
    /// buffers; the future gives the errors of `pwritev(2)`, and of an offset as
    /// [`write`](Self::write), with which it shares that it raises no `SIGPIPE`.
    pub fn write_vectored<S: IoBufs>(
        &self,
        fd: &Fd,
        set: S,
        offset: u64,
    ) -> Result<Op<WriteV<S>>, OpError<S>> {
        Ok(self.submit_at(offset, WriteV::new(fd.clone(), set, offset)?))
    }
}
