//! An epoll instance of somebody else, served by the ring.
//!
//! For libraries that bring an epoll descriptor of their own: their loop becomes an operation of this
//! one. For descriptors of one's own, [`Handle::poll_multishot`] needs no epoll.

use std::fmt;
use std::io;
use std::os::fd::AsRawFd;

use crate::buf::OpError;
use crate::fd::Fd;
use crate::handle::Handle;
use crate::op::{Op, Operation};
use crate::ring::{Cqe, Sqe};

impl Handle {
    /// Waits until an epoll instance has events, and takes as many as `room` has capacity for.
    /// Counterpart: `epoll_wait(2)`, `io_uring_prep_epoll_wait(3)`.
    ///
    /// # Errors
    ///
    /// `Unsupported` before Linux 6.15. The future gives the errors of `epoll_wait(2)`: `EINVAL` if
    /// there is no room.
    pub fn epoll_wait(&self, epoll: &Fd, room: Vec<EpollEvent>) -> io::Result<Op<EpollWait>> {
        self.require(io_uring::opcode::EpollWait::CODE, "epoll_wait", "6.15")?;
        Ok(self.submit(EpollWait {
            epoll: epoll.clone(),
            room,
        }))
    }

    /// Adds a descriptor to an epoll instance, changes what it is watched for, or takes it out. Both
    /// are plain descriptors. Counterpart: `epoll_ctl(2)`, `io_uring_prep_epoll_ctl(3)`.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for a direct descriptor. The future gives the errors of `epoll_ctl(2)`.
    pub fn epoll_ctl(&self, epoll: &Fd, fd: &Fd, change: EpollChange) -> io::Result<Op<EpollCtl>> {
        if epoll.is_direct() || fd.is_direct() {
            let text = "epoll_ctl takes the numbers of descriptors, which direct ones lack";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
        let (code, event) = match change {
            EpollChange::Add(event) => (libc::EPOLL_CTL_ADD, event),
            EpollChange::Modify(event) => (libc::EPOLL_CTL_MOD, event),
            EpollChange::Remove => (libc::EPOLL_CTL_DEL, EpollEvent::new(0, 0)),
        };
        Ok(self.submit(EpollCtl {
            epoll: epoll.clone(),
            fd: fd.clone(),
            code,
            event,
        }))
    }
}

/// What is watched for, or what has come: `struct epoll_event` of `epoll_ctl(2)`.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(C)]
#[cfg_attr(target_arch = "x86_64", repr(packed))]
pub struct EpollEvent {
    events: u32,
    data: u64,
}

impl EpollEvent {
    /// Returns one with events (`EPOLLIN`, `EPOLLOUT`, …) and data that come back.
    #[must_use]
    pub fn new(events: u32, data: u64) -> Self {
        Self { events, data }
    }

    /// Returns the events.
    #[must_use]
    pub fn events(&self) -> u32 {
        self.events
    }

    /// Returns what the descriptor was added with.
    #[must_use]
    pub fn data(&self) -> u64 {
        self.data
    }
}

impl fmt::Debug for EpollEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EpollEvent")
            .field("events", &self.events())
            .field("data", &self.data())
            .finish()
    }
}

/// What [`Handle::epoll_ctl`] does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EpollChange {
    /// Watches a descriptor.
    Add(EpollEvent),
    /// Watches it for something else.
    Modify(EpollEvent),
    /// Watches it no more.
    Remove,
}

/// Waits for events of an epoll instance. Linux 6.15. Counterpart: `io_uring_prep_epoll_wait(3)`.
#[derive(Debug)]
#[doc(alias = "io_uring_prep_epoll_wait")]
pub struct EpollWait {
    epoll: Fd,
    room: Vec<EpollEvent>,
}

// SAFETY: as the module says.
unsafe impl Operation for EpollWait {
    /// The events, in the vector that had the room.
    type Output = Result<Vec<EpollEvent>, OpError<Vec<EpollEvent>>>;
    type Leftover = Vec<EpollEvent>;
    const NAME: &'static str = "epoll_wait";

    fn prepare(&mut self) -> Sqe {
        self.room.clear();
        let room = self.room.as_mut_ptr().cast_const();
        Sqe::on(io_uring::opcode::EpollWait::CODE, &self.epoll)
            .memory(room.cast(), self.room.capacity())
    }

    fn complete(mut self, cqe: Cqe) -> Self::Output {
        match cqe.result() {
            Ok(count) => {
                let count =
                    usize::try_from(count).map_or(0, |count| count.min(self.room.capacity()));
                // SAFETY: the kernel has filled in that many.
                unsafe { self.room.set_len(count) };
                Ok(self.room)
            }
            Err(error) => Err(OpError {
                error,
                buffer: self.room,
            }),
        }
    }

    fn reclaim(self) -> Self::Leftover {
        self.room
    }
}

/// Changes what an epoll instance watches. Linux 5.6. Counterpart: `io_uring_prep_epoll_ctl(3)`.
#[derive(Debug)]
#[doc(alias = "io_uring_prep_epoll_ctl")]
pub struct EpollCtl {
    epoll: Fd,
    fd: Fd,
    code: i32,
    event: EpollEvent,
}

// SAFETY: as the module says; the event is inside the operation, which does not move.
unsafe impl Operation for EpollCtl {
    type Output = io::Result<()>;
    type Leftover = ();
    const NAME: &'static str = "epoll_ctl";

    fn prepare(&mut self) -> Sqe {
        let number = self.fd.plain().map_or(-1, |fd| fd.as_raw_fd());
        Sqe {
            address: (&raw const self.event).expose_provenance() as u64,
            len: self.code.cast_unsigned(),
            offset: u64::from(number.cast_unsigned()),
            ..Sqe::on(io_uring::opcode::EpollCtl::CODE, &self.epoll)
        }
    }

    fn complete(self, cqe: Cqe) -> Self::Output {
        cqe.result().map(drop)
    }

    fn reclaim(self) -> Self::Leftover {}
}

const _: () = assert!(
    size_of::<EpollEvent>() == size_of::<libc::epoll_event>(),
    "it is the kernel's struct"
);
