//! Scenarios, and the walk over all their schedules.
//!
//! A schedule is a list of choices: which task is polled, cancelled or dropped next. The walk is
//! depth first, and each schedule is run from its beginning, so that there is nothing to undo.

use std::future::poll_fn;
use std::panic::{self, AssertUnwindSafe};
use std::rc::Rc;
use std::task::Poll;

use crate::crew::{Crew, Member};
use crate::model::{Ledger, OpOf, Subject};

/// What tasks do with a thing.
pub(crate) struct Scenario<S: Subject> {
    pub(crate) name: &'static str,
    pub(crate) make: fn() -> (S, S::Model),
    /// What the tasks do that may be cancelled and dropped, one line each.
    pub(crate) scripts: &'static [&'static [Step<OpOf<S>>]],
    /// What is done from outside, in order, at any time.
    pub(crate) acts: &'static [OpOf<S>],
    /// How many tasks are cancelled or dropped in one schedule, at most.
    pub(crate) faults: usize,
    /// How many schedules there are at least, so that they cannot get fewer unseen.
    pub(crate) at_least: usize,
}

/// One line of a script.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Step<T> {
    Do(T),
    /// Lets others go first.
    Yield,
}

/// What can be done to a crew.
#[derive(Debug, Clone, Copy)]
enum Choice {
    Poll(usize),
    /// A poll that nobody asked for.
    Nudge(usize),
    Cancel(usize),
    Drop(usize),
}

/// The choices of a schedule: which was taken, of how many.
#[derive(Default)]
struct Path {
    picks: Vec<(usize, usize)>,
    len: usize,
    /// How many choices are those of the path before.
    known: usize,
}

impl Path {
    fn pick(&mut self, of: usize) -> usize {
        if self.len == self.picks.len() {
            self.picks.push((0, of));
        }
        let (pick, known) = self.picks[self.len];
        assert_eq!(known, of, "the same choices lead to the same state");
        self.len += 1;
        pick
    }

    /// Whether no path before was like this one up to here.
    fn is_new(&self) -> bool {
        self.len > self.known
    }

    /// Turns to the next path. Returns whether there is one.
    fn advance(&mut self) -> bool {
        self.len = 0;
        while let Some((pick, of)) = self.picks.pop() {
            if pick + 1 < of {
                self.known = self.picks.len();
                self.picks.push((pick + 1, of));
                return true;
            }
        }
        false
    }
}

impl<S: Subject> Scenario<S> {
    /// Runs all schedules, with wakers that note the wake and with those that poll at once.
    pub(crate) fn explore(&self) {
        let counts = [false, true].map(|is_inline| self.walk(is_inline));
        #[expect(clippy::print_stderr, reason = "shown with --nocapture")]
        {
            eprintln!("{}: {counts:?} schedules", self.name);
        }
        let explored = counts.iter().sum::<usize>();
        assert!(
            explored >= self.at_least,
            "{}: only {explored} schedules",
            self.name
        );
    }

    fn walk(&self, is_inline: bool) -> usize {
        let mut path = Path::default();
        let mut explored = 0;
        loop {
            let mut taken = Vec::new();
            let run = AssertUnwindSafe(|| self.run(&mut path, is_inline, &mut taken));
            if let Err(panic) = panic::catch_unwind(run) {
                Crew::dismiss();
                let why = panic
                    .downcast_ref::<String>()
                    .map_or_else(|| panic.downcast_ref().copied(), |why| Some(why.as_str()));
                panic!(
                    "{}, inline {is_inline}, schedule {explored}: {}\nafter {taken:?}",
                    self.name,
                    why.unwrap_or("?")
                );
            }
            explored += 1;
            if !path.advance() {
                return explored;
            }
        }
    }

    fn run(&self, path: &mut Path, is_inline: bool, taken: &mut Vec<Choice>) {
        let (subject, model) = (self.make)();
        let subject = Rc::new(subject);
        let tasks = self.scripts.len() + usize::from(!self.acts.is_empty());
        let ledger = Rc::new(Ledger::new(Rc::clone(&subject), model, tasks));
        let members = (0..tasks).map(|who| self.member(who, &subject, &ledger));
        let crew = Crew::assemble(members, Rc::clone(&ledger) as _, is_inline);
        let mut left = Budget {
            faults: self.faults,
            nudges: usize::from(!is_inline),
        };
        loop {
            let choices = left.choices(&crew, self.scripts.len());
            if choices.is_empty() {
                break;
            }
            let choice = choices[path.pick(choices.len())];
            taken.push(choice);
            left.spend(choice);
            match choice {
                Choice::Poll(who) | Choice::Nudge(who) => crew.poll(who),
                Choice::Cancel(who) => crew.cancel(who),
                Choice::Drop(who) => crew.drop_member(who),
            }
            if path.is_new() {
                ledger.check(&crew);
            }
        }
        for who in (0..tasks).filter(|&who| !crew.is_gone(who)) {
            taken.push(Choice::Drop(who));
            crew.drop_member(who);
            ledger.check(&crew);
        }
        Crew::dismiss();
        subject.check_unused();
    }

    fn member(&self, who: usize, subject: &Rc<S>, ledger: &Rc<Ledger<S>>) -> Member {
        let (subject, ledger) = (Rc::clone(subject), Rc::clone(ledger));
        if let Some(&script) = self.scripts.get(who) {
            Box::pin(follow(who, script.iter().copied(), subject, ledger))
        } else {
            let act = |&op| [Step::Do(op), Step::Yield];
            Box::pin(follow(who, self.acts.iter().flat_map(act), subject, ledger))
        }
    }
}

async fn follow<S: Subject>(
    who: usize,
    script: impl Iterator<Item = Step<OpOf<S>>>,
    subject: Rc<S>,
    ledger: Rc<Ledger<S>>,
) {
    let mut hand = S::Hand::default();
    // Dropped before the hand and after a wait, also when the task is dropped.
    let _leaving = Leaving {
        who,
        ledger: &*ledger,
    };
    for step in script {
        match step {
            Step::Yield => let_others_go().await,
            Step::Do(op) => {
                ledger.begin(who, op);
                let got = subject.perform(op, &mut hand).await;
                if !ledger.finish(who, got) {
                    break;
                }
            }
        }
    }
}

/// Wakes the task, and goes on when it is polled again.
pub(crate) async fn let_others_go() {
    let mut is_second = false;
    poll_fn(|cx| {
        if is_second {
            return Poll::Ready(());
        }
        is_second = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

struct Leaving<'a, S: Subject> {
    who: usize,
    ledger: &'a Ledger<S>,
}

impl<S: Subject> Drop for Leaving<'_, S> {
    fn drop(&mut self) {
        self.ledger.end(self.who);
    }
}

/// What may be done yet in one schedule.
struct Budget {
    faults: usize,
    nudges: usize,
}

impl Budget {
    /// What can be done. The first `fallible` tasks can be cancelled and dropped.
    fn choices(&self, crew: &Crew, fallible: usize) -> Vec<Choice> {
        let mut choices = Vec::new();
        for who in (0..crew.len()).filter(|&who| !crew.is_gone(who)) {
            if crew.is_woken(who) {
                choices.push(Choice::Poll(who));
            } else if self.nudges > 0 {
                choices.push(Choice::Nudge(who));
            }
            if self.faults > 0 && who < fallible {
                if !crew.is_cancelled(who) {
                    choices.push(Choice::Cancel(who));
                }
                choices.push(Choice::Drop(who));
            }
        }
        choices
    }

    fn spend(&mut self, choice: Choice) {
        match choice {
            Choice::Poll(_) => {}
            Choice::Nudge(_) => self.nudges -= 1,
            Choice::Cancel(_) | Choice::Drop(_) => self.faults -= 1,
        }
    }
}
