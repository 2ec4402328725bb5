//! A tree of bytes in memory: what a dump is turned into, what a machine is simulated in, and what tests are made of.
//!
//! It can do what a folder cannot: fail when it is read, take time, say something else at the next read.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use nix::errno::Errno;

use super::error::{Cause, Result, TreeError};
use super::{File, Tree, Window};

/// Files and links by path.
#[derive(Debug, Clone, Default)]
pub struct MemoryTree {
    entries: Arc<BTreeMap<String, Entry>>,
    /// Folder of this tree in the whole one, empty or ending in `/`.
    prefix: String,
    /// What a missing entry means: false for a dump, which holds nothing but configuration space.
    complete: bool,
}

#[derive(Debug, Clone)]
enum Entry {
    File(Arc<[u8]>),
    /// A file with holes: runs of bytes in the order of their offsets, and the size of the whole.
    Pieces(Arc<[(u64, Vec<u8>)]>, u64),
    /// A file that ends before the size that `stat` gives.
    Short(Arc<[u8]>, u64),
    /// A file that can be opened and not be read.
    Failing(Errno, u64),
    /// A file of which every four bytes take this long.
    Slow(Arc<[u8]>, Duration),
    /// A file that gives the next of these each time it is opened, and the last one from then on.
    Changing(Arc<Changing>),
    Link(String),
}

#[derive(Debug)]
struct Changing {
    versions: Vec<Arc<[u8]>>,
    opened: AtomicUsize,
}

impl MemoryTree {
    /// A tree in which a missing file means that the machine does not have it.
    pub fn complete() -> Self {
        MemoryTree { complete: true, ..Self::default() }
    }

    /// A tree that holds part of a machine: what is missing was not captured.
    pub fn partial() -> Self {
        Self::default()
    }

    /// Adds a file.
    pub fn file(mut self, path: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        self.insert(path.into(), Entry::File(bytes.into().into()));
        self
    }

    /// Adds a file of which only some runs of bytes are known; `size` is that of the whole.
    pub fn pieces(mut self, path: impl Into<String>, mut runs: Vec<(u64, Vec<u8>)>, size: u64) -> Self {
        let entry = match runs.as_mut_slice() {
            [(0, run)] if run.len() as u64 == size => Entry::File(std::mem::take(run).into()),
            _ => Entry::Pieces(runs.into(), size),
        };
        self.insert(path.into(), entry);
        self
    }

    /// Adds a file that ends before the size that `stat` gives, as `config` does for users without privileges.
    pub fn short_file(mut self, path: impl Into<String>, bytes: impl Into<Vec<u8>>, size: u64) -> Self {
        self.insert(path.into(), Entry::Short(bytes.into().into(), size));
        self
    }

    /// Adds a file that can be opened and whose reads fail.
    pub fn failing(mut self, path: impl Into<String>, errno: Errno, size: u64) -> Self {
        self.insert(path.into(), Entry::Failing(errno, size));
        self
    }

    /// Adds a file of which every four bytes take `each` to read, as of a device that does not complete requests.
    pub fn slow(mut self, path: impl Into<String>, bytes: impl Into<Vec<u8>>, each: Duration) -> Self {
        self.insert(path.into(), Entry::Slow(bytes.into().into(), each));
        self
    }

    /// Adds a file that gives the next of `versions` each time it is opened, and the last one from then on.
    pub fn changing(mut self, path: impl Into<String>, versions: Vec<Vec<u8>>) -> Self {
        let versions = versions.into_iter().map(Arc::from).collect();
        self.insert(
            path.into(),
            Entry::Changing(Arc::new(Changing { versions, opened: AtomicUsize::new(0) })),
        );
        self
    }

    /// Adds a link.
    pub fn link(mut self, path: impl Into<String>, target: impl Into<String>) -> Self {
        self.insert(path.into(), Entry::Link(target.into()));
        self
    }

    fn insert(&mut self, path: String, entry: Entry) {
        Arc::make_mut(&mut self.entries).insert(path, entry);
    }

    fn missing(&self, path: &str) -> TreeError {
        let cause = if self.complete { Cause::Errno(Errno::ENOENT) } else { Cause::NotCaptured };
        TreeError::new(format!("{}{path}", self.prefix), cause)
    }

    /// The path in the whole tree with every link followed.
    fn resolve(&self, path: &str) -> Result<String> {
        let mut full = normalize(&format!("{}{path}", self.prefix));
        for _ in 0..40 {
            let link = full.match_indices('/').map(|(i, _)| i).chain([full.len()]).find_map(|end| match self
                .entries
                .get(&full[..end])
            {
                Some(Entry::Link(target)) => Some((end, target.clone())),
                _ => None,
            });
            let Some((end, target)) = link else { return Ok(full) };
            full = normalize(&format!("{}{}", join_link(&full[..end], &target), &full[end..]));
        }
        Err(TreeError::new(full, Cause::Escapes))
    }
}

/// Path that a link at `path` with text `target` leads to, without leading `/`. `..` above the root stays at the root.
pub(crate) fn join_link(path: &str, target: &str) -> String {
    if target.starts_with('/') {
        return normalize(target);
    }
    let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent);
    normalize(&format!("{parent}/{target}"))
}

/// Resolves `.` and `..` by their letters.
pub(super) fn normalize(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    parts.join("/")
}

struct MemoryFile(Arc<[u8]>);

impl File for MemoryFile {
    fn size(&self) -> u64 {
        self.0.len() as u64
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize> {
        let start = usize::try_from(offset).unwrap_or(usize::MAX).min(self.0.len());
        let length = buffer.len().min(self.0.len() - start);
        buffer[..length].copy_from_slice(&self.0[start..start + length]);
        Ok(length)
    }
}

struct ShortFile(MemoryFile, u64);

impl File for ShortFile {
    fn size(&self) -> u64 {
        self.1
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize> {
        self.0.read_at(offset, buffer)
    }
}

struct FailingFile(String, Errno, u64);

impl File for FailingFile {
    fn size(&self) -> u64 {
        self.2
    }

    fn read_at(&self, _: u64, _: &mut [u8]) -> Result<usize> {
        Err(TreeError::errno(self.0.clone(), self.1))
    }
}

struct SlowFile(MemoryFile, Duration);

impl File for SlowFile {
    fn size(&self) -> u64 {
        self.0.size()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize> {
        let length = self.0.read_at(offset, buffer)?;
        std::thread::sleep(self.1 * length.div_ceil(4) as u32);
        Ok(length)
    }
}

struct PiecesFile(Arc<[(u64, Vec<u8>)]>, u64);

impl File for PiecesFile {
    fn size(&self) -> u64 {
        self.1
    }

    fn pieces(&self) -> Option<Vec<(u64, Vec<u8>)>> {
        Some(self.0.to_vec())
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize> {
        let run = self
            .0
            .iter()
            .find_map(|(start, run)| run.get(usize::try_from(offset.checked_sub(*start)?).ok()?..));
        let run = run.filter(|run| !run.is_empty()).ok_or_else(|| TreeError::new("", Cause::NotCaptured))?;
        let length = run.len().min(buffer.len());
        buffer[..length].copy_from_slice(&run[..length]);
        Ok(length)
    }
}

impl Tree for MemoryTree {
    fn open(&self, path: &str) -> Result<Box<dyn File>> {
        match self.entries.get(&self.resolve(path)?) {
            Some(Entry::File(bytes)) => Ok(Box::new(MemoryFile(bytes.clone()))),
            Some(Entry::Pieces(runs, size)) => Ok(Box::new(PiecesFile(runs.clone(), *size))),
            Some(Entry::Short(bytes, size)) => Ok(Box::new(ShortFile(MemoryFile(bytes.clone()), *size))),
            Some(Entry::Slow(bytes, each)) => Ok(Box::new(SlowFile(MemoryFile(bytes.clone()), *each))),
            Some(Entry::Failing(errno, size)) => {
                Ok(Box::new(FailingFile(format!("{}{path}", self.prefix), *errno, *size)))
            }
            Some(Entry::Changing(changing)) => {
                let number = changing.opened.fetch_add(1, Ordering::Relaxed);
                let version = changing.versions.get(number).or(changing.versions.last());
                Ok(Box::new(MemoryFile(version.cloned().unwrap_or_default())))
            }
            _ => Err(self.missing(path)),
        }
    }

    fn read_link(&self, path: &str) -> Result<String> {
        // The parent's links are followed, the last one is the one that is asked for.
        let full = match path.rsplit_once('/') {
            Some((parent, name)) => format!("{}/{name}", self.resolve(parent)?),
            None => normalize(&format!("{}{path}", self.prefix)),
        };
        match self.entries.get(&full) {
            Some(Entry::Link(target)) => Ok(target.clone()),
            Some(_) => Err(TreeError::errno(full, Errno::EINVAL)),
            None => Err(self.missing(path)),
        }
    }

    fn list(&self, path: &str) -> Result<Vec<String>> {
        let folder = format!("{}/", self.resolve(path)?);
        let folder = folder.trim_start_matches('/');
        let mut names: Vec<String> = self
            .entries
            .range(folder.to_owned()..)
            .map_while(|(key, _)| key.strip_prefix(folder))
            .map(|rest| rest.split('/').next().unwrap_or(rest).to_owned())
            .collect();
        names.dedup();
        if names.is_empty() { Err(self.missing(path)) } else { Ok(names) }
    }

    fn enter(&self, path: &str) -> Result<Box<dyn Tree>> {
        let prefix = format!("{}/", self.resolve(path)?);
        if !self.entries.range(prefix.clone()..).next().is_some_and(|(key, _)| key.starts_with(&prefix)) {
            return Err(self.missing(path));
        }
        Ok(Box::new(MemoryTree { entries: self.entries.clone(), prefix, complete: self.complete }))
    }

    fn window(&self, path: &str, offset: u64, length: usize) -> Result<Window> {
        let file = match self.open(path) {
            Ok(file) => file,
            Err(error) => return self.stored_piece(path, offset, length).ok_or(error),
        };
        let mut bytes = vec![0; length];
        let read = file.read_at(offset, &mut bytes)?;
        if read < length {
            return Err(TreeError::errno(format!("{}{path}", self.prefix), Errno::EINVAL));
        }
        Ok(Window::stored(bytes))
    }
}

impl MemoryTree {
    /// Registers that are stored as a piece of a BAR, `resource0@0x1000`.
    fn stored_piece(&self, path: &str, offset: u64, length: usize) -> Option<Window> {
        let prefix = format!("{}@0x", self.resolve(path).ok()?);
        let pieces = self
            .entries
            .range(prefix.clone()..)
            .map_while(|(key, entry)| Some((key.strip_prefix(&prefix)?, entry)));
        pieces.into_iter().find_map(|(at, entry)| {
            let start = usize::try_from(offset.checked_sub(u64::from_str_radix(at, 16).ok()?)?).ok()?;
            let Entry::File(bytes) = entry else { return None };
            Some(Window::stored(bytes.get(start..start.checked_add(length)?)?.to_vec()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> MemoryTree {
        MemoryTree::complete()
            .file("sys/devices/pci0000:00/0000:00:01.0/vendor", "0x8086\n")
            .link("sys/bus/pci/devices/0000:00:01.0", "../../../devices/pci0000:00/0000:00:01.0")
            .link("loop", "loop")
    }

    #[test]
    fn follows_links_and_enters_folders() {
        let tree = sample();
        assert_eq!(
            super::super::read_text(&tree, "sys/bus/pci/devices/0000:00:01.0/vendor").unwrap(),
            "0x8086"
        );
        let function = tree.enter("sys/bus/pci/devices/0000:00:01.0").unwrap();
        assert_eq!(super::super::read_text(&*function, "vendor").unwrap(), "0x8086");
        assert_eq!(tree.list("sys/bus/pci/devices").unwrap(), ["0000:00:01.0"]);
        assert_eq!(function.list("").unwrap(), ["vendor"]);
        assert_eq!(tree.open("loop/x").err().unwrap().cause, Cause::Escapes);
    }

    #[test]
    fn missing_is_absent_or_not_captured() {
        assert!(sample().open("nothing").err().unwrap().is_absent());
        assert_eq!(MemoryTree::partial().open("nothing").err().unwrap().cause, Cause::NotCaptured);
    }
}
