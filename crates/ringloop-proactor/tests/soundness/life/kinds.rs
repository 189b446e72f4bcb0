//! The kinds of operations: what they bring, where they are stored, how they complete.

use ringloop_proactor::{Acceptor, Link, Receiver, Sender};

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
    Connection,
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
            Box::new(recv.with_timeout(std::time::Duration::from_secs(3600)))
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
