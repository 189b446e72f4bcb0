//! Errors of a group as a tree of text.

use std::fmt;

/// Displays errors under a headline, indented, each behind a branch.
pub(super) struct Tree<'a, E>(pub(super) &'a [E]);

impl<E: fmt::Display> fmt::Display for Tree<'_, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = if self.0.len() == 1 { "" } else { "s" };
        write!(f, "{} error{plural} in a group", self.0.len())?;
        let Some((last, others)) = self.0.split_last() else {
            return Ok(());
        };
        for error in others {
            branch(f, error, ["├─ ", "│  "])?;
        }
        branch(f, last, ["└─ ", "   "])
    }
}

/// Displays one error. If it has more lines than one, they stand below the first.
fn branch(f: &mut fmt::Formatter<'_>, error: &impl fmt::Display, marks: [&str; 2]) -> fmt::Result {
    let text = error.to_string();
    let [first, later] = marks;
    let mut mark = first;
    for line in text.split('\n') {
        write!(f, "\n{mark}{line}")?;
        mark = later;
    }
    Ok(())
}
