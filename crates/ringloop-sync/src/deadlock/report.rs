//! What is found, as plain data.

use std::fmt;
use std::panic::Location;
use std::sync::Arc;

/// A task, as the reports of its host name it.
///
/// # Examples
///
/// ```
/// use ringloop_sync::deadlock::TaskLabel;
///
/// assert_eq!(TaskLabel::new(7, Some("writer")).to_string(), "task 7 \"writer\"");
/// assert_eq!(TaskLabel::new(8, None).to_string(), "task 8");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskLabel {
    id: u64,
    name: Option<Arc<str>>,
}

impl TaskLabel {
    /// Makes the label of a task. Its number is what tells it from others.
    #[must_use]
    pub fn new(id: u64, name: Option<&str>) -> Self {
        Self {
            id,
            name: name.map(Arc::from),
        }
    }

    /// Returns the task's number.
    #[must_use]
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Returns the task's name.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }
}

impl fmt::Display for TaskLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "task {}", self.id)?;
        match &self.name {
            Some(name) => write!(f, " \"{name}\""),
            None => Ok(()),
        }
    }
}

/// Tasks that wait for each other's locks, in a circle, or one that waits for itself.
///
/// It is plain data and may be sent to another thread. Its `Display` is several lines.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Deadlock {
    /// Each waits for the next one, and the last for the first, whose wait has closed the circle.
    pub circle: Vec<Blocked>,
}

/// One task of a [`Deadlock`]: it waits for a lock that the next one has.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Blocked {
    /// Who waits.
    pub task: TaskLabel,
    /// Where in the source.
    pub waits_at: &'static Location<'static>,
    /// What kind of lock it waits for: the name of its type.
    pub lock: &'static str,
    /// Where the next task has taken that lock.
    pub taken_at: &'static Location<'static>,
}

impl Deadlock {
    /// Returns whether a task waits for a lock that it has taken itself.
    #[must_use]
    pub fn is_recursion(&self) -> bool {
        self.circle.len() == 1
    }
}

impl fmt::Display for Deadlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [blocked] = &*self.circle {
            return write!(
                f,
                "deadlock: {} waits for itself\n  at {} for a {} that it has locked at {}; \
                 at best another branch of the task gives it up",
                blocked.task, blocked.waits_at, blocked.lock, blocked.taken_at
            );
        }
        write!(
            f,
            "deadlock: {} tasks wait for each other",
            self.circle.len()
        )?;
        let next = self.circle.iter().cycle().skip(1);
        for (blocked, next) in self.circle.iter().zip(next) {
            write!(
                f,
                "\n  {} waits at {} for a {} that {} has locked at {}",
                blocked.task, blocked.waits_at, blocked.lock, next.task, blocked.taken_at
            )?;
        }
        Ok(())
    }
}
