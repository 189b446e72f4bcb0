//! Where the items come from.

use crate::contain::{Payload, catch, drop_quietly};

/// The iterator of a map, and what was just pulled out of it.
pub(super) struct Source<I: Iterator> {
    /// `None` when it has ended.
    items: Option<I>,
    /// Items on their way from the iterator to the shared state; empty between calls.
    pub(super) pulled: Vec<I::Item>,
}

impl<I: Iterator> Source<I> {
    pub(super) fn new(items: I) -> Self {
        Self {
            items: Some(items),
            pulled: Vec::new(),
        }
    }

    /// Returns whether nothing more can be pulled.
    pub(super) fn has_ended(&self) -> bool {
        self.items.is_none()
    }

    /// Pulls up to `room` items, and gives the iterator up when it has ended or panics.
    pub(super) fn fill(&mut self, room: usize) -> Option<Payload> {
        let items = self.items.as_mut()?;
        let pulled = &mut self.pulled;
        let ended = catch(|| {
            while pulled.len() < room {
                let Some(item) = items.next() else {
                    return true;
                };
                pulled.push(item);
            }
            false
        });
        let mut panics = match ended {
            Ok(false) => return None,
            Ok(true) => None,
            Err(payload) => Some(payload),
        };
        let items = self.items.take();
        if let Err(payload) = catch(move || drop(items)) {
            match panics {
                None => panics = Some(payload),
                Some(_) => drop_quietly(payload),
            }
        }
        panics
    }
}
