//! Making pipes, and moving bytes through them inside the kernel.

use std::io;
use std::os::fd::OwnedFd;

use super::direct::ALLOC;
use super::new_fd;
use super::offset::{is_offset, offset_error};
use crate::fd::Fd;
use crate::handle::Handle;
use crate::op::{Op, Operation};
use crate::ring::{Cqe, Sqe};

impl Handle {
    /// Makes a pipe, closed on exec: the end to read from and the end to write to. `flags` are
    /// `O_DIRECT` and `O_NONBLOCK`. Counterpart: `pipe2(2)`, `io_uring_prep_pipe(3)`.
    ///
    /// # Errors
    ///
    /// `Unsupported` before Linux 6.16; the future gives the errors of `pipe2(2)`.
    pub fn pipe(&self, flags: i32) -> io::Result<Op<Pipe>> {
        self.require(io_uring::opcode::Pipe::CODE, Pipe::NAME, "6.16")?;
        Ok(self.submit(Pipe {
            ends: [-1; 2],
            flags: flags | libc::O_CLOEXEC,
        }))
    }

    /// Makes a pipe of two direct descriptors. Counterpart: `io_uring_prep_pipe_direct(3)`.
    ///
    /// # Errors
    ///
    /// `Unsupported` before Linux 6.16, and `EMFILE` if the table of direct descriptors cannot be
    /// made. The future gives the errors of `pipe2(2)`, and `ENFILE` if the table is full.
    pub fn pipe_direct(&self, flags: i32) -> io::Result<Op<PipeDirect>> {
        self.require(io_uring::opcode::Pipe::CODE, PipeDirect::NAME, "6.16")?;
        self.shared().direct_table()?;
        Ok(self.submit(PipeDirect {
            handle: self.clone(),
            pipe: Pipe {
                ends: [-1; 2],
                flags: flags & !libc::O_CLOEXEC,
            },
        }))
    }

    /// Moves up to `len` bytes from one file to another without copying them, with `SPLICE_F_*`
    /// flags. One of the two is a pipe. Counterpart: `splice(2)`, `io_uring_prep_splice(3)`.
    ///
    /// An offset of `u64::MAX` is the file's position, and the only one that a pipe takes.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if an offset is another one beyond `i64::MAX`, and `EXDEV` if a descriptor to
    /// read from is another proactor's direct one. The future gives the errors of `splice(2)`.
    ///
    /// # Examples
    ///
    /// ```
    /// use ringloop_proactor::{Config, Proactor};
    ///
    /// let mut proactor = Proactor::new(&Config::default())?;
    /// let handle = proactor.handle();
    /// let path = std::env::temp_dir().join(format!("ringloop-splice-{}", std::process::id()));
    /// std::fs::write(&path, "there are bytes here")?;
    /// let file = handle.adopt(std::fs::File::open(&path)?);
    /// let (reader, writer) = std::io::pipe()?;
    /// let (reader, writer) = (handle.adopt(reader), handle.adopt(writer));
    /// let splice = handle.splice(&file, 10, &writer, u64::MAX, 5, 0)?;
    /// assert_eq!(proactor.block_on(splice)??, 5);
    /// let read = handle.read(&reader, Vec::with_capacity(64), u64::MAX);
    /// assert_eq!(proactor.block_on(read)??.1, b"bytes");
    /// std::fs::remove_file(&path)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn splice(
        &self,
        from: &Fd,
        from_offset: u64,
        to: &Fd,
        to_offset: u64,
        len: u32,
        flags: u32,
    ) -> io::Result<Op<Splice>> {
        if !(is_offset(from_offset) && is_offset(to_offset)) {
            return Err(offset_error());
        }
        Ok(self.submit(Splice {
            flow: Flow::new(self, from, to, len, flags)?,
            from_offset,
            to_offset,
        }))
    }

    /// Duplicates up to `len` bytes of a pipe into another one, with `SPLICE_F_*` flags. They can be
    /// read from both. Counterpart: `tee(2)`, `io_uring_prep_tee(3)`.
    ///
    /// # Errors
    ///
    /// `EXDEV` if the descriptor to read from is another proactor's direct one. The future gives
    /// the errors of `tee(2)`.
    pub fn tee(&self, from: &Fd, to: &Fd, len: u32, flags: u32) -> io::Result<Op<Tee>> {
        let flow = Flow::new(self, from, to, len, flags)?;
        Ok(self.submit(Tee { flow }))
    }
}

/// Makes a pipe. Linux 6.16. Counterpart: `io_uring_prep_pipe(3)`.
#[derive(Debug)]
#[doc(alias = "io_uring_prep_pipe")]
pub struct Pipe {
    /// The kernel writes the two numbers here.
    ends: [i32; 2],
    flags: i32,
}

// SAFETY: as the module says; the numbers are inside the operation, which does not move.
unsafe impl Operation for Pipe {
    /// The end to read from, and the end to write to.
    type Output = io::Result<(OwnedFd, OwnedFd)>;
    type Leftover = ();
    const NAME: &'static str = "pipe";
    const HAS_FD: bool = false;

    fn prepare(&mut self) -> Sqe {
        // The kernel wants a zero where others have a descriptor.
        Sqe {
            address: (&raw mut self.ends).expose_provenance() as u64,
            op_flags: self.flags.cast_unsigned(),
            ..Sqe::new(io_uring::opcode::Pipe::CODE, 0)
        }
    }

    fn complete(self, cqe: Cqe) -> Self::Output {
        cqe.result()?;
        let [reader, writer] = self.ends.map(|end| new_fd(Cqe { res: end, ..cqe }));
        Ok((reader?, writer?))
    }

    fn reclaim(self) -> Self::Leftover {}
}

/// Makes a pipe of two direct descriptors. Linux 6.16. Counterpart: `io_uring_prep_pipe_direct(3)`.
#[derive(Debug)]
#[doc(alias = "io_uring_prep_pipe_direct")]
pub struct PipeDirect {
    handle: Handle,
    pipe: Pipe,
}

// SAFETY: as for `Pipe`, which is inside this operation.
unsafe impl Operation for PipeDirect {
    /// The end to read from, and the end to write to.
    type Output = io::Result<(Fd, Fd)>;
    type Leftover = ();
    const NAME: &'static str = "pipe direct";
    const HAS_FD: bool = false;

    fn prepare(&mut self) -> Sqe {
        Sqe {
            file_index: ALLOC,
            ..self.pipe.prepare()
        }
    }

    fn complete(self, cqe: Cqe) -> Self::Output {
        cqe.result()?;
        let [reader, writer] = self.pipe.ends.map(i32::cast_unsigned);
        let reader = Fd::direct(self.handle.clone(), reader);
        Ok((reader, Fd::direct(self.handle, writer)))
    }

    fn reclaim(self) -> Self::Leftover {}
}

/// Moves bytes between a pipe and another file. Linux 5.7. Counterpart: `io_uring_prep_splice(3)`.
#[derive(Debug)]
#[doc(alias = "io_uring_prep_splice")]
pub struct Splice {
    flow: Flow,
    from_offset: u64,
    to_offset: u64,
}

// SAFETY: as the module says, for both descriptors; the field for an address holds an offset.
unsafe impl Operation for Splice {
    /// How many bytes were moved; zero if there are no more.
    type Output = io::Result<usize>;
    type Leftover = ();
    const NAME: &'static str = "splice";

    fn prepare(&mut self) -> Sqe {
        Sqe {
            address: self.from_offset,
            offset: self.to_offset,
            ..self.flow.entry(io_uring::opcode::Splice::CODE)
        }
    }

    fn complete(self, cqe: Cqe) -> Self::Output {
        cqe.result().map(|count| count as usize)
    }

    fn reclaim(self) -> Self::Leftover {}
}

/// Duplicates bytes of a pipe into another one. Linux 5.8. Counterpart: `io_uring_prep_tee(3)`.
#[derive(Debug)]
#[doc(alias = "io_uring_prep_tee")]
pub struct Tee {
    flow: Flow,
}

// SAFETY: as the module says, for both descriptors.
unsafe impl Operation for Tee {
    /// How many bytes were duplicated; zero if there are no more.
    type Output = io::Result<usize>;
    type Leftover = ();
    const NAME: &'static str = "tee";

    fn prepare(&mut self) -> Sqe {
        self.flow.entry(io_uring::opcode::Tee::CODE)
    }

    fn complete(self, cqe: Cqe) -> Self::Output {
        cqe.result().map(|count| count as usize)
    }

    fn reclaim(self) -> Self::Leftover {}
}

/// From where to where, and how much.
#[derive(Debug)]
struct Flow {
    from: Fd,
    to: Fd,
    len: u32,
    flags: u32,
}

impl Flow {
    /// # Errors
    ///
    /// `EXDEV` if `from` is a slot of another proactor's table. An entry says so of its own
    /// descriptor only, and that is `to`.
    fn new(handle: &Handle, from: &Fd, to: &Fd, len: u32, flags: u32) -> io::Result<Self> {
        if from.is_direct() && !from.handle().is_same(handle) {
            return Err(io::Error::from_raw_os_error(libc::EXDEV));
        }
        let is_direct = if from.is_direct() { FD_IN_FIXED } else { 0 };
        Ok(Self {
            from: from.clone(),
            to: to.clone(),
            len,
            flags: flags & !FD_IN_FIXED | is_direct,
        })
    }

    fn entry(&self, opcode: u8) -> Sqe {
        Sqe {
            len: self.len,
            op_flags: self.flags,
            file_index: self.from.target().number.cast_unsigned(),
            ..Sqe::on(opcode, &self.to)
        }
    }
}

/// `SPLICE_F_FD_IN_FIXED`: the descriptor to read from is direct.
const FD_IN_FIXED: u32 = 1 << 31;
