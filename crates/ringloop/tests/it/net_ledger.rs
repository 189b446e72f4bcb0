//! Waits of real connections that are given up at any point, by chance: a ledger says who has which
//! byte. The simulated ring has a ledger of its own, in the tests of the proactor.

use std::cell::Cell;
use std::io::{self, ErrorKind, Read};
use std::os::fd::AsFd;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::thread;

use ringloop::future::join;
use ringloop::io::{AsyncRead, AsyncWrite, BufStream, Partial};
use ringloop::net::TcpStream;
use ringloop::task::yield_now;
use ringloop::{Runtime, spawn};
use socket2::SockRef;

use crate::chance::{Counted, by_chance};
use crate::rig::{alone, listener, numbered, open_fds, pair, runtime, settle};
use crate::seeds::{Choice, each_seed};

/// Writes numbered bytes until so many were accepted; what is given up says nothing, and the count
/// below it everything.
async fn write_by_chance<W: AsyncWrite>(sink: W, mut choice: Choice, total: usize) {
    let mut sink = Counted::new(sink);
    while sink.count < total {
        let before = sink.count;
        let most = if choice.once_in(4) { 200_000 } else { 3000 };
        let bytes = numbered(before, choice.below(most).min(total - before));
        match choice.below(4) {
            0 => {
                let flushed = by_chance(&mut choice, sink.flush()).await;
                assert!(matches!(flushed, None | Some(Ok(()))), "{flushed:?}");
                assert_eq!(sink.count, before);
            }
            1 => {
                let written = by_chance(&mut choice, sink.write(&bytes)).await;
                let count = written.map_or(0, Result::unwrap);
                assert_eq!(
                    sink.count,
                    before + count,
                    "given up, it has written nothing"
                );
            }
            _ => {
                let mut reported = None;
                let write = async {
                    let written = sink.write_all(&bytes).await;
                    reported = written.as_ref().err().map(done);
                    written
                };
                let written = by_chance(&mut choice, write).await;
                assert!(matches!(written, None | Some(Ok(()))), "{written:?}");
                assert!(written.is_none() || sink.count == before + bytes.len());
                if let Some(reported) = reported {
                    assert_eq!(
                        sink.count,
                        before + reported,
                        "cancelled, it tells how far it came"
                    );
                }
            }
        }
    }
    while by_chance(&mut choice, sink.shutdown()).await.is_none() {}
}

/// How many bytes an error says were done before it.
fn done(error: &io::Error) -> usize {
    let done = Partial::of(error).map_or(0, Partial::done);
    usize::try_from(done).unwrap()
}

/// Reads to the end and returns how many numbered bytes that were.
async fn read_by_chance<R: AsyncRead>(source: R, mut choice: Choice) -> usize {
    let mut source = Counted::new(source);
    loop {
        let before = source.count;
        let most = if choice.once_in(4) { 100_000 } else { 3000 };
        let mut buf = vec![UNTOUCHED; 1 + choice.below(most)];
        let is_over = match choice.below(5) {
            0..2 => matches!(
                by_chance(&mut choice, source.read(&mut buf)).await,
                Some(Ok(0))
            ),
            2..4 => match read_exactly(&mut source, &mut choice, &mut buf).await {
                None => false,
                Some(Ok(())) => {
                    assert_eq!(source.count - before, buf.len());
                    false
                }
                Some(Err(error)) => {
                    assert_eq!(error.kind(), ErrorKind::UnexpectedEof, "{error}");
                    true
                }
            },
            _ => {
                buf.clear();
                by_chance(&mut choice, source.read_to_end(&mut buf))
                    .await
                    .is_some()
            }
        };
        let count = source.count - before;
        let (read, rest) = buf.split_at(count);
        assert!(read == numbered(before, count), "after {before} bytes");
        assert!(rest.iter().all(|byte| *byte == UNTOUCHED));
        if is_over {
            return source.count;
        }
    }
}

/// What is given up or ends too early tells how far it came.
async fn read_exactly<R: AsyncRead>(
    source: &mut Counted<R>,
    choice: &mut Choice,
    buf: &mut [u8],
) -> Option<io::Result<()>> {
    let before = source.count;
    let mut reported = None;
    let read = async {
        let read = source.read_exact(buf).await;
        reported = read.as_ref().err().map(done);
        read
    };
    let read = by_chance(choice, read).await;
    if let Some(reported) = reported {
        assert_eq!(source.count, before + reported);
    }
    read
}

/// Makes the kernel's own queue small, so that writers wait.
fn narrow(socket: &impl AsFd) {
    // A receive buffer that holds no whole segment would make the kernel wait for its own timers.
    SockRef::from(socket).set_send_buffer_size(16_384).unwrap();
}

#[test]
fn every_byte_that_was_accepted_arrives_in_both_directions() {
    each_seed(20, |seed| {
        let mut choice = Choice::new(seed);
        let mut builder = Runtime::builder();
        let mut most = 400_000;
        if choice.once_in(3) {
            builder = builder.ring_entries(1).receive_buffers(1, 64);
            most = 50_000;
        }
        let totals = [choice.below(most), choice.below(most)];
        let choices = [1, 2, 3, 4].map(|side| Choice::new(seed * 5 + side));
        let mut runtime = builder.build().unwrap();
        let received = runtime.block_on(async {
            let (mut near, far) = pair();
            let mut far = TcpStream::from_std(far).unwrap();
            if choice.once_in(2) {
                narrow(&near);
                narrow(&far);
            }
            let (near_reads, near_writes) = near.split();
            let (far_reads, far_writes) = far.split();
            let [first, second, third, fourth] = choices;
            let there = join(
                write_by_chance(near_writes, first, totals[0]),
                read_by_chance(far_reads, second),
            );
            let back = join(
                write_by_chance(far_writes, third, totals[1]),
                read_by_chance(near_reads, fourth),
            );
            let (((), there), ((), back)) = join(there, back).await;
            [there, back]
        });
        assert_eq!(received, totals);
    });
}

/// Lines of all lengths are read whole and in order, whatever is given up: what was received of a
/// line stays in the stream.
#[test]
fn every_line_arrives_whole() {
    const LINES: usize = 300;
    each_seed(20, |seed| {
        let mut choice = Choice::new(seed);
        let lines: Vec<Vec<u8>> = (0..LINES)
            .map(|_| {
                let longest = if choice.once_in(10) { 30_000 } else { 100 };
                let mut line = vec![b'l'; choice.below(longest)];
                line.extend(if choice.once_in(2) { "\r\n" } else { ";" }.bytes());
                line
            })
            .collect();
        let text = lines.concat();
        let received = runtime().block_on(async {
            let (near, far) = pair();
            let mut far = TcpStream::from_std(far).unwrap();
            let mut near = BufStream::new(near);
            let writing = async {
                for part in text.chunks(1 + choice.below(5000)) {
                    far.write_all(part).await.unwrap();
                    yield_now().await.unwrap();
                }
                far.close().await.unwrap();
            };
            let mut choice = Choice::new(seed + 1);
            let reading = async {
                let mut received = Vec::new();
                while received.len() < LINES {
                    let line = async {
                        let line = near.read_until([&b"\r\n"[..], b";"]).await;
                        line.map(<[u8]>::to_vec).map_err(io::Error::from)
                    };
                    if let Some(line) = by_chance(&mut choice, line).await {
                        received.push(line.unwrap());
                    }
                }
                received
            };
            join(writing, reading).await.1
        });
        assert!(received == lines);
    });
}

#[test]
fn what_was_accepted_arrives_however_the_task_or_the_runtime_ends() {
    each_seed(20, |seed| {
        let mut choice = Choice::new(seed);
        let accepted = Rc::new(Cell::new(0));
        let mut runtime = runtime();
        let reader = runtime.block_on(async {
            let (near, mut far) = pair();
            narrow(&near);
            let task = spawn(write_on(near, Choice::new(seed + 1), Rc::clone(&accepted)));
            let reader = thread::spawn(move || {
                let mut received = Vec::new();
                far.read_to_end(&mut received).map(|_| received)
            });
            for _ in 0..choice.below(60) {
                yield_now().await.unwrap();
            }
            match choice.below(3) {
                0 => task.abort(),
                1 => drop(task.cancel("by chance")),
                _ => {}
            }
            reader
        });
        drop(runtime);
        let received = reader.join().unwrap().unwrap();
        let expected = numbered(0, accepted.get());
        assert!(
            received == expected,
            "{} of {}",
            received.len(),
            expected.len()
        );
    });
}

/// Writes until it is made to end, and keeps the ledger after every call.
async fn write_on(
    stream: TcpStream,
    mut choice: Choice,
    accepted: Rc<Cell<usize>>,
) -> io::Result<()> {
    let mut sink = Noted {
        sink: stream,
        accepted,
    };
    loop {
        let bytes = numbered(sink.accepted.get(), choice.below(50_000));
        if choice.once_in(2) {
            by_chance(&mut choice, sink.write_all(&bytes))
                .await
                .transpose()?;
        } else {
            sink.write_all(&bytes).await?;
        }
        yield_now().await?;
    }
}

/// Notes what its stream has accepted where it outlives the task.
struct Noted {
    sink: TcpStream,
    accepted: Rc<Cell<usize>>,
}

impl AsyncWrite for Noted {
    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let polled = self.sink.poll_write(cx, bytes);
        if let Poll::Ready(Ok(count)) = polled {
            self.accepted.update(|accepted| accepted + count);
        }
        polled
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.sink.poll_flush(cx)
    }

    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.sink.poll_shutdown(cx)
    }
}

#[test]
fn every_connection_is_accepted_once_or_closed() {
    if !alone("net_ledger::every_connection_is_accepted_once_or_closed") {
        return;
    }
    each_seed(20, |seed| {
        let mut runtime = runtime();
        let fds = open_fds();
        let (connected, served) = runtime.block_on(connect_by_chance(seed));
        assert_eq!(connected, served);
        settle(&mut runtime, fds);
    });
}

/// Connects and accepts; returns the numbers of the clients that were connected, and of those that
/// were served, both in order.
async fn connect_by_chance(seed: u64) -> (Vec<u8>, Vec<u8>) {
    const CLIENTS: u8 = 60;
    let (listener, address) = listener().await;
    let server = spawn(async move {
        let mut choice = Choice::new(seed + 1);
        let mut served = Vec::new();
        loop {
            let Some(accepted) = by_chance(&mut choice, listener.accept()).await else {
                continue;
            };
            let (mut stream, _) = accepted?;
            let mut number = [0];
            if stream.read(&mut number).await? == 0 {
                continue;
            }
            if number[0] == LAST {
                return io::Result::Ok(served);
            }
            served.push(number[0]);
        }
    });
    let mut choice = Choice::new(seed);
    let mut connected = Vec::new();
    for number in 0..CLIENTS {
        if let Some(stream) = by_chance(&mut choice, TcpStream::connect(address)).await {
            stream.unwrap().write_all(&[number]).await.unwrap();
            connected.push(number);
        }
    }
    let mut last = TcpStream::connect(address).await.unwrap();
    last.write_all(&[LAST]).await.unwrap();
    let mut served = server.await.unwrap().unwrap();
    served.sort_unstable();
    (connected, served)
}

/// No byte of [`numbered`].
const UNTOUCHED: u8 = 0xff;
const LAST: u8 = 0xfe;
