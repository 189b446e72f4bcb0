//! Options that are set on a socket before it is used.

use std::io;

use socket2::SockRef;

use super::keepalive::Keepalive;
use super::options::set_tos;

/// What the builders of listeners and connections have in common.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) nodelay: Option<bool>,
    pub(super) keepalive: Option<Keepalive>,
    pub(super) tos: Option<u32>,
    pub(super) recv_buffer_size: Option<usize>,
    pub(super) send_buffer_size: Option<usize>,
    pub(super) device: Option<Box<[u8]>>,
    pub(super) reuse_port: bool,
}

impl Settings {
    pub(super) const fn new() -> Self {
        Self {
            nodelay: None,
            keepalive: None,
            tos: None,
            recv_buffer_size: None,
            send_buffer_size: None,
            device: None,
            reuse_port: false,
        }
    }

    pub(super) fn set_on(&self, socket: &SockRef<'_>) -> io::Result<()> {
        if let Some(nodelay) = self.nodelay {
            socket.set_tcp_nodelay(nodelay)?;
        }
        if let Some(keepalive) = self.keepalive {
            keepalive.set_on(socket)?;
        }
        if let Some(tos) = self.tos {
            set_tos(socket, tos)?;
        }
        // Before the connection is there: its window is agreed on at the beginning.
        if let Some(bytes) = self.recv_buffer_size {
            socket.set_recv_buffer_size(bytes)?;
        }
        if let Some(bytes) = self.send_buffer_size {
            socket.set_send_buffer_size(bytes)?;
        }
        if let Some(device) = &self.device {
            socket.bind_device(Some(device))?;
        }
        if self.reuse_port {
            socket.set_reuse_port(true)?;
        }
        Ok(())
    }
}

/// Gives `$builder`, which has a field `settings`, a method for each of them.
macro_rules! settings {
    ($builder:ty) => {
        impl $builder {
            /// Sends small writes at once (`true`) or gathers them while others are under way.
            pub fn nodelay(mut self, nodelay: bool) -> Self {
                self.settings.nodelay = Some(nodelay);
                self
            }

            /// Sets how a connection is probed when nothing comes.
            pub fn keepalive(mut self, keepalive: $crate::net::Keepalive) -> Self {
                self.settings.keepalive = Some(keepalive);
                self
            }

            /// Sets the type of service, or traffic class, of what is sent.
            pub fn tos(mut self, tos: u32) -> Self {
                self.settings.tos = Some(tos);
                self
            }

            /// Sets how much the kernel keeps that has been received and not been read.
            pub fn recv_buffer_size(mut self, bytes: usize) -> Self {
                self.settings.recv_buffer_size = Some(bytes);
                self
            }

            /// Sets how much the kernel takes of what is sent before it has gone.
            pub fn send_buffer_size(mut self, bytes: usize) -> Self {
                self.settings.send_buffer_size = Some(bytes);
                self
            }

            /// Uses only the network device with this name.
            #[doc(alias = "SO_BINDTODEVICE")]
            pub fn bind_device(mut self, name: impl AsRef<[u8]>) -> Self {
                self.settings.device = Some(name.as_ref().into());
                self
            }

            /// Lets several sockets have one address, if all of them want it.
            #[doc(alias = "SO_REUSEPORT")]
            pub fn reuse_port(mut self, reuse: bool) -> Self {
                self.settings.reuse_port = reuse;
                self
            }
        }
    };
}

pub(super) use settings;
