//! Accepting connections, one or many.

use std::cell::RefCell;
use std::rc::Rc;

use super::Answer;
use crate::ring::sim::file::File;
use crate::ring::sim::memory;
use crate::ring::sim::request::Request;
use crate::ring::sim::socket::{Listener, State, Stream};
use crate::ring::sim::world::World;

/// Counterpart: `io_uring_prep_accept(3)` and `io_uring_prep_multishot_accept(3)`.
pub(super) fn accept(world: &mut World, request: &mut Request) -> Result<Answer, i32> {
    let file = request.file()?;
    let socket = file.as_socket()?.borrow();
    let State::Listening(listener) = &socket.state else {
        return Err(libc::EINVAL);
    };
    let listener = Rc::clone(listener);
    let domain = socket.domain;
    drop(socket);
    if listener.borrow().backlog.is_empty() {
        return Ok(Answer::Wait);
    }
    if world.rng.chance(world.faults.abort) {
        let lost = listener.borrow_mut().backlog.pop_front();
        drop(lost);
        return Err(libc::ECONNABORTED);
    }
    let (fd, peer) = if request.sqe.file_index == 0 {
        // The descriptor comes first: without one, the connection stays where it is.
        let (fd, number) = world.reserve()?;
        let stream = next(&listener)?;
        let peer = stream.peer.clone();
        world
            .descriptors
            .put(number, File::connection(domain, stream));
        (fd, peer)
    } else {
        // Without a slot, the connection is lost.
        let stream = next(&listener)?;
        let peer = stream.peer.clone();
        let file = File::connection(domain, stream);
        (world.open(request.sqe.file_index, file)?, peer)
    };
    if let Some(peer) = peer
        && request.sqe.address != 0
    {
        let bytes = peer.to_bytes();
        let room = memory::read_struct::<u32>(request.sqe.offset) as usize;
        let len = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        let shown = bytes[..room.min(bytes.len())].to_vec();
        request.outputs.push((request.sqe.address, shown));
        request
            .outputs
            .push((request.sqe.offset, len.to_ne_bytes().to_vec()));
    }
    Ok(if request.sqe.ioprio & ACCEPT_MULTISHOT != 0 {
        Answer::Shot { res: fd, flags: 0 }
    } else {
        Answer::done(fd)
    })
}

fn next(listener: &RefCell<Listener>) -> Result<Stream, i32> {
    let next = listener.borrow_mut().backlog.pop_front();
    next.ok_or(libc::EAGAIN)
}

/// `IORING_ACCEPT_MULTISHOT`.
const ACCEPT_MULTISHOT: u16 = 1 << 0;
