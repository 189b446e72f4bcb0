//! Taking entries: chains, checks, and how a request begins.

use std::fmt;
use std::time::Duration;

use super::file::{File, Target};
use super::opcode::{self, Kind, LINK_TIMEOUT};
use super::request::{
    ASYNC, Args, DRAIN, FIXED_FILE, Grip, HARDLINK, LINK, Phase, Request, SKIP_SUCCESS,
};
use super::world::World;
use crate::ring::Sqe;

impl World {
    /// Takes `count` entries. A chain ends with them at the latest.
    pub(super) fn submit(&mut self, count: usize) {
        let mut head: Option<Request> = None;
        for _ in 0..count {
            let Some(sqe) = self.queues.next_submission() else {
                break;
            };
            let request = self.take(sqe);
            let goes_on = request.has(LINK | HARDLINK);
            let chain = match head.take() {
                None => request,
                Some(mut chain) => {
                    chain.chain.push_back(request);
                    chain
                }
            };
            if goes_on {
                head = Some(chain);
            } else {
                self.start_chain(chain);
            }
        }
        if let Some(chain) = head {
            self.start_chain(chain);
        }
    }

    /// Makes a request of an entry; if the entry is no good, it is done already.
    fn take(&mut self, sqe: Sqe) -> Request {
        self.submitted += 1;
        let kind = self.kind(sqe.opcode);
        let mut request = Request::new(self.submitted, sqe, kind.unwrap_or(&UNKNOWN));
        // Whose success is not told needs no name of its own.
        if !request.has(SKIP_SUCCESS) {
            assert!(
                self.live.insert(sqe.user_data),
                "two requests in flight have the user_data {:#x}",
                sqe.user_data
            );
        }
        let target = self.find(&request);
        self.trace.line(
            self.now,
            format_args!("#{} {}", request.number, Description(&request, &target)),
        );
        let errno = if kind.is_none() || request.has(DRAIN) {
            Some(libc::EINVAL)
        } else {
            match Args::parse(&sqe) {
                Ok(args) => {
                    request.args = args;
                    None
                }
                Err(errno) => Some(errno),
            }
        };
        if let Some(errno) = errno {
            request.fail_at_once(errno, self.now);
        }
        request
    }

    /// Starts the first of a chain, or fails the whole chain if one of it is no good.
    fn start_chain(&mut self, mut head: Request) {
        if head.kind.code == LINK_TIMEOUT {
            head.fail_at_once(libc::EINVAL, self.now);
        }
        if !head.is_bad() && !head.chain.iter().any(Request::is_bad) {
            return self.start(head);
        }
        let rest = std::mem::take(&mut head.chain);
        for request in std::iter::once(head).chain(rest) {
            let res = match request.phase {
                Phase::Done { res, .. } => res,
                Phase::Waiting | Phase::Busy { .. } => -libc::ECANCELED,
            };
            self.complete(request, res, 0);
        }
    }

    /// Starts a request, with the link timeout that follows it.
    pub(super) fn start(&mut self, mut request: Request) {
        if request
            .chain
            .front()
            .is_some_and(|next| next.kind.code == LINK_TIMEOUT)
            && let Some(mut timeout) = request.chain.pop_front()
        {
            request.timeout = Some(timeout.number);
            timeout.watched = request.number;
            timeout.phase = Phase::Busy {
                until: self.now.saturating_add(timeout.args.time),
                grip: Grip::Loose,
            };
            self.requests.insert(timeout.number, timeout);
        }
        let looks_up_late = request.has(ASYNC) || request.kind.is_punted;
        if !looks_up_late {
            self.look_up(&mut request);
        }
        request.phase = self.first_phase(&request);
        if request.kind.code == opcode::TIMEOUT && request.sqe.offset > 0 && !request.repeats() {
            request.completions_left = Some(request.sqe.offset);
        }
        self.go(request);
    }

    /// Finds the file that the descriptor stands for at this moment.
    pub(super) fn look_up(&mut self, request: &mut Request) {
        if request.kind.has_file && request.target.is_none() {
            request.target = Some(self.find(request));
        }
    }

    fn find(&self, request: &Request) -> Target {
        let (sqe, names_one) = (&request.sqe, request.sqe.opcode == opcode::CLOSE);
        if !(names_one || request.kind.has_file) {
            Target::Closed
        } else if names_one && sqe.file_index > 0 {
            self.direct.find(sqe.file_index - 1)
        } else if request.has(FIXED_FILE) {
            self.direct.find(sqe.fd.cast_unsigned())
        } else {
            self.descriptors.find(sqe.fd)
        }
    }

    /// Whether a request goes on at once, or is with a worker or a slow device for a while.
    fn first_phase(&mut self, request: &Request) -> Phase {
        let busy = |until, grip| Phase::Busy { until, grip };
        match request.kind.code {
            opcode::TIMEOUT => {
                let is_absolute = request.sqe.op_flags & TIMEOUT_ABS != 0;
                let start = if is_absolute {
                    Duration::ZERO
                } else {
                    self.now
                };
                let until = start.saturating_add(request.args.time);
                return busy(until, Grip::Loose);
            }
            opcode::ASYNC_CANCEL | opcode::TIMEOUT_REMOVE | opcode::POLL_REMOVE => {
                return Phase::Waiting;
            }
            _ => {}
        }
        let file = match &request.target {
            Some(Target::Simulated(_, file)) => Some(&**file),
            Some(Target::Real(_) | Target::Closed) | None => None,
        };
        let is_regular = matches!(file, Some(File::Regular(_)));
        let reads = [opcode::READ, opcode::READV, opcode::READ_FIXED].contains(&request.kind.code);
        if is_regular && reads && self.rng.chance(self.faults.uncancellable) {
            return busy(self.now + self.draw_delay(), Grip::Firm);
        }
        let creates = request.kind.code == opcode::OPENAT
            && request.sqe.op_flags.cast_signed() & (libc::O_CREAT | libc::O_TRUNC) != 0;
        let is_punted =
            request.has(ASYNC) || request.kind.is_punted || creates || (is_regular && !reads);
        let mut until = self.now;
        if is_punted {
            until += PUNT;
        }
        if self.rng.chance(self.faults.delay) {
            until += self.draw_delay();
        }
        if until == self.now {
            Phase::Waiting
        } else {
            busy(until, Grip::Loose)
        }
    }
}

impl Request {
    fn fail_at_once(&mut self, errno: i32, now: Duration) {
        self.phase = Phase::Done {
            at: now,
            res: -errno,
            flags: 0,
        };
    }

    fn is_bad(&self) -> bool {
        matches!(self.phase, Phase::Done { .. })
    }
}

/// A request in the trace: no address, and descriptors by the simulation's own numbers.
struct Description<'a>(&'a Request, &'a Target);

impl fmt::Display for Description<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(request, target) = self;
        let sqe = &request.sqe;
        write!(f, "{} {:#x}", request.kind.name, sqe.user_data)?;
        match target {
            Target::Simulated(number, _) => write!(f, " f{number}")?,
            Target::Real(_) => write!(f, " real")?,
            Target::Closed if request.kind.has_file => write!(f, " closed")?,
            Target::Closed => {}
        }
        write!(f, " len={} flags={:#x}", sqe.len, sqe.op_flags)?;
        if sqe.ioprio != 0 {
            write!(f, " ioprio={:#x}", sqe.ioprio)?;
        }
        for (flag, name) in [
            (LINK, "link"),
            (HARDLINK, "hardlink"),
            (ASYNC, "async"),
            (SKIP_SUCCESS, "skip"),
        ] {
            if request.has(flag) {
                write!(f, " {name}")?;
            }
        }
        Ok(())
    }
}

/// What an operation is that the simulation does not have.
static UNKNOWN: Kind = Kind {
    code: u8::MAX,
    name: "unknown",
    has_file: false,
    is_punted: false,
};

/// What a worker takes to begin.
const PUNT: Duration = Duration::from_micros(10);
/// `IORING_TIMEOUT_ABS`.
const TIMEOUT_ABS: u32 = 1 << 0;
