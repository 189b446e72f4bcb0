//! The children of a group that have not ended.

use crate::task::TaskRef;

/// The place of a child in a [`Roster`].
pub(super) type Place = usize;

/// Children that live, in reused slots. A child takes its place before it is a task, so that its
/// end finds the place also if that comes inside the spawn.
#[derive(Debug, Default)]
pub(super) struct Roster {
    slots: Vec<Slot>,
    vacant: Option<Place>,
    len: usize,
}

#[derive(Debug)]
enum Slot {
    /// The next vacant slot.
    Vacant(Option<Place>),
    /// Of a child that is not a task yet.
    Reserved,
    Child(TaskRef),
}

impl Roster {
    /// Returns how many children live.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Gives a place to a child that is about to be spawned.
    pub(super) fn reserve(&mut self) -> Place {
        self.len += 1;
        let Some(place) = self.vacant else {
            self.slots.push(Slot::Reserved);
            return self.slots.len() - 1;
        };
        if let Slot::Vacant(next) = self.slots[place] {
            self.vacant = next;
        }
        self.slots[place] = Slot::Reserved;
        place
    }

    /// Notes the task at a place that is reserved; returns false, and keeps what is there, if it is
    /// not.
    pub(super) fn enter(&mut self, place: Place, task: &TaskRef) -> bool {
        let is_reserved = matches!(self.slots[place], Slot::Reserved);
        if is_reserved {
            self.slots[place] = Slot::Child(task.clone());
        }
        is_reserved
    }

    /// Gives a place back. Returns the task, for the caller to drop outside of the borrow.
    pub(super) fn leave(&mut self, place: Place) -> Option<TaskRef> {
        let slot = Slot::Vacant(self.vacant);
        self.vacant = Some(place);
        self.len -= 1;
        match std::mem::replace(&mut self.slots[place], slot) {
            Slot::Child(task) => Some(task),
            Slot::Vacant(_) | Slot::Reserved => None,
        }
    }

    /// Returns the children in spawn order.
    pub(super) fn children(&self) -> Vec<TaskRef> {
        let children = self.slots.iter().filter_map(|slot| match slot {
            Slot::Child(task) => Some(task.clone()),
            Slot::Vacant(_) | Slot::Reserved => None,
        });
        let mut children: Vec<_> = children.collect();
        children.sort_unstable_by_key(TaskRef::id);
        children
    }
}
