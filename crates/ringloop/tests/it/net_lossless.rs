//! Nothing is lost on the other sockets either, whichever way a wait is given up.

use std::collections::VecDeque;
use std::io::Write;
use std::os::unix::net;

use ringloop::net::{UdpSocket, UnixDatagram, UnixListener, UnixStream};
use ringloop::task::yield_now;

use crate::lossless::{ALL, GiveUp};
use crate::net_unix::Dir;
use crate::rig::{alone, numbered, open_fds, polled_once, run, runtime, settle};

#[test]
fn no_byte_of_a_unix_stream_is_lost() {
    for give_up in ALL {
        let given_up = run(async {
            let (near, mut far) = net::UnixStream::pair().unwrap();
            let mut near = UnixStream::from_std(near).unwrap();
            let (mut sent, mut received, mut given_up) = (0, 0, 0);
            for round in 1..COUNT {
                far.write_all(&numbered(sent, round)).unwrap();
                sent += round;
                if round.is_multiple_of(3) {
                    yield_now().await.unwrap();
                }
                let mut buf = vec![UNTOUCHED; 1 + round * 2 % 99];
                let count = if let Some(count) = give_up.on(near.read(&mut buf)).await {
                    count
                } else {
                    given_up += 1;
                    assert!(buf.iter().all(|byte| *byte == UNTOUCHED), "{give_up:?}");
                    0
                };
                assert_eq!(buf[..count], numbered(received, count), "{give_up:?}");
                received += count;
            }
            drop(far);
            let mut rest = Vec::new();
            near.read_to_end(&mut rest).await.unwrap();
            assert!(rest == numbered(received, sent - received), "{give_up:?}");
            given_up
        });
        check(give_up, given_up);
    }
}

#[test]
fn no_connection_of_a_unix_listener_is_lost() {
    if !alone("net_lossless::no_connection_of_a_unix_listener_is_lost") {
        return;
    }
    let mut runtime = runtime();
    for give_up in ALL {
        let fds = open_fds();
        let given_up = runtime.block_on(async {
            let dir = Dir::new("lossless");
            let listener = UnixListener::bind(dir.socket()).unwrap();
            let mut waiting = VecDeque::new();
            for round in 0..COUNT {
                waiting.push_back(net::UnixStream::connect(dir.socket()).unwrap());
                if round.is_multiple_of(3) {
                    yield_now().await.unwrap();
                }
                if let Some((stream, _)) = give_up.on(listener.accept()).await {
                    meet(stream, waiting.pop_front()).await;
                }
            }
            let given_up = waiting.len();
            while !waiting.is_empty() {
                let (stream, _) = listener.accept().await.unwrap();
                meet(stream, waiting.pop_front()).await;
            }
            let more = polled_once(listener.accept()).await;
            assert!(more.is_none(), "{give_up:?}");
            given_up
        });
        check(give_up, given_up);
        settle(&mut runtime, fds);
    }
}

/// These are the two ends of one connection, which has no name to tell.
async fn meet(mut stream: UnixStream, client: Option<net::UnixStream>) {
    let mut client = client.unwrap();
    client.write_all(b"me").unwrap();
    drop(client);
    let mut text = Vec::new();
    stream.read_to_end(&mut text).await.unwrap();
    assert_eq!(text, b"me");
}

/// Sends numbered datagrams and gives up receives; what is not received then is so at the end.
macro_rules! no_datagram_is_lost {
    ($give_up:ident, $near:ident, |$round:ident| $send:expr) => {{
        let (mut next, mut given_up) = (0, 0);
        let mut buf = [UNTOUCHED; 200];
        for $round in 0..COUNT {
            // An empty one is one, too.
            $send;
            if $round % 3 == 0 {
                yield_now().await.unwrap();
            }
            let Some((count, _)) = $give_up.on($near.recv_from(&mut buf)).await else {
                given_up += 1;
                assert_eq!(buf, [UNTOUCHED; 200], "{:?}", $give_up);
                continue;
            };
            assert_eq!(buf[..count], numbered(next, next % 90), "{:?}", $give_up);
            buf = [UNTOUCHED; 200];
            next += 1;
        }
        for next in next..COUNT {
            let (count, _) = $near.recv_from(&mut buf).await.unwrap();
            assert_eq!(buf[..count], numbered(next, next % 90), "{:?}", $give_up);
        }
        let more = polled_once($near.recv(&mut buf)).await;
        assert!(more.is_none(), "{:?}", $give_up);
        given_up
    }};
}

#[test]
fn no_datagram_of_a_udp_socket_is_lost() {
    for give_up in ALL {
        let given_up = run(async {
            let near = UdpSocket::bind("127.0.0.1:0").await.unwrap();
            let far = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
            far.connect(near.local_addr().unwrap()).unwrap();
            no_datagram_is_lost!(give_up, near, |round| far
                .send(&numbered(round, round % 90))
                .unwrap())
        });
        check(give_up, given_up);
    }
}

#[test]
fn no_datagram_of_a_unix_socket_is_lost() {
    for give_up in ALL {
        let given_up = run(async {
            let (near, far) = net::UnixDatagram::pair().unwrap();
            let near = UnixDatagram::from_std(near).unwrap();
            let far = UnixDatagram::from_std(far).unwrap();
            // The kernel's queue is short: the sender's own takes them all.
            no_datagram_is_lost!(give_up, near, |round| far
                .send(&numbered(round, round % 90))
                .await
                .unwrap())
        });
        check(give_up, given_up);
    }
}

fn check(give_up: GiveUp, given_up: usize) {
    assert!(given_up > 0 || give_up.may_always_win(), "{give_up:?}");
}

const COUNT: usize = 100;
/// No byte of [`numbered`].
const UNTOUCHED: u8 = 0xff;
