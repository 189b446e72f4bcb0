//! Sockets and the addresses they meet at.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::rc::{Rc, Weak};

use super::address::Address;
use super::channel::{Channel, Shared};

/// A socket: what a descriptor of one refers to.
#[derive(Debug)]
pub(super) struct Socket {
    pub(super) domain: i32,
    pub(super) binding: Option<Rc<Binding>>,
    pub(super) state: State,
}

#[derive(Debug)]
pub(super) enum State {
    /// Neither connected nor listening.
    Fresh,
    Listening(Rc<RefCell<Listener>>),
    Connected(Stream),
    /// A listener that was shut down.
    Deaf,
}

/// An address in use. It is free again when the last socket that holds it is gone.
#[derive(Debug)]
pub(super) struct Binding {
    pub(super) address: Address,
    listener: RefCell<Weak<RefCell<Listener>>>,
}

/// The connections that wait to be accepted.
#[derive(Debug)]
pub(super) struct Listener {
    pub(super) backlog: VecDeque<Stream>,
    limit: usize,
    pub(super) wakes: u64,
}

/// One end of a connection.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) incoming: Shared,
    pub(super) outgoing: Shared,
    pub(super) peer: Option<Address>,
    /// A reset is what a close with unread bytes, or a write nobody reads, leads to.
    is_tcp: bool,
    is_shut: bool,
}

/// All addresses in use.
#[derive(Debug, Default)]
pub(super) struct Network {
    bindings: BTreeMap<Address, Weak<Binding>>,
    last_port: u16,
}

impl Socket {
    pub(super) fn new(domain: i32) -> Self {
        Self {
            domain,
            binding: None,
            state: State::Fresh,
        }
    }

    pub(super) fn connected(domain: i32, stream: Stream) -> Self {
        Self {
            state: State::Connected(stream),
            ..Self::new(domain)
        }
    }

    pub(super) fn stream(&mut self) -> Result<&mut Stream, i32> {
        match &mut self.state {
            State::Connected(stream) => Ok(stream),
            State::Fresh | State::Listening(_) | State::Deaf => Err(libc::ENOTCONN),
        }
    }

    pub(super) fn listen(&mut self, network: &mut Network, limit: usize) -> Result<(), i32> {
        match &self.state {
            State::Fresh | State::Deaf => {}
            State::Listening(listener) => {
                listener.borrow_mut().limit = limit;
                return Ok(());
            }
            State::Connected(_) => return Err(libc::EINVAL),
        }
        let binding = match &self.binding {
            Some(binding) => Rc::clone(binding),
            None => network.bind(&Address::Inet(ANY.into()))?,
        };
        let listener = Rc::new(RefCell::new(Listener {
            backlog: VecDeque::new(),
            limit,
            wakes: 0,
        }));
        *binding.listener.borrow_mut() = Rc::downgrade(&listener);
        self.binding = Some(binding);
        self.state = State::Listening(listener);
        Ok(())
    }

    /// Counterpart: `shutdown(2)`.
    pub(super) fn shut_down(&mut self, how: i32) -> Result<(), i32> {
        let stream = match &mut self.state {
            State::Connected(stream) => stream,
            State::Listening(listener) => {
                let mut listener = listener.borrow_mut();
                listener.wakes += 1;
                let backlog = std::mem::take(&mut listener.backlog);
                drop(listener);
                drop(backlog);
                self.state = State::Deaf;
                return Ok(());
            }
            State::Fresh | State::Deaf => return Err(libc::ENOTCONN),
        };
        if how == libc::SHUT_RD || how == libc::SHUT_RDWR {
            stream.incoming.borrow_mut().end();
        }
        if how == libc::SHUT_WR || how == libc::SHUT_RDWR {
            stream.is_shut = true;
            stream.outgoing.borrow_mut().end();
        }
        Ok(())
    }
}

impl Listener {
    pub(super) fn has_room(&self) -> bool {
        self.backlog.len() <= self.limit
    }

    pub(super) fn push(&mut self, stream: Stream) {
        self.backlog.push_back(stream);
        self.wakes += 1;
    }
}

impl Stream {
    /// Makes the two ends of a connection.
    pub(super) fn pair(capacity: usize, is_tcp: bool) -> (Self, Self) {
        let (there, back) = (Channel::new(capacity), Channel::new(capacity));
        let near = Self {
            incoming: Rc::clone(&back),
            outgoing: Rc::clone(&there),
            peer: None,
            is_tcp,
            is_shut: false,
        };
        let far = Self {
            incoming: there,
            outgoing: back,
            peer: None,
            is_tcp,
            is_shut: false,
        };
        (near, far)
    }

    /// Breaks the connection, as an RST of the network would.
    pub(super) fn reset(&mut self) {
        self.incoming.borrow_mut().fail(libc::ECONNRESET);
        self.outgoing.borrow_mut().fail(libc::ECONNRESET);
    }

    /// Why nothing can be sent; `None` if something can.
    pub(super) fn send_error(&mut self) -> Option<i32> {
        let mut outgoing = self.outgoing.borrow_mut();
        if self.is_shut {
            return Some(libc::EPIPE);
        }
        if !outgoing.is_unread {
            return None;
        }
        if let Some(error) = self.incoming.borrow_mut().error.take() {
            return Some(error);
        }
        if self.is_tcp && !outgoing.is_ended {
            // What is sent first after the peer has gone is lost; its answer is what is seen next.
            outgoing.end();
            return None;
        }
        Some(libc::EPIPE)
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        let left_unread = self.incoming.borrow_mut().abandon();
        let mut outgoing = self.outgoing.borrow_mut();
        if left_unread && self.is_tcp && !outgoing.is_unread {
            outgoing.fail(libc::ECONNRESET);
            self.incoming.borrow_mut().end();
        } else {
            outgoing.end();
        }
    }
}

impl Network {
    /// Takes `address`, with a port of the network's choice if it has none.
    pub(super) fn bind(&mut self, address: &Address) -> Result<Rc<Binding>, i32> {
        let mut address = address.clone();
        if let Address::Inet(inet) = &mut address
            && inet.port() == 0
        {
            inet.set_port(self.free_port());
        }
        if self.binding(&address).is_some() {
            return Err(libc::EADDRINUSE);
        }
        let binding = Rc::new(Binding {
            address: address.clone(),
            listener: RefCell::default(),
        });
        self.bindings.insert(address, Rc::downgrade(&binding));
        Ok(binding)
    }

    /// Who listens at `address`.
    pub(super) fn listener(&self, address: &Address) -> Option<Rc<RefCell<Listener>>> {
        let binding = self.binding(address)?;
        let listener = binding.listener.borrow();
        listener.upgrade()
    }

    fn binding(&self, address: &Address) -> Option<Rc<Binding>> {
        let exact = self.bindings.get(address).and_then(Weak::upgrade);
        exact.or_else(|| {
            let Address::Inet(inet) = address else {
                return None;
            };
            self.bindings
                .iter()
                .find_map(|(bound, binding)| match bound {
                    Address::Inet(bound)
                        if bound.port() == inet.port() && bound.ip().is_unspecified() =>
                    {
                        binding.upgrade()
                    }
                    Address::Inet(_) | Address::Unix(_) => None,
                })
        })
    }

    fn free_port(&mut self) -> u16 {
        self.bindings
            .retain(|_, binding| binding.strong_count() > 0);
        loop {
            self.last_port = self.last_port.wrapping_add(1) | FIRST_PORT;
            let port = self.last_port;
            let is_taken = self.bindings.keys().any(|address| match address {
                Address::Inet(inet) => inet.port() == port,
                Address::Unix(_) => false,
            });
            if !is_taken {
                return port;
            }
        }
    }
}

const ANY: (std::net::Ipv4Addr, u16) = (std::net::Ipv4Addr::UNSPECIFIED, 0);
/// Ports of the network's choice are from here on.
const FIRST_PORT: u16 = 0x8000;
