//! Streams and provided buffers: how the steps start them.

use std::io;

use ringloop_proactor::{Chunk, Multishot};

use super::flow::Flow;
use super::model::{Kind, Model};
use super::op::{End, OneShot};
use super::script::Step;
use super::shots::{Shot, Shots};
use super::start::boxed;
use super::streams::{Reading, Sending};
use super::task::Job;

impl Model {
    pub(super) fn many(&mut self, verb: u8, step: Step) -> Option<Box<dyn Job>> {
        match verb {
            36 | 37 => self.read_stream(step),
            38 | 39 => self.write_stream(step),
            40 => self.recv_many(step),
            41 => self.read_many(step),
            42 => self.recv_provided(step),
            _ => self.recv_bundle(step),
        }
    }

    fn read_stream(&mut self, step: Step) -> Option<Box<dyn Job>> {
        let side = self.reader(step, |kind| kind == Kind::Socket)?;
        let fd = self.ends[side.at].fd.clone();
        Some(boxed(Reading::new(fd, side.flow)))
    }

    fn write_stream(&mut self, step: Step) -> Option<Box<dyn Job>> {
        let side = self.writer(step, |kind| kind == Kind::Socket)?;
        let fd = self.ends[side.at].fd.clone();
        Some(boxed(Sending::new(fd, side.flow)))
    }

    fn recv_many(&mut self, step: Step) -> Option<Box<dyn Job>> {
        let side = self.reader(step, |kind| kind == Kind::Socket)?;
        let fd = &self.ends[side.at].fd;
        let stream = self.handle.recv_multishot(fd, &self.group).limit(2);
        Some(boxed(Shots::new(stream, move |model, shot| {
            model.shot::<ringloop_proactor::ops::RecvMultishot>(side.flow, shot);
        })))
    }

    fn read_many(&mut self, step: Step) -> Option<Box<dyn Job>> {
        let side = self.reader(step, |kind| kind == Kind::PipeReader)?;
        let fd = &self.ends[side.at].fd;
        let stream = self.handle.read_multishot(fd, &self.group).ok();
        let Some(stream) = stream else {
            self.with_flow(side.flow, Flow::end_reading);
            return None;
        };
        Some(boxed(Shots::new(stream, move |model, shot| {
            model.shot::<ringloop_proactor::ops::ReadMultishot>(side.flow, shot);
        })))
    }

    fn shot<M: Multishot<Item = Chunk>>(&mut self, flow: Option<usize>, shot: Shot<M::Item>) {
        match shot {
            Shot::Item(chunk) => {
                assert!(!chunk.is_empty(), "an item of nothing");
                self.with_flow(flow, |flow| flow.received(&chunk));
                self.hold(chunk);
            }
            Shot::Error(error) => {
                self.failed(flow, &error);
                // It is dropped, and what it has received since then is lost.
                self.with_flow(flow, Flow::lose_reader);
            }
            Shot::Stopped => self.with_flow(flow, Flow::end_reading),
            Shot::End => self.with_flow(flow, |flow| {
                flow.is_at_end();
                flow.end_reading();
            }),
            Shot::Lost => self.with_flow(flow, Flow::lose_reader),
        }
    }

    fn recv_provided(&mut self, step: Step) -> Option<Box<dyn Job>> {
        let side = self.reader(step, |kind| kind == Kind::Socket)?;
        let op = self
            .handle
            .recv_provided(&self.ends[side.at].fd, &self.group);
        Some(boxed(OneShot::new(op, move |model, end| {
            let end = match end {
                End::Output(result) => Some(result.map(|chunk| vec![chunk])),
                End::Cancelled(()) | End::Unsubmitted => None,
                End::Lost => return model.with_flow(side.flow, Flow::lose_reader),
            };
            model.chunks(side.flow, end);
        })))
    }

    fn recv_bundle(&mut self, step: Step) -> Option<Box<dyn Job>> {
        let side = self.reader(step, |kind| kind == Kind::Socket)?;
        let op = self.handle.recv_bundle(&self.ends[side.at].fd, &self.group);
        Some(boxed(OneShot::new(op, move |model, end| {
            let end = match end {
                End::Output(result) => Some(result),
                End::Cancelled(()) | End::Unsubmitted => None,
                End::Lost => return model.with_flow(side.flow, Flow::lose_reader),
            };
            model.chunks(side.flow, end);
        })))
    }

    /// What an operation brought in lent buffers; `None` if it did not happen.
    fn chunks(&mut self, flow: Option<usize>, result: Option<io::Result<Vec<Chunk>>>) {
        self.with_flow(flow, Flow::end_reading);
        match result {
            Some(Ok(chunks)) => {
                let is_end = chunks.iter().all(|chunk| chunk.is_empty());
                for chunk in chunks {
                    self.with_flow(flow, |flow| flow.received(&chunk));
                    self.hold(chunk);
                }
                if is_end {
                    self.with_flow(flow, Flow::is_at_end);
                }
            }
            Some(Err(error)) => self.failed(flow, &error),
            None => {}
        }
    }
}
