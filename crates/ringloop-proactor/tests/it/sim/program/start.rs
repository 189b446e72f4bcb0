//! Operations that move no bytes: how the steps start them.

use std::io;
use std::net::{Shutdown, SocketAddr};
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use ringloop_proactor::{Acceptor, Fd, Link};

use super::flow::Flow;
use super::linked::Linked;
use super::model::{Kind, Model, PATHS};
use super::op::{End, OneShot};
use super::script::Step;
use super::shots::{Shot, Shots};
use super::streams::{Accepting, Closing};
use super::task::Job;

impl Model {
    /// Starts what a step asks for, if it can be done now.
    pub(super) fn start(&mut self, verb: u8, step: Step) -> Option<Box<dyn Job>> {
        match verb {
            0 => Some(boxed(OneShot::new(self.handle.nop(), |_, _| {}))),
            1 => self.socket(),
            2 => self.connect(step),
            3 => self.accept(step),
            4 => self.wait_for_connection(step),
            5 => self.accept_many(step),
            6 => self.poll_one(step),
            7 => self.poll_many(step),
            8 => self.open(step),
            9 => self.pipe(),
            10 => self.sync(step),
            11 => self.close(step),
            12 => self.register(step),
            13 => self.install(step),
            14 => self.chain(step),
            15 => {
                self.listen();
                None
            }
            16 | 17 => {
                self.add_pair();
                None
            }
            18 => self.time(step),
            19 => self.time_and_again(step),
            20 => self.shut_down_writing(step),
            21 => self.end_all_on(step),
            22 => self.end_all(),
            23 => self.accept_direct(step),
            _ => self.transfer(verb, step),
        }
    }

    /// The place of an end of some kind.
    pub(super) fn end(&self, step: Step, is_meant: fn(Kind) -> bool) -> Option<usize> {
        let all = self.ends.iter().enumerate();
        let meant: Vec<usize> = all
            .filter(|(_, end)| is_meant(end.kind))
            .map(|(at, _)| at)
            .collect();
        (!meant.is_empty()).then(|| meant[step.choose(meant.len())])
    }

    fn socket(&mut self) -> Option<Box<dyn Job>> {
        let op = self.handle.socket(libc::AF_INET, libc::SOCK_STREAM, 0);
        Some(boxed(OneShot::new(op, |model, end| {
            if let End::Output(Ok(socket)) = end {
                model.add_socket(socket);
            }
        })))
    }

    fn connect(&mut self, step: Step) -> Option<Box<dyn Job>> {
        let at = self.end(step, |kind| kind == Kind::Socket)?;
        let op = self.handle.connect(&self.ends[at].fd, address());
        Some(boxed(OneShot::new(op, |_, _| {})))
    }

    fn listen(&mut self) {
        let is_there = self.ends.iter().any(|end| end.kind == Kind::Listener);
        if !is_there && let Ok(listener) = self.simulation.listen(address()) {
            let listener = self.handle.adopt(listener);
            self.add(listener, Kind::Listener, None, None);
        }
    }

    fn accept(&mut self, step: Step) -> Option<Box<dyn Job>> {
        let at = self.end(step, |kind| kind == Kind::Listener)?;
        let op = self.handle.accept(&self.ends[at].fd);
        Some(boxed(OneShot::new(op, |model, end| {
            if let End::Output(Ok(socket)) = end {
                model.add_socket(socket);
            }
        })))
    }

    fn wait_for_connection(&mut self, step: Step) -> Option<Box<dyn Job>> {
        let at = self.end(step, |kind| kind == Kind::Listener)?;
        let end = &mut self.ends[at];
        let acceptors = &mut self.acceptors;
        let acceptor = end.acceptor.get_or_insert_with(|| {
            let acceptor = Rc::new(Acceptor::new(end.fd.clone()));
            acceptors.push(Rc::downgrade(&acceptor));
            acceptor
        });
        Some(boxed(Accepting::new(Rc::clone(acceptor))))
    }

    fn accept_many(&mut self, step: Step) -> Option<Box<dyn Job>> {
        let at = self.end(step, |kind| kind == Kind::Listener)?;
        let stream = self.handle.accept_multishot(&self.ends[at].fd);
        let stream = stream.limit(step.bytes());
        Some(boxed(Shots::new(stream, |model, shot| {
            if let Shot::Item(socket) = shot {
                model.add_socket(socket);
            }
        })))
    }

    fn poll_one(&mut self, step: Step) -> Option<Box<dyn Job>> {
        let at = self.end(step, |_| true)?;
        let op = self.handle.poll(&self.ends[at].fd, events(step));
        Some(boxed(OneShot::new(op, |_, end| {
            if let End::Output(Ok(events)) = end {
                assert_ne!(events, 0, "ready for nothing");
            }
        })))
    }

    fn poll_many(&mut self, step: Step) -> Option<Box<dyn Job>> {
        let at = self.end(step, |_| true)?;
        let stream = self
            .handle
            .poll_multishot(&self.ends[at].fd, events(step))
            .limit(2);
        Some(boxed(Shots::new(stream, |_, _| {}).at_most(16)))
    }

    fn open(&mut self, step: Step) -> Option<Box<dyn Job>> {
        let number = step.choose(PATHS.len());
        let path = Path::new(PATHS[number]);
        if step.has(0) {
            let op = self.handle.openat_direct(None, path, libc::O_RDWR, 0);
            return Some(boxed(OneShot::new(op.ok()?, move |model, end| {
                if let End::Output(Ok(file)) = end {
                    model.add(file, Kind::File(number), None, None);
                }
            })));
        }
        let op = self.handle.open(path, libc::O_RDWR, 0).ok()?;
        Some(boxed(OneShot::new(op, move |model, end| {
            if let End::Output(Ok(file)) = end {
                let file = model.handle.adopt(file);
                model.add(file, Kind::File(number), None, None);
            }
        })))
    }

    fn pipe(&mut self) -> Option<Box<dyn Job>> {
        let op = self.handle.pipe(0).ok()?;
        Some(boxed(OneShot::new(op, |model, end| {
            if let End::Output(Ok((reader, writer))) = end {
                let flow = Some(model.add_flows());
                let (reader, writer) = (model.handle.adopt(reader), model.handle.adopt(writer));
                model.add(reader, Kind::PipeReader, flow, None);
                model.add(writer, Kind::PipeWriter, None, flow);
            }
        })))
    }

    fn sync(&mut self, step: Step) -> Option<Box<dyn Job>> {
        let at = self.end(step, |kind| matches!(kind, Kind::File(_)))?;
        let op = self.handle.fsync(&self.ends[at].fd);
        Some(boxed(OneShot::new(op, |_, _| {})))
    }

    fn time(&mut self, step: Step) -> Option<Box<dyn Job>> {
        let time = Duration::from_micros(u64::from(step.size) * 20);
        let start = self.simulation.now();
        let op = self.handle.timeout(time);
        Some(boxed(OneShot::new(op, move |model, end| {
            if let End::Output(Ok(())) = end {
                let passed = model.simulation.now() - start;
                assert!(passed >= time, "{passed:?} have passed of {time:?}");
            }
        })))
    }

    fn time_and_again(&mut self, step: Step) -> Option<Box<dyn Job>> {
        let time = Duration::from_micros(u64::from(step.size) * 20);
        let stream = self.handle.timeout_multishot(time).ok()?.limit(2);
        Some(boxed(Shots::new(stream, |_, _| {}).at_most(16)))
    }

    /// Nobody writes any more; the reader sees the end.
    fn shut_down_writing(&mut self, step: Step) -> Option<Box<dyn Job>> {
        let side = self.writer(step, |kind| kind == Kind::Socket)?;
        self.with_flow(side.flow, Flow::lose_writer);
        let op = self
            .handle
            .shutdown(&self.ends[side.at].fd, Shutdown::Write);
        Some(boxed(OneShot::new(op, |_, _| {})))
    }

    fn end_all_on(&mut self, step: Step) -> Option<Box<dyn Job>> {
        let at = self.end(step, |_| true)?;
        self.is_swept = true;
        let op = self.handle.cancel_fd(&self.ends[at].fd);
        Some(boxed(OneShot::new(op, |_, _| {})))
    }

    fn end_all(&mut self) -> Option<Box<dyn Job>> {
        self.is_swept = true;
        Some(boxed(OneShot::new(self.handle.cancel_all(), |_, _| {})))
    }

    fn accept_direct(&mut self, step: Step) -> Option<Box<dyn Job>> {
        let at = self.end(step, |kind| kind == Kind::Listener)?;
        let op = self.handle.accept_direct(&self.ends[at].fd).ok()?;
        Some(boxed(OneShot::new(op, |model, end| {
            if let End::Output(Ok(socket)) = end {
                model.add(socket, Kind::Socket, None, None);
            }
        })))
    }

    /// Closes a descriptor and waits for it.
    fn close(&mut self, step: Step) -> Option<Box<dyn Job>> {
        let at = self.end(step, |_| true)?;
        let end = self.ends.remove(at);
        drop(end.acceptor);
        Some(Box::new(Closing(end.fd.close())))
    }

    /// Makes a direct descriptor of one that is there; it takes its place.
    fn register(&mut self, step: Step) -> Option<Box<dyn Job>> {
        let at = self.end(step, |_| true)?;
        let fd = self.ends[at].fd.clone();
        if fd.is_direct() {
            return None;
        }
        let op = self.handle.register(&fd).ok()?;
        let number = number(&fd);
        drop(fd);
        Some(boxed(OneShot::new(op, move |model, end| {
            if let End::Output(Ok(direct)) = end {
                let place = model
                    .ends
                    .iter_mut()
                    .find(|end| number == super::start::number(&end.fd));
                if let Some(end) = place {
                    end.fd = direct;
                }
            }
        })))
    }

    fn install(&mut self, step: Step) -> Option<Box<dyn Job>> {
        let at = self.end(step, |_| true)?;
        let fd = &self.ends[at].fd;
        if !fd.is_direct() {
            return None;
        }
        let op = self.handle.install(fd).ok()?;
        Some(boxed(OneShot::new(op, |_, _| {})))
    }

    /// A chain of operations that do nothing, with a timeout at one place or another.
    fn chain(&mut self, step: Step) -> Option<Box<dyn Job>> {
        let nop = || self.handle.nop();
        let time = Duration::from_micros(step.size.into());
        let links_hold = self.links_hold;
        let check = move |results: [io::Result<()>; 2]| {
            if results[0].is_err() && links_hold {
                assert!(results[1].is_err(), "a link goes on after a failure");
            }
        };
        Some(match step.which % 3 {
            0 => boxed(Linked::new(nop().then(nop()), move |_, outputs| {
                if let Some((first, second)) = outputs {
                    check([first, second]);
                }
            })),
            1 => boxed(Linked::new(
                nop().then(nop()).then_always(nop().then(nop())),
                move |_, outputs| {
                    if let Some((first, second)) = outputs {
                        check(first.into());
                        check(second.into());
                    }
                },
            )),
            _ => {
                let at = self.end(step, |_| true)?;
                let op = self.handle.poll(&self.ends[at].fd, events(step));
                boxed(Linked::new(op.with_timeout(time), |_, _| {}))
            }
        })
    }
}

/// An operation as one of many jobs.
pub(super) fn boxed(job: impl Job + 'static) -> Box<dyn Job> {
    Box::new(job)
}

/// The number of a plain descriptor.
fn number(fd: &Fd) -> Option<i32> {
    use std::os::fd::AsRawFd;
    fd.plain().map(|fd| fd.as_raw_fd())
}

fn events(step: Step) -> u32 {
    match step.how & 3 {
        0 => 0x001,
        1 => 0x004,
        _ => 0x005,
    }
}

/// How many verbs start something.
pub(super) const STARTS: u8 = 44;

/// Where the one listener is.
fn address() -> SocketAddr {
    ([127, 0, 0, 1], 9).into()
}
