//! What queues and channels have in common: items, and who waits to put or to get one.

use std::collections::VecDeque;

use crate::model::Grants;

/// An item: ordered by its tens, so that there are ties.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Item(pub(crate) u32);

impl Ord for Item {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.0 / 10).cmp(&(other.0 / 10))
    }
}

impl PartialOrd for Item {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Item {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Item {}

/// Which item comes out next.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Order {
    First,
    Last,
    Smallest,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Out {
    #[default]
    Done,
    Item(u32),
    Empty,
    Full,
    Closed,
    Items(Vec<u32>),
}

/// The items, in the order in which they came, and who waits.
#[derive(Debug)]
pub(crate) struct Items {
    order: Order,
    capacity: usize,
    pub(crate) buffer: Vec<u32>,
    /// Who was granted an item, and has not come for it.
    reserved: Vec<usize>,
    pub(crate) is_closed: bool,
    pub(crate) getters: VecDeque<usize>,
    pub(crate) putters: VecDeque<(usize, u32)>,
    outs: [Out; 4],
}

impl Items {
    pub(crate) fn new(order: Order, capacity: usize) -> Self {
        Self {
            order,
            capacity,
            buffer: Vec::new(),
            reserved: Vec::new(),
            is_closed: false,
            getters: VecDeque::new(),
            putters: VecDeque::new(),
            outs: [const { Out::Done }; 4],
        }
    }

    /// How many items are on their way to nobody.
    pub(crate) fn free(&self) -> usize {
        self.buffer.len() - self.reserved.len()
    }

    /// Grants `out` to somebody.
    pub(crate) fn give(&mut self, who: usize, out: Out, grants: &mut Grants) {
        self.outs[who] = out;
        grants.to(who);
    }

    pub(crate) fn put(&mut self, who: usize, item: u32, waits: bool, grants: &mut Grants) {
        if self.is_closed {
            return self.give(who, Out::Closed, grants);
        }
        if !waits && self.getters.is_empty() && self.free() >= self.capacity {
            return self.give(who, Out::Full, grants);
        }
        self.putters.push_back((who, item));
        self.settle(grants);
    }

    /// Moves items to where there is room, and grants them to those who wait for one.
    fn settle(&mut self, grants: &mut Grants) {
        while self.free() < self.capacity || !self.getters.is_empty() {
            let Some((who, item)) = self.putters.pop_front() else {
                break;
            };
            self.buffer.push(item);
            self.give(who, Out::Done, grants);
            self.grant(grants);
        }
        self.grant(grants);
    }

    fn grant(&mut self, grants: &mut Grants) {
        while self.free() > 0
            && let Some(who) = self.getters.pop_front()
        {
            self.reserved.push(who);
            grants.to(who);
        }
    }

    pub(crate) fn get(&mut self, who: usize, waits: bool, grants: &mut Grants) {
        if self.is_closed && self.buffer.is_empty() {
            return self.give(who, Out::Closed, grants);
        }
        let is_there = self.free() > 0 || !self.putters.is_empty();
        if !waits && !is_there {
            return self.give(who, Out::Empty, grants);
        }
        if self.free() > 0 {
            // Before what waits for room: it is not in the queue yet.
            self.reserved.push(who);
            return grants.to(who);
        }
        self.getters.push_back(who);
        self.settle(grants);
    }

    fn pop(&mut self) -> u32 {
        let of_least = |items: &[u32]| {
            let least = items.iter().map(|item| item / 10).min();
            items.iter().position(|item| Some(item / 10) == least)
        };
        let place = match self.order {
            Order::First => 0,
            Order::Last => self.buffer.len() - 1,
            Order::Smallest => of_least(&self.buffer).expect("there is an item"),
        };
        self.buffer.remove(place)
    }

    fn is_reserved_for(&mut self, who: usize) -> bool {
        let place = self.reserved.iter().position(|&other| other == who);
        place.map(|place| self.reserved.remove(place)).is_some()
    }

    pub(crate) fn take(&mut self, who: usize, grants: &mut Grants) -> Out {
        if self.is_reserved_for(who) {
            self.outs[who] = Out::Item(self.pop());
            self.end_if_drained(grants);
            if !self.is_closed {
                self.settle(grants);
            }
        }
        std::mem::take(&mut self.outs[who])
    }

    pub(crate) fn withdraw(&mut self, who: usize) {
        self.getters.retain(|&other| other != who);
        self.putters.retain(|&(other, _)| other != who);
    }

    pub(crate) fn refuse(&mut self, who: usize, grants: &mut Grants) {
        if self.is_reserved_for(who) {
            self.grant(grants);
        }
    }

    pub(crate) fn close(&mut self, grants: &mut Grants) {
        self.is_closed = true;
        for (who, _) in std::mem::take(&mut self.putters) {
            self.give(who, Out::Closed, grants);
        }
        self.end_if_drained(grants);
    }

    /// Gives what was left, in order.
    pub(crate) fn close_now(&mut self, grants: &mut Grants) -> Vec<u32> {
        let mut left = Vec::new();
        while !self.buffer.is_empty() {
            left.push(self.pop());
        }
        for who in std::mem::take(&mut self.reserved) {
            self.outs[who] = Out::Closed;
        }
        self.close(grants);
        left
    }

    fn end_if_drained(&mut self, grants: &mut Grants) {
        if self.is_closed && self.buffer.is_empty() {
            for who in std::mem::take(&mut self.getters) {
                self.give(who, Out::Closed, grants);
            }
        }
    }
}
