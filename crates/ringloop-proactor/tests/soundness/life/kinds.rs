//! The kinds of operations: what they bring, where they are stored, how they complete.

use std::sync::Arc;
use std::time::Duration;

use ringloop_proactor::ops::{MemoryAdvice, OpenHow};
use ringloop_proactor::{Acceptor, Ancillary, Fd, Handle, Link, Op, Receiver, Sender, ops};

use super::scene::{Life, Resource, Scene};

/// A kind of operation.
pub(super) struct Kind {
    pub(super) name: &'static str,
    pub(super) make: fn(&mut Scene) -> Box<dyn Life>,
    /// What completes it.
    pub(super) trigger: Trigger,
    /// How often it wakes until it has completed.
    pub(super) wakes: usize,
    pub(super) has_cancel: bool,
}

/// What an operation waits for.
#[derive(Clone, Copy)]
pub(super) enum Trigger {
    Bytes,
    /// Bytes, and descriptors with them.
    Descriptors,
    Connection,
    /// That somebody wakes those who wait for a word in memory.
    Wake,
    /// That the surroundings let go of the socket.
    Release,
    /// It completes by itself.
    Nothing,
}

const RECV: Kind = Kind {
    name: "recv",
    make: |scene| Box::new(scene.handle.recv(&scene.near, vec![0; 32])),
    trigger: Trigger::Bytes,
    wakes: 1,
    has_cancel: true,
};

const ACCEPT: Kind = Kind {
    name: "accept",
    make: |scene| Box::new(scene.handle.accept(&scene.listener)),
    trigger: Trigger::Connection,
    ..RECV
};

const DESCRIPTORS: Kind = Kind {
    trigger: Trigger::Descriptors,
    ..RECV
};

const BY_ITSELF: Kind = Kind {
    trigger: Trigger::Nothing,
    ..RECV
};

/// A message with four descriptors.
pub(super) fn descriptors(handle: &Handle, to: &Fd, fd: &Fd) -> Op<ops::SendMsg<[Vec<u8>; 1]>> {
    let mut ancillary = Ancillary::new();
    // Those of a simulation cannot be sent.
    drop(ancillary.push_descriptors(&[(); 4].map(|()| fd.clone())));
    let send = handle.send_msg(to, [vec![7; 32]], None, ancillary, 0);
    send.unwrap()
}

/// An operation that the ring has, or else one that every ring has.
fn or_nop<L: Life + 'static>(scene: &Scene, operation: std::io::Result<L>) -> Box<dyn Life> {
    match operation {
        Ok(operation) => Box::new(operation),
        Err(_unsupported) => Box::new(scene.handle.nop()),
    }
}

pub(super) const KINDS: &[Kind] = &[
    RECV,
    ACCEPT,
    Kind {
        name: "recv into the slot",
        make: |scene| Box::new(scene.handle.recv(&scene.near, [0; 16])),
        ..RECV
    },
    Kind {
        name: "recv into the box of a large operation",
        make: |scene| Box::new(scene.handle.recv(&scene.near, [0; 300])),
        ..RECV
    },
    Kind {
        name: "recv into pages",
        make: |scene| Box::new(scene.handle.recv(&scene.near, vec![0; 20_000])),
        ..RECV
    },
    Kind {
        name: "recv into a provided buffer",
        make: |scene| Box::new(scene.handle.recv_provided(&scene.near, &scene.group)),
        ..RECV
    },
    Kind {
        name: "read into a registered buffer",
        make: |scene| {
            let buffer = scene.fixed.as_ref().and_then(|pool| pool.check_out());
            match buffer {
                Some(buffer) => Box::new(scene.handle.read_fixed(&scene.near, buffer, u64::MAX)),
                None => Box::new(scene.handle.recv(&scene.near, vec![0; 32])),
            }
        },
        ..RECV
    },
    Kind {
        name: "read into a set",
        make: |scene| {
            let set = vec![vec![0; 4]; 8];
            Box::new(
                scene
                    .handle
                    .read_vectored(&scene.near, set, u64::MAX)
                    .unwrap(),
            )
        },
        ..RECV
    },
    Kind {
        name: "read a file",
        make: |scene| Box::new(scene.handle.read(&scene.file, vec![0; 9000], 0)),
        trigger: Trigger::Nothing,
        ..RECV
    },
    Kind {
        name: "poll",
        make: |scene| Box::new(scene.handle.poll(&scene.near, 1)),
        ..RECV
    },
    Kind {
        name: "nop",
        make: |scene| Box::new(scene.handle.nop()),
        trigger: Trigger::Nothing,
        ..RECV
    },
    Kind {
        name: "accept direct",
        make: |scene| Box::new(scene.handle.accept_direct(&scene.listener).unwrap()),
        ..ACCEPT
    },
    Kind {
        name: "chain",
        make: |scene| {
            let recv = || scene.handle.recv(&scene.near, vec![0; 16]);
            Box::new(recv().then(recv()))
        },
        wakes: 2,
        ..RECV
    },
    Kind {
        name: "chain with a timeout",
        make: |scene| {
            let recv = scene.handle.recv(&scene.near, vec![0; 32]);
            Box::new(recv.with_timeout(Duration::from_secs(3600)))
        },
        wakes: 2,
        ..RECV
    },
    Kind {
        name: "accept stream",
        make: |scene| Box::new(scene.handle.accept_multishot(&scene.listener)),
        ..ACCEPT
    },
    Kind {
        name: "recv stream",
        make: |scene| Box::new(scene.handle.recv_multishot(&scene.near, &scene.group)),
        ..RECV
    },
    Kind {
        name: "poll stream",
        make: |scene| Box::new(scene.handle.poll_multishot(&scene.near, 1)),
        ..RECV
    },
    Kind {
        name: "recv bundle",
        make: |scene| Box::new(scene.handle.recv_bundle(&scene.near, &scene.group)),
        ..RECV
    },
    Kind {
        name: "read a file into a provided buffer",
        make: |scene| Box::new(scene.handle.read_provided(&scene.file, &scene.group, 0)),
        trigger: Trigger::Nothing,
        ..RECV
    },
    Kind {
        name: "accept with the address",
        make: |scene| Box::new(scene.handle.accept_from(&scene.listener)),
        ..ACCEPT
    },
    Kind {
        name: "direct accept stream",
        make: |scene| {
            let accepts = scene.handle.accept_multishot_direct(&scene.listener);
            Box::new(accepts.unwrap())
        },
        ..ACCEPT
    },
    Kind {
        name: "recvmsg",
        make: |scene| {
            let ancillary = Ancillary::with_room(Ancillary::room_for_descriptors(4));
            let recv = scene
                .handle
                .recv_msg(&scene.near, vec![vec![0; 8]; 6], ancillary, 0);
            Box::new(recv.unwrap())
        },
        ..DESCRIPTORS
    },
    Kind {
        name: "recvmsg without room for all descriptors",
        make: |scene| {
            let ancillary = Ancillary::with_room(Ancillary::room_for_descriptors(2));
            let recv = scene.handle.recv_msg(&scene.near, [[0; 40]], ancillary, 0);
            Box::new(recv.unwrap())
        },
        ..DESCRIPTORS
    },
    Kind {
        name: "recvmsg stream",
        make: |scene| {
            let room = Ancillary::room_for_descriptors(4);
            let stream = scene
                .handle
                .recv_msg_multishot(&scene.near, &scene.group, room);
            Box::new(stream.unwrap())
        },
        ..DESCRIPTORS
    },
    Kind {
        name: "sendmsg with descriptors",
        make: |scene| {
            let send = descriptors(&scene.handle, &scene.near, &scene.file);
            Box::new(send)
        },
        ..BY_ITSELF
    },
    Kind {
        name: "timeout",
        make: |scene| Box::new(scene.handle.timeout(Duration::from_millis(1))),
        ..BY_ITSELF
    },
    Kind {
        name: "timeout stream",
        make: |scene| {
            or_nop(
                scene,
                scene.handle.timeout_multishot(Duration::from_millis(1)),
            )
        },
        ..BY_ITSELF
    },
    Kind {
        name: "futex",
        make: |scene| or_nop(scene, scene.handle.futex_wait(&scene.word, 0)),
        trigger: Trigger::Wake,
        ..RECV
    },
    Kind {
        name: "futexes",
        make: |scene| {
            let words = vec![(Arc::default(), 0), (Arc::clone(&scene.word), 0)];
            or_nop(scene, scene.handle.futex_waitv(words))
        },
        trigger: Trigger::Wake,
        ..RECV
    },
    Kind {
        name: "open",
        make: |scene| Box::new(scene.handle.open("/dev/null", 0, 0).unwrap()),
        ..BY_ITSELF
    },
    Kind {
        name: "openat2",
        make: |scene| {
            let how = OpenHow::new(libc::O_RDONLY);
            or_nop(scene, scene.handle.openat2(None, "/dev/null", how))
        },
        ..BY_ITSELF
    },
    Kind {
        name: "direct open",
        make: |scene| or_nop(scene, scene.handle.openat_direct(None, "/dev/null", 0, 0)),
        ..BY_ITSELF
    },
    Kind {
        name: "socket",
        make: |scene| {
            let handle = &scene.handle;
            Box::new(handle.socket(libc::AF_INET, libc::SOCK_STREAM, 0))
        },
        ..BY_ITSELF
    },
    Kind {
        name: "pipe",
        make: |scene| or_nop(scene, scene.handle.pipe(0)),
        ..BY_ITSELF
    },
    Kind {
        name: "direct pipe",
        make: |scene| or_nop(scene, scene.handle.pipe_direct(0)),
        ..BY_ITSELF
    },
    Kind {
        name: "register",
        make: |scene| Box::new(scene.handle.register(&scene.far).unwrap()),
        ..BY_ITSELF
    },
    Kind {
        name: "statx",
        make: |scene| or_nop(scene, scene.handle.statx_fd(&scene.file, u32::MAX >> 1)),
        ..BY_ITSELF
    },
    Kind {
        name: "getxattr",
        make: |scene| {
            let buffer = vec![0; 100];
            or_nop(
                scene,
                scene.handle.fgetxattr(&scene.file, "user.none", buffer),
            )
        },
        ..BY_ITSELF
    },
    Kind {
        name: "madvise",
        make: |scene| {
            let buffer = vec![0; 30_000];
            Box::new(scene.handle.madvise(buffer, MemoryAdvice::PopulateWrite))
        },
        ..BY_ITSELF
    },
    Kind {
        name: "close",
        make: |scene| Resource::boxed(scene.near.clone().close()),
        has_cancel: false,
        // It waits for the others who use the descriptor.
        trigger: Trigger::Release,
        ..RECV
    },
    Kind {
        name: "acceptor",
        make: |scene| {
            let acceptor = Acceptor::new(scene.listener.clone());
            Resource::boxed(async move { acceptor.accept().await.map(drop) })
        },
        has_cancel: false,
        ..ACCEPT
    },
    Kind {
        name: "receiver",
        make: |scene| {
            let mut receiver = Receiver::new(scene.near.clone());
            Resource::boxed(async move { receiver.read_chunk().await.map(drop) })
        },
        has_cancel: false,
        ..RECV
    },
    Kind {
        name: "sender",
        make: |scene| {
            let mut sender = Sender::new(scene.near.clone());
            Resource::boxed(async move {
                sender.write_all(&[3; 100]).await?;
                sender.flush().await
            })
        },
        has_cancel: false,
        trigger: Trigger::Nothing,
        ..RECV
    },
];
