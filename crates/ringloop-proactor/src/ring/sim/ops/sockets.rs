//! Making, naming, connecting, shutting down and closing.

use std::cell::RefCell;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::rc::Rc;

use super::Answer;
use crate::ring::sim::address::Address;
use crate::ring::sim::file::{File, Target};
use crate::ring::sim::placeholder;
use crate::ring::sim::request::Request;
use crate::ring::sim::socket::{Socket, State, Stream};
use crate::ring::sim::world::World;

impl World {
    /// Opens a descriptor for `file`, unless there is none to be had: a direct one if the `index`
    /// of the entry is not zero.
    pub(super) fn open(&mut self, index: u32, file: Rc<File>) -> Result<i32, i32> {
        if index != 0 {
            let number = self.descriptors.count_one();
            let res = self.direct.put(index, number, file)?;
            self.trace
                .line(self.now, format_args!("f{number} opened, direct"));
            return Ok(res);
        }
        let (fd, number) = self.reserve()?;
        self.descriptors.put(number, file);
        Ok(fd)
    }

    /// Opens a descriptor for what is put there at once.
    pub(super) fn reserve(&mut self) -> Result<(i32, u32), i32> {
        if self.rng.chance(self.faults.no_descriptors) {
            let errors = [libc::EMFILE, libc::ENFILE];
            return Err(errors[self.rng.part_of(errors.len()) - 1]);
        }
        let (fd, number) = self.descriptors.open()?;
        self.trace.line(self.now, format_args!("f{number} opened"));
        Ok((placeholder::number(fd), number))
    }
}

impl Request {
    /// The simulated file that it is about.
    pub(super) fn file(&self) -> Result<Rc<File>, i32> {
        match &self.target {
            Some(Target::Simulated(_, file)) => Ok(Rc::clone(file)),
            // Real files are polled and closed, nothing else.
            Some(Target::Real(_)) => Err(libc::EINVAL),
            Some(Target::Closed) | None => Err(libc::EBADF),
        }
    }
}

pub(super) fn socket(world: &mut World, request: &Request) -> Result<Answer, i32> {
    let domain = request.sqe.fd;
    if ![libc::AF_INET, libc::AF_INET6, libc::AF_UNIX].contains(&domain) {
        return Err(libc::EAFNOSUPPORT);
    }
    let kind = i32::try_from(request.sqe.offset & KIND_MASK).map_err(|_| libc::EINVAL)?;
    if kind != libc::SOCK_STREAM {
        return Err(libc::ESOCKTNOSUPPORT);
    }
    let file = File::socket(Socket::new(domain));
    world.open(request.sqe.file_index, file).map(Answer::done)
}

pub(super) fn bind(world: &mut World, request: &Request) -> Result<Answer, i32> {
    let file = request.file()?;
    let mut socket = file.as_socket()?.borrow_mut();
    let address = request.args.address.as_ref().ok_or(libc::EINVAL)?;
    if socket.binding.is_some() || address.family() != socket.domain {
        return Err(libc::EINVAL);
    }
    socket.binding = Some(world.network.bind(address)?);
    Ok(Answer::done(0))
}

pub(super) fn listen(world: &mut World, request: &Request) -> Result<Answer, i32> {
    let file = request.file()?;
    let mut socket = file.as_socket()?.borrow_mut();
    socket.listen(&mut world.network, request.sqe.len as usize)?;
    Ok(Answer::done(0))
}

pub(super) fn connect(world: &mut World, request: &Request) -> Result<Answer, i32> {
    let file = request.file()?;
    let mut socket = file.as_socket()?.borrow_mut();
    match &socket.state {
        State::Fresh => {}
        State::Connected(_) | State::Listening(_) => return Err(libc::EISCONN),
        State::Deaf => return Err(libc::EINVAL),
    }
    let address = request.args.address.as_ref().ok_or(libc::EINVAL)?;
    if address.family() != socket.domain {
        return Err(libc::EAFNOSUPPORT);
    }
    let is_tcp = socket.domain != libc::AF_UNIX;
    let Some(listener) = world.network.listener(address) else {
        return Err(libc::ECONNREFUSED);
    };
    if !listener.borrow().has_room() {
        return Ok(Answer::Wait);
    }
    if socket.binding.is_none() && is_tcp {
        let any = match socket.domain {
            libc::AF_INET => (Ipv4Addr::LOCALHOST, 0).into(),
            _ => (Ipv6Addr::LOCALHOST, 0).into(),
        };
        socket.binding = Some(world.network.bind(&Address::Inet(any))?);
    }
    let (mut near, mut far) = Stream::pair(world.socket_bytes, is_tcp);
    near.peer = Some(address.clone());
    far.peer = socket.binding.as_ref().map(|own| own.address.clone());
    listener.borrow_mut().push(far);
    socket.state = State::Connected(near);
    Ok(Answer::done(0))
}

pub(super) fn shut_down(request: &Request) -> Result<Answer, i32> {
    let file = request.file()?;
    let how = request.sqe.len.cast_signed();
    if ![libc::SHUT_RD, libc::SHUT_WR, libc::SHUT_RDWR].contains(&how) {
        return Err(libc::EINVAL);
    }
    file.as_socket()?.borrow_mut().shut_down(how)?;
    Ok(Answer::done(0))
}

/// Closes the number, whatever it stands for now.
pub(super) fn close(world: &mut World, request: &Request) -> Result<Answer, i32> {
    if let Some(slot) = request.sqe.file_index.checked_sub(1) {
        world.direct.close(slot)?;
        return Ok(Answer::done(0));
    }
    placeholder::close(request.sqe.fd)?;
    world.reap();
    Ok(Answer::done(0))
}

/// Counterpart: `io_uring_prep_pipe(3)`.
pub(super) fn pipe(world: &mut World, request: &mut Request) -> Result<Answer, i32> {
    let (reader, writer) = File::pipe(world.socket_bytes);
    if request.sqe.file_index != 0 {
        return Err(libc::EINVAL);
    }
    let reader = world.open(0, reader)?;
    let writer = match world.open(0, writer) {
        Ok(writer) => writer,
        Err(errno) => {
            placeholder::close(reader)?;
            return Err(errno);
        }
    };
    let bytes = [reader.to_ne_bytes(), writer.to_ne_bytes()].concat();
    request.outputs.push((request.sqe.address, bytes));
    Ok(Answer::done(0))
}

impl File {
    pub(in crate::ring::sim) fn connection(domain: i32, stream: Stream) -> Rc<Self> {
        Rc::new(Self::Socket(RefCell::new(Socket::connected(
            domain, stream,
        ))))
    }
}

/// The type of a socket, without `SOCK_CLOEXEC` and `SOCK_NONBLOCK`.
const KIND_MASK: u64 = 0xf;
