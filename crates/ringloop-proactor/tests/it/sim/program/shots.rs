//! A multishot operation as a job.

use std::any::Any;
use std::io;
use std::task::{Context, Poll};

use ringloop_proactor::{Multishot, OpStream};

use super::model::Model;
use super::task::{Fate, Job, Progress};
use super::told;

/// What a stream brings.
pub(super) enum Shot<T> {
    Item(T),
    Error(io::Error),
    /// Nothing more comes, because it was asked to stop.
    Stopped,
    /// Nothing more comes.
    End,
    /// It is dropped, with what it holds.
    Lost,
}

/// Checks an item against the model.
type Note<T> = Box<dyn FnMut(&mut Model, Shot<T>)>;

/// The stream, and what to do with each item.
pub(super) struct Shots<M: Multishot> {
    stream: OpStream<M>,
    note: Note<M::Item>,
    is_asked: bool,
    is_over: bool,
    items_left: u32,
}

impl<M: Multishot> Shots<M> {
    pub(super) fn new(
        stream: OpStream<M>,
        note: impl FnMut(&mut Model, Shot<M::Item>) + 'static,
    ) -> Self {
        Self {
            stream,
            note: Box::new(note),
            is_asked: false,
            is_over: false,
            items_left: u32::MAX,
        }
    }

    /// Drops the stream after so many items: with a small completion queue, two polls of what is
    /// ready end and start each other for ever.
    pub(super) fn at_most(self, items_left: u32) -> Self {
        Self { items_left, ..self }
    }
}

impl<M: Multishot> Job for Shots<M> {
    fn poll(&mut self, model: &mut Model, cx: &mut Context<'_>, _how: u8) -> Progress {
        let Poll::Ready(next) = self.stream.poll_next(cx) else {
            return Progress::Pending;
        };
        let shot = match next {
            None if self.is_asked => Shot::Stopped,
            None => Shot::End,
            Some(Ok(item)) => Shot::Item(item),
            Some(Err(error)) => {
                told::check(&error, model.is_down);
                Shot::Error(error)
            }
        };
        self.items_left -= 1;
        self.is_over = !matches!(shot, Shot::Item(_)) || self.items_left == 0;
        (self.note)(model, shot);
        if self.is_over {
            Progress::Done
        } else {
            Progress::More
        }
    }

    fn request_cancel(&mut self) -> bool {
        self.stream.request_cancel();
        self.is_asked = true;
        true
    }

    /// One that was asked to stop, and had not begun, is over at once.
    fn wakes_first(&self) -> bool {
        !self.is_asked
    }

    fn name(&self) -> &'static str {
        M::NAME
    }

    fn slots(&self) -> usize {
        1
    }

    fn give_up(&mut self, model: &mut Model, _fate: Fate) {
        if !self.is_over {
            (self.note)(model, Shot::Lost);
        }
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}
