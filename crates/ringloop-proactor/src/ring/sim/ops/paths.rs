//! Operations on the names of files.

use std::mem::offset_of;
use std::rc::Rc;

use super::Answer;
use crate::ring::sim::file::{File, Target};
use crate::ring::sim::request::Request;
use crate::ring::sim::storage::{Node, OpenFile};
use crate::ring::sim::world::World;

/// Counterpart: `io_uring_prep_openat(3)` and `io_uring_prep_openat2(3)`.
pub(super) fn open(world: &mut World, request: &Request) -> Result<Answer, i32> {
    let (flags, mode) = match request.args.how {
        Some((flags, mode)) => {
            let flags = i32::try_from(flags).map_err(|_| libc::EINVAL)?;
            (flags, u32::try_from(mode).map_err(|_| libc::EINVAL)?)
        }
        None => (request.sqe.op_flags.cast_signed(), request.sqe.len),
    };
    let path = full(world, request.sqe.fd, &request.args.path)?;
    let file = match world.storage.open(&path, flags, mode)? {
        Node::File(inode) => File::Regular(OpenFile::new(inode, flags)),
        Node::Directory => File::Directory(path),
    };
    world
        .open(request.sqe.file_index, Rc::new(file))
        .map(Answer::done)
}

/// Counterpart: `io_uring_prep_mkdirat(3)`.
pub(super) fn make_directory(world: &mut World, request: &Request) -> Result<Answer, i32> {
    let path = full(world, request.sqe.fd, &request.args.path)?;
    world.storage.make_directory(&path)?;
    Ok(Answer::done(0))
}

/// Counterpart: `io_uring_prep_unlinkat(3)`.
pub(super) fn unlink(world: &mut World, request: &Request) -> Result<Answer, i32> {
    let path = full(world, request.sqe.fd, &request.args.path)?;
    let flags = request.sqe.op_flags.cast_signed();
    if flags & !libc::AT_REMOVEDIR != 0 {
        return Err(libc::EINVAL);
    }
    world
        .storage
        .unlink(&path, flags & libc::AT_REMOVEDIR != 0)?;
    Ok(Answer::done(0))
}

/// Counterpart: `io_uring_prep_renameat(3)`. The second directory is in the length field.
pub(super) fn rename(world: &mut World, request: &Request) -> Result<Answer, i32> {
    let from = full(world, request.sqe.fd, &request.args.path)?;
    let to = full(
        world,
        request.sqe.len.cast_signed(),
        &request.args.second_path,
    )?;
    world.storage.rename(&from, &to, request.sqe.op_flags)?;
    Ok(Answer::done(0))
}

/// Counterpart: `io_uring_prep_statx(3)`: type, permissions and size, of a path or a descriptor.
pub(super) fn stat(world: &mut World, request: &mut Request) -> Result<Answer, i32> {
    let is_empty = request.args.path.is_empty();
    let takes_empty = request.sqe.op_flags.cast_signed() & libc::AT_EMPTY_PATH != 0;
    let (mode, size) = if is_empty && takes_empty {
        match world.descriptors.find(request.sqe.fd) {
            Target::Simulated(_, file) => of_file(&file),
            Target::Real(_) => return Err(libc::EINVAL),
            Target::Closed => return Err(libc::EBADF),
        }
    } else {
        let path = full(world, request.sqe.fd, &request.args.path)?;
        match world.storage.find(&path)? {
            Node::File(inode) => (
                libc::S_IFREG | inode.mode.get(),
                inode.bytes.borrow().len() as u64,
            ),
            Node::Directory => (libc::S_IFDIR | DIRECTORY_MODE, 0),
        }
    };
    let mode = u16::try_from(mode).expect("modes have sixteen bits");
    let mut bytes = vec![0; size_of::<libc::statx>()];
    let mut put = |offset: usize, value: &[u8]| {
        bytes[offset..offset + value.len()].copy_from_slice(value);
    };
    let mask = libc::STATX_TYPE | libc::STATX_MODE | libc::STATX_SIZE | libc::STATX_NLINK;
    put(offset_of!(libc::statx, stx_mask), &mask.to_ne_bytes());
    put(offset_of!(libc::statx, stx_nlink), &1_u32.to_ne_bytes());
    put(offset_of!(libc::statx, stx_mode), &mode.to_ne_bytes());
    put(offset_of!(libc::statx, stx_size), &size.to_ne_bytes());
    request.outputs.push((request.sqe.offset, bytes));
    Ok(Answer::done(0))
}

fn of_file(file: &File) -> (u32, u64) {
    match file {
        File::Regular(file) => (
            libc::S_IFREG | file.inode.mode.get(),
            file.inode.bytes.borrow().len() as u64,
        ),
        File::Directory(_) => (libc::S_IFDIR | DIRECTORY_MODE, 0),
        File::Socket(_) => (libc::S_IFSOCK | 0o777, 0),
        File::PipeReader(_) | File::PipeWriter(_) => (libc::S_IFIFO | 0o600, 0),
    }
}

/// The path from the root of the storage.
fn full(world: &World, directory: i32, path: &[u8]) -> Result<Vec<u8>, i32> {
    if path.first() == Some(&b'/') || directory == libc::AT_FDCWD || path.is_empty() {
        return Ok(path.to_vec());
    }
    match world.descriptors.find(directory) {
        Target::Simulated(_, file) => match &*file {
            File::Directory(base) => Ok([&base[..], b"/", path].concat()),
            File::Socket(_) | File::Regular(_) | File::PipeReader(_) | File::PipeWriter(_) => {
                Err(libc::ENOTDIR)
            }
        },
        Target::Real(_) => Err(libc::ENOTDIR),
        Target::Closed => Err(libc::EBADF),
    }
}

const DIRECTORY_MODE: u32 = 0o755;
