//! Bytes from and to sockets and pipes.

use super::{Answer, messages};
use crate::ring::sim::buffers::Picked;
use crate::ring::sim::channel::{Channel, Shared};
use crate::ring::sim::finish::amount;
use crate::ring::sim::memory;
use crate::ring::sim::opcode::{
    READ_MULTISHOT, RECV, SEND_ZC, SENDMSG_ZC, WRITE, WRITE_FIXED, WRITEV,
};
use crate::ring::sim::request::{BUFFER_SELECT, Request};
use crate::ring::sim::world::World;

/// Counterpart: `io_uring_prep_recv(3)` and its relatives.
pub(super) fn recv(world: &mut World, request: &mut Request) -> Result<Answer, i32> {
    let file = request.file()?;
    let mut socket = file.as_socket()?.borrow_mut();
    let stream = socket.stream()?;
    if stream.incoming.borrow().len() > 0 && world.rng.chance(world.faults.reset) {
        stream.reset();
        return Err(libc::ECONNRESET);
    }
    let answer = take(world, request, &stream.incoming)?;
    if let Answer::Done { res, .. } = answer
        && res >= 0
    {
        messages::received(request, &[]);
    }
    Ok(answer)
}

/// Counterpart: `io_uring_prep_send(3)` and its relatives.
pub(super) fn send(world: &mut World, request: &mut Request) -> Result<Answer, i32> {
    let file = request.file()?;
    let mut socket = file.as_socket()?.borrow_mut();
    let stream = socket.stream()?;
    if world.rng.chance(world.faults.reset) {
        stream.reset();
    }
    if let Some(errno) = stream.send_error() {
        return if request.done > 0 {
            Ok(Answer::done(amount(request.done)))
        } else {
            Err(errno)
        };
    }
    put(world, request, &stream.outgoing)
}

/// Moves bytes from `channel` to the memory of a request, or to a provided buffer.
pub(super) fn take(
    world: &mut World,
    request: &mut Request,
    channel: &Shared,
) -> Result<Answer, i32> {
    let mut channel = channel.borrow_mut();
    let is_recv = request.kind.code == RECV;
    let picks = request.has(BUFFER_SELECT);
    let polls_first = is_recv && request.sqe.ioprio & POLL_FIRST != 0;
    if picks && !polls_first && world.groups.is_empty(request.sqe.buffer) {
        return Err(libc::ENOBUFS);
    }
    if channel.len() == 0 {
        return at_end(request, &mut channel);
    }
    if picks {
        return pick(world, request, &mut channel);
    }
    let room = request.total().saturating_sub(request.done);
    let flags = if is_recv {
        request.sqe.op_flags.cast_signed()
    } else {
        0
    };
    let mut count = room.min(channel.len());
    if world.rng.chance(world.faults.short) {
        count = world.rng.part_of(count);
    }
    if flags & libc::MSG_PEEK != 0 {
        request.payload = channel.peek(count);
        return Ok(Answer::done(amount(count)));
    }
    request.payload.extend(channel.take(count));
    request.done += count;
    if flags & libc::MSG_WAITALL != 0 && request.done < request.total() {
        return Ok(Answer::Moved);
    }
    Ok(Answer::done(amount(request.done)))
}

/// With nothing to take: an error, the end, or a wait.
fn at_end(request: &Request, channel: &mut Channel) -> Result<Answer, i32> {
    if request.done > 0 && (channel.is_ended || channel.error.is_some()) {
        return Ok(Answer::done(amount(request.done)));
    }
    if let Some(error) = channel.error.take() {
        return Err(error);
    }
    if channel.is_ended {
        return Ok(Answer::done(0));
    }
    if request.kind.code == RECV && request.sqe.op_flags.cast_signed() & libc::MSG_DONTWAIT != 0 {
        return Err(libc::EAGAIN);
    }
    Ok(Answer::Wait)
}

/// Moves bytes to the next buffer of the group.
fn pick(world: &mut World, request: &Request, channel: &mut Channel) -> Result<Answer, i32> {
    if world.rng.chance(world.faults.no_buffers) {
        return Err(libc::ENOBUFS);
    }
    let asked = match request.sqe.len {
        0 => usize::MAX,
        len => len as usize,
    };
    let mut left = asked.min(channel.len());
    if world.rng.chance(world.faults.short) {
        left = world.rng.part_of(left);
    }
    let is_bundle = request.kind.code == RECV && request.sqe.ioprio & BUNDLE != 0;
    let first = fill(world, request.sqe.buffer, left, channel)?;
    let (mut count, mut last) = (first.window.len(), first);
    left -= count;
    while is_bundle && left > 0 && !world.groups.is_empty(request.sqe.buffer) {
        last = fill(world, request.sqe.buffer, left, channel)?;
        count += last.window.len();
        left -= last.window.len();
    }
    let mut flags = first.flags();
    if last.is_kept {
        flags |= F_BUF_MORE;
    }
    if channel.len() > 0 {
        flags |= F_SOCK_NONEMPTY;
    }
    let res = amount(count);
    let is_multishot = request.kind.code == READ_MULTISHOT
        || request.kind.code == RECV && request.sqe.ioprio & RECV_MULTISHOT != 0;
    Ok(if is_multishot {
        Answer::Shot { res, flags }
    } else {
        Answer::Done { res, flags }
    })
}

/// Moves up to `wanted` bytes to the next buffer.
fn fill(
    world: &mut World,
    group: u16,
    wanted: usize,
    channel: &mut Channel,
) -> Result<Picked, i32> {
    if let Some(room) = world.groups.room(group)
        && world.rng.chance(world.faults.scribble)
    {
        let garbage = world.rng.byte();
        memory::write(room.address, &vec![garbage; room.len()]);
    }
    let picked = world.groups.pick(group, wanted)?;
    memory::scatter(&[picked.window], &channel.take(picked.window.len()));
    Ok(picked)
}

impl Picked {
    /// The flags of a completion whose first buffer this is.
    pub(super) fn flags(self) -> u32 {
        F_BUFFER | u32::from(self.id) << BUFFER_SHIFT
    }
}

/// Moves bytes from the memory of a request to `channel`.
pub(super) fn put(
    world: &mut World,
    request: &mut Request,
    channel: &Shared,
) -> Result<Answer, i32> {
    let mut channel = channel.borrow_mut();
    let flags = request.sqe.op_flags.cast_signed();
    let is_send = ![WRITE, WRITEV, WRITE_FIXED].contains(&request.kind.code);
    let rest = request.total() - request.done;
    if rest > 0 && channel.room() == 0 {
        return if is_send && flags & libc::MSG_DONTWAIT != 0 {
            Err(libc::EAGAIN)
        } else {
            Ok(Answer::Wait)
        };
    }
    let mut count = rest.min(channel.room());
    if world.rng.chance(world.faults.short) {
        count = world.rng.part_of(count);
    }
    if count > 0 {
        channel.push(&memory::gather(&request.args.windows, request.done, count));
        request.done += count;
    }
    if is_send && flags & libc::MSG_WAITALL != 0 && request.done < request.total() {
        return Ok(Answer::Moved);
    }
    let res = amount(request.done);
    if [SEND_ZC, SENDMSG_ZC].contains(&request.kind.code) {
        request.lent = memory::gather(&request.args.windows, 0, request.done);
        return Ok(Answer::Lent { res });
    }
    Ok(Answer::done(res))
}

/// `IORING_RECVSEND_POLL_FIRST`, `IORING_RECV_MULTISHOT`, `IORING_RECVSEND_BUNDLE`.
const POLL_FIRST: u16 = 1 << 0;
const RECV_MULTISHOT: u16 = 1 << 1;
const BUNDLE: u16 = 1 << 4;
/// `IORING_CQE_F_*`.
const F_BUFFER: u32 = 1 << 0;
const F_SOCK_NONEMPTY: u32 = 1 << 2;
pub(super) const F_BUF_MORE: u32 = 1 << 4;
const BUFFER_SHIFT: u32 = 16;
