//! The tasks of one schedule, and the wakers that call them.
//!
//! A waker is foreign code to whoever wakes it, so these do what is allowed to foreign code: they
//! look at the thing that wakes or drops them, and in a crew that runs inline they poll the task
//! before the wake returns. A wake, or a drop of a waker, inside of a borrow does not get by. Each
//! poll has a waker of its own, and those of earlier polls do nothing: a waker that is not replaced
//! does not get by either.

use std::cell::{Cell, RefCell};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Wake, Waker};
use std::thread;

use crate::test_host::while_cancelled;

pub(crate) type Member = Pin<Box<dyn Future<Output = ()>>>;

/// What has to be told of what happens to a crew, before it happens.
pub(crate) trait Watcher {
    fn before_poll(&self, who: usize, is_cancelled: bool);
    fn after_poll(&self, who: usize);
    fn before_drop(&self, who: usize);
    /// A waker runs, or is dropped.
    fn look(&self);
}

/// The tasks of one schedule.
pub(crate) struct Crew {
    seats: Vec<Seat>,
    watcher: Rc<dyn Watcher>,
    is_inline: bool,
}

struct Seat {
    /// Not here while the task is polled, nor after its end.
    member: RefCell<Option<Member>>,
    is_woken: Cell<bool>,
    is_cancelled: Cell<bool>,
    is_gone: Cell<bool>,
    polls: Cell<u32>,
}

thread_local! {
    static CREW: RefCell<Option<Rc<Crew>>> = const { RefCell::new(None) };
    /// Who is being polled.
    static CURRENT: Cell<Option<usize>> = const { Cell::new(None) };
}

impl Crew {
    /// Makes a crew of tasks that are all to be polled, and makes it the one that wakers call.
    pub(crate) fn assemble(
        members: impl IntoIterator<Item = Member>,
        watcher: Rc<dyn Watcher>,
        is_inline: bool,
    ) -> Rc<Self> {
        let seat = |member| Seat {
            member: RefCell::new(Some(member)),
            is_woken: Cell::new(true),
            is_cancelled: Cell::new(false),
            is_gone: Cell::new(false),
            polls: Cell::new(0),
        };
        let crew = Rc::new(Self {
            seats: members.into_iter().map(seat).collect(),
            watcher,
            is_inline,
        });
        CREW.set(Some(Rc::clone(&crew)));
        crew
    }

    pub(crate) fn len(&self) -> usize {
        self.seats.len()
    }

    pub(crate) fn is_gone(&self, who: usize) -> bool {
        self.seats[who].is_gone.get()
    }

    pub(crate) fn is_woken(&self, who: usize) -> bool {
        !self.is_gone(who) && self.seats[who].is_woken.get()
    }

    pub(crate) fn is_cancelled(&self, who: usize) -> bool {
        self.seats[who].is_cancelled.get()
    }

    /// Polls a task, woken or not, unless it is being polled.
    pub(crate) fn poll(&self, who: usize) {
        let seat = &self.seats[who];
        let Some(mut member) = seat.member.take() else {
            return;
        };
        seat.is_woken.set(false);
        self.watcher.before_poll(who, seat.is_cancelled.get());
        let poll = seat.polls.get() + 1;
        seat.polls.set(poll);
        let waker = Waker::from(Arc::new(Call { who, poll }));
        let mut cx = Context::from_waker(&waker);
        let outer = CURRENT.replace(Some(who));
        let polled = while_cancelled(seat.is_cancelled.get(), || member.as_mut().poll(&mut cx));
        CURRENT.set(outer);
        if polled.is_ready() {
            seat.is_gone.set(true);
        } else {
            seat.member.replace(Some(member));
        }
        self.watcher.after_poll(who);
    }

    /// Asks a task to end: its next wait says so.
    pub(crate) fn cancel(&self, who: usize) {
        self.seats[who].is_cancelled.set(true);
        self.wake(who);
    }

    /// Drops a task where it is.
    pub(crate) fn drop_member(&self, who: usize) {
        self.watcher.before_drop(who);
        let seat = &self.seats[who];
        seat.is_gone.set(true);
        let member = seat.member.take();
        drop(member);
    }

    /// Who is being polled.
    pub(crate) fn current() -> Option<usize> {
        CURRENT.get()
    }

    /// No waker calls anybody any more.
    pub(crate) fn dismiss() {
        CREW.set(None);
        CURRENT.set(None);
    }

    fn wake(&self, who: usize) {
        self.seats[who].is_woken.set(true);
        if self.is_inline && !self.is_gone(who) {
            self.poll(who);
        }
    }
}

/// The waker of a task.
struct Call {
    who: usize,
    /// The last that it was lent to.
    poll: u32,
}

impl Call {
    fn on_crew(act: impl FnOnce(&Crew)) {
        // While a failed check unwinds, nothing is to be checked.
        if !thread::panicking()
            && let Some(crew) = CREW.with_borrow(Clone::clone)
        {
            act(&crew);
        }
    }
}

impl Wake for Call {
    fn wake(self: Arc<Self>) {
        Self::on_crew(|crew| {
            crew.watcher.look();
            if crew.seats[self.who].polls.get() == self.poll {
                crew.wake(self.who);
            }
        });
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        Self::on_crew(|crew| crew.watcher.look());
    }
}
