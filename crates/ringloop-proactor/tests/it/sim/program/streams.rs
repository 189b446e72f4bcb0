//! The resources as jobs: reading from a receiver, writing to a sender, accepting, closing.

use std::any::Any;
use std::future::Future;
use std::io;
use std::os::fd::OwnedFd;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use ringloop_proactor::{Acceptor, Fd, Receiver, Sender};

use super::flow::pattern;
use super::model::Model;
use super::task::{Fate, Job, Progress};
use super::told;

/// Reads what comes, to the end.
pub(super) struct Reading {
    receiver: Receiver,
    flow: Option<usize>,
    is_over: bool,
}

impl Reading {
    pub(super) fn new(fd: Fd, flow: Option<usize>) -> Self {
        Self {
            receiver: Receiver::new(fd),
            flow,
            is_over: false,
        }
    }

    fn came(&mut self, model: &mut Model, result: io::Result<Vec<u8>>) -> Progress {
        match result {
            Ok(bytes) if bytes.is_empty() => {
                self.is_over = true;
                model.with_flow(self.flow, |flow| {
                    flow.is_at_end();
                    flow.end_reading();
                });
                Progress::Done
            }
            Ok(bytes) => {
                model.with_flow(self.flow, |flow| flow.received(&bytes));
                Progress::More
            }
            Err(error) => {
                self.is_over = true;
                told::check(&error, model.is_down);
                model.failed(self.flow, &error);
                model.with_flow(self.flow, super::flow::Flow::lose_reader);
                Progress::Done
            }
        }
    }
}

impl Job for Reading {
    fn poll(&mut self, model: &mut Model, cx: &mut Context<'_>, how: u8) -> Progress {
        let result = if how & 1 == 0 {
            let len = if how == 0 {
                READ_MAX
            } else {
                usize::from(how) * 8
            };
            let mut bytes = vec![0; len];
            match self.receiver.poll_read(cx, &mut bytes) {
                Poll::Pending => return Progress::Pending,
                Poll::Ready(result) => result.map(|count| bytes[..count].to_vec()),
            }
        } else {
            match self.receiver.poll_chunk(cx) {
                Poll::Pending => return Progress::Pending,
                Poll::Ready(result) => result.map(|chunk| {
                    let bytes = chunk.to_vec();
                    model.hold(chunk);
                    bytes
                }),
            }
        };
        self.came(model, result)
    }

    fn name(&self) -> &'static str {
        "receiver"
    }

    fn slots(&self) -> usize {
        // One from the first receive on.
        0
    }

    fn give_up(&mut self, model: &mut Model, _fate: Fate) {
        if !self.is_over {
            model.with_flow(self.flow, super::flow::Flow::lose_reader);
        }
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}

/// Writes now and then, and flushes in between.
pub(super) struct Sending {
    sender: Sender,
    flow: Option<usize>,
    is_over: bool,
}

impl Sending {
    pub(super) fn new(fd: Fd, flow: Option<usize>) -> Self {
        Self {
            sender: Sender::new(fd),
            flow,
            is_over: false,
        }
    }

    fn failed(&mut self, model: &mut Model, error: &io::Error) -> Progress {
        self.is_over = true;
        told::check(error, model.is_down);
        model.with_flow(self.flow, |flow| flow.is_broken = true);
        model.failed(self.flow, error);
        Progress::Done
    }
}

impl Job for Sending {
    fn poll(&mut self, model: &mut Model, cx: &mut Context<'_>, how: u8) -> Progress {
        if how == 0 {
            return match self.sender.poll_flush(cx) {
                Poll::Pending => Progress::Pending,
                Poll::Ready(Ok(())) => {
                    assert_eq!(self.sender.queued_bytes(), 0, "a flush leaves something");
                    Progress::Rest
                }
                Poll::Ready(Err(error)) => self.failed(model, &error),
            };
        }
        let len = if how == 127 && model.may_flood {
            FLOOD
        } else {
            usize::from(how) * 9
        };
        let bytes = pattern(model.serial(), len);
        match self.sender.poll_write(cx, &bytes) {
            Poll::Pending => Progress::Pending,
            Poll::Ready(Ok(count)) => {
                model.with_flow(self.flow, |flow| flow.queued(&bytes[..count]));
                Progress::Rest
            }
            Poll::Ready(Err(error)) => self.failed(model, &error),
        }
    }

    /// There is room long before who waits for it is woken.
    fn wakes_first(&self) -> bool {
        false
    }

    fn name(&self) -> &'static str {
        "sender"
    }

    fn slots(&self) -> usize {
        // One from the first send on.
        usize::from(self.sender.queued_bytes() > 0)
    }

    fn give_up(&mut self, model: &mut Model, _fate: Fate) {
        // It goes on sending; nobody else may.
        model.with_flow(self.flow, super::flow::Flow::lose_writer);
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}

/// One of those who wait for a connection.
pub(super) struct Accepting {
    next: Pin<Box<dyn Future<Output = io::Result<OwnedFd>>>>,
}

impl Accepting {
    pub(super) fn new(acceptor: Rc<Acceptor>) -> Self {
        Self {
            next: Box::pin(async move { acceptor.accept().await }),
        }
    }
}

impl Job for Accepting {
    fn poll(&mut self, model: &mut Model, cx: &mut Context<'_>, _how: u8) -> Progress {
        match self.next.as_mut().poll(cx) {
            Poll::Pending => return Progress::Pending,
            Poll::Ready(Ok(socket)) => model.add_socket(socket),
            Poll::Ready(Err(error)) => told::check(&error, model.is_down),
        }
        Progress::Done
    }

    fn name(&self) -> &'static str {
        "acceptor"
    }

    fn slots(&self) -> usize {
        0
    }

    fn give_up(&mut self, _model: &mut Model, _fate: Fate) {}

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}

/// Waits until a descriptor is closed.
pub(super) struct Closing(pub(super) ringloop_proactor::Close);

impl Job for Closing {
    fn poll(&mut self, _model: &mut Model, cx: &mut Context<'_>, _how: u8) -> Progress {
        match Pin::new(&mut self.0).poll(cx) {
            Poll::Pending => Progress::Pending,
            Poll::Ready(result) => {
                assert!(result.is_ok(), "a close failed: {result:?}");
                Progress::Done
            }
        }
    }

    fn ends_with_proactor(&self) -> bool {
        false
    }

    fn name(&self) -> &'static str {
        "close"
    }

    fn slots(&self) -> usize {
        0
    }

    fn give_up(&mut self, _model: &mut Model, _fate: Fate) {}

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}

/// More than a sender takes without waiting.
const FLOOD: usize = 150_000;
const READ_MAX: usize = 4096;
