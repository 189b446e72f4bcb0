//! Receiving a byte stream: one multishot receive into provided buffers.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::io;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};

use super::{keep, proactor_gone};
use crate::buf::{BufPool, Chunk, Lent};
use crate::fd::Fd;
use crate::op::{Flow, RETIRED, Service, ServiceKey};
use crate::ring::{BUFFER_SELECT, Cqe, Sqe};

/// The receive queue of one stream socket.
///
/// Bytes that arrive belong to the queue: [`read`](Self::read) copies them out,
/// [`read_chunk`](Self::read_chunk) lends them. The queue is bounded; while it is full, bytes wait
/// in the kernel, and the peer is slowed down. An idle connection holds no buffer, unless it began
/// to wait while none of the shared ones was free: then it holds one of its own.
pub struct Receiver {
    state: Rc<State>,
    key: ServiceKey,
    /// What is being read: a piece that has left the queue, in part.
    current: Option<Piece>,
}

struct State {
    fd: Fd,
    /// `None` if the kernel takes no provided buffers: then each receive has its own.
    pool: Option<Rc<BufPool>>,
    /// So many pieces are enough, however small they are: each holds a whole buffer.
    pieces_max: usize,
    inbox: RefCell<Inbox>,
}

#[derive(Default)]
struct Inbox {
    /// The piece to be read next, and those behind it: mostly there is one at a time.
    front: Option<Piece>,
    behind: VecDeque<Piece>,
    queued_bytes: usize,
    end: Option<End>,
    reader: Option<Waker>,
    /// The buffer of a receive without a provided one. The kernel's while `armed`.
    own: Option<Box<[u8]>>,
    armed: bool,
    stopping: bool,
    /// The receiver is gone: what still arrives is given back.
    closed: bool,
}

enum Piece {
    Lent(Lent),
    Own {
        bytes: Box<[u8]>,
        start: usize,
        end: usize,
    },
}

/// Why no more bytes will come. It is told after the bytes that came before it.
#[derive(Clone, Copy, Debug)]
enum End {
    Closed,
    Failed(i32),
}

impl Receiver {
    /// Makes the receive queue of a connected stream socket. Nothing is received before the first
    /// read.
    #[must_use]
    pub fn new(fd: Fd) -> Self {
        let pool = fd.handle().shared().pool();
        let pieces_max = pool
            .as_ref()
            .map_or(1, |pool| usize::from(pool.count() / 8));
        let state = Rc::new(State {
            fd,
            pool,
            pieces_max: pieces_max.clamp(1, PIECES_MAX),
            inbox: RefCell::default(),
        });
        let service = RecvMultishot {
            state: Rc::clone(&state),
        };
        let key = state.fd.handle().shared().insert_service(service);
        Self {
            state,
            key,
            current: None,
        }
    }

    /// Returns the socket.
    #[must_use]
    pub fn fd(&self) -> &Fd {
        &self.state.fd
    }

    /// Copies received bytes into `buf` and returns their number, zero at the end of the stream.
    ///
    /// # Errors
    ///
    /// As `recv(2)`, once everything that was received before the error has been read.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: bytes that arrive after the future was dropped wait for the next read.
    pub async fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        poll_fn(|cx| self.poll_read(cx, buf)).await
    }

    /// Lends the next received bytes without a copy, an empty chunk at the end of the stream.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: bytes that arrive after the future was dropped wait for the next read.
    pub async fn read_chunk(&mut self) -> io::Result<Chunk> {
        poll_fn(|cx| self.poll_chunk(cx)).await
    }

    /// Copies received bytes into `buf`, or wakes the task when there are some.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    #[inline]
    pub fn poll_read(&mut self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        if buf.is_empty() {
            return Poll::Ready(Ok(0));
        }
        let mut copied = self.copy_current(buf);
        if copied < buf.len() {
            let mut inbox = self.state.inbox.borrow_mut();
            if inbox.front.is_none() {
                drop(inbox);
                if copied > 0 {
                    return Poll::Ready(Ok(copied));
                }
                return self.poll_end(cx).map(|end| end.map(|()| 0));
            }
            copied += self
                .state
                .copy_out(&mut inbox, &mut buf[copied..], &mut self.current);
            let is_drained = inbox.is_drained();
            drop(inbox);
            if is_drained {
                self.arm();
            }
        }
        Poll::Ready(Ok(copied))
    }

    /// Lends the next received bytes, or wakes the task when there are some.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    pub fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Chunk>> {
        ready!(self.poll_current(cx))?;
        Poll::Ready(Ok(match self.current.take() {
            None => Chunk::own(Box::new([]), 0, 0),
            Some(Piece::Own { bytes, start, end }) => Chunk::own(bytes, start, end),
            Some(Piece::Lent(lent)) => Chunk::lent(Rc::clone(self.state.lender()), lent),
        }))
    }

    /// Returns the next received bytes where they are, without taking them, or wakes the task when
    /// there are some. They are the next bytes until [`consume`](Self::consume) leaves them behind;
    /// none are there at the end of the stream.
    ///
    /// Counterpart: `std::io::BufRead::fill_buf`.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    ///
    /// # Examples
    ///
    /// ```
    /// use ringloop_proactor::{Config, Proactor, Receiver};
    /// use std::future::poll_fn;
    /// use std::io::Write;
    /// use std::os::unix::net::UnixStream;
    ///
    /// let mut proactor = Proactor::new(&Config::default())?;
    /// let (near, mut far) = UnixStream::pair()?;
    /// far.write_all(b"head: body")?;
    /// let mut receiver = Receiver::new(proactor.handle().adopt(near));
    /// let head = poll_fn(|cx| {
    ///     let bytes = std::task::ready!(receiver.poll_fill_buf(cx))?;
    ///     let head = bytes.split(|&byte| byte == b':').next().unwrap_or(bytes);
    ///     std::task::Poll::Ready(Ok::<_, std::io::Error>(head.to_vec()))
    /// });
    /// let head = proactor.block_on(head)??;
    /// assert_eq!(head, b"head");
    /// receiver.consume(head.len() + 2);
    /// assert_eq!(proactor.block_on(receiver.read_chunk())??[..], *b"body");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[inline]
    pub fn poll_fill_buf(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        ready!(self.poll_current(cx))?;
        let bytes = self.current.as_ref().map(|piece| self.state.bytes(piece));
        Poll::Ready(Ok(bytes.unwrap_or_default()))
    }

    /// Leaves the first `count` bytes behind that [`poll_fill_buf`](Self::poll_fill_buf) returned,
    /// all of them if there are fewer.
    ///
    /// Counterpart: `std::io::BufRead::consume`.
    #[inline]
    pub fn consume(&mut self, count: usize) {
        let Some(piece) = &mut self.current else {
            return;
        };
        if count < piece.len() {
            piece.advance(count);
        } else if let Some(Piece::Lent(lent)) = self.current.take() {
            self.state.lender().give_back(lent);
        }
    }

    fn current_len(&self) -> usize {
        self.current.as_ref().map_or(0, Piece::len)
    }

    /// Copies what is left of the piece that is being read.
    #[inline]
    fn copy_current(&mut self, buf: &mut [u8]) -> usize {
        let Some(piece) = &self.current else {
            return 0;
        };
        let bytes = self.state.bytes(piece);
        let count = bytes.len().min(buf.len());
        buf[..count].copy_from_slice(&bytes[..count]);
        self.consume(count);
        count
    }

    /// Sees to it that a piece is being read, unless the stream has ended.
    #[inline]
    fn poll_current(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.current.is_some() {
            return Poll::Ready(Ok(()));
        }
        let is_drained = {
            let mut inbox = self.state.inbox.borrow_mut();
            self.current = inbox.pop();
            inbox.queued_bytes -= self.current.as_ref().map_or(0, Piece::len);
            inbox.is_drained()
        };
        if self.current.is_none() {
            return self.poll_end(cx);
        }
        if is_drained {
            self.arm();
        }
        Poll::Ready(Ok(()))
    }

    /// With an empty queue: the end of the stream, or a wait for more.
    #[inline]
    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut inbox = self.state.inbox.borrow_mut();
        match inbox.end {
            Some(End::Closed) => return Poll::Ready(Ok(())),
            Some(End::Failed(errno)) => {
                // An error is told once; what follows it is the end of the stream.
                inbox.end = Some(End::Closed);
                return Poll::Ready(Err(io::Error::from_raw_os_error(errno)));
            }
            None => {}
        }
        let is_armed = inbox.armed;
        let is_known = inbox
            .reader
            .as_ref()
            .is_some_and(|known| known.will_wake(cx.waker()));
        drop(inbox);
        if !is_known {
            keep(&self.state.inbox, |inbox| &mut inbox.reader, cx.waker());
        }
        if is_armed || self.arm() {
            Poll::Pending
        } else {
            Poll::Ready(Err(proactor_gone()))
        }
    }

    #[cold]
    fn arm(&self) -> bool {
        if std::mem::replace(&mut self.state.inbox.borrow_mut().armed, true) {
            return true;
        }
        let started = self.state.fd.handle().shared().start(&self.key);
        if !started {
            self.state.inbox.borrow_mut().armed = false;
        }
        started
    }
}

impl State {
    /// Copies what has arrived and returns how much that was. What is left of the last piece
    /// becomes the `current` one.
    #[inline]
    fn copy_out(&self, inbox: &mut Inbox, buf: &mut [u8], current: &mut Option<Piece>) -> usize {
        let mut copied = 0;
        while copied < buf.len()
            && let Some(mut piece) = inbox.pop()
        {
            let bytes = self.bytes(&piece);
            let len = bytes.len();
            inbox.queued_bytes -= len;
            let room = &mut buf[copied..];
            let count = len.min(room.len());
            room[..count].copy_from_slice(&bytes[..count]);
            copied += count;
            if count < len {
                piece.advance(count);
                *current = Some(piece);
            } else if let Piece::Lent(lent) = piece {
                self.lender().give_back(lent);
            }
        }
        copied
    }

    #[inline]
    fn bytes<'a>(&'a self, piece: &'a Piece) -> &'a [u8] {
        match piece {
            Piece::Lent(lent) => self.lender().bytes(lent),
            Piece::Own { bytes, start, end } => &bytes[*start..*end],
        }
    }

    #[inline]
    fn lender(&self) -> &Rc<BufPool> {
        self.pool.as_ref().expect("lent bytes come from a pool")
    }

    /// Whether the queue holds as much as one stream may.
    fn is_full(&self, inbox: &Inbox) -> bool {
        inbox.queued_bytes >= HIGH_WATER_BYTES || inbox.behind.len() >= self.pieces_max
    }

    /// The bytes that a completion brought.
    #[inline]
    fn piece(&self, inbox: &mut Inbox, cqe: Cqe, filled: u32) -> Piece {
        match cqe.buffer_id() {
            Some(id) => Piece::Lent(self.lender().lend(id, filled)),
            None => inbox.own_piece(filled),
        }
    }

    /// Disposes of bytes that nobody will read.
    #[cold]
    fn give_back(&self, piece: Piece) {
        if let Piece::Lent(lent) = piece {
            self.lender().give_back(lent);
        }
    }
}

impl Inbox {
    /// The bytes that a receive without a provided buffer brought.
    #[cold]
    fn own_piece(&mut self, filled: u32) -> Piece {
        let bytes = self.own.take().expect("N1: bytes arrive in a buffer");
        Piece::Own {
            bytes,
            start: 0,
            end: filled as usize,
        }
    }

    /// Whether a full queue, whose receive was ended, has been emptied.
    #[inline]
    fn is_drained(&self) -> bool {
        !self.armed && self.front.is_none() && self.end.is_none()
    }

    #[inline]
    fn push(&mut self, piece: Piece) {
        if self.front.is_none() {
            self.front = Some(piece);
        } else {
            self.push_behind(piece);
        }
    }

    #[cold]
    fn push_behind(&mut self, piece: Piece) {
        self.behind.push_back(piece);
    }

    /// A completion without bytes: the end of the stream, of the receive, or an interruption.
    #[cold]
    fn ended(&mut self, cqe: Cqe) -> Flow {
        match cqe.errno() {
            0 => self.end = Some(End::Closed),
            // The pool was empty, or we asked for the end: the reader's next poll arms again.
            libc::ENOBUFS | libc::ECANCELED | RETIRED => {}
            libc::EINTR | libc::EAGAIN if cqe.is_last() => {
                self.armed = true;
                return Flow::Again;
            }
            errno => self.end = Some(End::Failed(errno)),
        }
        Flow::Rest
    }

    #[inline]
    fn pop(&mut self) -> Option<Piece> {
        let piece = self.front.take();
        if !self.behind.is_empty() {
            self.front = self.behind.pop_front();
        }
        piece
    }
}

impl Piece {
    fn len(&self) -> usize {
        match self {
            Self::Lent(lent) => lent.len(),
            Self::Own { start, end, .. } => end - start,
        }
    }

    fn advance(&mut self, count: usize) {
        match self {
            Self::Lent(lent) => lent.advance(count),
            Self::Own { start, .. } => *start += count,
        }
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.consume(usize::MAX);
        let reader = {
            let mut inbox = self.state.inbox.borrow_mut();
            inbox.closed = true;
            while let Some(piece) = inbox.pop() {
                if let Piece::Lent(lent) = piece {
                    self.state.lender().give_back(lent);
                }
            }
            inbox.reader.take()
        };
        drop(reader);
        drop(self.state.fd.handle().shared().release(&self.key, false));
    }
}

impl fmt::Debug for Receiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inbox = self.state.inbox.borrow();
        f.debug_struct("Receiver")
            .field("fd", &self.state.fd)
            .field("queued_bytes", &(inbox.queued_bytes + self.current_len()))
            .field("armed", &inbox.armed)
            .field("end", &inbox.end)
            .finish()
    }
}

/// Counterparts: `io_uring_prep_recv_multishot(3)`, and `io_uring_prep_recv(3)` into a buffer of
/// its own while no provided buffer is free.
struct RecvMultishot {
    state: Rc<State>,
}

// SAFETY: N1, the entry names the counted descriptor and either no memory (the kernel picks a
// buffer of the pool) or the `own` buffer on the heap, which is left alone while `armed`.
unsafe impl Service for RecvMultishot {
    const NAME: &'static str = "recv multishot";

    fn prepare(&mut self, sqe: &mut Sqe) {
        *sqe = Sqe {
            // Without waiting for readiness first, an empty pool would be an answer at once.
            ioprio: POLL_FIRST,
            ..Sqe::on(io_uring::opcode::Recv::CODE, &self.state.fd)
        };
        let pool = self.state.pool.as_ref();
        if let Some(pool) = pool.filter(|pool| pool.provided() > 0) {
            sqe.ioprio |= RECV_MULTISHOT;
            sqe.flags |= BUFFER_SELECT;
            sqe.buffer = pool.group();
            return;
        }
        let mut inbox = self.state.inbox.borrow_mut();
        let own = inbox.own.insert(vec![0; OWN_LEN].into_boxed_slice());
        sqe.set_memory(own.as_mut_ptr(), own.len());
    }

    #[inline]
    fn on_completion(&mut self, cqe: Cqe, wakes: &mut Vec<Waker>) -> Flow {
        let mut inbox = self.state.inbox.borrow_mut();
        let last = cqe.is_last();
        if last {
            inbox.armed = false;
            inbox.stopping = false;
        }
        match u32::try_from(cqe.res) {
            Ok(filled) if filled > 0 => {
                let piece = self.state.piece(&mut inbox, cqe, filled);
                if inbox.closed {
                    self.state.give_back(piece);
                } else {
                    inbox.queued_bytes += filled as usize;
                    inbox.push(piece);
                }
            }
            Ok(_) | Err(_) => {
                if inbox.ended(cqe) == Flow::Again {
                    return Flow::Again;
                }
            }
        }
        if !last && self.state.is_full(&inbox) && !inbox.stopping {
            inbox.stopping = true;
            wakes.extend(inbox.reader.take());
            return Flow::Stop;
        }
        if let Some(reader) = inbox.reader.take() {
            wakes.push(reader);
        }
        Flow::Rest
    }
}

/// Past this much, a stream's bytes wait in the kernel.
const HIGH_WATER_BYTES: usize = 256 * 1024;
/// The most pieces that one stream holds, whatever the size of the pool.
const PIECES_MAX: usize = 64;
const OWN_LEN: usize = 16 * 1024;
/// `IORING_RECVSEND_POLL_FIRST`.
const POLL_FIRST: u16 = 1 << 0;
/// `IORING_RECV_MULTISHOT`.
const RECV_MULTISHOT: u16 = 1 << 1;
