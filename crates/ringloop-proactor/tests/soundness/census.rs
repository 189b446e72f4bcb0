//! The open descriptors of this process, by what they are of.

use std::collections::BTreeMap;
use std::fmt;

/// How many descriptors there are of each file, socket or ring.
#[derive(PartialEq, Eq)]
pub(crate) struct Census(BTreeMap<String, usize>);

impl Census {
    /// Counts them now.
    pub(crate) fn take() -> Self {
        let mut counts = BTreeMap::new();
        for entry in std::fs::read_dir("/proc/self/fd").unwrap() {
            // The descriptor of this very walk is gone when it is asked for.
            let Ok(target) = std::fs::read_link(entry.unwrap().path()) else {
                continue;
            };
            let target = target.to_string_lossy().into_owned();
            if !target.ends_with("/fd") {
                *counts.entry(target).or_insert(0) += 1;
            }
        }
        Self(counts)
    }

    /// Checks that the same descriptors are open as then: none more, and none closed that was
    /// somebody else's.
    #[track_caller]
    pub(crate) fn assert_unchanged(&self) {
        let now = Self::take();
        assert_eq!(*self, now, "descriptors were leaked, or closed");
    }
}

impl fmt::Debug for Census {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(&self.0).finish()
    }
}
