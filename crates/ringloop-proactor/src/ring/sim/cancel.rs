//! Ending requests that are in flight: `io_uring_prep_cancel(3)` and its relatives.

use super::file::Target;
use super::opcode;
use super::request::{Grip, Phase, Request};
use super::world::World;

/// What became of an attempt to cancel one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It has ended, or will at once.
    Ended,
    /// Too late, or not now: the answer says so with this errno, and the request decides itself.
    Missed(i32),
}

impl World {
    /// The answer to a cancel request.
    pub(super) fn cancel(&mut self, request: &Request) -> i32 {
        let flags = request.sqe.op_flags;
        let wants_all = flags & (ALL | ANY) != 0;
        let file = (flags & FD != 0).then(|| match flags & FD_FIXED {
            0 => self.descriptors.find(request.sqe.fd),
            _ => self.direct.find(request.sqe.fd.cast_unsigned()),
        });
        if matches!(file, Some(Target::Closed)) {
            return -libc::EBADF;
        }
        let is_meant = |target: &Request| {
            let by_data = flags & (ANY | FD | OP) == 0 || flags & USER_DATA != 0;
            (!by_data || target.sqe.user_data == request.sqe.address)
                && (flags & OP == 0 || u32::from(target.kind.code) == request.sqe.len)
                && file.as_ref().is_none_or(|file| target.is_on(file))
        };
        let numbers: Vec<u64> = self
            .requests
            .values()
            .filter(|target| is_meant(target))
            .map(|target| target.number)
            .collect();
        let mut count = 0;
        for number in numbers {
            let verdict = self.try_cancel(number);
            match verdict {
                Verdict::Missed(libc::ENOENT) if wants_all => {}
                Verdict::Missed(errno) if !wants_all => return -errno,
                Verdict::Ended if !wants_all => return 0,
                Verdict::Missed(_) | Verdict::Ended => count += 1,
            }
        }
        if wants_all { count } else { -libc::ENOENT }
    }

    /// Ends the request with this `user_data`, of one of two kinds, as `TIMEOUT_REMOVE` does.
    pub(super) fn remove(&mut self, user_data: u64, code: u8) -> i32 {
        let found = self
            .requests
            .values()
            .find(|target| target.sqe.user_data == user_data && target.kind.code == code)
            .map(|target| target.number);
        match found.map(|number| self.try_cancel(number)) {
            Some(Verdict::Ended) => 0,
            Some(Verdict::Missed(errno)) => -errno,
            None => -libc::ENOENT,
        }
    }

    pub(super) fn try_cancel(&mut self, number: u64) -> Verdict {
        let Some(mut request) = self.requests.remove(&number) else {
            return Verdict::Missed(libc::ENOENT);
        };
        let is_timer = [opcode::TIMEOUT, opcode::LINK_TIMEOUT].contains(&request.kind.code);
        let verdict = match request.phase {
            Phase::Done { .. } => Verdict::Missed(libc::ENOENT),
            Phase::Busy {
                grip: Grip::Firm, ..
            } => Verdict::Missed(self.draw_miss()),
            Phase::Busy {
                grip: Grip::Doomed, ..
            } => Verdict::Missed(libc::EALREADY),
            Phase::Busy { .. } | Phase::Waiting => {
                if is_timer || !self.rng.chance(self.faults.cancel_race) {
                    self.end_cancelled(request);
                    return Verdict::Ended;
                }
                request.phase = Phase::Busy {
                    until: self.now + self.draw_delay(),
                    grip: Grip::Doomed,
                };
                Verdict::Missed(self.draw_miss())
            }
        };
        self.requests.insert(number, request);
        verdict
    }

    /// What a cancel says that comes too late.
    fn draw_miss(&mut self) -> i32 {
        if self.rng.chance(self.faults.cancel_race) {
            libc::EALREADY
        } else {
            libc::ENOENT
        }
    }
}

impl Request {
    fn is_on(&self, file: &Target) -> bool {
        match (&self.target, file) {
            (Some(Target::Simulated(mine, _)), Target::Simulated(meant, _)) => mine == meant,
            (Some(Target::Real(mine)), Target::Real(meant)) => mine == meant,
            _ => false,
        }
    }
}

/// `IORING_ASYNC_CANCEL_*`.
const ALL: u32 = 1 << 0;
const FD: u32 = 1 << 1;
const ANY: u32 = 1 << 2;
const FD_FIXED: u32 = 1 << 3;
const USER_DATA: u32 = 1 << 4;
const OP: u32 = 1 << 5;
