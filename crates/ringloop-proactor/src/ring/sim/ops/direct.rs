//! Moving files between the process and the table of the ring.

use super::Answer;
use crate::ring::sim::direct::ALLOC;
use crate::ring::sim::file::Target;
use crate::ring::sim::memory;
use crate::ring::sim::request::{FIXED_FILE, Request};
use crate::ring::sim::world::World;

/// Counterpart: `io_uring_prep_files_update(3)`, with slots that the kernel picks.
pub(super) fn update(world: &mut World, request: &mut Request) -> Result<Answer, i32> {
    if request.sqe.offset != u64::from(ALLOC) {
        return Err(libc::EINVAL);
    }
    let mut done = 0;
    for at in 0..u64::from(request.sqe.len) {
        let address = request.sqe.address + at * size_of::<i32>() as u64;
        let fd = memory::read_struct::<u32>(address).cast_signed();
        let put = match world.descriptors.find(fd) {
            Target::Simulated(number, file) => world.direct.put(ALLOC, number, file),
            Target::Real(_) => Err(libc::EINVAL),
            Target::Closed => Err(libc::EBADF),
        };
        match put {
            Ok(slot) => request.outputs.push((address, slot.to_ne_bytes().to_vec())),
            Err(_) if done > 0 => break,
            Err(errno) => return Err(errno),
        }
        done += 1;
    }
    Ok(Answer::done(done))
}

/// Counterpart: `io_uring_prep_fixed_fd_install(3)`.
pub(super) fn install(world: &mut World, request: &Request) -> Result<Answer, i32> {
    if !request.has(FIXED_FILE) {
        return Err(libc::EBADF);
    }
    let file = request.file()?;
    world.open(0, file).map(Answer::done)
}
