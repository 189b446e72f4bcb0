use std::io::Read;
use std::net::TcpStream;
use std::time::Duration;

use ringloop_core::Driver;
use ringloop_proactor::{Proactor, Receiver, Sender};

use crate::rig::{poll_once, proactor, settle, tcp_pair};

#[test]
fn writes_of_one_turn_go_out_as_one_send() {
    let mut proactor = proactor();
    let (near, mut far) = tcp_pair();
    let mut sender = Sender::new(proactor.handle().adopt(near));
    proactor.block_on(proactor.handle().nop()).unwrap().unwrap();
    let before = proactor.stats().submissions;
    proactor
        .block_on(async {
            for word in ["one ", "send ", "for ", "all"] {
                sender.write_all(word.as_bytes()).await.unwrap();
            }
            sender.flush().await.unwrap();
        })
        .unwrap();
    assert_eq!(proactor.stats().submissions - before, 1);
    let mut text = [0; 16];
    far.read_exact(&mut text).unwrap();
    assert_eq!(&text, b"one send for all");
}

#[test]
fn a_dropped_sender_sends_what_it_holds() {
    let mut proactor = proactor();
    let (near, mut far) = tcp_pair();
    let reader = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        far.read_to_end(&mut bytes).unwrap();
        bytes
    });
    let mut sender = Sender::new(proactor.handle().adopt(near));
    let bytes: Vec<u8> = (0..100_000_u32)
        .map(|at| u8::try_from(at % 251).unwrap())
        .collect();
    proactor
        .block_on(sender.write_all(&bytes))
        .unwrap()
        .unwrap();
    drop(sender);
    settle(&mut proactor);
    proactor.park(Some(Duration::ZERO)).unwrap();
    assert_eq!(reader.join().unwrap(), bytes);
    assert_eq!(proactor.stats().live, 0);
}

#[test]
fn dropping_the_proactor_waits_for_what_is_left_to_send() {
    let mut proactor = proactor();
    let (near, mut far) = tcp_pair();
    let reader = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        far.read_to_end(&mut bytes).unwrap();
        bytes
    });
    let mut sender = Sender::new(proactor.handle().adopt(near));
    proactor
        .block_on(sender.write_all(&[7; 120_000]))
        .unwrap()
        .unwrap();
    drop(sender);
    drop(proactor);
    assert_eq!(reader.join().unwrap(), vec![7; 120_000]);
}

#[test]
fn a_writer_waits_for_a_slow_peer_and_the_queue_is_bounded() {
    let mut proactor = proactor();
    let (near, mut far) = tcp_pair();
    let mut sender = Sender::new(proactor.handle().adopt(near));
    let bytes = vec![1; 20_000_000];
    let mut write = Box::pin(sender.write_all(&bytes));
    for _ in 0..100 {
        assert!(poll_once(&mut write).is_pending());
        proactor.park(Some(Duration::ZERO)).unwrap();
    }
    let reader = std::thread::spawn(move || {
        let mut received = 0;
        let mut buf = vec![0; 1 << 16];
        while received < 20_000_000 {
            received += far.read(&mut buf).unwrap();
        }
        received
    });
    proactor.block_on(write).unwrap().unwrap();
    assert!(sender.queued_bytes() <= 256 * 1024);
    proactor.block_on(sender.flush()).unwrap().unwrap();
    assert_eq!(reader.join().unwrap(), 20_000_000);
}

#[test]
fn the_error_of_a_reset_shows_at_the_next_write() {
    let mut proactor = proactor();
    let (near, far) = tcp_pair();
    let near = proactor.handle().adopt(near);
    let mut sender = Sender::new(near.clone());
    let mut receiver = Receiver::new(near);
    socket2::SockRef::from(&far)
        .set_linger(Some(Duration::ZERO))
        .unwrap();
    drop(far);
    let read = proactor.block_on(receiver.read(&mut [0; 1])).unwrap();
    assert_eq!(read.unwrap_err().raw_os_error(), Some(libc::ECONNRESET));
    let first = proactor.block_on(async {
        sender.write_all(b"into the void").await?;
        sender.flush().await
    });
    assert_eq!(
        first.unwrap().unwrap_err().raw_os_error(),
        Some(libc::EPIPE)
    );
    let second = proactor.block_on(sender.write_all(b"again")).unwrap();
    assert_eq!(second.unwrap_err().raw_os_error(), Some(libc::EPIPE));
}

/// A sender with a send of which the kernel keeps a part waiting, its peer, and how many numbered
/// bytes were written.
fn stuck(proactor: &mut Proactor) -> (Sender, TcpStream, usize) {
    let (near, far) = tcp_pair();
    let mut sender = Sender::new(proactor.handle().adopt(near));
    let mut written = 0;
    while sender.queued_bytes() == 0 {
        write(&mut sender, &mut written, 60_000);
        proactor.park(Some(Duration::ZERO)).unwrap();
    }
    (sender, far, written)
}

fn numbered(start: usize, len: usize) -> Vec<u8> {
    (start..start + len)
        .map(|at| u8::try_from(at % 251).unwrap())
        .collect()
}

/// Writes numbered bytes, for which there is room.
fn write(sender: &mut Sender, written: &mut usize, len: usize) {
    let bytes = numbered(*written, len);
    assert!(poll_once(&mut Box::pin(sender.write_all(&bytes))).is_ready());
    *written += len;
}

/// Lets a sender that was dropped send what it holds, which has to be numbered bytes.
fn assert_in_order(mut far: TcpStream, proactor: Proactor, len: usize) {
    let reader = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        far.read_to_end(&mut bytes).unwrap();
        bytes
    });
    drop(proactor);
    let bytes = reader.join().unwrap();
    assert_eq!(bytes.len(), len);
    let misplaced = (0..len).find(|&at| usize::from(bytes[at]) != at % 251);
    assert_eq!(misplaced, None);
}

#[test]
fn bytes_stay_in_order_around_a_send_that_was_ended_early() {
    let mut proactor = proactor();
    let (mut sender, far, mut written) = stuck(&mut proactor);
    for _ in 0..5 {
        proactor.park(Some(Duration::ZERO)).unwrap();
        write(&mut sender, &mut written, 10_000);
        let cancel = proactor.handle().cancel_fd(sender.fd());
        let mut cancel = Box::pin(cancel);
        while poll_once(&mut cancel).is_pending() {
            proactor.park(Some(Duration::ZERO)).unwrap();
            write(&mut sender, &mut written, 10);
        }
    }
    drop(sender);
    assert_in_order(far, proactor, written);
}

#[test]
fn an_owned_buffer_goes_behind_what_was_written_during_a_send() {
    let mut proactor = proactor();
    let (mut sender, far, mut written) = stuck(&mut proactor);
    write(&mut sender, &mut written, 1000);
    let owned = numbered(written, 20_000);
    assert!(poll_once(&mut Box::pin(sender.write_owned(owned))).is_ready());
    written += 20_000;
    write(&mut sender, &mut written, 1000);
    drop(sender);
    assert_in_order(far, proactor, written);
}

/// What is left of several segments goes on where the kernel has stopped.
#[test]
fn segments_stay_in_order_around_a_message_that_was_ended_early() {
    let mut proactor = proactor();
    let (near, mut far) = tcp_pair();
    socket2::SockRef::from(&near)
        .set_send_buffer_size(20_000)
        .unwrap();
    socket2::SockRef::from(&far)
        .set_recv_buffer_size(20_000)
        .unwrap();
    let mut sender = Sender::new(proactor.handle().adopt(near));
    let mut written = 0;
    let mut received = Vec::new();
    let mut buf = [0; 30_000];
    for _ in 0..40 {
        while sender.queued_bytes() < 60_000 {
            let owned = numbered(written, 17_000);
            assert!(poll_once(&mut Box::pin(sender.write_owned(owned))).is_ready());
            written += 17_000;
            write(&mut sender, &mut written, 1001);
        }
        proactor.park(Some(Duration::ZERO)).unwrap();
        let count = far.read(&mut buf).unwrap();
        received.extend_from_slice(&buf[..count]);
        let mut cancel = Box::pin(proactor.handle().cancel_fd(sender.fd()));
        while poll_once(&mut cancel).is_pending() {
            proactor.park(Some(Duration::ZERO)).unwrap();
        }
    }
    drop(sender);
    let reader = std::thread::spawn(move || {
        far.read_to_end(&mut received).unwrap();
        received
    });
    drop(proactor);
    assert!(reader.join().unwrap() == numbered(0, written));
}
