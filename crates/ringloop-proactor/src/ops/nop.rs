//! Operations that do nothing.

use std::io;

use crate::handle::Handle;
use crate::op::{Op, Operation};
use crate::ring::{Cqe, Sqe};

impl Handle {
    /// Makes a trip through the ring and back. Counterpart: `io_uring_prep_nop(3)`.
    #[inline]
    pub fn nop(&self) -> Op<Nop> {
        self.submit(Nop(()))
    }

    /// Makes a trip through the ring and comes back with `result`: a number, or a negated errno. For
    /// tests of code that handles failures. Counterpart: `io_uring_prep_nop(3)` with
    /// `IORING_NOP_INJECT_RESULT`.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for `-EINTR`, after which any operation is begun again. The future gives
    /// `Unsupported` before Linux 6.10.
    ///
    /// # Examples
    ///
    /// ```
    /// use ringloop_proactor::{Config, Proactor};
    ///
    /// let mut proactor = Proactor::new(&Config::default())?;
    /// let full = proactor.handle().nop_with_result(-libc::ENOSPC)?;
    /// let error = proactor.block_on(full)?.unwrap_err();
    /// assert_eq!(error.raw_os_error(), Some(libc::ENOSPC));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn nop_with_result(&self, result: i32) -> io::Result<Op<NopWithResult>> {
        if result == -libc::EINTR {
            let text = "an operation that ends with EINTR is begun again, for ever in this case";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
        Ok(self.submit(NopWithResult { result }))
    }
}

/// A trip through the ring and back. Linux 5.1. Counterpart: `io_uring_prep_nop(3)`.
#[derive(Debug)]
#[doc(alias = "io_uring_prep_nop")]
pub struct Nop(());

// SAFETY: the entry names no memory and no descriptor.
unsafe impl Operation for Nop {
    type Output = io::Result<()>;
    type Leftover = ();
    const NAME: &'static str = "nop";

    fn prepare(&mut self) -> Sqe {
        Sqe::new(io_uring::opcode::Nop::CODE, -1)
    }

    fn complete(self, cqe: Cqe) -> Self::Output {
        cqe.result().map(drop)
    }

    fn reclaim(self) -> Self::Leftover {}
}

/// A trip with a result of the caller's. Linux 6.10. Counterpart: `io_uring_prep_nop(3)`.
#[derive(Debug)]
pub struct NopWithResult {
    result: i32,
}

// SAFETY: the entry names no memory and no descriptor.
unsafe impl Operation for NopWithResult {
    type Output = io::Result<u32>;
    type Leftover = ();
    const NAME: &'static str = "nop with result";

    fn prepare(&mut self) -> Sqe {
        Sqe {
            op_flags: NOP_INJECT_RESULT,
            len: self.result.cast_unsigned(),
            ..Sqe::new(io_uring::opcode::Nop::CODE, -1)
        }
    }

    fn complete(self, cqe: Cqe) -> Self::Output {
        // An older kernel does not know the flag, and says so or looks past it.
        if cqe.res != self.result && cqe.errno() != libc::ECANCELED {
            let text = "this kernel has no io_uring nop with a result: it needs Linux 6.10";
            return Err(io::Error::new(io::ErrorKind::Unsupported, text));
        }
        cqe.result()
    }

    fn reclaim(self) -> Self::Leftover {}
}

/// `IORING_NOP_INJECT_RESULT`.
const NOP_INJECT_RESULT: u32 = 1 << 0;
