//! What a model says, and the ledger that compares it with what happens.
//!
//! A model is a plain value that knows the rules of a type and nothing of futures and wakers: who
//! begins what, who goes, and who is granted something by that. The ledger is told everything
//! before it happens, so that it holds also when wakers run tasks in the middle of it. Then it
//! claims:
//!
//! 1. Who was granted something has been woken, and its next poll takes it.
//! 2. What a wait gives is what the model says, and nobody gets what was not granted.
//! 3. A wait that was cancelled says so at the next poll if it was granted nothing by then, and
//!    only then.
//! 4. Nobody else is woken.

use std::cell::RefCell;
use std::fmt;
use std::mem;
use std::rc::Rc;
use std::thread;

use crate::crew::{Crew, Watcher};
use crate::test_host::Cancelled;

/// The rules of a type.
pub(crate) trait Model: fmt::Debug + 'static {
    type Op: fmt::Debug + Copy + 'static;
    /// What an operation gives.
    type Out: fmt::Debug + PartialEq + 'static;

    /// Whether tasks that are granted nothing may be woken.
    const WAKES_FOR_NOTHING: bool = false;

    /// Whether the operation is a wait, which a cancelled task does not begin.
    fn is_wait(op: Self::Op) -> bool;

    /// `who` does `op`, which grants to `who` if it is done at once.
    fn begin(&mut self, who: usize, op: Self::Op, grants: &mut Grants);

    /// `who`, which was granted something, is polled.
    fn come(&mut self, who: usize, grants: &mut Grants) -> Progress<Self::Out> {
        Progress::Done(Ok(self.take(who, grants)))
    }

    /// `who` comes for what it was granted.
    fn take(&mut self, who: usize, grants: &mut Grants) -> Self::Out;

    /// `who`, which waits, does so no more.
    fn withdraw(&mut self, who: usize, grants: &mut Grants);

    /// `who` does not come for what it was granted.
    fn refuse(&mut self, who: usize, grants: &mut Grants);

    /// `who` has ended, and lets go of all it has.
    fn end(&mut self, who: usize, grants: &mut Grants);

    /// `who`, which waits, is cancelled. Returns whether the wait is over.
    fn cancel(&mut self, who: usize, grants: &mut Grants) -> bool {
        self.withdraw(who, grants);
        true
    }
}

/// How far somebody gets who comes for what was granted.
pub(crate) enum Progress<T> {
    Done(Result<T, Cancelled>),
    /// Something else has to be waited for as well.
    Waits,
}

/// The thing itself, as its scenarios use it.
pub(crate) trait Subject: 'static {
    type Model: Model;
    /// What a task has of it.
    type Hand<'a>: Default;

    /// Does what the model is told by [`Model::begin`].
    fn perform<'a>(
        &'a self,
        op: OpOf<Self>,
        hand: &mut Self::Hand<'a>,
    ) -> impl Future<Output = Result<OutOf<Self>, Cancelled>>;

    /// Looks at it, which has to be possible at any time.
    fn peek(&self);

    /// Compares what can be seen of it with the model.
    fn check(&self, model: &Self::Model);

    /// Claims that it is as if nobody had used it.
    fn check_unused(&self);
}

pub(crate) type OpOf<S> = <<S as Subject>::Model as Model>::Op;
pub(crate) type OutOf<S> = <<S as Subject>::Model as Model>::Out;

/// Those who are granted something.
#[derive(Debug, Default)]
pub(crate) struct Grants(Vec<usize>);

impl Grants {
    pub(crate) fn to(&mut self, who: usize) {
        self.0.push(who);
    }
}

/// How far one task is, by the model.
#[derive(Debug)]
enum Stage<T> {
    /// It does something else.
    Idle,
    Waiting,
    /// It was granted something and has not come for it.
    Granted,
    /// The poll that runs gives this.
    Due(Result<T, Cancelled>),
}

/// The thing, its model, and how far each task is by it.
pub(crate) struct Ledger<S: Subject> {
    subject: Rc<S>,
    books: RefCell<Books<S::Model>>,
}

struct Books<M: Model> {
    model: M,
    stages: Vec<Stage<M::Out>>,
    is_cancelled: Vec<bool>,
}

impl<S: Subject> Ledger<S> {
    pub(crate) fn new(subject: Rc<S>, model: S::Model, tasks: usize) -> Self {
        let books = Books {
            model,
            stages: (0..tasks).map(|_| Stage::Idle).collect(),
            is_cancelled: vec![false; tasks],
        };
        Self {
            subject,
            books: RefCell::new(books),
        }
    }

    /// A task is about to begin something.
    pub(crate) fn begin(&self, who: usize, op: OpOf<S>) {
        let books = &mut *self.books.borrow_mut();
        assert!(matches!(books.stages[who], Stage::Idle));
        if books.is_cancelled[who] && S::Model::is_wait(op) {
            books.stages[who] = Stage::Due(Err(Cancelled));
            return;
        }
        books.stages[who] = Stage::Waiting;
        books.tell(|model, grants| model.begin(who, op, grants));
        books.come(who);
    }

    /// A task has done what it began. Returns whether it is to go on.
    pub(crate) fn finish(&self, who: usize, got: Result<OutOf<S>, Cancelled>) -> bool {
        let books = &mut *self.books.borrow_mut();
        books.come(who);
        match mem::replace(&mut books.stages[who], Stage::Idle) {
            Stage::Due(due) => assert_eq!(got, due, "{who} gets what it is due"),
            not_due @ (Stage::Idle | Stage::Waiting | Stage::Granted) => {
                panic!("{who} got {got:?} and is {not_due:?}, by {:?}", books.model)
            }
        }
        got.is_ok()
    }

    /// A task is about to let go of all it has.
    pub(crate) fn end(&self, who: usize) {
        if thread::panicking() {
            return;
        }
        self.books
            .borrow_mut()
            .tell(|model, grants| model.end(who, grants));
    }

    /// Compares everything with the model. Nothing runs.
    pub(crate) fn check(&self, crew: &Crew) {
        let books = self.books.borrow();
        for (who, stage) in books.stages.iter().enumerate() {
            match stage {
                _ if crew.is_gone(who) => {}
                Stage::Granted => {
                    let is_woken = crew.is_woken(who);
                    assert!(is_woken, "{who} sleeps on, by {:?}", books.model);
                }
                Stage::Waiting => {
                    let is_woken = crew.is_woken(who);
                    let may_be = S::Model::WAKES_FOR_NOTHING || crew.is_cancelled(who);
                    assert!(
                        may_be || !is_woken,
                        "{who} was woken for nothing, by {:?}",
                        books.model
                    );
                }
                Stage::Idle => {}
                Stage::Due(_) => panic!("{who} did not take what it is due"),
            }
        }
        self.subject.check(&books.model);
    }
}

impl<M: Model> Books<M> {
    fn tell(&mut self, what: impl FnOnce(&mut M, &mut Grants)) {
        let mut grants = Grants::default();
        what(&mut self.model, &mut grants);
        self.settle(grants);
    }

    fn settle(&mut self, Grants(to): Grants) {
        for who in to {
            assert!(
                matches!(self.stages[who], Stage::Waiting),
                "the model grants to {who}, which does not wait: {:?}",
                self.model
            );
            self.stages[who] = Stage::Granted;
        }
    }

    /// `who` comes for what it was granted, if it was.
    fn come(&mut self, who: usize) {
        if let Stage::Granted = self.stages[who] {
            let mut grants = Grants::default();
            self.stages[who] = match self.model.come(who, &mut grants) {
                Progress::Done(due) => Stage::Due(due),
                Progress::Waits => Stage::Waiting,
            };
            self.settle(grants);
        }
    }
}

impl<S: Subject> Watcher for Ledger<S> {
    fn before_poll(&self, who: usize, is_cancelled: bool) {
        let books = &mut *self.books.borrow_mut();
        books.is_cancelled[who] = is_cancelled;
        books.come(who);
        if is_cancelled && let Stage::Waiting = books.stages[who] {
            let mut grants = Grants::default();
            if books.model.cancel(who, &mut grants) {
                books.stages[who] = Stage::Due(Err(Cancelled));
            }
            books.settle(grants);
        }
    }

    fn after_poll(&self, who: usize) {
        let books = self.books.borrow();
        let stage = &books.stages[who];
        assert!(
            !matches!(stage, Stage::Due(_)),
            "{who} waits on and is {stage:?}, by {:?}",
            books.model
        );
    }

    fn before_drop(&self, who: usize) {
        let books = &mut *self.books.borrow_mut();
        match mem::replace(&mut books.stages[who], Stage::Idle) {
            Stage::Idle => {}
            Stage::Waiting => books.tell(|model, grants| model.withdraw(who, grants)),
            Stage::Granted => books.tell(|model, grants| model.refuse(who, grants)),
            Stage::Due(_) => panic!("nobody is dropped while it is polled"),
        }
    }

    fn look(&self) {
        // It may be between two states of the model.
        self.subject.peek();
    }
}
