//! Real descriptors that requests poll, such as the eventfd behind the proactor's unparker.
//!
//! An edge-triggered epoll tells the same edges as a multishot poll of the kernel's ring.

#![expect(unsafe_code, reason = "epoll(7) has no wrapper in std")]

use std::collections::BTreeMap;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::time::Duration;

use super::placeholder::{duplicate, errno};

/// The polls of real descriptors, by request.
#[derive(Debug)]
pub(super) struct Watch {
    epoll: OwnedFd,
    /// A duplicate per request keeps the file open, and one file can be polled by many.
    polled: BTreeMap<u64, OwnedFd>,
    fired: BTreeMap<u64, u32>,
}

impl Watch {
    pub(super) fn new() -> io::Result<Self> {
        // SAFETY: the call takes an integer.
        let epoll = unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) };
        if epoll < 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(Self {
            // SAFETY: the kernel just made it for us, nobody else owns it.
            epoll: unsafe { OwnedFd::from_raw_fd(epoll) },
            polled: BTreeMap::new(),
            fired: BTreeMap::new(),
        })
    }

    /// Watches `fd` for request `number`. What cannot be polled is always ready.
    pub(super) fn add(&mut self, number: u64, fd: RawFd, events: u32) -> Result<(), i32> {
        let fd = duplicate(fd)?;
        let mut event = libc::epoll_event {
            events: events | libc::EPOLLET.cast_unsigned(),
            u64: number,
        };
        // SAFETY: both descriptors are open, and the event is a live local.
        let added = unsafe {
            libc::epoll_ctl(
                self.epoll.as_raw_fd(),
                libc::EPOLL_CTL_ADD,
                fd.as_raw_fd(),
                &raw mut event,
            )
        };
        if added < 0 {
            match errno() {
                libc::EPERM => {
                    self.fired.insert(number, events & ALWAYS_READY);
                }
                errno => return Err(errno),
            }
        }
        self.polled.insert(number, fd);
        Ok(())
    }

    pub(super) fn remove(&mut self, number: u64) {
        self.fired.remove(&number);
        let Some(fd) = self.polled.remove(&number) else {
            return;
        };
        // SAFETY: both descriptors are open. Of a file that was never added it is an error.
        unsafe {
            libc::epoll_ctl(
                self.epoll.as_raw_fd(),
                libc::EPOLL_CTL_DEL,
                fd.as_raw_fd(),
                std::ptr::null_mut(),
            )
        };
    }

    /// Waits up to `patience` of real time for something to fire. Returns whether it did.
    pub(super) fn look(&mut self, patience: Duration) -> bool {
        if self.polled.is_empty() {
            return false;
        }
        let millis = i32::try_from(patience.as_millis()).unwrap_or(i32::MAX);
        let mut events = [libc::epoll_event { events: 0, u64: 0 }; 16];
        // SAFETY: the array is a live local of that many entries.
        let count =
            unsafe { libc::epoll_wait(self.epoll.as_raw_fd(), events.as_mut_ptr(), 16, millis) };
        for event in events.iter().take(usize::try_from(count).unwrap_or(0)) {
            let number = event.u64;
            *self.fired.entry(number).or_default() |= event.events;
        }
        !self.fired.is_empty()
    }

    /// Takes what has fired for a request.
    pub(super) fn take(&mut self, number: u64) -> Option<u32> {
        self.fired.remove(&number)
    }
}

/// `POLLIN` and `POLLOUT`, of files that epoll does not take.
const ALWAYS_READY: u32 = 0x005;
