//! A request: an entry that was taken, the arguments it named, and how far it has come.

use std::collections::VecDeque;
use std::time::Duration;

use super::address::Address;
use super::file::Target;
use super::memory::{self, Window};
use super::opcode::{self, Kind};
use crate::ring::Sqe;

/// An entry from its submission to its last completion.
#[derive(Debug)]
pub(super) struct Request {
    /// Counts from one; the order of submission.
    pub(super) number: u64,
    pub(super) sqe: Sqe,
    pub(super) kind: &'static Kind,
    pub(super) args: Args,
    pub(super) target: Option<Target>,
    pub(super) phase: Phase,
    /// Bytes moved so far, by a transfer that waits for all of them.
    pub(super) done: usize,
    /// What its windows will hold at the completion.
    pub(super) payload: Vec<u8>,
    /// What else is written at the completion.
    pub(super) outputs: Vec<(u64, Vec<u8>)>,
    /// The state of the file at the last answer of a multishot poll.
    pub(super) seen_wakes: Option<u64>,
    /// Zero-copy: what the memory has to hold until the notification.
    pub(super) lent: Vec<u8>,
    /// Those behind it in its chain.
    pub(super) chain: VecDeque<Self>,
    /// The link timeout that watches it.
    pub(super) timeout: Option<u64>,
    /// A link timeout: what it watches.
    pub(super) watched: u64,
    /// A timeout: after this many completions it is over.
    pub(super) completions_left: Option<u64>,
}

/// What a request does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// It goes on when its file allows.
    Waiting,
    /// Nothing before that time.
    Busy { until: Duration, grip: Grip },
    /// The result is there, and is told at that time.
    Done { at: Duration, res: i32, flags: u32 },
}

/// What a cancel does to a busy request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Grip {
    /// It ends it.
    Loose,
    /// It does not; the request goes on regardless.
    Firm,
    /// One has missed it already: it ends by itself now, if not with success then cancelled.
    Doomed,
}

/// What entries point to and the kernel copies when it takes them.
#[derive(Debug, Default)]
pub(super) struct Args {
    /// Where data is read from or written to.
    pub(super) windows: Vec<Window>,
    pub(super) path: Vec<u8>,
    pub(super) second_path: Vec<u8>,
    pub(super) address: Option<Address>,
    pub(super) time: Duration,
    /// `open_how`: flags, mode.
    pub(super) how: Option<(u64, u64)>,
    /// Where the header of a message is.
    pub(super) message: Option<u64>,
}

impl Request {
    pub(super) fn new(number: u64, sqe: Sqe, kind: &'static Kind) -> Self {
        Self {
            number,
            sqe,
            kind,
            args: Args::default(),
            target: None,
            phase: Phase::Waiting,
            done: 0,
            payload: Vec::new(),
            outputs: Vec::new(),
            seen_wakes: None,
            lent: Vec::new(),
            chain: VecDeque::new(),
            timeout: None,
            watched: 0,
            completions_left: None,
        }
    }

    pub(super) fn has(&self, flag: u8) -> bool {
        self.sqe.flags & flag != 0
    }

    /// When something happens to it that nothing else brings about.
    pub(super) fn due(&self) -> Option<Duration> {
        match self.phase {
            Phase::Waiting => None,
            Phase::Busy { until, .. } => Some(until),
            Phase::Done { at, .. } => Some(at),
        }
    }

    /// The file offset; `None` is the position of the file.
    pub(super) fn offset(&self) -> Result<Option<u64>, i32> {
        match self.sqe.offset {
            u64::MAX => Ok(None),
            offset if offset > i64::MAX.unsigned_abs() => Err(libc::EINVAL),
            offset => Ok(Some(offset)),
        }
    }

    /// Whether the kernel writes into its windows.
    pub(super) fn fills(&self) -> bool {
        use opcode::{READ, READ_FIXED, READV, RECV, RECVMSG};
        [READ, READ_FIXED, READV, RECV, RECVMSG].contains(&self.sqe.opcode)
            && !self.has(BUFFER_SELECT)
    }

    /// How many bytes it is about.
    pub(super) fn total(&self) -> usize {
        memory::total(&self.args.windows)
    }
}

impl Args {
    /// Copies what the entry points to.
    pub(super) fn parse(sqe: &Sqe) -> Result<Self, i32> {
        use opcode::{
            BIND, CONNECT, LINK_TIMEOUT, MKDIRAT, OPENAT, OPENAT2, READ, READ_FIXED,
            READ_MULTISHOT, READV, RECV, RECVMSG, RENAMEAT, SEND, SEND_ZC, SENDMSG, SENDMSG_ZC,
            STATX, TIMEOUT, UNLINKAT, WRITE, WRITE_FIXED, WRITEV,
        };
        let mut args = Self::default();
        match sqe.opcode {
            READ | WRITE | READ_FIXED | WRITE_FIXED | READ_MULTISHOT | RECV | SEND | SEND_ZC => {
                args.windows.push(Window::new(sqe.address, sqe.len.into()));
            }
            READV | WRITEV => args.windows = vectors(sqe.address, sqe.len.into())?,
            SENDMSG | RECVMSG | SENDMSG_ZC => args.parse_message(sqe)?,
            OPENAT | MKDIRAT | UNLINKAT | STATX => args.path = memory::read_text(sqe.address),
            OPENAT2 => {
                args.path = memory::read_text(sqe.address);
                let [flags, mode, _resolve] = memory::read_struct::<[u64; 3]>(sqe.offset);
                args.how = Some((flags, mode));
            }
            RENAMEAT => {
                args.path = memory::read_text(sqe.address);
                args.second_path = memory::read_text(sqe.offset);
            }
            BIND | CONNECT => {
                let len = usize::try_from(sqe.offset).unwrap_or(usize::MAX);
                if len > ADDRESS_LEN_MAX {
                    return Err(libc::EINVAL);
                }
                args.address = Some(Address::parse(&memory::read(sqe.address, len))?);
            }
            TIMEOUT | LINK_TIMEOUT => {
                let [seconds, nanos] = memory::read_struct::<[i64; 2]>(sqe.address);
                let seconds = u64::try_from(seconds).map_err(|_| libc::EINVAL)?;
                let nanos = u64::try_from(nanos).map_err(|_| libc::EINVAL)?;
                args.time =
                    Duration::from_secs(seconds).saturating_add(Duration::from_nanos(nanos));
            }
            _ => {}
        }
        Ok(args)
    }

    fn parse_message(&mut self, sqe: &Sqe) -> Result<(), i32> {
        let header = memory::read_struct::<libc::msghdr>(sqe.address);
        let count = u64::try_from(header.msg_iovlen).unwrap_or(u64::MAX);
        self.windows = vectors(header.msg_iov.expose_provenance() as u64, count)?;
        self.message = Some(sqe.address);
        Ok(())
    }
}

fn vectors(address: u64, count: u64) -> Result<Vec<Window>, i32> {
    if count > VECTORS_MAX {
        return Err(libc::EINVAL);
    }
    let size = size_of::<Window>() as u64;
    Ok((0..count)
        .map(|at| memory::read_struct::<Window>(address + at * size))
        .collect())
}

/// `IOSQE_*`.
pub(super) const FIXED_FILE: u8 = 1 << 0;
pub(super) const DRAIN: u8 = 1 << 1;
pub(super) const LINK: u8 = 1 << 2;
pub(super) const HARDLINK: u8 = 1 << 3;
pub(super) const ASYNC: u8 = 1 << 4;
pub(super) const BUFFER_SELECT: u8 = 1 << 5;
pub(super) const SKIP_SUCCESS: u8 = 1 << 6;

const ADDRESS_LEN_MAX: usize = 128;
const VECTORS_MAX: u64 = 1024;
