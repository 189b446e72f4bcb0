//! Reading and writing, and the sizes of files.

use super::transfer::F_BUF_MORE;
use super::{Answer, transfer};
use crate::ring::sim::file::File;
use crate::ring::sim::finish::amount;
use crate::ring::sim::memory;
use crate::ring::sim::opcode::{READ_FIXED, READ_MULTISHOT, WRITE_FIXED};
use crate::ring::sim::request::{BUFFER_SELECT, Request};
use crate::ring::sim::world::World;

/// Counterpart: `io_uring_prep_read(3)` and `io_uring_prep_readv(3)`.
pub(super) fn read(world: &mut World, request: &mut Request) -> Result<Answer, i32> {
    check_fixed(world, request)?;
    let file = request.file()?;
    let picks = request.has(BUFFER_SELECT);
    match &*file {
        File::Socket(_) if request.total() == 0 && !picks => Ok(Answer::done(0)),
        File::Socket(_) => transfer::recv(world, request),
        File::PipeReader(channel) => {
            if request.total() == 0 && !picks {
                return Ok(Answer::done(0));
            }
            transfer::take(world, request, channel)
        }
        File::PipeWriter(_) => Err(libc::EBADF),
        File::Directory(_) => Err(libc::EISDIR),
        File::Regular(_) if request.kind.code == READ_MULTISHOT => Err(libc::EBADFD),
        File::Regular(file) if picks => {
            let wanted = match request.total() {
                0 => usize::MAX,
                len => len,
            };
            let group = request.sqe.buffer;
            let room = world.groups.room(group).ok_or(libc::ENOBUFS)?;
            let bytes = file.read(request.offset()?, wanted.min(room.len()))?;
            if bytes.is_empty() {
                return Ok(Answer::done(0));
            }
            let picked = world.groups.pick(group, bytes.len())?;
            memory::scatter(&[picked.window], &bytes);
            let more = if picked.is_kept { F_BUF_MORE } else { 0 };
            Ok(Answer::Done {
                res: amount(bytes.len()),
                flags: picked.flags() | more,
            })
        }
        File::Regular(file) => {
            let mut count = request.total();
            if world.rng.chance(world.faults.short) {
                count = world
                    .rng
                    .part_of(count.min(file.inode.bytes.borrow().len()));
            }
            request.payload = file.read(request.offset()?, count)?;
            Ok(Answer::done(amount(request.payload.len())))
        }
    }
}

/// Counterpart: `io_uring_prep_write(3)` and `io_uring_prep_writev(3)`.
pub(super) fn write(world: &mut World, request: &mut Request) -> Result<Answer, i32> {
    check_fixed(world, request)?;
    let file = request.file()?;
    match &*file {
        File::Socket(_) => transfer::send(world, request),
        File::PipeWriter(channel) => {
            if channel.borrow().is_unread {
                return Err(libc::EPIPE);
            }
            transfer::put(world, request, channel)
        }
        File::PipeReader(_) | File::Directory(_) => Err(libc::EBADF),
        File::Regular(file) => {
            let offset = request.offset()?;
            let mut count = request.total().min(TRANSFER_MAX);
            if count > 0 && world.rng.chance(world.faults.no_space) {
                return Err(libc::ENOSPC);
            }
            if world.rng.chance(world.faults.short) {
                count = world.rng.part_of(count);
            }
            file.write(offset, &memory::gather(&request.args.windows, 0, count))?;
            Ok(Answer::done(amount(count)))
        }
    }
}

/// What is said to be registered has to be.
fn check_fixed(world: &World, request: &Request) -> Result<(), i32> {
    let is_fixed = [READ_FIXED, WRITE_FIXED].contains(&request.kind.code);
    let windows = &request.args.windows;
    let is_registered = |window| world.groups.is_fixed(request.sqe.buffer, window);
    if is_fixed && !windows.iter().copied().all(is_registered) {
        return Err(libc::EFAULT);
    }
    Ok(())
}

/// There is no disk, so everything is always on it.
pub(super) fn sync(request: &Request) -> Result<Answer, i32> {
    request.file()?.as_regular()?;
    Ok(Answer::done(0))
}

/// Counterpart: `io_uring_prep_fallocate(3)`, without a mode.
pub(super) fn allocate(world: &mut World, request: &Request) -> Result<Answer, i32> {
    let file = request.file()?;
    let file = file.as_regular()?;
    if request.sqe.len != 0 {
        return Err(libc::EOPNOTSUPP);
    }
    if world.rng.chance(world.faults.no_space) {
        return Err(libc::ENOSPC);
    }
    let (offset, len) = (request.sqe.offset, request.sqe.address);
    if len == 0 || offset > i64::MAX.unsigned_abs() {
        return Err(libc::EINVAL);
    }
    file.resize(offset.checked_add(len).ok_or(libc::EFBIG)?, true)?;
    Ok(Answer::done(0))
}

/// Counterpart: `io_uring_prep_ftruncate(3)`.
pub(super) fn truncate(request: &Request) -> Result<Answer, i32> {
    let file = request.file()?;
    let file = file.as_regular()?;
    if request.sqe.offset > i64::MAX.unsigned_abs() {
        return Err(libc::EINVAL);
    }
    file.resize(request.sqe.offset, false)?;
    Ok(Answer::done(0))
}

/// The kernel moves no more than this at a time.
const TRANSFER_MAX: usize = 0x7fff_f000;
