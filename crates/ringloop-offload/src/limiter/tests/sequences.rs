//! All sequences of a few steps. Everything a limiter decides is decided under its lock, so a
//! sequence of steps is all that an interleaving can be.
//!
//! The model is what the documentation says: a number of free slots, a line, and for each job
//! where it is.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};

use super::Shelf;
use crate::executor::Executor;
use crate::job::Job;
use crate::limiter::{Limited, Limiter};
use crate::offload::{Offload, offload_on};

#[derive(Clone, Copy, Debug)]
enum Step {
    Submit,
    /// Run the first job on the shelf.
    Run,
    /// Drop it instead.
    Lose,
    /// The waiter of the oldest job that waits in the limiter leaves.
    LeaveFirst,
    /// The waiter of the newest one.
    LeaveLast,
    /// The waiter of the first job on the shelf.
    LeaveForwarded,
    /// What is forwarded from here on is refused, or taken again.
    Refuse(bool),
    Limit(usize),
}

/// 14,641 sequences. With one step more it takes ten times as long.
const LEN: u32 = 4;

const STEPS: [Step; 11] = [
    Step::Submit,
    Step::Run,
    Step::Lose,
    Step::LeaveFirst,
    Step::LeaveLast,
    Step::LeaveForwarded,
    Step::Refuse(true),
    Step::Refuse(false),
    Step::Limit(0),
    Step::Limit(1),
    Step::Limit(2),
];

/// A shelf that can be told to refuse.
#[derive(Default)]
struct Moody {
    shelf: Shelf,
    refuses: AtomicBool,
}

impl Executor for Moody {
    fn execute(&self, job: Job) -> Result<(), Job> {
        match self.refuses.load(Ordering::Relaxed) {
            true => Err(job.refused("not in the mood")),
            false => self.shelf.execute(job),
        }
    }
}

/// What became of a job, as its waiter sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Pending,
    Ran,
    Rejected,
    Left,
}

/// What is expected.
#[derive(Default)]
struct Model {
    limit: usize,
    line: VecDeque<usize>,
    /// The jobs on the shelf. Those whose waiter has left are gone in all but name, and hold no slot.
    shelf: VecDeque<usize>,
    fates: Vec<Fate>,
    refuses: bool,
    granted: u64,
}

impl Model {
    fn in_use(&self) -> usize {
        let held = self
            .shelf
            .iter()
            .filter(|job| self.fates[**job] == Fate::Pending);
        held.count()
    }

    fn settle(&mut self) {
        while self.in_use() < self.limit
            && let Some(job) = self.line.pop_front()
        {
            self.granted += 1;
            match self.refuses {
                true => self.fates[job] = Fate::Rejected,
                false => self.shelf.push_back(job),
            }
        }
    }

    fn leave(&mut self, job: Option<usize>) {
        if let Some(job) = job {
            self.line.retain(|waiting| *waiting != job);
            self.fates[job] = Fate::Left;
        }
    }
}

struct Scene {
    executor: Arc<Moody>,
    limiter: Limiter,
    limited: Limited<Arc<Moody>>,
    offloads: Vec<Option<Offload<usize>>>,
    /// Captures of each job that are alive.
    alive: Vec<Arc<()>>,
    runs: Arc<AtomicUsize>,
    model: Model,
}

impl Scene {
    fn new() -> Self {
        let executor = Arc::new(Moody::default());
        let limiter = Limiter::new(1);
        Self {
            limited: limiter.over(Arc::clone(&executor)),
            executor,
            limiter,
            offloads: Vec::new(),
            alive: Vec::new(),
            runs: Arc::default(),
            model: Model {
                limit: 1,
                ..Model::default()
            },
        }
    }

    fn step(&mut self, step: Step) {
        let model = &mut self.model;
        match step {
            Step::Submit => {
                let id = self.offloads.len();
                let (alive, runs) = (Arc::new(()), Arc::clone(&self.runs));
                let captured = Arc::clone(&alive);
                let offload = offload_on(&self.limited, move || {
                    drop(captured);
                    runs.fetch_add(1, Ordering::Relaxed);
                    id
                });
                self.offloads.push(Some(offload));
                self.alive.push(alive);
                model.fates.push(Fate::Pending);
                model.line.push_back(id);
            }
            Step::Run | Step::Lose => {
                let job = self.executor.shelf.take();
                assert_eq!(job.is_some(), !model.shelf.is_empty());
                let runs = matches!(step, Step::Run);
                if let Some(id) = model.shelf.pop_front()
                    && model.fates[id] == Fate::Pending
                {
                    model.fates[id] = if runs { Fate::Ran } else { Fate::Rejected };
                }
                match job {
                    Some(job) if runs => job.run(),
                    job => drop(job),
                }
            }
            Step::LeaveFirst => self.leave(self.model.line.front().copied()),
            Step::LeaveLast => self.leave(self.model.line.back().copied()),
            Step::LeaveForwarded => self.leave(self.model.shelf.front().copied()),
            Step::Refuse(refuses) => {
                model.refuses = refuses;
                self.executor.refuses.store(refuses, Ordering::Relaxed);
            }
            Step::Limit(limit) => {
                model.limit = limit;
                self.limiter.set_limit(limit);
            }
        }
        self.model.settle();
        self.check();
    }

    fn leave(&mut self, id: Option<usize>) {
        self.model.leave(id);
        drop(id.map(|id| self.offloads[id].take()));
    }

    fn check(&mut self) {
        let model = &self.model;
        let stats = self.limiter.stats();
        assert_eq!(stats.limit, model.limit);
        assert_eq!(stats.in_use, model.in_use());
        assert_eq!(stats.waiting, model.line.len());
        assert_eq!(stats.granted, model.granted);
        assert_eq!(self.executor.shelf.len(), model.shelf.len());
        let ran = model.fates.iter().filter(|fate| **fate == Fate::Ran);
        assert!(self.runs.load(Ordering::Relaxed) >= ran.count());
        for (id, fate) in model.fates.iter().enumerate() {
            let is_alive = Arc::strong_count(&self.alive[id]) > 1;
            assert_eq!(
                is_alive,
                *fate == Fate::Pending,
                "captures of {id}: {fate:?}"
            );
        }
    }

    /// Compares what each waiter hears at the end, and who is left when everything is dropped.
    fn finish(mut self) {
        drop((self.limiter, self.limited));
        let pending = |fate: &Fate| *fate == Fate::Pending;
        for (id, offload) in self.offloads.iter_mut().enumerate() {
            let Some(offload) = offload else { continue };
            let poll = Pin::new(offload).poll(&mut Context::from_waker(Waker::noop()));
            let fate = match poll {
                Poll::Pending => Fate::Pending,
                Poll::Ready(Ok(output)) => {
                    assert_eq!(output, id);
                    Fate::Ran
                }
                Poll::Ready(Err(error)) => {
                    assert!(error.is_rejected());
                    Fate::Rejected
                }
            };
            // With all slots free and nobody to raise the limit, those in line are rejected.
            let expected = match self.model.fates[id] {
                Fate::Pending if self.model.in_use() == 0 => Fate::Rejected,
                fate @ (Fate::Pending | Fate::Ran | Fate::Rejected | Fate::Left) => fate,
            };
            assert_eq!(fate, expected, "job {id}");
        }
        // The handles are gone; the slots alone see to the rest.
        while let Some(job) = self.executor.shelf.take() {
            job.run();
        }
        let left = self.model.fates.iter().filter(|fate| pending(fate)).count();
        let alive = self
            .alive
            .iter()
            .filter(|alive| Arc::strong_count(alive) > 1);
        assert_eq!(alive.count(), 0, "{left} were pending");
    }
}

#[test]
fn every_sequence_of_steps_does_what_the_model_does() {
    // Two jobs and a line of one to begin with, so that the steps have something to act on.
    let start = [Step::Submit, Step::Submit, Step::Submit];
    let sequences = STEPS.len().pow(LEN);
    for number in 0..sequences {
        let mut rest = number;
        let mut scene = Scene::new();
        let mut steps = Vec::from(start);
        for _ in 0..LEN {
            steps.push(STEPS[rest % STEPS.len()]);
            rest /= STEPS.len();
        }
        for step in steps {
            scene.step(step);
        }
        scene.finish();
    }
}
