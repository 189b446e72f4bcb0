//! The echo server of datagrams, which has the kernel choose buffers.
//!
//! One receive goes on and on; a send goes out of the buffer that the datagram arrived in, to the
//! address that stands in the same buffer.

use std::io;
use std::net::UdpSocket;
use std::os::fd::AsRawFd;

use io_uring::cqueue;

use super::{Bare, counted};
use crate::ring::{ADDRESS_LEN, HEADER_LEN, Submissions};

/// Echoes datagrams until an empty one arrives.
pub(super) fn serve(bare: &Bare, socket: &UdpSocket) -> io::Result<()> {
    let fd = socket.as_raw_fd();
    let mut ring = bare.ring()?;
    let mut buffers = ring.provide_buffers(0, BUFFER_COUNT, BUFFER_LEN)?;
    let (mut submissions, mut completions) = ring.split();
    let layout = Submissions::datagram_layout();
    submissions.recv_datagrams(fd, layout, &buffers, RECV)?;
    loop {
        submissions.enter(1, None)?;
        completions.sync();
        let mut is_starved = false;
        for cqe in completions.by_ref() {
            if let Ok(id) = u16::try_from(cqe.user_data()) {
                counted(cqe.result())?;
                buffers.put(id);
                continue;
            }
            is_starved |= !cqueue::more(cqe.flags());
            let Some(id) = cqueue::buffer_select(cqe.flags()) else {
                if cqe.result() == -libc::ENOBUFS {
                    continue;
                }
                return counted(cqe.result()).map(drop);
            };
            let message = buffers.filled(id, counted(cqe.result())?);
            let Some(len @ 1..) = message.len().checked_sub(HEADER_LEN + ADDRESS_LEN) else {
                return Ok(());
            };
            let address = message.part(HEADER_LEN, ADDRESS_LEN);
            let bytes = message.part(HEADER_LEN + ADDRESS_LEN, len);
            submissions.send_datagram(fd, (bytes, address), id.into())?;
            bare.submit_early(&mut submissions)?;
        }
        // Tells the kernel that they are read: an unread one would end the next wait at once.
        completions.sync();
        buffers.publish();
        if is_starved {
            submissions.recv_datagrams(fd, layout, &buffers, RECV)?;
        }
    }
}

const RECV: u64 = u64::MAX;
const BUFFER_COUNT: u16 = 256;
const BUFFER_LEN: u32 = 2048;
