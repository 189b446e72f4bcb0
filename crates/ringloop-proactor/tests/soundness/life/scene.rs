//! What is around an operation: a proactor, sockets, buffers, and somebody at the other end.

use std::io::{self, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use ringloop_core::Driver;
use ringloop_proactor::{
    BufGroup, BufGroupConfig, Fd, FixedPool, Handle, Link, Op, Operation, Proactor,
};
use ringloop_proactor::{Multishot, OpStream, Then};

use super::kinds::{Kind, Trigger, descriptors};
use super::stage::{Ring, file, is_real, leftovers, listen, pair};
use crate::rig::{Count, end, settle, turn};

/// The surroundings of one operation.
pub(super) struct Scene {
    proactor: Option<Proactor>,
    pub(super) handle: Handle,
    pub(super) near: Fd,
    pub(super) far: Fd,
    pub(super) listener: Fd,
    pub(super) file: Fd,
    pub(super) word: Arc<AtomicU32>,
    address: SocketAddr,
    client: Fd,
    pub(super) group: BufGroup,
    pub(super) fixed: Option<FixedPool>,
    /// Operations of the other end.
    others: Vec<Box<dyn Life>>,
    clients: Vec<TcpStream>,
}

impl Scene {
    pub(super) fn new(ring: Ring) -> Self {
        let mut proactor = ring.proactor();
        let handle = proactor.handle();
        let (near, far) = pair(&proactor);
        let (listener, address) = listen(&proactor);
        let client = handle.socket(libc::AF_INET, libc::SOCK_STREAM, 0);
        let client = proactor.block_on(client).unwrap().unwrap();
        let config = BufGroupConfig::default().count(4).len_bytes(512);
        Self {
            file: file(&mut proactor),
            word: Arc::default(),
            near,
            far,
            listener,
            address,
            client: handle.adopt(client),
            group: handle.provide(&config).unwrap(),
            fixed: handle.register_buffers(2, 64).ok(),
            others: Vec::new(),
            clients: Vec::new(),
            proactor: Some(proactor),
            handle,
        }
    }

    pub(super) fn take_proactor(&mut self) -> Proactor {
        self.proactor.take().unwrap()
    }

    pub(super) fn drop_proactor(&mut self) {
        let mut proactor = self.take_proactor();
        assert_eq!(proactor.shut_down(), 0);
        assert_eq!(proactor.stats().stale_completions, 0);
    }

    pub(super) fn turn(&mut self) {
        turn(self.proactor.as_mut().unwrap());
    }

    /// Takes turns until something is so.
    #[track_caller]
    pub(super) fn turn_until(&mut self, mut is_so: impl FnMut() -> bool) {
        for _ in 0..1000 {
            if is_so() {
                return;
            }
            let proactor = self.proactor.as_mut().unwrap();
            proactor.park(Some(Duration::from_millis(100))).unwrap();
        }
        panic!("it does not come: {:?}", self.handle.operations());
    }

    /// Stages what the operation waits for.
    pub(super) fn complete(&mut self, kind: &Kind) {
        let handle = &self.handle;
        let mut other: Box<dyn Life> = match kind.trigger {
            Trigger::Bytes => Box::new(handle.send(&self.far, &[7_u8; 32][..])),
            Trigger::Connection => Box::new(handle.connect(&self.client, self.address)),
            Trigger::Descriptors => Box::new(descriptors(handle, &self.far, &self.file)),
            Trigger::Wake => match handle.futex_wake(&self.word, 1) {
                Ok(wake) => Box::new(wake),
                Err(_unsupported) => return,
            },
            Trigger::Release => {
                self.near = self.far.clone();
                return;
            }
            Trigger::Nothing => return,
        };
        if other.poll(Waker::noop()).is_pending() {
            self.others.push(other);
        }
    }

    /// Takes turns until something is so. What is sent may be sent in part, so there is more.
    #[track_caller]
    pub(super) fn complete_for_sure(&mut self, kind: &Kind, mut is_so: impl FnMut() -> bool) {
        let mut turns = 0;
        while let Trigger::Bytes | Trigger::Descriptors = kind.trigger
            && turns < 20
            && !is_so()
        {
            self.turn();
            turns += 1;
            if turns % 5 == 0 {
                self.complete(kind);
            }
        }
        self.turn_until(is_so);
    }

    /// Has what the operation waits for happen now, so that the kernel knows of it before the
    /// proactor does.
    pub(super) fn complete_outside(&mut self, kind: &Kind) {
        if !is_real(self.proactor.as_ref().unwrap()) {
            return self.complete(kind);
        }
        match kind.trigger {
            Trigger::Descriptors | Trigger::Wake | Trigger::Release => self.complete(kind),
            Trigger::Bytes => {
                let far = self.far.plain().unwrap().try_clone_to_owned().unwrap();
                UnixStream::from(far).write_all(&[7; 32]).unwrap();
            }
            Trigger::Connection => {
                self.clients.push(TcpStream::connect(self.address).unwrap());
            }
            Trigger::Nothing => {}
        }
    }

    /// Drops everything and looks that nothing is left.
    #[track_caller]
    pub(super) fn end(mut self) {
        let mut proactor = self.take_proactor();
        let leftovers = leftovers(&proactor);
        settle(&mut proactor);
        self.others.clear();
        settle(&mut proactor);
        let stats = self.group.stats();
        assert_eq!((stats.provided, stats.lent), (4, 0), "a buffer is missing");
        drop(self);
        end(proactor);
        leftovers();
    }
}

/// An operation of whatever type.
pub(super) trait Life {
    fn poll(&mut self, waker: &Waker) -> Poll<()>;
    fn request_cancel(&mut self);
}

impl<O: Operation> Life for Op<O> {
    fn poll(&mut self, waker: &Waker) -> Poll<()> {
        Future::poll(Pin::new(self), &mut Context::from_waker(waker)).map(drop)
    }

    fn request_cancel(&mut self) {
        Self::request_cancel(self);
    }
}

impl<A: Link + Unpin, B: Link + Unpin> Life for Then<A, B> {
    fn poll(&mut self, waker: &Waker) -> Poll<()> {
        Future::poll(Pin::new(self), &mut Context::from_waker(waker)).map(drop)
    }

    fn request_cancel(&mut self) {
        Self::request_cancel(self);
    }
}

impl<M: Multishot> Life for OpStream<M> {
    fn poll(&mut self, waker: &Waker) -> Poll<()> {
        self.poll_next(&mut Context::from_waker(waker)).map(drop)
    }

    fn request_cancel(&mut self) {
        Self::request_cancel(self);
    }
}

/// The future of a resource, which has no cancel: it is dropped.
pub(super) struct Resource(Pin<Box<dyn Future<Output = io::Result<()>>>>);

impl Resource {
    pub(super) fn boxed(future: impl Future<Output = io::Result<()>> + 'static) -> Box<dyn Life> {
        Box::new(Self(Box::pin(future)))
    }
}

impl Life for Resource {
    fn poll(&mut self, waker: &Waker) -> Poll<()> {
        let poll = self.0.as_mut().poll(&mut Context::from_waker(waker));
        poll.map(drop)
    }

    fn request_cancel(&mut self) {}
}

/// The operation that the test is about, with a waker of its own.
pub(super) struct Subject<'a> {
    life: Box<dyn Life>,
    kind: &'a Kind,
    count: Arc<Count>,
    is_over: bool,
}

impl<'a> Subject<'a> {
    pub(super) fn new(scene: &mut Scene, kind: &'a Kind) -> Self {
        Self {
            life: (kind.make)(scene),
            kind,
            count: Arc::default(),
            is_over: false,
        }
    }

    pub(super) fn kind(&self) -> &'a Kind {
        self.kind
    }

    pub(super) fn poll(&mut self) -> Poll<()> {
        let poll = self.life.poll(&Waker::from(Arc::clone(&self.count)));
        self.is_over |= poll.is_ready();
        poll
    }

    /// Checks that it ends now that the proactor has gone.
    #[track_caller]
    pub(super) fn assert_over(&mut self, scene: &mut Scene) {
        if let Trigger::Release = self.kind.trigger {
            scene.complete(self.kind);
        }
        assert!(self.is_over(), "it would wait for ever");
    }

    /// Polls it, and tells whether it has ended, now or before.
    fn is_over(&mut self) -> bool {
        self.is_over || self.poll().is_ready()
    }

    pub(super) fn is_woken(&self) -> bool {
        self.count.get() >= self.kind.wakes
    }

    pub(super) fn request_cancel(&mut self) {
        self.life.request_cancel();
    }

    /// Goes on to the end.
    #[track_caller]
    pub(super) fn finish(&mut self, scene: &mut Scene) {
        if self.kind.has_cancel {
            scene.turn_until(|| self.is_over());
        }
    }
}
