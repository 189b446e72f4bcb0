//! Telling the kernel how a file or a memory is going to be used.

use std::io;

use crate::buf::{IoBuf, OpError};
use crate::fd::Fd;
use crate::handle::Handle;
use crate::op::{Op, Operation};
use crate::ring::{Cqe, Sqe};

impl Handle {
    /// Says how a part of a file is going to be read, with `POSIX_FADV_*`; a `len` of zero is all
    /// from `offset` on. Counterpart: `posix_fadvise(2)`, `io_uring_prep_fadvise(3)`.
    ///
    /// A `len` of 4 GiB or more is `EINVAL` on kernels that have a short field for it only.
    pub fn fadvise(&self, fd: &Fd, offset: u64, len: u64, advice: i32) -> Op<FAdvise> {
        self.submit(FAdvise {
            fd: fd.clone(),
            offset,
            len,
            advice,
        })
    }

    /// Says how the memory of a buffer is going to be used, and gives the buffer back. Counterpart:
    /// `madvise(2)`, `io_uring_prep_madvise(3)`.
    ///
    /// It touches only whole pages inside the buffer; in a smaller one it does nothing. Advice that
    /// changes what is in memory is not offered (`MADV_DONTNEED`, `MADV_FREE`, `MADV_REMOVE`), nor
    /// what changes who has it (`MADV_DONTFORK`, `MADV_GUARD_INSTALL`): other code may see a buffer
    /// while the operation runs. A buffer of 4 GiB or more is `EINVAL` on kernels that have a short
    /// field for the length only.
    ///
    /// # Examples
    ///
    /// ```
    /// use ringloop_proactor::ops::MemoryAdvice;
    /// use ringloop_proactor::{Config, Proactor};
    ///
    /// let mut proactor = Proactor::new(&Config::default())?;
    /// let handle = proactor.handle();
    /// // The pages of a megabyte are made by a worker of the kernel, not by the first writes here.
    /// let buffer = vec![0; 1 << 20].into_boxed_slice();
    /// let advise = handle.madvise(buffer, MemoryAdvice::PopulateWrite);
    /// let buffer = proactor.block_on(advise)??;
    /// assert_eq!(buffer.len(), 1 << 20);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn madvise<B: IoBuf>(&self, buffer: B, advice: MemoryAdvice) -> Op<MAdvise<B>> {
        self.submit(MAdvise { buffer, advice })
    }
}

/// How the memory of a buffer is going to be used: the `MADV_*` of `madvise(2)` that leave what is in
/// it alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MemoryAdvice {
    /// In no particular way.
    Normal,
    /// Here and there.
    Random,
    /// From the start to the end.
    Sequential,
    /// Soon: what is not in memory is read ahead.
    WillNeed,
    /// Not soon: it is among the first to go if memory is short.
    Cold,
    /// Not soon: it goes now, to the disk.
    PageOut,
    /// In huge pages, where the system has them.
    HugePage,
    /// Not in huge pages.
    NoHugePage,
    /// Its pages are to be made huge pages now. Linux 6.1.
    Collapse,
    /// Its pages are to be there for reading. Linux 5.14.
    PopulateRead,
    /// Its pages are to be there for writing. Linux 5.14.
    PopulateWrite,
}

impl MemoryAdvice {
    fn number(self) -> i32 {
        match self {
            Self::Normal => libc::MADV_NORMAL,
            Self::Random => libc::MADV_RANDOM,
            Self::Sequential => libc::MADV_SEQUENTIAL,
            Self::WillNeed => libc::MADV_WILLNEED,
            Self::Cold => libc::MADV_COLD,
            Self::PageOut => libc::MADV_PAGEOUT,
            Self::HugePage => libc::MADV_HUGEPAGE,
            Self::NoHugePage => libc::MADV_NOHUGEPAGE,
            Self::Collapse => libc::MADV_COLLAPSE,
            Self::PopulateRead => libc::MADV_POPULATE_READ,
            Self::PopulateWrite => libc::MADV_POPULATE_WRITE,
        }
    }
}

/// Says how a part of a file is going to be read. Linux 5.6. Counterpart:
/// `io_uring_prep_fadvise(3)`.
#[derive(Debug)]
#[doc(alias = "io_uring_prep_fadvise")]
pub struct FAdvise {
    fd: Fd,
    offset: u64,
    len: u64,
    advice: i32,
}

// SAFETY: as the module says; the field for an address holds the length, or zero.
unsafe impl Operation for FAdvise {
    type Output = io::Result<()>;
    type Leftover = ();
    const NAME: &'static str = "fadvise";

    fn prepare(&mut self) -> Sqe {
        let (len, long_len) = split(self.len);
        Sqe {
            offset: self.offset,
            address: long_len,
            len,
            op_flags: self.advice.cast_unsigned(),
            ..Sqe::on(io_uring::opcode::Fadvise::CODE, &self.fd)
        }
    }

    fn complete(self, cqe: Cqe) -> Self::Output {
        cqe.result().map(drop)
    }

    fn reclaim(self) -> Self::Leftover {}
}

/// Says how memory is going to be used. Linux 5.6. Counterpart: `io_uring_prep_madvise(3)`.
#[derive(Debug)]
#[doc(alias = "io_uring_prep_madvise")]
pub struct MAdvise<B> {
    buffer: B,
    advice: MemoryAdvice,
}

// SAFETY: as the module says; the advice is of the kinds that leave the content of memory alone, and
// the pages are those that lie in the buffer as a whole.
unsafe impl<B: IoBuf> Operation for MAdvise<B> {
    type Output = Result<B, OpError<B>>;
    type Leftover = B;
    const NAME: &'static str = "madvise";

    fn prepare(&mut self) -> Sqe {
        let bytes = self.buffer.as_slice();
        let page_bytes = page_bytes();
        let end = bytes.as_ptr().addr() + bytes.len();
        let skipped = bytes.as_ptr().addr().next_multiple_of(page_bytes) - bytes.as_ptr().addr();
        let start = bytes.as_ptr().wrapping_add(skipped);
        let whole = (end - end % page_bytes).saturating_sub(start.addr());
        let (len, long_len) = split(whole as u64);
        Sqe {
            offset: long_len,
            address: start.expose_provenance() as u64,
            len,
            op_flags: self.advice.number().cast_unsigned(),
            ..Sqe::new(io_uring::opcode::Madvise::CODE, -1)
        }
    }

    fn complete(self, cqe: Cqe) -> Self::Output {
        match cqe.result() {
            Ok(_) => Ok(self.buffer),
            Err(error) => Err(OpError::new(error, self.buffer)),
        }
    }

    fn reclaim(self) -> Self::Leftover {
        self.buffer
    }
}

/// A length as advice takes it: in the short field that every kernel reads, or in the long one of
/// later kernels.
fn split(len: u64) -> (u32, u64) {
    match u32::try_from(len) {
        Ok(short) => (short, 0),
        Err(_) => (0, len),
    }
}

fn page_bytes() -> usize {
    // SAFETY: the call takes a number and returns one.
    let bytes = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    usize::try_from(bytes).expect("a page has a size")
}
