//! Raw multishot receives see the end of a stream, whenever it comes.
//!
//! The kernel tells of bytes once, and not again of an end that was there with them. So it matters
//! whether a receive is armed before both, between them, or behind them, and who arms it again.

use std::io;
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use ringloop_core::Driver;
use ringloop_proactor::ops::{RecvMsgMultishot, RecvMultishot};
use ringloop_proactor::{
    BufGroup, BufGroupConfig, Chunk, Fd, Handle, Multishot, OpStream, Proactor, Received,
};

use crate::rig::{poll_once, proactor, tcp_pair};

const SENT: &[u8] = b"last words";

/// How a peer ends that has sent some bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    Reset,
    Close,
    HalfClose,
    UnixClose,
    UnixHalfClose,
}

impl Ending {
    const ALL: [Self; 5] = [
        Self::Reset,
        Self::Close,
        Self::HalfClose,
        Self::UnixClose,
        Self::UnixHalfClose,
    ];

    /// A connection whose peer sends some bytes and ends, by the returned call, which returns what
    /// is left of it.
    fn pair(self) -> (OwnedFd, Box<dyn FnOnce() -> Option<OwnedFd>>) {
        if let Self::UnixClose | Self::UnixHalfClose = self {
            let (near, mut far) = UnixStream::pair().unwrap();
            let end = move || {
                io::Write::write_all(&mut far, SENT).unwrap();
                (self == Self::UnixHalfClose).then(|| {
                    far.shutdown(Shutdown::Write).unwrap();
                    far.into()
                })
            };
            return (near.into(), Box::new(end));
        }
        let (near, mut far) = tcp_pair();
        let end = move || {
            io::Write::write_all(&mut far, SENT).unwrap();
            if self == Self::Reset {
                let socket = socket2::SockRef::from(&far);
                socket.set_linger(Some(Duration::ZERO)).unwrap();
            }
            (self == Self::HalfClose).then(|| {
                far.shutdown(Shutdown::Write).unwrap();
                far.into()
            })
        };
        (near.into(), Box::new(end))
    }

    /// Whether a stream with this ending may say so.
    fn is(self, end: &Option<io::Result<Vec<u8>>>) -> bool {
        match end {
            Some(Err(error)) => {
                self == Self::Reset && error.raw_os_error() == Some(libc::ECONNRESET)
            }
            Some(Ok(bytes)) => bytes.is_empty() && self != Self::Reset,
            None => self != Self::Reset,
        }
    }
}

/// A multishot receive whose items are bytes.
trait Receives: Multishot + Sized {
    fn start(handle: &Handle, near: &Fd, group: &BufGroup) -> OpStream<Self>;
    fn bytes(item: Self::Item) -> Vec<u8>;
}

impl Receives for RecvMultishot {
    fn start(handle: &Handle, near: &Fd, group: &BufGroup) -> OpStream<Self> {
        handle.recv_multishot(near, group)
    }

    fn bytes(item: Chunk) -> Vec<u8> {
        item.to_vec()
    }
}

impl Receives for RecvMsgMultishot {
    fn start(handle: &Handle, near: &Fd, group: &BufGroup) -> OpStream<Self> {
        handle.recv_msg_multishot(near, group, 0).unwrap()
    }

    fn bytes(item: Received<Chunk>) -> Vec<u8> {
        item.buffers.to_vec()
    }
}

fn group(handle: &Handle, count: u16) -> BufGroup {
    let config = BufGroupConfig::default().count(count).len_bytes(1024);
    handle.provide(&config).unwrap()
}

/// What the stream says within some time, in which it has to.
#[track_caller]
fn next_soon<R: Receives>(
    proactor: &mut Proactor,
    stream: &mut OpStream<R>,
) -> Option<io::Result<Vec<u8>>> {
    for tries in 0..40 {
        if let Poll::Ready(item) = poll_once(&mut pin!(stream.next())) {
            return item.map(|item| item.map(R::bytes));
        }
        // It may have woken itself, which nobody hears here.
        let wait = Duration::from_millis(tries * tries);
        proactor.park(Some(wait)).unwrap();
    }
    panic!("nothing comes")
}

/// Arms so many turns before the bytes and the end come, and looks for both.
fn check<R: Receives>(limit: usize, turns_before: usize) {
    for ending in Ending::ALL {
        let mut proactor = proactor();
        let handle = proactor.handle();
        let group = group(&handle, 4);
        let (near, end) = ending.pair();
        let mut stream = R::start(&handle, &handle.adopt(near), &group).limit(limit);
        if turns_before > 0 {
            assert!(poll_once(&mut pin!(stream.next())).is_pending());
        }
        for _ in 1..turns_before {
            proactor.park(Some(Duration::ZERO)).unwrap();
        }
        let _rest = end();
        let bytes = next_soon(&mut proactor, &mut stream).unwrap().unwrap();
        assert_eq!(bytes, SENT);
        let end = next_soon(&mut proactor, &mut stream);
        assert!(
            ending.is(&end),
            "{ending:?}, {turns_before} turns, limit {limit}: {end:?}"
        );
    }
}

#[test]
fn an_end_right_behind_the_bytes_is_seen_whenever_they_came() {
    for turns_before in 0..4 {
        for limit in [1, 100] {
            check::<RecvMultishot>(limit, turns_before);
        }
    }
}

#[test]
fn messages_of_a_stream_end_as_its_bytes_do() {
    for turns_before in 0..4 {
        for limit in [1, 100] {
            check::<RecvMsgMultishot>(limit, turns_before);
        }
    }
}

/// The only buffer is lent to somebody when the bytes come, and comes home later.
#[test]
fn an_end_behind_bytes_that_found_no_buffer_is_seen() {
    for ending in Ending::ALL {
        let mut proactor = proactor();
        let handle = proactor.handle();
        let group = group(&handle, 1);
        let (other, mut far) = tcp_pair();
        io::Write::write_all(&mut far, b"held").unwrap();
        let held = handle.recv_provided(&handle.adopt(other), &group);
        let held = proactor.block_on(held).unwrap().unwrap();
        let (near, end) = ending.pair();
        let mut stream = handle.recv_multishot(&handle.adopt(near), &group);
        assert!(poll_once(&mut pin!(stream.next())).is_pending());
        proactor.park(Some(Duration::ZERO)).unwrap();
        let _rest = end();
        assert!(poll_once(&mut pin!(stream.next())).is_pending());
        proactor.park(Some(Duration::ZERO)).unwrap();
        drop(held);
        let bytes = next_soon(&mut proactor, &mut stream).unwrap().unwrap();
        assert_eq!(bytes, SENT, "{ending:?}");
        let end = next_soon(&mut proactor, &mut stream);
        assert!(ending.is(&end), "{ending:?}: {end:?}");
    }
}
