//! All tasks of a loop, and who waits for whom.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::edge;
use super::id::TaskId;
use super::reference::{TaskRef, TaskState};
use super::snapshot::TaskSnapshot;
use crate::context;
use crate::home::Home;

/// Returns a picture of all tasks of this thread's loop that have not ended, and of who waits for
/// whose end; an empty one outside of a loop.
///
/// Another thread gets it by [`Remote::call_soon`](crate::Remote::call_soon), between turns: also
/// when all tasks wait for each other. Counterpart: `asyncio.capture_call_graph`,
/// `asyncio.print_call_graph`, `python -m asyncio pstree`.
///
/// # Examples
///
/// ```
/// use ringloop_core::ThreadDriver;
/// use ringloop_task::{Scheduler, task, time};
/// use std::time::Duration;
///
/// Scheduler::new(ThreadDriver::new()).block_on(async {
///     let reader = task::Builder::new().name("reader").spawn(time::sleep(Duration::MAX));
///     let parser = task::Builder::new().name("parser").spawn(async { reader.await });
///     task::yield_now().await?;
///     let graph = task::graph();
///     let node = graph.node(parser.id()).unwrap();
///     assert_eq!(node.awaited_by(), []);
///     // task 2 "parser", waiting at …, spawned at …
///     // └── task 1 "reader", waiting at …, spawned at …
///     assert!(graph.to_string().contains("└── task"));
///     Ok::<(), ringloop_task::cancel::Cancelled>(())
/// })?;
/// # Ok::<(), ringloop_task::cancel::Cancelled>(())
/// ```
#[must_use]
#[doc(alias("capture_call_graph", "print_call_graph", "pstree"))]
pub fn graph() -> TaskGraph {
    let nodes = context::with_home(TaskNode::all).unwrap_or_default();
    TaskGraph { nodes }
}

/// All tasks of a loop, and who waits for whose end; see [`graph`].
///
/// It is plain data and may be sent to another thread. Its `Display` is a tree: under a task stand
/// those that it waits for. A task that several wait for is shown under the first; tasks that wait
/// for each other in a cycle are named at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskGraph {
    nodes: Vec<TaskNode>,
}

/// A task in a [`TaskGraph`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskNode {
    task: TaskSnapshot,
    awaited_by: Vec<TaskId>,
    awaiting: Vec<TaskId>,
}

impl TaskNode {
    /// Returns the nodes of all tasks that have not ended.
    fn all(home: &Home) -> Vec<Self> {
        let awaited_by = edge::all(home);
        let mut awaiting: Vec<_> = awaited_by
            .iter()
            .map(|&(task, waiter)| (waiter, task))
            .collect();
        awaiting.sort_unstable();
        let node = |task: &TaskRef| Self {
            task: task.snapshot(),
            awaited_by: partners(&awaited_by, task.id()),
            awaiting: partners(&awaiting, task.id()),
        };
        home.registry.live().iter().map(node).collect()
    }

    /// Returns what is known of the task itself.
    #[must_use]
    pub fn task(&self) -> &TaskSnapshot {
        &self.task
    }

    /// Returns the task's number.
    #[must_use]
    pub fn id(&self) -> TaskId {
        self.task.id
    }

    /// Returns who waits for the end of the task, in spawn order.
    #[must_use]
    pub fn awaited_by(&self) -> &[TaskId] {
        &self.awaited_by
    }

    /// Returns the tasks whose ends this one waits for, in spawn order.
    #[must_use]
    pub fn awaiting(&self) -> &[TaskId] {
        &self.awaiting
    }
}

/// Returns what stands beside `id` in pairs that are sorted.
fn partners(pairs: &[(TaskId, TaskId)], id: TaskId) -> Vec<TaskId> {
    let begin = pairs.partition_point(|&(one, _)| one < id);
    let pairs = pairs[begin..].iter().take_while(|&&(one, _)| one == id);
    pairs.map(|&(_, other)| other).collect()
}

impl TaskGraph {
    /// Returns the tasks in spawn order.
    #[must_use]
    pub fn nodes(&self) -> &[TaskNode] {
        &self.nodes
    }

    /// Returns a task.
    #[must_use]
    pub fn node(&self, id: TaskId) -> Option<&TaskNode> {
        let place = self.nodes.binary_search_by_key(&id, TaskNode::id).ok()?;
        self.nodes.get(place)
    }

    /// Returns the cycles: each task of one waits for the next, the last for the first. None of
    /// them will ever end, unless something else ends it. Every task that waits for itself through
    /// others is in at least one of them.
    #[must_use]
    pub fn cycles(&self) -> Vec<Vec<TaskId>> {
        let mut cycles = Vec::new();
        let mut places = BTreeMap::new();
        for start in &self.nodes {
            self.find_cycles(start.id(), &mut places, &mut cycles);
        }
        cycles
    }

    /// Walks along what is awaited, deepest first, without recursion. `places` says where on the
    /// path a task is: nowhere if it was walked to its end, and then nothing new is behind it.
    fn find_cycles(
        &self,
        start: TaskId,
        places: &mut BTreeMap<TaskId, Option<usize>>,
        cycles: &mut Vec<Vec<TaskId>>,
    ) {
        let mut path = Vec::new();
        let mut step = Some(start);
        loop {
            if let Some(id) = step {
                match places.get(&id) {
                    Some(None) => {}
                    Some(&Some(place)) => {
                        let cycle = path[place..].iter();
                        cycles.push(cycle.map(|&(id, _)| id).collect());
                    }
                    None => {
                        places.insert(id, Some(path.len()));
                        path.push((id, 0));
                    }
                }
            }
            let Some((id, next)) = path.last_mut() else {
                return;
            };
            let awaiting = self.node(*id).map_or(&[][..], TaskNode::awaiting);
            step = awaiting.get(*next).copied();
            *next += 1;
            if step.is_none() {
                places.insert(*id, None);
                path.pop();
            }
        }
    }
}

impl fmt::Display for TaskGraph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = BTreeSet::new();
        let roots = self.nodes.iter().filter(|node| node.awaited_by.is_empty());
        // Whatever is not below a root is in a cycle, or below one.
        for start in roots.chain(&self.nodes) {
            if !shown.contains(&start.id()) {
                self.fmt_tree(f, start, &mut shown)?;
            }
        }
        for cycle in self.cycles() {
            f.write_str("cycle: ")?;
            for id in &cycle {
                write!(f, "task {id} -> ")?;
            }
            writeln!(f, "task {}", cycle[0])?;
        }
        Ok(())
    }
}

impl TaskGraph {
    /// Shows a task and all that it waits for, without recursion.
    fn fmt_tree(
        &self,
        f: &mut fmt::Formatter<'_>,
        start: &TaskNode,
        shown: &mut BTreeSet<TaskId>,
    ) -> fmt::Result {
        let mut stack = vec![(start.id(), String::new(), "", "")];
        while let Some((id, indent, branch, below)) = stack.pop() {
            let Some(node) = self.node(id) else {
                continue;
            };
            write!(f, "{indent}{branch}{node}")?;
            if !shown.insert(id) {
                f.write_str(" (see above)\n")?;
                continue;
            }
            f.write_str("\n")?;
            let indent = if indent.len() < INDENT_MAX {
                indent + below
            } else {
                indent
            };
            let mut is_last = true;
            for &awaited in node.awaiting.iter().rev() {
                let (branch, below) = if is_last {
                    ("└── ", "    ")
                } else {
                    ("├── ", "│   ")
                };
                stack.push((awaited, indent.clone(), branch, below));
                is_last = false;
            }
        }
        Ok(())
    }
}

impl fmt::Display for TaskNode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let task = &self.task;
        write!(f, "task {}", task.id)?;
        if let Some(name) = &task.name {
            write!(f, " \"{name}\"")?;
        }
        f.write_str(match task.state {
            TaskState::Ready => ", ready",
            TaskState::Running => ", running",
            TaskState::Waiting => ", waiting",
            TaskState::Done => ", done",
        })?;
        if let Some(place) = task.parked_at {
            write!(f, " at {place}")?;
        }
        write!(f, ", spawned at {}", task.spawned_at)
    }
}

/// How far lines are indented, in bytes: a chain of tasks may be long.
const INDENT_MAX: usize = 256;
