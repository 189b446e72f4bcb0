//! Waiting for readiness.

use super::Answer;
use crate::ring::sim::file::Target;
use crate::ring::sim::opcode::POLL_ADD;
use crate::ring::sim::request::Request;
use crate::ring::sim::world::World;

/// Counterpart: `io_uring_prep_poll_add(3)` and `io_uring_prep_poll_multishot(3)`.
pub(super) fn add(world: &mut World, request: &mut Request) -> Result<Answer, i32> {
    let wanted = request.sqe.op_flags | ALWAYS;
    let is_multishot = request.sqe.len & POLL_ADD_MULTI != 0;
    let events = match &request.target {
        Some(Target::Simulated(_, file)) => {
            let (events, wakes) = file.readiness();
            let is_news = request.seen_wakes.replace(wakes) != Some(wakes);
            if is_news { events & wanted } else { 0 }
        }
        Some(Target::Real(_)) => {
            if request.seen_wakes.is_none() {
                request.seen_wakes = Some(0);
                let events = request.sqe.op_flags & !EPOLL_ONLY;
                world.watch.add(request.number, request.sqe.fd, events)?;
                world.watch.look(std::time::Duration::ZERO);
            }
            world.watch.take(request.number).unwrap_or(0)
        }
        Some(Target::Closed) | None => return Err(libc::EBADF),
    };
    if events == 0 {
        return Ok(Answer::Wait);
    }
    let (res, flags) = (events.cast_signed(), 0);
    Ok(if is_multishot {
        Answer::Shot { res, flags }
    } else {
        Answer::Done { res, flags }
    })
}

/// Counterpart: `io_uring_prep_poll_remove(3)` and `io_uring_prep_poll_update(3)`.
pub(super) fn remove(world: &mut World, request: &Request) -> i32 {
    let (user_data, flags) = (request.sqe.address, request.sqe.len);
    if flags & (UPDATE_EVENTS | UPDATE_USER_DATA) == 0 {
        return world.remove(user_data, POLL_ADD);
    }
    let target = world
        .requests
        .values_mut()
        .find(|target| target.sqe.user_data == user_data && target.kind.code == POLL_ADD);
    let Some(target) = target else {
        return -libc::ENOENT;
    };
    if matches!(target.target, Some(Target::Real(_))) {
        // What epoll watches stays as it is.
        return -libc::EINVAL;
    }
    if flags & UPDATE_EVENTS != 0 {
        target.sqe.op_flags = request.sqe.op_flags;
        target.sqe.len = flags & POLL_ADD_MULTI;
        target.seen_wakes = None;
    }
    if flags & UPDATE_USER_DATA != 0 {
        world.live.remove(&user_data);
        world.live.insert(request.sqe.offset);
        target.sqe.user_data = request.sqe.offset;
    }
    0
}

/// `POLLERR` and `POLLHUP` are told whether they were asked for or not.
const ALWAYS: u32 = 0x018;
/// Flags of epoll above the events.
const EPOLL_ONLY: u32 = 0xf000_0000;
/// `IORING_POLL_*`.
const POLL_ADD_MULTI: u32 = 1 << 0;
const UPDATE_EVENTS: u32 = 1 << 1;
const UPDATE_USER_DATA: u32 = 1 << 2;
