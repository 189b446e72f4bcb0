//! How a program ends, and what is true then.

use std::time::Duration;

use ringloop_proactor::{OpReport, OpState};

use super::model::PATHS;
use super::task::Task;
use super::world::World;

impl World<'_> {
    /// Lets everything end, in one way or another, and looks at what is left.
    pub(super) fn end(mut self) {
        if !self.model.is_down && !self.setup.is_abrupt {
            if self.setup.runs_out {
                self.run_out();
                self.model
                    .flows
                    .iter()
                    .for_each(super::flow::Flow::check_idle);
            }
            (0..self.tasks.len()).for_each(|at| self.cancel(at));
            self.run_out();
            self.leave();
        }
        if !self.model.is_down {
            self.shut_down();
        }
        // What was started ends, and what is started now ends at once.
        while self.poll_ready() {}
        if !self.setup.is_leaky {
            assert_eq!(self.left, 0, "operations do not end");
            // Whoever waits for a close waits for all who use the descriptor.
            let asleep = |task: &&Task| task.is_waiting() && task.job.ends_with_proactor();
            let name = self.tasks.iter().find(asleep).map(|task| task.job.name());
            assert_eq!(name, None, "the proactor is gone, and somebody still waits");
        }
        while !self.tasks.is_empty() {
            self.drop_task(0);
        }
        self.look_back();
    }

    /// An executor: polls who was woken, and parks when nobody is left. It ends when nothing that is
    /// in flight can ever end.
    fn run_out(&mut self) {
        for _ in 0..TURNS_MAX {
            while !self.model.held.is_empty() {
                self.model.let_go(0);
            }
            if !self.poll_ready() && !self.turn(None) {
                for task in &self.tasks {
                    assert!(
                        !(task.is_asked && task.is_waiting()),
                        "it was asked to end, and does not"
                    );
                }
                return;
            }
        }
        panic!("there is no end to it");
    }

    /// Drops everything, and waits until it has ended.
    fn leave(&mut self) {
        while !self.tasks.is_empty() {
            self.drop_task(0);
        }
        self.model.ends.clear();
        self.turn(Some(Duration::ZERO));
        let mut turns = 0;
        while self.is_busy() && self.turn(None) {
            turns += 1;
            assert!(turns < TURNS_MAX, "there is no end to it");
        }
        let mut left = self.model.handle.operations();
        // Two senders that were dropped keep their connection open, and nobody reads.
        left.retain(|report| report.state != OpState::Idle && report.name != "send");
        assert!(
            left.is_empty() || self.has_forgotten,
            "it was dropped, and does not end: {left:?}"
        );
    }

    /// Whether something is to be submitted, or has been and has not ended.
    fn is_busy(&self) -> bool {
        let reports = self.model.handle.operations();
        let is_over =
            |report: &OpReport| [OpState::Idle, OpState::Completed].contains(&report.state);
        !reports.iter().all(is_over)
    }

    fn look_back(mut self) {
        while !self.model.held.is_empty() {
            self.model.let_go(0);
        }
        self.model.ends.clear();
        self.model.forgotten.clear();
        let stats = self.proactor.stats();
        assert_eq!(stats.stale_completions, 0, "a completion of nothing");
        let simulation = self.model.simulation.clone();
        for (file, path) in self.model.files.iter().zip(PATHS) {
            file.check(&simulation.read_file(path).unwrap_or_default());
        }
        if self.setup.is_leaky {
            return;
        }
        assert_eq!(stats.live, 0, "{:?}", self.model.handle.operations());
        assert_eq!(self.model.group.stats().lent, 0, "buffers of the group");
        assert_eq!(self.model.fixed.available(), 2, "registered buffers");
        // The poll of the proactor's own eventfd may be left: it names no memory.
        assert!(simulation.in_flight() <= 1, "{}", simulation.trace());
        drop(self);
        assert_eq!(simulation.open_descriptors(), 0, "{}", simulation.trace());
        assert_eq!(simulation.direct_descriptors(), 0, "{}", simulation.trace());
    }
}

const TURNS_MAX: usize = 20_000;
