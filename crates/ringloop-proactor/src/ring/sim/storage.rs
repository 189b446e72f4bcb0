//! Files in memory, by path.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

/// The one file system. Paths that do not begin with a slash begin at the root all the same.
#[derive(Debug)]
pub(super) struct Storage {
    entries: BTreeMap<Vec<u8>, Node>,
}

/// What a path names.
#[derive(Clone, Debug)]
pub(super) enum Node {
    File(Rc<Inode>),
    Directory,
}

/// The bytes of a file, for as long as it has a name or is open.
#[derive(Debug, Default)]
pub(super) struct Inode {
    pub(super) bytes: RefCell<Vec<u8>>,
    pub(super) mode: Cell<u32>,
}

/// An open file.
#[derive(Debug)]
pub(super) struct OpenFile {
    pub(super) inode: Rc<Inode>,
    pub(super) position: Cell<u64>,
    flags: i32,
}

impl Storage {
    pub(super) fn new() -> Self {
        let root = [
            (Vec::new(), Node::Directory),
            (b"tmp".to_vec(), Node::Directory),
        ];
        Self {
            entries: BTreeMap::from(root),
        }
    }

    /// Counterpart: `open(2)`.
    pub(super) fn open(&mut self, path: &[u8], flags: i32, mode: u32) -> Result<Node, i32> {
        let path = self.resolve(path)?;
        let wants_write = flags & libc::O_ACCMODE != libc::O_RDONLY;
        match self.entries.get(&path) {
            Some(_) if flags & (libc::O_CREAT | libc::O_EXCL) == libc::O_CREAT | libc::O_EXCL => {
                Err(libc::EEXIST)
            }
            Some(Node::Directory) if wants_write || flags & libc::O_CREAT != 0 => Err(libc::EISDIR),
            Some(Node::File(_)) if flags & libc::O_DIRECTORY != 0 => Err(libc::ENOTDIR),
            Some(node) => {
                if let Node::File(inode) = node
                    && flags & libc::O_TRUNC != 0
                {
                    inode.bytes.borrow_mut().clear();
                }
                Ok(node.clone())
            }
            None if flags & libc::O_CREAT == 0 => Err(libc::ENOENT),
            None => {
                let inode = Inode::default();
                inode.mode.set(mode & 0o7777);
                let node = Node::File(Rc::new(inode));
                self.entries.insert(path, node.clone());
                Ok(node)
            }
        }
    }

    /// Counterpart: `mkdir(2)`.
    pub(super) fn make_directory(&mut self, path: &[u8]) -> Result<(), i32> {
        let path = self.resolve(path)?;
        if self.entries.contains_key(&path) {
            return Err(libc::EEXIST);
        }
        self.entries.insert(path, Node::Directory);
        Ok(())
    }

    /// Counterpart: `unlinkat(2)`.
    pub(super) fn unlink(&mut self, path: &[u8], is_directory: bool) -> Result<(), i32> {
        let path = self.resolve(path)?;
        match self.entries.get(&path) {
            None => return Err(libc::ENOENT),
            Some(Node::File(_)) if is_directory => return Err(libc::ENOTDIR),
            Some(Node::Directory) if !is_directory => return Err(libc::EISDIR),
            Some(Node::Directory) if path.is_empty() => return Err(libc::EBUSY),
            Some(Node::Directory) if self.has_children(&path) => return Err(libc::ENOTEMPTY),
            Some(Node::File(_) | Node::Directory) => {}
        }
        self.entries.remove(&path);
        Ok(())
    }

    /// Counterpart: `renameat2(2)`.
    pub(super) fn rename(&mut self, from: &[u8], to: &[u8], flags: u32) -> Result<(), i32> {
        let (from, to) = (self.resolve(from)?, self.resolve(to)?);
        let node = self.entries.get(&from).ok_or(libc::ENOENT)?.clone();
        if flags & !libc::RENAME_NOREPLACE != 0 {
            return Err(libc::EINVAL);
        }
        if from == to {
            return Ok(());
        }
        match (&node, self.entries.get(&to)) {
            (_, Some(_)) if flags & libc::RENAME_NOREPLACE != 0 => return Err(libc::EEXIST),
            (Node::File(_), Some(Node::Directory)) => return Err(libc::EISDIR),
            (Node::Directory, Some(Node::File(_))) => return Err(libc::ENOTDIR),
            (Node::Directory, Some(_)) if self.has_children(&to) => return Err(libc::ENOTEMPTY),
            (Node::Directory, _) if is_below(&to, &from) => return Err(libc::EINVAL),
            _ => {}
        }
        let below: Vec<_> = self
            .entries
            .keys()
            .filter(|path| is_below(path, &from))
            .cloned()
            .collect();
        for path in below {
            if let Some(child) = self.entries.remove(&path) {
                self.entries
                    .insert([&to, &path[from.len()..]].concat(), child);
            }
        }
        self.entries.remove(&from);
        self.entries.insert(to, node);
        Ok(())
    }

    pub(super) fn find(&self, path: &[u8]) -> Result<Node, i32> {
        let path = self.resolve(path)?;
        self.entries.get(&path).cloned().ok_or(libc::ENOENT)
    }

    fn has_children(&self, path: &[u8]) -> bool {
        self.entries.keys().any(|other| is_below(other, path))
    }

    /// The name of `path` in the table, if the directory it lies in exists.
    fn resolve(&self, path: &[u8]) -> Result<Vec<u8>, i32> {
        if path.is_empty() {
            return Err(libc::ENOENT);
        }
        if path.len() >= PATH_MAX {
            return Err(libc::ENAMETOOLONG);
        }
        let mut parts: Vec<&[u8]> = Vec::new();
        for part in path.split(|&byte| byte == b'/') {
            match part {
                b"" | b"." => {}
                b".." => drop(parts.pop()),
                name => parts.push(name),
            }
        }
        if let Some((_, parents)) = parts.split_last() {
            match self.entries.get(&parents.join(&b'/')) {
                Some(Node::Directory) => {}
                Some(Node::File(_)) => return Err(libc::ENOTDIR),
                None => return Err(libc::ENOENT),
            }
        }
        Ok(parts.join(&b'/'))
    }
}

fn is_below(path: &[u8], directory: &[u8]) -> bool {
    match path.strip_prefix(directory) {
        Some(rest) if directory.is_empty() => !rest.is_empty(),
        Some(rest) => rest.first() == Some(&b'/'),
        None => false,
    }
}

impl OpenFile {
    pub(super) fn new(inode: Rc<Inode>, flags: i32) -> Self {
        Self {
            inode,
            position: Cell::new(0),
            flags,
        }
    }

    /// Reads up to `count` bytes at `offset`, or at the position if there is none.
    pub(super) fn read(&self, offset: Option<u64>, count: usize) -> Result<Vec<u8>, i32> {
        if self.flags & libc::O_ACCMODE == libc::O_WRONLY {
            return Err(libc::EBADF);
        }
        let bytes = self.inode.bytes.borrow();
        let at = offset.unwrap_or(self.position.get());
        let start = usize::try_from(at).unwrap_or(usize::MAX).min(bytes.len());
        let end = start.saturating_add(count).min(bytes.len());
        if offset.is_none() {
            self.position.set(at + (end - start) as u64);
        }
        Ok(bytes[start..end].to_vec())
    }

    /// Writes at `offset`, or at the position if there is none, or at the end.
    pub(super) fn write(&self, offset: Option<u64>, new: &[u8]) -> Result<(), i32> {
        if self.flags & libc::O_ACCMODE == libc::O_RDONLY {
            return Err(libc::EBADF);
        }
        let mut bytes = self.inode.bytes.borrow_mut();
        let at = match offset.unwrap_or(self.position.get()) {
            _ if self.flags & libc::O_APPEND != 0 => bytes.len() as u64,
            at => at,
        };
        let end = at.checked_add(new.len() as u64).ok_or(libc::EFBIG)?;
        if end > FILE_BYTES_MAX {
            return Err(libc::EFBIG);
        }
        let start = usize::try_from(at).map_err(|_| libc::EFBIG)?;
        if bytes.len() < start + new.len() && !new.is_empty() {
            bytes.resize(start + new.len(), 0);
        }
        if !new.is_empty() {
            bytes[start..start + new.len()].copy_from_slice(new);
        }
        if offset.is_none() {
            self.position.set(end);
        }
        Ok(())
    }

    /// Counterpart: `ftruncate(2)`; with `grow_only`, `fallocate(2)`.
    pub(super) fn resize(&self, len: u64, grow_only: bool) -> Result<(), i32> {
        if self.flags & libc::O_ACCMODE == libc::O_RDONLY {
            return Err(if grow_only { libc::EBADF } else { libc::EINVAL });
        }
        if len > FILE_BYTES_MAX {
            return Err(libc::EFBIG);
        }
        let len = usize::try_from(len).map_err(|_| libc::EFBIG)?;
        let mut bytes = self.inode.bytes.borrow_mut();
        if !grow_only || bytes.len() < len {
            bytes.resize(len, 0);
        }
        Ok(())
    }
}

const PATH_MAX: usize = 4096;
/// A simulated file is memory.
const FILE_BYTES_MAX: u64 = 1 << 30;
