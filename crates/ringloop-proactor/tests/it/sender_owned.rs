use std::cell::Cell;
use std::fmt;
use std::io::{IoSlice, Read};
use std::net::TcpStream;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::thread::JoinHandle;
use std::time::Duration;

use ringloop_core::Driver;
use ringloop_proactor::{Handle, IoBuf, Proactor, Receiver, Sender};
use socket2::SockRef;

use crate::rig::{poll_once, proactor, settle, tcp_pair};

/// The bytes of a stream from `start` on, each of which tells where it belongs.
fn numbered(start: usize, len: usize) -> Vec<u8> {
    (start..start + len)
        .map(|at| u8::try_from(at % 251).unwrap())
        .collect()
}

/// A sender whose socket holds little, and the other end.
fn narrow(proactor: &Proactor) -> (Sender, TcpStream) {
    let (near, far) = tcp_pair();
    SockRef::from(&near).set_send_buffer_size(16_000).unwrap();
    SockRef::from(&far).set_recv_buffer_size(64_000).unwrap();
    (Sender::new(proactor.handle().adopt(near)), far)
}

fn reads_all(mut far: TcpStream) -> JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        far.read_to_end(&mut bytes).unwrap();
        bytes
    })
}

/// Polls with a waker that does nothing.
fn try_write(sender: &mut Sender, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
    sender.poll_write(&mut Context::from_waker(Waker::noop()), bytes)
}

/// A buffer that counts its end, and does something then.
struct Watched<F: FnMut() + 'static>(Vec<u8>, F);

impl<F: FnMut()> IoBuf for Watched<F> {
    fn as_slice(&self) -> &[u8] {
        &self.0
    }
}

impl<F: FnMut()> fmt::Debug for Watched<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.len().fmt(f)
    }
}

impl<F: FnMut()> Drop for Watched<F> {
    fn drop(&mut self) {
        (self.1)();
    }
}

#[test]
fn what_is_written_in_all_ways_arrives_in_order() {
    let mut proactor = proactor();
    let (mut sender, far) = narrow(&proactor);
    let reader = reads_all(far);
    let mut len = 0;
    proactor
        .block_on(async {
            for round in 0..100 {
                let size = [1, 700, 17_000, 20_000, 40_000][round % 5];
                match round * 7 % 11 % 4 {
                    0 => sender.write_all(&numbered(len, size)).await.unwrap(),
                    1 | 2 => sender.write_owned(numbered(len, size)).await.unwrap(),
                    _ => {
                        let bytes = numbered(len, size);
                        let (head, tail) = bytes.split_at(size / 3);
                        let mut parts = [IoSlice::new(head), IoSlice::new(&[]), IoSlice::new(tail)];
                        let mut parts = &mut parts[..];
                        while parts.iter().any(|part| !part.is_empty()) {
                            let write =
                                std::future::poll_fn(|cx| sender.poll_write_vectored(cx, parts));
                            let count = write.await.unwrap();
                            assert!(count > 0);
                            IoSlice::advance_slices(&mut parts, count);
                        }
                    }
                }
                len += size;
                if round % 50 == 0 {
                    sender.flush().await.unwrap();
                    assert_eq!(sender.queued_bytes(), 0);
                }
            }
        })
        .unwrap();
    drop(sender);
    settle(&mut proactor);
    proactor.park(Some(Duration::ZERO)).unwrap();
    assert!(reader.join().unwrap() == numbered(0, len));
    assert_eq!(proactor.stats().live, 0);
}

#[test]
fn a_head_and_its_body_go_out_as_one_send() {
    let mut proactor = proactor();
    let (near, mut far) = tcp_pair();
    let mut sender = Sender::new(proactor.handle().adopt(near));
    proactor.block_on(proactor.handle().nop()).unwrap().unwrap();
    let before = proactor.stats().submissions;
    proactor
        .block_on(async {
            sender.write_all(&numbered(0, 100)).await.unwrap();
            sender.write_owned(numbered(100, 20_000)).await.unwrap();
            sender.write_all(&numbered(20_100, 5)).await.unwrap();
            sender.write_all(&numbered(20_105, 5)).await.unwrap();
            sender.write_owned(numbered(20_110, 10)).await.unwrap();
            sender.flush().await.unwrap();
        })
        .unwrap();
    assert_eq!(proactor.stats().submissions - before, 1);
    let mut bytes = vec![0; 20_120];
    far.read_exact(&mut bytes).unwrap();
    assert!(bytes == numbered(0, 20_120));
}

#[test]
fn a_buffer_is_dropped_when_it_has_been_sent_and_the_queue_can_be_used_there() {
    let mut proactor = proactor();
    let (near, mut far) = tcp_pair();
    let fd = proactor.handle().adopt(near);
    let mut sender = Sender::new(fd.clone());
    let ended = Rc::new(Cell::new(0));
    let handle: Handle = proactor.handle();
    for len in [100, 20_000] {
        let (count, handle) = (Rc::clone(&ended), handle.clone());
        // Foreign code, which asks the proactor for something.
        let on_drop = move || count.set(count.get() + handle.stats().live.min(1));
        let write = sender.write_owned(Watched(numbered(0, len), on_drop));
        proactor.block_on(write).unwrap().unwrap();
        let is_copied = len == 100;
        assert_eq!(ended.take(), usize::from(is_copied), "{len}");
        proactor.block_on(sender.flush()).unwrap().unwrap();
        settle(&mut proactor);
        assert_eq!(ended.take(), usize::from(!is_copied), "{len}");
        far.read_exact(&mut vec![0; len]).unwrap();
    }
}

#[test]
fn a_write_that_is_given_up_before_it_was_accepted_sends_nothing() {
    let mut proactor = proactor();
    let (mut sender, far) = narrow(&proactor);
    let mut len = 0;
    while let Poll::Ready(count) = try_write(&mut sender, &numbered(len, 9000)) {
        len += count.unwrap();
    }
    // The future owns the buffer: it goes with it.
    let ended = Rc::new(Cell::new(0));
    let count = Rc::clone(&ended);
    let mut write = Box::pin(sender.write_owned(Watched(vec![255; 9000], move || count.set(1))));
    assert!(poll_once(&mut write).is_pending());
    drop(write);
    assert_eq!(ended.get(), 1);
    // Polled by hand, it stays where it is.
    let mut place = Some(vec![255; 9000]);
    let mut cx = Context::from_waker(Waker::noop());
    assert!(sender.poll_write_owned(&mut cx, &mut place).is_pending());
    assert_eq!(place.map(|buffer| buffer.len()), Some(9000));
    let reader = reads_all(far);
    proactor.block_on(sender.flush()).unwrap().unwrap();
    proactor.block_on(sender.shutdown()).unwrap().unwrap();
    assert!(reader.join().unwrap() == numbered(0, len));
}

#[test]
fn a_queue_with_owned_buffers_is_bounded_by_its_mark_and_one_buffer() {
    let mut proactor = proactor();
    let (mut sender, _far) = narrow(&proactor);
    let mut cx = Context::from_waker(Waker::noop());
    let mut accepted = 0;
    for _ in 0..1000 {
        let mut place = Some(vec![1; 50_000]);
        if sender.poll_write_owned(&mut cx, &mut place).is_ready() {
            accepted += 1;
        }
        assert_eq!(
            try_write(&mut sender, &[]).map(Result::unwrap),
            Poll::Ready(0)
        );
        proactor.park(Some(Duration::ZERO)).unwrap();
        assert!(sender.queued_bytes() < 256 * 1024 + 50_000);
    }
    assert!(accepted < 100);
}

#[test]
fn received_chunks_are_sent_on_and_go_back_while_the_stream_idles() {
    let mut proactor = proactor();
    let (near, mut far) = tcp_pair();
    let near = proactor.handle().adopt(near);
    let (mut receiver, mut sender) = (Receiver::new(near.clone()), Sender::new(near));
    for round in 0..30 {
        std::io::Write::write_all(&mut far, &numbered(round, 30_000)).unwrap();
        let mut echoed = 0;
        proactor
            .block_on(async {
                while echoed < 30_000 {
                    let chunk = receiver.read_chunk().await.unwrap();
                    echoed += chunk.len();
                    sender.write_owned(chunk).await.unwrap();
                }
                sender.flush().await.unwrap();
            })
            .unwrap();
        let mut bytes = vec![0; 30_000];
        far.read_exact(&mut bytes).unwrap();
        assert!(bytes == numbered(round, 30_000));
    }
}

#[test]
fn an_error_takes_the_buffers_along_and_tells_how_much_that_was() {
    let mut proactor = proactor();
    let (mut sender, far) = narrow(&proactor);
    let ended = Rc::new(Cell::new(0));
    let queue_one = |sender: &mut Sender| {
        let count = Rc::clone(&ended);
        let mut place = Some(Watched(vec![1; 50_000], move || count.set(count.get() + 1)));
        sender.poll_write_owned(&mut Context::from_waker(Waker::noop()), &mut place)
    };
    while queue_one(&mut sender).is_ready() {}
    let refused = ended.replace(0);
    assert_eq!(refused, 1, "the one that found no room");
    proactor.park(Some(Duration::ZERO)).unwrap();
    SockRef::from(&far)
        .set_linger(Some(Duration::ZERO))
        .unwrap();
    drop(far);
    let error = proactor.block_on(sender.flush()).unwrap().unwrap_err();
    let errno = error.raw_os_error().unwrap();
    assert!([libc::EPIPE, libc::ECONNRESET].contains(&errno), "{error}");
    settle(&mut proactor);
    assert_eq!(ended.get(), 6, "all that were queued");
    let lost = sender.queued_bytes();
    assert!((1..=300_000).contains(&lost), "{lost}");
    let error = proactor.block_on(sender.write_owned(vec![9; 5000]));
    let error = error.unwrap().unwrap_err();
    assert_eq!(error.error.raw_os_error(), Some(errno));
    assert_eq!(error.buffer, vec![9; 5000]);
    assert!(proactor.block_on(sender.shutdown()).unwrap().is_err());
    assert_eq!(sender.queued_bytes(), lost);
}

#[test]
fn zero_copy_sends_keep_the_order_and_the_bound() {
    let mut proactor = proactor();
    let (near, far) = tcp_pair();
    let mut sender = Sender::new(proactor.handle().adopt(near));
    sender.set_zero_copy_from(Some(18_000));
    let reader = reads_all(far);
    let mut len = 0;
    proactor
        .block_on(async {
            for round in 0..60 {
                let size = [20_000, 10, 17_000, 300_000][round % 4];
                if size == 10 {
                    sender.write_all(&numbered(len, size)).await.unwrap();
                } else {
                    sender.write_owned(numbered(len, size)).await.unwrap();
                }
                len += size;
                assert!(sender.queued_bytes() < 256 * 1024 + 300_000);
            }
            sender.shutdown().await.unwrap();
        })
        .unwrap();
    assert!(reader.join().unwrap() == numbered(0, len));
}

#[test]
fn a_socket_without_zero_copy_sends_all_the_same() {
    let mut proactor = proactor();
    let (near, mut far) = std::os::unix::net::UnixStream::pair().unwrap();
    let mut sender = Sender::new(proactor.handle().adopt(near));
    sender.set_zero_copy_from(Some(1));
    let write = async {
        for start in [0, 20_000, 40_000] {
            sender.write_owned(numbered(start, 20_000)).await.unwrap();
        }
        sender.flush().await.unwrap();
    };
    proactor.block_on(write).unwrap();
    let mut bytes = vec![0; 60_000];
    far.read_exact(&mut bytes).unwrap();
    assert!(bytes == numbered(0, 60_000));
}
