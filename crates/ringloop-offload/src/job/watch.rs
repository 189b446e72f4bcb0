//! What stays known of a job while it runs, for reports and for those who want to hear of a request.

use std::fmt;
use std::sync::Arc;
use std::task::Waker;

use super::head::Head;
use super::{ListenerKey, Reason, Tag, Work};

/// A view of a job from outside, for reports: it neither runs it nor waits for it.
#[derive(Clone)]
pub(crate) struct Watch(pub(super) Arc<dyn Work>);

impl Watch {
    pub(crate) fn head(&self) -> &Head {
        self.0.head()
    }

    pub(crate) fn tag(&self) -> &Tag {
        self.0.head().tag()
    }

    pub(crate) fn is_asked(&self) -> bool {
        self.0.head().is_asked()
    }

    pub(crate) fn reason(&self) -> Option<Reason> {
        self.0.head().reason()
    }

    /// Registers a waker for the request to stop, in place of that of `key`. `None`: it was made.
    pub(crate) fn listen(&self, key: Option<ListenerKey>, waker: &Waker) -> Option<ListenerKey> {
        self.0.head().listen(key, waker)
    }

    /// Takes a waker back.
    pub(crate) fn unlisten(&self, key: ListenerKey) {
        self.0.head().unlisten(key);
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch")
            .field("id", &self.head().id())
            .field("tag", self.tag())
            .field("waits_for", &self.head().is_waiting_for())
            .finish()
    }
}
