//! Telling a program of every submission and completion.
//!
//! What happens is written down while the queue is borrowed, and told when it is not, before the
//! batch's wakers run. So an observer may use the handle, panic, or end the proactor.

use std::collections::VecDeque;
use std::fmt;
use std::rc::Rc;

use crate::handle::Handle;
use crate::op::{OpKey, OpTable, Staged};
use crate::ring::Cqe;

impl Handle {
    /// Sets who is told of every submission and completion, or that nobody is any more.
    ///
    /// There is one observer. It is called by `park`, after a batch of completions has been taken and
    /// before anybody is woken; what happened before it was set it does not hear of. If it panics,
    /// everybody is woken all the same, and the events that are left are told with the next batch. A
    /// proactor that was shut down has none.
    ///
    /// # Examples
    ///
    /// ```
    /// use ringloop_proactor::{Config, OpEvent, Proactor};
    /// use std::cell::RefCell;
    /// use std::rc::Rc;
    ///
    /// let mut proactor = Proactor::new(&Config::default())?;
    /// let handle = proactor.handle();
    /// let names = Rc::new(RefCell::new(Vec::new()));
    /// let seen = Rc::clone(&names);
    /// handle.set_observer(Some(Box::new(move |event| match event {
    ///     OpEvent::Submitted { name, .. } => seen.borrow_mut().push(*name),
    ///     _ => {}
    /// })));
    /// proactor.block_on(handle.nop())??;
    /// assert_eq!(*names.borrow(), ["nop"]);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn set_observer(&self, observer: Option<Box<Observer>>) {
        self.shared().set_observer(observer.map(Rc::from));
    }
}

/// What happened to an operation.
///
/// The `id` names one operation among those that are there at a time, and is not given to another
/// soon. A stream or a resource keeps its own when it is submitted again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OpEvent {
    /// It was handed to the kernel.
    #[non_exhaustive]
    Submitted {
        /// Which operation.
        id: u64,
        /// What it is called, mostly the name of the system call.
        name: &'static str,
        /// The descriptor, or the slot of a direct one; `None` if it works on none.
        fd: Option<i32>,
    },
    /// The kernel has answered.
    #[non_exhaustive]
    Completed {
        /// Which operation.
        id: u64,
        /// The result: zero or more on success, a negated errno otherwise.
        result: i32,
        /// `IORING_CQE_F_*`; with `IORING_CQE_F_MORE` among them, other answers follow.
        flags: u32,
    },
}

/// Who is told of it. See [`Handle::set_observer`].
pub type Observer = dyn Fn(&OpEvent);

pub(crate) type Tell = Rc<Observer>;

/// What has not been told yet, and to whom.
pub(crate) struct Log {
    tell: Tell,
    events: VecDeque<OpEvent>,
}

impl Log {
    pub(crate) fn new(tell: Tell) -> Box<Self> {
        let events = VecDeque::new();
        Box::new(Self { tell, events })
    }

    /// Writes down which of `staged` were submitted.
    #[cold]
    pub(crate) fn submitted(&mut self, table: &mut OpTable, staged: &[Staged]) {
        for key in staged.iter().map(|staged| staged.key()) {
            // The others were dropped before.
            if let Some((name, fd)) = table.in_words(key) {
                let id = key.to_user_data();
                self.events.push_back(OpEvent::Submitted { id, name, fd });
            }
        }
    }

    /// Writes down a completion, if it is that of an operation.
    #[cold]
    pub(crate) fn completed(&mut self, table: &mut OpTable, cqe: Cqe) {
        let key = OpKey::from_user_data(cqe.user_data);
        if key.and_then(|key| table.in_words(key)).is_some() {
            self.events.push_back(OpEvent::Completed {
                id: cqe.user_data,
                result: cqe.res,
                flags: cqe.flags,
            });
        }
    }

    /// The oldest event, and who is to be told.
    pub(crate) fn next(&mut self) -> Option<(Tell, OpEvent)> {
        let event = self.events.pop_front()?;
        Some((Rc::clone(&self.tell), event))
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Log")
            .field("events", &self.events.len())
            .finish_non_exhaustive()
    }
}
