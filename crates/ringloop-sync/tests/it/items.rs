//! Items that say what became of them.

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

/// Which items were made and dropped.
#[derive(Clone, Default)]
pub(crate) struct Drops(Rc<RefCell<Vec<u32>>>);

/// An item with a number, which counts its drop.
pub(crate) struct Item {
    pub(crate) number: u32,
    drops: Drops,
}

impl Drops {
    pub(crate) fn item(&self, number: u32) -> Item {
        Item {
            number,
            drops: self.clone(),
        }
    }

    /// Which items were dropped so far, in order of their numbers.
    pub(crate) fn sorted(&self) -> Vec<u32> {
        let mut numbers = self.0.borrow().clone();
        numbers.sort_unstable();
        numbers
    }

    /// How many were dropped so far.
    pub(crate) fn count(&self) -> usize {
        self.0.borrow().len()
    }
}

impl Drop for Item {
    fn drop(&mut self) {
        self.drops.0.borrow_mut().push(self.number);
    }
}

impl fmt::Debug for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Item({})", self.number)
    }
}

impl PartialEq for Item {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}

/// An item whose destructor does something.
pub(crate) struct Fuse<F: FnMut()>(pub(crate) F);

impl<F: FnMut()> Drop for Fuse<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}
