use super::{Bench, address, on_both, with};
use crate::ring::Sqe;
use crate::ring::sim::address::Address;
use crate::ring::sim::opcode::{
    ACCEPT, BIND, CONNECT, LISTEN, NOP, READ, RECV, RECVMSG, SEND, SEND_ZC, SENDMSG, SHUTDOWN,
    SOCKET, WRITE,
};

fn socket(domain: i32) -> Sqe {
    Sqe {
        offset: u64::from((libc::SOCK_STREAM | libc::SOCK_CLOEXEC).cast_unsigned()),
        ..Sqe::new(SOCKET, domain)
    }
}

fn named(opcode: u8, fd: i32, name: &mut Vec<u8>) -> Sqe {
    Sqe {
        address: address(name.as_mut_slice()),
        offset: name.len() as u64,
        ..Sqe::new(opcode, fd)
    }
}

fn send(fd: i32, bytes: &mut [u8]) -> Sqe {
    Sqe {
        op_flags: libc::MSG_NOSIGNAL.cast_unsigned(),
        ..with(SEND, fd, bytes)
    }
}

/// An abstract name of a unix socket: there are as many as one likes.
fn name(bench: &Bench, what: &str) -> Vec<u8> {
    let text = format!("\0ringloop-{}-{what}-{}", std::process::id(), bench.name);
    Address::Unix(text.into_bytes()).to_bytes()
}

#[test]
fn a_connection_is_made_used_and_ended() {
    on_both(|bench| {
        let mut at = name(bench, "life");
        let listener = bench.open(socket(libc::AF_UNIX));
        assert_eq!(bench.result(named(BIND, listener, &mut at)), 0);
        let backlog = Sqe {
            len: 4,
            ..Sqe::new(LISTEN, listener)
        };
        assert_eq!(bench.result(backlog), 0);
        let near = bench.open(socket(libc::AF_UNIX));
        assert_eq!(bench.result(named(CONNECT, near, &mut at)), 0);
        assert_eq!(bench.result(named(CONNECT, near, &mut at)), -libc::EISCONN);
        let far = bench.open(Sqe::new(ACCEPT, listener));
        let mut there = *b"there";
        assert_eq!(bench.result(send(near, &mut there)), 5);
        let mut buffer = [0; 16];
        assert_eq!(bench.result(with(RECV, far, &mut buffer)), 5);
        assert_eq!(&buffer[..5], b"there");
        let write_side = Sqe {
            len: libc::SHUT_WR.cast_unsigned(),
            ..Sqe::new(SHUTDOWN, near)
        };
        assert_eq!(bench.result(write_side), 0);
        assert_eq!(bench.result(send(near, &mut there)), -libc::EPIPE);
        assert_eq!(bench.result(with(RECV, far, &mut buffer)), 0);
        assert_eq!(bench.result(send(far, &mut there)), 5);
        assert_eq!(bench.result(with(READ, near, &mut buffer)), 5);
        bench.close(&[far, near, listener]);
    });
}

#[test]
fn what_is_no_such_socket_says_so() {
    on_both(|bench| {
        let mut buffer = [0; 8];
        let fresh = bench.open(socket(libc::AF_INET));
        assert_eq!(
            bench.result(with(RECV, fresh, &mut buffer)),
            -libc::ENOTCONN
        );
        assert_eq!(bench.result(Sqe::new(ACCEPT, fresh)), -libc::EINVAL);
        assert_eq!(bench.result(Sqe::new(SHUTDOWN, fresh)), -libc::ENOTCONN);
        assert_eq!(bench.result(with(RECV, 99_999, &mut buffer)), -libc::EBADF);
        assert_eq!(bench.result(Sqe::new(250, -1)), -libc::EINVAL);
        let fixed = Sqe {
            flags: 1,
            ..with(RECV, 0, &mut buffer)
        };
        assert_eq!(bench.result(fixed), -libc::EBADF);
        let nobody = "127.0.0.1:1".parse().unwrap();
        let mut nobody = Address::Inet(nobody).to_bytes();
        assert_eq!(
            bench.result(named(CONNECT, fresh, &mut nobody)),
            -libc::ECONNREFUSED
        );
        let mut unix = name(bench, "nobody");
        let other = bench.open(socket(libc::AF_UNIX));
        assert_eq!(
            bench.result(named(CONNECT, other, &mut unix)),
            -libc::ECONNREFUSED
        );
        bench.close(&[fresh, other]);
    });
}

#[test]
fn an_address_is_in_use_once() {
    on_both(|bench| {
        let mut at = name(bench, "once");
        let sockets = [(); 2].map(|()| bench.open(socket(libc::AF_UNIX)));
        assert_eq!(bench.result(named(BIND, sockets[0], &mut at)), 0);
        assert_eq!(
            bench.result(named(BIND, sockets[1], &mut at)),
            -libc::EADDRINUSE
        );
        bench.close(&sockets[..1]);
        assert_eq!(bench.result(named(BIND, sockets[1], &mut at)), 0);
        bench.close(&sockets[1..]);
    });
}

#[test]
fn a_closed_listener_refuses_and_a_shut_one_ends_its_accept() {
    on_both(|bench| {
        let mut at = name(bench, "shut");
        let listener = bench.open(socket(libc::AF_UNIX));
        assert_eq!(bench.result(named(BIND, listener, &mut at)), 0);
        assert_eq!(bench.result(Sqe::new(LISTEN, listener)), 0);
        let [accept] = bench.push([Sqe::new(ACCEPT, listener)]);
        bench.turn();
        let both = Sqe {
            len: libc::SHUT_RDWR.cast_unsigned(),
            ..Sqe::new(SHUTDOWN, listener)
        };
        assert_eq!(bench.result(both), 0);
        assert_eq!(bench.next(accept).res, -libc::EINVAL);
        bench.close(&[listener]);
        let near = bench.open(socket(libc::AF_UNIX));
        assert_eq!(
            bench.result(named(CONNECT, near, &mut at)),
            -libc::ECONNREFUSED
        );
        bench.close(&[near]);
    });
}

#[test]
fn accept_may_go_on_and_on() {
    on_both(|bench| {
        let mut at = name(bench, "multishot");
        let listener = bench.open(socket(libc::AF_UNIX));
        assert_eq!(bench.result(named(BIND, listener, &mut at)), 0);
        let backlog = Sqe {
            len: 8,
            ..Sqe::new(LISTEN, listener)
        };
        assert_eq!(bench.result(backlog), 0);
        let [accept] = bench.push([Sqe {
            ioprio: 1,
            ..Sqe::new(ACCEPT, listener)
        }]);
        for _ in 0..3 {
            let near = bench.open(socket(libc::AF_UNIX));
            assert_eq!(bench.result(named(CONNECT, near, &mut at)), 0);
            let cqe = bench.next(accept);
            assert!(cqe.res >= 0 && !cqe.is_last(), "{}: {cqe:?}", bench.name);
            bench.close(&[near, cqe.res]);
        }
        let cancel = Sqe {
            address: accept,
            ..Sqe::new(crate::ring::sim::opcode::ASYNC_CANCEL, -1)
        };
        assert_eq!(bench.result(cancel), 0);
        let cqe = bench.next(accept);
        assert!(cqe.is_last() && cqe.res == -libc::ECANCELED);
        bench.close(&[listener]);
    });
}

#[test]
fn a_receive_waits_and_may_wait_for_all() {
    on_both(|bench| {
        let (near, far) = bench.pair();
        let mut buffer = [0; 6];
        let [recv] = bench.push([Sqe {
            op_flags: libc::MSG_WAITALL.cast_unsigned(),
            ..with(RECV, far, &mut buffer)
        }]);
        for part in [b"one", b"two"] {
            bench.turn();
            assert!(!bench.has(recv), "{}", bench.name);
            assert_eq!(bench.result(send(near, &mut part.clone())), 3);
        }
        assert_eq!(bench.next(recv).res, 6);
        assert_eq!(&buffer, b"onetwo");
        let at_once = Sqe {
            op_flags: libc::MSG_DONTWAIT.cast_unsigned(),
            ..with(RECV, far, &mut buffer)
        };
        assert_eq!(bench.result(at_once), -libc::EAGAIN);
        bench.close(&[near, far]);
    });
}

#[test]
fn peeked_bytes_stay() {
    on_both(|bench| {
        let (near, far) = bench.pair();
        let mut buffer = [0; 6];
        assert_eq!(bench.result(send(near, &mut { *b"abc" })), 3);
        let peek = Sqe {
            op_flags: libc::MSG_PEEK.cast_unsigned(),
            ..with(RECV, far, &mut buffer)
        };
        assert_eq!(bench.result(peek), 3);
        assert_eq!(bench.result(with(RECV, far, &mut buffer)), 3);
        bench.close(&[near, far]);
    });
}

#[test]
fn a_close_with_unread_bytes_is_a_reset() {
    on_both(|bench| {
        let (near, far) = bench.pair();
        assert_eq!(bench.result(send(near, &mut [1, 2, 3])), 3);
        bench.close(&[far]);
        let mut buffer = [0; 6];
        assert_eq!(
            bench.result(with(RECV, near, &mut buffer)),
            -libc::ECONNRESET
        );
        assert_eq!(bench.result(with(RECV, near, &mut buffer)), 0);
        assert_eq!(bench.result(send(near, &mut [1])), -libc::EPIPE);
        bench.close(&[near]);
    });
}

#[test]
fn a_peer_that_has_gone_is_noticed_by_the_second_send() {
    on_both(|bench| {
        let (near, far) = bench.pair();
        bench.close(&[far]);
        assert_eq!(bench.result(send(near, &mut [1])), 1);
        assert_eq!(bench.result(send(near, &mut [1])), -libc::EPIPE);
        bench.close(&[near]);
    });
}

#[test]
fn a_request_keeps_the_file_that_was_closed() {
    on_both(|bench| {
        let (near, far) = bench.pair();
        let mut buffer = [0; 6];
        let [recv] = bench.push([with(RECV, far, &mut buffer)]);
        bench.turn();
        bench.close(&[far]);
        assert_eq!(bench.result(with(RECV, far, &mut [0; 1])), -libc::EBADF);
        assert_eq!(bench.result(send(near, &mut [1, 2])), 2);
        assert_eq!(bench.next(recv).res, 2);
        assert_eq!(bench.result(with(RECV, near, &mut buffer)), 0);
        bench.close(&[near]);
    });
}

#[test]
fn a_large_send_is_short_unless_it_waits_for_all() {
    on_both(|bench| {
        let (near, far) = bench.pair();
        let mut bytes = vec![7_u8; 16 << 20];
        let sent = bench.result(send(near, &mut bytes));
        assert!(sent > 0 && sent < 16 << 20, "{}: {sent}", bench.name);
        let [rest] = bench.push([Sqe {
            op_flags: (libc::MSG_NOSIGNAL | libc::MSG_WAITALL).cast_unsigned(),
            ..with(SEND, near, bytes.as_mut_slice())
        }]);
        bench.turn();
        let mut buffer = vec![0_u8; 1 << 20];
        let mut left = i64::from(sent) + (16 << 20);
        while left > 0 {
            assert!(!bench.has(rest) || left < 16 << 20);
            left -= i64::from(bench.result(with(RECV, far, buffer.as_mut_slice())));
        }
        assert_eq!(bench.next(rest).res, 16 << 20);
        bench.close(&[near, far]);
    });
}

#[test]
fn messages_have_many_parts() {
    on_both(|bench| {
        let (near, far) = bench.pair();
        let (mut one, mut two) = (*b"one", *b"twotwo");
        let mut out = [[address(&mut one), 3], [address(&mut two), 6]];
        let mut header = [0, 0, address(&mut out), 2, 0, 0, 0_u64];
        let message = |opcode, fd, header: &mut [u64; 7]| Sqe {
            address: address(header),
            len: 1,
            ..Sqe::new(opcode, fd)
        };
        assert_eq!(bench.result(message(SENDMSG, near, &mut header)), 9);
        let (mut front, mut back) = ([0; 4], [0; 8]);
        let mut into = [[address(&mut front), 4], [address(&mut back), 8]];
        let mut header = [0, 0, address(&mut into), 2, 0, 0, u64::MAX];
        assert_eq!(bench.result(message(RECVMSG, far, &mut header)), 9);
        assert_eq!((&front, &back[..5]), (b"onet", &b"wotwo"[..]));
        // The flags are the kernel's to write.
        assert_eq!(header[6] & 0xffff, 0, "{}", bench.name);
        bench.close(&[near, far]);
    });
}

#[test]
fn a_zero_copy_send_answers_twice() {
    on_both(|bench| {
        let (near, far) = bench.pair();
        let mut bytes = *b"lent";
        let [sent] = bench.push([with(SEND_ZC, near, &mut bytes)]);
        let first = bench.next(sent);
        assert!(
            first.res == 4 && !first.is_last(),
            "{}: {first:?}",
            bench.name
        );
        let mut buffer = [0; 8];
        assert_eq!(bench.result(with(RECV, far, &mut buffer)), 4);
        let second = bench.next(sent);
        assert!(
            second.is_last() && second.flags & 8 != 0,
            "{}: {second:?}",
            bench.name
        );
        bench.close(&[near, far]);
    });
}

#[test]
fn nothing_is_read_and_written_at_once() {
    on_both(|bench| {
        let (near, far) = bench.pair();
        let mut nothing: [u8; 0] = [];
        assert_eq!(bench.result(with(READ, far, &mut nothing)), 0);
        assert_eq!(bench.result(send(near, &mut nothing)), 0);
        assert_eq!(bench.result(with(WRITE, near, &mut nothing)), 0);
        assert_eq!(bench.result(Sqe::new(NOP, -1)), 0);
        bench.close(&[near, far]);
    });
}
