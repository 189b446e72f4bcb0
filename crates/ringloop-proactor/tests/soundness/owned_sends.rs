//! Owned buffers in send queues: the kernel reads them after the stream is gone, and without a copy
//! also after the send has completed.

use std::io::Read;
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use ringloop_core::Driver;
use ringloop_proactor::{Proactor, Sender};

use crate::rig::{churn, end, settle, small, sound, turn};

const LEN: usize = 1 << 20;

/// Bytes none of which is a mark of freed memory.
fn pattern(start: usize) -> Vec<u8> {
    (start..start + LEN)
        .map(|at| (at % 199).to_le_bytes()[0])
        .collect()
}

fn read_pattern(mut far: TcpStream) -> usize {
    let mut bytes = Vec::new();
    drop(far.read_to_end(&mut bytes));
    let expected = (0..bytes.len()).map(|at| (at % 199).to_le_bytes()[0]);
    assert!(bytes.iter().copied().eq(expected), "freed memory was sent");
    bytes.len()
}

/// Sockets that hold little.
fn narrow_pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let near = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    socket2::SockRef::from(&near)
        .set_send_buffer_size(65_536)
        .unwrap();
    let (far, _) = listener.accept().unwrap();
    socket2::SockRef::from(&far)
        .set_recv_buffer_size(65_536)
        .unwrap();
    (near, far)
}

/// A sender with a buffer that is larger than what the sockets hold, and turns on the way.
fn half_done(proactor: &mut Proactor, zero_copy: Option<usize>) -> (Sender, TcpStream) {
    let (near, far) = narrow_pair();
    let mut sender = Sender::new(proactor.handle().adopt(near));
    sender.set_zero_copy_from(zero_copy);
    let write = sender.write_owned(pattern(0));
    proactor.block_on(write).unwrap().unwrap();
    for _ in 0..3 {
        turn(proactor);
    }
    (sender, far)
}

#[test]
fn a_dropped_stream_keeps_its_buffers_until_they_are_sent() {
    sound(|| {
        let mut proactor = Proactor::new(&small()).unwrap();
        for zero_copy in [None, Some(1)] {
            let (sender, far) = half_done(&mut proactor, zero_copy);
            drop(sender);
            churn();
            let reader = std::thread::spawn(move || read_pattern(far));
            while proactor.stats().live > 0 {
                proactor.park(Some(Duration::from_secs(1))).unwrap();
            }
            settle(&mut proactor);
            assert_eq!(reader.join().unwrap(), LEN);
        }
        end(proactor);
    });
}

#[test]
fn a_dropped_proactor_keeps_what_the_kernel_reads() {
    sound(|| {
        for zero_copy in [None, Some(1)] {
            let mut proactor = Proactor::new(&small()).unwrap();
            let (sender, far) = half_done(&mut proactor, zero_copy);
            let reader = std::thread::spawn(move || read_pattern(far));
            assert_eq!(proactor.shut_down(), 0);
            drop((proactor, sender));
            churn();
            assert!(reader.join().unwrap() > 0);
        }
    });
}

/// The last segment of a message in flight is one to which bytes could be appended.
#[test]
fn what_is_written_behind_a_message_in_flight_moves_nothing_of_it() {
    sound(|| {
        let mut proactor = Proactor::new(&small()).unwrap();
        let (near, far) = narrow_pair();
        let mut sender = Sender::new(proactor.handle().adopt(near));
        let mut written = 0;
        let mut next = |len: usize| {
            let bytes = pattern(written)[..len].to_vec();
            written += len;
            bytes
        };
        while sender.queued_bytes() == 0 {
            let (owned, copied) = (next(100_000), next(3000));
            let writes = async {
                sender.write_owned(owned).await.unwrap();
                sender.write_all(&copied).await.unwrap();
            };
            proactor.block_on(writes).unwrap();
            turn(&mut proactor);
        }
        for _ in 0..10 {
            let bytes = next(2000);
            let write = sender.write_all(&bytes);
            proactor.block_on(write).unwrap().unwrap();
        }
        churn();
        let reader = std::thread::spawn(move || read_pattern(far));
        proactor.block_on(sender.shutdown()).unwrap().unwrap();
        assert_eq!(reader.join().unwrap(), written);
        drop(sender);
        settle(&mut proactor);
        end(proactor);
    });
}
