//! How requests go on and end: attempts, completions, and what follows in the chain.

use std::collections::VecDeque;

use super::file::Target;
use super::memory;
use super::opcode;
use super::ops::{self, Answer};
use super::request::{Grip, HARDLINK, LINK, Phase, Request, SKIP_SUCCESS};
use super::world::World;
use crate::ring::Cqe;

impl World {
    /// Lets a request go on that is out of the table. Returns whether anything happened.
    pub(super) fn go(&mut self, mut request: Request) -> bool {
        match request.phase {
            Phase::Busy { until, .. } | Phase::Done { at: until, .. } if until > self.now => {
                self.keep(request);
                false
            }
            Phase::Done { res, flags, .. } => {
                self.complete(request, res, flags);
                true
            }
            Phase::Busy { grip, .. } => {
                request.phase = Phase::Waiting;
                self.look_up(&mut request);
                self.attempt(request, grip == Grip::Doomed);
                true
            }
            Phase::Waiting => self.attempt(request, false),
        }
    }

    /// Does as much of a request as can be done now.
    fn attempt(&mut self, mut request: Request, is_doomed: bool) -> bool {
        let mut has_moved = false;
        loop {
            match ops::attempt(self, &mut request) {
                Answer::Wait if is_doomed => {
                    self.end_cancelled(request);
                    return true;
                }
                Answer::Wait => {
                    self.keep(request);
                    return has_moved;
                }
                Answer::Moved => has_moved = true,
                Answer::Shot { res, flags } => {
                    has_moved = true;
                    if self.queues.is_full() || self.rng.chance(self.faults.end_early) {
                        self.complete(request, res, flags);
                        return true;
                    }
                    self.post(&request, res, flags | MORE);
                    if matches!(request.phase, Phase::Busy { .. }) {
                        self.keep(request);
                        return true;
                    }
                }
                Answer::Lent { res } => {
                    self.post(&request, res, MORE);
                    request.phase = Phase::Done {
                        at: self.now + self.draw_delay(),
                        res: 0,
                        flags: NOTIFICATION,
                    };
                    self.keep(request);
                    return true;
                }
                Answer::Done { res, flags } => {
                    self.finish(request, res, flags);
                    return true;
                }
            }
        }
    }

    /// Puts a request back that goes on later. Until then the kernel may write into its memory.
    fn keep(&mut self, request: Request) {
        if request.fills() && self.rng.chance(self.faults.scribble) {
            self.scribble(&request);
        }
        self.requests.insert(request.number, request);
    }

    /// Overwrites the whole destination, or both ends of a large one.
    pub(super) fn scribble(&mut self, request: &Request) {
        let garbage = self.rng.byte();
        for window in &request.args.windows {
            let len = window.len().min(SCRIBBLE_MAX);
            memory::write(window.address, &vec![garbage; len]);
            let tail = window.address + window.len - len as u64;
            memory::write(tail, &vec![garbage; len]);
        }
    }

    /// Ends a request with what it came to, perhaps a while later.
    pub(super) fn finish(&mut self, mut request: Request, res: i32, flags: u32) {
        let is_control = [opcode::ASYNC_CANCEL, opcode::LINK_TIMEOUT].contains(&request.kind.code);
        // Buffers are told of in the order in which they were filled: a user has to count on that to
        // know which part of one is whose.
        let names_buffer = flags & F_BUFFER != 0;
        if is_control || names_buffer || !self.rng.chance(self.faults.late) {
            return self.complete(request, res, flags);
        }
        let at = self.now + self.draw_delay();
        request.phase = Phase::Done { at, res, flags };
        self.keep(request);
    }

    /// Ends a request that was cancelled: what it has moved counts.
    pub(super) fn end_cancelled(&mut self, request: Request) {
        let is_worker = request.has(super::request::ASYNC) || request.kind.is_punted;
        let res = if request.done > 0 {
            amount(request.done)
        } else if is_worker && self.rng.chance(self.faults.restart) {
            -RESTART
        } else {
            -libc::ECANCELED
        };
        self.finish(request, res, 0);
    }

    /// The last completion of a request, and what follows from it.
    pub(super) fn complete(&mut self, mut request: Request, res: i32, flags: u32) {
        if !request.lent.is_empty() {
            let count = request.lent.len();
            let now = memory::gather(&request.args.windows, 0, count);
            assert!(
                now == request.lent,
                "the buffer of request #{} was changed before its notification",
                request.number
            );
        }
        memory::scatter(&request.args.windows, &request.payload);
        for (address, bytes) in &request.outputs {
            memory::write(*address, bytes);
        }
        self.watch.remove(request.number);
        self.post(&request, res, flags);
        self.ended += 1;
        let was_live = self.live.remove(&request.sqe.user_data);
        assert!(
            was_live || request.has(SKIP_SUCCESS),
            "request #{} has ended twice",
            request.number
        );
        // The file is released before the next in the chain looks.
        request.target = Option::<Target>::None;
        if let Some(timeout) = request.timeout
            && let Some(timeout) = self.requests.remove(&timeout)
        {
            self.complete(timeout, -libc::ECANCELED, 0);
        }
        self.follow(request, res);
    }

    /// Starts the next of the chain, or cancels all the rest of it.
    fn follow(&mut self, mut request: Request, res: i32) {
        let mut rest = std::mem::take(&mut request.chain);
        let is_broken = request.has(LINK) && !request.has(HARDLINK) && request.has_failed(res);
        if is_broken {
            return self.cancel_all(rest);
        }
        if let Some(mut next) = rest.pop_front() {
            next.chain = rest;
            self.start(next);
        }
    }

    fn cancel_all(&mut self, rest: VecDeque<Request>) {
        for request in rest {
            self.complete(request, -libc::ECANCELED, 0);
        }
    }

    /// Posts one completion of a request.
    fn post(&mut self, request: &Request, res: i32, flags: u32) {
        let is_skipped = request.has(SKIP_SUCCESS) && res >= 0;
        let skipped = if is_skipped { " unposted" } else { "" };
        let res_shown = Shown(request, res);
        self.trace.line(
            self.now,
            format_args!("#{} = {res_shown} {flags:#x}{skipped}", request.number),
        );
        if is_skipped {
            return;
        }
        let cqe = Cqe {
            user_data: request.sqe.user_data,
            res,
            flags,
        };
        let detoured = self.rng.chance(self.faults.overflow);
        self.queues.post(cqe, detoured);
        let now = self.now;
        for timeout in self.requests.values_mut() {
            if let Some(left) = &mut timeout.completions_left {
                *left = left.saturating_sub(1);
                if *left == 0 {
                    timeout.phase = Phase::Busy {
                        until: now,
                        grip: Grip::Loose,
                    };
                }
            }
        }
    }
}

impl Request {
    /// Whether this outcome breaks a chain: an error, or a transfer that was to be whole and is not.
    ///
    /// The kernel lets a chain go on after some operations even if they have failed, unless they were
    /// cancelled or their descriptor is a wrong one.
    fn has_failed(&self, res: i32) -> bool {
        use opcode::{
            FALLOCATE, FSYNC, FTRUNCATE, MKDIRAT, READ, READ_FIXED, READV, RECV, RECVMSG, RENAMEAT,
            SEND, SENDMSG, SHUTDOWN, STATX, TIMEOUT, UNLINKAT, WRITE, WRITE_FIXED, WRITEV,
        };
        let code = self.kind.code;
        let forgives = [
            FALLOCATE, FSYNC, FTRUNCATE, MKDIRAT, RENAMEAT, SHUTDOWN, STATX, UNLINKAT,
        ];
        let serious = [libc::ECANCELED, libc::EBADF, libc::ENOTSOCK];
        if forgives.contains(&code) && !serious.contains(&-res) {
            return false;
        }
        if code == TIMEOUT && res == -libc::ETIME {
            return self.sqe.op_flags & ETIME_SUCCESS == 0;
        }
        let waits_for_all = self.sqe.op_flags & libc::MSG_WAITALL.cast_unsigned() != 0;
        let is_whole = usize::try_from(res).is_ok_and(|res| res == self.total());
        res < 0
            || ([READ, READ_FIXED, READV, WRITE, WRITE_FIXED, WRITEV].contains(&code) && !is_whole)
            || ([RECV, RECVMSG, SEND, SENDMSG].contains(&code) && waits_for_all && !is_whole)
    }
}

/// A result in the trace: a new descriptor's number is real, so it is not shown.
struct Shown<'a>(&'a Request, i32);

impl std::fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        use opcode::{ACCEPT, FIXED_FD_INSTALL, OPENAT, OPENAT2, SOCKET};
        let Self(request, res) = self;
        if *res >= 0
            && [ACCEPT, FIXED_FD_INSTALL, OPENAT, OPENAT2, SOCKET].contains(&request.kind.code)
        {
            return f.write_str("new");
        }
        write!(f, "{res}")
    }
}

/// A count of bytes as a result.
pub(super) fn amount(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

/// `IORING_CQE_F_BUFFER`, `IORING_CQE_F_MORE` and `IORING_CQE_F_NOTIF`.
const F_BUFFER: u32 = 1 << 0;
const MORE: u32 = 1 << 1;
const NOTIFICATION: u32 = 1 << 3;
/// `IORING_TIMEOUT_ETIME_SUCCESS`.
const ETIME_SUCCESS: u32 = 1 << 5;
/// `ERESTARTSYS`, which has no name in user space.
const RESTART: i32 = 512;
/// So much at each end of a destination is overwritten.
const SCRIBBLE_MAX: usize = 64 * 1024;
