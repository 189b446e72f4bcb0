//! The threads of this process, and how often they run, from procfs.

use std::collections::BTreeMap;
use std::fs;
use std::io;

/// The threads that exist at a moment, with how often each was switched to so far.
#[derive(Clone, Debug, Default)]
pub struct Threads {
    threads: BTreeMap<u32, Thread>,
}

#[derive(Clone, Debug)]
struct Thread {
    name: String,
    switches: u64,
}

impl Threads {
    /// Looks at all threads of this process.
    ///
    /// # Errors
    ///
    /// If procfs is not there.
    pub fn look() -> io::Result<Self> {
        let mut threads = BTreeMap::new();
        for entry in fs::read_dir("/proc/self/task")? {
            let path = entry?.path();
            let id = path
                .file_name()
                .and_then(|name| name.to_str()?.parse().ok());
            // A thread that ends meanwhile has no status.
            if let (Some(id), Ok(status)) = (id, fs::read_to_string(path.join("status"))) {
                threads.insert(id, Thread::read(&status));
            }
        }
        Ok(Self { threads })
    }

    /// Returns those that did not exist in `earlier`, and those whose name begins with `prefix`,
    /// which outlive whoever started them.
    pub fn since(mut self, earlier: &Self, prefix: Option<&str>) -> Self {
        self.threads.retain(|id, thread| {
            !earlier.threads.contains_key(id)
                || prefix.is_some_and(|prefix| thread.name.starts_with(prefix))
        });
        self
    }

    /// Returns how many there are.
    pub fn len(&self) -> usize {
        self.threads.len()
    }

    /// Tells whether there are none.
    pub fn is_empty(&self) -> bool {
        self.threads.is_empty()
    }

    /// Returns how often those that are in both looks were switched to between them.
    pub fn switches_since(&self, earlier: &Self) -> u64 {
        let both = |(id, now): (&u32, &Thread)| {
            let then = earlier.threads.get(id)?;
            Some(now.switches - then.switches)
        };
        self.threads.iter().filter_map(both).sum()
    }
}

impl Thread {
    /// Reads the text of a status file; context switches of both kinds are added up.
    fn read(status: &str) -> Self {
        let mut thread = Self {
            name: String::new(),
            switches: 0,
        };
        for (key, value) in status.lines().filter_map(|line| line.split_once(':')) {
            let value = value.trim();
            match key {
                "Name" => value.clone_into(&mut thread.name),
                "voluntary_ctxt_switches" | "nonvoluntary_ctxt_switches" => {
                    thread.switches += value.parse::<u64>().unwrap_or(0);
                }
                _ => {}
            }
        }
        thread
    }
}

#[cfg(test)]
mod tests;
