//! Operations that move bytes once: how the steps start them, and what their ends are checked for.

use std::time::Duration;

use ringloop_proactor::ops::Expiry;
use ringloop_proactor::{IoBuf, Link, OpError, Operation};

use super::flow::{Flow, pattern};
use super::linked::Linked;
use super::model::{FILE_LEN, Kind, Model};
use super::op::{End, OneShot};
use super::script::Step;
use super::start::boxed;
use super::task::Job;

/// What an operation with a buffer gives.
type Moved<B> = Result<(usize, B), OpError<B>>;

impl Model {
    pub(super) fn transfer(&mut self, verb: u8, step: Step) -> Option<Box<dyn Job>> {
        match verb {
            24 | 25 => self.recv(step),
            26 | 27 => self.send(step),
            28 => self.recv_in_time(step),
            29 => self.send_then_recv(step),
            30 => self.read_file(step),
            31 => self.write_file(step),
            32 => self.read_fixed(step),
            33 => self.write_fixed(step),
            34 => self.read_nowhere(step),
            35 => self.send_lent(step),
            _ => self.many(verb, step),
        }
    }

    /// Takes the reading side of some end: its place, and its flow.
    pub(super) fn reader(&mut self, step: Step, is_meant: fn(Kind) -> bool) -> Option<Side> {
        let at = self.end(step, is_meant)?;
        let flow = self.ends[at].input;
        let is_free = flow.is_none_or(|flow| self.flows[flow].begin_reading());
        is_free.then_some(Side { at, flow })
    }

    /// Takes the writing side of some end.
    pub(super) fn writer(&mut self, step: Step, is_meant: fn(Kind) -> bool) -> Option<Side> {
        let at = self.end(step, is_meant)?;
        let flow = self.ends[at].output;
        let is_free = flow.is_none_or(|flow| self.flows[flow].begin_writing());
        is_free.then_some(Side { at, flow })
    }

    fn recv(&mut self, step: Step) -> Option<Box<dyn Job>> {
        let side = self.reader(step, |kind| {
            [Kind::Socket, Kind::PipeReader].contains(&kind)
        })?;
        let end = &self.ends[side.at];
        let buffer = Vec::with_capacity(step.bytes());
        let mark = mark(&buffer);
        if end.kind == Kind::Socket && step.has(0) {
            let op = self.handle.recv(&end.fd, buffer);
            Some(boxed(OneShot::new(op, move |model, end| {
                model.has_received(side.flow, mark, end);
            })))
        } else {
            let op = self.handle.read(&end.fd, buffer, u64::MAX);
            Some(boxed(OneShot::new(op, move |model, end| {
                model.has_received(side.flow, mark, end);
            })))
        }
    }

    fn send(&mut self, step: Step) -> Option<Box<dyn Job>> {
        let side = self.writer(step, |kind| {
            [Kind::Socket, Kind::PipeWriter].contains(&kind)
        })?;
        let bytes = self.payload(side, step.bytes());
        let mark = mark(&bytes);
        let end = &self.ends[side.at];
        if end.kind == Kind::Socket && step.has(0) {
            let op = self.handle.send(&end.fd, bytes);
            Some(boxed(OneShot::new(op, move |model, end| {
                model.has_sent(side.flow, mark, end);
            })))
        } else {
            let op = self.handle.write(&end.fd, bytes, u64::MAX);
            Some(boxed(OneShot::new(op, move |model, end| {
                model.has_sent(side.flow, mark, end);
            })))
        }
    }

    /// The memory is lent to the network until the notification.
    fn send_lent(&mut self, step: Step) -> Option<Box<dyn Job>> {
        let side = self.writer(step, |kind| kind == Kind::Socket)?;
        let bytes = self.payload(side, step.bytes());
        let mark = mark(&bytes);
        let op = self.handle.send_zc(&self.ends[side.at].fd, bytes, 0);
        Some(boxed(OneShot::new(op, move |model, end| {
            let result = match end {
                End::Output(result) => result.map(|(sent, buffer)| (sent.count, buffer)),
                End::Cancelled(buffer) => Ok((0, buffer)),
                End::Lost => return model.with_flow(side.flow, Flow::lose_writer),
                End::Unsubmitted => return model.with_flow(side.flow, |flow| flow.has_sent(0)),
            };
            model.settle_sent(side.flow, mark, result);
        })))
    }

    fn recv_in_time(&mut self, step: Step) -> Option<Box<dyn Job>> {
        let side = self.reader(step, |kind| kind == Kind::Socket)?;
        let buffer = Vec::with_capacity(step.bytes());
        let mark = mark(&buffer);
        let time = Duration::from_micros(u64::from(step.how) * 20);
        let op = self.handle.recv(&self.ends[side.at].fd, buffer);
        Some(boxed(Linked::new(
            op.with_timeout(time),
            move |model, outputs| {
                let Some((result, expiry)) = outputs else {
                    return model.with_flow(side.flow, Flow::lose_reader);
                };
                if expiry == Expiry::InTime && !model.is_down {
                    // It may have been asked to end; no time was up.
                    let errno = result.as_ref().err().and_then(|e| e.error.raw_os_error());
                    assert_ne!(errno, Some(libc::ETIME), "no time was up");
                }
                model.settle_received(side.flow, mark, result);
            },
        )))
    }

    fn send_then_recv(&mut self, step: Step) -> Option<Box<dyn Job>> {
        let writer = self.writer(step, |kind| kind == Kind::Socket)?;
        let other = Step {
            which: step.how,
            ..step
        };
        let Some(reader) = self.reader(other, |kind| kind == Kind::Socket) else {
            self.with_flow(writer.flow, Flow::end_writing);
            return None;
        };
        for flow in [writer.flow, reader.flow] {
            self.with_flow(flow, |flow| flow.links += 1);
        }
        let bytes = self.payload(writer, step.bytes());
        let buffer = Vec::with_capacity(step.bytes());
        let marks = [mark(&bytes), mark(&buffer)];
        let send = self.handle.send(&self.ends[writer.at].fd, bytes);
        let recv = self.handle.recv(&self.ends[reader.at].fd, buffer);
        Some(boxed(Linked::new(
            send.then(recv),
            move |model, outputs| {
                let Some((sent, received)) = outputs else {
                    model.with_flow(writer.flow, Flow::lose_writer);
                    return model.with_flow(reader.flow, Flow::lose_reader);
                };
                assert!(
                    sent.is_ok() || received.is_err() || !model.links_hold,
                    "a link goes on after a failure"
                );
                model.settle_sent(writer.flow, marks[0], sent);
                model.settle_received(reader.flow, marks[1], received);
                for flow in [writer.flow, reader.flow] {
                    model.with_flow(flow, |flow| flow.links -= 1);
                }
            },
        )))
    }

    /// Bytes to be sent, which the flow expects from now on.
    pub(super) fn payload(&mut self, side: Side, len: usize) -> Vec<u8> {
        let bytes = pattern(self.serial(), len);
        self.with_flow(side.flow, |flow| flow.may_send(&bytes));
        bytes
    }

    fn has_received<O>(&mut self, flow: Option<usize>, mark: Mark, end: End<O>)
    where
        O: Operation<Output = Moved<Vec<u8>>, Leftover = Vec<u8>>,
    {
        match end {
            End::Output(result) => self.settle_received(flow, mark, result),
            End::Cancelled(buffer) => {
                assert_eq!(self::mark(&buffer), mark, "another buffer comes back");
                self.with_flow(flow, Flow::end_reading);
            }
            End::Lost => self.with_flow(flow, Flow::lose_reader),
            End::Unsubmitted => self.with_flow(flow, Flow::end_reading),
        }
    }

    fn settle_received(&mut self, flow: Option<usize>, mark: Mark, result: Moved<Vec<u8>>) {
        match result {
            Ok((count, buffer)) => {
                assert_eq!(self::mark(&buffer), mark, "another buffer comes back");
                assert_eq!(count, buffer.len(), "the length of a buffer");
                self.with_flow(flow, |flow| match count {
                    0 => flow.is_at_end(),
                    _ => flow.received(&buffer),
                });
            }
            Err(error) => {
                assert_eq!(self::mark(&error.buffer), mark, "another buffer comes back");
                super::told::check(&error.error, true);
                self.failed(flow, &error.error);
            }
        }
        self.with_flow(flow, Flow::end_reading);
    }

    fn has_sent<O>(&mut self, flow: Option<usize>, mark: Mark, end: End<O>)
    where
        O: Operation<Output = Moved<Vec<u8>>, Leftover = Vec<u8>>,
    {
        match end {
            End::Output(result) => self.settle_sent(flow, mark, result),
            End::Cancelled(buffer) => {
                assert_eq!(self::mark(&buffer), mark, "another buffer comes back");
                self.with_flow(flow, |flow| flow.has_sent(0));
            }
            End::Lost => self.with_flow(flow, Flow::lose_writer),
            End::Unsubmitted => self.with_flow(flow, |flow| flow.has_sent(0)),
        }
    }

    fn settle_sent(&mut self, flow: Option<usize>, mark: Mark, result: Moved<Vec<u8>>) {
        let (count, buffer) = result.unwrap_or_else(|error| {
            super::told::check(&error.error, true);
            self.failed(flow, &error.error);
            (0, error.buffer)
        });
        assert_eq!(self::mark(&buffer), mark, "another buffer comes back");
        self.with_flow(flow, |flow| flow.has_sent(count));
    }

    fn read_file(&mut self, step: Step) -> Option<Box<dyn Job>> {
        let place = self.place(step)?;
        let number = self.files[place.file].begin_read();
        let fd = &self.ends[place.at].fd;
        let buffer = Vec::with_capacity(step.bytes());
        let op = self.handle.read(fd, buffer, place.offset as u64);
        Some(boxed(OneShot::new(op, move |model, end| {
            let found = match end {
                End::Output(Ok((count, buffer))) => {
                    assert_eq!(count, buffer.len(), "the length of a buffer");
                    Some(buffer)
                }
                End::Output(Err(_)) | End::Cancelled(_) | End::Lost | End::Unsubmitted => None,
            };
            model.has_read(place, number, step.bytes(), found.as_deref());
        })))
    }

    fn read_fixed(&mut self, step: Step) -> Option<Box<dyn Job>> {
        let place = self.place(step)?;
        let buffer = self.fixed.check_out()?;
        let number = self.files[place.file].begin_read();
        let len = self.fixed.len_bytes();
        let fd = &self.ends[place.at].fd;
        let op = self.handle.read_fixed(fd, buffer, place.offset as u64);
        Some(boxed(OneShot::new(op, move |model, end| {
            let found = match end {
                End::Output(Ok((count, buffer))) => Some(buffer[..count].to_vec()),
                End::Output(Err(_)) | End::Cancelled(_) | End::Lost | End::Unsubmitted => None,
            };
            model.has_read(place, number, len, found.as_deref());
        })))
    }

    fn has_read(&mut self, place: Place, number: u64, room: usize, found: Option<&[u8]>) {
        if let Some(found) = found {
            let most = room.min(FILE_LEN - place.offset);
            assert!(found.len() <= most, "a read beyond the end of a file");
            assert!(!found.is_empty(), "a read of nothing");
            if self.reads_are_whole {
                assert_eq!(found.len(), most, "a read that is shorter than the file");
            }
        }
        let found = found.map(|found| (place.offset, found));
        self.files[place.file].end_read(number, found);
    }

    fn write_file(&mut self, step: Step) -> Option<Box<dyn Job>> {
        let place = self.place(step)?;
        let len = step.bytes().min(FILE_LEN - place.offset);
        let bytes = pattern(self.serial(), len);
        let number = self.files[place.file].begin_write(place.offset, &bytes);
        let mark = mark(&bytes);
        let fd = &self.ends[place.at].fd;
        let op = self.handle.write(fd, bytes, place.offset as u64);
        Some(boxed(OneShot::new(op, move |model, end| {
            let count = match end {
                End::Output(Ok((count, buffer))) => {
                    assert_eq!(self::mark(&buffer), mark, "another buffer comes back");
                    count
                }
                End::Output(Err(OpError { buffer, .. })) | End::Cancelled(buffer) => {
                    assert_eq!(self::mark(&buffer), mark, "another buffer comes back");
                    0
                }
                End::Unsubmitted => 0,
                End::Lost => return model.files[place.file].give_up_write(number),
            };
            model.files[place.file].end_write(number, count);
        })))
    }

    fn write_fixed(&mut self, step: Step) -> Option<Box<dyn Job>> {
        let place = self.place(step)?;
        let mut buffer = self.fixed.check_out()?;
        let len = buffer.len().min(FILE_LEN - place.offset);
        let bytes = pattern(self.serial(), len);
        buffer[..len].copy_from_slice(&bytes);
        let number = self.files[place.file].begin_write(place.offset, &bytes);
        let fd = &self.ends[place.at].fd;
        let op = self
            .handle
            .write_fixed(fd, buffer.slice(..len), place.offset as u64);
        Some(boxed(OneShot::new(op, move |model, end| {
            let count = match end {
                End::Output(result) => result.map_or(0, |(count, _)| count),
                End::Cancelled(_) | End::Unsubmitted => 0,
                End::Lost => return model.files[place.file].give_up_write(number),
            };
            model.files[place.file].end_write(number, count);
        })))
    }

    /// No file has such an offset.
    fn read_nowhere(&mut self, step: Step) -> Option<Box<dyn Job>> {
        let at = self.end(step, |_| true)?;
        let offset = u64::MAX - 1 - u64::from(step.size);
        let buffer = Vec::with_capacity(step.bytes());
        let mark = mark(&buffer);
        let op = self.handle.read(&self.ends[at].fd, buffer, offset);
        Some(boxed(OneShot::new(op, move |_, end| {
            let buffer = match end {
                End::Output(Ok(_)) => panic!("a read at {offset}"),
                End::Output(Err(OpError { buffer, .. })) | End::Cancelled(buffer) => buffer,
                End::Lost | End::Unsubmitted => return,
            };
            assert_eq!(self::mark(&buffer), mark, "another buffer comes back");
        })))
    }

    /// A place in some file.
    fn place(&self, step: Step) -> Option<Place> {
        let at = self.end(step, |kind| matches!(kind, Kind::File(_)))?;
        let Kind::File(file) = self.ends[at].kind else {
            return None;
        };
        let offset = usize::from(step.how) * 4;
        Some(Place { at, file, offset })
    }
}

/// One direction of a descriptor.
#[derive(Clone, Copy, Debug)]
pub(super) struct Side {
    pub(super) at: usize,
    pub(super) flow: Option<usize>,
}

#[derive(Clone, Copy, Debug)]
struct Place {
    at: usize,
    file: usize,
    offset: usize,
}

/// What tells one buffer from another.
type Mark = (usize, usize);

fn mark(buffer: &Vec<u8>) -> Mark {
    (buffer.as_ptr().addr(), buffer.capacity())
}
