//! Messages between proactors: a number or a descriptor, from one ring into another.
//!
//! The kernel puts a message into the other ring as a completion that nobody asked for. It wakes
//! the other loop if that sleeps, and costs neither a lock nor a system call of its own. Numbers are
//! for telling that there is something; what it is goes through memory that both sides share.

use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::io;
use std::mem;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};

use crate::fd::Fd;
use crate::handle::Handle;
use crate::op::OpKey;
use crate::ring::Cqe;

/// What other proactors have sent to this one. Made by [`Handle::inbox`].
///
/// # Examples
///
/// ```
/// use ringloop_proactor::{Config, Message, Proactor};
///
/// let mut there = Proactor::new(&Config::default())?;
/// let mut inbox = there.handle().inbox()?;
/// let address = inbox.address();
/// std::thread::spawn(move || {
///     let mut here = Proactor::new(&Config::default())?;
///     here.block_on(here.handle().send_message(&address, 42)?)?
/// });
/// let message = there.block_on(inbox.recv())??;
/// assert!(matches!(message, Message::Data(42)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Inbox {
    handle: Handle,
    address: Address,
}

/// Where to send messages to: the inbox of a proactor, on this or another thread.
///
/// It keeps the other ring's memory until it is dropped, even if the proactor is gone.
#[derive(Clone)]
pub struct Address {
    target: Arc<Target>,
}

struct Target {
    ring: OwnedFd,
    is_open: AtomicBool,
}

/// What came.
#[derive(Debug)]
#[non_exhaustive]
pub enum Message {
    /// A number of the sender's.
    Data(u64),
    /// A direct descriptor, now in this ring's table too, with a number of the sender's.
    #[non_exhaustive]
    Descriptor {
        /// The descriptor.
        fd: Fd,
        /// The sender's number.
        tag: u16,
    },
}

/// The queue's side: what came and was not taken.
#[derive(Debug, Default)]
pub(crate) struct Mail {
    target: Option<Arc<Target>>,
    arrived: VecDeque<Letter>,
    reader: Option<Waker>,
}

#[derive(Debug)]
enum Letter {
    Data(u64),
    Descriptor { slot: u32, tag: u16 },
}

impl Inbox {
    pub(crate) fn new(handle: Handle) -> io::Result<Self> {
        if handle.shared().is_polled() {
            let text = "a ring of polled devices hears of no messages: use another proactor";
            return Err(io::Error::new(io::ErrorKind::Unsupported, text));
        }
        let target = handle.shared().with_queue(|queue| {
            if queue.mail.target.is_some() {
                let text = "the proactor has an inbox already";
                return Err(io::Error::new(io::ErrorKind::AlreadyExists, text));
            }
            let Some(ring) = &queue.ring else {
                return Err(io::Error::from_raw_os_error(libc::ECANCELED));
            };
            let target = Arc::new(Target {
                ring: ring.address()?,
                is_open: AtomicBool::new(true),
            });
            queue.mail.target = Some(Arc::clone(&target));
            Ok(target)
        })?;
        Ok(Self {
            handle,
            address: Address { target },
        })
    }

    /// Returns the address to send to. Any number of threads may have it.
    #[must_use]
    pub fn address(&self) -> Address {
        self.address.clone()
    }

    /// Takes the next message. Those of one sender come in the order in which they were sent.
    ///
    /// # Errors
    ///
    /// `ECANCELED` when the proactor has been shut down.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a message that comes after the future was dropped waits for the next call.
    pub async fn recv(&mut self) -> io::Result<Message> {
        poll_fn(|cx| self.poll_recv(cx)).await
    }

    /// Takes the next message, or wakes the task when there is one.
    ///
    /// # Errors
    ///
    /// As [`recv`](Self::recv).
    pub fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Message>> {
        let shared = self.handle.shared();
        // Foreign code, which may take a turn: what comes in it is seen below.
        let waker = cx.waker().clone();
        let letter = shared.with_queue(|queue| queue.mail.arrived.pop_front());
        if let Some(letter) = letter {
            return Poll::Ready(Ok(self.open(letter)));
        }
        if !shared.is_open() {
            return Poll::Ready(Err(io::Error::from_raw_os_error(libc::ECANCELED)));
        }
        let old = shared.with_queue(|queue| queue.mail.reader.replace(waker));
        drop(old);
        Poll::Pending
    }

    fn open(&self, letter: Letter) -> Message {
        match letter {
            Letter::Data(data) => Message::Data(data),
            Letter::Descriptor { slot, tag } => Message::Descriptor {
                fd: Fd::direct(self.handle.clone(), slot),
                tag,
            },
        }
    }
}

/// Descriptors that nobody took are closed.
impl Drop for Inbox {
    fn drop(&mut self) {
        // Ordering: Relaxed, it is a hint; a message that comes later is dropped.
        self.address.target.is_open.store(false, Ordering::Relaxed);
        let shared = self.handle.shared();
        let (arrived, reader) = shared.with_queue(|queue| {
            queue.mail.target = None;
            let arrived = mem::take(&mut queue.mail.arrived);
            (arrived, queue.mail.reader.take())
        });
        drop(reader);
        for letter in arrived {
            drop(self.open(letter));
        }
    }
}

impl Address {
    /// Returns whether the inbox is still there. It may be gone a moment later.
    #[must_use]
    pub fn is_open(&self) -> bool {
        // Ordering: Relaxed, nothing else is read on the strength of it.
        self.target.is_open.load(Ordering::Relaxed)
    }

    pub(crate) fn check(&self) -> io::Result<()> {
        if self.is_open() {
            return Ok(());
        }
        let text = "the inbox at this address is gone";
        Err(io::Error::new(io::ErrorKind::NotConnected, text))
    }

    pub(crate) fn ring(&self) -> RawFd {
        self.target.ring.as_raw_fd()
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.target, f)
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Address")
            .field("ring", &self.ring.as_raw_fd())
            .field("is_open", &self.is_open.load(Ordering::Relaxed))
            .finish()
    }
}

impl Mail {
    /// Keeps a number that came; returns who waits for it.
    #[cold]
    pub(crate) fn data_came(&mut self, key: OpKey, cqe: Cqe) -> Option<Waker> {
        self.target.as_ref()?;
        let data = u64::from(key.index()) << 32 | u64::from(cqe.res.cast_unsigned());
        self.arrived.push_back(Letter::Data(data));
        self.reader.take()
    }

    /// Keeps a descriptor that came; returns who waits for it. `Err`: nobody wants the one in this
    /// slot.
    #[cold]
    pub(crate) fn descriptor_came(&mut self, cqe: Cqe) -> Result<Option<Waker>, u32> {
        let Ok(slot) = u32::try_from(cqe.res) else {
            return Ok(None);
        };
        if self.target.is_none() {
            return Err(slot);
        }
        let [low, high, ..] = cqe.user_data.to_le_bytes();
        let tag = u16::from_le_bytes([low, high]);
        self.arrived.push_back(Letter::Descriptor { slot, tag });
        Ok(self.reader.take())
    }

    /// Tells that nothing will come any more; returns who waits.
    pub(crate) fn close(&mut self) -> Option<Waker> {
        if let Some(target) = &self.target {
            // Ordering: Relaxed, it is a hint.
            target.is_open.store(false, Ordering::Relaxed);
        }
        self.reader.take()
    }
}

/// The `user_data` of a descriptor with `tag`: above those of the proactor itself, below operations.
pub(crate) fn descriptor_user_data(tag: u16) -> u64 {
    DESCRIPTOR | u64::from(tag)
}

const DESCRIPTOR: u64 = 1 << 31;
