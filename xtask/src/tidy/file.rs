//! The text files of the repository, as the rules see them.

use std::fs;

use xshell::{Shell, cmd};

/// A text file.
#[derive(Debug)]
pub(crate) struct File {
    /// Relative to the root of the workspace, with `/` between the parts.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl File {
    /// Reads all files that git tracks or would add, in the order of their paths. What is not text
    /// is left out, and so is what git still lists and somebody has deleted.
    pub(crate) fn all(sh: &Shell) -> xshell::Result<Vec<Self>> {
        let list = cmd!(sh, "git ls-files -z --cached --others --exclude-standard");
        let list = list.quiet().read()?;
        let mut files = Vec::new();
        for path in list.split('\0').filter(|path| !path.is_empty()) {
            if let Ok(text) = fs::read_to_string(sh.current_dir().join(path)) {
                files.push(Self {
                    path: path.to_owned(),
                    text,
                });
            }
        }
        files.sort_by(|a, b| a.path.cmp(&b.path));
        files.dedup_by(|a, b| a.path == b.path);
        Ok(files)
    }

    /// The name ends in `.extension`.
    pub(crate) fn is(&self, extension: &str) -> bool {
        self.path
            .strip_suffix(extension)
            .is_some_and(|stem| stem.ends_with('.'))
    }
}
