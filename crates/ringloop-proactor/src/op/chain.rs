//! Operations that the kernel runs one after the other: links.
//!
//! A chain is submitted as one piece, so that the kernel sees all of it. It is built from whole
//! operations, and the flags that tie the entries together are written here and nowhere else: a
//! chain with a hole, with a loose end, or of operations that have begun cannot be made.

use std::fmt;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use super::{Op, OpKey, Operation};
use crate::handle::Handle;
use crate::ops::LinkTimeout;
use crate::ring::{IO_HARDLINK, IO_LINK};

/// What can stand in a chain: an [`Op`] that has not been polled, or a chain.
///
/// Counterpart: the section on `IOSQE_IO_LINK` in `io_uring_enter(2)`.
pub trait Link: sealed::Element + Future<Output: Sized> + Sized {
    /// Runs `next` when this has succeeded; if this fails, `next` ends with `ECANCELED`.
    ///
    /// A read or write that is shorter than asked for counts as a failure, a short receive does not.
    /// The kernel runs the second without waking anybody in between.
    ///
    /// # Examples
    ///
    /// ```
    /// use ringloop_proactor::{Config, Link, Proactor};
    ///
    /// let mut proactor = Proactor::new(&Config::default())?;
    /// let handle = proactor.handle();
    /// let (reader, writer) = std::io::pipe()?;
    /// let (reader, writer) = (handle.adopt(reader), handle.adopt(writer));
    /// let there = handle.write(&writer, b"ping".to_vec(), u64::MAX);
    /// let back = handle.read(&reader, Vec::with_capacity(4), u64::MAX);
    /// let (written, read) = proactor.block_on(there.then(back))?;
    /// assert_eq!((written?.0, read?.1), (4, b"ping".to_vec()));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Panics
    ///
    /// Panics if either has been polled already: what has begun cannot be tied to anything. Panics
    /// if they are of different proactors: a chain is in one queue.
    ///
    /// # Cancel safety
    ///
    /// Dropped, all of the chain is abandoned: what has not happened does not, as soon as the kernel
    /// hears of it.
    #[track_caller]
    fn then<B: Link>(self, next: B) -> Then<Self, B> {
        Then::new(self, next, IO_LINK)
    }

    /// Runs `next` when this has ended, whatever the result.
    ///
    /// # Panics
    ///
    /// As [`then`](Self::then).
    ///
    /// # Cancel safety
    ///
    /// As [`then`](Self::then).
    #[track_caller]
    fn then_always<B: Link>(self, next: B) -> Then<Self, B> {
        Then::new(self, next, IO_HARDLINK)
    }
}

impl<T: sealed::Element + Future<Output: Sized> + Sized> Link for T {}

/// An operation with a timeout in the kernel. The output has an [`Expiry`](crate::ops::Expiry)
/// beside the operation's own.
pub type WithTimeout<O> = Then<Op<O>, Op<LinkTimeout>>;

impl<O: Operation> Op<O> {
    /// Ends the operation with `ECANCELED` if it takes longer than `duration`. Counterpart:
    /// `io_uring_prep_link_timeout(3)`.
    ///
    /// The clock starts when the operation does. It costs about a microsecond more than a timer
    /// in user space, and does not interrupt an operation that blocks in a worker of the kernel
    /// (opening a FIFO, `fsync`): there, cancel it instead.
    ///
    /// # Panics
    ///
    /// Panics if the operation has been polled already.
    ///
    /// # Cancel safety
    ///
    /// As [`Link::then`].
    #[track_caller]
    pub fn with_timeout(self, duration: Duration) -> WithTimeout<O> {
        let timeout = Op::new(self.handle().clone(), LinkTimeout::new(duration));
        Then::new(self, timeout, IO_LINK)
    }
}

/// Two operations of which the second begins when the first has ended. Made by [`Link::then`].
///
/// Its output is the pair of theirs, once both are there.
#[must_use = "a chain does nothing until it is awaited"]
pub struct Then<A: Link, B: Link> {
    first: A,
    second: B,
    tie: u8,
    has_begun: bool,
    first_output: Option<A::Output>,
    second_output: Option<B::Output>,
}

impl<A: Link, B: Link> Then<A, B> {
    #[track_caller]
    fn new(first: A, second: B, tie: u8) -> Self {
        assert!(
            first.is_unstarted() && second.is_unstarted(),
            "an operation that was polled cannot become a part of a chain"
        );
        // Keys name operations of one table only: elsewhere they would name others.
        assert!(
            sealed::Element::handle(&first).is_same(sealed::Element::handle(&second)),
            "operations of two proactors cannot become a chain: make both with one handle"
        );
        Self {
            first,
            second,
            tie,
            has_begun: false,
            first_output: None,
            second_output: None,
        }
    }

    /// Asks the kernel to end what has not happened yet. The outputs then tell what has.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    pub fn request_cancel(&mut self) {
        self.refuse_staged();
        sealed::Element::ask(self);
        self.ask_in_order();
    }

    /// Ends what waits for the next flush, all of it before anybody is told: a waker may take a turn,
    /// and what is left of a chain then would run alone.
    fn refuse_staged(&self) {
        let shared = sealed::Element::handle(self).shared();
        shared.refuse_staged(&self.keys());
    }

    /// Sees to it that an operation which begins after the request is asked again.
    fn ask_in_order(&self) {
        let shared = sealed::Element::handle(self).shared();
        shared.cancel_in_order(&self.keys());
    }

    fn keys(&self) -> Vec<OpKey> {
        let mut keys = Vec::new();
        sealed::Element::keys(self, &mut keys);
        keys
    }

    fn begin(&mut self, cx: &mut Context<'_>) {
        self.has_begun = true;
        let mut entries = Vec::new();
        let is_whole = sealed::Element::enter_table(self, cx, 0, &mut entries);
        let handle = sealed::Element::handle(self).clone();
        if !is_whole || !handle.shared().stage_chain(&entries) {
            sealed::Element::ask(self);
        }
    }
}

impl<A: Link + Unpin, B: Link + Unpin> Future for Then<A, B> {
    type Output = (A::Output, B::Output);

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        if !mem::replace(&mut this.has_begun, true) {
            this.begin(cx);
        }
        if this.first_output.is_none()
            && let Poll::Ready(output) = Pin::new(&mut this.first).poll(cx)
        {
            this.first_output = Some(output);
        }
        if this.second_output.is_none()
            && let Poll::Ready(output) = Pin::new(&mut this.second).poll(cx)
        {
            this.second_output = Some(output);
        }
        match (this.first_output.take(), this.second_output.take()) {
            (Some(first), Some(second)) => Poll::Ready((first, second)),
            (first, second) => {
                this.first_output = first;
                this.second_output = second;
                Poll::Pending
            }
        }
    }
}

/// Like an [`Op`], a chain is not pinned in the future.
impl<A: Link, B: Link> Unpin for Then<A, B> {}

impl<A: Link, B: Link> Drop for Then<A, B> {
    fn drop(&mut self) {
        // Each operation asks for its own end when it is dropped, next. One that has not begun is
        // not found then, and is asked again when its turn comes.
        self.refuse_staged();
        self.ask_in_order();
    }
}

impl<A: Link + fmt::Debug, B: Link + fmt::Debug> fmt::Debug for Then<A, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Then")
            .field("first", &self.first)
            .field("second", &self.second)
            .finish_non_exhaustive()
    }
}

mod sealed {
    use super::{Context, Handle, Link, Op, OpKey, Operation, Then};

    /// A part of a chain. Only operations and chains are.
    #[expect(unnameable_types, reason = "sealed: nobody else makes parts of chains")]
    pub trait Element {
        fn handle(&self) -> &Handle;
        fn is_unstarted(&self) -> bool;
        fn keys(&self, keys: &mut Vec<OpKey>);
        fn ask(&mut self);

        /// Moves all operations into the table, in order, the last one's entry tied with `tie`.
        /// `false`: one of them was refused.
        fn enter_table(
            &mut self,
            cx: &mut Context<'_>,
            tie: u8,
            entries: &mut Vec<(OpKey, u8)>,
        ) -> bool;
    }

    impl<O: Operation> Element for Op<O> {
        fn handle(&self) -> &Handle {
            Self::handle(self)
        }

        fn is_unstarted(&self) -> bool {
            Self::is_unstarted(self)
        }

        fn keys(&self, keys: &mut Vec<OpKey>) {
            keys.extend(self.key());
        }

        fn ask(&mut self) {
            self.request_cancel();
        }

        fn enter_table(
            &mut self,
            cx: &mut Context<'_>,
            tie: u8,
            entries: &mut Vec<(OpKey, u8)>,
        ) -> bool {
            // What a signal interrupts is not begun again: it would run outside of the chain.
            self.keep_interruption();
            let key = Self::enter_table(self, cx);
            entries.extend(key.map(|key| (key, tie)));
            key.is_some()
        }
    }

    impl<A: Link, B: Link> Element for Then<A, B> {
        fn handle(&self) -> &Handle {
            self.first.handle()
        }

        fn is_unstarted(&self) -> bool {
            !self.has_begun
        }

        fn keys(&self, keys: &mut Vec<OpKey>) {
            self.first.keys(keys);
            self.second.keys(keys);
        }

        fn ask(&mut self) {
            self.first.ask();
            self.second.ask();
        }

        fn enter_table(
            &mut self,
            cx: &mut Context<'_>,
            tie: u8,
            entries: &mut Vec<(OpKey, u8)>,
        ) -> bool {
            self.has_begun = true;
            self.first.enter_table(cx, self.tie, entries)
                && self.second.enter_table(cx, tie, entries)
        }
    }
}
