//! The interpreter: one step after another, and what holds after each.

use std::io;
use std::rc::Weak;
use std::time::Duration;

use ringloop_core::{Driver, Unparker};
use ringloop_proactor::{BufGroupConfig, Proactor};

use super::model::Model;
use super::script::{Script, Step};
use super::setup::Setup;
use super::start::STARTS;
use super::story::Story;
use super::task::{Fate, Progress, Task};

/// A program that runs.
pub(super) struct World<'a> {
    /// First, so that it is told before the rest is dropped.
    story: Story,
    pub(super) setup: &'a Setup,
    pub(super) proactor: Proactor,
    pub(super) unparker: Unparker,
    pub(super) model: Model,
    pub(super) tasks: Vec<Task>,
    pub(super) has_forgotten: bool,
    /// What the proactor left behind when it ended.
    pub(super) left: usize,
}

impl<'a> World<'a> {
    pub(super) fn new(setup: &'a Setup) -> Self {
        let proactor = Proactor::simulated(&setup.config, &setup.sim);
        let simulation = proactor.simulation().unwrap();
        let handle = proactor.handle();
        let mut config = BufGroupConfig::default()
            .count(2)
            .count_max(4)
            .len_bytes(64);
        if setup.group_is_incremental {
            config = config.incremental();
        }
        let group = handle.provide(&config).unwrap();
        let fixed = handle.register_buffers(2, 64).unwrap();
        let mut model = Model::new(handle, simulation, group, fixed, setup);
        model.add_pair();
        Self {
            setup,
            unparker: proactor.unparker(),
            proactor,
            story: Story::new(model.simulation.clone()),
            model,
            tasks: Vec::new(),
            has_forgotten: false,
            left: 0,
        }
    }

    pub(super) fn run(mut self, mut script: Script<'_>) {
        let mut steps = 0;
        while let Some(step) = script.step()
            && steps < STEPS_MAX
        {
            self.step(step);
            self.check();
            steps += 1;
        }
        self.end();
    }

    fn step(&mut self, step: Step) {
        self.story.tell(|| format!("{step:?}"));
        match step.verb % 96 {
            verb @ 0..STARTS => self.start(verb, step),
            44..54 => self.with_task(step, |world, at| world.poll(at, step.how)),
            54..63 => drop(self.poll_ready()),
            63..66 => self.with_task(step, Self::cancel),
            66..69 => self.with_task(step, Self::drop_task),
            69 => self.with_task(step, Self::forget_task),
            70..81 => self.park(step),
            81 | 82 => self.unparker.unpark(),
            83 | 84 => self.drop_end(step),
            85 | 86 => self.drop_chunk(step),
            87 => self.split_chunk(step),
            88 => self.look(step),
            89 => self.model.group.shrink_to(step.size.into()),
            90 if step.which.is_multiple_of(8) => self.shut_down(),
            _ => self.park(step),
        }
    }

    fn start(&mut self, verb: u8, step: Step) {
        if self.tasks.len() == TASKS_MAX {
            return;
        }
        if let Some(job) = self.model.start(verb, step) {
            let at = self.tasks.len();
            self.story.tell(|| format!("{} is task {at}", job.name()));
            self.tasks.push(Task::new(job, self.unparker.clone()));
            if step.has(7) {
                self.poll(at, 0);
            }
        }
    }

    pub(super) fn cancel(&mut self, at: usize) {
        self.story.tell(|| format!("task {at} is asked to end"));
        self.tasks[at].request_cancel();
    }

    fn with_task(&mut self, step: Step, work: impl FnOnce(&mut Self, usize)) {
        if !self.tasks.is_empty() {
            work(self, step.choose(self.tasks.len()));
        }
    }

    fn poll(&mut self, at: usize, how: u8) {
        let progress = self.tasks[at].poll(&mut self.model, how);
        let name = self.tasks[at].job.name();
        self.story
            .tell(|| format!("task {at}, {name}, is polled: {progress:?}"));
        if progress == Progress::Done {
            drop(self.tasks.remove(at));
        }
    }

    /// Polls everything that wants it, once. `false`: nothing does.
    pub(super) fn poll_ready(&mut self) -> bool {
        let mut at = 0;
        let mut has_polled = false;
        while at < self.tasks.len() {
            let count = self.tasks.len();
            if self.tasks[at].is_ready() {
                has_polled = true;
                self.poll(at, 0);
            }
            // Who is done has left its place to the next.
            at += usize::from(self.tasks.len() == count);
        }
        has_polled
    }

    pub(super) fn drop_task(&mut self, at: usize) {
        let mut task = self.tasks.remove(at);
        self.story
            .tell(|| format!("task {at}, {}, is dropped", task.job.name()));
        task.job.give_up(&mut self.model, Fate::Dropped);
    }

    /// Nobody touches the task again as long as the proactor is there.
    #[expect(clippy::mem_forget, reason = "forgetting is what is tried here")]
    fn forget_task(&mut self, at: usize) {
        let mut task = self.tasks.remove(at);
        self.story
            .tell(|| format!("task {at}, {}, is forgotten", task.job.name()));
        task.job.give_up(&mut self.model, Fate::Forgotten);
        self.has_forgotten = true;
        let job = task.job.into_any();
        if self.setup.is_leaky {
            std::mem::forget(job);
        } else {
            self.model.forgotten.push(job);
        }
    }

    fn park(&mut self, step: Step) {
        let timeout = match step.how & 7 {
            0..3 => Some(Duration::ZERO),
            3 | 4 => Some(Duration::from_micros(u64::from(step.size) * 10)),
            5 | 6 => Some(Duration::from_secs(1)),
            _ => None,
        };
        self.turn(timeout);
    }

    /// Parks. `false`: nothing that is in flight can ever end.
    pub(super) fn turn(&mut self, timeout: Option<Duration>) -> bool {
        self.story.tell(|| format!("park, {timeout:?}"));
        match self.proactor.park(timeout) {
            Ok(()) => true,
            Err(error) if error.kind() == io::ErrorKind::Deadlock => false,
            Err(_) if self.model.is_down => false,
            Err(error) => panic!("a park failed: {error}"),
        }
    }

    fn drop_end(&mut self, step: Step) {
        if !self.model.ends.is_empty() {
            let at = step.choose(self.model.ends.len());
            drop(self.model.ends.remove(at));
        }
    }

    fn drop_chunk(&mut self, step: Step) {
        if !self.model.held.is_empty() {
            self.model.let_go(step.choose(self.model.held.len()));
        }
    }

    fn split_chunk(&mut self, step: Step) {
        let held = &mut self.model.held;
        if held.is_empty() {
            return;
        }
        let at = step.choose(held.len());
        let (chunk, bytes) = &mut held[at];
        let count = usize::from(step.size) % (chunk.len() + 1);
        let rest = bytes.split_off(count);
        let front = chunk.split_to(count);
        let front = (front, std::mem::replace(bytes, rest));
        held.push(front);
    }

    /// What is told in words is told without a panic.
    fn look(&mut self, step: Step) {
        let reports = self.model.handle.operations();
        let live = self.proactor.stats().live;
        assert_eq!(reports.len(), live, "reports of what is in the table");
        if step.has(0) {
            let words: Vec<String> = reports.iter().map(ToString::to_string).collect();
            assert!(words.iter().all(|words| !words.is_empty()), "{words:?}");
        }
    }

    /// Ends the proactor. The program goes on with its handles.
    pub(super) fn shut_down(&mut self) {
        self.story.tell(|| "shut down".to_owned());
        self.model.is_down = true;
        self.left += self.proactor.shut_down();
    }

    /// What holds after every step.
    fn check(&mut self) {
        let stats = self.proactor.stats();
        assert_eq!(stats.stale_completions, 0, "a completion of nothing");
        let jobs: usize = self.tasks.iter().map(|task| task.job.slots()).sum();
        let acceptors = self.model.acceptors.iter();
        let acceptors = acceptors.filter(|acceptor| Weak::strong_count(acceptor) > 0);
        let held = jobs + acceptors.count();
        assert!(stats.live >= held, "{} live, {held} held", stats.live);
        assert!(stats.live >= stats.in_flight, "{stats:?}");
        if stats.in_flight == 0 {
            self.model
                .files
                .iter_mut()
                .for_each(super::disk::File::is_quiet);
        }
    }
}

const STEPS_MAX: usize = 250;
const TASKS_MAX: usize = 24;
