//! Operations on time and on nothing at all.

use std::time::Duration;

use super::Answer;
use crate::ring::sim::cancel::Verdict;
use crate::ring::sim::memory;
use crate::ring::sim::opcode::TIMEOUT;
use crate::ring::sim::request::{Grip, Phase, Request};
use crate::ring::sim::world::World;

/// Counterpart: `io_uring_prep_nop(3)`, with a result of the caller's choice if it wants one.
pub(super) fn nop(request: &Request) -> i32 {
    if request.sqe.op_flags & NOP_INJECT_RESULT != 0 {
        request.sqe.len.cast_signed()
    } else {
        0
    }
}

/// Its time has come, or enough others have completed.
pub(super) fn timeout(request: &mut Request) -> Answer {
    if request.completions_left == Some(0) {
        return Answer::done(0);
    }
    if !request.repeats() {
        return Answer::done(-libc::ETIME);
    }
    request.done += 1;
    let (res, flags) = (-libc::ETIME, 0);
    if request.sqe.offset > 0 && request.done as u64 >= request.sqe.offset {
        return Answer::Done { res, flags };
    }
    request.seen_wakes = None;
    Answer::Shot { res, flags }
}

/// Counterpart: `io_uring_prep_timeout_remove(3)` and `io_uring_prep_timeout_update(3)`.
pub(super) fn remove_timeout(world: &mut World, request: &Request) -> i32 {
    if request.sqe.op_flags & TIMEOUT_UPDATE == 0 {
        return world.remove(request.sqe.address, TIMEOUT);
    }
    let [seconds, nanos] = memory::read_struct::<[i64; 2]>(request.sqe.offset);
    let (Ok(seconds), Ok(nanos)) = (u64::try_from(seconds), u64::try_from(nanos)) else {
        return -libc::EINVAL;
    };
    let time = Duration::from_secs(seconds).saturating_add(Duration::from_nanos(nanos));
    let is_absolute = request.sqe.op_flags & TIMEOUT_ABS != 0;
    let start = if is_absolute {
        Duration::ZERO
    } else {
        world.now
    };
    let target = world
        .requests
        .values_mut()
        .find(|target| target.sqe.user_data == request.sqe.address && target.kind.code == TIMEOUT);
    let Some(target) = target else {
        return -libc::ENOENT;
    };
    target.phase = Phase::Busy {
        until: start.saturating_add(time),
        grip: Grip::Loose,
    };
    0
}

/// Its time has come before the request that it watches has ended.
pub(super) fn link_timeout(world: &mut World, request: &Request) -> i32 {
    match world.try_cancel(request.watched) {
        Verdict::Ended => -libc::ETIME,
        Verdict::Missed(errno) => -errno,
    }
}

impl Request {
    /// Whether a timeout fires again and again.
    pub(in crate::ring::sim) fn repeats(&self) -> bool {
        self.sqe.op_flags & TIMEOUT_MULTISHOT != 0
    }
}

const NOP_INJECT_RESULT: u32 = 1 << 0;
/// `IORING_TIMEOUT_*`.
const TIMEOUT_ABS: u32 = 1 << 0;
const TIMEOUT_UPDATE: u32 = 1 << 1;
const TIMEOUT_MULTISHOT: u32 = 1 << 6;
