//! The file whose pages are read past the page cache.
//!
//! It is made when it is first asked for, filled, and unlinked at once, so that nothing is left
//! behind however the program ends; it is opened by the name that its descriptor has in `/proc`.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

/// A file on a disk, if there is one.
#[derive(Debug)]
pub struct Scratch {
    mebibytes: u32,
    made: OnceLock<(PathBuf, File)>,
    making: Mutex<()>,
}

impl Scratch {
    /// Describes a file of so many MiB.
    pub fn new(mebibytes: u32) -> Self {
        Self {
            mebibytes,
            made: OnceLock::new(),
            making: Mutex::new(()),
        }
    }

    /// Returns how many pages of 4 KiB the file has.
    pub fn pages(&self) -> u32 {
        self.mebibytes * 256
    }

    /// Returns a path to open the file by, which other processes can use too.
    ///
    /// # Errors
    ///
    /// What the file system says; [`io::ErrorKind::Unsupported`] if all folders for temporary files
    /// are in memory.
    pub fn path(&self) -> io::Result<&Path> {
        let _making = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        let made = match self.made.get() {
            Some(made) => made,
            None => {
                let made = self.make()?;
                self.made.get_or_init(|| made)
            }
        };
        Ok(&made.0)
    }

    fn make(&self) -> io::Result<(PathBuf, File)> {
        let folders = [std::env::temp_dir(), PathBuf::from("/var/tmp")];
        let folder = folders.iter().find(|folder| is_on_disk(folder));
        let folder = folder.ok_or_else(|| {
            io::Error::new(
                io::ErrorKind::Unsupported,
                "no folder for temporary files is on a disk",
            )
        })?;
        let name = folder.join(format!("ringloop-bench-{}", std::process::id()));
        let mut file = File::create_new(&name)?;
        fs::remove_file(&name)?;
        let chunk: Vec<u8> = (0..=u8::MAX).cycle().take(1 << 20).collect();
        for _ in 0..self.mebibytes {
            file.write_all(&chunk)?;
        }
        // Pages that wait to be written would be written by the reads.
        file.sync_all()?;
        let path = format!("/proc/{}/fd/{}", std::process::id(), file.as_raw_fd());
        Ok((PathBuf::from(path), file))
    }
}

/// Tells whether a folder is there, and not known to be in memory.
fn is_on_disk(folder: &Path) -> bool {
    let Ok(metadata) = fs::metadata(folder) else {
        return false;
    };
    let device = metadata.dev();
    let device = format!("{}:{}", libc::major(device), libc::minor(device));
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    !mounts.lines().any(|line| {
        let mut fields = line.split(' ');
        let is_it = fields.nth(2) == Some(&device);
        let kind = line
            .split_once(" - ")
            .and_then(|(_, kind)| kind.split(' ').next());
        is_it && matches!(kind, Some("tmpfs" | "ramfs"))
    })
}

#[cfg(test)]
mod tests;
